#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An origin server that says who it talks to.

usage: origin.py PORT
GET /whoami   "ADDRESS PORT" of the connection's other end, connection kept
GET /close    the same, and the server closes
GET /bytes/N  N bytes
PUT           "N" bytes received
"""
import http.server
import socket
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/close":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        super().handle()
        # The client closed: let its FIN be acknowledged before ours is sent.
        if self.raw_requestline == b"":
            time.sleep(0.3)

    def do_GET(self):
        if self.path.startswith("/bytes/"):
            self.answer(b"x" * int(self.path[len("/bytes/"):]))
            return
        address = self.client_address[0].replace("::ffff:", "")
        self.answer(f"{address} {self.client_address[1]}\n".encode())

    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        got = 0
        while left > got:
            data = self.rfile.read(min(65536, left - got))
            if not data:
                return
            got += len(data)
        self.answer(f"{got}\n".encode())

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 512

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


Server(("::", int(sys.argv[1])), Handler).serve_forever()
