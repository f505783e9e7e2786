#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Talks to a control socket as no sluicectl would.

usage: ctlfuzz.py SOCKET fuzz SECONDS [SEED]   whatever comes to mind, for so long; prints what it did
       ctlfuzz.py SOCKET hold N                N connections that say nothing; prints "held", waits for a line
       ctlfuzz.py SOCKET deaf                  asks for the rules again and again and reads nothing, likewise
       ctlfuzz.py SOCKET send TEXT [half]      one request (\\n, \\0 are understood); prints the whole answer;
                                               half: closes its sending side first
       ctlfuzz.py SOCKET serve TEXT            is the socket: gives TEXT to whoever comes, once
Exit status 0, but for a fuzz whose answers were no lines of JSON.
"""
import json
import os
import random
import socket
import sys
import time

COMMANDS = ["status", "sessions", "rules", "journal", "nothing", "", "stat\0us"]
OPS = ["show", "diff", "bypass-list", "plan-install", "plan-remove", "bypass-add", "bypass-delete", "x", ""]
NETS = ["", "10.0.0.1/8", "999.1.1.1", "::/0", "0.0.0.0/0", "fe80::1%lo", "a" * 300, "10.0.0.0/33", "-1"]


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    s.connect(path)
    return s


def read_all(s):
    data = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more
    except (ConnectionResetError, socket.timeout):
        return data


def text(rng):
    """A request that is one, with values that may not be."""
    request = {"command": rng.choice(COMMANDS)}
    if rng.random() < 0.7:
        request["op"] = rng.choice(OPS + [7, None, [], {}, True, -1e308])
    if rng.random() < 0.5:
        request["net"] = rng.choice(NETS + [1, []])
    if rng.random() < 0.5:
        request["side"] = rng.choice(["client", "server", "", 3, None])
    return json.dumps(request).encode()


def noise(rng):
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 300)) + b"\n"
    if kind == 1:
        return b"x" * rng.choice([4095, 4096, 4097, 100000])
    if kind == 2:
        return b"[" * rng.randrange(1, 3000) + b"\n"
    if kind == 3:
        return b'{"command":' * 300 + b"\n"
    if kind == 4:
        return b'{"command":"status"} trailing\n'
    if kind == 5:
        return b'{"command":"status"}\n' * rng.randrange(1, 200)
    if kind == 6:
        line = bytearray(text(rng))
        line[rng.randrange(len(line))] = rng.randrange(256)
        return bytes(line) + b"\n"
    return text(rng) + b"\n"


def one(path, rng):
    """One connection; how it went: "answer", "closed" or "bad"."""
    s = connect(path)
    data = noise(rng)
    try:
        while data:
            n = rng.choice([1, 7, len(data)])
            s.sendall(data[:n])
            data = data[n:]
            if rng.random() < 0.01:
                return "left"
    except (BrokenPipeError, ConnectionResetError):
        pass
    if rng.random() < 0.2:
        return "left"
    try:
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    answer = read_all(s)
    s.close()
    if not answer:
        return "closed"
    try:
        lines = [json.loads(line) for line in answer.split(b"\n")[:-1]]
    except ValueError:
        return "bad"
    good = answer.endswith(b"\n") and lines and isinstance(lines[0].get("ok"), bool)
    return "answer" if good else "bad"


def fuzz(path, seconds, seed):
    rng = random.Random(seed)
    end = time.monotonic() + seconds
    count = {}
    while time.monotonic() < end:
        how = one(path, rng)
        count[how] = count.get(how, 0) + 1
    print("seed", seed, *(f"{k} {v}" for k, v in sorted(count.items())))
    return 1 if count.get("bad") or not count.get("answer") else 0


def hold(path, n):
    held = [connect(path) for _ in range(n)]
    print("held", flush=True)
    sys.stdin.readline()
    for s in held:
        s.close()
    return 0


def deaf(path):
    held = []
    for _ in range(8):
        s = connect(path)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(b'{"command":"rules","op":"show"}\n')
        held.append(s)
    print("held", flush=True)
    sys.stdin.readline()
    return 0


def serve(path, answer):
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    print("serving", flush=True)
    s, _ = listener.accept()
    s.recv(4096)
    s.sendall(answer)
    s.close()
    return 0


def main(argv):
    path, what = argv[1], argv[2]
    raw = [a.encode().decode("unicode_escape").encode("latin-1") for a in argv[3:]]
    if what == "fuzz":
        return fuzz(path, float(argv[3]), int(argv[4]) if len(argv) > 4 else random.randrange(1 << 32))
    if what == "hold":
        return hold(path, int(argv[3]))
    if what == "deaf":
        return deaf(path)
    if what == "serve":
        return serve(path, raw[0])
    s = connect(path)
    s.sendall(raw[0])
    if len(argv) > 4:
        s.shutdown(socket.SHUT_WR)
    sys.stdout.buffer.write(read_all(s))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
