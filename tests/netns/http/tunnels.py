#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that change to another protocol, or never spoke HTTP."""
import os
import sys

import rawclient
from origin import pattern

WEBSOCKET = ("Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
             "Sec-WebSocket-Version: 13")
TCP_PORT = 9001

# First bytes that are no HTTP: http.non_http decides. @ is the mark.
NOT_HTTP = {
    "a TLS ClientHello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03@",
    "binary": bytes(range(128, 256)) + b"@",
    "a NUL": b"\0@",
    "a long token": b"x" * 40 + b"@\n",
    "BitTorrent": b"\x13BitTorrent protocol@",
    "an SSH banner": b"SSH-2.0-OpenSSH_9.2@\r\n",
    "SMTP": b"EHLO @.example\r\n",
    "FTP": b"USER @\r\n",
    "IRC": b"NICK @\r\nUSER a 0 * :b\r\n",
    "POP3": b"STLS\r\n@",
    "SIP": b"INVITE sip:@ SIP 2.0\r\n\r\n",
    "Redis": b"*1\r\n$4\r\nPING\r\n@",
    "JSON": b"{\"method\":\"login\",\"mark\":\"@\"}\n",
}


def switch(case, conn, *fields, path="/upgrade"):
    conn.send(case.ask(path, *(fields or WEBSOCKET)))
    r = conn.response()
    case.same((r.status, r.get("Upgrade"), r.get("Connection").lower()),
              (101, "websocket", "upgrade"), "the handshake")


def case_websocket(case):
    """WebSocket: bytes both ways, then the client's half-close"""
    conn = case.connect()
    switch(case, conn)
    for data in (b"\x81\x05hello", b"\0", pattern(0, 500000)):
        conn.send(data)
        case.check(conn.exactly(len(data)) == data, f"{len(data)} bytes")
    conn.shut()
    case.same(conn.exactly(3), b"bye", "after the client's end")
    case.closed(conn)
    case.event(conn, 0, status=101, verdict="passed", method="GET",
               protocol="http")
    total = 8 + 500000
    case.event(conn, 1, protocol="tunnel", verdict="passed", reason=None,
               bytes_in=total, bytes_out=total + 3)
    case.seen("Upgrade: websocket\r\n", "onnection: upgrade\r\n")


def case_websocket_at_once(case):
    """WebSocket: the client's first frames come with the handshake"""
    conn = case.connect()
    conn.send(case.ask("/upgrade", *WEBSOCKET) + b"first" + b"second")
    case.same(conn.response().status, 101, "status")
    case.same(conn.exactly(11), b"firstsecond", "the echo")
    conn.send(b"third")
    case.same(conn.exactly(5), b"third", "the echo")
    conn.shut()
    case.same(conn.exactly(3), b"bye", "the end")


def case_websocket_server_first(case):
    """WebSocket: the server's half-close; the client goes on"""
    conn = case.connect()
    switch(case, conn, path="/upgrade-half")
    case.same(conn.rest(), b"first", "what came")
    case.same(conn.ended, "fin", "the end")
    conn.send(b"and then " + case.mark.encode() + b"late")
    conn.shut()
    case.seen(case.mark + "late")


def case_websocket_later(case):
    """WebSocket after other requests on the connection"""
    conn = case.connect()
    for _ in range(3):
        conn.send(case.ask("/size/10000"))
        case.same(conn.response().status, 200, "before")
    switch(case, conn)
    conn.send(b"echo")
    case.same(conn.exactly(4), b"echo", "the echo")
    conn.shut()
    case.same(conn.exactly(3), b"bye", "the end")
    case.event(conn, 4, protocol="tunnel", bytes_in=4, bytes_out=7)


def case_websocket_bytewise(case):
    """WebSocket: a handshake byte by byte"""
    conn = case.connect()
    conn.send(case.ask("/upgrade", *WEBSOCKET) + b"x", piece=1, pause=0.0005)
    case.same(conn.response().status, 101, "status")
    case.same(conn.exactly(1), b"x", "the echo")


def case_websocket_reset(case):
    """WebSocket: a reset of one side resets the other"""
    conn = case.connect()
    switch(case, conn)
    conn.send(b"echo")
    case.same(conn.exactly(4), b"echo", "the echo")
    conn.reset()
    case.event(conn, 1, protocol="tunnel", reason="client_closed")


def case_websocket_large(case):
    """WebSocket: 20 MB there and back, at the receiver's pace"""
    conn = case.connect(rcvbuf=20000)
    switch(case, conn)
    sender = rawclient.in_background(conn.send, pattern(0, 20000000))
    got = conn.exactly(20000000)
    sender.join()
    case.check(got == pattern(0, 20000000), "the echo")


def case_websocket_refused(case):
    """WebSocket that the server doesn't want stays HTTP"""
    conn = case.connect()
    conn.send(case.ask("/ok", *WEBSOCKET) + case.ask("/ok"))
    case.same([conn.response().body for _ in range(2)], [b"ok\n"] * 2,
              "answers")
    conn.quiet(0.02)


def stays_http(case, *fields, method="GET", body=b""):
    """Upgrade is left out, the exchange is an ordinary one."""
    conn = case.connect()
    conn.send(case.ask("/echo", *fields, method=method, body=body))
    r = conn.response()
    case.same(r.status, 200, "status")
    for word in (b"pgrade", b"HTTP2-Settings", b"h2c"):
        case.check(word not in r.body, f"the origin server got {word}")
    case.passed(conn)


def case_h2c(case):
    """h2c is left out"""
    stays_http(case, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
               "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")


def case_upgrade_list(case):
    """a list of protocols is left out"""
    stays_http(case, "Connection: upgrade", "Upgrade: websocket, h2c")


def case_upgrade_twice(case):
    """two Upgrade fields are left out"""
    for order in (("websocket", "h2c"), ("h2c", "websocket")):
        stays_http(case, "Connection: upgrade, HTTP2-Settings",
                   f"Upgrade: {order[0]}", "HTTP2-Settings: AAMAAABk",
                   f"Upgrade: {order[1]}")


def case_upgrade_tls(case):
    """TLS within HTTP (RFC 2817) is left out"""
    stays_http(case, "Connection: upgrade", "Upgrade: TLS/1.0")


def case_upgrade_no_connection(case):
    """Upgrade without Connection: upgrade is left out"""
    stays_http(case, "Upgrade: websocket")


def case_upgrade_http10(case):
    """Upgrade in HTTP/1.0 is left out"""
    conn = case.connect()
    conn.send(case.ask("/echo", *WEBSOCKET, version="HTTP/1.0"))
    case.check(b"pgrade" not in conn.response().body, "the server got it")


def case_other_101(case):
    """101 to another protocol than the one asked for"""
    for protocol in ("h2c", "websocket,h2c", ""):
        conn = case.connect()
        conn.send(case.ask(f"/upgrade?to={protocol}", *WEBSOCKET))
        case.page(conn.response(), 502, "bad_response")
        case.event(conn, verdict="blocked", reason="bad_response", status=502,
                   action="block")


def non_http(case, data):
    data = data.replace(b"@", case.mark.encode())
    conn = case.connect(TCP_PORT)
    conn.send(data)
    if case.kit.args.non_http == "pass":
        case.same(conn.exactly(4 + len(data)), b"got " + data, "the echo")
        conn.send(b"more")
        case.same(conn.exactly(8), b"got more", "the echo")
        conn.shut()
        case.same(conn.exactly(3), b"bye", "after the half-close")
        case.closed(conn)
        case.seen()
        case.event(conn, protocol="tunnel", verdict="passed", reason=None,
                   bytes_in=len(data) + 4, bytes_out=len(data) + 15,
                   action="allow")
    else:
        case.same(conn.rest(), b"", "what came")
        case.same(conn.ended, "reset", "the end")
        case.unseen()
        case.event(conn, protocol="http", verdict="blocked", status=None,
                   reason="not_http", rule="http.non_http", action="block",
                   bytes_in=len(data))


def non_http_pieces(case):
    """The same, byte by byte."""
    data = NOT_HTTP["an SSH banner"].replace(b"@", case.mark.encode())
    conn = case.connect(TCP_PORT)
    if case.kit.args.non_http == "pass":
        conn.send(data, piece=1)
        case.check(conn.exactly(len(data) + 4).startswith(b"got "), "the echo")
        case.seen()
    else:
        conn.send_what_goes(data)
        case.same((conn.rest(), conn.ended), (b"", "reset"), "the end")
        case.unseen()


def case_non_http_later(case):
    """bytes that are no HTTP behind a request are refused in any case"""
    conn = case.connect()
    conn.send(case.ask("/ok") + b"\x16\x03\x01" + case.mark.encode() + b"tls")
    try:
        case.same(conn.response().body, b"ok\n", "the answer before")
    except rawclient.Mismatch:
        pass  # the reset was faster
    conn.rest()
    case.same(conn.ended, "reset", "the end")
    case.event(conn, 1, verdict="blocked", reason="not_http", action="block")
    case.unseen(case.mark + "tls")


def case_non_http_large(case):
    """20 MB each way on a connection that is no HTTP"""
    if case.kit.args.non_http != "pass":
        return
    conn = case.connect(TCP_PORT)
    data = b"\0" + os.urandom(65536) * 300
    sender = rawclient.in_background(lambda: (conn.send(data), conn.shut()))
    got = conn.rest()
    sender.join()
    case.check(got.endswith(b"bye"), "the end")
    case.check(len(got) >= len(data) + 7, f"{len(got)} of {len(data)}")


def main():
    parser = rawclient.arguments()
    parser.add_argument("--non-http", default="pass")
    kit = rawclient.Kit(parser.parse_args())
    for name, data in NOT_HTTP.items():
        kit.run(f"non_http={kit.args.non_http}: {name}", non_http, data)
    kit.run(f"non_http={kit.args.non_http}: byte by byte", non_http_pieces)
    kit.run_all(sys.modules["__main__"])
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
