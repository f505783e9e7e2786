#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of tests/captures through a gateway, and what it made of them.

usage: replay.py send CAPTURES CLIENT-IF SERVER-IF CLIENT-GATEWAY-MAC SERVER-GATEWAY-MAC
       replay.py write CAPTURES FILE CLIENT-MAC SERVER-MAC CLIENT-GATEWAY-MAC SERVER-GATEWAY-MAC
       replay.py labels CAPTURES APPS <CONNTRACK    /proc/net/nf_conntrack; APPS: tests/golden/apps.txt
       replay.py bytes CAPTURES <RECORDS            sluicectl --json apps
       replay.py unnamed CAPTURES                   one number: bytes of the frames that nobody can name

send: a packet is sent when the one before it has arrived on the other side: so a server answers what it has got, as a real
one does, however long the packet was with the classifier. (A player that keeps to times sends answers to what is still
queued when it is too fast, and conntrack then sees connections that begin with their answer.) What arrives must be what was
sent, but for the hop limit.

write: the same packets, all of them one after the other, as one capture for tcpreplay.

Each capture gets addresses of its own, 10.76.0.N and 10.78.0.N or fd76::N and fd78::N: what the classifier learnt of the
server in an earlier one is no help. Only headers change: addresses, and the checksums that the capture left to a network
card.

labels and bytes print a line for each capture, "ok NAME", or "not_ok NAME: ..." with what is wanted and what there is.
"""
import collections
import ipaddress
import json
import os
import re
import socket
import struct
import sys
import time

ETHERNET = 14
CLIENTS = ("10.77.1.2", "fd77:1::2")  # in the captures
TIMEOUT = 5
TCP = 6
LABEL_MASK, LABEL_HINT, LABEL_SHIFT = 0x07FF0000, 0x08000000, 16

Flow = collections.namedtuple("Flow", "proto client client_port server server_port")


# --- captures ----------------------------------------------------------------------------
def frames(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at < len(data):
        have, length = struct.unpack_from("<II", data, at + 8)
        assert have == length, f"{path}: a packet is cut off"
        yield data[at + 16:at + 16 + have]
        at += 16 + have


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Packet:
    """An IP packet of capture @number, as it is sent."""

    def __init__(self, frame, number):
        ip = bytearray(frame[ETHERNET:])
        self.v4 = ip[0] >> 4 == 4
        self.head = (ip[0] & 15) * 4 if self.v4 else 40
        at, size = (12, 4) if self.v4 else (8, 16)
        ends = [f"10.76.0.{number}", f"10.78.0.{number}"] if self.v4 else [f"fd76::{number:x}", f"fd78::{number:x}"]
        self.up = str(ipaddress.ip_address(bytes(ip[at:at + size]))) in CLIENTS
        wire = b"".join(ipaddress.ip_address(e).packed for e in (ends if self.up else reversed(ends)))
        ip[at:at + 2 * size] = wire
        proto = "tcp" if ip[9 if self.v4 else 6] == TCP else "udp"
        self.set_checksums(ip, wire, proto)
        ports = struct.unpack_from("!HH", ip, self.head)
        if not self.up:
            ports = ports[::-1]
        self.flow = Flow(proto, ends[0], ports[0], ends[1], ports[1])
        self.data = bytes(ip)

    def set_checksums(self, ip, addresses, proto):
        if self.v4:
            struct.pack_into("!H", ip, 10, 0)
            struct.pack_into("!H", ip, 10, checksum(ip[:self.head]))
        at = self.head + (16 if proto == "tcp" else 6)
        struct.pack_into("!H", ip, at, 0)
        part = ip[self.head:]
        pseudo = addresses + struct.pack("!IHH", len(part), 0, ip[9 if self.v4 else 6])
        struct.pack_into("!H", ip, at, checksum(pseudo + part) or 0xFFFF)

    def is_arrived(self, ip):
        """Whether @ip is this packet, one hop on."""
        want, got = bytearray(self.data), bytearray(ip)
        changed = (8, 10, 11) if self.v4 else (7,)
        for i in changed:
            if i < len(got):
                want[i] = got[i] = 0
        return want == got


def captures(folder):
    """NAME: its packets."""
    names = sorted(n[:-5] for n in os.listdir(folder) if n.endswith(".pcap"))
    return {name: [Packet(f, number) for f in frames(f"{folder}/{name}.pcap")] for number, name in enumerate(names, 1)}


def listed(folder):
    """What captures.txt wants: NAME: {"tcp/80": "http"}, and how many flows have no label."""
    apps, more, flows = collections.defaultdict(dict), collections.Counter(), collections.defaultdict(list)
    with open(f"{folder}/captures.txt", encoding="ascii") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    for name, port, *rest in lines:
        if port == "more":
            more[name] += 1
            continue
        assert apps[name].setdefault(port, rest[0]) == rest[0], f"{name}: {port} is two applications"
        flows[name].append(f"{port} {rest[0]}")
    return apps, more, flows


def service(flow):
    return f"{flow.proto}/{flow.server_port}"


# --- send --------------------------------------------------------------------------------
class Side:
    def __init__(self, interface, gateway):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.bind((interface, 3))
        self.head = bytes.fromhex(gateway.replace(":", "")) + self.sock.getsockname()[4]

    def send(self, packet):
        self.sock.send(self.head + (b"\x08\x00" if packet.v4 else b"\x86\xdd") + packet.data)

    def arrives(self, packet):
        end = time.monotonic() + TIMEOUT
        while (left := end - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                data, where = self.sock.recvfrom(70000)
            except TimeoutError:
                return False
            if where[2] != socket.PACKET_OUTGOING and packet.is_arrived(data[ETHERNET:]):
                return True
        return False


def send(folder, client_if, server_if, client_mac, server_mac):
    client, server = Side(client_if, client_mac), Side(server_if, server_mac)
    for name, packets in captures(folder).items():
        for count, packet in enumerate(packets, 1):
            here, there = (client, server) if packet.up else (server, client)
            here.send(packet)
            if not there.arrives(packet):
                sys.exit(f"{name}: packet {count} has not arrived")
    print(sum(len(p) for p in captures(folder).values()), "packets")


def write(folder, path, client, server, client_gateway, server_gateway):
    ways = {True: bytes.fromhex((client_gateway + client).replace(":", "")),
            False: bytes.fromhex((server_gateway + server).replace(":", ""))}
    sent = [p for packets in captures(folder).values() for p in packets]
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))  # pcap-savefile(5), Ethernet
        for number, packet in enumerate(sent):
            frame = ways[packet.up] + (b"\x08\x00" if packet.v4 else b"\x86\xdd") + packet.data
            file.write(struct.pack("<IIII", number // 1000, number % 1000 * 1000, len(frame), len(frame)) + frame)
    print(len(sent))


# --- labels ------------------------------------------------------------------------------
def verdict(name, wanted, there):
    print(f"ok {name}" if wanted == there else f"not_ok {name}: wanted {wanted}, there is {there}")


def marks(text):
    """Of connections, by their ends."""
    found = {}
    pattern = r"(tcp|udp) .*?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) .* mark=(\d+) "
    for proto, source, target, sport, dport, mark in re.findall(pattern, text):
        ends = [str(ipaddress.ip_address(a)) for a in (source, target)], [int(sport), int(dport)]
        if ends[0][0].startswith(("10.78.", "fd78::")):  # the server was first
            ends = ends[0][::-1], ends[1][::-1]
        found[Flow(proto, ends[0][0], ends[1][0], ends[0][1], ends[1][1])] = int(mark)
    return found


def label(mark, names):
    if mark is None:
        return "no connection"
    text = names.get((mark & LABEL_MASK) >> LABEL_SHIFT, f"mark {mark:x}")
    return text + (" by hint" if mark & LABEL_HINT else "")


def labels(folder, apps):
    with open(apps, encoding="ascii") as file:
        names = {int(line.split()[0]): line.split()[1] for line in file if not line.startswith("#")}
    names[0] = "more"
    found = marks(sys.stdin.read())
    _, more, flows = listed(folder)
    for name, packets in captures(folder).items():
        there = [(service(f), label(found.get(f), names)) for f in {p.flow for p in packets}]
        there = sorted(app if app == "more" else f"{port} {app}" for port, app in there)
        verdict(name, sorted(flows[name] + ["more"] * more[name]), there)


# --- bytes -------------------------------------------------------------------------------
def wanted_sums(packets, apps):
    """(APPLICATION, DIRECTION): bytes, packets, flows; a flow counts in the direction of its first packet."""
    sums, seen = collections.defaultdict(lambda: [0, 0, 0]), set()
    for p in packets:
        app = apps.get(service(p.flow))
        if app is None:
            continue
        row = sums[app, "up" if p.up else "down"]
        row[0] += len(p.data)
        row[1] += 1
        row[2] += p.flow not in seen
        seen.add(p.flow)
    return dict(sums)


def counted_sums(lines):
    clients = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0, 0]))
    for record in map(json.loads, lines):
        row = clients[record.get("client")][record["app"], record["direction"]]
        for i, key in enumerate(("bytes", "packets", "flows")):
            row[i] += record[key]
    return clients


def count_bytes(folder):
    clients = counted_sums(sys.stdin)
    apps, _, _ = listed(folder)
    for name, packets in captures(folder).items():
        there = {}
        for client in {p.flow.client for p in packets}:
            there.update(clients[client])
        verdict(name, sorted(wanted_sums(packets, apps[name]).items()), sorted(there.items()))


def unnamed(folder):
    apps, _, _ = listed(folder)
    print(sum(ETHERNET + len(p.data) for name, packets in captures(folder).items() for p in packets
              if service(p.flow) not in apps[name]))


if __name__ == "__main__":
    {"send": send, "write": write, "labels": labels, "bytes": count_bytes, "unnamed": unnamed}[sys.argv[1]](*sys.argv[2:])
