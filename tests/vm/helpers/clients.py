#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One datagram of 100 bytes to a server from each of many clients.

usage: clients.py SERVER PORT FIRST COUNT

Client N is 10.78.(N / 250).(N % 250 + 1). The addresses need not be this
host's (IP_TRANSPARENT, so root); no answer is waited for.
"""
import socket
import sys

IP_TRANSPARENT = 19  # linux/in.h


def main(argv):
    if len(argv) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    server = (argv[1], int(argv[2]))
    first, count = int(argv[3]), int(argv[4])
    for n in range(first, first + count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
            s.bind((f"10.78.{n // 250}.{n % 250 + 1}", 0))
            s.sendto(bytes(100), server)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
