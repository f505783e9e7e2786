#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of FTP that sends exactly what it is told to, and rawclient's kit for it.

Control is one control connection: send(), reply(), and data connections in
every mode. As a program: what a server says to one command each, for a
comparison of a server with itself.
usage: ftpclient.py HOST USER PASSWORD COMMAND...
"""
import os
import re
import select
import socket
import struct
import sys
import time

import rawclient
from rawclient import Mismatch, show

PORT = 21
MODES4 = ("pasv", "epsv", "port", "eprt")
MODES6 = ("epsv", "eprt")


class Reply:
    """One reply: its code, and all of its lines without their ends."""

    def __init__(self, lines):
        self.lines = lines
        self.code = int(lines[-1][:3])
        self.text = "\n".join(s.decode("utf-8", "replace") for s in lines)

    def __repr__(self):
        return repr(self.text)


class Data:
    """One data connection, once it is there."""

    def __init__(self, sock):
        self.sock = sock
        self.got = b""
        self.ended = None  # "fin" or "reset", once seen

    def read(self, most=None, timeout=rawclient.TIMEOUT):
        """Up to the end, or to @most bytes in all."""
        self.sock.settimeout(timeout)
        while not self.ended and (most is None or len(self.got) < most):
            room = 1 << 18 if most is None else min(1 << 18, most - len(self.got))
            try:
                data = self.sock.recv(room)
            except ConnectionResetError:
                self.ended = "reset"
                break
            except socket.timeout as e:
                raise Mismatch(f"no data in {timeout} s, after {len(self.got)} bytes") from e
            if not data:
                self.ended = "fin"
            self.got += data
        return self.got

    def write(self, data):
        self.sock.settimeout(rawclient.TIMEOUT)
        self.sock.sendall(data)

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Result:
    """A transfer: both replies (@last is None when the first was the last), the data and how it ended."""

    def __init__(self, first, last=None, data=None):
        self.first = first
        self.last = last
        self.got = data.got if data else b""
        self.ended = data.ended if data else None

    @property
    def code(self):
        return (self.last or self.first).code

    @property
    def whole(self):
        """Whether a client believes that it has all."""
        return self.code in (226, 250) and self.ended == "fin"

    def __repr__(self):
        return f"{self.first!r}, {self.last!r}, {len(self.got)} bytes, {self.ended}"


class Control(rawclient.Conn):
    """A control connection."""

    def __init__(self, host, port=PORT, **kwargs):
        super().__init__(host, port, **kwargs)
        self.host = host
        self.transfers = 0  # that were asked for: each has an event
        self.data_rcvbuf = 0  # of data connections; 0: the kernel's

    # --- commands and replies

    def reply(self):
        lines = [self.line()]
        if not re.match(rb"[1-5]\d\d[ -]", lines[0] + b" "):
            raise Mismatch(f"no reply: {show(lines[0])}")
        code = lines[0][:3]
        while not (lines[-1].startswith(code) and lines[-1][3:4] != b"-"):
            lines.append(self.line())
        return Reply(lines)

    def line(self):
        return self.until(b"\n").rstrip(b"\r\n")

    def cmd(self, line, *codes):
        """Send it, and its reply, which must have one of these codes."""
        self.send(line.encode() + b"\r\n")
        return self.expect(line, *codes)

    def expect(self, what, *codes):
        reply = self.reply()
        if codes and reply.code not in codes:
            raise Mismatch(f"{what}: {reply!r}, not {codes}")
        return reply

    def login(self, user, password):
        self.expect("the banner", 220)
        if self.cmd(f"USER {user}", 331, 230).code == 331:
            self.cmd(f"PASS {password}", 230)
        self.cmd("TYPE I", 200)
        return self

    # --- data connections

    def passive(self, mode):
        """What to connect to."""
        if mode == "epsv":
            found = re.search(r"\(\|\|\|(\d+)\|\)", self.cmd("EPSV", 229).text)
            return self.host, int(found[1])
        numbers = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", self.cmd("PASV", 227).text).groups()
        return ".".join(numbers[:4]), int(numbers[4]) << 8 | int(numbers[5])

    def listen(self, mode):
        host = self.sock.getsockname()[0]
        sock = socket.create_server((host, 0), family=self.sock.family, backlog=1)
        self.prepare(sock)
        self.cmd(active(mode, host, sock.getsockname()[1]), 200)
        return sock

    def prepare(self, sock):
        sock.settimeout(rawclient.TIMEOUT)
        if self.data_rcvbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.data_rcvbuf)

    def connect(self, target):
        sock = socket.socket(self.sock.family)
        self.prepare(sock)
        sock.connect(target)
        return sock

    def start(self, line, mode, late=False):
        """A transfer: its first reply, and the data connection if there is one. @late: connected behind that."""
        sock = target = None
        if mode in ("pasv", "epsv"):
            target = self.passive(mode)
            if not late:
                sock = self.connect(target)
        else:
            sock = self.listen(mode)
        self.send(line.encode() + b"\r\n")
        self.transfers += 1
        if late:
            sock = self.connect(target)
        first = self.reply()
        if first.code >= 200:
            sock.close()
            return first, None
        if not target:
            sock = self.accept(sock)
        return first, Data(sock)

    def accept(self, listener):
        """The data connection of an active mode, which must not come behind the last word."""
        with listener:
            end = time.monotonic() + rawclient.TIMEOUT
            while time.monotonic() < end:
                ready = select.select([listener, self.sock], [], [], end - time.monotonic())[0]
                if listener in ready:
                    return listener.accept()[0]
                if b"\n" in self.buf or not self.more():
                    break
        raise Mismatch(f"no data connection came; so far: {show(self.buf)}")

    def get(self, line, mode="epsv", **kwargs):
        first, data = self.start(line, mode, **kwargs)
        if not data:
            return Result(first)
        data.read()
        data.close()
        return Result(first, self.reply(), data)

    def put(self, line, content, mode="epsv", **kwargs):
        """When the other side wants no more, what it says tells why."""
        first, data = self.start(line, mode, **kwargs)
        if not data:
            return Result(first)
        try:
            data.write(content)
            data.sock.shutdown(socket.SHUT_WR)
            data.read()
        except OSError:
            data.ended = "reset"
        data.close()
        return Result(first, self.reply(), data)


def active(mode, host, port):
    """PORT or EPRT for that address."""
    if mode == "port":
        return "PORT " + ",".join(host.split(".") + [str(port >> 8), str(port & 255)])
    return f"EPRT |{2 if ':' in host else 1}|{host}|{port}|"


class Case(rawclient.Case):
    """With control connections."""

    def control(self, host=None, port=PORT, **kwargs):
        """Before its banner."""
        kwargs.setdefault("local", self.kit.next_local())
        conn = Control(host or self.kit.host, port, **kwargs)
        self.conns.append(conn)
        return conn

    def login(self, **kwargs):
        return self.control(**kwargs).login(self.kit.args.user, self.kit.args.password)

    def whole(self, result, content, what):
        self.check(result.whole and result.got == content, f"{what}: {result!r}")

    def goes_on(self, conn):
        """The session is as good as before."""
        path, content = "small", self.kit.file("small")
        self.whole(conn.get(f"RETR {path}"), content, "the next download")
        self.same(conn.cmd("NOOP").code, 200, "NOOP")

    def alone_with(self, server):
        """That one can't do it, and no gateway is there to help."""
        return not self.kit.sluice and self.kit.args.server == server

    def event(self, conn, index=None, **members):
        """Of the last transfer, if there is a gateway that has events."""
        if self.kit.sluice:
            super().event(conn, conn.transfers - 1 if index is None else index, **members)

    def no_event(self, conn):
        if self.kit.sluice:
            super().no_event(conn)


class Kit(rawclient.Kit):
    """--root: the server's directory as the test sees it; --state: of the gateway, if it is ours."""

    case_class = Case

    def __init__(self, args):
        self.sluice = bool(args.state)
        super().__init__(args)

    @property
    def modes(self):
        return MODES6 if ":" in self.host else MODES4

    def path(self, name):
        return os.path.join(self.args.root, name)

    def file(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def origin_bytes(self):
        return b""

    def journal_size(self):
        return super().journal_size() if self.sluice else 0

    def journal(self):
        return super().journal() if self.sluice else {}


def main(module, setup=None):
    """For a group's module: run its cases."""
    parser = rawclient.arguments()
    parser.set_defaults(port=PORT)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--server", required=True, help="its program")
    parser.add_argument("--root", required=True)
    parser.add_argument("--set", default="", help="of the configuration, for the cases")
    kit = Kit(parser.parse_args())
    kit.args.set = dict(pair.split("=", 1) for pair in kit.args.set.split())
    if setup:
        setup(kit)
    kit.run_all(module)
    sys.exit(kit.finish())


def transcript(host, user, password, *commands):
    conn = Control(host)
    print(conn.reply().text)
    for line in (f"USER {user}", f"PASS {password}") + commands:
        conn.send(line.encode() + b"\r\n")
        print(f"> {line}\n{conn.reply().text}")


if __name__ == "__main__":
    transcript(*sys.argv[1:])
