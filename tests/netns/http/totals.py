#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Whether a gateway at rest holds nothing, and its counters add up.
usage: totals.py STATUS.json EVENTS LABEL       EVENTS: lines of the journal that are this run's
"""
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        status = json.load(f)
    totals, label, events = status["totals"], sys.argv[3], int(sys.argv[2])
    rows = [(f"no {key} left", totals[key], 0) for key in (
        "sessions", "session_memory", "body_disk", "scans_waiting",
        "events_waiting", "events_dropped")]
    rows.append(("each exchange and each tunnel has one verdict",
                 sum(totals["verdicts"].values()),
                 totals["requests"] + totals["tunnels"]))
    rows.append(("each verdict has one event", events,
                 sum(totals["verdicts"].values())))
    relays = [r for r in status["roles"] if r["role"] == "relay"]
    for key in ("requests", "sessions_total", "bytes_in", "bytes_out"):
        rows.append((f"{key} is the sum of the relays'", totals[key],
                     sum(r["counters"][key] for r in relays)))
    rows.append(("no role was restarted",
                 [r["role"] for r in status["roles"] if r["restarts"]], []))
    for name, got, wanted in rows:
        print(f"{'ok' if got == wanted else 'not ok'} - {label}: {name}")
        if got != wanted:
            print(f"#   got {got}, wanted {wanted}")


if __name__ == "__main__":
    main()
