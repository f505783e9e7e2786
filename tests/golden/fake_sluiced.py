#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers the control command usage as sluiced does, once a line of ANSWERS: sluicectl apps without a gateway.

usage: fake_sluiced.py SOCKET USAGE_DIRECTORY ANSWERS

ANSWERS has one JSON list a line: the lines that follow {"ok": true} in one answer. When they have all been given, it ends.
"""
import array
import json
import os
import socket
import sys


def main():
    path, directory, answers = sys.argv[1:]
    with open(answers, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen()
        for rows in lines:
            conn, _ = server.accept()
            with conn:
                if json.loads(conn.makefile().readline()) != {"command": "usage"}:
                    sys.exit("another command than usage")
                conn.sendmsg(
                    [b'{"ok":true}\n'],
                    [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))],
                )
                for row in rows:
                    conn.sendall(json.dumps(row).encode() + b"\n")


main()
