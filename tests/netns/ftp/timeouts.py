#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Times of the configuration, all of a second: what happens when they pass, and that it happens then and not later. The server is
tests/lib/ftpserver.py.
"""
import sys
import time

import ftpclient
import rawclient
from ftpclient import Result
from ftpserver import SIZE, pattern

LIMIT, SLACK = 1.0, 1.0


class Clock:
    """Measures what a case waits for."""

    def __init__(self, case, what):
        self.case = case
        self.what = what
        self.began = time.monotonic()

    def stop(self, limit=LIMIT):
        took = time.monotonic() - self.began
        self.case.check(limit - 0.05 <= took <= limit + SLACK, f"{self.what} took {took:.2f} s, not {limit}")


def case_idle(case):
    """a client that says nothing more"""
    conn = case.login()
    clock = Clock(case, "the end")
    case.same(conn.reply().code, 421, "the last word")
    clock.stop()
    conn.rest()


def case_silent_greeting(case):
    """a server that doesn't greet"""
    conn = case.control(port=2102)
    clock = Clock(case, "the end")
    case.same(conn.reply().code, 421, "the last word")
    clock.stop()
    conn.rest()
    case.event(conn, 0, reason="response_timeout", status=421)


def case_silent_server(case):
    """a server that doesn't reply"""
    conn = case.login()
    conn.send(b"SITE hang\r\n")
    clock = Clock(case, "the end")
    case.same(conn.reply().code, 421, "the last word")
    clock.stop()
    conn.rest()
    case.event(conn, 0, reason="response_timeout", status=421)


def case_dropped(case):
    """a server that isn't there"""
    clock = Clock(case, "the end")
    conn = case.control(port=2107)
    case.same(conn.reply().code, 421, "the last word")
    clock.stop()
    conn.rest()
    case.event(conn, 0, reason="connect_timeout", status=421)


def case_no_data_connection(case):
    """a client that doesn't come to the data port"""
    for mode in ("pasv", "epsv"):
        if mode not in case.kit.modes:
            continue
        conn = case.login()
        conn.passive(mode)
        conn.transfers += 1
        conn.send(b"RETR file\r\n")
        clock = Clock(case, f"{mode}: the reply")
        first = conn.reply()
        reply = conn.reply() if first.code < 200 else first
        case.same(reply.code, 425, f"{mode}: {reply!r}")
        clock.stop()
        case.event(conn, method="RETR", status=425, reason="timeout")
        case.whole(conn.get("RETR file", mode), pattern(SIZE), f"{mode}: the next")


def case_no_upload(case):
    """a client that comes to the data port and sends nothing"""
    for mode in case.kit.modes:
        conn = case.login()
        _, data = conn.start("STOR file", mode)
        data.write(b"x")
        clock = Clock(case, f"{mode}: the reply")
        reply = conn.reply()
        case.same(reply.code, 426, f"{mode}: {reply!r}")
        clock.stop()
        case.event(conn, method="STOR", status=426, reason="timeout")
        case.whole(conn.get("RETR file", mode), pattern(SIZE), f"{mode}: the next")


def case_stalled(case):
    """servers that stop in the middle of a file, or at its end without a word"""
    rows = [("RETR " + name, mode, most) for name, most in (("stall", SIZE // 2), ("silent", SIZE)) for mode in case.kit.modes]
    conns = [case.login() for _ in rows]
    started = [conn.start(line, mode) for conn, (line, mode, _) in zip(conns, rows)]
    clock = Clock(case, "the end")
    for thread in [rawclient.in_background(data.read) for _, data in started]:
        thread.join()
    clock.stop()
    for (line, mode, most), conn, (first, data) in zip(rows, conns, started):
        case.same(data.ended, "reset", f"{line}, {mode}: its end")
        # That server says nothing more; it is given a while.
        result = Result(first, conn.reply(), data)
        case.check(result.code in (421, 426) and len(result.got) <= most, f"{line}, {mode}: {result!r}")
        case.event(conn, method="RETR", reason="timeout", status=result.code)


if __name__ == "__main__":
    ftpclient.main(sys.modules["__main__"])
