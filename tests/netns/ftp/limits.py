#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Clients and servers without measure or manners. The server is tests/lib/ftpserver.py; of the configuration --set has max_line
and max_reply, in bytes.
"""
import socket
import sys

import ftpclient
from ftpclient import Mismatch
from ftpserver import SIZE, pattern

FLOOD = 100 << 20


def ends(case, conn, code, what):
    """The gateway says this code last, and closes."""
    reply = conn.reply()
    case.same(reply.code, code, f"{what}: {reply!r}")
    conn.rest()
    case.check(conn.ended is not None, f"{what}: it stays open")


def case_endless_command(case):
    """100 MB without the end of a line"""
    conn = case.login()
    conn.send_what_goes(b"x" * FLOOD)
    try:
        case.same(conn.reply().code, 500, "the reply")
    except Mismatch:
        case.same(conn.ended, "reset", "the end")  # it ran into the bytes that came yet
    case.event(conn, 0, verdict="blocked", reason="bad_request", name="line_too_long", action="block", status=500)


def case_endless_argument(case):
    """the same behind a verb, piece by piece"""
    conn = case.login()
    for verb in (b"RETR ", b"SITE ", b"USER "):
        conn = case.control()
        conn.expect("the banner", 220)
        conn.send(verb + b"x" * int(case.kit.args.set["max_line"]))
        ends(case, conn, 500, verb)


def case_longest_command(case):
    """a line of ftp.max_line bytes, and one more"""
    limit = int(case.kit.args.set["max_line"])
    conn = case.login()
    case.same(conn.cmd("CWD " + "x" * (limit - 4)).code, 200, "the longest")
    conn.send(b"CWD " + b"x" * (limit - 3) + b"\r\n")
    ends(case, conn, 500, "one more")


def case_nonsense(case):
    """lines that are no commands, without end"""
    conn = case.login()
    conn.send_what_goes(b"\0\1\2\r\n" * 1000)
    count = 0
    try:
        while conn.reply().code == 500:
            count += 1
    except Mismatch:
        pass
    case.check(0 < count < 100, f"{count} replies")
    case.check(conn.ended is not None, "it stays open")


def case_many_commands(case):
    """a client that sends commands and takes no replies"""
    conn = case.login(rcvbuf=4096)
    conn.sock.settimeout(1)
    sent = conn.send_what_goes(b"FEAT\r\n" * (FLOOD // 6))
    case.check(sent < FLOOD // 10, f"{sent} bytes were taken")
    case.login().cmd("NOOP", 200)


def case_endless_reply(case):
    """a server whose reply has no end"""
    for name in ("line", "reply"):
        conn = case.login()
        conn.send(f"SITE {name}\r\n".encode())
        total = 0
        try:
            while True:
                total += len(conn.line()) + 2
        except Mismatch:
            pass
        case.check(total <= int(case.kit.args.set["max_reply"]) + 1000, f"{name}: {total} bytes")
        case.check(conn.ended is not None, f"{name}: it stays open")
        case.event(conn, 0, verdict="blocked", reason="bad_response", name="line_too_long", status=421)


def case_bad_replies(case):
    """a server that says what is no reply"""
    for name in ("garbage", "passive"):
        conn = case.login()
        conn.send(f"SITE {name}\r\n".encode())
        ends(case, conn, 421, name)
        case.event(conn, 0, verdict="blocked", reason="bad_response", status=421)


def case_unasked(case):
    """replies that nobody asked for: dropped, or taken for that to the next command, which is none"""
    for _ in range(20):
        conn = case.login()
        case.same(conn.cmd("SITE extra").text, "200 Asked for", "the reply")
        reply = conn.cmd("NOOP")
        case.check(reply.text == "200 As you like it" or reply.code == 421, f"{reply!r}")
        conn.close()


def case_controls(case):
    """a reply with bytes that terminals obey"""
    conn = case.login()
    text = conn.cmd("SITE controls").lines[0]
    case.check(not any(b < 32 for b in text), repr(text))


def case_greetings(case):
    """greetings: garbage, 421, endless, none, in two replies"""
    for port, codes in ((2101, (421,)), (2103, (421,)), (2104, (421,)), (2105, (421,)), (2106, (120, 220))):
        conn = case.control(port=port)
        for code in codes:
            reply = conn.reply()
            case.same(reply.code, code, f"{port}: {reply!r}")
        if codes == (421,):
            conn.rest()


def case_server_leaves(case):
    """a server that closes, resets, or says 421 in the middle of a session"""
    for name in ("close", "reset", "421"):
        conn = case.login()
        conn.send(f"SITE {name}\r\n".encode())
        ends(case, conn, 421, name)


def case_where(case):
    """passive replies that name another address, no port, or one where nobody is"""
    for user, codes in (("third", (226, 421)), ("low", (425, 421)), ("garbage", (421,)), ("wrong", (421,)),
                        ("closed", (425, 421))):
        for mode in ("pasv", "epsv"):
            if mode not in case.kit.modes:
                continue
            conn = case.control().login(user, "x")
            conn.send(mode.upper().encode() + b"\r\n")
            reply = conn.reply()
            if reply.code in (227, 229):
                case.check("10,77,1,3" not in reply.text and "fd77:1::3" not in reply.text, f"{user}, {mode}: {reply!r}")
                conn.send(b"NOOP\r\n")
                conn.expect("NOOP", 200)
                try:
                    result = conn.get("RETR file", mode)
                    case.check(result.code in codes, f"{user}, {mode}: {result!r}")
                except (OSError, Mismatch) as e:
                    case.check(user != "third", f"{user}, {mode}: {e!r}")
            else:
                case.check(reply.code in codes, f"{user}, {mode}: {reply!r}")


def case_downloads(case):
    """servers that break a download off: it doesn't look whole"""
    for name in ("reset", "short", "gone"):
        for mode in case.kit.modes:
            conn = case.login()
            try:
                result = conn.get(f"RETR {name}", mode)
            except Mismatch:
                case.check(name == "gone" and mode in ("port", "eprt"), f"{name}, {mode}: no data connection")
                continue
            case.check(not result.whole and result.code in (421, 426, 451), f"{name}, {mode}: {result!r}")
            case.check(not result.got or result.ended == "reset", f"{name}, {mode}: {result!r}")
            case.event(conn, method="RETR", status=result.code)
            if name != "gone":
                case.whole(conn.get("RETR file", mode), pattern(SIZE), f"{name}, {mode}: the next")


def case_order(case):
    """servers that say 226 early or late"""
    for name in ("early", "late"):
        for mode in case.kit.modes:
            conn = case.login()
            case.whole(conn.get(f"RETR {name}", mode), pattern(SIZE), f"{name}, {mode}")
            case.whole(conn.get("RETR file", mode), pattern(SIZE), f"{name}, {mode}: the next")


def case_absent(case):
    """what the server refuses"""
    conn = case.login()
    for mode in case.kit.modes:
        case.same(conn.get("RETR absent", mode).code, 550, f"{mode}: RETR")
        case.same(conn.put("STOR absent", b"x" * 100000, mode).code, 553, f"{mode}: STOR")
        result = conn.put("STOR full", b"x" * 3000000, mode)
        case.check(400 <= result.code < 500, f"{mode}: {result!r}")
        case.whole(conn.get("RETR file", mode), pattern(SIZE), f"{mode}: the next")


def case_half_closed(case):
    """a client that says all at once and closes its side"""
    conn = case.login()
    data = ftpclient.Data(socket.create_connection(conn.passive("epsv"), timeout=10))
    conn.send(b"NOOP\r\nRETR file\r\nQUIT\r\n")
    conn.shut()
    case.same(conn.reply().code, 200, "NOOP")
    case.same(conn.reply().code, 150, "RETR")
    case.check(data.read() == pattern(SIZE), "the file")
    case.same(data.ended, "fin", "its end")
    case.same(conn.reply().code, 226, "RETR")
    case.same(conn.reply().code, 221, "QUIT")


if __name__ == "__main__":
    ftpclient.main(sys.modules["__main__"])
