#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages that are as they should be: each arrives as it was sent."""
import hashlib
import sys

import rawclient
from origin import pattern

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nok\n"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def digest(data):
    return hashlib.sha256(data).hexdigest().encode()


# --- connections


def case_keep_alive(case):
    """keep-alive: three requests, one connection on each side"""
    conn = case.connect()
    for _ in range(3):
        conn.send(case.ask("/ok"))
        case.same(conn.exactly(len(OK)), OK, "the answer")
    conn.quiet()
    for i in range(3):
        case.passed(conn, i, bytes_in=len(case.ask("/ok")),
                    bytes_out=len(OK), method="GET", host=case.kit.name,
                    content_type="text/plain",
                    url=f"http://{case.kit.name}{case.path('/ok')}")
    requests = case.kit.requests(case.mark)
    case.same(len({r["connection"] for r in requests}), 1, "connections")
    case.same(requests[0]["head"].encode(), case.ask("/ok"), "as it arrived")


def case_close(case):
    """Connection: close ends it, after the answer"""
    conn = case.connect()
    conn.send(case.ask("/ok", "Connection: close"))
    r = conn.response()
    case.same((r.status, r.body, r.get("Connection")), (200, b"ok\n", "close"),
              "answer")
    case.closed(conn)
    case.passed(conn)


def case_close_pipelined(case):
    """what comes behind Connection: close is not answered, and no reset"""
    conn = case.connect()
    conn.send(case.ask("/size/300000", "Connection: close") +
              case.ask("/ok?second"))
    r = conn.response()
    case.same((r.status, r.body), (200, pattern(0, 300000)), "answer")
    case.closed(conn)
    case.unseen("second&" + case.mark)
    case.passed(conn, bytes_in=len(case.ask("/size/300000",
                                            "Connection: close")))


def case_origin_closes(case):
    """the origin server's Connection: close is its own affair"""
    conn = case.connect()
    for _ in range(2):
        conn.send(case.say(PLAIN.replace(b"\r\n\r\n",
                                         b"\r\nConnection: close\r\n\r\n"),
                           query="?close"))
        case.same(conn.exactly(len(PLAIN)), PLAIN, "the answer")
    conn.quiet()
    requests = case.kit.requests(case.mark)
    case.same(len({r["connection"] for r in requests}), 2, "connections")


def case_many(case):
    """a thousand requests on one connection"""
    conn = case.connect()
    request = case.ask("/ok")
    for _ in range(1000):
        conn.send(request)
        case.same(conn.exactly(len(OK)), OK, "an answer")
        if case.problems:
            break
    for i in (0, 500, 999):
        case.passed(conn, i, bytes_in=len(request), bytes_out=len(OK))
    case.event(conn, 999)


def case_pipeline(case):
    """pipelining: thirty requests at once, answered in order"""
    conn = case.connect()
    sizes = [0, 1, 10, 100, 5000, 70000]
    paths = [f"/size/{sizes[i % len(sizes)]}" for i in range(30)]
    conn.send(b"".join(case.ask(p) for p in paths))
    for i, path in enumerate(paths):
        r = conn.response()
        case.check(r.whole and r.body == pattern(0, int(path[6:])),
                   f"answer {i} is not that of {path}")
        case.passed(conn, i, bytes_in=len(case.ask(path)),
                    verdict=case.kit.good if sizes[i % 6] else "passed",
                    url=f"http://{case.kit.name}{case.path(path)}")
    conn.quiet()


def case_pipeline_mixed(case):
    """pipelining: bodies, HEAD and 204 between GETs; then half-close"""
    conn = case.connect()
    body = pattern(0, 100000)
    conn.send(case.ask("/ok") +
              case.ask("/upload", method="POST", body=body) +
              case.ask("/size/5", method="HEAD") +
              case.ask("/status/204") +
              case.ask("/upload", "Transfer-Encoding: chunked", method="PUT",
                       body=b"3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\n\r\n") +
              case.ask("/chunked/70000") +
              case.ask("/ok"))
    conn.shut()
    got = [conn.response(m) for m in
           ("GET", "POST", "HEAD", "GET", "PUT", "GET", "GET")]
    case.same([r.status for r in got], [200, 200, 200, 204, 200, 200, 200],
              "statuses")
    case.check(digest(body) in got[1].body, "the first upload")
    case.same(got[2].get("Content-Length"), "5", "HEAD's length")
    case.check(digest(b"abcdef") in got[4].body, "the second upload")
    case.same(got[5].body, pattern(0, 70000), "the chunked one")
    case.same(got[6].body, b"ok\n", "the last")
    case.closed(conn)


def case_pipeline_large(case):
    """pipelining: more requests than any buffer holds"""
    conn = case.connect()
    request = case.ask("/ok", "X-Fill: " + "f" * 1000)
    count = 200
    conn.send(request * count)
    for i in range(count):
        if conn.exactly(len(OK)) != OK:
            raise rawclient.Mismatch(f"answer {i}")
    conn.quiet()


# --- framing


def case_head(case):
    """HEAD: no body in any framing, and the connection goes on"""
    conn = case.connect()
    for path, field, value in (("/size/1000", "Content-Length", "1000"),
                               ("/chunked/1000", "Content-Length", ""),
                               ("/size/0", "Content-Length", "0")):
        conn.send(case.ask(path, method="HEAD"))
        r = conn.response("HEAD")
        case.same((r.status, r.get(field)), (200, value), path)
    conn.send(case.ask("/ok"))
    case.same(conn.exactly(len(OK)), OK, "after it")
    conn.quiet()
    case.event(conn, 0, verdict="passed", method="HEAD")


def case_bodyless(case):
    """204 and 304 end with their heads"""
    conn = case.connect()
    for code, field in ((204, ""), (304, ""), (304, "Content-Length: 77\r\n"),
                        (304, "Transfer-Encoding: chunked\r\n")):
        answer = f"HTTP/1.1 {code} Status\r\n{field}ETag: \"x\"\r\n\r\n"
        conn.send(case.say(answer.encode()))
        if "chunked" in field:
            answer = answer.replace(field, "")
        case.same(conn.exactly(len(answer)), answer.encode(), answer)
    conn.quiet()


def case_body_204(case):
    """204 that announces a body, and sends it"""
    conn = case.connect()
    conn.send(case.say(b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nhi"))
    case.same(conn.until(b"\r\n\r\n"), b"HTTP/1.1 204 No\r\n\r\n", "204")
    conn.send(case.ask("/ok"))
    case.same(conn.exactly(len(OK)), OK, "after it")
    conn.quiet()


def case_length(case):
    """Content-Length bodies around the sizes of buffers"""
    conn = case.connect()
    for size in (0, 1, 16000, 16383, 16384, 16385, 32768, 65535, 65536, 65537,
                 262143, 262145, 1048575, 1048577, 3000000):
        conn.send(case.ask(f"/size/{size}"))
        r = conn.response()
        case.check(r.whole and r.body == pattern(0, size), f"size {size}")
    conn.quiet()
    case.passed(conn, 14)


def case_chunked(case):
    """chunked bodies, in chunks of every kind"""
    conn = case.connect()
    for size, piece in ((0, 1), (1, 1), (3000, 7), (70000, 1000),
                        (200000, 65536), (1000000, 999999), (5000000, 300000)):
        conn.send(case.ask(f"/chunked/{size}?piece={piece}"))
        r = conn.response()
        case.check(r.whole and r.body == pattern(0, size),
                   f"{size} in chunks of {piece}")
    conn.quiet()


def case_close_delimited(case):
    """a body that ends with the connection"""
    for size in (0, 10, 100000, 2000000):
        conn = case.connect()
        conn.send(case.ask(f"/close/{size}"))
        r = conn.response()
        case.check(r.whole and r.body == pattern(0, size), f"size {size}")
        case.same(r.get("Connection"), "close", "Connection")
        case.passed(conn)


def case_close_pipelining_client(case):
    """a body that ends with the connection, while the client goes on"""
    conn = case.connect()
    conn.send(case.ask("/close/500000") + case.ask("/ok?second") * 50)
    r = conn.response()
    case.check(r.whole and r.body == pattern(0, 500000), "the body")
    case.unseen("second&" + case.mark)


def case_trailers(case):
    """trailers and chunk extensions of a response"""
    conn = case.connect()
    conn.send(case.ask("/trailers"))
    r = conn.response()
    case.same((r.body, r.trailers), (b"hello world\n", b"X-Sum: 42\r\n"),
              "answer")
    case.same(r.get("Trailer"), "X-Sum", "Trailer")
    conn.send(case.say(CHUNKED + b"2;a=b;c=\"d\"\r\nhi\r\n0;e\r\n"
                       b"X-One: 1\r\nX-Two: 2\r\n\r\n"))
    r = conn.response()
    case.same((r.body, r.trailers), (b"hi", b"X-One: 1\r\nX-Two: 2\r\n"),
              "extensions are for one hop, trailers are not")
    conn.quiet()


def case_upload_trailers(case):
    """trailers and chunk extensions of a request"""
    conn = case.connect()
    body = pattern(0, 40000)
    conn.send(case.ask("/upload", "Transfer-Encoding: chunked", method="POST",
                       body=b"%x;ext=%s\r\n%b\r\n0\r\nX-Sum: %s\r\n\r\n" %
                       (len(body), case.mark.encode(), body,
                        case.mark.encode())))
    r = conn.response()
    case.check(digest(body) in r.body, "the upload")
    case.seen(f"0\r\nX-Sum: {case.mark}\r\n\r\n")
    case.unseen(f"ext={case.mark}")
    conn.quiet()


def case_uploads(case):
    """uploads around the sizes of buffers"""
    conn = case.connect()
    for size in (0, 1, 16383, 16385, 65536, 65537, 300000, 2000000):
        body = pattern(0, size)
        conn.send(case.ask("/upload", f"Content-Length: {size}", method="PUT")
                  + body)
        case.check(digest(body) in conn.response().body, f"size {size}")
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[i:i + 50000]),
                                             body[i:i + 50000])
                          for i in range(0, size, 50000))
        conn.send(case.ask("/upload", "Transfer-Encoding: chunked",
                           method="PUT", body=chunks + b"0\r\n\r\n"))
        case.check(digest(body) in conn.response().body, f"{size}, chunked")
    conn.quiet()
    case.event(conn, 2, verdict=case.kit.good, method="PUT")


# --- 1xx


def case_expect(case):
    """Expect: 100-continue: the body is asked for before it is sent"""
    conn = case.connect()
    conn.send(case.ask("/continue", "Expect: 100-continue",
                       "Content-Length: 5", method="POST"))
    case.same(conn.response().status, 100, "first")
    conn.send(b"hello")
    r, interim = conn.final()
    case.check(digest(b"hello") in r.body, "the upload")
    # One that is scanned is asked for by the gateway, and the origin server
    # sends its own 100 as it likes.
    case.check(len(interim) <= case.kit.scan, "more than one 100")
    case.seen() if case.kit.scan else case.seen("Expect: 100-continue")
    conn.quiet()


def case_expect_refused(case):
    """Expect: 100-continue that the origin server answers with 417"""
    if case.kit.scan:
        return  # the gateway takes the body before it asks the server
    conn = case.connect()
    conn.send(case.ask("/reject/417", "Expect: 100-continue",
                       "Content-Length: 500000", method="POST"))
    r = conn.response()
    case.same((r.status, r.body, r.get("Connection")), (417, b"no\n", "close"),
              "answer")
    case.closed(conn)
    case.event(conn, status=417, verdict=case.kit.good)


def case_unexpected_100(case):
    """100 that nobody asked for"""
    conn = case.connect()
    conn.send(case.ask("/continue", method="POST", body=b"hello"))
    case.same(conn.response().status, 100, "first")
    case.check(digest(b"hello") in conn.response().body, "the upload")
    conn.quiet()


def case_early_hints(case):
    """103 arrives before the answer, fields and all"""
    conn = case.connect()
    conn.send(case.ask("/hints/16"))
    r, interim = conn.final()
    case.same([i.status for i in interim], [103] * 16, "interim")
    case.same(interim[0].get("Link"), "</a>", "its field")
    case.same((r.status, r.body), (200, b"ok\n"), "the answer")
    conn.quiet()
    case.passed(conn)


def case_interim_apart(case):
    """103 leaves before the answer comes"""
    conn = case.connect()
    first = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    conn.send(case.say(first + PLAIN, query=f"?piece={len(first)}&ms=150"))
    case.same(conn.exactly(len(first)), first, "103")
    conn.quiet(0.05)
    case.same(conn.exactly(len(PLAIN)), PLAIN, "the answer")


def case_hints_http10(case):
    """1xx is not for HTTP/1.0 clients"""
    conn = case.connect()
    conn.send(case.ask("/hints/3", version="HTTP/1.0"))
    r, interim = conn.final()
    case.same((len(interim), r.status, r.body), (0, 200, b"ok\n"), "answer")
    case.closed(conn)


# --- HTTP/1.0


def case_http10(case):
    """HTTP/1.0: one request a connection"""
    conn = case.connect()
    conn.send(case.ask("/ok", version="HTTP/1.0"))
    r = conn.response()
    case.same((r.status, r.body, r.get("Connection")), (200, b"ok\n", "close"),
              "answer")
    case.closed(conn)
    case.passed(conn)
    case.seen(f"GET {case.path('/ok')} HTTP/1.1\r\n")


def case_http10_keep_alive(case):
    """HTTP/1.0 with keep-alive: several, as long as there are lengths"""
    conn = case.connect()
    for _ in range(2):
        conn.send(case.ask("/size/1000", "Connection: Keep-Alive",
                           version="HTTP/1.0"))
        r = conn.response()
        case.same((r.body, r.get("Connection").lower()),
                  (pattern(0, 1000), "keep-alive"), "answer")
    conn.send(case.ask("/chunked/50000", "Connection: Keep-Alive",
                       version="HTTP/1.0"))
    r = conn.response()
    case.same((r.get("Transfer-Encoding"), r.get("Connection"), r.whole),
              ("", "close", True), "no chunks for HTTP/1.0")
    case.same(r.body, pattern(0, 50000), "body")


def case_http10_trailers(case):
    """HTTP/1.0: a chunked answer loses its trailers, not its end"""
    conn = case.connect()
    conn.send(case.ask("/trailers", version="HTTP/1.0"))
    r = conn.response()
    case.same((r.body, r.get("Trailer"), r.whole), (b"hello world\n", "", True),
              "answer")


def case_http10_no_host(case):
    """HTTP/1.0 without Host: the origin server gets the address dialled"""
    conn = case.connect()
    conn.send(f"GET {case.path('/ok')} HTTP/1.0\r\n\r\n".encode())
    case.same(conn.response().body, b"ok\n", "answer")
    case.seen(f"{case.mark} HTTP/1.1\r\nHost: {case.kit.name}\r\n")
    case.passed(conn, host=case.kit.name,
                url=f"http://{case.kit.name}{case.path('/ok')}")


def case_http10_post(case):
    """HTTP/1.0: an upload"""
    conn = case.connect()
    conn.send(case.ask("/upload", method="POST", body=b"hello",
                       version="HTTP/1.0"))
    case.check(digest(b"hello") in conn.response().body, "the upload")
    case.closed(conn)


def case_http10_origin(case):
    """an HTTP/1.0 origin server"""
    conn = case.connect()
    conn.send(case.ask("/raw/http10"))
    case.same(conn.response().body, b"old", "answer")
    case.closed(conn)
    conn = case.connect()
    for _ in range(2):
        conn.send(case.say(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                           query="?close"))
        case.same(conn.exactly(len(PLAIN)), PLAIN, "with a length")
    conn.quiet()


# --- half-close


def case_half_close(case):
    """half-close after the request: the whole answer comes"""
    for path in ("/size/1000000", "/slow/20/10", "/chunked/300000", "/ok"):
        conn = case.connect()
        conn.send(case.ask(path))
        conn.shut()
        r = conn.response()
        case.check(r.whole, f"{path} is cut")
        case.closed(conn)
        case.passed(conn)


def case_half_close_upload(case):
    """half-close after an upload"""
    conn = case.connect()
    body = pattern(0, 1000000)
    conn.send(case.ask("/upload", method="PUT", body=body))
    conn.shut()
    case.check(digest(body) in conn.response().body, "the upload")
    case.closed(conn)


def case_server_half_close(case):
    """half-close by the origin server after its answer"""
    conn = case.connect()
    conn.send(case.ask("/halfclose/100000"))
    r = conn.response()
    case.check(r.whole and r.body == pattern(0, 100000), "the body")
    case.passed(conn)


# --- pieces


def case_every_split(case):
    """a request split in two at every byte"""
    get = case.ask("/ok", "X-Fold: a  b", "Accept: */*")
    post = case.ask("/upload", "Transfer-Encoding: chunked", method="POST",
                    body=b"4;q=\"z\"\r\nwiki\r\n5\r\npedia\r\n0\r\nX-T: v\r\n\r\n")
    conn = case.connect()
    for request, good in ((get, b"ok\n"), (post, digest(b"wikipedia"))):
        for at in range(1, len(request)):
            conn.send(request[:at])
            rawclient.time.sleep(0.0005)
            conn.send(request[at:])
            r = conn.response()
            if good not in r.body:
                raise rawclient.Mismatch(f"split at {at}: {r.line}")
    conn.quiet()


def case_bytewise(case):
    """requests byte by byte"""
    conn = case.connect()
    conn.send(case.ask("/ok") + case.ask("/ok"), piece=1, pause=0.0005)
    case.same(conn.exactly(2 * len(OK)), 2 * OK, "two answers")
    conn.send(case.ask("/upload", "Transfer-Encoding: chunked", method="POST",
                       body=b"a\r\n0123456789\r\n0\r\n\r\n"),
              piece=1, pause=0.0005)
    case.check(digest(b"0123456789") in conn.response().body, "the upload")
    conn.quiet()


def case_response_bytewise(case):
    """responses byte by byte"""
    conn = case.connect()
    for answer in (PLAIN, CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: v\r\n\r\n",
                   b"HTTP/1.1 103 E\r\nX-A: b\r\n\r\n" + PLAIN):
        conn.send(case.say(answer, query="?piece=1&ms=1"))
        r, _ = conn.final()
        case.check(r.whole and r.body in (b"hi", b"abcde"), show(answer))
    conn.quiet()


def show(data):
    return rawclient.show(data)


# --- large heads


def case_big_cookie(case):
    """60 KiB of cookies each way"""
    conn = case.connect()
    cookie = "c=" + "x" * 60000
    conn.send(case.ask("/echo", "Cookie: " + cookie))
    r = conn.response()
    case.check(cookie.encode() in r.body, "the origin server got no cookie")
    answer = PLAIN.replace(b"\r\n\r\n",
                           b"\r\nSet-Cookie: " + cookie.encode() + b"\r\n\r\n")
    conn.send(case.say(answer))
    case.same(conn.exactly(len(answer)), answer, "the answer")
    conn.send(case.ask("/ok"))
    case.same(conn.exactly(len(OK)), OK, "and after it")
    conn.quiet()


def case_many_small_fields(case):
    """200 fields without white space, each way: the heads grow"""
    conn = case.connect()
    fields = [f"X{i}:{i}" for i in range(198)]
    conn.send(case.ask("/echo", *fields))
    case.check(b"X197: 197\r\n" in conn.response().body, "the request's")
    answer = PLAIN.replace(b"\r\n\r\n",
                           ("\r\n" + "\r\n".join(fields) + "\r\n\r\n").encode())
    conn.send(case.say(answer))
    r = conn.response()
    case.same((r.get("X197"), r.body), ("197", b"hi"), "the answer")
    conn.quiet()


if __name__ == "__main__":
    rawclient.main(sys.modules["__main__"])
