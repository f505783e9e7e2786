#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that ask again and again, each time on a new connection.

usage: steady.py ADDRESS PORT CLIENTS
Asks GET /whoami until standard input ends, then prints one JSON object: "seen" counts the answers by what they
said, "failed" the failures by what went wrong.
"""
import collections
import json
import socket
import sys
import threading

done = threading.Event()
seen, failed = collections.Counter(), collections.Counter()


def ask(address):
    with socket.create_connection(address, timeout=5) as s:
        s.sendall(b"GET /whoami HTTP/1.1\r\nHost: steady\r\nConnection: close\r\n\r\n")
        data = b""
        while True:
            more = s.recv(4096)
            if not more:
                break
            data += more
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ValueError(head[:40].decode("latin-1") or "nothing")
    return body.decode().strip()


def client(address):
    while not done.is_set():
        try:
            seen[ask(address)] += 1
        except (OSError, ValueError) as e:
            failed[f"{type(e).__name__}: {e}"] += 1


def main(argv):
    address = (argv[1], int(argv[2]))
    threads = [threading.Thread(target=client, args=(address,)) for _ in range(int(argv[3]))]
    for t in threads:
        t.start()
    print("asking", flush=True)
    sys.stdin.read()
    done.set()
    for t in threads:
        t.join()
    print(json.dumps({"seen": seen, "failed": failed}))


if __name__ == "__main__":
    main(sys.argv)
