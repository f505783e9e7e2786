#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Limits of the configuration, to the byte: http.max_line = 1K, http.max_header
= 2K, http.max_fields = 8. What is on the limit passes, one more is refused.
"""
import sys

import rawclient

LINE, HEAD, FIELDS = 1024, 2048, 8
STATUS_LINE = b"HTTP/1.1 200 "


def sized(case, line=0, head=0, fields=0):
    """A request of exactly these sizes, as far as they are given."""
    target = case.path("/ok")
    if line:
        target += "l" * (line - len(f"GET {target} HTTP/1.1"))
    lines = [f"GET {target} HTTP/1.1", f"Host: {case.kit.name}"]
    lines += [f"A{i}: b" for i in range(fields - 1)]
    text = "\r\n".join(lines) + "\r\n"
    if head:
        text += "X: " + "h" * (head - len(text) - 7) + "\r\n"
    return (text + "\r\n").encode()


def request(case, status, word, **sizes):
    for piece in (0, 100):
        conn = case.connect()
        data = sized(case, **sizes)
        try:
            conn.send(data, piece)
        except OSError:
            pass  # it answered before the last byte
        r = conn.response()
        if status == 200:
            case.same((r.status, r.body), (200, b"ok\n"), "answer")
            case.passed(conn)
        else:
            case.page(r, status, "bad_request")
            case.event(conn, verdict="blocked", reason="bad_request",
                       status=status, name=word, action="block")
    if status != 200:
        case.unseen()


def answer(line=0, head=0, fields=0):
    lines = [STATUS_LINE + b"O" * max(line - len(STATUS_LINE), 2),
             b"Content-Length: 2"]
    lines += [b"A%d: b" % i for i in range(fields - 1)]
    text = b"\r\n".join(lines) + b"\r\n"
    if head:
        text += b"X: " + b"h" * (head - len(text) - 7) + b"\r\n"
    return text + b"\r\nhi"


def response(case, status, word, **sizes):
    for query in ("", "?piece=100&ms=1"):
        conn = case.connect()
        conn.send(case.say(answer(**sizes), query=query))
        r = conn.response()
        if status == 200:
            case.same((r.status, r.body), (200, b"hi"), "answer")
            case.passed(conn)
        else:
            case.page(r, status, "bad_response")
            case.event(conn, verdict="blocked", reason="bad_response",
                       status=status, name=word, action="block")


def case_head_with_empty_lines(case):
    """empty lines before a request count"""
    for more, status in ((0, 200), (1, 431)):
        conn = case.connect()
        conn.send(b"\r\n\r\n" + sized(case, head=HEAD - 4 + more))
        case.same(conn.response().status, status, f"{more} more")


def case_second_request(case):
    """the limit is each head's, not that of what waits"""
    conn = case.connect()
    conn.send(sized(case, head=HEAD) * 5)
    for _ in range(5):
        case.same(conn.response().status, 200, "status")


def case_long_trailers(case):
    """trailers of 8 KiB pass, more are refused"""
    for size, status in ((8192, 200), (8193, 502)):
        conn = case.connect()
        trailer = b"X-T: " + b"t" * (size - 7) + b"\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        conn.send(case.say(head + b"2\r\nhi\r\n0\r\n" + trailer + b"\r\n"))
        try:
            r = conn.response()
        except rawclient.Mismatch:
            case.same((conn.ended, status), ("reset", 502), "the end")
            continue
        if status == 200:
            case.check(r.whole and r.trailers == trailer, "trailers")
        elif case.kit.scan:
            case.page(r, 502, "bad_response")
        else:
            case.check(not r.whole, "it looks whole")


def main():
    kit = rawclient.Kit(rawclient.arguments().parse_args())
    rows = (("line", LINE, 414, "line_too_long"),
            ("head", HEAD, 431, "head_too_long"),
            ("fields", FIELDS, 431, "too_many_fields"))
    for what, limit, status, word in rows:
        for more in (-1, 0, 1):
            size = {what: limit + more}
            good = more <= 0
            kit.run(f"request {what} {limit + more}", lambda c, s, w, z:
                    request(c, s, w, **z), 200 if good else status,
                    word, size)
            kit.run(f"response {what} {limit + more}", lambda c, s, w, z:
                    response(c, s, w, **z), 200 if good else 502, word, size)
    kit.run_all(sys.modules["__main__"])
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
