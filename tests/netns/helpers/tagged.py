#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends 10 frames with one VLAN tag and 10 with two: UDP from 10.77.7.2.

usage: tagged.py INTERFACE
"""
import socket
import struct
import sys

SOURCE, TARGET = "10.77.7.2", "10.77.1.1"
BROADCAST = b"\xff" * 6
TAG = {0x8100: struct.pack("!HH", 0x8100, 7), 0x88a8: struct.pack("!HH", 0x88a8, 9)}


def datagram():
    payload = b"x" * 100
    udp = struct.pack("!HHHH", 5001, 5001, 8 + len(payload), 0) + payload
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                       socket.inet_aton(SOURCE), socket.inet_aton(TARGET)) + udp


def main():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((sys.argv[1], 0))
    head = BROADCAST + sock.getsockname()[4]
    for tags in (TAG[0x8100], TAG[0x88a8] + TAG[0x8100]):
        for _ in range(10):
            sock.send(head + tags + b"\x08\x00" + datagram())


main()
