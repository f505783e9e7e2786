#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An origin server that does what it is told, also what no server should.

usage: origin.py --port PORT [--root DIR] [--log DIR] [--tcp PORT]
Listens on IPv4 and IPv6. The path of a request says what comes back:

  /ok                     200, three bytes
  /file/NAME              a file of DIR, with Content-Length
  /file-chunked/NAME      the same, chunked        (also ?piece=BYTES)
  /file-close/NAME        the same, ended by closing the connection
  /file-gzip/NAME         the same, content coding gzip (-deflate, likewise)
                          all of them: ?head=BYTES ends there,
                          ?coding=CODINGS says that it is coded so,
                          ?type=TYPE what it is,
                          ?at=BYTES&gate=NAME waits there until DIR has NAME,
                          ?tag=TAG is its ETag;
                          /file: ?once=BYTES closes there the first time,
                          with ?stall it sends nothing more instead
  /size/N                 N bytes (see pattern()), with Content-Length; ranges work
  /partial/N              206 whatever was asked for: the first N bytes of 2N
  /chunked/N /close/N /gzip/N      the same in other framings
  /slow/N/MS              N bytes, one each MS milliseconds
  /stall/N                announces N bytes, sends half, then nothing
  /short/N                announces N bytes, sends half, closes
  /reset/N                the same, ends with a reset
  /halfclose/N            N bytes, closes its sending side, goes on reading
  /status/CODE            that status without a body
  /continue               100 first, then takes the body
  /early/CODE             answers before it reads the body
  /reject/CODE            the same, and closes without reading it
  /hangup                 closes without reading the body or answering
  /upload                 takes the body; answers {"size": ..., "sha256": ...}
                          ?sip=MS rests so long after each read
  /echo                   the request's head as a body
  /trailers               chunked, with a trailer section
  /upgrade                101 (?to=PROTOCOL: that one), then sends back every
                          byte, and "bye" at the end
  /upgrade-half           101, "first", no more of its own; takes what comes
  /say                    the body is what it answers, byte for byte; then
                          ?close, ?reset, ?piece=BYTES&ms=TIME between pieces
  /leave/MS               200, and after that time closes the connection
  /unasked/MS             200, and after that time one more response
  /silent                 never answers
  /hints/N                N times 103, then 200
  /raw/NAME               bytes of RAW below, then closes
With --log every connection's bytes are kept in DIR/NUMBER.in as they came (at
most 1 MiB each), and DIR/requests has a line of JSON for each request. On the
--tcp port it speaks no HTTP: it sends "got " and the bytes for whatever comes,
and "bye" when nothing more does.
"""
import argparse
import gzip
import hashlib
import json
import os
import socket
import struct
import threading
import time
import urllib.parse
import zlib

KEEP_RAW = 1 << 20
BLOCK = bytes((i * 7 + (i >> 8) * 13) & 0xff for i in range(65536))
OK = b"HTTP/1.1 200 OK\r\n"

# Whole responses, most of them malformed; one line each says what is wrong.
RAW = {
    "no-status": b"hello\r\n\r\n",
    "empty": b"",
    "http09": b"just a body\n",
    "bad-version": b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "bad-status": b"HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\nhi",
    "cl-and-te": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"2\r\nhi\r\n0\r\n\r\n",
    "two-lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
    "same-lengths": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "list-length": OK + b"Content-Length: 2, 3\r\n\r\nhi!",
    "plus-length": OK + b"Content-Length: +2\r\n\r\nhi",
    "minus-length": OK + b"Content-Length: -2\r\n\r\nhi",
    "huge-length": OK + b"Content-Length: 99999999999999999999\r\n\r\nhi",
    "hex-length": OK + b"Content-Length: 0x2\r\n\r\nhi",
    "unknown-te": OK + b"Transfer-Encoding: rot13\r\n\r\nuv",
    "te-not-last": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "te-then-none": OK + b"Transfer-Encoding: chunked, identity\r\n\r\n"
                    b"0\r\n\r\n",
    "te-twice": OK + b"Transfer-Encoding: chunked, chunked\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "te-none-first": OK + b"Transfer-Encoding: identity, chunked\r\n\r\n"
                     b"2\r\nhi\r\n0\r\n\r\n",
    "te-none": OK + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n"
               b"hi",
    "chunk-padding": OK + b"Transfer-Encoding: chunked\r\n\r\n2     \r\nhi\r\n"
                     b"0     \r\n\r\n",
    "same-list": OK + b"Content-Length: 2, 2\r\n\r\nhi",
    "obs-fold": OK + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nhi",
    "space-colon": OK + b"Content-Length : 2\r\n\r\nhi",
    "no-colon": OK + b"nonsense\r\nContent-Length: 2\r\n\r\nhi",
    "bare-cr": OK + b"X-A: b\rc\r\nContent-Length: 2\r\n\r\nhi",
    "bare-lf": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    "nul": OK + b"X-A: b\0c\r\nContent-Length: 2\r\n\r\nhi",
    "long-field": OK + b"X-A: " + b"a" * 200000 + b"\r\n\r\n",
    "many-fields": OK + b"X-A: b\r\n" * 20000 + b"\r\n",
    "endless-head": OK + b"X-A: b\r\n" * 1000,
    "chunk-size": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
    "chunk-huge": OK + b"Transfer-Encoding: chunked\r\n\r\n"
                       b"fffffffffffffffff\r\nhi\r\n0\r\n\r\n",
    "chunk-no-crlf": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhiXX0\r\n\r\n",
    "chunk-extension": OK + b"Transfer-Encoding: chunked\r\n\r\n"
                            b"2;a=b;c=\"d\"\r\nhi\r\n0;e\r\n\r\n",
    "chunk-cut": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhi",
    "chunk-no-end": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
    "too-much": OK + b"Content-Length: 2\r\n\r\nhi there, and more than that",
    "two-answers": OK + b"Content-Length: 2\r\n\r\nhi" + OK +
                   b"Content-Length: 4\r\n\r\nevil",
    "many-100": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + OK +
                b"Content-Length: 2\r\n\r\nhi",
    "early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK +
                   b"Content-Length: 2\r\n\r\nhi",
    "http10": b"HTTP/1.0 200 OK\r\n\r\nold",
    "bad-gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhaha",
    "unknown-coding": OK + b"Content-Encoding: snafu\r\n"
                           b"Content-Length: 2\r\n\r\nhi",
    "body-204": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",
}


def pattern(start, end):
    """Bytes start to end of the body of /size/N; the same at any offset."""
    out = []
    while start < end:
        at = start % len(BLOCK)
        n = min(len(BLOCK) - at, end - start)
        out.append(BLOCK[at:at + n])
        start += n
    return b"".join(out)


class Closed(Exception):
    """The peer is gone, or was sent away."""


class Connection:
    """One client: what it sends, in order, and what it gets."""

    def __init__(self, server, sock, peer, number):
        self.server = server
        self.sock = sock
        self.peer = peer
        self.number = number
        self.buf = b""
        self.kept = 0
        self.method = self.target = ""
        self.head = self.body = b""
        self.fields = {}
        self.rest = 0

    # --- reading

    def more(self):
        if self.rest > 0:
            time.sleep(self.rest)
        data = self.sock.recv(262144)
        if not data:
            raise Closed
        if self.server.log and self.kept < KEEP_RAW:
            name = f"{self.server.log}/{self.server.prefix}{self.number}.in"
            with open(name, "ab") as f:
                f.write(data[:KEEP_RAW - self.kept])
            self.kept += len(data)
        self.buf += data

    def line(self):
        while b"\n" not in self.buf:
            self.more()
        line, _, self.buf = self.buf.partition(b"\n")
        return line + b"\n"

    def read_head(self):
        self.head = b""
        while not self.head.endswith((b"\r\n\r\n", b"\n\n")):
            self.head += self.line()
            if self.head in (b"\r\n", b"\n"):
                self.head = b""
        lines = self.head.decode("latin-1").split("\r\n")
        self.method, self.target = (lines[0].split(" ") + ["", ""])[:2]
        self.fields = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.fields[name.lower()] = value.strip()

    def take(self, count, digest, keep):
        while count > 0:
            if not self.buf:
                self.more()
            part, self.buf = self.buf[:count], self.buf[count:]
            digest.update(part)
            if keep:
                self.body += part
            count -= len(part)

    def read_body(self, keep=False):
        """Its size and SHA-256; the bytes, too, in self.body."""
        digest = hashlib.sha256()
        size = 0
        self.body = b""
        if self.fields.get("transfer-encoding", "").lower() == "chunked":
            while True:
                n = int(self.line().split(b";")[0], 16)
                if n == 0:
                    break
                self.take(n, digest, keep)
                self.line()
                size += n
            while self.line() not in (b"\r\n", b"\n"):
                pass
        else:
            size = int(self.fields.get("content-length", "0"))
            self.take(size, digest, keep)
        return size, digest.hexdigest()

    # --- writing

    def send(self, data):
        self.sock.sendall(data)

    def start(self, *fields, status="200 OK"):
        self.send("\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""])
                  .encode("latin-1"))

    def whole(self, body, *fields, status="200 OK"):
        self.start(f"Content-Length: {len(body)}", *fields, status=status)
        if self.method != "HEAD":
            self.send(body)

    def chunks(self, parts, *fields, trailers=b""):
        self.start("Transfer-Encoding: chunked", *fields)
        if self.method == "HEAD":
            return
        for part in parts:
            self.send(b"%x\r\n%b\r\n" % (len(part), part))
        self.send(b"0\r\n" + trailers + b"\r\n")

    def until_close(self, parts, *fields):
        self.start("Connection: close", *fields)
        for part in parts:
            self.send(part)
        raise Closed

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raise Closed

    # --- one request

    def log_request(self, size, digest):
        if not self.server.log:
            return
        line = json.dumps({
            "connection": self.number, "peer": self.peer,
            "method": self.method, "target": self.target,
            "head": self.head.decode("latin-1"),
            "body_size": size, "body_sha256": digest})
        with self.server.lock, open(f"{self.server.log}/requests", "a",
                                    encoding="utf-8") as f:
            f.write(line + "\n")

    def serve_one(self):
        self.read_head()
        url = urllib.parse.urlsplit(self.target)
        words = urllib.parse.unquote(url.path).strip("/").split("/")
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        name = words[0].replace("-", "_")
        body = (0, "")
        self.rest = int(query.get("sip", 0)) / 1000
        if name == "continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if name not in ("early", "reject", "hangup", "upgrade", "upgrade_half"):
            body = self.read_body(keep=name == "say")
        self.log_request(*body)
        act = getattr(self, "do_" + name, None)
        if act is None:
            self.whole(b"no such path\n", status="404 Not Found")
        else:
            act(words[1:], query, body)
        if self.fields.get("connection", "").lower() == "close":
            raise Closed

    def run(self):
        try:
            while True:
                self.serve_one()
        except (Closed, OSError, ValueError):
            pass
        finally:
            self.sock.close()

    # --- what the paths do

    def file(self, words, query):
        path = os.path.join(self.server.root, os.path.basename(words[0]))
        with open(path, "rb") as f:
            return f.read(int(query.get("head", -1)))

    @staticmethod
    def described(query):
        fields = {"coding": "Content-Encoding", "type": "Content-Type",
                  "tag": "ETag"}
        return [f"{fields[name]}: {value}" for name, value in query.items()
                if name in fields]

    def gated(self, data, query):
        """All of it, or what comes before the gate, and then the rest."""
        at = int(query.get("at", len(data)))
        if at > 0:
            yield data[:at]
        gate = os.path.join(self.server.root,
                            os.path.basename(query.get("gate", "")))
        while at < len(data) and not os.path.exists(gate):
            time.sleep(0.02)
        if at < len(data):
            yield data[at:]

    @staticmethod
    def split(data, query):
        n = int(query.get("piece", "10000"))
        return [data[i:i + n] for i in range(0, len(data), n)]

    def is_first(self):
        with self.server.lock:
            first = self.target not in self.server.asked
            self.server.asked.add(self.target)
        return first

    def do_ok(self, words, query, body):
        self.whole(b"ok\n", "Content-Type: text/plain")

    def do_file(self, words, query, body):
        data = self.file(words, query)
        self.start(f"Content-Length: {len(data)}", *self.described(query))
        if self.method == "HEAD":
            return
        if "once" in query and self.is_first():
            self.send(data[:int(query["once"])])
            if "stall" in query:
                self.do_silent(words, query, body)
            raise Closed
        for part in self.gated(data, query):
            self.send(part)

    def do_file_chunked(self, words, query, body):
        parts = self.gated(self.file(words, query), query)
        self.chunks((piece for part in parts
                     for piece in self.split(part, query)),
                    *self.described(query))

    def do_file_close(self, words, query, body):
        self.until_close(self.gated(self.file(words, query), query),
                         *self.described(query))

    def do_file_gzip(self, words, query, body):
        self.whole(gzip.compress(self.file(words, query)), "Content-Encoding: gzip")

    def do_file_deflate(self, words, query, body):
        self.whole(zlib.compress(self.file(words, query)), "Content-Encoding: deflate")

    def parts(self, first, end):
        """Of /size/N, without holding all of it: N may be many gigabytes."""
        while first < end:
            last = min(end, first + (1 << 20))
            yield pattern(first, last)
            first = last

    def do_size(self, words, query, body):
        total, first, end = int(words[0]), 0, int(words[0])
        fields, status = ["Accept-Ranges: bytes"], "200 OK"
        span = self.fields.get("range", "")
        if span.startswith("bytes=") and "," not in span:
            a, _, b = span[6:].partition("-")
            first = int(a) if a else total - int(b)
            end = min(int(b) + 1, total) if a and b else total
            fields.append(f"Content-Range: bytes {first}-{end - 1}/{total}")
            status = "206 Partial Content"
        self.start(f"Content-Length: {end - first}", *fields, status=status)
        if self.method != "HEAD":
            for part in self.parts(first, end):
                self.send(part)

    def do_partial(self, words, query, body):
        n = int(words[0])
        self.start(f"Content-Length: {n}",
                   f"Content-Range: bytes 0-{n - 1}/{2 * n}",
                   status="206 Partial Content")
        for part in self.parts(0, n):
            self.send(part)

    def do_chunked(self, words, query, body):
        if "piece" in query:
            self.chunks(self.split(pattern(0, int(words[0])), query))
        else:
            self.chunks(self.parts(0, int(words[0])))

    def do_close(self, words, query, body):
        self.until_close(self.parts(0, int(words[0])))

    def do_gzip(self, words, query, body):
        self.whole(gzip.compress(pattern(0, int(words[0]))),
                   "Content-Encoding: gzip")

    def do_slow(self, words, query, body):
        total, wait = int(words[0]), int(words[1]) / 1000
        self.start(f"Content-Length: {total}")
        for byte in pattern(0, total):
            self.send(bytes([byte]))
            time.sleep(wait)

    def half(self, words):
        total = int(words[0])
        self.start(f"Content-Length: {total}")
        self.send(pattern(0, total // 2))

    def do_stall(self, words, query, body):
        self.half(words)
        while True:
            self.more()

    def do_short(self, words, query, body):
        self.half(words)
        raise Closed

    def do_reset(self, words, query, body):
        self.half(words)
        self.reset()

    def do_halfclose(self, words, query, body):
        self.start("Connection: close")
        self.send(pattern(0, int(words[0])))
        self.sock.shutdown(socket.SHUT_WR)
        while True:
            self.more()

    def do_status(self, words, query, body):
        code = int(words[0])
        fields = [] if code in (204, 304) else ["Content-Length: 0"]
        self.start(*fields, status=f"{code} Status")

    def do_continue(self, words, query, body):
        self.do_upload(words, query, body)

    def do_early(self, words, query, body):
        self.whole(b"no\n", status=f"{words[0]} Early")
        self.read_body()

    def do_upload(self, words, query, body):
        answer = json.dumps({"size": body[0], "sha256": body[1]}) + "\n"
        self.whole(answer.encode(), "Content-Type: application/json")

    def do_echo(self, words, query, body):
        self.whole(self.head, "Content-Type: text/plain")

    def do_trailers(self, words, query, body):
        self.chunks([b"hello ", b"world\n"], "Trailer: X-Sum",
                    trailers=b"X-Sum: 42\r\n")

    def do_reject(self, words, query, body):
        self.whole(b"no\n", "Connection: close", status=f"{words[0]} Reject")
        raise Closed

    def do_hangup(self, words, query, body):
        raise Closed

    def switch(self, query):
        name = query.get("to", self.fields.get("upgrade", "echo"))
        self.start("Connection: Upgrade", f"Upgrade: {name}",
                   status="101 Switching Protocols")

    def do_upgrade(self, words, query, body):
        self.switch(query)
        try:
            while True:
                if not self.buf:
                    self.more()
                self.send(self.buf)
                self.buf = b""
        except Closed:
            self.send(b"bye")
            raise

    def do_upgrade_half(self, words, query, body):
        self.switch(query)
        self.send(b"first")
        self.sock.shutdown(socket.SHUT_WR)
        while True:
            self.more()

    def do_say(self, words, query, body):
        answer = self.body
        piece = int(query.get("piece", len(answer) or 1))
        for at in range(0, len(answer), piece):
            self.send(answer[at:at + piece])
            time.sleep(int(query.get("ms", "0")) / 1000)
        if "reset" in query:
            self.reset()
        if "close" in query:
            raise Closed

    def do_leave(self, words, query, body):
        self.whole(b"ok\n")
        time.sleep(int(words[0]) / 1000)
        raise Closed

    def do_unasked(self, words, query, body):
        self.whole(b"ok\n")
        time.sleep(int(words[0]) / 1000)
        self.whole(b"unasked\n")

    def do_silent(self, words, query, body):
        while True:
            self.more()

    def do_hints(self, words, query, body):
        for _ in range(int(words[0])):
            self.start("Link: </a>", status="103 Early Hints")
        self.whole(b"ok\n")

    def do_raw(self, words, query, body):
        self.send(RAW[words[0]])
        raise Closed


class TcpConnection(Connection):
    """One client of the port that speaks no HTTP."""

    def serve_one(self):
        try:
            self.more()
        except Closed:
            self.send(b"bye")
            raise
        self.send(b"got " + self.buf)
        self.buf = b""


class Server:
    """Takes connections on both families, one thread each."""

    def __init__(self, port, root, log, kind=Connection):
        self.root = root
        self.log = log
        self.kind = kind
        self.prefix = "" if kind is Connection else "tcp-"
        self.lock = threading.Lock()
        self.asked = set()
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sock.bind(("::", port))
        self.sock.listen(1024)

    def run(self):
        number = 0
        while True:
            sock, addr = self.sock.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number += 1
            peer = addr[0].removeprefix("::ffff:")
            conn = self.kind(self, sock, f"{peer} {addr[1]}", number)
            threading.Thread(target=conn.run, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", default=".")
    parser.add_argument("--log")
    parser.add_argument("--tcp", type=int)
    args = parser.parse_args()
    if args.log:
        os.makedirs(args.log, exist_ok=True)
    if args.tcp:
        tcp = Server(args.tcp, args.root, args.log, TcpConnection)
        threading.Thread(target=tcp.run, daemon=True).start()
    Server(args.port, args.root, args.log).run()


if __name__ == "__main__":
    main()
