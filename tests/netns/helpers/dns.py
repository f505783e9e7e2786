#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A name server that misbehaves on purpose, over UDP and TCP, IPv4.

usage: dns.py ADDRESS LOG
What a name's first label says is what is done with questions for it:
  ok          an address, 192.0.2.1 or 2001:db8::1
  noaaaa      the same for A; AAAA is never answered
  late        the same after a second
  cname       an alias of ok.test, and its address
  dangling    an alias without an address
  loop        an alias of itself
  servfail, refused, nxdomain, formerr   an error
  nodata      no error, and no address
  silent      nothing
  truncated   TC over UDP; over TCP 40 addresses
  always-tc   TC over UDP, and a connection that is closed over TCP
  garbage     bytes that are no answer
  otherid     an answer with another number, then none
  othername   an answer to another question, then none
  forged      an answer with another number and 192.0.2.66, then the right one
  short       an address with a time to live of 0
  zero        the address 0.0.0.0 and 127.0.0.1
Each question is a line of LOG: udp|tcp PORT ID NAME TYPE.
"""
import socket
import struct
import sys
import threading
import time

A, CNAME, AAAA = 1, 5, 28
TC = 0x0200
V4 = bytes([192, 0, 2, 1])
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
RCODES = {"formerr": 1, "servfail": 2, "nxdomain": 3, "refused": 5}


def pack_name(name):
    labels = [x for x in name.split(".") if x]
    return b"".join(bytes([len(x)]) + x.encode() for x in labels) + b"\0"


def parse(query):
    """Number, name, type, and the bytes of the question."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    number = struct.unpack("!H", query[:2])[0]
    return number, ".".join(labels), kind, query[12:at + 5]


def record(name, kind, data, ttl=60):
    return pack_name(name) + struct.pack("!HHIH", kind, 1, ttl,
                                         len(data)) + data


def message(number, question, records=(), flags=0, rcode=0):
    return struct.pack("!HHHHHH", number, 0x8180 | flags | rcode, 1,
                       len(records), 0, 0) + question + b"".join(records)


def address(name, kind, ttl=60):
    return [record(name, kind, V4 if kind == A else V6, ttl)]


def special(word, name, number, kind, question, tcp):
    """Answers to a label that address() alone doesn't serve, or None."""
    def reply(records=(), **more):
        return [message(number, question, records, **more)]

    wrong = (number + 1) % 65536
    other = pack_name("other.test") + struct.pack("!HH", kind, 1)
    if word in RCODES:
        return reply(rcode=RCODES[word])
    if word == "noaaaa":
        return [] if kind == AAAA else reply(address(name, kind))
    if word == "truncated":
        many = [record(name, A, bytes([192, 0, 2, i])) for i in range(1, 41)]
        if not tcp:
            return reply(flags=TC)
        return reply(many if kind == A else ())
    alias = record(name, CNAME, pack_name("ok.test"), 2)
    return {
        "cname": lambda: reply([alias] + address("ok.test", kind)),
        "dangling": lambda: reply([alias]),
        "loop": lambda: reply([record(name, CNAME, pack_name(name))]),
        "nodata": lambda: reply(),
        "silent": lambda: [],
        "always-tc": lambda: [b""] if tcp else reply(flags=TC),
        "garbage": lambda: [struct.pack("!H", number) + b"\xff" * 40],
        "otherid": lambda: [message(wrong, question, address(name, kind))],
        "othername": lambda: [message(number, other, address(name, kind))],
        "forged": lambda: [message(wrong, question, [
            record(name, A, bytes([192, 0, 2, 66]))])]
            + reply(address(name, kind)),
        "short": lambda: reply(address(name, kind, 0)),
        "zero": lambda: reply([record(name, A, bytes(4)), record(
            name, A, bytes([127, 0, 0, 1]))] if kind == A else ()),
    }.get(word, lambda: None)()


def answers(query, tcp, port, log):
    number, name, kind, question = parse(query)
    log.write(f"{'tcp' if tcp else 'udp'} {port} {number} {name} {kind}\n")
    word = name.split(".")[0].split("--")[0].lower()
    if word == "late":
        time.sleep(1)
    out = special(word, name, number, kind, question, tcp)
    if out is None:
        out = [message(number, question, address(name, kind))]
    return out


def serve_udp(where, log):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((where, 53))

    def late(query, peer):
        for out in answers(query, False, peer[1], log):
            sock.sendto(out, peer)

    while True:
        query, peer = sock.recvfrom(4096)
        if query[13:17] == b"late":
            threading.Thread(target=late, args=(query, peer)).start()
        else:
            late(query, peer)


def serve_tcp(where, log):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((where, 53))
    sock.listen(100)
    while True:
        conn, peer = sock.accept()
        threading.Thread(target=serve_connection,
                         args=(conn, peer, log)).start()


def exactly(conn, n):
    got = b""
    while len(got) < n:
        more = conn.recv(n - len(got))
        if not more:
            return None
        got += more
    return got


def serve_connection(conn, peer, log):
    with conn:
        while True:
            head = exactly(conn, 2)
            if head is None:
                return
            query = exactly(conn, struct.unpack("!H", head)[0])
            if query is None:
                return
            for out in answers(query, True, peer[1], log):
                if not out:
                    return
                data = struct.pack("!H", len(out)) + out
                # in two pieces, the cut within the length
                conn.sendall(data[:1])
                time.sleep(0.02)
                conn.sendall(data[1:])


def main():
    where, path = sys.argv[1:]
    with open(path, "a", buffering=1, encoding="ascii") as log:
        threading.Thread(target=serve_tcp, args=(where, log),
                         daemon=True).start()
        serve_udp(where, log)


main()
