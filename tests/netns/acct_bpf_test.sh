#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Accounting by BPF on real traffic: the sum of all applications and of all reasons is what the interface counted, to the
# byte, whatever happens meanwhile. The network is lib.sh's; acct_tool counts on lan0, through tcx and through clsact.
#
# Labels come from rules of this test's own (table acct), as they will come from the app role.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ACCT=$O/tests/netns/acct_tool
APP_INTERCEPTED=1000 APP_GATEWAY=1001 APP_ICMP=1002 # ids of acct_tool
APP_WEB=77 APP_UDP=78
ACCT_PID=

# --- the tool ------------------------------------------------------------------------
# acct_start [OPTION...]: in the gateway; then acct COMMAND... talks to it
acct_start() {
	rm -f "$T/acct.in" "$T/acct.out"
	mkfifo "$T/acct.in" "$T/acct.out"
	nsenter --net="/run/netns/$NS_GW" -- "$ACCT" "$@" <"$T/acct.in" >"$T/acct.out" 2>"$T/log/acct" &
	ACCT_PID=$!
	NS_PIDS+=("$ACCT_PID")
	exec 7>"$T/acct.in" 8<"$T/acct.out"
	read -r -t 10 READY <&8 && [ "${READY%% *}" = ready ]
}
acct_stop() {
	local pid=$ACCT_PID
	exec 7>&- 8<&-
	ACCT_PID=
	wait "$pid" 2>/dev/null
}
# Its answer, without the last line; false when that is a refusal.
acct() {
	local line
	echo "$*" >&7
	while read -r -t 10 line <&8; do
		case $line in
		.) return 0 ;;
		!*)
			echo "$line"
			return 1
			;;
		*) echo "$line" ;;
		esac
	done
	return 1
}
# of PATTERN COLUMN < show: sum of that column (1 = packets ... 5 = header_bytes, 6 = flows) of the lines that match
of() { awk -v p="$1" -v c="$2" '$0 ~ p { for (i = 1; i <= NF; i++) if ($i == "up" || $i == "down") { s += $(i + c); break } } END { printf "%d\n", s }'; }

# --- the interface -------------------------------------------------------------------
# "rx_bytes rx_packets tx_bytes tx_packets" of lan0; not in /sys, which shows another namespace
# shellcheck disable=SC2016  # awk's
lan_stats() { on_gw awk '$1 == "lan0:" { print $2, $3, $10, $11 }' /proc/net/dev; }
LAN_BEFORE=
# start counting here: nothing may be under way
mark_lan() {
	LAN_BEFORE=$(lan_stats)
	acct show >"$T/before" || return 1
}
# What the interface counted and what we did, since mark_lan: two lines
compare() {
	local -a was now
	read -r -a was <<<"$LAN_BEFORE"
	acct show >"$T/show"
	read -r -a now < <(lan_stats)
	echo "$((now[0] - was[0])) $((now[1] - was[1])) $((now[2] - was[2])) $((now[3] - was[3]))"
	echo "$(since '^total up' 4) $(since '^total up' 3) $(since '^total down' 4) $(since '^total down' 3)"
}
# since PATTERN COLUMN: of what compare has read
since() { echo $(($(of "$1" "$2" <"$T/show") - $(of "$1" "$2" <"$T/before"))); }
balanced() {
	compare >"$T/compare"
	[ "$(sed -n 1p "$T/compare")" = "$(sed -n 2p "$T/compare")" ]
}
# conserved NAME: frames and bytes in both directions; late packets (ND, ACKs) may need a moment
conserved() {
	if wait_for 5 balanced; then
		ok "$1 ($(sed -n 1p "$T/compare"))"
	else
		not_ok "$1" "interface: $(sed -n 1p "$T/compare")
counted:   $(sed -n 2p "$T/compare")
$(cat "$T/show")"
	fi
}

# --- labels --------------------------------------------------------------------------
mark_of() { printf '0x%08x' $(($1 << 16)); }
# The rules that label: TCP to port 80 and UDP to port 5000, from their first packet on.
label_first() {
	on_gw nft -f - <<-NFT
		table inet acct {
			chain forward {
				type filter hook forward priority mangle;
				ct state new tcp dport 80 ct mark set ct mark and 0xf800ffff or $(mark_of $APP_WEB)
				ct state new udp dport 5000 ct mark set ct mark and 0xf800ffff or $(mark_of $APP_UDP)
			}
		}
	NFT
}
# ... and TCP only once 20 kB have passed: in the middle of the flow
label_late() {
	on_gw nft -f - <<-NFT
		table inet acct {
			chain forward {
				type filter hook forward priority mangle;
				tcp dport 80 ct reply bytes > 20000 ct mark set ct mark and 0xf800ffff or $(mark_of $APP_WEB)
			}
		}
	NFT
}
unlabel() { on_gw nft delete table inet acct; }

# --- traffic -------------------------------------------------------------------------
fetch() { on_client curl -s -S -o /dev/null -m 20 "$@"; }
pings() { on_client ping -q -c 3 -i 0.2 -s 1000 "$1" >/dev/null; }
# 20 datagrams each way, of 700 bytes; large ones are fragmented
udp() { on_client "$PYTHON" "$TESTS/netns/helpers/udp_echo.py" --connect "$1" --count "${2:-20}" --size "${3:-700}"; }
all_traffic() {
	local s
	for s in $SERVER "[$SERVER6]"; do fetch "http://$s/1m" || return 1; done
	for s in $SERVER $SERVER6; do
		udp "$s" && pings "$s" || return 1
	done
}

# --- the tests, on either hook -------------------------------------------------------
forwarded() {
	label_first
	mark_lan
	check "$1: HTTP, UDP and ping, IPv4 and IPv6" all_traffic
	conserved "$1: the sum is the interface's"
	is "$(since "^app ::ffff:$CLIENT $APP_WEB " 6) $(since "^app $CLIENT6 $APP_WEB " 6)" "1 1" "$1: one TCP flow each"
	is "$(since "^app ::ffff:$CLIENT $APP_UDP " 6) $(since "^app $CLIENT6 $APP_UDP " 6)" "1 1" "$1: one UDP flow each"
	# 20 * (700 + 8 + 20 or 40)
	is "$(since "^app ::ffff:$CLIENT $APP_UDP up" 2) $(since "^app $CLIENT6 $APP_UDP down" 2)" "14560 14960" \
		"$1: UDP, the bytes of its packets"
	is "$(since "^app ::ffff:$CLIENT $APP_UDP up" 4) $(since "^app ::ffff:$CLIENT $APP_UDP up" 1)" "14840 20" \
		"$1: UDP, its frames"
	# 3 * (1000 + 8 + 20 or 40)
	is "$(since "^app ::ffff:$CLIENT $APP_ICMP up" 2) $(since "^app $CLIENT6 $APP_ICMP down" 2)" "3084 3144" "$1: ICMP"
	is_less 1000000 "$(since "^app ::ffff:$CLIENT $APP_WEB down" 2)" "$1: a megabyte for the web, IPv4"
	is_less 1000000 "$(since "^app $CLIENT6 $APP_WEB down" 2)" "$1: a megabyte for the web, IPv6"
	is "$(since '^(reason (unl|no_|tab|mal|frag|prot)|pending)' 3)" 0 "$1: nothing is left for a reason"
	unlabel
}

own_traffic() {
	mark_lan
	check "$1: the client pings the gateway" pings $GW
	check "$1: the gateway pings the client" on_gw ping -q -c 2 $CLIENT
	conserved "$1: the gateway's own traffic"
	is_less 0 "$(since "^app ::ffff:$CLIENT $APP_GATEWAY up" 1)" "$1: it has its id, up"
	is "$(since "^app .* ($APP_ICMP|$APP_WEB) " 1)" 0 "$1: and no other"
}

in_the_middle() {
	label_late
	mark_lan
	check "$1: a flow that is labelled after 20 kB" fetch "http://$SERVER/1m"
	conserved "$1: its sum"
	is "$(since "^app ::ffff:$CLIENT $APP_WEB " 6)" 1 "$1: one flow"
	is "$(since '^(reason [^n]|pending)' 3)" 0 "$1: its first bytes were moved to it"
	unlabel
}

never() {
	mark_lan
	check "$1: a flow without a label" fetch "http://$SERVER/1m"
	conserved "$1: its bytes are pending"
	is_less 1000000 "$(since '^pending .* down' 2)" "$1: all of them"
	acct sweep 60000 60000 60000 >/dev/null
	acct show >"$T/show"
	is_less 1000000 "$(since '^pending .* down' 2)" "$1: they stay while the flow is young"
	check "$1: sweep" acct sweep 0 0 60000
	conserved "$1: swept, its sum"
	is_less 1000000 "$(since '^reason unlabelled down' 2)" "$1: unlabelled now"
	is "$(since '^pending' 3) $(of '^pending' 0 <"$T/show")" "0 0" "$1: nothing is pending"
	is "$(awk '/^pending .* up/ { print $2 }' "$T/show")" 1 "$1: the entry is still there"
	check "$1: sweep again" acct sweep 0 0 0
	is "$(acct show | awk '/^pending .* up/ { print $2 }')" 0 "$1: no entry is left"
}

flushed() {
	label_first
	mark_lan
	on_client curl -s -S -o /dev/null -m 20 --limit-rate 1M "http://$SERVER/2m" &
	local pid=$!
	wait_for 5 moving
	on_gw conntrack -F >/dev/null 2>&1
	wait "$pid"
	is $? 0 "$1: conntrack is flushed in the middle of a flow"
	conserved "$1: its sum"
	unlabel
	acct sweep 0 0 0 >/dev/null
	conserved "$1: and after a sweep"
}
moving() { [ "$(acct show | of '^app .* down' 2)" -gt 200000 ]; }

down_and_up() {
	label_first
	mark_lan
	on_client ping -q -c 5 -i 0.2 $SERVER >/dev/null &
	local pid=$!
	ip -n "$NS_GW" link set lan0 down
	ip -n "$NS_GW" link set lan0 up
	# with the link its IPv6 address went
	ip -n "$NS_GW" addr replace $GW6/64 dev lan0 nodad
	wait "$pid"
	wait_for 10 pings $SERVER
	wait_for 10 pings $SERVER6
	check "$1: traffic flows after the interface was down" all_traffic
	conserved "$1: the sum"
	unlabel
}

taken_away() {
	local pid
	fetch --limit-rate 2M "http://$SERVER/2m" &
	pid=$!
	check "$1: detach while traffic flows" acct detach lan0
	acct show >"$T/before"
	wait "$pid"
	is $? 0 "$1: the traffic goes on"
	acct show >"$T/show"
	is "$(since '^total' 3)" 0 "$1: nothing is counted any more"
	is "$(on_gw tc filter show dev lan0 ingress; on_gw tc filter show dev lan0 egress; on_gw tc qdisc show dev lan0 | grep -c clsact)" 0 \
		"$1: no filter and no qdisc of ours is left"
	check "$1: attach again" acct attach lan0
	is "$(acct attach lan0)" "! File exists" "$1: twice is refused"
	mark_lan
	check "$1: traffic" all_traffic
	conserved "$1: counted again"
}

# Read, and give up what is pending, all the while: nothing lost, nothing twice.
busy() {
	local pid pids reads=0 rounds=0
	label_late
	mark_lan
	# On a busy machine, another round until that was often enough.
	while [ $reads -le 3 ] && [ $rounds -lt 6 ]; do
		pids=()
		for _ in 1 2 3; do
			fetch -o /dev/null --limit-rate 1M "http://$SERVER/2m" "http://[$SERVER6]/2m" &
			pids+=($!)
		done
		while kill -0 "${pids[2]}" 2>/dev/null; do
			acct sweep 0 0 $((reads % 3 * 100)) >/dev/null && acct show >/dev/null && reads=$((reads + 1))
			sleep $POLL
		done
		for pid in "${pids[@]}"; do wait "$pid" || not_ok "$1: a download" "it failed"; done
		rounds=$((rounds + 1))
	done
	conserved "$1: read and swept $reads times while $((rounds * 6)) downloads ran"
	is_less 3 "$reads" "$1: often enough"
	is_less 5000000 "$(since "^app .* $APP_WEB down" 2)" "$1: most of it had a label"
	unlabel
}

both_hooks() {
	forwarded "$1"
	own_traffic "$1"
	in_the_middle "$1"
	never "$1"
	flushed "$1"
	down_and_up "$1"
	taken_away "$1"
	busy "$1"
}

# --- only once -----------------------------------------------------------------------
fragments() {
	mark_lan
	check "fragments: UDP of 4000 bytes" udp $SERVER 5 4000
	check "fragments: IPv6" udp $SERVER6 5 4000
	conserved "fragments: the sum"
	# 4000 + 8 bytes are three frames; defragmented on the gateway, cut again when sent on
	is "$(since '^reason fragment up' 3) $(since '^reason fragment down' 3)" "30 30" "fragments: each frame"
}

segmentation_off() {
	on_gw ethtool -K lan0 tso off gso off gro off >/dev/null 2>&1
	label_first
	mark_lan
	check "segmentation off: a megabyte" fetch "http://$SERVER/1m"
	wait_for 5 wire_balanced
	is "$(since '^total down' 1) $(($(since '^total down' 4) + $(since '^total down' 5)))" "$(wire_sent)" \
		"segmentation off: packets, and frames with all headers, are what was sent"
	on_gw ethtool -K lan0 tso on gso on gro on >/dev/null 2>&1
	unlabel
}
wire_sent() {
	local -a was now
	read -r -a was <<<"$LAN_BEFORE"
	read -r -a now < <(lan_stats)
	echo "$((now[3] - was[3])) $((now[2] - was[2]))"
}
wire_balanced() {
	acct show >"$T/show"
	[ "$(since '^total down' 1) $(($(since '^total down' 4) + $(since '^total down' 5)))" = "$(wire_sent)" ]
}

# The receiving interface counts a tag that is in the frame; the kernel then keeps it beside the packet.
tagged() {
	mark_lan
	check "VLAN: frames with a tag, or two" on_client "$PYTHON" "$TESTS/netns/helpers/tagged.py" c0
	wait_for 5 tagged_balanced
	is "$(since '^total up' 3) $(($(since '^total up' 4) + $(since '^total up' 5)))" "$(wire_received)" \
		"VLAN: frames and tags are what was received"
	is "$(since "^app ::ffff:10.77.7.2 " 3)" 20 "VLAN: whose they are"
}
wire_received() {
	local -a was now
	read -r -a was <<<"$LAN_BEFORE"
	read -r -a now < <(lan_stats)
	echo "$((now[1] - was[1])) $((now[0] - was[0]))"
}
tagged_balanced() {
	acct show >"$T/show"
	[ "$(since "^app ::ffff:10.77.7.2 " 3)" = 20 ] &&
		[ "$(since '^total up' 3) $(($(since '^total up' 4) + $(since '^total up' 5)))" = "$(wire_received)" ]
}

intercepted() {
	sluice_conf scan.engine=none
	# shellcheck disable=SC2119
	start_sluice || return 1
	mark_lan
	check "intercepted: IPv4" fetch "http://$SERVER/1m"
	check "intercepted: IPv6" fetch "http://[$SERVER6]/1m"
	conserved "intercepted: the sum"
	is "$(since "^app ::ffff:$CLIENT $APP_INTERCEPTED" 6) $(since "^app $CLIENT6 $APP_INTERCEPTED" 6)" "1 1" \
		"intercepted: a flow each"
	is_less 1000000 "$(since "^app ::ffff:$CLIENT $APP_INTERCEPTED down" 2)" "intercepted: IPv4 has the id of the proxy"
	is_less 1000000 "$(since "^app $CLIENT6 $APP_INTERCEPTED down" 2)" "intercepted: IPv6, too"
	is "$(since '^(reason [^n]|pending)' 3)" 0 "intercepted: nothing else, from the first packet to the last"
	better_label
	stop_sluice
}
better_label() {
	acct label $CLIENT 40404 $SERVER 80 55
	mark_lan
	check "intercepted: a flow that userspace labelled" fetch --local-port 40404 "http://$SERVER/1m"
	conserved "intercepted: its sum"
	is "$(since '^app .* 55 ' 6) $(since "^app .* $APP_INTERCEPTED " 3)" "1 0" "intercepted: that label has all of it"
	check "intercepted: the label is taken away" acct label $CLIENT 40404 $SERVER 80 0
}

second_loader() {
	local out
	out=$(printf 'show\n' | in_ns "$NS_GW" "$ACCT" "$@" lan0 2>&1 | tail -n 1)
	is "$out" . "a second loader ($*)"
	mark_lan
	check "a second loader ($*): traffic" all_traffic
	conserved "a second loader ($*): the first one counts on"
}

full() {
	acct_start -p 2 -k 2 lan0
	label_first
	mark_lan
	check "tables of two entries: traffic" all_traffic
	check "tables of two entries: many flows" many
	conserved "tables of two entries: the sum"
	is_less 0 "$(since '^reason table_full up' 3)" "tables of two entries: what had no room"
	unlabel
	acct_stop
}
many() { for _ in 1 2 3 4 5 6 7 8; do udp $SERVER 1 || return 1; done; }

no_conntrack() {
	acct_start -n lan0
	is "$READY" "ready without conntrack" "without look-up of connections: it says so"
	label_first
	mark_lan
	check "without look-up of connections: traffic" all_traffic
	conserved "without look-up of connections: the sum"
	is_less 2000000 "$(since '^reason no_conntrack down' 2)" "without look-up of connections: no flow has an application"
	is "$(since "^app .* ($APP_WEB|$APP_UDP) " 3)" 0 "without look-up of connections: none"
	unlabel
	acct_stop
}

# What a killed loader leaves on a clsact qdisc goes with the next one; others' filters stay.
crashed() {
	on_gw tc qdisc add dev lan0 clsact
	on_gw tc filter add dev lan0 ingress pref 1 bpf bytecode '1,6 0 0 4294967295,'
	acct_start -c lan0
	kill -KILL "$ACCT_PID"
	acct_stop
	is "$(ours) $(others)" "2 1" "clsact: a killed loader leaves its filters"
	acct_start -c lan0
	is "$(ours) $(others)" "2 1" "clsact: the next one removes them and adds its own"
	acct_stop
	is "$(ours) $(others)" "0 1" "clsact: and leaves nothing but somebody else's filter"
	on_gw tc qdisc del dev lan0 clsact
	acct_start -c lan0
	on_gw tc qdisc del dev lan0 clsact
	check "clsact: somebody deletes the qdisc under us: detach" acct detach lan0
	check "clsact: attach again" acct attach lan0
	on_gw tc filter add dev lan0 egress bpf bytecode '1,6 0 0 4294967295,'
	acct_stop
	is "$(ours) $(others egress)" "0 1" "clsact: the qdisc we made stays while somebody else uses it"
	on_gw tc qdisc del dev lan0 clsact
}
ours() { { on_gw tc filter show dev lan0 ingress && on_gw tc filter show dev lan0 egress; } | grep -cE 'acct_(up|down)'; }
others() { on_gw tc filter show dev lan0 "${1:-ingress}" | grep -c bytecode; }

interface_goes() {
	ip -n "$NS_GW" link add gone0 type veth peer name gone1
	acct_start "$@" gone0
	acct attach lan0
	ip -n "$NS_GW" link del gone0
	label_first
	mark_lan
	check "an interface goes away ($*): the other one carries traffic" all_traffic
	conserved "an interface goes away ($*): the sum"
	unlabel
	acct_stop
	is $? 0 "an interface goes away ($*): the end is orderly"
}

refused() {
	local said caps=+bpf,+net_admin,+perfmon
	said=$(echo show | on_gw setpriv --reuid 65534 --clear-groups --inh-caps "-all,$caps" --ambient-caps "-all,$caps" \
		--bounding-set "-all,$caps" "$ACCT" lan0 2>&1 | tail -n 1)
	is "$said" . "three capabilities are enough: $caps"
	said=$(on_gw "$ACCT" nosuch0 </dev/null 2>&1)
	is "$?: $said" "1: acct_tool: nosuch0: No such device" "an interface that isn't there"
	said=$(on_client "$ACCT" -p 4000000000 lo </dev/null 2>&1)
	is "$?: ${said%%: *}" "1: acct_tool" "a table larger than memory: ${said#*: }"
	said=$(on_gw setpriv --bounding-set -bpf,-sys_admin --inh-caps -bpf,-sys_admin "$ACCT" lan0 </dev/null 2>&1)
	is "$?: ${said%%: *}" "1: acct_tool" "without the capability: ${said#*: }"
}

# ------------------------------------------------------------------------------------
make -s -C "$ROOT" O="$O" "$ACCT" || exit 1
ns_up
head -c 1000000 /dev/urandom >"$T/www/1m"
head -c 2000000 /dev/urandom >"$T/www/2m"
start_nginx || exit 1
spawn "$NS_SERVER" udp "$PYTHON" "$TESTS/netns/helpers/udp_echo.py" --listen
# conntrack works in this namespace only while a rule wants it
on_gw nft 'add table inet track; add chain inet track c { type filter hook forward priority 0; }; add rule inet track c ct state invalid counter'
wait_for 5 udp $SERVER 1

said=$(on_gw "$ACCT" probe)
case $said in
usable,*) ok "the probe: $said" ;;
*)
	skip "accounting by BPF" "kernel: $said"
	exit 0
	;;
esac

for hook in tcx clsact; do
	case "$hook $said" in
	"tcx "*clsact:*)
		skip "tcx" "kernel: no tcx"
		continue
		;;
	clsact*) acct_start -c lan0 ;;
	*) acct_start lan0 ;;
	esac
	both_hooks $hook
	acct_stop
done

acct_start lan0
fragments
segmentation_off
tagged
intercepted
second_loader
second_loader -c
acct_stop
acct_start -c lan0
second_loader -c
acct_stop
full
no_conntrack
crashed
interface_goes
interface_goes -c
refused
echo "1..$TAP_COUNT"
done_testing
