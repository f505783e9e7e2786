#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tells helpers/resolve_relay.c what to ask for, and prints what it was told.

usage: ask.py RUN_DIR RELAY NAME...      each answer a line: NAME STATUS ADDRESS...
       ask.py RUN_DIR RELAY -c PREFIX SUFFIX COUNT    PREFIX0SUFFIX and so on:
           how often each STATUS came, a line each: STATUS COUNT
       with -n before RUN_DIR: says nothing and waits for no answer
       with -t before RUN_DIR: each line ends with " in MILLISECONDS"
Waits for answers 25 seconds, then exit status 1.
"""
import collections
import os
import socket
import sys
import time


def read_answers(path, wanted):
    """TOKEN to the rest of its line, once all are there."""
    end = time.monotonic() + 25
    found = {}
    while time.monotonic() < end:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            for line in f:
                token, _, rest = line.rstrip("\n").partition(" ")
                if line.endswith("\n") and token in wanted:
                    found[token] = rest
        if len(found) == len(wanted):
            return found
        time.sleep(0.02)
    missing = len(wanted) - len(found)
    print(f"{missing} of {len(wanted)} not answered", file=sys.stderr)
    sys.exit(1)


def main():
    args = sys.argv[1:]
    options = []
    while args[0] in ("-n", "-t"):
        options.append(args.pop(0))
    run, relay, *names = args
    counting = names[0] == "-c"
    if counting:
        names = [f"{names[1]}{i}{names[2]}" for i in range(int(names[3]))]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect(f"{run}/ask-{relay}")
    wanted = [f"{os.getpid()}.{time.monotonic_ns()}.{i}"
              for i in range(len(names))]
    for token, name in zip(wanted, names):
        sock.send(f"{token} {name}".encode("utf-8", "surrogateescape"))
    if "-n" in options:
        return
    found = read_answers(f"{run}/answers-{relay}", set(wanted))
    if counting:
        sums = collections.Counter(x.split()[1] for x in found.values())
        for status in sorted(sums):
            print(status, sums[status])
        return
    for token in wanted:
        name, status, ms, *addrs = found[token].split(" ")
        after = f" in {ms}" if "-t" in options else ""
        print(" ".join([name, status] + addrs) + after)


main()
