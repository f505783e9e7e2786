#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that sends exactly the bytes it is told to, and a kit for tests.

Conn is one connection: send() whole or in pieces, what comes back byte by
byte or as responses, and how it ended (FIN or reset). Kit runs cases against
a gateway: each case is a function of a group's module, one TAP line, and
collects what went wrong. What only shows later, an event in the journal or
bytes at the origin server, is expected by the case and looked for at the end,
so that nothing has to wait for each case.

As a program: send standard input to a server, print what comes back.
usage: rawclient.py HOST PORT [PIECE]
"""
import argparse
import glob
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import traceback

TIMEOUT = 15
PROBLEMS_SHOWN = 16
FAILED = 9  # exit status: a case failed, and was told about


class Mismatch(Exception):
    """Something is not as the case wants it."""


class Response:
    """One message as it came: @head includes the empty line."""

    def __init__(self, head):
        self.head = head
        self.body = b""
        self.trailers = b""
        self.whole = False  # its framing said that this was all
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.status = int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields.setdefault(name.lower(), []).append(value.strip())

    def get(self, name):
        return ", ".join(self.fields.get(name.lower(), []))


class Conn:
    """One TCP connection. @local is its address as events show it."""

    def __init__(self, host, port, rcvbuf=0, local=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if local:
            self.sock.bind(("", local))
        self.sock.settimeout(TIMEOUT)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = self.sock.getsockname()
        bracket = "[%s]:%d" if ":" in host else "%s:%d"
        self.local = bracket % (name[0], name[1])
        self.buf = b""
        self.ended = None  # "fin" or "reset", once seen

    # --- sending

    def send(self, data, piece=0, pause=0.002):
        """All of @data, in pieces of @piece bytes that leave one by one."""
        if not piece:
            self.sock.sendall(data)
            return
        for at in range(0, len(data), piece):
            self.sock.sendall(data[at:at + piece])
            time.sleep(pause)

    def send_what_goes(self, data):
        """Until the peer stops it. How much left."""
        sent = 0
        try:
            while sent < len(data):
                sent += self.sock.send(data[sent:sent + 262144])
        except OSError:
            pass
        return sent

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    # --- receiving

    def more(self, timeout=TIMEOUT):
        """Some bytes into the buffer; False at the end."""
        if self.ended:
            return False
        self.sock.settimeout(timeout)
        try:
            data = self.sock.recv(262144)
        except ConnectionResetError:
            self.ended = "reset"
            return False
        except socket.timeout as e:
            raise Mismatch(f"nothing more came in {timeout} s; so far: "
                           f"{show(self.buf)}") from e
        if not data:
            self.ended = "fin"
            return False
        self.buf += data
        return True

    def take(self, n):
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def exactly(self, n):
        while len(self.buf) < n and self.more():
            pass
        if len(self.buf) < n:
            raise Mismatch(f"{len(self.buf)} of {n} bytes, then "
                           f"{self.ended}: {show(self.buf)}")
        return self.take(n)

    def until(self, mark):
        while mark not in self.buf:
            if not self.more():
                raise Mismatch(f"no {mark!r} before {self.ended}: "
                               f"{show(self.buf)}")
        return self.take(self.buf.index(mark) + len(mark))

    def rest(self, timeout=TIMEOUT):
        """Everything up to the end."""
        while self.more(timeout):
            pass
        return self.take(len(self.buf))

    def quiet(self, seconds=0.15):
        """Nothing may come, nor the end."""
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            return
        except ConnectionResetError:
            data = b"(reset)"
        raise Mismatch(f"unexpected: {show(self.buf + data) or 'the end'}")

    def response(self, method="GET"):
        """The next response, body included as far as its framing goes."""
        r = Response(self.until(b"\r\n\r\n"))
        if (method == "HEAD" or r.status < 200 or r.status in (204, 304)):
            r.whole = True
        elif "transfer-encoding" in r.fields:
            self.chunked_body(r)
        elif "content-length" in r.fields:
            n = int(r.get("content-length"))
            while len(self.buf) < n and self.more():
                pass
            r.body = self.take(n)
            r.whole = len(r.body) == n
        else:
            r.body = self.rest()
            r.whole = self.ended == "fin"
        return r

    def chunked_body(self, r):
        try:
            while True:
                n = int(self.until(b"\r\n").split(b";")[0], 16)
                if n == 0:
                    break
                r.body += self.exactly(n)
                if self.exactly(2) != b"\r\n":
                    raise Mismatch("a chunk does not end in CRLF")
        except Mismatch:
            return  # cut: not whole
        while True:
            line = self.until(b"\r\n")
            if line == b"\r\n":
                break
            r.trailers += line
        r.whole = True

    def final(self, method="GET"):
        """The next response that is no 1xx, and those before it."""
        interim = []
        while True:
            r = self.response(method)
            if r.status >= 200:
                return r, interim
            interim.append(r)


def show(data, limit=300):
    text = repr(bytes(data[:limit]))[2:-1]
    return text + (f"... ({len(data)} bytes)" if len(data) > limit else "")


def in_background(function, *args):
    """A thread that does it; join() it. What fails shows in what comes back."""
    def quietly():
        try:
            function(*args)
        except OSError:
            pass
    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    return thread


class Case:
    """What one test expects; problems are collected, not thrown."""

    def __init__(self, kit, name, number):
        self.kit = kit
        self.name = name
        self.mark = f"mark{number}q{os.getpid()}x"
        self.problems = []
        self.events = []
        self.at_origin = []
        self.conns = []

    # --- doing

    def connect(self, port=0, rcvbuf=0, host=None):
        conn = Conn(host or self.kit.host, port or self.kit.port, rcvbuf,
                    self.kit.next_local())
        self.conns.append(conn)
        return conn

    def ask(self, path, *fields, method="GET", version="HTTP/1.1", body=b""):
        """A request for @path, which gets the case's mark."""
        head = [f"{method} {self.path(path)} {version}"]
        if not any(f.lower().startswith("host:") for f in fields):
            head.append(f"Host: {self.kit.name}")
        if body and not any(f.lower().startswith("transfer-encoding:")
                            for f in fields):
            head.append(f"Content-Length: {len(body)}")
        head += fields
        return "\r\n".join(head + ["", ""]).encode("latin-1") + body

    def path(self, path):
        return path + ("&" if "?" in path else "?") + self.mark

    def say(self, answer, *fields, method="POST", query="", version="HTTP/1.1"):
        """A request that the origin server answers with exactly @answer."""
        return self.ask("/say" + query, *fields, method=method, body=answer,
                        version=version)

    # --- expecting now

    def check(self, good, what):
        if not good:
            self.problems.append(what)

    def same(self, got, wanted, what):
        if got == wanted:
            return
        if isinstance(got, bytes):
            got, wanted = show(got), show(wanted)
        self.problems.append(f"{what}: got {got!r}, wanted {wanted!r}")

    def match(self, text, pattern, what):
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        self.check(re.search(pattern, text), f"{what}: no {pattern} in {text!r}")

    def page(self, r, status, reason):
        """@r is a page of the gateway's."""
        self.same(r.status, status, "status")
        self.check(r.whole, "the page is cut")
        self.match(r.body, f"<code>{reason}</code>", "reason on the page")

    def closed(self, conn, how="fin"):
        self.same(conn.rest(), b"", "after the answer")
        self.same(conn.ended, how, "the connection's end")

    # --- expecting by the end

    def event(self, conn, index=-1, **members):
        """
        The connection's event @index has these members; None: it is absent.
        """
        self.events.append((conn.local, index, members))

    def no_event(self, conn):
        self.events.append((conn.local, 0, None))

    def passed(self, conn, index=-1, **members):
        """Went through, and was scanned if the gateway scans."""
        members.setdefault("status", 200)
        members.setdefault("verdict", self.kit.good)
        self.event(conn, index, action="allow", **members)

    def unseen(self, *texts):
        """The origin server got nothing of it, or nothing with @texts."""
        for text in texts or (self.mark,):
            self.at_origin.append((text.encode("latin-1"), False))

    def seen(self, *texts):
        for text in texts or (self.mark,):
            self.at_origin.append((text.encode("latin-1"), True))

    # --- judging

    def judge_event(self, journal, local, index, members):
        events = journal.get(local, [])
        if members is None:
            self.check(not events, f"unexpected event {events}")
            return
        if not -len(events) <= index < len(events):
            self.problems.append(f"no event {index} of {local}")
            return
        got = {k: events[index].get(k) for k in members}
        self.same(got, members, f"event {index}")

    def judge(self, journal, origin):
        for event in self.events:
            self.judge_event(journal, *event)
        for text, wanted in self.at_origin:
            self.check((text in origin) == wanted,
                       f"the origin server {'lacks' if wanted else 'got'} "
                       f"{show(text)}")


class Kit:
    """Runs the cases of a module and prints TAP without numbers."""

    case_class = Case

    def __init__(self, args):
        self.args = args
        self.host = args.host
        self.port = args.port
        self.state = args.state
        self.origin = args.origin
        self.scan = args.engine != "none"
        self.good = "clean" if self.scan else "passed"
        bracket = "[%s]:%d" if ":" in self.host else "%s:%d"
        self.name = bracket % (self.host, self.port)
        self.cases = []
        self.number = 0
        self.local = args.local
        self.journal_path = f"{args.state}/journal/events.jsonl"
        self.journal_at = self.journal_size()
        self.found = {}

    def journal_size(self):
        return os.stat(self.journal_path).st_size

    def next_local(self):
        """A port of our own: events of no other connection bear it."""
        if not self.local:
            return 0
        self.local += 1
        return self.local

    def run(self, name, function, *args):
        """One case: @function(case, ...)."""
        self.number += 1
        case = self.case_class(self, name, self.number)
        self.cases.append(case)
        began = time.monotonic()
        try:
            function(case, *args)
        except Mismatch as e:
            case.problems.append(str(e))
        except Exception:  # pylint: disable=broad-except
            case.problems.append(traceback.format_exc(limit=-3))
        for conn in case.conns:
            conn.close()
        case.seconds = time.monotonic() - began
        return case

    def run_all(self, module):
        """Every function case_NAME(case), in the order of the file."""
        for key, function in list(vars(module).items()):
            if key.startswith("case_") and callable(function):
                name = (function.__doc__ or key[5:]).strip().split("\n")[0]
                self.run(name.rstrip("."), function)

    # --- what shows later

    def journal(self):
        """Events of each client connection, in order, since the kit began."""
        with open(self.journal_path, "rb") as f:
            f.seek(self.journal_at)
            for line in f:
                if not line.endswith(b"\n"):
                    break
                self.journal_at += len(line)
                ev = json.loads(line)
                self.found.setdefault(ev["client"], []).append(ev)
        return self.found

    def requests(self, mark):
        """What the origin server took for requests with @mark."""
        with open(f"{self.origin}/requests", encoding="utf-8") as f:
            return [json.loads(s) for s in f if mark in s]

    def origin_bytes(self):
        parts = []
        for path in glob.glob(f"{self.origin}/*.in"):
            with open(path, "rb") as f:
                parts.append(f.read())
        return b"\0".join(parts)

    def complete(self):
        """Whether every event that is expected came."""
        journal = self.journal()
        probe = [Case(self, c.name, 0) for c in self.cases]
        for case, copy in zip(self.cases, probe):
            for event in case.events:
                copy.judge_event(journal, *event)
        return not any(c.problems for c in probe)

    def finish(self):
        """Wait for what is late, print the lines. The exit status."""
        end = time.monotonic() + 6
        while not self.complete() and time.monotonic() < end:
            time.sleep(0.1)
        journal, origin = self.journal(), self.origin_bytes()
        failed = 0
        for case in self.cases:
            case.judge(journal, origin)
            print(f"{'not ok' if case.problems else 'ok'} - "
                  f"{self.args.label}{case.name}")
            if os.environ.get("TIMES"):
                print(f"# {case.seconds:.3f} s")
            for problem in case.problems[:PROBLEMS_SHOWN]:
                print("".join(f"#   {s}\n" for s in problem.splitlines()),
                      end="")
            failed += bool(case.problems)
        return FAILED if failed else 0


def arguments(parser=None):
    parser = parser or argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--state", required=True)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--engine", default="none")
    parser.add_argument("--label", default="")
    parser.add_argument("--local", type=int, default=0,
                        help="ports of connections are from here on")
    return parser


def main(module):
    """For a group's module: run its cases against the gateway."""
    kit = Kit(arguments().parse_args())
    kit.run_all(module)
    sys.exit(kit.finish())


def talk(host, port, piece="0"):
    conn = Conn(host, int(port))
    conn.send(sys.stdin.buffer.read(), int(piece))
    conn.shut()
    sys.stdout.buffer.write(conn.rest())
    print(f"({conn.ended})", file=sys.stderr)


if __name__ == "__main__":
    talk(*sys.argv[1:])
