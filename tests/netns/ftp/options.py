#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Other ways to scan than ftp/scan.py's, which --set tells: uploads = tail or hold, restart = serve or refuse, not_scanned = allow
or block, mode = hold or tail. Samples are in the directory s of the server.
"""
import os
import sys

import ftpclient

FOUND = "Sluice.Test.Eicar.UNOFFICIAL"
TAIL = 65536


def setup(kit):
    for name in ("options", "kept"):
        os.makedirs(kit.path(name), exist_ok=True)
        os.chmod(kit.path(name), 0o777)
    with open(kit.path("small"), "wb") as f:
        f.write(b"small\n")
    # Once: a part of another one of that name would be held against it.
    if os.path.exists(kit.path("large")):
        return
    with open(kit.path("large"), "wb") as f:
        f.write(bytes(b | 128 for b in os.urandom(3000000)))


def option(case, name):
    return case.kit.args.set[name]


def write(case, name, content):
    with open(case.kit.path(name), "wb") as f:
        f.write(content)
    os.chmod(case.kit.path(name), 0o666)


def case_downloads(case):
    """downloads: nothing leaves before the verdict, or all but the end"""
    for mode in case.kit.modes:
        for name in ("eicar.com", "eicar-at-end.bin"):
            conn = case.login()
            content = case.kit.file(f"s/{name}")
            result = conn.get(f"RETR s/{name}", mode)
            case.same(result.code, 550, f"{mode}, {name}")
            limit = 0 if option(case, "mode") == "hold" else max(len(content) - TAIL, 0)
            case.check(len(result.got) <= limit, f"{mode}, {name}: {len(result.got)} bytes")
            case.event(conn, verdict="blocked", reason="signature", name=FOUND, status=550)
        case.whole(case.login().get("RETR large", mode), case.kit.file("large"), f"{mode}: what is clean")


def case_uploads(case):
    """uploads with malware: no such file is at the server when it is said"""
    for mode in case.kit.modes:
        for name in ("eicar.com", "eicar.zip", "eicar-at-end.bin"):
            conn = case.login()
            result = conn.put(f"STOR options/{name}", case.kit.file(f"s/{name}"), mode)
            case.same(result.code, 550, f"{mode}, {name}")
            case.match(result.last.text, FOUND, f"{mode}, {name}")
            case.check(not os.path.exists(case.kit.path(f"options/{name}")), f"{mode}, {name}: it is there")
            case.event(conn, method="STOR", verdict="blocked", reason="signature", name=FOUND, status=550)
            case.goes_on(conn)


def case_not_deleted(case):
    """... nor a whole one where it can't be deleted"""
    directory = case.kit.path("kept")
    for name in ("eicar.com", "eicar-at-end.bin"):
        content = case.kit.file(f"s/{name}")
        write(case, f"kept/{name}", b"before")
        os.chmod(directory, 0o755)
        try:
            result = case.login().put(f"STOR kept/{name}", content)
        finally:
            os.chmod(directory, 0o777)
        case.same(result.code, 550, name)
        stored = case.kit.file(f"kept/{name}") if os.path.exists(case.kit.path(f"kept/{name}")) else b""
        case.check(len(stored) <= max(len(content) - TAIL, 6), f"{name}: {len(stored)} bytes are there")


def case_upload_clean(case):
    """uploads that are clean"""
    conn = case.login()
    for mode in case.kit.modes:
        for size in (0, 1, 65536, 65537, 3000000):
            content = bytes(b | 128 for b in os.urandom(size))
            case.same(conn.put(f"STOR options/{size}", content, mode).code, 226, f"{mode}, {size} bytes")
            case.check(case.kit.file(f"options/{size}") == content, f"{mode}, {size} bytes: what was stored")
            case.event(conn, verdict="clean", status=226, bytes_in=size)


def case_append(case):
    """APPE"""
    write(case, "options/append", b"first")
    conn = case.login()
    result = conn.put("APPE options/append", b"second")
    allowed = option(case, "not_scanned") == "allow"
    case.same(result.code, 226 if allowed else 550, "the reply")
    case.same(case.kit.file("options/append"), b"firstsecond" if allowed else b"first", "the file")
    case.event(conn, verdict="not_scanned", reason="partial", action="allow" if allowed else "block")


def case_restarted_upload(case):
    """REST before STOR"""
    write(case, "options/restart", b"0123456789")
    conn = case.login()
    if option(case, "restart") == "refuse":
        case.check(conn.cmd("REST 5").code in (502, 504), "REST")
        case.goes_on(conn)
        return
    conn.cmd("REST 5", 350)
    result = conn.put("STOR options/restart", b"abcde")
    allowed = option(case, "not_scanned") == "allow"
    case.same(result.code, 226 if allowed else 550, "the reply")
    case.same(case.kit.file("options/restart"), b"01234abcde" if allowed else b"0123456789", "the file")
    case.event(conn, verdict="not_scanned", reason="partial", action="allow" if allowed else "block")
    # REST is good for one command.
    case.same(conn.put("STOR options/restart", b"anew").code, 226, "the next")
    case.same(case.kit.file("options/restart"), b"anew", "the next file")


def case_restarted_download(case):
    """REST before RETR"""
    conn = case.login()
    content = case.kit.file("large")
    reply = conn.cmd("REST 1000000")
    if option(case, "restart") == "refuse":
        case.check(reply.code in (502, 504), f"{reply!r}")
        case.whole(conn.get("RETR large"), content, "all of it")
        return
    case.same(reply.code, 350, "REST")
    case.whole(conn.get("RETR large"), content[1000000:], "the rest")
    case.event(conn, verdict="clean", status=226, bytes_out=len(content) - 1000000)


if __name__ == "__main__":
    ftpclient.main(sys.modules["__main__"], setup)
