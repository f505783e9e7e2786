#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients and origin servers that go, stop, or speak out of turn."""
import hashlib
import sys
import time

import rawclient
from origin import pattern

LISTENER, REFUSED, DROPPED = 3129, 9002, 9003
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
UPLOAD = 50000000


# --- the origin server


def case_leaves(case):
    """the origin server closes an idle connection: the client's closes, too"""
    conn = case.connect()
    conn.send(case.ask("/leave/50"))
    case.same(conn.response().body, b"ok\n", "answer")
    began = time.monotonic()
    case.closed(conn)
    case.check(time.monotonic() - began < 2, "it took long")
    case.passed(conn)


def case_leaves_at_once(case):
    """the origin server closes while the next request is on its way"""
    conn = case.connect()
    conn.send(case.ask("/leave/0") * 20)
    answers = 0
    try:
        while answers < 20:
            case.same(conn.response().body, b"ok\n", "answer")
            answers += 1
    except rawclient.Mismatch:
        case.same((conn.buf, conn.ended), (b"", "fin"), "the end")
    case.check(answers >= 1, "no answer")


def early(case, path, status, words=()):
    """The answer arrives while a large upload is still being sent."""
    conn = case.connect()
    conn.send(case.ask(path, f"Content-Length: {UPLOAD}", *words,
                       method="POST"))
    sender = rawclient.in_background(conn.send_what_goes,
                                     pattern(0, 1000000) * 50)
    r, _ = conn.final()
    case.same((r.status, r.body, r.whole), (status, b"no\n", True), "answer")
    case.same(r.get("Connection"), "close", "Connection")
    conn.rest(5)
    sender.join(10)
    case.check(not sender.is_alive(), "the sender hangs")
    case.event(conn, status=status, verdict=case.kit.good)


def case_early(case):
    """413 in the middle of an upload of 50 MB; the server goes on reading"""
    if not case.kit.scan:
        early(case, "/early/413", 413)


def case_reject(case):
    """413 in the middle of an upload of 50 MB; the server closes"""
    if not case.kit.scan:
        early(case, "/reject/413", 413)


def case_early_chunked(case):
    """413 in the middle of a chunked upload"""
    if case.kit.scan:
        return
    conn = case.connect()
    conn.send(case.ask("/reject/413", "Transfer-Encoding: chunked",
                       method="POST"))
    chunk = b"10000\r\n" + pattern(0, 65536) + b"\r\n"
    sender = rawclient.in_background(conn.send_what_goes, chunk * 200)
    r, _ = conn.final()
    case.same((r.status, r.whole), (413, True), "answer")
    sender.join(10)


def case_early_keeps(case):
    """an answer before the end of a small upload: the rest is not a request"""
    conn = case.connect()
    conn.send(case.ask("/reject/413", "Content-Length: 200000", method="POST")
              + b"x" * 1000)
    if not case.kit.scan:
        case.same(conn.response().status, 413, "answer")
    try:
        conn.send(b"x" * 1000)
        time.sleep(0.05)
        conn.send(b"GET /ok?smuggled" + case.mark.encode() +
                  b" HTTP/1.1\r\nHost: a\r\n\r\n")
    except OSError:
        pass
    case.unseen("smuggled" + case.mark)


def case_closes_in_upload(case):
    """the origin server closes in an upload, without an answer"""
    if case.kit.scan:
        return
    conn = case.connect()
    conn.send(case.ask("/hangup", f"Content-Length: {UPLOAD}", method="POST"))
    sender = rawclient.in_background(conn.send_what_goes,
                                     pattern(0, 1000000) * 50)
    case.page(conn.final()[0], 502, "origin_closed")
    case.event(conn, verdict="passed", reason="origin_closed", status=502)
    conn.rest(5)
    sender.join(10)


# --- the client


def case_aborts_download(case):
    """the client resets or closes in a download"""
    for how in ("reset", "close"):
        conn = case.connect()
        conn.send(case.ask("/size/80000000"))
        conn.exactly(100000)
        getattr(conn, how)()
        case.event(conn, verdict="passed", reason="client_closed", status=200,
                   action="allow")


def case_aborts_upload(case):
    """the client resets or closes in an upload"""
    for how in ("reset", "close"):
        conn = case.connect()
        conn.send(case.ask("/upload", f"Content-Length: {UPLOAD}",
                           method="POST") + pattern(0, 300000))
        time.sleep(0.05)
        getattr(conn, how)()
        case.event(conn, verdict="passed", reason="client_closed", status=None,
                   method="POST")
    case.same(case.kit.requests(case.mark), [], "requests")


def case_aborts_chunked_upload(case):
    """the client closes in a chunked upload: it gets no end"""
    conn = case.connect()
    conn.send(case.ask("/upload", "Transfer-Encoding: chunked",
                       method="POST") + b"5\r\nhello\r\n")
    time.sleep(0.05)
    conn.close()
    case.event(conn, verdict="passed", reason="client_closed")
    case.same(case.kit.requests(case.mark), [], "requests")


def waits(case, path, port=0):
    conn = case.connect(port)
    conn.send(case.ask(path))
    time.sleep(0.1)
    conn.reset()
    began = time.monotonic()
    while time.monotonic() < began + 4:
        if conn.local in case.kit.journal():
            break
        time.sleep(0.1)
    case.event(conn, verdict="passed", reason="client_closed", status=None)
    case.check(time.monotonic() - began < 2, "it is noticed late")


def case_aborts_wait(case):
    """the client resets while it waits for an answer"""
    waits(case, "/silent")


def case_aborts_connect(case):
    """the client resets while the server is being called"""
    waits(case, "/ok", DROPPED)


def case_half_head(case):
    """the client closes in the middle of a head"""
    conn = case.connect()
    conn.send(case.ask("/ok")[:-4])
    conn.shut()
    case.closed(conn)
    case.unseen()


def case_connects_only(case):
    """the client connects and closes, or resets"""
    for how in ("close", "reset"):
        conn = case.connect()
        getattr(conn, how)()
        case.no_event(conn)


# --- slow


def case_slow_reader(case):
    """a client that reads slowly gets all of it"""
    for path, size in (("/size/4000000", 4000000), ("/chunked/4000000", 4000000),
                       ("/close/4000000", 4000000)):
        conn = case.connect(rcvbuf=4096)
        conn.send(case.ask(path))
        for _ in range(10):
            time.sleep(0.03)
            conn.more()
        r = conn.response()
        case.check(r.whole and r.body == pattern(0, size), path)


def case_slow_reader_pipelined(case):
    """pipelined answers wait for a client that doesn't read"""
    conn = case.connect(rcvbuf=4096)
    conn.send((case.ask("/size/300000") + case.ask("/chunked/300000")) * 10)
    time.sleep(0.3)
    for i in range(20):
        r = conn.response()
        case.check(r.whole and r.body == pattern(0, 300000), f"answer {i}")


def case_slow_reader_hints(case):
    """103s and answers wait for a client that doesn't read"""
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </" + b"h" * 3000 + b">\r\n\r\n"
    answer = hint * 15 + PLAIN
    count = 100
    conn = case.connect(rcvbuf=4096)
    sender = rawclient.in_background(conn.send, case.say(answer) * count)
    time.sleep(0.5)
    for i in range(count):
        if conn.exactly(len(answer)) != answer:
            raise rawclient.Mismatch(f"answer {i} of {count} is not right")
    sender.join()


def case_slow_reader_last(case):
    """the last answer outlives what a client sends behind it"""
    conn = case.connect(rcvbuf=4096)
    conn.send(case.ask("/close/1000000"))
    for _ in range(6):
        time.sleep(0.05)
        conn.send(case.ask("/ok?behind"))
    r = conn.response()
    case.check(r.whole and r.body == pattern(0, 1000000),
               f"{len(r.body)} bytes, then {conn.ended}")


def case_slow_reader_page(case):
    """a page outlives what a client goes on sending"""
    conn = case.connect(rcvbuf=4096)
    conn.send(b"GET /bad HTTP/1.1\r\nHost : a\r\n\r\n")
    for _ in range(10):
        time.sleep(0.03)
        conn.send(b"x" * 20000)
    r = conn.response()
    case.page(r, 400, "bad_request")


def case_slow_upload(case):
    """an upload in small pieces"""
    conn = case.connect()
    body = pattern(0, 20000)
    conn.send(case.ask("/upload", method="POST", body=body), piece=100,
              pause=0.001)
    case.check(hashlib.sha256(body).hexdigest().encode() in
               conn.response().body, "the upload")


# --- the gateway


def case_listener(case):
    """who dials the listener or the gateway itself is sent away"""
    for port in (LISTENER, 80):
        try:
            conn = case.connect(port, host=case.kit.args.gateway)
            conn.send(case.ask("/ok"))
            case.same(conn.rest(), b"", "what came")
            case.no_event(conn)
        except ConnectionError:
            pass  # by a rule
    case.unseen()


def case_many_connections(case):
    """300 connections at a time"""
    conns = [case.connect() for _ in range(300)]
    for _ in range(2):
        for i, conn in enumerate(conns):
            conn.send(case.ask(f"/size/{i * 100}"))
        for i, conn in enumerate(conns):
            r = conn.response()
            case.check(r.body == pattern(0, i * 100), f"answer {i}")


def main():
    parser = rawclient.arguments()
    parser.add_argument("--gateway", required=True)
    kit = rawclient.Kit(parser.parse_args())
    kit.run_all(sys.modules["__main__"])
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
