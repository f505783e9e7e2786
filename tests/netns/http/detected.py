#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What HTTP makes of a detected object, in each framing: a page, or an end that
no client takes for one. (What is detected: delivery_test.sh, download_test.sh.)
"""
import sys

import rawclient

NAME = "Sluice.Test.Eicar.UNOFFICIAL"


def eicar():
    """In two halves, so that no file of ours is taken for it."""
    return (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" +
            b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")


FRAMINGS = ("file", "file-chunked", "file-close")


def case_page(case):
    """a small object: the block page, and the connection goes on"""
    for framing in FRAMINGS:
        conn = case.connect()
        conn.send(case.ask(f"/{framing}/eicar.com"))
        r = conn.response()
        case.page(r, 403, "signature")
        case.match(r.body, NAME, "name on the page")
        case.event(conn, 0, verdict="blocked", reason="signature", name=NAME,
                   status=403, action="block")
        conn.send(case.ask("/ok"))
        case.same(conn.response().body, b"ok\n", "the next answer")


def case_cut(case):
    """a large object: a reset before its end"""
    for version in ("HTTP/1.1", "HTTP/1.0"):
        for framing in FRAMINGS:
            conn = case.connect()
            conn.send(case.ask(f"/{framing}/late.bin?{version[5:]}",
                               version=version))
            r = conn.response()
            case.same((r.status, r.whole, conn.ended), (200, False, "reset"),
                      "the end")
            case.check(b"EICAR" not in r.body, "the last bytes came")
            case.event(conn, verdict="blocked", reason="signature", name=NAME,
                       status=200, action="block")


def case_upload(case):
    """an upload: the page; the origin server hears nothing"""
    conn = case.connect()
    conn.send(case.ask("/upload", method="POST", body=eicar()))
    case.page(conn.response(), 403, "signature")
    conn.send(case.ask("/upload", "Transfer-Encoding: chunked", "Expect: "
                       "100-continue", method="PUT"))
    case.same(conn.response().status, 100, "it is asked for")
    conn.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(eicar()), eicar()))
    case.page(conn.response(), 403, "signature")
    case.unseen()
    for i in range(2):
        case.event(conn, i, verdict="blocked", reason="signature", name=NAME,
                   status=403, action="block", direction="upload")


def main():
    kit = rawclient.Kit(rawclient.arguments().parse_args())
    kit.run_all(sys.modules["__main__"])
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
