#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets to the classifier and labels back into the kernel: rules, NFQUEUE and conntrack's marks, with a reader that labels
# by port (helpers/label_tool.c). Topology: lib.sh. The server listens on 5001, 5002 and, speaking first, 2222.
# shellcheck disable=SC2317 # functions are called by name
. "$(dirname "$0")/lib.sh"

QUEUE=700
ns_up
for tool in rules_tool label_tool; do
	make --no-print-directory -s -C "$ROOT" O="$O" "$O/tests/netns/$tool" >"$T/make" 2>&1 || {
		not_ok "$tool builds" "$(cat "$T/make")"
		plan $TAP_COUNT
		exit 1
	}
done

rules_tool() { on_gw "$O/tests/netns/rules_tool" "$@"; }
label_tool() { on_gw "$O/tests/netns/label_tool" "$@"; }
talk() { on_client "$PYTHON" "$TESTS/netns/helpers/talk.py" "$@"; }

# --- looking ---------------------------------------------------------------------------
# counted RULE: packets
counted() { rules_tool counters | sed -n "s/^$1 //p"; }
# mark_of PROTOCOL DESTINATION-PORT: marks of connections to it, in hex, one a line
mark_of() {
	on_gw conntrack -L -f "${3:-ipv4}" -p "$1" --orig-port-dst "$2" 2>/dev/null |
		sed -n 's/.* mark=\([0-9]*\).*/\1/p' | while read -r m; do printf '0x%08x\n' "$m"; done | sort -u
}
marked() { [ "$(mark_of "$2" "$3" "${4:-ipv4}")" = "$1" ]; }
forget_all() { on_gw conntrack -F >/dev/null 2>&1; }
foreign() { on_gw nft "$@"; } # rules of somebody else

# shows PATTERN COMMAND...: (no process substitution: a guest of tests/vm has no /dev/fd)
shows() {
	local pattern=$1
	shift
	"$@" 2>/dev/null | grep -q -- "$pattern"
}
tracked() { on_gw conntrack -L "$@"; }

# --- the reader ------------------------------------------------------------------------
READER=
# reader_up [LENGTH [renew|idle]]
reader_up() {
	spawn "$NS_GW" reader "$O/tests/netns/label_tool" read $QUEUE 2 "${1:-0}" "${2:-renew}" 5001=1001 5002=2047 2222=82 7=0
	READER=$SPAWNED
	wait_for 5 grep -q ready "$T/log/reader" || not_ok "the reader starts" "$(cat "$T/log/reader")"
	[ "${2:-renew}" = idle ] || wait_for 5 classifying
}
reader_down() { kill -CONT "$READER" 2>/dev/null; end_pid "$READER"; }
classifying() { on_gw nft list set inet sluice classifying | grep -q elements; }
# kernel_has waiting | lost: packets in all queues, as the kernel has it (nfnetlink_queue.c, seq_show())
kernel_has() {
	# shellcheck disable=SC2016  # for awk
	on_gw awk -v what="$1" '{ n += what == "waiting" ? $3 : $6 + $7 } END { print n + 0 }' /proc/net/netfilter/nfnetlink_queue
}
# said COUNTER: of the reader, now
reports() { grep -c '^end$' "$T/log/reader"; }
more_reports() { [ "$(reports)" -gt "$1" ]; }
said() {
	local before
	before=$(reports)
	kill -HUP "$READER"
	wait_for 5 more_reports "$before"
	sed -n "s/^$1 //p" "$T/log/reader" | tail -n 1
}

# --- servers -----------------------------------------------------------------------------
spawn "$NS_SERVER" talk "$PYTHON" "$TESTS/netns/helpers/talk.py" serve 2222 5001 5002 5003 7
wait_for 5 grep -q ready "$T/log/talk" || exit 1

cat >"$T/rules.conf" <<-END
	intercept { lan = {"lan0"} http = {80} }
	service "http" { protocol = "http" mode = "transparent" port = 3129 }
	apps { queue = $QUEUE queues = 2 }
END
kind=$(rules_tool queue)
note "this kernel queues by $kind"
case $kind in
none)
	skip "classification" "kernel: neither nft_queue nor xt_NFQUEUE with nft_compat"
	plan 1
	exit 0
	;;
esac
foreign list ruleset >"$T/before"
check "asking what the kernel has leaves nothing behind" test ! -s "$T/before"
check "rules are installed" rules_tool install "$T/rules.conf"
check "and the kernel has them as they were given" rules_tool diff "$T/rules.conf"
sed 's/queue = 700/queue = 701/' "$T/rules.conf" >"$T/other.conf"
check "another queue is a difference" shows 'rule queue: changed' rules_tool diff "$T/other.conf"

# --- nobody reads --------------------------------------------------------------------------
check "no reader: TCP flows" talk tcp $SERVER 5001 10000
check "no reader: UDP flows" talk udp $SERVER 5001
is "$(counted queue)" 0 "no reader: nothing is queued"
check "no reader: no label" marked 0x00000000 tcp 5001
label_tool renew
check "the switch on, no reader: TCP flows" talk tcp $SERVER 5001 10000
check "the switch on, no reader: UDP flows" talk udp $SERVER 5001
check "the switch on, no reader: packets go past the queue" test "$(counted queue)" -gt 2
check "the switch on, no reader: no label" marked 0x00000000 udp 5001
label_tool stop
check "the switch goes off" test "$(classifying && echo on)" = ""

# --- a reader ----------------------------------------------------------------------------
reader_up
# queued NAME AT-MOST COMMAND...: the command passes, and so many packets are queued for it, at least one
queued() {
	local name=$1 most=$2 before after
	shift 2
	forget_all
	before=$(counted queue)
	check "$name" "$@"
	after=$(counted queue)
	note "$name: $((after - before)) queued"
	is_less 0 $((after - before)) "$name: it is queued"
	is_less $((after - before)) $((most + 1)) "$name: at most $most packets are"
}
for v in 4 6; do
	[ $v = 4 ] && to=$SERVER f=ipv4 || to=$SERVER6 f=ipv6
	queued "IPv$v, a short connection" 2 talk tcp "$to" 5001 1000
	check "IPv$v: its label" marked 0x03e90000 tcp 5001 "$f"
	queued "IPv$v, 10 MB" 2 talk tcp "$to" 5002 10000000
	check "IPv$v: its label, the largest" marked 0x07ff0000 tcp 5002 "$f"
	queued "IPv$v, the server speaks first" 2 talk tcp "$to" 2222 10000
	check "IPv$v: its label" marked 0x00520000 tcp 2222 "$f"
	queued "IPv$v, one datagram" 2 talk udp "$to" 5001
	check "IPv$v: its label" marked 0x03e90000 udp 5001 "$f"
	queued "IPv$v, a hundred datagrams" 2 talk udp "$to" 5002 100
done
forget_all
before=$(counted queue)
for _ in 1 2 3; do talk idle $SERVER 5001; done
is "$(counted queue)" "$before" "a connection that carries nothing is not queued"
check "what was labelled leaves first" test "$(counted labelled)" -gt 100
forget_all
before=$(counted queue)
check "a port that the reader doesn't know: it flows" talk tcp $SERVER 5003 100000
check "and every packet with payload is queued" test $(($(counted queue) - before)) -gt 2
check "without a label" marked 0x00000000 tcp 5003
check "a packet that the reader drops" test "$(talk udp $SERVER 7 2>&1 | grep -c 'timed out')" = 1
is "$(said dropped)" 1 "is counted"
is "$(said verdict_errors) $(said labels_missing) $(said label_errors) $(said bad) $(kernel_has waiting)" "0 0 0 0 0" \
	"no verdict and no label was lost"
is_less 0 "$(said packets)" "the reader counts packets"

# --- marks of others -------------------------------------------------------------------------
foreign add table inet other
foreign add chain inet other pre '{ type filter hook prerouting priority -150; }'
foreign add rule inet other pre ct state new ct mark set 0xf000beef
forget_all
check "a mark of somebody else: TCP flows" talk tcp $SERVER 5001 1000
check "only the label's bits were changed" marked 0xf3e9beef tcp 5001
check "a mark of somebody else: UDP flows" talk udp $SERVER 5002
check "only the label's bits were changed, UDP" marked 0xf7ffbeef udp 5002
check "a mark of somebody else, and ICMP" on_client ping -q -c 1 -W 2 $SERVER
check "only the label's bits were changed, by a rule" shows "mark=$((0xf079beef))" tracked -p icmp
foreign delete table inet other

# --- address translation -----------------------------------------------------------------------
foreign add table ip nat
foreign add chain ip nat post '{ type nat hook postrouting priority 100; }'
foreign add chain ip nat pre '{ type nat hook prerouting priority -100; }'
foreign add rule ip nat post oifname wan0 masquerade
before=$(said labels_turned)
queued "masquerading, the client speaks first" 2 talk tcp $SERVER 5001 1000
check "its label" marked 0x03e90000 tcp 5001
queued "masquerading, the server speaks first" 2 talk tcp $SERVER 2222 1000
check "its label, from a packet that conntrack knows turned round" marked 0x00520000 tcp 2222
queued "masquerading, one datagram" 2 talk udp $SERVER 5002
check "its label" marked 0x07ff0000 udp 5002
check "it took a second try" test "$(said labels_turned)" -gt "$before"
foreign flush chain ip nat post
foreign add rule ip nat pre ip daddr 192.0.2.9 dnat to $SERVER
queued "port forwarding, the client speaks first" 3 talk tcp 192.0.2.9 5001 1000
check "its label, from a packet that conntrack knows turned round" marked 0x03e90000 tcp 5001
queued "port forwarding, the server speaks first" 3 talk tcp 192.0.2.9 2222 1000
check "its label" marked 0x00520000 tcp 2222
foreign add rule ip nat post oifname wan0 masquerade
forget_all
before=$(said labels_missing)
check "both at once: it flows" talk tcp 192.0.2.9 5001 1000
check "both at once: no label, and it is counted" test "$(said labels_missing)" -gt "$before"
foreign delete table ip nat

# --- other protocols -------------------------------------------------------------------------
forget_all
check "ICMP flows" on_client ping -q -c 2 -W 2 $SERVER
check "ICMP is labelled" shows "mark=$((121 << 16))" tracked -p icmp
check "ICMPv6 flows" on_client ping -q -c 2 -W 2 $SERVER6
check "ICMPv6 is labelled" shows "mark=$((122 << 16))" tracked -f ipv6 -p icmpv6
talk udp $SERVER 5999 2>/dev/null # refused by an ICMP error
check "an ICMP error is no label for what it is about" marked 0x00000000 udp 5999
for p in 50:148:ESP 51:148:AH 47:149:GRE; do
	talk raw $SERVER "${p%%:*}"
	app=${p#*:}
	check "${p##*:} is labelled" shows " ${p%%:*} .*mark=$((${app%:*} << 16)) " tracked
done

# --- hints -------------------------------------------------------------------------------------
forget_all
MARK=$((0x08000000 | 1234 << 16))
for v in 4 6; do
	[ $v = 4 ] && to=$SERVER f=ipv4 || to=$SERVER6 f=ipv6
	check "IPv$v: a hint is set" label_tool hint "$to" tcp 5001 $MARK 60000
	before=$(counted queue)
	check "IPv$v: with it TCP flows" talk tcp "$to" 5001 10000
	check "IPv$v: labelled by the hint" marked 0x0cd20000 tcp 5001 "$f"
	is "$(counted queue)" "$before" "IPv$v: and nothing was queued"
	is "$(counted hint$v)" 1 "IPv$v: the hint is counted once"
	forget_all
	queued "IPv$v: another protocol with that port" 2 talk udp "$to" 5001
	check "IPv$v: has its own label" marked 0x03e90000 udp 5001 "$f"
done
forget_all
foreign add table inet other
foreign add chain inet other pre '{ type filter hook prerouting priority -150; }'
foreign add rule inet other pre ct state new ct mark set 1
talk tcp $SERVER 5001 1000
check "a hint leaves a mark of somebody else alone; the classifier has the word" marked 0x03e90001 tcp 5001
foreign delete table inet other
check "a hint is replaced" label_tool hint $SERVER tcp 5001 $((0x08000000 | 99 << 16)) 60000
forget_all
talk tcp $SERVER 5001 1000
check "the new one holds" marked 0x08630000 tcp 5001
check "a hint is forgotten" label_tool forget $SERVER tcp 5001
check "one that isn't there, too" label_tool forget $SERVER tcp 5001
queued "without it" 2 talk tcp $SERVER 5001 1000
check "the classifier labels again" marked 0x03e90000 tcp 5001
label_tool hint $SERVER tcp 5001 $MARK 300
no_hint() { ! on_gw nft list map inet sluice hints4 | grep -q $SERVER; }
check "a hint ends by itself" wait_for 3 no_hint
check "hints are no difference" rules_tool diff "$T/rules.conf"

# --- bad company -----------------------------------------------------------------------------
is "$(label_tool read $QUEUE 1 0 idle 2>&1)" "queue: Device or resource busy (16)" "a second reader is refused"
port=$(on_gw cat /proc/net/netfilter/nfnetlink_queue | awk 'NR == 1 { print $2 }')
check "messages that no kernel sends" on_gw "$PYTHON" "$TESTS/netns/helpers/talk.py" netlink "$port"
check "are counted" test "$(said bad)" -ge 200
queued "and change nothing" 2 talk tcp $SERVER 5001 1000
check "rules go and come back under the reader" eval "rules_tool install '$T/rules.conf' && wait_for 3 classifying"
queued "and it reads on" 2 talk tcp $SERVER 5001 1000

# --- a reader that ends, that dies, that hangs ---------------------------------------------------
# A flow that begins before and goes on after.
long_flow() { on_client "$PYTHON" "$TESTS/netns/helpers/talk.py" tcp $SERVER 5003 60000000; }
reader_ends() { # HOW
	long_flow &
	local flow=$!
	wait_for 5 test "$(counted queue)" -gt 50
	kill "-$1" "$READER"
	wait $flow
}
check "killed: what flows goes on" reader_ends KILL
end_pid "$READER"
forget_all
label_tool renew
check "killed: new connections flow" talk tcp $SERVER 5001 100000
check "killed: and datagrams" talk udp $SERVER 5001 3
check "killed: without a label" marked 0x00000000 tcp 5001
reader_up
queued "started again" 2 talk tcp $SERVER 5001 1000
check "it labels" marked 0x03e90000 tcp 5001
forget_all
kill -STOP "$READER"
not_classifying() { ! classifying; }
check "hung: the kernel stops queueing by itself" wait_for 6 not_classifying
check "hung: new connections flow" talk tcp $SERVER 5001 100000
check "hung: and datagrams" talk udp $SERVER 5001 3
kill -CONT "$READER"
check "awake again: the switch is on" wait_for 3 classifying
queued "awake again" 2 talk tcp $SERVER 5001 1000
reader_down

# Nobody renews, nobody stops: a queue of 16 packets fills, then everything passes.
reader_up 16 idle
before=$(counted queue)
label_tool stop # before Linux 6.12 an element that is there keeps its timeout
foreign add element inet sluice classifying '{ tcp, udp }'
forget_all
is "$(said packets)" 0 "nothing is asked while the switch is off"
forget_all
check "a queue of 16" talk tcp $SERVER 5001 1000
kill -STOP "$READER"
flood() { for _ in 1 2 3 4 5 6 7 8; do talk udp $SERVER 5003 1; done; }
for _ in 1 2 3 4 5; do flood >/dev/null 2>&1 & done
# shellcheck disable=SC2046 # a list
wait $(jobs -p | grep -vxF "$(printf '%s\n' "${NS_PIDS[@]}")")
check "hung with a full queue: connections flow" talk tcp $SERVER 5001 100000
check "hung with a full queue: and datagrams" talk udp $SERVER 5001 20
kill -CONT "$READER"
waits_no_more() { [ "$(kernel_has waiting)" = 0 ]; }
check "awake again: what waited has gone on" wait_for 5 waits_no_more
is_less 0 $(($(counted queue) - before - $(said packets))) "the rule counted more packets than the reader: some passed unasked"
is "$(kernel_has lost)" 0 "and none were lost"
reader_down

# --- interception --------------------------------------------------------------------------------
printf 'hello\n' >"$T/www/f"
start_nginx
reader_up
rules_tool install-alive "$T/rules.conf"
rules_tool route install >/dev/null
spawn "$NS_GW" relay "$O/tests/netns/rules_tool" relay 3129 client renew
RELAY=$SPAWNED
wait_for 5 listens "$NS_GW" 3129
wait_for 3 classifying
forget_all
before=$(counted queue)
intercepted() { on_client curl -s -m 5 "http://$1/f" | grep -q hello; }
for to in $SERVER "[$SERVER6]"; do
	check "intercepted, $to" intercepted "$to"
done
check "it was" test "$(counted intercept-http4)$(counted intercept-http6)" = 11
is "$(counted label-http)" 2 "the clients' legs get their label once"
is "$(counted queue)" "$before" "and are not queued"
legs() { on_gw conntrack -L -f ipv4 -p tcp --orig-port-dst 80 2>/dev/null | grep -c "$1"; }
is "$(legs 'mark=196608 .*zone=1')" 1 "the client's leg is http"
is "$(legs 'mark=131072 ')" 1 "the upstream leg is the gateway's own"
end_pid "$RELAY"
rules_tool route remove
check "rules are removed" rules_tool remove
check "the reader lives without rules" talk tcp $SERVER 5001 1000
reader_down
is "$(on_gw nft list ruleset)" "" "nothing is left behind"
plan $TAP_COUNT
done_testing
