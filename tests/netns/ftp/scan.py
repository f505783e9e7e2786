#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Malware on its way, with uploads = "hold", restart = "serve" and not_scanned = "block": none arrives, and what a client gets it
can't take for whole. Samples are in the directory s of the server.
"""
import os
import socket
import sys

import ftpclient
from ftpclient import Data, Result

FOUND = "Sluice.Test.Eicar.UNOFFICIAL"
TAIL = 65536
BAD = ("eicar.com", "eicar.zip", "eicar2.zip", "eicar.com.gz", "eicar-at-end.bin")
SMALL = b"clean\n" * 100


def noise(size):
    """Nothing in there looks like the beginning of an archive."""
    return bytes(b | 128 for b in os.urandom(size))


def write(case, name, content):
    with open(case.kit.path(name), "wb") as f:
        f.write(content)
    os.chmod(case.kit.path(name), 0o666)


def setup(kit):
    for name in ("up", "locked"):
        os.makedirs(kit.path(name), exist_ok=True)
        os.chmod(kit.path(name), 0o777)
    with open(kit.path("small"), "wb") as f:
        f.write(SMALL)
    with open(kit.path("clean-3m"), "wb") as f:
        f.write(noise(3000000))


def blocked(case, conn, result, content, what):
    """@result is no whole file to its client, and it was told why."""
    case.same(result.code, 550, f"{what}: the reply")
    text = (result.last or result.first).text
    case.match(text, rf"Blocked.*{FOUND}", f"{what}: the reply")
    if result.got:
        case.same(result.ended, "reset", f"{what}: the data connection's end")
    if len(content) < 1 << 20:
        case.same(result.got, b"", f"{what}: data of what is held")
    case.check(len(result.got) <= max(len(content) - TAIL, 0), f"{what}: {len(result.got)} bytes of {len(content)}")
    case.event(conn, protocol="ftp", verdict="blocked", reason="signature", name=FOUND, status=550, action="block",
               rule="scan", host=case.kit.host, user=case.kit.args.user)


def case_downloads(case):
    """downloads with malware, in every mode"""
    for mode in case.kit.modes:
        for name in BAD:
            conn = case.login()
            content = case.kit.file(f"s/{name}")
            blocked(case, conn, conn.get(f"RETR s/{name}", mode), content, f"{mode}, {name}")
            case.event(conn, method="RETR", direction="download", url=url(case, f"s/{name}"))
            case.goes_on(conn)


def url(case, path):
    host = case.kit.host
    return f"ftp://[{host}]:21/{path}" if ":" in host else f"ftp://{host}/{path}"


def case_clean(case):
    """what is clean, in every mode"""
    conn = case.login()
    for mode in case.kit.modes:
        for name in ("clean.txt", "clean.bin", "clean.zip", "../clean-3m"):
            case.whole(conn.get(f"RETR s/{name}", mode), case.kit.file(f"s/{name}"), f"{mode}, {name}")
            case.event(conn, verdict="clean", status=226, action="allow", bytes_in=0,
                       bytes_out=len(case.kit.file(f"s/{name}")))


def case_one_session(case):
    """bad and clean files in turn, in one session"""
    conn = case.login()
    for name in BAD:
        case.same(conn.get(f"RETR s/{name}").code, 550, name)
        case.goes_on(conn)
        case.same(conn.put(f"STOR up/{name}", case.kit.file(f"s/{name}")).code, 550, f"upload of {name}")
        case.goes_on(conn)


def case_ascii(case):
    """malware in type A"""
    conn = case.login()
    conn.cmd("TYPE A", 200)
    case.same(conn.get("RETR s/eicar.com").code, 550, "a download")
    case.same(conn.put("STOR up/ascii", case.kit.file("s/eicar.com")).code, 550, "an upload")
    case.check(not os.path.exists(case.kit.path("up/ascii")), "it was stored")


def case_listings(case):
    """a listing isn't scanned, whatever names are in it"""
    conn = case.login()
    result = conn.get("LIST s")
    case.check(result.whole and b"eicar.com" in result.got, f"{result!r}")


def case_tail(case):
    """tail: bytes that come before the verdict, but for the last"""
    for mode in case.kit.modes:
        if mode in ("port", "eprt"):
            continue  # all may be here before the client is
        content = noise(3000000) + case.kit.file("s/eicar.zip")
        write(case, "up/tail", content)
        conn = case.login()
        first, data = conn.start("RETR up/tail", mode)
        data.read()
        data.close()
        case.check(data.got and content.startswith(data.got), f"{mode}: {len(data.got)} early bytes")
        blocked(case, conn, Result(first, conn.reply(), data), content, mode)


def case_uploads(case):
    """uploads with malware: nothing is stored"""
    for mode in case.kit.modes:
        for name in BAD:
            conn = case.login()
            content, where = case.kit.file(f"s/{name}"), f"up/{mode}-{name}"
            result = conn.put(f"STOR {where}", content, mode)
            case.same(result.code, 550, f"{mode}, {name}: the reply")
            case.match(result.last.text, FOUND, f"{mode}, {name}: the reply")
            case.check(not os.path.exists(case.kit.path(where)), f"{mode}, {name}: it was stored")
            case.event(conn, method="STOR", verdict="blocked", reason="signature", name=FOUND, status=550, action="block",
                       direction="upload", bytes_in=len(content), bytes_out=0, url=url(case, where))
            case.goes_on(conn)


def case_upload_over(case):
    """an upload with malware over a file that is there"""
    conn = case.login()
    for name in BAD:
        where = case.kit.path("up/before")
        write(case, "up/before", b"as it was")
        os.utime(where, (1000000000, 1000000000))
        case.same(conn.put("STOR up/before", case.kit.file(f"s/{name}")).code, 550, name)
        case.same((case.kit.file("up/before"), os.stat(where).st_mtime), (b"as it was", 1000000000), "the file of before")


def case_upload_clean(case):
    """uploads that are clean"""
    conn = case.login()
    for mode in case.kit.modes:
        for size in (0, 1, 16384, 65536, 65537, 1048577):
            content = noise(size)
            case.same(conn.put(f"STOR up/clean-{size}", content, mode).code, 226, f"{mode}, {size} bytes")
            case.check(case.kit.file(f"up/clean-{size}") == content, f"{mode}, {size} bytes: what was stored")
            case.event(conn, method="STOR", verdict="clean", status=226, bytes_in=size)


def case_upload_refused(case):
    """an upload that the server doesn't want"""
    conn = case.login()
    result = conn.put("STOR nothing/here", SMALL)
    case.check(result.code in (550, 553), f"{result!r}")
    case.goes_on(conn)


def case_upload_cut(case):
    """an upload that the client cuts off is not stored"""
    for mode in case.kit.modes:
        conn = case.login()
        _, data = conn.start("STOR up/cut", mode)
        data.write(SMALL)
        data.reset()
        reply = conn.reply()
        case.check(400 <= reply.code < 500, f"{mode}: {reply!r}")
        case.goes_on(conn)
        case.check(not os.path.exists(case.kit.path("up/cut")), f"{mode}: it was stored")


def case_partial_uploads(case):
    """APPE, and STOR behind REST: what becomes of it can't be scanned"""
    write(case, "up/part", b"first")
    for lines in (("APPE up/part",), ("REST 5", "STOR up/part")):
        conn = case.login()
        for line in lines[:-1]:
            conn.cmd(line, 350)
        result = conn.put(lines[-1], b"second")
        case.same(result.code, 550, lines[-1])
        case.event(conn, verdict="not_scanned", reason="partial", action="block", rule="scan.not_scanned", status=550)
        case.goes_on(conn)
        case.same(case.kit.file("up/part"), b"first", f"{lines}: the file")


def case_unique(case):
    """STOU"""
    conn = case.login()
    conn.cmd("CWD up", 250)
    before = set(os.listdir(case.kit.path("up")))
    result = conn.put("STOU", case.kit.file("s/eicar.com"))
    case.check(result.code in (550, 502, 500, 504), f"{result!r}")
    case.same(set(os.listdir(case.kit.path("up"))), before, "files")


def case_restarts(case):
    """REST before RETR: the rest of what was scanned whole"""
    conn = case.login()
    for name in ("clean-3m", "s/clean.bin", "small"):
        content = case.kit.file(name)
        for at in (0, 1, 100, len(content) // 2, len(content) - 1, len(content)):
            conn.cmd(f"REST {at}", 350)
            case.whole(conn.get(f"RETR {name}", case.kit.modes[at % 2]), content[at:], f"{name} from {at}")
        # REST is good for one command.
        case.whole(conn.get(f"RETR {name}"), content, f"{name} behind all that")


def case_restart_bad(case):
    """REST doesn't get a client behind the place with the malware"""
    for name in BAD:
        content = case.kit.file(f"s/{name}")
        for at in (1, len(content) // 2, len(content) - 20, len(content) - 1, len(content)):
            conn = case.login()
            conn.cmd(f"REST {at}", 350)
            result = conn.get(f"RETR s/{name}")
            case.same(result.code, 550, f"{name} from {at}")
            case.check(len(result.got) <= max(len(content) - at - TAIL, 0), f"{name} from {at}: {result!r}")


# More than the buffers between the gateway and a client that doesn't read: else all may have left, and nothing broke.
BUFFERS = 8 << 20


def case_broken_off(case):
    """a download that goes on where it was broken off"""
    content = noise(BUFFERS)
    write(case, "up/broken", content)
    for mode in (case.kit.modes[0], case.kit.modes[-1]):
        conn = case.login()
        conn.data_rcvbuf = 65536
        _, data = conn.start("RETR up/broken", mode)
        data.read(1500000)
        conn.reset()
        data.reset()
        conn = case.login()
        conn.cmd(f"REST {len(data.got)}", 350)
        case.whole(conn.get("RETR up/broken", mode), content[len(data.got):], mode)


def case_changed(case):
    """an object that is another one when it goes on"""
    for mode in (case.kit.modes[0], case.kit.modes[-1]):
        name = f"up/changes-{mode}"
        write(case, name, noise(BUFFERS))
        conn = case.login()
        conn.data_rcvbuf = 65536
        _, data = conn.start(f"RETR {name}", mode)
        data.read(1500000)
        data.close()
        reply = conn.reply()
        case.check(reply.code != 226, f"{mode}: {reply!r}")
        with open(case.kit.path(name), "r+b") as f:
            f.seek(1000)
            f.write(b"of another object")
        conn = case.login()
        conn.cmd(f"REST {len(data.got)}", 350)
        result = conn.get(f"RETR {name}", mode)
        case.same(result.code, 550, f"{mode}: {result!r}")
        case.event(conn, verdict="not_scanned", reason="partial", action="block")


def case_pieces(case):
    """malware of which each piece is harmless"""
    content = case.kit.file("s/eicar.com")
    got = b""
    for at in range(0, len(content), 10):
        conn = case.login()
        conn.cmd(f"REST {at}", 350)
        first, data = conn.start("RETR s/eicar.com", "epsv")
        if data:
            data.read(10)
            got += data.got
            data.close()
    case.same(got, b"", "what came in all")


def case_together(case):
    """good and bad files for many sessions at once"""
    conns = [case.login() for _ in range(12)]
    started = [conn.start("RETR " + ("s/eicar-at-end.bin" if i % 2 else "clean-3m"), case.kit.modes[i % len(case.kit.modes)])
               for i, conn in enumerate(conns)]
    clean = case.kit.file("clean-3m")
    for i, (first, data) in enumerate(started):
        data.read()
        data.close()
        result = Result(first, conns[i].reply(), data)
        if i % 2:
            case.same((result.code, result.ended), (550, "reset" if result.got else "fin"), f"session {i}")
        else:
            case.whole(result, clean, f"session {i}")


def case_nobody_reads(case):
    """a client that doesn't read what is held for it, and goes"""
    conn = case.login()
    target = conn.passive("epsv")
    with socket.create_connection(target, timeout=10) as sock:
        conn.send(b"RETR clean-3m\r\n")
        conn.expect("RETR", 150, 125)
        Data(sock).read(1)
        conn.reset()
    case.goes_on(case.login())


if __name__ == "__main__":
    ftpclient.main(sys.modules["__main__"], setup)
