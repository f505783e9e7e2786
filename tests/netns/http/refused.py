#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Requests that two recipients could read differently: refused with the right
status, told in the journal by the parser's word, and never seen by the origin
server. And those that look odd but have one meaning, which pass.
"""
import sys

import rawclient

# name: (bytes, status, the parser's word). @ is the case's mark, ~ the host.
REFUSED = {
    # framing: two lengths, two codings, both
    "CL and TE": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 5\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x?@ HTTP/1.1"
                  b"\r\nHost: ~\r\n\r\n", 400, "length_and_coding"),
    "TE and CL": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: "
                  b"chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400,
                  "length_and_coding"),
    "CL and CL that differ": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 5\r\n"
        b"Content-Length: 6\r\n\r\nhello!", 400, "several_lengths"),
    "CL and CL that agree": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 5\r\n"
        b"Content-Length: 5\r\n\r\nhello", 400, "several_lengths"),
    "CL in a list": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\n"
                     b"Content-Length: 5, 5\r\n\r\nhello", 400,
                     "several_lengths"),
    "CL +5": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: +5\r\n\r\n"
              b"hello", 400, "bad_length"),
    "CL -5": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: -5\r\n\r\n"
              b"hello", 400, "bad_length"),
    "CL 0x5": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 0x5\r\n\r\n"
               b"hello", 400, "bad_length"),
    "CL 5 5": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 5 5\r\n\r\n"
               b"hello", 400, "bad_length"),
    "CL empty": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length:\r\n\r\n"
                 b"hello", 400, "bad_length"),
    "CL of 2^63": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\n"
                   b"Content-Length: 9223372036854775808\r\n\r\n", 400,
                   "bad_length"),
    "CL of 2^64+5": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\n"
                     b"Content-Length: 18446744073709551621\r\n\r\nhello", 400,
                     "bad_length"),
    "CL behind a tab": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\n"
                        b"Content-Length:\t5\r\n\r\nhello", 400, "bad_length"),
    "TE twice": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: chunked"
                 b"\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400,
                 "bad_transfer_coding"),
    "TE in a list": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: "
                     b"identity, chunked\r\n\r\n0\r\n\r\n", 400,
                     "bad_transfer_coding"),
    "TE chunked, then more": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: chunked, x\r\n"
        b"\r\n0\r\n\r\n", 400, "bad_transfer_coding"),
    "TE xchunked": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: "
                    b"xchunked\r\n\r\n0\r\n\r\n", 400, "bad_transfer_coding"),
    "TE \"chunked\"": (b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: "
                       b"\"chunked\"\r\n\r\n0\r\n\r\n", 400,
                       "bad_transfer_coding"),
    "TE behind a vertical tab": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: \x0bchunked\r\n"
        b"\r\n0\r\n\r\n", 400, "nul"),
    "TE behind a tab": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding:\tchunked\r\n"
        b"\r\n0\r\n\r\n", 400, "bad_transfer_coding"),
    "TE in HTTP/1.0": (b"POST /ok?@ HTTP/1.0\r\nHost: ~\r\nTransfer-Encoding: "
                       b"chunked\r\n\r\n0\r\n\r\n", 400, "bad_transfer_coding"),
    "TE on a folded line": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding:\r\n chunked\r\n"
        b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400, "folded"),
    # lines
    "obs-fold": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX-A: b\r\n c\r\n\r\n", 400,
                 "folded"),
    "a fold before any field": (b"GET /ok?@ HTTP/1.1\r\n Host: ~\r\n\r\n", 400,
                                "folded"),
    "space before the colon": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\n"
                               b"Content-Length : 5\r\n\r\nhello", 400,
                               "space_before_colon"),
    "tab before the colon": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\n"
                             b"X-A\t: 5\r\n\r\n", 400, "space_before_colon"),
    "no colon": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nnonsense\r\n\r\n", 400,
                 "bad_field"),
    "no name": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\n: v\r\n\r\n", 400,
                "bad_field"),
    "a name with a slash": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX/A: v\r\n\r\n",
                            400, "bad_field"),
    "a name above ASCII": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX\xe9: v\r\n\r\n",
                           400, "bad_field"),
    "bare CR in a value": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX-A: b\rX-B: c"
                           b"\r\n\r\n", 400, "bare_cr"),
    "bare CR as line end": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\rX-A: b\r\n\r\n",
                            400, "bare_cr"),
    "bare LF as line end": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\nX-A: b\r\n\r\n",
                            400, "bad_field"),
    "bare LF everywhere": (b"GET /ok?@ HTTP/1.1\nHost: ~\n\n", 400, "bad_line"),
    "NUL in a value": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX-A: b\0c\r\n\r\n",
                       400, "nul"),
    "NUL in a name": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX\0A: b\r\n\r\n", 400,
                      "bad_field"),
    "DEL in a value": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX-A: \x7f\r\n\r\n",
                       400, "nul"),
    "five empty lines first": (b"\r\n" * 5 + b"GET /ok?@ HTTP/1.1\r\nHost: ~"
                               b"\r\n\r\n", 400, "bad_line"),
    # request line
    "two spaces": (b"GET  /ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400, "bad_line"),
    "a tab for a space": (b"GET\t/ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                          "bad_line"),
    "a space at the end": (b"GET /ok?@ HTTP/1.1 \r\nHost: ~\r\n\r\n", 400,
                           "bad_line"),
    "a space in the target": (b"GET /ok? @ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                              "bad_line"),
    "NUL in the target": (b"GET /ok?\0@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                          "bad_target"),
    "CR in the target": (b"GET /ok?\r@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                         "bare_cr"),
    "a space first": (b" GET /ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                      "bad_line"),
    "HTTP/0.9": (b"GET /ok?@\r\n\r\n", 400, "bad_line"),
    "HTTP/0.9 with a space": (b"GET /ok?@ \r\n\r\n", 400, "bad_line"),
    "HTTP/2.0": (b"GET /ok?@ HTTP/2.0\r\nHost: ~\r\n\r\n", 400, "bad_version"),
    "HTTP/1.": (b"GET /ok?@ HTTP/1.\r\nHost: ~\r\n\r\n", 400, "bad_version"),
    "HTTP/1.10": (b"GET /ok?@ HTTP/1.10\r\nHost: ~\r\n\r\n", 400,
                  "bad_version"),
    "http/1.1": (b"GET /ok?@ http/1.1\r\nHost: ~\r\n\r\n", 400, "bad_version"),
    "HTTP/01.1": (b"GET /ok?@ HTTP/01.1\r\nHost: ~\r\n\r\n", 400,
                  "bad_version"),
    "HTTP/1,1": (b"GET /ok?@ HTTP/1,1\r\nHost: ~\r\n\r\n", 400, "bad_version"),
    "HTTP / 1.1": (b"GET /ok?@ HTTP / 1.1\r\nHost: ~\r\n\r\n", 400, "bad_line"),
    "two versions": (b"GET /ok?@ HTTP/1.1 HTTP/1.0\r\nHost: ~\r\n\r\n", 400,
                     "bad_line"),
    "a tab before the version": (b"GET /ok?@\tHTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                                 "bad_line"),
    "a control in the target": (b"GET /ok?\x01@ HTTP/1.1\r\nHost: ~\r\n\r\n",
                                400, "bad_target"),
    "DEL in the target": (b"GET /ok?\x7f@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                          "bad_target"),
    "a method with a slash": (b"GE/T /ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                              "bad_method"),
    "HTTP/1.1 glued on": (b"GET /ok?@HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                          "bad_line"),
    "the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n@", 400,
                           "bad_version"),
    "lower-case get in HTTP/0.9": (b"get /ok?@\r\n\r\n", 400, "bad_line"),
    "no target": (b"GET HTTP/1.1\r\nHost: ~\r\nX-A: @\r\n\r\n", 400,
                  "bad_line"),
    "a relative target": (b"GET ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                          "bad_target"),
    "* for GET": (b"GET * HTTP/1.1\r\nHost: ~\r\nX-A: @\r\n\r\n", 400,
                  "bad_target"),
    "authority-form for GET": (b"GET ~ HTTP/1.1\r\nHost: ~\r\nX-A: @\r\n\r\n",
                               400, "bad_target"),
    "an https URI": (b"GET https://~/ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                     "bad_target"),
    "an ftp URI": (b"GET ftp://~/ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                   "bad_target"),
    # Host
    "no Host": (b"GET /ok?@ HTTP/1.1\r\n\r\n", 400, "no_host"),
    "no Host, absolute-form": (b"GET http://~/ok?@ HTTP/1.1\r\n\r\n", 400,
                               "no_host"),
    "two Hosts": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nHost: ~\r\n\r\n", 400,
                  "several_hosts"),
    "two Hosts that differ": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nHost: b\r\n"
                              b"\r\n", 400, "several_hosts"),
    "two Hosts in HTTP/1.0": (b"GET /ok?@ HTTP/1.0\r\nHost: ~\r\nHost: ~\r\n"
                              b"\r\n", 400, "several_hosts"),
    "two Hosts in a list": (b"GET /ok?@ HTTP/1.1\r\nHost: a, b\r\n\r\n", 400,
                            "bad_host"),
    "an empty Host": (b"GET /ok?@ HTTP/1.1\r\nHost:\r\n\r\n", 400, "bad_host"),
    "Host with a path": (b"GET /ok?@ HTTP/1.1\r\nHost: a/b\r\n\r\n", 400,
                         "bad_host"),
    "Host with a user": (b"GET /ok?@ HTTP/1.1\r\nHost: u@b\r\n\r\n", 400,
                         "bad_host"),
    "Host with a bad port": (b"GET /ok?@ HTTP/1.1\r\nHost: a:x\r\n\r\n", 400,
                             "bad_host"),
    "Host with a port too large": (b"GET /ok?@ HTTP/1.1\r\nHost: a:65536\r\n"
                                   b"\r\n", 400, "bad_host"),
    "Host with two ports": (b"GET /ok?@ HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400,
                            "bad_host"),
    "Host with a signed port": (b"GET /ok?@ HTTP/1.1\r\nHost: a:+1\r\n\r\n", 400,
                                "bad_host"),
    "Host with half a bracket": (b"GET /ok?@ HTTP/1.1\r\nHost: [::1\r\n\r\n",
                                 400, "bad_host"),
    "Host with a bad escape": (b"GET /ok?@ HTTP/1.1\r\nHost: a%zz\r\n\r\n", 400,
                               "bad_host"),
    "Host that is a URI": (b"GET /ok?@ HTTP/1.1\r\nHost: http://a\r\n\r\n", 400,
                           "bad_host"),
    "Host with a backslash": (b"GET /ok?@ HTTP/1.1\r\nHost: a\\b\r\n\r\n", 400,
                              "bad_host"),
    "Host behind LF alone": (b"GET /ok?@ HTTP/1.1\r\nX-A: b\nHost: ~\r\n\r\n",
                             400, "bad_field"),
    "Host with a space": (b"GET /ok?@ HTTP/1.1\r\nHost: a b\r\n\r\n", 400,
                          "bad_host"),
    "a URI with a user": (b"GET http://u@~/ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n",
                          400, "bad_target"),
    "a URI with no host": (b"GET http:///ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                           "bad_target"),
    "CONNECT with a path": (b"CONNECT /x?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400,
                            "bad_target"),
    "CONNECT without a port": (b"CONNECT a.example HTTP/1.1\r\nHost: a.example"
                               b"\r\nX-A: @\r\n\r\n", 400, "bad_target"),
    # limits of the default configuration
    "a line too long": (b"GET /ok?@" + b"a" * 17000 + b" HTTP/1.1\r\nHost: ~"
                        b"\r\n\r\n", 414, "line_too_long"),
    "a line without end": (b"GET /ok?@" + b"a" * 17000, 414, "line_too_long"),
    "a head too long": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX-A: " +
                        b"a" * 66000 + b"\r\n\r\n", 431, "head_too_long"),
    "201 fields": (b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\n" + b"A:\r\n" * 200 +
                   b"\r\n", 431, "too_many_fields"),
}

# Lines of a POST whose body is five bytes by one reading and chunks by another.
POSTED = {
    "CL 5.0": (b"Content-Length: 5.0", "bad_length"),
    "CL 5e0": (b"Content-Length: 5e0", "bad_length"),
    "CL 5_0": (b"Content-Length: 5_0", "bad_length"),
    "CL \"5\"": (b'Content-Length: "5"', "bad_length"),
    "CL in digits above ASCII": ("Content-Length: \uff15".encode(),
                                 "bad_length"),
    "CL and a comma": (b"Content-Length: 5,", "several_lengths"),
    "CL, a comma first": (b"Content-Length: ,5", "several_lengths"),
    "CL in a list that differs": (b"Content-Length: 5, 6", "several_lengths"),
    "CL and NUL": (b"Content-Length: 5\0", "nul"),
    "CL and an empty CL": (b"Content-Length: 5\r\nContent-Length:",
                           "several_lengths"),
    "CL behind LF alone": (b"X-A: b\nContent-Length: 5", "bad_field"),
    "CL behind CR alone": (b"X-A: b\rContent-Length: 5", "bare_cr"),
    "CL on a folded line": (b"Content-Length:\r\n 5", "folded"),
    "CL and TE identity": (b"Content-Length: 5\r\nTransfer-Encoding: identity",
                           "length_and_coding"),
    "CL and TE behind a space": (
        b"Content-Length: 5\r\n Transfer-Encoding: chunked", "folded"),
    "CL and TE before a space": (
        b"Content-Length: 5\r\nTransfer-Encoding : chunked",
        "space_before_colon"),
    "CL and TE behind LF alone": (
        b"Content-Length: 5\r\nX-A: b\nTransfer-Encoding: chunked",
        "bad_field"),
    "CL and TE behind NUL": (
        b"Content-Length: 5\r\nX-A: b\0Transfer-Encoding: chunked", "nul"),
    "CL and TE without a colon": (
        b"Content-Length: 5\r\nTransfer-Encoding chunked", "bad_field"),
    "TE empty": (b"Transfer-Encoding:", "bad_transfer_coding"),
    "TE identity": (b"Transfer-Encoding: identity", "bad_transfer_coding"),
    "TE gzip": (b"Transfer-Encoding: gzip", "bad_transfer_coding"),
    "TE gzip, chunked": (b"Transfer-Encoding: gzip, chunked",
                         "bad_transfer_coding"),
    "TE chunked twice": (b"Transfer-Encoding: chunked\r\n"
                         b"Transfer-Encoding: chunked", "bad_transfer_coding"),
    "TE chunked in a list of two": (b"Transfer-Encoding: chunked, chunked",
                                    "bad_transfer_coding"),
    "TE chunked and a comma": (b"Transfer-Encoding: chunked,",
                               "bad_transfer_coding"),
    "TE, a comma first": (b"Transfer-Encoding: , chunked",
                          "bad_transfer_coding"),
    "TE with a parameter": (b"Transfer-Encoding: chunked;q=1",
                            "bad_transfer_coding"),
    "TE cow": (b"Transfer-Encoding: cow", "bad_transfer_coding"),
    "TE chunk": (b"Transfer-Encoding: chunk", "bad_transfer_coding"),
    "TE with a dotless letter": (
        b"Transfer-Encoding: chun\xe2\x84\xaaed", "bad_transfer_coding"),
    "TE before NUL": (b"Transfer-Encoding: chunked\0", "nul"),
    "TE behind a form feed": (b"Transfer-Encoding: \x0cchunked", "nul"),
    "TE behind a high byte": (b"Transfer-Encoding: \xa0chunked",
                              "bad_transfer_coding"),
    "TE before a tab": (b"Transfer-Encoding: chunked\t", "bad_transfer_coding"),
    "TE in the middle of a fold": (b"Transfer-Encoding: chun\r\n ked",
                                   "folded"),
    "TE behind a colon": (b": x\r\nTransfer-Encoding: chunked", "bad_field"),
    "a field with a bracket": (b"Transfer-Encoding[0]: chunked", "bad_field"),
    "a field in quotes": (b'"Transfer-Encoding": chunked', "bad_field"),
}

# Bodies that break their framing after a head that was good.
BAD_CHUNKS = {
    "a size that is none": (b"zz\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "an empty size": (b"\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "0x5": (b"0x5\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "+5": (b"+5\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "-1": (b"-1\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "a space before the size": (b" 5\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "a space behind the size": (b"5 \r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "2^64": (b"10000000000000000\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "2^64+5": (b"10000000000000005\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "2^63": (b"8000000000000000\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "a tab behind the size": (b"5\t\r\nhello\r\n0\r\n\r\n",
                              "bad_chunk_size"),
    "a space before an extension": (b"5 ;a=b\r\nhello\r\n0\r\n\r\n",
                                    "bad_chunk_size"),
    "a letter behind the size": (b"5h\r\nhello\r\n0\r\n\r\n",
                                 "bad_chunk_size"),
    "an underscore in the size": (b"0_5\r\nhello\r\n0\r\n\r\n",
                                  "bad_chunk_size"),
    "a comma behind the size": (b"5,5\r\nhello\r\n0\r\n\r\n",
                                "bad_chunk_size"),
    "CR LF in quotes": (b'5;a="\r\nb"\r\nhello\r\n0\r\n\r\n', "bad_chunk"),
    "CR in an extension": (b"5;a\rb\r\nhello\r\n0\r\n\r\n",
                           "bad_chunk_size"),
    "LF behind an extension": (b"5;a=b\nhello\r\n0\r\n\r\n",
                               "bad_chunk_size"),
    "the last size before LF": (b"5\r\nhello\r\n0\n\r\n", "bad_chunk_size"),
    "many zeros": (b"00000000000000005\r\nhello\r\n0\r\n\r\n",
                   "bad_chunk_size"),
    "a size that ends in LF": (b"5\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "a size that ends in CR": (b"5\rXhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "NUL in an extension": (b"5;a=\0\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "LF in an extension": (b"5;a\nb\r\nhello\r\n0\r\n\r\n", "bad_chunk_size"),
    "an endless extension": (b"5;" + b"a" * 2000 + b"\r\nhello\r\n0\r\n\r\n",
                             "bad_chunk_size"),
    "data longer than its size": (b"5\r\nhello!\r\n0\r\n\r\n", "bad_chunk"),
    "data without its end": (b"5\r\nhello0\r\n\r\n", "bad_chunk"),
    "data that ends in LF": (b"5\r\nhello\n0\r\n\r\n", "bad_chunk"),
    "a folded trailer": (b"0\r\nX-A: b\r\n c\r\n\r\n", "bad_trailer"),
    "a trailer without colon": (b"0\r\nnonsense\r\n\r\n", "bad_trailer"),
    "a trailer with a length": (b"0\r\nContent-Length: 5\r\n\r\n",
                                "bad_trailer"),
    "a trailer with a coding": (b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
                                "bad_trailer"),
    "a trailer before LF": (b"0\r\nX-A: b\n\r\n", "bad_trailer"),
    "a trailer with a space before the colon": (b"0\r\nX-A : b\r\n\r\n",
                                                "bad_trailer"),
    "NUL in a trailer": (b"0\r\nX-A: \0\r\n\r\n", "bad_trailer"),
    "an end that is LF": (b"0\r\n\n", "bad_trailer"),
    "a trailer with a Host": (b"0\r\nHost: evil\r\n\r\n", "bad_trailer"),
    "trailers without end": (b"0\r\n" + b"X-A: b\r\n" * 2000, "bad_trailer"),
}

# Odd, but of one meaning: what the origin server gets of the line and Host.
ODD = {
    "absolute-form": (b"GET http://~/ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n",
                      "GET /ok?@ HTTP/1.1\r\nHost: ~\r\n"),
    "absolute-form that differs from Host": (
        b"GET http://a.example:81/ok?@ HTTP/1.1\r\nHost: b.example\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: a.example:81\r\n"),
    "absolute-form in capitals": (
        b"GET HTTP://A.example/ok?@ HTTP/1.1\r\nHost: b.example\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: A.example\r\n"),
    "absolute-form, HTTP/1.0 without Host": (
        b"GET http://a.example/ok?@ HTTP/1.0\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: a.example\r\n"),
    "absolute-form with an empty Host": (
        b"GET http://a.example/ok?@ HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: a.example\r\n"),
    "absolute-form without a path": (
        b"GET http://a.example?@ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET /?@ HTTP/1.1\r\nHost: a.example\r\n"),
    "a Host that is not the address": (
        b"GET /ok?@ HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: elsewhere.example\r\n"),
    "HTTP/1.9": (b"GET /ok?@ HTTP/1.9\r\nHost: ~\r\n\r\n",
                 "GET /ok?@ HTTP/1.1\r\nHost: ~\r\n"),
    "four empty lines first": (
        b"\r\n" * 4 + b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: ~\r\n"),
    "an unknown method": (b"BREW /ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n",
                          "BREW /ok?@ HTTP/1.1\r\nHost: ~\r\n"),
    "a lower-case method": (b"get /ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n",
                            "get /ok?@ HTTP/1.1\r\nHost: ~\r\n"),
    "bytes above ASCII": (b"GET /ok?\xc3\xa9|^@ HTTP/1.1\r\nHost: ~\r\n\r\n",
                          "GET /ok?\xc3\xa9|^@ HTTP/1.1\r\nHost: ~\r\n"),
    "a Host in capitals, and no space": (
        b"GET /ok?@ HTTP/1.1\r\nHOST:A.Example\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: A.Example\r\n"),
    "TE in capitals": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b"0\r\n\r\n",
        "POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: chunked\r\n"),
    "Connection does not take Host off": (
        b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nConnection: Host, X-A\r\nX-A: b\r\n"
        b"X-B: c\r\n\r\n", "GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX-B: c\r\n"),
    "Connection does not take the length off": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nConnection: Content-Length\r\n"
        b"Content-Length: 0\r\n\r\n",
        "POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 0\r\n"),
    "Connection does not take the coding off": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nConnection: Transfer-Encoding\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /ok?@ HTTP/1.1\r\nHost: ~\r\nTransfer-Encoding: chunked\r\n"),
    "a length with zeros": (
        b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 0000\r\n\r\n",
        "POST /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 0\r\n"),
    "GET with a body": (
        b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 5\r\n\r\nhello",
        "GET /ok?@ HTTP/1.1\r\nHost: ~\r\nContent-Length: 5\r\n"),
    "TRACE": (b"TRACE /ok?@ HTTP/1.1\r\nHost: ~\r\n\r\n",
              "TRACE /ok?@ HTTP/1.1\r\nHost: ~\r\n"),
    "an expectation that nobody knows": (
        b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nExpect: 200-maybe\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: ~\r\n"),
    "names that only look like framing": (
        b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nContent_Length: 5\r\n"
        b"Transfer.Encoding: chunked\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: ~\r\nContent_Length: 5\r\n"
        "Transfer.Encoding: chunked\r\n"),
    "hop-by-hop fields stay here": (
        b"GET /ok?@ HTTP/1.1\r\nHost: ~\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
        b"Proxy-Connection: close\r\nX-B: c\r\n\r\n",
        "GET /ok?@ HTTP/1.1\r\nHost: ~\r\nX-B: c\r\n"),
}


def fill(case, data):
    """The mark and the host into a request."""
    if isinstance(data, str):
        return data.replace("@", case.mark).replace("~", case.kit.name)
    return (data.replace(b"u@", b"u\0").replace(b"@", case.mark.encode())
            .replace(b"u\0", b"u@").replace(b"~", case.kit.name.encode()))


def refused(case, request, status, name):
    conn = case.connect()
    conn.send(fill(case, request))
    r = conn.response()
    case.page(r, status, "bad_request")
    case.same(r.get("Connection"), "close", "Connection")
    conn.shut()
    case.closed(conn)
    case.unseen()
    case.event(conn, verdict="blocked", reason="bad_request", name=name,
               status=status, action="block", bytes_in=len(fill(case, request)))


def posted(case, lines, name):
    """A POST with these lines, and behind it what one reading calls another."""
    refused(case, b"POST /ok?@ HTTP/1.1\r\nHost: ~\r\n" + lines +
            b"\r\n\r\n0\r\n\r\nGET /x?@ HTTP/1.1\r\nHost: ~\r\n\r\n", 400, name)


def refused_later(case, request, status, name):
    """The same as a second request, pipelined behind a good one."""
    conn = case.connect()
    good = case.ask("/ok?good").replace(case.mark.encode(), b"")
    conn.send(good + fill(case, request))
    case.same(conn.response().body, b"ok\n", "the good one's answer")
    case.same(conn.response().status, status, "status")
    conn.shut()
    case.closed(conn)
    case.unseen()
    case.event(conn, 1, verdict="blocked", reason="bad_request", name=name,
               status=status)


def bad_chunks(case, body, name):
    """
    Bytes before the fault may have gone on; the request never gets its end,
    and nothing behind it is taken for another.
    """
    conn = case.connect()
    conn.send(case.ask("/upload", "Transfer-Encoding: chunked", method="POST")
              + body + b"GET /smuggled?" + case.mark.encode() +
              b" HTTP/1.1\r\nHost: a\r\n\r\n")
    r = conn.response()
    case.page(r, 400, "bad_request")
    conn.shut()
    case.closed(conn)
    case.unseen("smuggled?" + case.mark)
    case.same([q for q in case.kit.requests(case.mark)], [], "requests")
    case.event(conn, verdict="blocked", reason="bad_request", name=name,
               status=400, action="block", method="POST")


def odd(case, request, wanted):
    conn = case.connect()
    conn.send(fill(case, request))
    r = conn.response()
    case.check(r.status in (200, 404), r.line)
    case.passed(conn, status=r.status)
    case.seen(fill(case, wanted))


def case_connect(case):
    """CONNECT is refused with 405"""
    conn = case.connect()
    conn.send(case.ask("/").replace(b"GET /?", b"CONNECT a.example:443 ")
              .replace(case.mark.encode() + b" HTTP", b"HTTP"))
    r = conn.response()
    case.page(r, 405, "method")
    case.match(r.get("Allow"), "GET", "Allow")
    case.check("CONNECT" not in r.get("Allow"), "Allow names CONNECT")
    case.event(conn, 0, verdict="blocked", reason="method", status=405,
               method="CONNECT", action="block")
    conn.send(case.ask("/ok"))
    case.same(conn.response().body, b"ok\n", "the connection goes on")


def case_options(case):
    """OPTIONS * keeps its form"""
    conn = case.connect()
    conn.send(f"OPTIONS * HTTP/1.1\r\nHost: {case.kit.name}\r\n"
              f"X-A: {case.mark}\r\n\r\n".encode())
    case.same(conn.response().status, 404, "status")
    case.seen(f"OPTIONS * HTTP/1.1\r\nHost: {case.kit.name}\r\n"
              f"X-A: {case.mark}\r\n")


def case_options_absolute(case):
    """OPTIONS http://host becomes OPTIONS *"""
    conn = case.connect()
    conn.send(f"OPTIONS http://a.example HTTP/1.1\r\nHost: b\r\n"
              f"X-A: {case.mark}\r\n\r\n".encode())
    case.same(conn.response().status, 404, "status")
    case.seen(f"OPTIONS * HTTP/1.1\r\nHost: a.example\r\nX-A: {case.mark}\r\n")


def main():
    kit = rawclient.Kit(rawclient.arguments().parse_args())
    for name, row in REFUSED.items():
        kit.run(name, refused, *row)
    for name, row in POSTED.items():
        kit.run(name, posted, *row)
    for name in ("CL and TE", "obs-fold", "two Hosts", "HTTP/0.9",
                 "a line without end", "the HTTP/2 preface"):
        kit.run(f"{name}, pipelined", refused_later, *REFUSED[name])
    for name, row in BAD_CHUNKS.items():
        kit.run(f"chunks: {name}", bad_chunks, *row)
    for name, row in ODD.items():
        kit.run(f"passes: {name}", odd, *row)
    kit.run_all(sys.modules["__main__"])
    sys.exit(kit.finish())


if __name__ == "__main__":
    main()
