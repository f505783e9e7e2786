#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Control connections and transfers as a client of ours makes them, at any server: the same is true through a gateway
that only forwards.
"""
import os
import re
import socket
import sys
import time

import ftpclient
from ftpclient import Mismatch

SMALL = b"small\n" * 200
LARGE = 30000000
IP_SYNCH = b"\xff\xf4\xff\xf2"  # Interrupt Process, Data Mark (RFC 959 4.1.3, RFC 854)


def setup(kit):
    for name, content in (("small", SMALL), ("empty", b""), ("medium", os.urandom(400000))):
        with open(kit.path(name), "wb") as f:
            f.write(content)
    with open(kit.path("large"), "wb") as f:
        f.truncate(LARGE)
        for at in range(0, LARGE, 1000000):
            f.seek(at)
            f.write(b"%d" % at)
    for name in ("uploads", "none"):
        os.makedirs(kit.path(name), exist_ok=True)
        os.chmod(kit.path(name), 0o777)


def case_modes(case):
    """each mode, both ways, in one session"""
    conn = case.login()
    for mode in case.kit.modes:
        case.whole(conn.get("RETR medium", mode), case.kit.file("medium"), f"{mode}: a download")
        case.event(conn, protocol="ftp", method="RETR", status=226, verdict=case.kit.good)
        case.same(conn.put(f"STOR uploads/{mode}", SMALL * 50, mode).code, 226, f"{mode}: an upload")
        case.same(case.kit.file(f"uploads/{mode}"), SMALL * 50, f"{mode}: what was stored")
        case.event(conn, protocol="ftp", method="STOR", status=226, verdict=case.kit.good)


def case_late(case):
    """a data connection that comes behind the command"""
    conn = case.login()
    for mode in ("pasv", "epsv"):
        if mode in case.kit.modes:
            case.whole(conn.get("RETR small", mode, late=True), SMALL, mode)


def case_empty(case):
    """objects and directories with nothing in them"""
    conn = case.login()
    for mode in case.kit.modes:
        case.whole(conn.get("RETR empty", mode), b"", f"{mode}: a download")
        case.same(conn.put(f"STOR uploads/{mode}-none", b"", mode).code, 226, f"{mode}: an upload")
        case.same(case.kit.file(f"uploads/{mode}-none"), b"", f"{mode}: what was stored")
        result = conn.get("NLST none", mode)  # Pure-FTPd names . and ..
        case.check(result.code in (226, 450, 550) and len(result.got) < 20, f"{mode}: a listing: {result!r}")
    case.goes_on(conn)


def case_absent(case):
    """what isn't there"""
    conn = case.login()
    for mode in case.kit.modes:
        case.same(conn.get("RETR nothing/here", mode).code, 550, f"{mode}: a download")
        case.check(conn.put("STOR nothing/here", b"x", mode).code in (550, 553), f"{mode}: an upload")
    case.same(conn.cmd("CWD nothing").code, 550, "CWD")
    case.same(conn.cmd("SIZE nothing").code, 550, "SIZE")
    case.goes_on(conn)


def case_listings(case):
    """listings"""
    conn = case.login()
    for line in ("LIST", "NLST", "MLSD", "LIST -a", "NLST ."):
        result = conn.get(line)
        if line == "MLSD" and result.code == 500:
            continue  # vsftpd hasn't
        case.check(result.whole and b"medium" in result.got, f"{line}: {result!r}")
    case.match(conn.cmd("STAT .").text, "medium", "STAT")


def case_ascii(case):
    """type A"""
    conn = case.login()
    conn.cmd("TYPE A", 200)
    case.whole(conn.get("RETR small"), SMALL.replace(b"\n", b"\r\n"), "a download")
    case.same(conn.put("STOR uploads/ascii", b"a\r\nb\r\n").code, 226, "an upload")
    case.same(case.kit.file("uploads/ascii"), b"a\nb\n", "what was stored")
    conn.cmd("TYPE I", 200)
    case.goes_on(conn)


def case_append(case):
    """APPE and STOU"""
    conn = case.login()
    case.same(conn.put("STOR uploads/append", b"one").code, 226, "STOR")
    if case.kit.args.set.get("append", "yes") == "yes":
        case.same(conn.put("APPE uploads/append", b"two").code, 226, "APPE")
        case.same(case.kit.file("uploads/append"), b"onetwo", "what was stored")
    conn.cmd("CWD uploads", 250)
    result = conn.put("STOU", b"unique")
    case.check(result.code in (226, 500, 502, 504), f"STOU: {result!r}")
    if result.code == 226:
        found = [n for n in os.listdir(case.kit.path("uploads")) if n in result.first.text + result.last.text]
        case.check(any(case.kit.file("uploads/" + n) == b"unique" for n in found), f"STOU: {result!r}, {found}")


def case_sloppy(case):
    """verbs in any case, lines that end with LF"""
    conn = case.login()
    for line in (b"noop\r\n", b"NoOp\r\n"):
        conn.send(line)
        case.same(conn.reply().code, 200, repr(line))
    if case.alone_with("proftpd"):
        return  # which waits for the CR
    for line in (b"NOOP\n", b"pwd\n"):
        conn.send(line)
        case.check(conn.reply().code in (200, 257), repr(line))
    conn.send(b"EPSV\n")
    port = int(re.search(r"\|\|\|(\d+)\|", conn.expect("EPSV", 229).text)[1])
    with socket.create_connection((conn.host, port)) as sock:
        conn.send(b"retr small\n")
        conn.expect("RETR", 150, 125)
        case.same(ftpclient.Data(sock).read(), SMALL, "a download")
        conn.expect("RETR", 226)


def case_bytewise(case):
    """commands that come byte by byte"""
    if case.alone_with("proftpd"):
        return  # 1.3.8 misses an LF that comes apart from its CR
    conn = case.login()
    conn.send(b"SIZE small\r\nNOOP\r\n", 1)
    case.same(conn.reply().text, f"213 {len(SMALL)}", "SIZE")
    case.same(conn.reply().code, 200, "NOOP")


def case_pipelined(case):
    """several hundred commands in one write"""
    lines = ["NOOP", "SIZE small", "PWD", "MDTM small", "CWD uploads", "CDUP", "SIZE nothing", "TYPE I"]
    conn = case.login()
    wanted = [conn.cmd(line).text for line in lines]
    conn.send("".join(line + "\r\n" for line in lines * 60).encode())
    got = [conn.reply().text for _ in lines * 60]
    case.same(got, wanted * 60, "replies")
    case.goes_on(conn)


def case_pipelined_transfers(case):
    """transfers, and a farewell, in one write"""
    if case.alone_with("proftpd"):
        return  # takes ten seconds for what came during a transfer
    conn = case.login()
    data = [socket.create_connection(conn.passive("epsv"), timeout=10)]
    conn.send(b"RETR small\r\nNOOP\r\nPWD\r\nQUIT\r\n")
    conn.expect("RETR", 150, 125)
    case.same(ftpclient.Data(data[0]).read(), SMALL, "a download")
    case.same([conn.reply().code for _ in range(4)], [226, 200, 257, 221], "what followed")
    conn.rest()
    data[0].close()


def case_many(case):
    """a hundred transfers in one session"""
    conn = case.login()
    for i in range(100):
        mode = case.kit.modes[i % len(case.kit.modes)]
        if i % 3:
            case.whole(conn.get("RETR small", mode), SMALL, f"{mode}: download {i}")
        else:
            case.same(conn.put("STOR uploads/many", SMALL, mode).code, 226, f"{mode}: upload {i}")
        if case.problems:
            break


def case_together(case):
    """twenty sessions of one client, and each goes on when another ends"""
    conns = [case.login() for _ in range(20)]
    medium = case.kit.file("medium")
    started = [conn.start("RETR medium", case.kit.modes[i % len(case.kit.modes)]) for i, conn in enumerate(conns)]
    for i, (first, data) in enumerate(started):
        if i % 2:
            data.close()
            conns[i].close()
    for i, (first, data) in enumerate(started):
        if i % 2 == 0:
            data.read()
            data.close()
            case.whole(ftpclient.Result(first, conns[i].reply(), data), medium, f"session {i}")
    for conn in conns[::2]:
        case.goes_on(conn)


def case_replaced(case):
    """a passive address that is asked for twice, or given up for an active one"""
    conn = case.login()
    for first, second in ((a, b) for a in case.kit.modes for b in case.kit.modes):
        if first in ("pasv", "epsv"):
            conn.passive(first)
        else:
            conn.listen(first).close()
        case.whole(conn.get("RETR small", second), SMALL, f"{second} behind {first}")


def interrupted(case, conn, what, *codes):
    """What is said of a download whose data connection the client closed."""
    reply = conn.reply()
    # Pure-FTPd says 150 again, and nothing else.
    case.check(reply.code in (425, 426, 451) + codes or case.kit.args.server == "pureftpd" and reply.code == 150,
               f"{what}: {reply!r}")


def abort(case, synch):
    for mode in case.kit.modes:
        conn = case.login()
        _, data = conn.start("RETR large", mode)
        data.read(100000)
        if synch:
            conn.sock.sendall(IP_SYNCH[:2])
            conn.sock.send(IP_SYNCH[2:], socket.MSG_OOB)
        conn.send(b"ABOR\r\n")
        if synch:
            data.read()
            case.check(len(data.got) < LARGE, f"{mode}: the whole file came")
        data.close()
        # 426 for the transfer and 226 for ABOR; 226 twice when the transfer had ended for the server; 225
        interrupted(case, conn, mode, 226)
        second = conn.reply()
        case.check(second.code in (225, 226), f"{mode}: of ABOR: {second!r}")
        case.goes_on(conn)


def case_abort(case):
    """ABOR in the middle of a download, and the end of its data connection"""
    abort(case, False)


def case_abort_telnet(case):
    """ABOR with Telnet's signals before it, urgent"""
    abort(case, True)


def case_abort_nothing(case):
    """ABOR when there is nothing to abort"""
    conn = case.login()
    case.check(conn.cmd("ABOR").code in (225, 226), "ABOR")
    case.goes_on(conn)


def case_walks_away(case):
    """a client that closes its data connection in the middle"""
    for mode in case.kit.modes:
        for how in ("close", "reset"):
            conn = case.login()
            _, data = conn.start("RETR large", mode)
            data.read(100000)
            getattr(data, how)()
            interrupted(case, conn, f"{mode}, {how}")
            case.event(conn, method="RETR", reason="client_closed")
            case.goes_on(conn)


def case_hangs_up(case):
    """a client that closes both connections in the middle, and then comes back"""
    for mode in case.kit.modes:
        for method in ("close", "reset"):
            conn = case.login()
            _, data = conn.start("RETR large", mode)
            data.read(100000)
            getattr(conn, method)()
            getattr(data, method)()
    case.goes_on(case.login())


def case_cut_upload(case):
    """a client that resets its data connection in the middle of an upload"""
    for mode in case.kit.modes:
        conn = case.login()
        _, data = conn.start(f"STOR uploads/cut-{mode}", mode)
        data.write(SMALL * 100)
        data.reset()
        reply = conn.reply()
        # A server that sees an end takes what came for all.
        case.check(400 <= reply.code < 500 or not case.kit.sluice and reply.code == 226, f"{mode}: {reply!r}")
        case.goes_on(conn)


def case_same_port(case):
    """active: one port of the client's for several transfers, which has a connection in TIME_WAIT each time"""
    conn = case.login()
    for mode in case.kit.modes:
        if mode not in ("port", "eprt"):
            continue
        host = conn.sock.getsockname()[0]
        with socket.create_server((host, 0), family=conn.sock.family) as listener:
            listener.settimeout(5)
            for i in range(3):
                conn.cmd(ftpclient.active(mode, host, listener.getsockname()[1]), 200)
                conn.send(b"RETR small\r\n")
                conn.transfers += 1
                data = ftpclient.Data(listener.accept()[0])
                case.same(data.read(), SMALL, f"{mode}, {i + 1}: what came")
                data.close()
                conn.expect("150", 150)
                case.same(conn.reply().code, 226, f"{mode}, {i + 1}: the last word")


def case_never_comes(case):
    """a passive address to which nobody connects, and a session that ends"""
    conn = case.login()
    target = conn.passive("epsv")
    case.same(conn.cmd("QUIT").code, 221, "QUIT")
    conn.rest()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            socket.create_connection(target, timeout=1).close()
        except OSError:
            break
        time.sleep(0.05)
    else:
        raise Mismatch("its port is still open")


if __name__ == "__main__":
    ftpclient.main(sys.modules["__main__"], setup)
