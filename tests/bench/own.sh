#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the harness's run.sh does, with loads that it hasn't got (tests/bench/peer.c); tests/bench/run calls this.
# usage: own.sh TSV ROUNDS SECONDS CANDIDATES WORKLOAD...
#   pass-CONNECTIONS-SIZE     objects of SIZE bytes over a protocol that is no HTTP, on port 80
#   unique-CONNECTIONS-SIZE   over HTTP, no two alike
#   beside-CONNECTIONS-SIZE   what 200 requests/s of 1 KiB wait beside a pass-CONNECTIONS-SIZE
# SIZE: as 1M, 64K. BENCH: the harness; PEER: the built peer.c
set -eu
tsv=$1 rounds=$2 each=$3 candidates=$4
shift 4
# shellcheck source=/dev/null
. "$BENCH/lib.sh"
set +eu # the harness's functions are written without
# the harness's own
: "${BT:?}" "${NC:?}" "${NG:?}" "${NS:?}" "${CG:?}" "${SRV:?}"
trap 'cand_down 2>/dev/null; tb_down' EXIT
tb_up
mk_bins
mkdir -p "$BT/log"
(
	echo "$BASHPID" >"$CG/$NS/cgroup.procs"
	exec setsid ip netns exec "$NS" "$PEER" serve 80 >"$BT/log/peer.out" 2>&1 </dev/null
) &
wait_port "$NS" 80 || exit 1

# figure WORKLOAD BEFORE AFTER JSON: its lines of the table; BEFORE and AFTER: user and system time of gateway, client, server
figure() {
	python3 - "$round" "$CAND_NAME" "$@" <<-'PY'
		import json, sys
		round, candidate, workload, before, after, said = sys.argv[1:]
		spent = [(int(b) - int(a)) / 1e9 for a, b in zip(before.split(), after.split())]
		try:
		    got = json.loads(said)
		    got["bytes"] / got["secs"], 1 / got["bytes"]
		except (ValueError, ZeroDivisionError):
		    print(round, candidate, workload, "failed", 1, sep="\t")
		    sys.exit()
		gateway, everybody = sum(spent[:2]), sum(spent)
		for name, value in (("rps", got["reqs"] / got["secs"]), ("MBps", got["bytes"] / got["secs"] / 1e6),
		                    ("errs", got["errs"]), ("gwcpu_s_per_GB", gateway / got["bytes"] * 1e9),
		                    ("allcpu_s_per_GB", everybody / got["bytes"] * 1e9),
		                    ("gwcpu_s_per_10kreq", gateway / max(1, got["reqs"]) * 1e4),
		                    ("allcpu_s_per_10kreq", everybody / max(1, got["reqs"]) * 1e4)):
		    print(round, candidate, workload, name, "%.6g" % value, sep="\t")
		for name in ("p50ms", "p99ms", "maxms"):
		    if got[name] > 0: # peer.c takes no such times
		        print(round, candidate, workload, name, got[name], sep="\t")
	PY
}
spent() { echo "$(cpu_ns "$NG") $(cpu_ns "$NC") $(cpu_ns "$NS")"; }
connected() { [ "$(c_run ss -Htn state established "dport = :80" | wc -l)" -ge "$1" ]; }
# beside CONNECTIONS SIZE
beside() {
	local fetch
	c_run "$PEER" fetch "$SRV" 80 "$1" "$2" $((each + 2)) >/dev/null &
	fetch=$!
	for _ in $(seq 100); do ! connected "$1" || break; done
	c_run "$BT/bin/bget" -a "$SRV" -u /1024 -c 64 -r 200 -d "$each" -e 1024
	wait $fetch
}
load() { # WORKLOAD
	local kind connections size
	IFS=- read -r kind connections size <<<"$1"
	size=$(numfmt --from=iec "$size")
	case $kind in
	pass) c_run "$PEER" fetch "$SRV" 80 "$connections" "$size" "$each" ;;
	beside) beside "$connections" "$size" ;;
	unique) c_run "$BT/bin/bget" -a "$SRV" -u "/$size" -c "$connections" -d "$each" -e "$size" ;;
	esac
}

: >"$tsv"
for round in $(seq "$rounds"); do
	for candidate in $candidates; do
		cand_load "$candidate"
		echo "round $round $candidate" >&2
		cand_up || {
			printf '%s\t%s\tstart\tfailed\t1\n' "$round" "$candidate" >>"$tsv"
			cand_down
			continue
		}
		for workload; do
			before=$(spent)
			said=$(load "$workload")
			figure "$workload" "$before" "$(spent)" "$said" >>"$tsv"
		done
		cand_down
	done
done
