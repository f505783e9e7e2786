#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
An FTP server for tests, which misbehaves when it is told to: by the name of a file, by SITE, by the user, or by the port.

RETR NAME: reset stall short early silent gone late (see Session.retr_NAME); else SIZE bytes of a pattern
SITE NAME: line reply garbage code extra passive hang close reset 421 (see Session.site_NAME)
USER NAME: third low garbage closed wrong: where PASV and EPSV say that it listens
Ports 2101 to 2106: a greeting that is garbage, silent, 421, endless, none, in two replies

What it is told is in the file --log, a command a line: "CLIENT COMMAND".
usage: ftpserver.py --host HOST... --log FILE
"""
import argparse
import re
import socket
import struct
import threading
import time

SIZE = 3000000
BLOCK = bytes(range(128, 256)) * 512
THIRD = {socket.AF_INET: "10,77,1,3", socket.AF_INET6: "fd77:1::3"}


def pattern(size):
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


class Gone(Exception):
    """The connection is over."""


class Session:
    """One control connection."""

    def __init__(self, sock, log, greeting):
        self.sock = sock
        self.log = log
        self.greeting = greeting
        self.lines = sock.makefile("rb")
        self.user = ""
        self.listener = self.target = None
        self.rest = 0

    # --- replies

    def say(self, text):
        try:
            self.sock.sendall(text.encode() + b"\r\n")
        except OSError as e:
            raise Gone from e

    def pour(self, data, most=200 << 20):
        """Without an end, until it isn't taken any more."""
        sent = 0
        try:
            while sent < most:
                self.sock.sendall(data)
                sent += len(data)
        except OSError as e:
            raise Gone from e

    def reset(self, sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    # --- life

    def run(self):
        try:
            self.greet()
            for line in self.lines:
                line = line.decode("utf-8", "replace").rstrip("\r\n")
                self.log(line)
                verb, _, argument = line.partition(" ")
                getattr(self, "cmd_" + verb.lower(), self.other)(argument)
        except (Gone, OSError):
            pass
        finally:
            if self.listener:
                self.listener.close()
            self.lines.close()
            self.sock.close()

    def greet(self):
        if self.greeting == 1:
            self.say("hello, who are you?")
        elif self.greeting == 2:
            time.sleep(60)
        elif self.greeting == 3:
            self.say("421 No room")
            raise Gone
        elif self.greeting == 4:
            self.pour(b"220-" + b"x" * 60000)
        elif self.greeting == 5:
            raise Gone
        elif self.greeting == 6:
            self.say("120 In a moment")
            time.sleep(0.2)
            self.say("220 Now")
        else:
            self.say("220 ftpserver.py")

    # --- commands

    def other(self, _):
        self.say("200 As you like it")

    def cmd_user(self, argument):
        self.user = argument
        self.say("331 Password?")

    def cmd_pass(self, _):
        self.say("230 In")

    def cmd_pwd(self, _):
        self.say('257 "/"')

    def cmd_feat(self, _):
        self.say("211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n EPSV\r\n REST STREAM\r\n MODE Z\r\n LPRT\r\n211 End")

    def cmd_rest(self, argument):
        self.rest = int(argument)
        self.say("350 There")

    def cmd_size(self, _):
        self.say(f"213 {SIZE}")

    def cmd_quit(self, _):
        self.say("221 Bye")
        raise Gone

    def cmd_abor(self, _):
        self.say("226 Aborted")

    def listen(self):
        if self.listener:
            self.listener.close()
        host = self.sock.getsockname()[0]
        self.listener = socket.create_server((host, 0), family=self.sock.family)
        self.listener.settimeout(15)
        self.target = None
        host = self.sock.getsockname()[0].replace(".", ",")
        return host, self.listener.getsockname()[1]

    def cmd_pasv(self, _):
        host, port = self.listen()
        if self.user == "third":
            host = THIRD[socket.AF_INET]
        elif self.user == "low":
            port = 25
        elif self.user == "closed":
            self.listener.close()
        if self.user == "garbage":
            self.say("227 Somewhere")
        elif self.user == "wrong":
            self.say(f"229 Extended (|||{port}|)")
        else:
            self.say(f"227 Here ({host},{port >> 8},{port & 255})")

    def cmd_epsv(self, argument):
        if argument.upper() == "ALL":
            self.say("200 All right")
            return
        _, port = self.listen()
        if self.user == "low":
            port = 25
        elif self.user == "closed":
            self.listener.close()
        if self.user == "garbage":
            self.say("229 Somewhere (|||port|)")
        elif self.user == "wrong":
            self.say(f"227 Here (10,77,2,5,{port >> 8},{port & 255})")
        elif self.user == "third":
            self.say(f"229 Extended (|2|{THIRD[socket.AF_INET6]}|{port}|)")
        else:
            self.say(f"229 Extended (|||{port}|)")

    def cmd_port(self, argument):
        n = argument.split(",")
        self.target = ".".join(n[:4]), int(n[4]) << 8 | int(n[5])
        self.say("200 There")

    def cmd_eprt(self, argument):
        _, _, host, port, _ = argument.split(argument[0])
        self.target = host, int(port)
        self.say("200 There")

    def data(self):
        if self.target:
            sock = socket.socket(self.sock.family)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.sock.getsockname()[0], 20))
            sock.settimeout(15)
            sock.connect(self.target)
            return sock
        if not self.listener:
            self.say("425 Where?")
            return None
        return self.listener.accept()[0]

    # --- files

    def cmd_retr(self, name):
        if name == "absent":
            self.say("550 No such file")
            return
        self.say("150 Here it comes")
        sock = self.data()
        if sock:
            getattr(self, "retr_" + name, self.retr)(sock)

    def retr(self, sock):
        """The rest of SIZE bytes."""
        sock.sendall(pattern(SIZE)[self.rest:])
        self.rest = 0
        sock.close()
        self.say("226 Done")

    def retr_reset(self, sock):
        """Half of it, then a reset."""
        sock.sendall(pattern(SIZE)[:SIZE // 2])
        time.sleep(0.3)
        self.reset(sock)
        self.say("451 Sorry")

    def retr_stall(self, sock):
        """Half of it, then nothing."""
        sock.sendall(pattern(SIZE)[:SIZE // 2])
        time.sleep(60)

    def retr_short(self, sock):
        """Half of it, an orderly end, and the truth."""
        sock.sendall(pattern(SIZE)[:SIZE // 2])
        sock.close()
        self.say("426 That was not all")

    def retr_early(self, sock):
        """Done is said before it is."""
        self.say("226 Done")
        time.sleep(0.2)
        sock.sendall(pattern(SIZE))
        sock.close()

    def retr_silent(self, sock):
        """All of it, and no word."""
        sock.sendall(pattern(SIZE))
        sock.close()

    def retr_gone(self, sock):
        """Half of it, then both connections end."""
        sock.sendall(pattern(SIZE)[:SIZE // 2])
        sock.close()
        raise Gone

    def retr_late(self, sock):
        """All of it, and the word a while later."""
        sock.sendall(pattern(SIZE))
        sock.close()
        time.sleep(0.5)
        self.say("226 Done")

    def cmd_stor(self, name):
        if name == "absent":
            self.say("553 Not here")
            return
        self.say("150 Give it")
        sock = self.data()
        if not sock:
            return
        if name == "full":
            sock.recv(1000)
            self.reset(sock)
            self.say("452 No room")
            return
        size = 0
        while data := sock.recv(1 << 18):
            size += len(data)
        self.log(f"stored {name} {size}")
        sock.close()
        self.say("226 Done")

    cmd_appe = cmd_stor

    # --- SITE

    def cmd_site(self, name):
        getattr(self, "site_" + name.lower(), self.other)(name)

    def site_line(self, _):
        """A reply of one line that has no end."""
        self.pour(b"200 " + b"x" * 60000)

    def site_reply(self, _):
        """A reply whose lines have no end."""
        self.say("200-Now listen:")
        self.pour(b" and another thing\r\n" * 3000)

    def site_garbage(self, _):
        self.say("what?")

    def site_code(self, _):
        self.say("200-one\r\n201 two")
        self.say("200 three")

    def site_extra(self, _):
        """Replies that nobody asked for."""
        self.say("200 Asked for\r\n226 Not asked for\r\n227 Not asked for (10,77,1,3,100,100)")

    def site_passive(self, _):
        self.say("227 Come to me (10,77,1,3,100,100)")

    def site_hang(self, _):
        time.sleep(60)

    def site_close(self, _):
        raise Gone

    def site_reset(self, _):
        self.reset(self.sock)
        raise Gone

    def site_421(self, _):
        self.say("421 Good night")
        raise Gone

    def site_controls(self, _):
        self.say("200 a\rb\0c\x1b[2Jd")


def serve(listener, log, greeting):
    while True:
        sock, peer = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def note(line, peer=peer):
            log.write(f"{peer[0]} {line}\n")
            log.flush()
        threading.Thread(target=Session(sock, note, greeting).run, daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", action="append", required=True)
    parser.add_argument("--log", required=True)
    args = parser.parse_args()
    threads = []
    with open(args.log, "w", encoding="utf-8") as log:
        for host in args.host:
            for greeting in range(7):
                port = 2100 + greeting if greeting else 21
                family = socket.AF_INET6 if re.search(":", host) else socket.AF_INET
                listener = socket.create_server((host, port), family=family, backlog=64)
                threads.append(threading.Thread(target=serve, args=(listener, log, greeting), daemon=True))
                threads[-1].start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
