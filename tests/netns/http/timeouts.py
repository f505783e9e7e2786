#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Times of the configuration, given with --header and so on in milliseconds:
what happens when they pass, and that it happens then and not later.
"""
import sys
import time

import rawclient
from origin import pattern

SLACK = 0.6  # for two busy processors
DROPPED, REFUSED = 9003, 9002


class Clock:
    """Measures what a case waits for."""

    def __init__(self, case, milliseconds):
        self.case = case
        self.wanted = milliseconds / 1000
        self.began = time.monotonic()

    def stop(self):
        took = time.monotonic() - self.began
        self.case.check(self.wanted - 0.02 <= took <= self.wanted + SLACK,
                        f"it took {took:.2f} s, not {self.wanted:.2f} s")


def case_silent(case):
    """a client that never says anything"""
    clock = Clock(case, case.kit.args.header)
    conn = case.connect()
    case.closed(conn)
    clock.stop()
    case.no_event(conn)


def case_half_head(case):
    """a head that stops coming"""
    clock = Clock(case, case.kit.args.header)
    conn = case.connect()
    conn.send(case.ask("/ok")[:-2])
    r = conn.response()
    clock.stop()
    case.page(r, 408, "timeout")
    case.same(r.get("Connection"), "close", "Connection")
    conn.shut()
    case.closed(conn)
    case.unseen()
    case.event(conn, verdict="passed", reason="timeout", status=408)


def case_slow_head(case):
    """a head that comes too slowly, byte by byte"""
    clock = Clock(case, case.kit.args.header)
    conn = case.connect()
    data = case.ask("/ok")
    sender = rawclient.in_background(conn.send, data, 1, 0.02)
    case.page(conn.response(), 408, "timeout")
    clock.stop()
    conn.close()
    sender.join()


def case_slow_second_head(case):
    """the same with the second request on a connection"""
    conn = case.connect()
    conn.send(case.ask("/ok"))
    case.same(conn.response().status, 200, "the first")
    time.sleep(0.1)
    clock = Clock(case, case.kit.args.header)
    conn.send(case.ask("/ok")[:-2])
    case.page(conn.response(), 408, "timeout")
    clock.stop()
    case.event(conn, 1, reason="timeout", status=408)


def case_idle(case):
    """an idle connection"""
    conn = case.connect()
    conn.send(case.ask("/ok"))
    case.same(conn.response().status, 200, "status")
    clock = Clock(case, case.kit.args.idle)
    case.closed(conn)
    clock.stop()
    case.passed(conn)


def case_stalled_upload(case):
    """an upload that stops"""
    clock = Clock(case, case.kit.args.idle)
    conn = case.connect()
    conn.send(case.ask("/upload", "Content-Length: 100", method="POST") +
              b"half")
    r = conn.response()
    clock.stop()
    case.page(r, 408, "timeout")
    case.event(conn, verdict="passed", reason="timeout", status=408)


def case_stalled_download(case):
    """a download that stops"""
    clock = Clock(case, case.kit.args.idle)
    conn = case.connect()
    conn.send(case.ask("/stall/20000"))
    r = conn.response()
    clock.stop()
    if case.kit.scan:
        case.page(r, 504, "timeout")
    else:
        case.same((r.status, r.whole, conn.ended), (200, False, "reset"),
                  "the end")
    case.event(conn, verdict="passed", reason="timeout",
               status=504 if case.kit.scan else 200)


def case_slow_goes_on(case):
    """what is slow, but never that slow, goes on"""
    conn = case.connect()
    conn.send(case.ask("/slow/15/60"))
    case.same(conn.response().body, pattern(0, 15), "download")
    conn.send(case.ask("/upload", "Content-Length: 15", method="POST"))
    conn.send(pattern(0, 15), piece=1, pause=0.06)
    case.same(conn.response().status, 200, "upload")


def case_no_reader(case):
    """a client that doesn't read"""
    conn = case.connect(rcvbuf=4096)
    conn.send(case.ask("/size/30000000"))
    time.sleep(case.kit.args.idle / 1000 + SLACK)
    try:
        case.check(not conn.response().whole, "it got all of it")
    except rawclient.Mismatch:
        pass
    case.same(conn.ended, "reset", "the end")
    case.event(conn, reason="timeout", status=200)


def case_silent_server(case):
    """a server that never answers"""
    conn = case.connect()
    for i in range(2):
        clock = Clock(case, case.kit.args.response)
        conn.send(case.ask("/silent"))
        case.page(conn.response(), 504, "response_timeout")
        clock.stop()
        case.event(conn, i, verdict="passed", reason="response_timeout",
                   status=504)


def case_slow_response_head(case):
    """a server whose head comes too slowly"""
    clock = Clock(case, case.kit.args.response)
    conn = case.connect()
    conn.send(case.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                       query="?piece=1&ms=40"))
    case.page(conn.response(), 504, "response_timeout")
    clock.stop()
    case.event(conn, reason="response_timeout", status=504)


def case_hints_dont_help(case):
    """103 doesn't buy a server time"""
    clock = Clock(case, case.kit.args.response)
    conn = case.connect()
    hint = b"HTTP/1.1 103 E\r\n\r\n"
    conn.send(case.say(hint * 16, query=f"?piece={len(hint)}&ms=100"))
    r, _ = conn.final()
    clock.stop()
    case.page(r, 504, "response_timeout")


def case_dropped(case):
    """a server whose network says nothing"""
    conn = case.connect(DROPPED)
    for i in range(2):
        clock = Clock(case, case.kit.args.connect)
        conn.send(case.ask("/ok"))
        case.page(conn.response(), 504, "connect_timeout")
        clock.stop()
        case.event(conn, i, verdict="passed", reason="connect_timeout",
                   status=504)


def case_dropped_upload(case):
    """an upload to it: the connection ends"""
    conn = case.connect(DROPPED)
    conn.send(case.ask("/upload", "Content-Length: 100", method="POST"))
    if not case.kit.scan:
        r = conn.response()
        case.page(r, 504, "connect_timeout")
        case.same(r.get("Connection"), "close", "Connection")


def case_dropped_tunnel(case):
    """a tunnel to it"""
    clock = Clock(case, case.kit.args.connect)
    conn = case.connect(DROPPED)
    conn.send(b"\x16\x03\x01")
    case.same((conn.rest(), conn.ended), (b"", "reset"), "the end")
    clock.stop()
    case.event(conn, protocol="tunnel", verdict="passed",
               reason="connect_timeout", bytes_in=3)


def case_refused(case):
    """a server that refuses the connection"""
    conn = case.connect(REFUSED)
    for i in range(2):
        conn.send(case.ask("/ok"))
        case.page(conn.response(), 502, "connect")
        case.event(conn, i, verdict="passed", reason="connect", status=502)
    conn = case.connect(REFUSED)
    conn.send(b"\x16\x03\x01")
    case.same((conn.rest(), conn.ended), (b"", "reset"), "the end")
    case.event(conn, protocol="tunnel", reason="connect")


def case_tunnel(case):
    """a tunnel in which nothing moves"""
    conn = case.connect()
    conn.send(case.ask("/upgrade", "Upgrade: websocket",
                       "Connection: Upgrade"))
    case.same(conn.response().status, 101, "status")
    for _ in range(8):
        time.sleep(case.kit.args.tunnel / 4000)
        conn.send(b"x")
        case.same(conn.exactly(1), b"x", "the echo")
    clock = Clock(case, case.kit.args.tunnel)
    case.same((conn.rest(), conn.ended), (b"", "reset"), "the end")
    clock.stop()
    case.event(conn, 1, protocol="tunnel", reason="timeout")


def total(case, path, data=b"", pause=0.05):
    clock = Clock(case, case.kit.args.total)
    conn = case.connect()
    conn.send(case.ask(path, f"Content-Length: {len(data)}",
                       method="POST" if data else "GET"))
    sender = rawclient.in_background(conn.send, data, 1, pause)
    try:
        r = conn.response()
    except rawclient.Mismatch:
        r = None
    clock.stop()
    conn.close()
    sender.join()
    return r, conn


def total_download(case):
    """http.total_timeout: a download that is too slow"""
    r, conn = total(case, "/slow/200/50")
    if case.kit.scan:
        case.page(r, 504, "timeout")
    else:
        case.check(not r.whole and conn.ended == "reset", "it looks whole")
    case.event(conn, reason="timeout", status=504 if case.kit.scan else 200)


def total_upload(case):
    """http.total_timeout: an upload that is too slow"""
    r, conn = total(case, "/upload", pattern(0, 200))
    case.page(r, 408, "timeout")
    case.event(conn, reason="timeout", status=408)


def total_wait(case):
    """http.total_timeout: an answer that doesn't come"""
    r, conn = total(case, "/silent")
    case.page(r, 504, "response_timeout")
    case.event(conn, reason="response_timeout", status=504)


def total_connect(case):
    """http.total_timeout: a connection that doesn't come"""
    clock = Clock(case, case.kit.args.total)
    conn = case.connect(DROPPED)
    conn.send(case.ask("/ok"))
    case.page(conn.response(), 504, "connect_timeout")
    clock.stop()


def total_keep_alive(case):
    """http.total_timeout is each exchange's"""
    conn = case.connect()
    for _ in range(3):
        conn.send(case.ask("/slow/10/40"))
        case.same(conn.response().body, pattern(0, 10), "answer")
        time.sleep(0.2)


def main():
    parser = rawclient.arguments()
    for name in ("header", "idle", "connect", "response", "tunnel", "total"):
        parser.add_argument(f"--{name}", type=int, default=0)
    kit = rawclient.Kit(parser.parse_args())
    if kit.args.total:
        for function in (total_download, total_upload, total_wait,
                         total_connect, total_keep_alive):
            kit.run(function.__doc__, function)
    else:
        kit.run_all(sys.modules["__main__"])
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
