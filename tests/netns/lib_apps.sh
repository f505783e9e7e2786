# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of application accounting share; sourced after lib.sh.

# app NAME: a counter of the app role
app() { role_counter app "$1"; }
app_is() { [ "$(app "$1")" = "$2" ]; }

# lan: bytes of the LAN interface, both ways
lan() { on_gw ip -j -s link show lan0 | query "x[0]['stats64']['rx']['bytes'] + x[0]['stats64']['tx']['bytes']"; }
# counted: bytes of all frames that were counted, those that have no application (yet) included
counted() { echo $(($(app frame_bytes) + $(app frame_bytes_pending))); }
# count_from_now: what went over the interface before, and what was counted of it, is left out of adds_up
count_from_now() {
	sleep 1.5 # counters are read each second
	EARLIER=$(($(lan) - $(counted)))
}
adds_up() { [ "$(counted)" = $(($(lan) - EARLIER)) ]; }
unattributed() {
	status "sum(v for r in x['roles'] if r['role'] == 'app' for k, v in r['counters'].items() if k.startswith('unattributed_'))"
}

# marked EXTENDED-REGEXP MARK: a connection like that has this label
marked() { on_gw cat /proc/net/nf_conntrack | grep -E "$1" | grep -q " mark=$(($2 << 16)) "; }
# apps FIELD=VALUE...: bytes of these records, all clients and directions
apps() { sluicectl --json apps | "$PYTHON" -c '
import json, sys
want = dict(w.split("=") for w in sys.argv[1:])
rows = [json.loads(line) for line in sys.stdin]
print(sum(r["bytes"] for r in rows if all(str(r[k]) == v for k, v in want.items())))' "$@"; }
