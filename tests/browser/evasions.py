#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Responses that are meant to get something past a scanner, and odd ones that
real servers send. Each case is what a server puts on the wire around a body;
what clients make of it is measured by evasion_test.sh and held against
evasions.tsv.

usage: evasions.py serve PORT FOLDER    an origin server; FOLDER has the bodies
                                        "sample", "clean" and "twin", and
                                        each with .br and .zst behind
       evasions.py list                 a line each: the case, a tab, its group
GET /case/NAME/sample and /case/NAME/clean are answered as the case has it, all
else from FOLDER; /told?... is written to standard output.
"""
import base64
import gzip
import os
import socket
import socketserver
import struct
import sys
import time
import urllib.parse
import zlib

FOLDER = "."
CASES = []  # (name, group, function of a Body that gives bytes)
GROUP = ""  # that the next cases belong to; README.md says why of each


def group(name):
    global GROUP
    GROUP = name


def case(name):
    """Declares a case; its function gets a Body."""
    def keep(make):
        CASES.append((name.replace(" ", "-"), GROUP, make))
        return make
    return keep


class Body:
    """What is to be delivered, in its codings."""

    def __init__(self, kind):
        self.kind = kind
        self.plain = read(kind)
        self.gz = gzip.compress(self.plain, mtime=0)
        self.zlib = zlib.compress(self.plain)
        self.raw = deflate(self.plain)
        self.br = read(kind + ".br")
        self.zst = read(kind + ".zst")
        self.twin = read("twin")  # what stands beside the body, if anything


def read(name):
    with open(os.path.join(FOLDER, name), "rb") as f:
        return f.read()


def deflate(data, final=True):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush(zlib.Z_FINISH if final
                                      else zlib.Z_SYNC_FLUSH)


def gz_member(data, flags=0, extra=b"", crc=None, size=None, method=8,
              final=True, trailer=True):
    """RFC 1952, with whatever is wrong with it."""
    crc = zlib.crc32(data) if crc is None else crc
    size = len(data) if size is None else size
    head = struct.pack("<BBBBIBB", 0x1f, 0x8b, method, flags, 0, 2, 3) + extra
    tail = struct.pack("<II", crc, size & 0xffffffff) if trailer else b""
    return head + deflate(data, final) + tail


def answer(body, *fields, status=b"HTTP/1.1 200 OK", length=True, end=b"\r\n",
           kind=b"application/octet-stream"):
    """A response; Content-Length unless @length says otherwise."""
    lines = [status] + ([b"Content-Type: " + kind] if kind else [])
    lines += [f if isinstance(f, bytes) else f.encode() for f in fields]
    if length is True:
        lines.append(b"Content-Length: %d" % len(body))
    lines.append(b"Connection: close")
    return end.join(lines) + end + end + body


def coded(body, value):
    return answer(body, b"Content-Encoding: " + value)


def chunks(data, size=40):
    return [data[i:i + size] for i in range(0, len(data), size)]


def chunked(data, first=b"%x\r\n", rest=b"%x\r\n", tail=b"\r\n",
            last=b"0\r\n\r\n"):
    out, form = b"", first
    for piece in chunks(data):
        out += form % len(piece) + piece + tail
        form = rest
    return out + last


def in_chunks(body, *fields, te=b"Transfer-Encoding: chunked", **how):
    status = how.pop("status", b"HTTP/1.1 200 OK")
    return answer(chunked(body, **how), te, *fields, status=status,
                  length=False)


# --- content codings: what browsers decode under which name ------------------
group("codings")

def spelling(name, value, coding="gz"):
    case(name)(lambda b: coded(getattr(b, coding), value))


case("plain")(lambda b: answer(b.plain))
spelling("gzip", b"gzip")
spelling("x-gzip", b"x-gzip")
spelling("gzip in capitals", b"GZIP")
spelling("gzip and spaces", b"  gzip \t ")
spelling("gzip and a comma", b"gzip,")
spelling("a comma and gzip", b", gzip")
spelling("gzip and identity", b"gzip, identity")
spelling("identity and gzip", b"identity, gzip")
spelling("gzip with a parameter", b"gzip;q=1")
spelling("gzip in quotes", b'"gzip"')
spelling("gzip behind a vertical tab", b"\x0bgzip")
spelling("gzip and an unknown coding", b"gzip, bogus")
spelling("an unknown coding and gzip", b"bogus, gzip")
spelling("an unknown coding that is gzip", b"bogus")
spelling("none that is gzip", b"none")
spelling("deflate is zlib", b"deflate", "zlib")
spelling("deflate is raw", b"deflate", "raw")
spelling("deflate is gzip", b"deflate")
spelling("gzip is zlib", b"gzip", "zlib")
spelling("gzip is raw deflate", b"gzip", "raw")
spelling("x-deflate", b"x-deflate", "zlib")
spelling("br", b"br", "br")
spelling("br in capitals", b"BR", "br")
spelling("zstd", b"zstd", "zst")
spelling("gzip that is br", b"gzip", "br")
spelling("br that is gzip", b"br")
spelling("gzip that is plain", b"gzip", "plain")
spelling("deflate that is plain", b"deflate", "plain")
spelling("br that is plain", b"br", "plain")
spelling("identity", b"identity", "plain")
spelling("none", b"none", "plain")
spelling("utf-8", b"utf-8", "plain")
spelling("binary", b"binary", "plain")
spelling("none and gzip", b"none, gzip")
spelling("x-gzip in capitals", b"X-GZIP")
spelling("gzip behind a tab", b"\tgzip")
spelling("gzip among empty members", b",, gzip ,,")
spelling("an empty coding", b"", "plain")
case("no coding said, gzip")(lambda b: answer(b.gz))
case("twice gzip, a list")(lambda b: coded(gzip.compress(b.gz), b"gzip, gzip"))
case("twice gzip, two fields")(lambda b: answer(
    gzip.compress(b.gz), "Content-Encoding: gzip", "Content-Encoding: gzip"))
case("twice gzip, said once")(lambda b: coded(gzip.compress(b.gz), b"gzip"))
case("once gzip, said twice")(lambda b: coded(b.gz, b"gzip, gzip"))
case("deflate, then gzip")(lambda b: coded(gzip.compress(b.zlib),
                                           b"deflate, gzip"))
case("br, then gzip")(lambda b: coded(gzip.compress(b.br), b"br, gzip"))
case("gzip, said the other way round")(lambda b: coded(gzip.compress(b.zlib),
                                                       b"gzip, deflate"))


def times(data, n):
    for _ in range(n):
        data = gzip.compress(data)
    return data


case("five times gzip")(lambda b: coded(times(b.plain, 5),
                                        b", ".join([b"gzip"] * 5)))
case("twelve times gzip")(lambda b: coded(times(b.plain, 12),
                                          b", ".join([b"gzip"] * 12)))


def two_minds(data):
    """
    For who reads zlib: three bytes and a wrong checksum. For who then begins
    again and takes it for bare deflate: a stored block, and behind it @data.
    """
    return b"\x78\x9c\x0b\x63\xf4" + bytes(0x0b9c) + deflate(data)


# --- gzip that isn't as it should be -----------------------------------------
group("damaged")

def member(name, **how):
    case(name)(lambda b: coded(gz_member(b.plain, **how), b"gzip"))


member("gzip with a name", flags=8, extra=b"name\0")
member("gzip with a comment", flags=16, extra=b"comment\0")
member("gzip with an extra field", flags=4, extra=b"\5\0hello")
member("gzip with a head's checksum", flags=2, extra=b"\0\0")
member("gzip with reserved flags", flags=0xe0)
member("gzip with a long name", flags=8, extra=b"n" * 100000 + b"\0")
member("gzip with a long comment", flags=16, extra=b"c" * 100000 + b"\0")
member("gzip with a long extra field", flags=4,
       extra=b"\xff\xff" + b"e" * 65535)
member("gzip with all of a head", flags=31, extra=b"\5\0hellon\0c\0\0\0")
member("gzip of another method", method=7)
member("gzip with a wrong checksum", crc=1)
member("gzip with a wrong length", size=1)
member("gzip without its trailer", trailer=False)
member("gzip without its end", final=False, trailer=False)
case("gzip, half a trailer")(lambda b: coded(b.gz[:-4], b"gzip"))

# Behind a block that isn't the last one.
for what, block in (("a reserved block type", b"\x06"),
                    ("lengths that don't agree", b"\x00\1\0\1\0"),
                    ("a distance too far", b"\x03\xde\xff\x0f")):
    case("gzip, " + what + " in it")(lambda b, block=block: coded(
        gz_member(b.plain, final=False, trailer=False) + block + bytes(64),
        b"gzip"))
case("gzip, behind an empty member")(
    lambda b: coded(gzip.compress(b"") + b.gz, b"gzip"))
case("gzip, behind another member")(
    lambda b: coded(gzip.compress(b.twin) + b.gz, b"gzip"))
case("gzip, behind a hundred members")(
    lambda b: coded(gzip.compress(b.twin) * 100 + b.gz, b"gzip"))
case("gzip, garbage behind it")(lambda b: coded(b.gz + b"garbage", b"gzip"))
case("gzip, zeros behind it")(lambda b: coded(b.gz + bytes(600), b"gzip"))
case("gzip, and plain behind it")(
    lambda b: coded(gzip.compress(b.twin) + b.plain, b"gzip"))
case("gzip behind garbage")(lambda b: coded(b"garbage" + b.gz, b"gzip"))
case("zlib with a wrong checksum")(
    lambda b: coded(b.zlib[:-4] + b"\0\0\0\0", b"deflate"))
case("deflate of two minds")(lambda b: coded(two_minds(b.plain), b"deflate"))
case("zlib without its checksum")(lambda b: coded(b.zlib[:-4], b"deflate"))
case("zlib, garbage behind it")(
    lambda b: coded(b.zlib + b"garbage", b"deflate"))
case("bare deflate, garbage behind it")(
    lambda b: coded(b.raw + b"garbage", b"deflate"))
case("bare deflate, another behind it")(
    lambda b: coded(deflate(b.twin) + b.raw, b"deflate"))
case("zstd, a frame of 0.7 behind it")(
    lambda b: coded(b.zst + b"\x27\xb5\x2f\xfd" + bytes(20), b"zstd"))
case("zlib with a dictionary's flag")(
    lambda b: coded(b"\x78\xbb\0\0\0\1" + b.raw, b"deflate"))
case("br, garbage behind it")(lambda b: coded(b.br + b"garbage", b"br"))
case("zstd, two frames")(lambda b: coded(read("twin.zst") + b.zst, b"zstd"))
case("zstd behind a skippable frame")(
    lambda b: coded(b"\x50\x2a\x4d\x18\4\0\0\0skip" + b.zst, b"zstd"))
case("gzip, the length says less")(lambda b: answer(
    b.gz, "Content-Encoding: gzip", "Content-Length: %d" % (len(b.gz) - 4),
    length=False))
case("gzip, the length says more")(lambda b: answer(
    b.gz, "Content-Encoding: gzip", "Content-Length: %d" % (len(b.gz) + 4),
    length=False))

# --- how the coding's field is written ---------------------------------------
group("fields")


def field(name, *lines):
    case(name)(lambda b: answer(b.gz, *lines))


field("gzip, the field in small letters", b"content-encoding: gzip")
field("gzip, no space in the field", b"Content-Encoding:gzip")
field("gzip, a space before the colon", b"Content-Encoding : gzip")
field("gzip, a folded field", b"Content-Encoding:\r\n gzip")
field("gzip, folded in the middle", b"Content-Encoding: gz\r\n ip")
field("gzip, a field behind LF alone", b"X: y\nContent-Encoding: gzip")
field("gzip, a field behind CR alone", b"X: y\rContent-Encoding: gzip")
field("gzip, a NUL in the field", b"Content-Encoding: gzip\0")
field("gzip, a high byte in front", b"Content-Encoding: \xa0gzip")
field("gzip, the last of two fields", b"Content-Encoding: bogus",
      b"Content-Encoding: gzip")
field("gzip, the first of two fields", b"Content-Encoding: gzip",
      b"Content-Encoding: bogus")
field("gzip, a line without a colon", b"nonsense", b"Content-Encoding: gzip")
case("gzip, said in a trailer")(lambda b: in_chunks(
    b.gz, "Trailer: Content-Encoding",
    last=b"0\r\nContent-Encoding: gzip\r\n\r\n"))
case("base64, said in a field")(lambda b: answer(
    base64.b64encode(b.plain), "Content-Transfer-Encoding: base64"))

# --- transfer codings --------------------------------------------------------
group("chunks")


def by_chunks(name, **how):
    case(name)(lambda b: in_chunks(b.plain, **how))


def transfer(name, value):
    by_chunks(name, te=b"Transfer-Encoding: " + value)


transfer("chunked", b"chunked")
transfer("chunked in capitals", b"CHUNKED")
transfer("chunked and spaces", b"  chunked \t")
transfer("chunked and a comma", b"chunked,")
transfer("identity, chunked", b"identity, chunked")
transfer("chunked, identity", b"chunked, identity")
transfer("chunked, chunked", b"chunked, chunked")
transfer("identity alone, chunks", b"identity")
transfer("identity in capitals, chunked", b"Identity, Chunked")
transfer("xchunked", b"xchunked")
transfer("chunked in quotes", b'"chunked"')
transfer("chunked behind a vertical tab", b"\x0bchunked")
transfer("chunked with a parameter", b"chunked;a=b")
case("gzip, chunked as transfer coding")(
    lambda b: in_chunks(b.gz, te=b"Transfer-Encoding: gzip, chunked"))
case("gzip as transfer coding")(lambda b: answer(
    b.gz, "Transfer-Encoding: gzip", length=False))
case("chunked twice")(lambda b: in_chunks(
    b.plain, "Transfer-Encoding: chunked"))
case("chunked and a length")(lambda b: in_chunks(b.plain, "Content-Length: 5"))
case("chunked, and identity behind it")(lambda b: in_chunks(
    b.plain, "Transfer-Encoding: identity"))
case("gzip, and chunked behind it")(lambda b: in_chunks(
    b.gz, "Transfer-Encoding: chunked", te=b"Transfer-Encoding: gzip"))
case("identity alone")(lambda b: answer(
    b.plain, "Transfer-Encoding: identity", length=False))
case("a length and an empty coding")(lambda b: answer(
    b.plain, "Transfer-Encoding:"))
case("a length and identity")(lambda b: answer(
    b.plain, "Transfer-Encoding: identity"))
by_chunks("chunked, a space before the colon",
          te=b"Transfer-Encoding : chunked")
by_chunks("chunked, folded", te=b"Transfer-Encoding:\r\n chunked")
by_chunks("chunked, said by HTTP/1.0", status=b"HTTP/1.0 200 OK")
case("chunked and gzip")(lambda b: in_chunks(b.gz, "Content-Encoding: gzip"))


def sizes(name, form, **how):
    by_chunks(name, first=form, rest=form, **how)


sizes("chunk sizes in capitals", b"%X\r\n")
sizes("chunk sizes with zeros", b"%020x\r\n")
sizes("chunk sizes with 0x", b"0x%x\r\n")
sizes("chunk sizes with a plus", b"+%x\r\n")
sizes("chunk sizes behind a space", b" %x\r\n")
sizes("chunk sizes before spaces", b"%x  \r\n")
sizes("chunk sizes with an extension", b"%x;a=b\r\n")
sizes("chunk sizes with a quoted extension", b'%x;a="b;\\"c"\r\n')
sizes("chunk sizes before tabs", b"%x\t\r\n")
sizes("chunk sizes and spaces before an extension", b"%x ; a=b\r\n")
sizes("chunk sizes of 17 digits", b"1%016x\r\n")
sizes("chunk sizes with CR LF in quotes", b'%x;a="\r\n"\r\n')
sizes("chunk sizes with LF in an extension", b"%x;a\nb\r\n")
sizes("chunk sizes with CR in an extension", b"%x;a\rb\r\n")
sizes("chunk sizes with LF behind an extension", b"%x;a\n")
sizes("chunk sizes with a long extension", b"%x;" + b"a" * 5000 + b"\r\n")
sizes("chunk sizes with garbage", b"%x garbage\r\n")
sizes("chunk sizes before LF alone", b"%x\n")
sizes("chunks before LF alone", b"%x\r\n", tail=b"\n")
sizes("chunks with more than they say", b"%x\r\n", tail=b"x\r\n")
sizes("chunked without its end", b"%x\r\n", last=b"")
sizes("chunked, the end before LF alone", b"%x\r\n", last=b"0\n\n")
sizes("chunked, ends in zeros", b"%x\r\n", last=b"000\r\n\r\n")
sizes("chunked, a trailer", b"%x\r\n", last=b"0\r\nX-Sum: 1\r\n\r\n")
sizes("chunked, a length in a trailer", b"%x\r\n",
      last=b"0\r\nContent-Length: 5\r\n\r\n")
sizes("chunked, a coding in a trailer", b"%x\r\n",
      last=b"0\r\nTransfer-Encoding: identity\r\n\r\n")
sizes("chunked, a folded trailer", b"%x\r\n",
      last=b"0\r\nX-Sum: 1\r\n 2\r\n\r\n")
sizes("chunked, garbage behind the end", b"%x\r\n",
      last=b"0\r\n\r\ngarbage")

# --- lengths -----------------------------------------------------------------
group("lengths")


def lengths(name, *values):
    case(name)(lambda b: answer(
        b.plain, *[v.replace(b"N", b"%d" % len(b.plain)) for v in values],
        length=False))


lengths("no length")
lengths("the same length twice", b"Content-Length: N", b"Content-Length: N")
lengths("a list of lengths", b"Content-Length: N, N")
lengths("a list of lengths that differ", b"Content-Length: 5, N")
lengths("a length and a comma", b"Content-Length: N,")
lengths("a length in hexadecimal", b"Content-Length: 0xN")
lengths("a length and a space before the colon", b"Content-Length : N")
lengths("two lengths, the first less", b"Content-Length: 5",
        b"Content-Length: N")
lengths("two lengths, the last less", b"Content-Length: N",
        b"Content-Length: 5")
lengths("a length with a plus", b"Content-Length: +N")
lengths("a length with zeros", b"Content-Length: 000N")
lengths("a length and a space", b"Content-Length: N \t")
lengths("a length with a point", b"Content-Length: N.0")
lengths("a length below 0", b"Content-Length: -1")
lengths("a length that is empty", b"Content-Length:")
lengths("a length beyond 64 bits", b"Content-Length: 99999999999999999999")
lengths("a length of 0", b"Content-Length: 0")
lengths("a length that is too large", b"Content-Length: N0")

# --- heads -------------------------------------------------------------------
group("heads")


def line(name, status):
    case(name)(lambda b: answer(b.plain, status=status))


line("HTTP/1.0", b"HTTP/1.0 200 OK")
line("HTTP/1.2", b"HTTP/1.2 200 OK")
line("HTTP/2.0", b"HTTP/2.0 200 OK")
line("HTTP/0.8", b"HTTP/0.8 200 OK")
line("HTTP/11.1", b"HTTP/11.1 200 OK")
line("HTTP/1", b"HTTP/1 200 OK")
line("http in small letters", b"http/1.1 200 OK")
line("ICY", b"ICY 200 OK")
line("no reason", b"HTTP/1.1 200")
line("no reason, a space", b"HTTP/1.1 200 ")
line("two spaces before the status", b"HTTP/1.1  200 OK")
line("a tab before the status", b"HTTP/1.1\t200 OK")
line("a space before all", b" HTTP/1.1 200 OK")
line("an empty line before all", b"\r\nHTTP/1.1 200 OK")
line("four bytes before all", b"abcdHTTP/1.1 200 OK")
line("a status of four digits", b"HTTP/1.1 2000 OK")
line("a status of two digits", b"HTTP/1.1 20 OK")
line("no status", b"HTTP/1.1 OK")
line("a status with a letter", b"HTTP/1.1 200OK")
line("high bytes in the reason", b"HTTP/1.1 200 \xc3\xa4\xff")
line("a NUL in the reason", b"HTTP/1.1 200 O\0K")
line("a status of 203", b"HTTP/1.1 203 Changed")
line("a status of 299", b"HTTP/1.1 299 Unknown")
line("a status of 404", b"HTTP/1.1 404 Not Found")
line("a status of 600", b"HTTP/1.1 600 Unknown")
line("a status of 204 with a body", b"HTTP/1.1 204 No Content")
line("a status of 205 with a body", b"HTTP/1.1 205 Reset Content")
line("a status of 206 unasked", b"HTTP/1.1 206 Partial Content")
case("a head with LF alone")(lambda b: answer(b.plain, end=b"\n"))
case("a head with CR alone")(lambda b: answer(b.plain, end=b"\r"))
case("a head that ends in LF LF")(lambda b: (
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\n\n" % len(b.plain)) + b.plain)
case("a head that ends in CR LF LF")(lambda b: (
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\n" % len(b.plain)) + b.plain)
case("a head of one line")(lambda b: b"HTTP/1.1 200 OK\r\n\r\n" + b.plain)
case("a space before the first field")(
    lambda b: answer(b.plain, status=b"HTTP/1.1 200 OK\r\n X: y"))
case("a field with an empty name")(lambda b: answer(b.plain, b": y"))
case("a field with a space in its name")(lambda b: answer(b.plain, b"X y: z"))
case("a field of high bytes")(lambda b: answer(b.plain, b"X: \xe4\xf6\xfc"))
case("HTTP/0.9")(lambda b: b.plain)

# --- more than one message ---------------------------------------------------
group("messages")

MORE = b"HTTP/1.1 100 Continue\r\n\r\n"
case("100 first")(lambda b: MORE + answer(b.plain))
case("103 first")(lambda b: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
                  + answer(b.plain))
case("102 twice first")(lambda b: b"HTTP/1.1 102 P\r\n\r\n" * 2
                        + answer(b.plain))
case("199 first")(lambda b: b"HTTP/1.1 199 X\r\n\r\n" + answer(b.plain))
case("fifty times 100 first")(lambda b: MORE * 50 + answer(b.plain))
case("100 with a length")(lambda b: b"HTTP/1.1 100 C\r\nContent-Length: 5"
                          b"\r\n\r\n" + answer(b.plain))
case("101 that nobody asked for")(lambda b: b"HTTP/1.1 101 S\r\nUpgrade: x"
                                  b"\r\nConnection: upgrade\r\n\r\n" + b.plain)
case("another answer behind it")(lambda b: answer(b.twin) + answer(b.plain))
case("204 and another behind it")(
    lambda b: b"HTTP/1.1 204 N\r\n\r\n" + answer(b.plain))

# --- bodies that hold others -------------------------------------------------
group("bodies")


def of_kind(name, kind, wrap=lambda b: b.plain):
    case(name)(lambda b: answer(wrap(b), kind=kind))


def part(b, coding, data=None):
    data = base64.encodebytes(b.plain) if data is None else data
    return (b"--xyz\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Transfer-Encoding: " + coding + b"\r\n\r\n" + data +
            b"\r\n--xyz--\r\n")


def mail(b):
    return (b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
            b'boundary="xyz"\r\n\r\n' + part(b, b"base64"))


of_kind("no type", b"")
of_kind("a type that is none", b"nonsense")
of_kind("an image's type", b"image/png")
of_kind("a type with two charsets", b"text/plain; charset=a; charset=b")
case("two types")(lambda b: answer(b.plain, "Content-Type: image/png"))
of_kind("multipart/mixed", b"multipart/mixed; boundary=xyz",
        lambda b: part(b, b"binary", data=b.plain))
of_kind("multipart/mixed without a boundary", b"multipart/mixed",
        lambda b: part(b, b"binary", data=b.plain))
of_kind("multipart/mixed in base64", b"multipart/mixed; boundary=xyz",
        lambda b: part(b, b"base64"))
of_kind("multipart/form-data", b"multipart/form-data; boundary=xyz",
        lambda b: part(b, b"binary", data=b.plain))
of_kind("multipart/form-data in base64", b"multipart/form-data; boundary=xyz",
        lambda b: part(b, b"base64"))
of_kind("multipart/x-mixed-replace",
        b"multipart/x-mixed-replace; boundary=xyz",
        lambda b: part(b, b"binary", data=b.plain))
of_kind("multipart/x-mixed-replace in gzip",
        b"multipart/x-mixed-replace; boundary=xyz",
        lambda b: part(b, b"binary\r\nContent-Encoding: gzip", data=b.gz))
of_kind("a mail", b"message/rfc822", mail)
of_kind("an archived page (MHTML)", b"multipart/related; boundary=xyz", mail)
of_kind("base64", b"text/plain", lambda b: base64.encodebytes(b.plain))
of_kind("quoted-printable", b"text/plain", lambda b: b"".join(
    b"=%02X" % byte for byte in b.plain))

# --- pages: what a browser shows of them -------------------------------------
group("pages")
SHOW = b"document.documentElement.append(String.raw`%s`)"


def page(name, make, before=b"<!doctype html><html><title>x</title>"):
    """@make: from the body, what stands in the page."""
    case("page: " + name)(lambda b: answer(before + make(b.plain),
                                           kind=b"text/html"))


def in_charset(name, encode, charset=b"", meta=b""):
    """The whole page in an encoding."""
    kind = b"text/html" + (b"; charset=" + charset if charset else b"")
    case("page: " + name)(lambda b: answer(encode(
        "<!doctype html><html><title>x</title>%s<p>%s</p>" % (
            meta.decode(), b.plain.decode())), kind=kind))


def utf7(text):
    """All but letters in base64, as UTF-7 may have it, and "<" too."""
    return text.encode("utf-7").replace(b"E", b"+AEU-")


def overlong(text):
    """Two bytes for what needs one (RFC 3629 3 forbids it)."""
    return b"".join(b"%c%c" % (0xc0 | ord(c) >> 6, 0x80 | ord(c) & 0x3f)
                    if c.isalpha() and c.isupper() else c.encode()
                    for c in text)


def data_url(text, coding):
    script = SHOW % text
    if coding == b";base64":
        script = base64.b64encode(script)
    else:
        script = urllib.parse.quote_from_bytes(script).encode()
    return b'<script src="data:text/javascript%s,%s"></script>' % (coding,
                                                                  script)


page("plain", lambda t: t)
page("entities", lambda t: b"".join(b"&#x%x;" % c for c in t))
page("entities in decimals", lambda t: b"".join(b"&#%d;" % c for c in t))
page("entities without their ends",
     lambda t: t.replace(b"-", b"&#45<!-- -->"))
page("entities, and no tag that names a page", lambda t: b"".join(
    b"&#x%x;" % c for c in t), b"<!doctype html><title>x</title>")
page("broken up by a comment", lambda t: t[:40] + b"<!-- -->" + t[40:])
page("broken up by tags", lambda t: t[:40] + b"<b></b>" + t[40:])
page("NULs in between",
     lambda t: t.replace(b"-", b"-\0").replace(b" ", b"\0 "))
page("data: URL in base64", lambda t: data_url(t, b";base64"))
page("data: URL in percents", lambda t: data_url(t, b""))
page("srcdoc", lambda t: b'<iframe srcdoc="' + b"".join(
    b"&#%d;" % c for c in t) + b'"></iframe><script>onload=()=>document.body.'
    b"append(frames[0].document.body.textContent)</script>")
page("a script", lambda t: b"<script>" + SHOW % t + b"</script>")
page("a script of codes", lambda t:
     b"<script>document.documentElement.append(String.fromCharCode(" +
     b",".join(b"%d" % c for c in t) + b"))</script>")
page("a script's base64", lambda t: b"<script>document.documentElement.append("
     b'atob("' + base64.b64encode(t) + b'"))</script>')
in_charset("UTF-8 with its mark", lambda t: t.encode("utf-8-sig"))
in_charset("UTF-16LE with its mark",
           lambda t: b"\xff\xfe" + t.encode("utf-16-le"))
in_charset("UTF-16BE with its mark",
           lambda t: b"\xfe\xff" + t.encode("utf-16-be"))
in_charset("UTF-16LE said in the head", lambda t: t.encode("utf-16-le"),
           b"utf-16le")
in_charset("UTF-16BE said in the head", lambda t: t.encode("utf-16-be"),
           b"utf-16be")
in_charset("UTF-16LE that nobody says", lambda t: t.encode("utf-16-le"))
in_charset("UTF-16LE, UTF-8 said in the head",
           lambda t: b"\xff\xfe" + t.encode("utf-16-le"), b"utf-8")
in_charset("UTF-32LE with its mark",
           lambda t: b"\xff\xfe\0\0" + t.encode("utf-32-le"))
in_charset("UTF-7 said in the head", utf7, b"utf-7")
in_charset("UTF-7 said in the page", utf7,
           meta=b'<meta charset="utf-7">')
in_charset("overlong UTF-8", overlong, b"utf-8")
in_charset("EBCDIC said in the head", lambda t: t.encode("cp500"), b"cp500")
in_charset("HZ said in the head",
           lambda t: t.replace("S", "S~\n").encode(), b"hz-gb-2312")


def find(name):
    for known, _, make in CASES:
        if known == name:
            return make
    return None


# --- the server --------------------------------------------------------------

class Origin(socketserver.BaseRequestHandler):
    """One request a connection."""

    def handle(self):
        self.request.settimeout(10)
        head = b""
        while b"\r\n\r\n" not in head:
            data = self.request.recv(65536)
            if not data:
                return
            head += data
        path = head.split(b" ")[1].decode()
        try:
            self.request.sendall(self.answer(path))
            # What is there of a body that isn't whole is shown, if it comes
            # before the end does.
            time.sleep(0.05 if "/case/" in path else 0)
            self.request.shutdown(socket.SHUT_WR)
            while self.request.recv(65536):
                pass
        except OSError:
            pass

    @staticmethod
    def answer(path):
        parts = [urllib.parse.unquote(part)
                 for part in path.split("?")[0].strip("/").split("/")]
        if path.startswith("/told?"):
            print(path[6:], flush=True)
            return answer(b"")
        if len(parts) == 3 and parts[0] == "case":
            make = find(parts[1])
            if make is not None and parts[2] in ("sample", "clean"):
                return make(Body(parts[2]))
        elif len(parts) == 1 and os.path.isfile(os.path.join(FOLDER,
                                                             parts[0])):
            body = read(parts[0])
            return (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                    b"Connection: close\r\nContent-Length: %d\r\n\r\n"
                    % len(body)) + body
        return answer(b"no such case", status=b"HTTP/1.1 404 Not Found")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main():
    global FOLDER
    if sys.argv[1] == "list":
        for name, its_group, _ in CASES:
            print(name, its_group, sep="\t")
        return 0
    FOLDER = sys.argv[3]
    with Server(("", int(sys.argv[2])), Origin) as server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
