#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Datagrams to port 5000 and back.

usage: udp_echo.py --listen [--port PORT]                  until SIGTERM, both families
       udp_echo.py --connect ADDRESS [--count N] [--size BYTES]
Exit status 1 when an answer is missing.
"""
import argparse
import socket
import sys

PORT = 5000


def listen(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(data, peer)


def ask(address, count, size):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(2)
    sock.connect((address, PORT))
    for number in range(count):
        message = number.to_bytes(4, "big").ljust(size, b".")
        sock.send(message)
        if sock.recv(65536) != message:
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", action="store_true")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--connect")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--size", type=int, default=100)
    args = parser.parse_args()
    if args.listen:
        listen(args.port)
    try:
        return ask(args.connect, args.count, args.size)
    except (TimeoutError, ConnectionError):
        return 1


sys.exit(main())
