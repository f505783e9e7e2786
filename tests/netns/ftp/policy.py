#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What the gateway doesn't pass on: addresses of others, commands that could open data connections which it would not see,
TLS; and that the server learns nothing of it. The server is tests/lib/ftpserver.py, its --log is --set log=FILE.
"""
import re
import socket
import sys
import time

import ftpclient
from ftpclient import Data
from ftpserver import SIZE, pattern

THIRD, THIRD6 = "10.77.1.3", "fd77:1::3"
UNKNOWN = ("LPRT 4,4,10,77,1,2,2,100,100", "LPRT 6,16,253,119,0,1,0,0,0,0,0,0,0,0,0,0,0,2,2,100,100", "LPSV", "SPSV", "CPSV",
           "SSCN ON", "RANG 1 2", "COMB a b c", "XYZZY", "PRET RETR x", "ESTP", "ESTA", "THMB x", "XRSQ", "MAIL", "MLFL x",
           "ADAT x", "MIC x", "ENC x", "CONF x")


def log(case):
    with open(case.kit.args.set["log"], encoding="utf-8") as f:
        return f.read()


def unseen(case, *words):
    """The server isn't told: looked for when all that was sent before has been answered."""
    said = log(case)
    for word in words:
        case.check(word not in said, f"the server was told {word}")


def works(case, conn):
    result = conn.get("RETR file", case.kit.modes[-1])
    case.whole(result, pattern(SIZE), "the next download")


def case_modes(case):
    """each mode (the negative twin: what is refused below is nothing but the address)"""
    conn = case.login()
    for mode in case.kit.modes:
        case.whole(conn.get("RETR file", mode), pattern(SIZE), mode)


def others(case):
    """Addresses that a client has no business with, as PORT or EPRT has them."""
    third, own = (THIRD6, conn_host(case)) if ":" in case.kit.host else (THIRD, conn_host(case))
    mode = case.kit.modes[-1]
    for host, port in ((third, 5000), (case.kit.host, 5000), (own, 1023), (own, 25), (own, 20), (own, 0)):
        yield ftpclient.active(mode, host, port), port
        if mode == "eprt" and ":" not in host:
            yield ftpclient.active("port", host, port), port


def conn_host(case):
    with socket.socket(socket.AF_INET6 if ":" in case.kit.host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((case.kit.host, 9))
        return sock.getsockname()[0]


def case_bounce(case):
    """PORT and EPRT with an address of somebody else, or a privileged port"""
    third = THIRD6 if ":" in case.kit.host else THIRD
    with socket.create_server((third, 5000), family=socket.AF_INET6 if ":" in third else socket.AF_INET) as listener:
        for line, port in others(case):
            conn = case.login()
            reply = conn.cmd(line)
            case.check(500 <= reply.code < 600, f"{line}: {reply!r}")
            if port:  # else it is no address
                case.event(conn, 0, verdict="blocked", reason="bounce", action="block", protocol="ftp", method=line[:4],
                           status=reply.code)
            conn.send(b"RETR file\r\n")
            case.same(conn.reply().code, 425, f"{line}: then RETR")
            works(case, conn)
            unseen(case, line)
        listener.settimeout(0.3)
        try:
            listener.accept()
            case.check(False, "it was connected to")
        except socket.timeout:
            pass


def case_no_address(case):
    """PORT and EPRT that are no addresses"""
    conn = case.login()
    for line in ("PORT", "PORT 1,2,3", "PORT 10,77,1,2,4,256", "PORT 10,77,1,2,4,1,1", "PORT 10.77.1.2,4,1", "EPRT",
                 "EPRT |1|10.77.1.2|5000", "EPRT |3|10.77.1.2|5000|", "EPRT |1|10.77.1.2|65536|", "EPRT |1|10.77.1.2|-1|",
                 "EPRT |2|10.77.1.2|5000|", "EPRT |1|fd77:1::2|5000|", "EPRT |1|10.77.1.2|5000|x", "EPRT ||||"):
        reply = conn.cmd(line)
        case.check(500 <= reply.code < 600, f"{line}: {reply!r}")
        if " " in line:
            unseen(case, line + "\n")
    works(case, conn)


def case_other_family(case):
    """an address of the other family"""
    conn = case.login()
    line = "PORT 10,77,1,2,100,100" if ":" in case.kit.host else "EPRT |2|fd77:1::2|25700|"
    reply = conn.cmd(line)
    case.check(500 <= reply.code < 600, f"{line}: {reply!r}")
    works(case, conn)


def case_unknown(case):
    """commands that aren't on the list"""
    for line in UNKNOWN:
        for sent in (line, line.lower()):
            conn = case.login()
            case.same(conn.cmd(sent).code, 502, sent)
            case.event(conn, 0, verdict="blocked", reason="method", action="block", method=line.split(" ")[0], status=502)
            works(case, conn)
        unseen(case, line, line.lower())


def case_structure(case):
    """MODE, STRU and TYPE that can't be scanned"""
    conn = case.login()
    for line in ("MODE B", "MODE C", "MODE Z", "MODE", "STRU R", "STRU P", "STRU", "TYPE E", "TYPE L 36", "TYPE L"):
        case.same(conn.cmd(line).code, 504, line)
        unseen(case, line + "\n")
    for line in ("MODE S", "mode s", "STRU F", "TYPE I", "TYPE A", "TYPE A N", "TYPE L 8", "TYPE I"):
        case.same(conn.cmd(line).code, 200, line)
    works(case, conn)


def case_tls(case):
    """TLS, while ftp.ftps = refuse"""
    for line in ("AUTH TLS", "AUTH SSL", "AUTH TLS-C", "auth tls", "AUTH GSSAPI", "AUTH"):
        conn = case.login()
        case.same(conn.cmd(line).code, 534, line)
        case.event(conn, 0, verdict="blocked", reason="tls", action="block", method="AUTH", rule="ftp.ftps", status=534)
        for more in ("PBSZ 0", "PROT P", "PROT C", "CCC"):
            case.same(conn.cmd(more).code, 503, more)
        works(case, conn)
    unseen(case, "AUTH", "auth", "PBSZ", "PROT", "CCC")
    features = case.login().cmd("FEAT").text
    case.check(not re.search("AUTH|PBSZ|PROT|MODE Z|LPRT", features) and "REST STREAM" in features, features)


def case_injection(case):
    """a command within a command"""
    conn = case.login()
    for line in (b"RETR a\rDELE b\r\n", b"CWD a\0DELE b\r\n", b"DELE \xff\xf4b\r\n", b"PWD\r\r\n", b"\r\n", b" NOOP\r\n",
                 b"NO OP\r\n\0\r\n", b"\xff\xf2\xff\xf4\r\n"):
        conn.send(line + b"NOOP\r\n")
        codes = [conn.reply().code]
        while codes[-1] != 200:
            codes.append(conn.reply().code)
        case.check(all(code in (200, 500, 501, 502) for code in codes), f"{line}: {codes}")
    unseen(case, "DELE")
    # It may have ended: a client that sends nothing but that is none.
    works(case, case.login())


def case_foreign_data(case):
    """another host at the data port"""
    third = THIRD6 if ":" in case.kit.host else THIRD
    conn = case.login()
    for mode in ("pasv", "epsv"):
        if mode not in case.kit.modes:
            continue
        target = conn.passive(mode)
        with socket.socket(socket.AF_INET6 if ":" in third else socket.AF_INET) as sock:
            sock.bind((third, 0))
            sock.settimeout(2)
            try:
                sock.connect(target)
            except OSError:
                pass
            data = Data(socket.create_connection(target, timeout=10))
            conn.send(b"RETR file\r\n")
            conn.expect("RETR", 150)
            case.same(data.read() == pattern(SIZE), True, f"{mode}: what the client gets")
            conn.expect("RETR", 226)
            data.close()
            try:
                got = sock.recv(100)
            except OSError:
                got = b""
            case.same(got, b"", f"{mode}: what another gets")


def case_foreign_active(case):
    """another host calls the client's port"""
    third = THIRD6 if ":" in case.kit.host else THIRD
    conn = case.login()
    for mode in ("port", "eprt"):
        if mode not in case.kit.modes:
            continue
        listener = conn.listen(mode)
        with socket.socket(listener.family) as sock:
            sock.bind((third, 0))
            sock.settimeout(2)
            sock.connect(listener.getsockname()[:2])
            listener.accept()[0].close()  # the client's own matter
        conn.send(b"RETR file\r\n")
        conn.expect("RETR", 150)
        data = Data(listener.accept()[0])
        peer = data.sock.getpeername()[:2]
        case.same(peer, (case.kit.host, 20), f"{mode}: who calls")
        case.check(data.read() == pattern(SIZE), f"{mode}: what comes")
        conn.expect("RETR", 226)
        data.close()
        listener.close()


def case_port_closes(case):
    """a data port ends with its session, its transfer, and the next one"""
    conn = case.login()
    target = conn.passive("epsv")
    second = conn.passive("epsv")
    case.check(target != second, "it is another port")
    refused(case, target, "a port that was replaced")
    case.whole(conn.get("RETR file"), pattern(SIZE), "a download")
    refused(case, second, "a port that was replaced")
    third = conn.passive("epsv")
    conn.close()
    refused(case, third, "a port whose session ended")


def refused(case, target, what):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            with socket.create_connection(target, timeout=1) as sock:
                sock.settimeout(0.2)
                if sock.recv(1) == b"":
                    return
        except OSError:
            return
        time.sleep(0.05)
    case.check(False, f"{what} still takes connections")


def case_second_connection(case):
    """a data port takes one connection"""
    conn = case.login()
    target = conn.passive("epsv")
    data = Data(socket.create_connection(target, timeout=5))
    try:
        second = Data(socket.create_connection(target, timeout=1))
    except OSError:
        second = None
    conn.send(b"RETR file\r\n")
    conn.expect("RETR", 150)
    case.check(data.read() == pattern(SIZE), "what the first gets")
    conn.expect("RETR", 226)
    data.close()
    if second:
        try:
            second.read(timeout=1)
        except ftpclient.Mismatch:
            pass
        case.same(second.got, b"", "what the second gets")
        second.close()


if __name__ == "__main__":
    ftpclient.main(sys.modules["__main__"])
