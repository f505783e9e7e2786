#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A thousand connections at a time that end in every way there is. Whether
anything of them stays behind is looked at from outside, between two runs.
"""
import sys
import time

import rawclient
from origin import pattern

COUNT = 1000


def everybody(case, data):
    """COUNT connections that have sent @data."""
    conns = [case.connect() for _ in range(COUNT)]
    for conn in conns:
        conn.send(data)
    return conns


def part(conns):
    """A third ends in order, a third closes, a third resets."""
    for i, conn in enumerate(conns):
        if i % 3 == 0:
            conn.shut()
        elif i % 3 == 1:
            conn.close()
        else:
            conn.reset()
    for conn in conns[::3]:
        conn.rest()


def case_answered(case):
    """connections that got their answer, and another"""
    conns = everybody(case, case.ask("/size/3000"))
    for _ in range(2):
        for conn in conns:
            if conn.response().body != pattern(0, 3000):
                raise rawclient.Mismatch("an answer")
            conn.send(case.ask("/size/3000"))
    part(conns)


def case_in_head(case):
    """connections in the middle of a head"""
    part(everybody(case, case.ask("/ok")[:-3]))


def case_in_download(case):
    """connections in the middle of a download"""
    conns = everybody(case, case.ask("/size/400000"))
    for conn in conns[:200]:
        conn.exactly(50000)
    part(conns[:200])
    for conn in conns[200:]:
        conn.reset()


def case_in_upload(case):
    """connections in the middle of an upload"""
    conns = everybody(case, case.ask("/upload", "Content-Length: 100000",
                                     method="POST") + b"x" * 30000)
    for i, conn in enumerate(conns):
        (conn.close if i % 2 else conn.reset)()


def case_waiting(case):
    """connections that wait for an answer"""
    for conn in everybody(case, case.ask("/silent")):
        conn.reset()


def case_tunnels(case):
    """tunnels"""
    conns = everybody(case, case.ask("/upgrade", "Upgrade: websocket",
                                     "Connection: Upgrade") + b"hello")
    for conn in conns:
        conn.response()
        conn.exactly(5)
    part(conns)


def case_refused(case):
    """connections that are refused"""
    conns = everybody(case, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
    for conn in conns:
        if conn.response().status != 400:
            raise rawclient.Mismatch("not refused")
    part(conns)


def case_one_by_one(case):
    """connections one after the other"""
    for _ in range(COUNT):
        conn = rawclient.Conn(case.kit.host, case.kit.port)
        conn.send(case.ask("/ok", "Connection: close"))
        conn.rest()
        conn.close()
    time.sleep(0.1)


def main():
    kit = rawclient.Kit(rawclient.arguments().parse_args())
    kit.run_all(sys.modules["__main__"])
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
