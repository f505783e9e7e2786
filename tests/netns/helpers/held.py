#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that keeps one connection.

usage: held.py ADDRESS PORT [FROM]
For each line on standard input asks GET /whoami on it, and prints the answer
and its own port, or "lost" and why. The line "quit" ends it.
"""
import http.client
import sys

source = (sys.argv[3], 0) if len(sys.argv) > 3 else None
conn = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=3, source_address=source)
conn.auto_open = 0
try:
    conn.connect()
    port = conn.sock.getsockname()[1]
except OSError as e:
    print("lost", e, flush=True)
    sys.exit(1)
for line in sys.stdin:
    if line == "quit\n":
        break
    try:
        conn.request("GET", "/whoami")
        body = conn.getresponse().read().decode().strip()
        print("got", body, "from", port, flush=True)
    except (OSError, http.client.HTTPException) as e:
        print("lost", repr(e), flush=True)
