#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A crowd of clients on one thread: a connection each, kept open.

usage: crowd.py SERVER PORT COUNT PATH [SECONDS]
Opens COUNT connections, some hundred at a time, and asks for PATH on each ("%d"
in it is the connection's number). When all are answered, or after SECONDS (60),
prints "open N answered N STATUS:COUNT..." and, if there are any, "waiting N lost
WHY:COUNT..." and "reopened:N"; then for each line on standard input
  again   asks once more on each that is open, and prints the same
  quit    ends
An answer is whole when as many bytes came as its Content-Length says. A
connection that is closed before its first answer is opened again, as RFC 9112
9.3.1 has clients do: a gateway short of room closes who said nothing for long.
"""
import errno
import resource
import select
import socket
import sys
import time

AT_ONCE = 400


class Client:
    """A connection and the answer that it waits for."""

    def __init__(self, number, sock):
        self.number = number
        self.sock = sock
        self.asked = False
        self.first = True
        self.got = b""
        self.left = -1
        self.status = 0


class Crowd:
    """All of them."""

    def __init__(self, server, port, count, path, seconds):
        self.family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.address = (server, port)
        self.host = f"[{server}]" if ":" in server else server
        self.count = count
        self.path = path
        self.seconds = seconds
        self.poll = select.epoll()
        self.clients = {}
        self.waiting = set()
        self.answers = {}
        self.losses = {}
        self.reopened = 0

    def open_one(self, number):
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        error = sock.connect_ex(self.address)
        if error not in (0, errno.EINPROGRESS):
            sock.close()
            self.count_loss(errno.errorcode[error])
            return
        self.clients[sock.fileno()] = Client(number, sock)
        self.waiting.add(sock.fileno())
        self.poll.register(sock, select.EPOLLIN | select.EPOLLOUT)

    def lose(self, fd, why):
        """An answered connection may end, one that waits is lost."""
        self.clients.pop(fd).sock.close()
        if fd in self.waiting:
            self.count_loss(why)
        self.waiting.discard(fd)

    def closed(self, fd):
        """In order; before the first byte of a first answer: once more."""
        client = self.clients[fd]
        if fd in self.waiting and client.first and client.left < 0 \
                and not client.got:
            self.waiting.discard(fd)
            self.reopened += 1
            self.lose(fd, "closed")
            self.open_one(client.number)
        else:
            self.lose(fd, "closed")

    def count_loss(self, why):
        self.losses[why] = self.losses.get(why, 0) + 1

    def ask(self, fd):
        client = self.clients[fd]
        path = self.path % client.number if "%d" in self.path else self.path
        client.got, client.left, client.status = b"", -1, 0
        client.asked = True
        self.poll.modify(fd, select.EPOLLIN)
        try:
            client.sock.send(f"GET {path} HTTP/1.1\r\nHost: {self.host}"
                             "\r\n\r\n".encode())
        except OSError as e:
            self.lose(fd, errno.errorcode[e.errno])

    def read(self, fd):
        client = self.clients[fd]
        try:
            data = client.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as e:
            self.lose(fd, errno.errorcode[e.errno])
            return
        if not data:
            self.closed(fd)
            return
        if client.left < 0:
            client.got += data
            head, end, data = client.got.partition(b"\r\n\r\n")
            if not end:
                return
            client.status = int(head.split(b" ")[1])
            length = head.lower().partition(b"content-length: ")[2]
            client.left = int(length.split(b"\r\n")[0] or 0)
            client.got = b""
        client.left -= len(data)
        if client.left <= 0:
            self.answers[client.status] = \
                self.answers.get(client.status, 0) + 1
            self.waiting.discard(fd)
            self.clients[fd].first = False

    def round(self):
        for fd, events in self.poll.poll(0.1, 1024):
            if fd not in self.clients:
                continue
            if not self.clients[fd].asked:
                if events & (select.EPOLLERR | select.EPOLLHUP):
                    self.lose(fd, "refused")
                else:
                    self.ask(fd)
            elif events:
                self.read(fd)

    def wait(self, end):
        while self.waiting and time.monotonic() < end:
            self.round()

    def report(self):
        words = [f"{s}:{n}" for s, n in sorted(self.answers.items())]
        if self.losses or self.waiting:
            words += ["waiting", len(self.waiting), "lost",
                      *(f"{w}:{n}" for w, n in sorted(self.losses.items()))]
        if self.reopened:
            words.append(f"reopened:{self.reopened}")
        print("open", len(self.clients), "answered",
              sum(self.answers.values()), *words, flush=True)
        self.answers, self.losses, self.reopened = {}, {}, 0

    def gather(self):
        end = time.monotonic() + self.seconds
        for number in range(self.count):
            self.open_one(number)
            while len(self.waiting) >= AT_ONCE and time.monotonic() < end:
                self.round()
                if self.seconds_passed_without_answer():
                    break
        self.wait(end)
        self.report()

    def seconds_passed_without_answer(self):
        """Nobody is answered: don't hold the others back."""
        now = time.monotonic()
        n = sum(self.answers.values())
        if n != getattr(self, "seen", -1):
            self.seen, self.seen_at = n, now
        return now - self.seen_at > 0.5

    def again(self):
        end = time.monotonic() + self.seconds
        for fd in list(self.clients):
            self.waiting.add(fd)
            self.ask(fd)
            while len(self.waiting) >= AT_ONCE and time.monotonic() < end:
                self.round()
        self.wait(end)
        self.report()


def main():
    server, port, count, path = sys.argv[1:5]
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    crowd = Crowd(server, int(port), int(count), path,
                  float(sys.argv[5]) if len(sys.argv) > 5 else 60)
    crowd.gather()
    while True:
        # Take note of those that are closed meanwhile.
        ready, _, _ = select.select([sys.stdin], [], [], 0)
        if not ready:
            crowd.round()
            continue
        line = sys.stdin.readline()
        if line == "again\n":
            crowd.again()
        else:
            return


main()
