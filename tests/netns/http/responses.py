#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Origin servers that answer badly: what is ambiguous becomes a page or a cut,
never something that looks complete and is not.
"""
import sys

import rawclient
from origin import RAW, pattern

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

# A page with 502 instead: the parser's word for each head of RAW.
BAD_HEAD = {
    "no-status": "not_http", "http09": "not_http",
    "bad-version": "bad_version", "bad-status": "bad_status",
    "cl-and-te": "length_and_coding", "two-lengths": "several_lengths",
    "list-length": "several_lengths",
    "plus-length": "bad_length", "minus-length": "bad_length",
    "huge-length": "bad_length", "hex-length": "bad_length",
    "unknown-te": "bad_transfer_coding", "te-not-last": "bad_transfer_coding",
    "te-then-none": "bad_transfer_coding", "obs-fold": "folded",
    "no-colon": "bad_field", "bare-cr": "bare_cr", "nul": "nul",
    "long-field": "head_too_long", "many-fields": "head_too_long",
    "many-100": "bad_status",
}
# Broken later: the client must see that it is not whole.
BAD_BODY = {
    "chunk-size": "bad_chunk_size", "chunk-huge": "bad_chunk_size",
    "chunk-no-crlf": "bad_chunk",
}
# It ended before it was whole, by the origin server's doing.
CUT_BODY = ("chunk-cut", "chunk-no-end")
NO_ANSWER = ("empty", "endless-head")
# One meaning: status and body that arrive.
GOOD = {
    "chunk-extension": (200, b"hi"), "too-much": (200, b"hi"),
    "two-answers": (200, b"hi"), "early-hints": (200, b"hi"),
    "http10": (200, b"old"), "body-204": (204, b""),
    "same-lengths": (200, b"hi"), "same-list": (200, b"hi"),
    "space-colon": (200, b"hi"), "bare-lf": (200, b"hi"),
    "te-twice": (200, b"hi"), "te-none-first": (200, b"hi"),
    "te-none": (200, b"hi"), "chunk-padding": (200, b"hi"),
}
# Go through where nothing scans, and are not scanned where it does.
CODINGS = {"bad-gzip": (b"haha", "coding"), "unknown-coding": (b"hi", "coding")}

# More of what a head must not have, said by the client for the server.
SAID = {
    "a status of two digits": (b"HTTP/1.1 20 OK\r\n\r\n", "bad_status"),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "bad_status"),
    "a status of 099": (b"HTTP/1.1 099 OK\r\n\r\n", "bad_status"),
    "HTTP/2.0": (b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                 "bad_version"),
    "NUL in the reason": (b"HTTP/1.1 200 O\0K\r\n\r\n", "bad_line"),
    "an empty line first": (b"\r\nHTTP/1.1 200 OK\r\n\r\n", "not_http"),
    "a fold at the start": (b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n", "folded"),
    "a length with a tab": (b"HTTP/1.1 200 OK\r\nContent-Length:\t2\r\n\r\nhi",
                            "bad_length"),
    "TE in HTTP/1.0": (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       b"0\r\n\r\n", "bad_transfer_coding"),
    "101 that nobody asked for": (b"HTTP/1.1 101 S\r\nUpgrade: x\r\n"
                                  b"Connection: upgrade\r\n\r\n", "bad_status"),
    "a header line too long": (b"HTTP/1.1 200 " + b"O" * 17000 + b"\r\n\r\n",
                               "line_too_long"),
    "201 fields": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 201 + b"\r\n",
                   "too_many_fields"),
    "a length that ends in a comma": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2,\r\n\r\nhi", "bad_length"),
    "TE behind a tab": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding:\tchunked\r\n\r\n",
        "bad_transfer_coding"),
    "a 304 with two lengths": (b"HTTP/1.1 304 N\r\nContent-Length: 2\r\n"
                               b"Content-Length: 3\r\n\r\n", "several_lengths"),
    "bytes behind a 100": (b"HTTP/1.1 100 C\r\nContent-Length: 3\r\n\r\nabc" +
                           PLAIN, "not_http"),
}


def goes_on(case, conn):
    """The client's connection is in order: it gets its own next answer."""
    conn.send(case.ask("/ok"))
    case.same(conn.response().body, b"ok\n", "the next answer")
    conn.quiet(0.02)


def goes_on_or_ends(case, conn):
    """The same where the origin server closes: then the client's may end."""
    try:
        conn.send(case.ask("/ok"))
        case.same(conn.response().body, b"ok\n", "the next answer")
    except OSError:
        return  # sent into the end
    except rawclient.Mismatch:
        case.same(conn.buf, b"", "bytes before the end")
        case.check(conn.ended, "no answer")


def bad_head(case, name, word):
    conn = case.connect()
    conn.send(case.ask(f"/raw/{name}"))
    r, _ = conn.final()
    case.page(r, 502, "bad_response")
    case.check(b"evil" not in r.body, "the server's bytes are in the page")
    case.event(conn, 0, verdict="blocked", reason="bad_response", name=word,
               status=502, action="block")
    goes_on(case, conn)


def said(case, answer, word):
    conn = case.connect()
    conn.send(case.say(answer))
    r, _ = conn.final()
    case.page(r, 502, "bad_response")
    case.event(conn, 0, verdict="blocked", reason="bad_response", name=word,
               status=502, action="block")
    goes_on(case, conn)


def bad_head_for_head(case, name, word):
    """For HEAD the page has no body."""
    conn = case.connect()
    conn.send(case.ask(f"/raw/{name}", method="HEAD"))
    r = conn.response("HEAD")
    case.same(r.status, 502, "status")
    case.event(conn, 0, verdict="blocked", reason="bad_response", name=word,
               status=502)
    goes_on(case, conn)


def bad_body(case, name, word):
    conn = case.connect()
    conn.send(case.ask(f"/raw/{name}"))
    if case.kit.scan:  # held until it was whole, so a page is possible
        case.page(conn.response(), 502, "bad_response")
    else:
        try:
            case.check(not conn.response().whole, "it looks whole")
        except rawclient.Mismatch:
            pass  # the reset overtook the head
        case.same(conn.ended, "reset", "the end")
    case.event(conn, 0, verdict="blocked", reason="bad_response", name=word,
               action="block", status=502 if case.kit.scan else 200)


def cut_body(case, name):
    conn = case.connect()
    conn.send(case.ask(f"/raw/{name}"))
    r = conn.response()
    if case.kit.scan:
        case.page(r, 502, "origin_closed")
    else:
        case.same((r.status, r.body, r.whole), (200, b"", False)
                  if name == "chunk-cut" and not r.body else
                  (200, b"hi", False), "what came")
        case.closed(conn)
    case.event(conn, 0, verdict="passed", reason="origin_closed",
               status=502 if case.kit.scan else 200)


def no_answer(case, name):
    conn = case.connect()
    conn.send(case.ask(f"/raw/{name}"))
    case.page(conn.response(), 502, "origin_closed")
    case.event(conn, 0, verdict="passed", reason="origin_closed", status=502)
    goes_on(case, conn)


def good(case, name, status, body):
    conn = case.connect()
    conn.send(case.ask(f"/raw/{name}"))
    r, _ = conn.final()
    case.same((r.status, r.body, r.whole), (status, body, True), "answer")
    case.event(conn, 0, status=status, action="allow",
               verdict="passed" if not body else case.kit.good)
    if name == "http10":
        case.closed(conn)
    else:
        goes_on_or_ends(case, conn)


def coding(case, name, body, reason):
    conn = case.connect()
    conn.send(case.ask(f"/raw/{name}"))
    r = conn.response()
    if case.kit.scan:
        case.page(r, 403, reason)
        case.event(conn, 0, verdict="not_scanned", reason=reason, status=403,
                   action="block")
    else:
        case.same(r.body, body, "body")
        case.passed(conn, 0)
    goes_on_or_ends(case, conn)


# --- bytes that nobody asked for


def case_extra_answer(case):
    """a second answer is nobody's: the next request gets its own"""
    two = PLAIN + PLAIN.replace(b"hi", b"no")
    for query in ("", "?close", f"?piece={len(PLAIN)}&ms=30"):
        conn = case.connect()
        conn.send(case.say(two, query=query))
        case.same(conn.exactly(len(PLAIN)), PLAIN, "the first answer")
        rawclient.time.sleep(0.05 if "piece" in query else 0)
        goes_on_or_ends(case, conn)


def case_extra_answer_pipelined(case):
    """a second answer does not become that of a pipelined request"""
    two = PLAIN + PLAIN.replace(b"hi", b"no")
    conn = case.connect()
    conn.send(case.say(two) + case.ask("/ok?next") + case.ask("/size/3?last"))
    case.same(conn.exactly(len(PLAIN)), PLAIN, "the first answer")
    case.same(conn.response().body, b"ok\n", "the second request's")
    case.same(conn.response().body, pattern(0, 3), "the third request's")


def case_unasked(case):
    """bytes on an idle connection close the client's"""
    conn = case.connect()
    conn.send(case.ask("/unasked/50"))
    case.same(conn.response().body, b"ok\n", "answer")
    case.closed(conn)


def case_long_204(case):
    """a body behind 204 or HEAD is not the next answer"""
    conn = case.connect()
    conn.send(case.say(b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n"
                       b"5\r\nhello\r\n0\r\n\r\n") + case.ask("/ok"))
    case.same(conn.response().status, 204, "204")
    case.same(conn.response().body, b"ok\n", "the next answer")
    conn = case.connect()
    conn.send(case.say(PLAIN, method="HEAD") + case.ask("/ok"))
    case.same(conn.response("HEAD").status, 200, "HEAD")
    case.same(conn.response().body, b"ok\n", "the next answer")


# --- ends in the middle


def cut(case, path, sent, how):
    """@path announces more than it sends; what was sent arrives."""
    conn = case.connect()
    conn.send(case.ask(path))
    r = conn.response()
    if case.kit.scan and not (r.status == 200 and sent > 1000000):
        case.page(r, 502, "origin_closed")
        status = 502
    else:
        case.same((r.status, r.whole), (200, False), "the answer")
        if how == "fin" and not case.kit.scan:
            case.check(r.body == pattern(0, sent), f"{len(r.body)} of {sent}")
        case.check(r.body == pattern(0, len(r.body)), "what came is not right")
        status = 200
    case.event(conn, status=status, reason="origin_closed",
               verdict="passed")


def case_short(case):
    """the origin server closes in a body with a length"""
    for n in (2, 1000, 100000, 8000000):
        cut(case, f"/short/{n}", n // 2, "fin")


def case_reset(case):
    """the origin server resets in a body with a length"""
    for n in (2, 100000, 8000000):
        cut(case, f"/reset/{n}", n // 2, "reset")


def case_cut_chunked(case):
    """the origin server closes or resets in a chunked body"""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = pattern(0, 100000)
    for query in ("?close", "?reset"):
        for tail in (b"", b"5", b"5\r\nhel", b"0\r\n", b"0\r\nX-A: b\r\n"):
            conn = case.connect()
            conn.send(case.say(head + b"%x\r\n%b\r\n" % (len(body), body) +
                               tail, query=query))
            r = conn.response()
            if case.kit.scan:
                case.page(r, 502, "origin_closed")
            elif query == "?close":
                case.check(not r.whole, f"{tail}: it looks whole")
                case.check(r.body.startswith(body), f"{tail}: bytes are lost")
            else:
                case.check(not r.whole, f"{tail}: it looks whole")


def case_reset_close_delimited(case):
    """a reset in a body that ends with the connection does not end it"""
    conn = case.connect()
    conn.send(case.say(b"HTTP/1.1 200 OK\r\n\r\n" + pattern(0, 200000),
                       query="?reset"))
    r = conn.response()
    if case.kit.scan:
        case.page(r, 502, "origin_closed")
    else:
        case.check(not r.whole and conn.ended == "reset", "it looks whole")


def case_cut_http10(case):
    """a cut chunked body does not look whole to HTTP/1.0"""
    conn = case.connect()
    conn.send(case.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       b"5\r\nhello\r\n", query="?close", version="HTTP/1.0"))
    try:
        r = conn.response()
        if case.kit.scan:
            case.page(r, 502, "origin_closed")
        else:
            case.check(not r.whole, "it looks whole")
    except rawclient.Mismatch:
        case.same(conn.ended, "reset", "the end")


def case_no_answer_later(case):
    """a kept connection that dies under a request: no answer, no page"""
    conn = case.connect()
    conn.send(case.ask("/ok"))
    case.same(conn.response().body, b"ok\n", "first")
    conn.send(case.ask("/raw/empty"))
    case.closed(conn)
    case.event(conn, 1, verdict="passed", reason="origin_closed", status=None)


def main():
    kit = rawclient.Kit(rawclient.arguments().parse_args())
    groups = ((bad_head, BAD_HEAD), (bad_body, BAD_BODY), (good, GOOD),
              (coding, CODINGS), (said, SAID))
    for function, table in groups:
        for name, row in table.items():
            row = row if isinstance(row, tuple) else (row,)
            args = row if function is said else (name, *row)
            kit.run(name, function, *args)
    for name in CUT_BODY:
        kit.run(name, cut_body, name)
    for name in NO_ANSWER:
        kit.run(name, no_answer, name)
    kit.run("two-lengths for HEAD", bad_head_for_head, "two-lengths",
            "several_lengths")
    kit.run_all(sys.modules["__main__"])
    done = {*BAD_HEAD, *BAD_BODY, *GOOD, *CODINGS, *CUT_BODY, *NO_ANSWER}
    kit.run("every answer of the origin server's table was tried",
            lambda case: case.same(set(RAW) - done, set(), "left out"))
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
