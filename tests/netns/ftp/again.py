#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A port of the client's again and again, where connections have no timestamps by which the kernel could tell them apart."""
import sys

import ftpclient
from session import case_same_port, setup

__all__ = ["case_same_port"]

if __name__ == "__main__":
    ftpclient.main(sys.modules["__main__"], setup)
