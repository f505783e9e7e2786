#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An FTP session that stands still in the middle of a transfer, until it is told to go on.

ftp_held.py HOST USER PASSWORD MODE COMMAND FILE NAME
COMMAND is "RETR path" (COUNT bytes are taken) or "STOR path" (of FILE, of which half is sent). It says "half", and waits until
the file NAME.go exists; then the rest, "CODE BYTES SHA256 END", and one more of the same, "again CODE BYTES SHA256 END".
"""
import hashlib
import os
import sys
import time

import ftpclient

COUNT = 100000


def describe(result, content):
    return f"{result.code} {len(content)} {hashlib.sha256(content).hexdigest()} {result.ended}"


def main(host, user, password, mode, command, file, name):
    with open(file, "rb") as f:
        content = f.read()
    conn = ftpclient.Control(host, rcvbuf=65536).login(user, password)
    first, data = conn.start(command, mode)
    upload = command.startswith("STOR")
    if upload:
        data.write(content[:len(content) // 2])
    else:
        data.read(COUNT)
    print("half", flush=True)
    while not os.path.exists(name + ".go"):
        time.sleep(0.02)
    try:
        if upload:
            data.write(content[len(content) // 2:])
            data.sock.shutdown(1)
        data.read()
    except OSError:
        data.ended = "reset"
    data.close()
    try:
        result = ftpclient.Result(first, conn.reply(), data)
    except ftpclient.Mismatch:
        print(f"gone {len(data.got)} - {data.ended}", flush=True)
        return
    print(describe(result, content if upload else data.got), flush=True)
    result = conn.put(command, content, mode) if upload else conn.get(command, mode)
    print("again", describe(result, content if upload else result.got), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
