#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that goes away.

usage: rude.py HOST PORT PATH BYTES FILE
Asks for PATH, takes BYTES of the answer, writes "took BYTES" and waits until
FILE exists. Then it resets the connection.
"""
import os
import socket
import struct
import sys
import time


def main():
    host, port, path, count, gate = sys.argv[1:6]
    sock = socket.create_connection((host, int(port)))
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    left = int(count)
    while left > 0:
        data = sock.recv(min(left, 65536))
        if not data:
            sys.exit("the answer ended")
        left -= len(data)
    print(f"took {count}", flush=True)
    while not os.path.exists(gate):
        time.sleep(0.02)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


if __name__ == "__main__":
    main()
