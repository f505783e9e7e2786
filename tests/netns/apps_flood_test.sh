#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each packet a new flow, 100,000 a second (or what the machine forwards) for 5 seconds, of garbage and then of DNS queries, beside real downloads: what
# classifies and counts doesn't grow beyond its limits, says what it gave up, loses no byte, and is itself again afterwards.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/lib_apps.sh"
FLOOD=$O/tests/netns/flood
make --no-print-directory -s -C "$ROOT" O="$O" "$FLOOD" >&2 || exit 1
ns_up
head -c 300000 /dev/urandom >"$T/www/big"
start_nginx || exit 1

# What is sent there ends there: the server forwards nothing.
ip -n "$NS_GW" route add 10.78.0.0/16 via $SERVER && ip -n "$NS_GW" route add fd78::/64 via $SERVER6 || exit 1
on_server sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward
	echo 0 >/proc/sys/net/ipv6/conf/all/forwarding'

sluice_conf log.level=info scan.engine=none intercept.http='{80}'
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
APP=$(role_pid app)
MAC=$(ip -n "$NS_GW" -j link show lan0 | query "x[0]['address']")
count_from_now

kib() { sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$APP/status"; }
get() { on_client curl -s -m 5 -o "$T/got" -w '%{http_code}\n' "http://$SERVER:8080/big"; }
flows() { sluicectl --json apps --since 1h | query_lines "sum(r['flows'] for r in x if r['app'] == '$1')"; }
query_lines() { "$PYTHON" -c 'import json, sys; x = [json.loads(line) for line in sys.stdin]; print(eval(sys.argv[1]))' "$1"; }
# nap: for a moment nobody reads, and the queues fill up
nap() {
	kill -STOP "$APP"
	sleep 1.5
	kill -CONT "$APP"
}
# offered: packets that rule "queue" has seen
# shellcheck disable=SC2016  # awk's
offered() { on_gw nft list chain inet sluice label 2>/dev/null | awk '/"queue"/ || /@classifying/ { for (i = 1; i < NF; i++) if ($i == "packets") print $(i + 1) }'; }
all_accounted() { [ "$(offered)" = $(($(app queued) + $(app queue_lost))) ]; }
# flood KIND: with a download each second beside it; codes in $T/codes, how many packets in SENT
flood() {
	local pid
	spawn "$NS_CLIENT" "flood-$1" "$FLOOD" "$1" c0 "$MAC" 100000 5
	pid=$SPAWNED
	for _ in 1 2 3 4; do
		sleep 0.6
		get
	done >"$T/codes"
	nap
	wait "$pid"
	SENT=$(cut -d' ' -f1 "$T/log/flood-$1")
	note "$1: $(cat "$T/log/flood-$1"); $(app queued) queued so far, $(kib VmHWM) KiB"
}
# after KIND LOST: what has to be true of any flood; LOST: packets before it
after() {
	is_less 100000 "$SENT" "$1: the flood is one"
	is "$(xargs <"$T/codes")" "200 200 200 200" "$1: downloads beside it work"
	is "$(role_pid app)" "$APP" "$1: the classifier lives"
	is "$(sluicectl --json status | grep -cE '"ready": ?true')" 1 "$1: the gateway is ready"
	check "$1: each packet was read, or is among those that were lost" wait_for 5 all_accounted
	is_less "$2" "$(app queue_lost)" "$1: some were, while it slept"
	check "$1: what was counted is what the interface carried, to the byte" wait_for 15 adds_up
}
# normal KIND: connections are named, counted, and all their bytes attributed. Room for flows without a label comes when
# those of the flood have been silent for 2 s.
settled() {
	local full
	full=$(app unattributed_table_full)
	[ "$(get)" = 200 ] && sleep 1.2 && [ "$(app unattributed_table_full)" = "$full" ]
}
normal() {
	local before labelled
	check "$1: there is room again" wait_for 10 settled
	before=$(flows http)
	labelled=$(app labelled)
	is "$(get)" 200 "$1: one more download"
	check "$1: it has its label" wait_for 3 app_is labelled $((labelled + 1))
	is "$(on_client curl -s -o "$T/got" -w '%{http_code}' "http://$SERVER/big")" 200 "$1: an intercepted one works, too"
	check "$1: both are counted" wait_for 5 eval "[ \"\$(flows http)\" = $((before + 2)) ]"
}

# --- garbage -----------------------------------------------------------------------------
get >/dev/null
before=$(kib VmHWM)
flood garbage
after garbage 0
is_less 50000 "$(app flows_evicted)" "garbage: flows that gave way are counted"
is_less 0 "$(app unattributed_table_full)" "garbage: bytes without room for their flow are counted"
normal garbage

# --- DNS -----------------------------------------------------------------------------------
labelled=$(app labelled)
lost=$(app queue_lost)
flood dns
after dns "$lost"
is_less $((labelled + 50000)) "$(app labelled)" "dns: its flows are named"
is_less 10000 "$(flows dns)" "dns: and counted, as far as there is room"
normal dns

# --- memory --------------------------------------------------------------------------------
# Flows (104 bytes each, 65536) and those that are looked into (8192, 1.5 KiB each) have their room for good now.
if [ -z "${SANITIZED:-}" ]; then # which takes more
	is_less "$(kib VmHWM)" $((before + 40000)) "memory is bounded"
	before=$(kib VmHWM)
	flood garbage
	is_less "$(kib VmHWM)" $((before + 2000)) "another flood needs no more"
fi
check "sluiced stops" stop_sluice
is_less "$(grep -cE ' (error|violation)' "$T/log/sluiced")" 1 "no role complained"
done_testing
