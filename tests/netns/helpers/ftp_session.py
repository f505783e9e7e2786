#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A session of python's ftplib, as lib_ftp.sh's other clients have one.

ftp_session.py MODE HOST USER PASSWORD DIRECTORY HALF NEW_DIRECTORY NAME NAME2
"""
import ftplib
import socket
import sys


class Client(ftplib.FTP):
    """Of any mode on any family: ftplib knows only the one that each family needs."""

    def __init__(self, mode, *args, **kwargs):
        self.mode = mode
        super().__init__(*args, **kwargs)
        self.set_pasv(mode in ("pasv", "epsv"))

    def makepasv(self):
        if self.mode == "pasv":
            return super().makepasv()
        return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())

    def makeport(self):
        host = self.sock.getsockname()[0]
        sock = socket.create_server((host, 0), family=self.af, backlog=1)
        sock.settimeout(self.timeout)
        port = sock.getsockname()[1]
        if self.mode == "port":
            self.sendport(host, port)
        else:
            self.sendeprt(host, port)
        return sock


def main(mode, host, user, password, where, half, directory, name, name2):
    half = int(half)
    with Client(mode, host, user, password, timeout=20, encoding="utf-8") as ftp:
        ftp.cwd(where)
        with open("list", "w", encoding="utf-8") as f:
            ftp.retrlines("LIST", lambda line: print(line, file=f))
        with open("blob", "wb") as f:
            ftp.retrbinary("RETR blob", f.write)
        with open("new.bin", "rb") as f:
            ftp.storbinary("STOR new.bin", f)
        with open("down.bin", "ab") as f:
            ftp.retrbinary("RETR down.bin", f.write, rest=half)
        with open("up.bin", "rb") as f:
            f.seek(half)
            ftp.storbinary("STOR up.bin", f, rest=half)
        with open("text.txt", "w", encoding="utf-8") as f:
            ftp.retrlines("RETR text.txt", lambda line: print(line, file=f))
        ftp.mkd(directory)
        with open("new.bin", "rb") as f:
            ftp.storbinary(f"STOR {directory}/{name}", f)
        ftp.rename(f"{directory}/{name}", f"{directory}/{name2}")
        with open(name2, "wb") as f:
            ftp.retrbinary(f"RETR {directory}/{name2}", f.write)
        ftp.delete("old")
        ftp.rmd("empty")
        ftp.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
