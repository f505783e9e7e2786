#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests without pause, and what became of each.

usage: load.py run NAME FILE SERVER... [--long PATH --sha256 SUM]
       load.py failed FILE [after=SECONDS] [kind=KIND]
       load.py count FILE...   (the journal on standard input)

run goes on until SIGTERM, then lets what is under way end. For each SERVER one
client each of these kinds:
  small  objects that the scanner has not seen, connection kept for 10 requests
  eicar  a new connection for each; only a refusal (403) is right
  long   with --long: two clients that read some 2 MB/s, so that each download
         takes seconds
FILE gets a line of JSON for each request that is over, FILE.now one for each
that begins; its URL has ?n=NAME-KIND-CLIENT-NUMBER.

failed prints the requests that went wrong, at most 10 of them.
count prints "REQUESTS MISSING TWICE SAME-IDS": how many ended well, how many of
them have no event, have more than one, and how many ids the journal has twice.
"""
import hashlib
import http.client
import json
import signal
import sys
import threading
import time

BLOCK = bytes((i * 7 + (i >> 8) * 13) & 0xff for i in range(65536))
LONG_RATE = 2 << 20
PATIENCE = 30
stop = threading.Event()


class Client(threading.Thread):
    """One after the other, in a thread of its own."""

    def __init__(self, kind, name, server, outputs, long=None):
        super().__init__()
        self.kind = kind
        self.name = name
        self.server = server
        self.begin, self.out = outputs
        self.long = long
        self.conn = None
        self.number = 0
        self.row = {}

    def open(self):
        if self.conn is None:
            self.conn = http.client.HTTPConnection(self.server, 80,
                                                   timeout=PATIENCE)
            self.conn.connect()
        self.row["port"] = self.conn.sock.getsockname()[1]
        self.begin(self.row)

    def close(self):
        if self.conn is not None:
            self.conn.close()
        self.conn = None

    def get(self, path):
        self.open()
        self.conn.request("GET", f"{path}?n={self.row['n']}")
        answer = self.conn.getresponse()
        self.row["status"] = answer.status
        return answer

    def small(self, ident):
        # Each size once: a hash that no verdict is known of.
        size = 1000 + (ident * 7919 + self.number) % 60000
        answer = self.get(f"/origin/size/{size}")
        body = answer.read()
        if self.number % 10 == 0:
            self.close()
        return answer.status == 200 and body == BLOCK[:size]

    def eicar(self):
        answer = self.get("/eicar.com")
        answer.read()
        self.close()
        return answer.status == 403

    def long_one(self):
        digest = hashlib.sha256()
        answer = self.get(self.long[0])
        began = time.monotonic()
        got = 0
        while data := answer.read(65536):
            digest.update(data)
            got += len(data)
            self.row["bytes"] = got
            ahead = got / LONG_RATE - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
        self.close()
        return digest.hexdigest() == self.long[1]

    def once(self, ident):
        self.number += 1
        self.row = {"n": f"{self.name}-{self.number}", "kind": self.kind,
                    "ok": False, "status": 0, "start": time.time()}
        try:
            if self.kind == "small":
                self.row["ok"] = self.small(ident)
            elif self.kind == "eicar":
                self.row["ok"] = self.eicar()
            else:
                self.row["ok"] = self.long_one()
        except (OSError, http.client.HTTPException) as e:
            self.row["error"] = repr(e)
            self.close()
        self.row["end"] = time.time()
        self.out(self.row)
        if not self.row["ok"]:
            time.sleep(0.05)

    def run(self):
        ident = int(hashlib.md5(self.name.encode()).hexdigest()[:6], 16)
        while not stop.is_set():
            self.once(ident)
            # An origin that is a script shall not be all that runs here.
            time.sleep(0.01)
        self.close()


def run(name, path, args):
    long = None
    if "--long" in args:
        at = args.index("--long")
        long = (args[at + 1], args[at + 3])
        args = args[:at]
    lock = threading.Lock()

    def writer(f):
        def write(row):
            with lock:
                f.write(json.dumps(row) + "\n")
                f.flush()
        return write

    with open(path, "a", encoding="utf-8") as done, \
            open(path + ".now", "a", encoding="utf-8") as begun:
        outputs = writer(begun), writer(done)
        clients = []
        for i, server in enumerate(args):
            for kind in ["small", "eicar"] + ["long", "long"] * bool(long):
                clients.append(Client(kind, f"{name}-{kind}-{len(clients)}",
                                      server, outputs, long))
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        for c in clients:
            c.start()
        for c in clients:
            c.join()


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def failed(path, words):
    wanted = dict(w.split("=") for w in words)
    after = float(wanted.get("after", 0))
    bad = [r for r in rows(path) if not r["ok"] and r["start"] > after
           and wanted.get("kind", r["kind"]) == r["kind"]]
    for r in bad:
        print(json.dumps(r))


def count(paths):
    want = {r["n"] for p in paths for r in rows(p) if r["ok"]}
    seen, ids = {}, {}
    for line in sys.stdin:
        event = json.loads(line)
        ids[event["id"]] = ids.get(event["id"], 0) + 1
        n = event.get("url", "").partition("?n=")[2]
        if n:
            seen[n] = seen.get(n, 0) + 1
    print(len(want), sum(1 for n in want if n not in seen),
          sum(1 for n in seen.values() if n > 1),
          sum(1 for n in ids.values() if n > 1))


if sys.argv[1] == "run":
    run(sys.argv[2], sys.argv[3], sys.argv[4:])
elif sys.argv[1] == "failed":
    failed(sys.argv[2], sys.argv[3:])
else:
    count(sys.argv[2:])
