#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The captures of tests/captures once more, on the wire this time: through the rules, the queues, the classifier, conntrack
# and the counters of a real gateway. Each connection has the label in its mark that the classifier's unit test wants, and
# each client and application its bytes, to the byte. Once each packet waits for the one before it, and once tcpreplay sends
# them by the clock.
#
#   c0 (no address) ------- lan0 10.77.1.1  wan0 10.77.2.1 ------- s0 (no address)      c0 and s0: in the client's namespace
#   sends as 10.76.0.N, fd76::N                        sends as 10.78.0.N, fd78::N
#
# The ends have no addresses, so nothing of theirs answers; the gateway has static neighbours for them.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/lib_apps.sh"
ns_up

# --- the network -----------------------------------------------------------------------
mac() { ip -n "$1" -j link show "$2" | query "x[0]['address']"; }
# way INTERFACE MAC HOST NET HOST6 NET6: of the gateway to one side
way() {
	ip -n "$NS_GW" neigh replace "$3" lladdr "$2" dev "$1" nud permanent &&
		ip -n "$NS_GW" neigh replace "$5" lladdr "$2" dev "$1" nud permanent &&
		ip -n "$NS_GW" route add "$4" via "$3" && ip -n "$NS_GW" route add "$6" via "$5"
}
ends_without_addresses() {
	local interface
	ip -n "$NS_SERVER" link set s0 netns "$NS_CLIENT" || return 1
	# shellcheck disable=SC2016  # for the shell inside
	on_client sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' || return 1
	for interface in c0 s0; do
		ip -n "$NS_CLIENT" addr flush dev $interface && ip -n "$NS_CLIENT" link set $interface mtu 65535 up || return 1
	done
	# Segments were captured before a network card would have cut them up.
	ip -n "$NS_GW" link set lan0 mtu 65535 && ip -n "$NS_GW" link set wan0 mtu 65535 &&
		way lan0 "$(mac "$NS_CLIENT" c0)" $CLIENT 10.76.0.0/16 $CLIENT6 fd76::/64 &&
		way wan0 "$(mac "$NS_CLIENT" s0)" $SERVER 10.78.0.0/16 $SERVER6 fd78::/64
}
ends_without_addresses || exit 1

# --- replay ----------------------------------------------------------------------------
replay() { "$PYTHON" "$TESTS/netns/helpers/replay.py" "$1" "$TESTS/captures" "${@:2}"; }
# verdicts WHAT: what replay.py says of each capture
verdicts() {
	local said=0 line
	while read -r line; do
		said=$((said + 1))
		case $line in
		ok\ *) ok "${line#ok }: $1" ;;
		*) not_ok "${line%%:*}: $1" "$line" ;;
		esac
	done
	is "$said" "$CAPTURES" "all captures: $1"
}
CAPTURES=$(find "$TESTS/captures" -name '*.pcap' | wc -l)

# gateway_up: one that has seen nothing yet
gateway_up() {
	rm -rf "$T/state"
	on_gw conntrack -F >/dev/null 2>&1
	# Port 8000: what Sluice intercepts is no longer as it was captured.
	sluice_conf log.level=info scan.engine=none intercept.http='{8000}' intercept.ftp='{}'
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice || return 1
	# A connection that was reset would be forgotten before it is looked at.
	on_gw sh -c 'echo 60 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close'
	count_from_now
	# the flows begin with packets that are queued: not before somebody reads
	wait_for 5 eval 'on_gw nft list set inet sluice classifying | grep -q udp' || not_ok "packets are queued"
}
# examine HOW: what became of the packets that were sent
examine() {
	on_gw cat /proc/net/nf_conntrack >"$T/conntrack"
	verdicts "$1: labels" < <(replay labels "$TESTS/golden/apps.txt" <"$T/conntrack")
	check "$1: what was counted is what the interface carried, to the byte" wait_for 8 adds_up
	# Two captures end with the packet that names them: the sweep of pending flows, each 5 s, finds their label.
	check "$1: what ended without a label waits for one, to the byte" wait_for 10 app_is frame_bytes_pending \
		"$(replay unnamed)"
	sluicectl --json apps --since 1h >"$T/records"
	verdicts "$1: bytes" < <(replay bytes <"$T/records")
	is "$(app queue_lost)/$(app labels_lost)/$(app flows_evicted)" 0/0/0 "$1: nothing was lost"
	check "$1: sluiced stops" stop_sluice
}

# --- each packet when the one before it has arrived -----------------------------------
gateway_up || exit 1
is "$(app source)" 1 "bytes are counted by BPF"
check "every packet arrives, as it was sent" on_client "$PYTHON" "$TESTS/netns/helpers/replay.py" send "$TESTS/captures" \
	c0 s0 "$(mac "$NS_GW" lan0)" "$(mac "$NS_GW" wan0)"
examine "one by one"

# --- as tcpreplay does it: by the clock -----------------------------------------------
PACKETS=$(replay write "$T/all.pcap" "$(mac "$NS_CLIENT" c0)" "$(mac "$NS_CLIENT" s0)" "$(mac "$NS_GW" lan0)" \
	"$(mac "$NS_GW" wan0)")
tcpprep --mac="$(mac "$NS_CLIENT" c0)" --pcap="$T/all.pcap" --cachefile="$T/all.cache" >"$T/log/tcpprep" 2>&1 ||
	not_ok "tcpprep" "$(cat "$T/log/tcpprep")"
gateway_up || exit 1
on_client tcpreplay --intf1=c0 --intf2=s0 --cachefile="$T/all.cache" --pps=100 "$T/all.pcap" >"$T/log/tcpreplay" 2>&1
is "$? $(awk '/Successful packets:/ { sent += $3 } END { print sent }' "$T/log/tcpreplay")" "0 $PACKETS" "tcpreplay sends all"
examine "tcpreplay"
done_testing
