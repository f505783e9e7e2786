#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One request from a given port, over before a lost SYN would be sent again.

usage: once.py ADDRESS PORT OWNPORT PATH
Lets the other side close first, so that the TIME_WAIT is there.
"""
import socket
import sys

address, port, own, path = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(0.8)
    s.bind(("", int(own)))
    s.connect((address, int(port)))
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
    answer = b""
    while data := s.recv(65536):
        answer += data
sys.exit(0 if b" 200 " in answer else 1)
