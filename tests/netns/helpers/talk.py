#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Flows of a known shape.

serve BANNER_PORT PORT...   TCP and UDP servers, until killed; "ready" when they listen. TCP: a line "N" is answered with
                            N bytes and the end. On BANNER_PORT the server speaks first. UDP: an echo.
tcp HOST PORT N             one exchange; fails unless N bytes come
idle HOST PORT              a connection that carries nothing
udp HOST PORT [COUNT]       datagrams, each echoed; fails when one is not within 2 s
raw HOST PROTOCOL           one packet of an IP protocol
netlink PORT                what no kernel sends, to a netlink socket
"""
import os
import selectors
import socket
import struct
import sys
import threading

BANNER = b"220 who are you?\r\n"


def answer(conn, banner):
    with conn:
        if banner:
            conn.sendall(BANNER)
        line = conn.makefile("rb").readline()
        if line:
            conn.sendall(b"x" * int(line))


def listener(kind, port):
    sock = socket.socket(socket.AF_INET6, kind)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        sock.listen(512)
    return sock


def serve(banner, *ports):
    selector = selectors.DefaultSelector()
    for port in map(int, (banner,) + ports):
        selector.register(listener(socket.SOCK_STREAM, port), selectors.EVENT_READ, port)
        selector.register(listener(socket.SOCK_DGRAM, port), selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                data, peer = key.fileobj.recvfrom(65536)
                key.fileobj.sendto(data, peer)
            else:
                conn, _ = key.fileobj.accept()
                threading.Thread(target=answer, args=(conn, key.data == int(banner)), daemon=True).start()


def tcp(host, port, count):
    with socket.create_connection((host, int(port)), timeout=8) as conn:
        stream = conn.makefile("rb")
        if int(port) == 2222:
            assert stream.readline() == BANNER
        conn.sendall(f"{count}\n".encode())
        got = len(stream.read())
    assert got == int(count), f"{got} bytes, not {count}"


def idle(host, port):
    with socket.create_connection((host, int(port)), timeout=8):
        pass


def udp(host, port, count=1):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect((host, int(port)))
        for i in range(int(count)):
            sock.send(b"%d" % i)
            assert sock.recv(100) == b"%d" % i


def raw(host, protocol):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, int(protocol)) as sock:
        sock.sendto(bytes(32), (host, 0))


def netlink(port):
    """Random bytes, and messages that begin as the kernel's do."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as sock:
        sock.bind((0, 0))
        for i in range(200):
            kind = (0x300, 0x303, 0x2, 0x100)[i % 4]
            body = os.urandom(i * 5 % 97)
            sock.sendto(struct.pack("=IHHII", (16 + len(body), 8, 1 << 31, 17)[i % 4 if i % 3 else 0], kind, 0, 1, 0)
                        + body, (int(port), 0))


if __name__ == "__main__":
    {"serve": serve, "tcp": tcp, "idle": idle, "udp": udp, "raw": raw, "netlink": netlink}[sys.argv[1]](*sys.argv[2:])
