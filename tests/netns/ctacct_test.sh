#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Accounting by conntrack (sys/ctacct.h) with little room: ends that come faster than they are read, more connections than
# are remembered, and who the client is.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
make --no-print-directory -s -C "$ROOT" O="$O" "$O/tests/netns/ct_tool" >&2 || exit 1
ns_up
mkfifo "$T/ask" "$T/answer"
on_gw sh -c 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct' || exit 1
# conntrack works in a namespace while some rule asks for it; and a label by rule
on_gw nft -f - <<-N
	table inet t {
		chain f { type filter hook forward priority mangle
			ct state new udp dport 5001 ct mark set 0x00050000
			ct state new udp dport 5003 ct mark set 0x00020000
			ct state new udp dport 5004 ct mark set 0x00410000
			udp dport 5002 udp length 108 ct mark set 0x00060000
		}
		chain z { type filter hook prerouting priority raw
			udp dport 5004 ct zone set 1
		}
		chain i { type filter hook input priority mangle
			ct state new accept
		}
	}
N
in_ns "$NS_SERVER" nft 'table inet s { chain i { type filter hook input priority 0; udp dport 5000-5999 drop; }; }'

# tool ARGUMENT...: starts it anew; ask COMMAND: its answer. A datagram has 28 bytes of headers, 48 with IPv6.
tool() {
	untool
	spawn_tool "$@"
	exec 7>"$T/ask" 8<"$T/answer"
	ask state >/dev/null
}
spawn_tool() {
	nsenter --net="/run/netns/$NS_GW" -- "$O/tests/netns/ct_tool" "$@" <"$T/ask" >"$T/answer" 7>&- 8<&- &
	TOOL=$!
	NS_PIDS+=("$TOOL")
}
ask() {
	local line
	echo "$1" >&7
	while IFS= read -r -t 20 -u 8 line && [ "$line" != . ]; do echo "$line"; done
}
untool() {
	[ -n "${TOOL:-}" ] || return 0
	exec 7>&- 8<&-
	end_pid "$TOOL"
	TOOL=
}
field() { ask state | cut -d' ' -f"$1"; }
# send ADDRESS PORT FIRST-SOURCE-PORT COUNT SIZE: a datagram from each of them; send_back: of the server's
send() { send_from on_client "$@"; }
send_back() { send_from on_server "$@"; }
send_from() {
	local from=$1
	shift
	"$from" "$PYTHON" -c '
import socket, sys
to, port, first, count, size = sys.argv[1], *map(int, sys.argv[2:])
for p in range(first, first + count):
    s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", p))
    s.sendto(b"x" * size, (to, port))
    s.close()' "$@"
}
end_all() { on_gw conntrack -F >/dev/null 2>&1; }

# --- what is passed on, and when ---------------------------------------------------------
send $SERVER 5001 2000 1 72
tool lan0
is "$(ask read)" "" "what was there before counts from now on"
send $SERVER 5001 2000 1 72
is "$(ask read)" "$CLIENT 5 up 100 1 0" "... and is no new flow"
is "$(ask read)" "" "nothing new, nothing passed on"
send $SERVER 5001 2001 2 72
is "$(ask read | sort)" "$(printf '%s\n%s' "$CLIENT 5 up 100 1 1" "$CLIENT 5 up 100 1 1")" "two flows that are labelled"
end_all
is "$(ask ends)" "" "their ends have nothing left to tell"
# Since Linux 5.19 nobody is told of the end of a connection that began while nobody listened.
is "$(field 4)" 1 "... and they are forgotten, but not the one from before"
for _ in 1 2; do ask read >/dev/null; done
is "$(field 4) $(field 3)" "0 1" "... until it was missing twice"
send $SERVER6 5001 2000 3 52
end_all
is "$(ask ends | sort -u | uniq -c | tr -s ' ')" " 1 $CLIENT6 5 up 100 1 1" "what ends between two looks is passed on"

# A label that comes with the second datagram gets the first one's bytes as well.
send $SERVER 5002 2000 1 50
is "$(ask read)$(field 1)" 78 "a flow without a label waits"
send $SERVER 5002 2000 1 100
is "$(ask read)" "$CLIENT 6 up 206 2 1" "with its label, all of it is passed on"
is "$(field 1)" 0 "... and nothing waits"
send $SERVER 5000 2000 1 72
end_all
is "$(ask ends)" "- unlabelled up 100 1 0" "one that ends without a label is nobody's"
tool -a 0 lan0
send $SERVER 5000 2000 1 72
is "$(ask read)" "- unlabelled up 100 1 0" "one that waits too long, too"

# --- who the client is --------------------------------------------------------------------
on_client ping -q -c 1 $GW >/dev/null
is "$(ask read | sort)" "$(printf '%s\n%s' "$CLIENT 2 down 84 1 0" "$CLIENT 2 up 84 1 1")" "to the gateway: the gateway's own"
on_gw ping -q -c 1 $CLIENT >/dev/null
is "$(ask read | sort)" "$(printf '%s\n%s' "$CLIENT 2 down 84 1 1" "$CLIENT 2 up 84 1 0")" "from the gateway: the flow goes down"
on_gw ping -q -c 1 $SERVER >/dev/null
is "$(ask read)" "" "between gateway and server: no client's"
send $SERVER 5003 2000 1 72
is "$(ask read)" "" "with the gateway's label, a relay's own leg: not counted"
send $SERVER 5004 2000 1 72
is "$(ask read)" "$CLIENT 65 up 100 1 1" "the client's leg"
send_back $CLIENT 5004 2000 1 72
is "$(ask read)" "$CLIENT 65 down 100 1 1" "... begun for the server, as FTP's data connections are: the client's as well"
on_server ping -q -c 1 $CLIENT >/dev/null
is "$(ask read | sort)" "$(printf '%s\n%s' "- protocol down 84 1 0" "- protocol up 84 1 0")" "another protocol without a label"
tool lan0 wan0
send $SERVER 5001 3000 1 72
is "$(ask read | sort)" "$(printf '%s\n%s' "$CLIENT 5 up 100 1 1" "$SERVER 5 down 100 1 1")" "between two LANs: a client at each end"
tool nothing0
send $SERVER 5001 3100 1 72
is "$(ask read)" "" "without a LAN interface: no clients"

# --- little room ------------------------------------------------------------------------------
end_all
tool -n 4 lan0
send $SERVER 5001 4000 20 72
is "$(ask read | awk '{ n += $4; f += $6 } END { print n, f }') $(field 4)" "400 4 4" "of twenty flows, four are remembered"
send $SERVER 5001 4000 20 72
end_all
is "$(ask read | awk '{ n += $4; f += $6 } END { print n, f }')" "3600 16" "... the others are counted when they end, in full"
is "$(field 4) $(field 2)" "0 0" "... and none is left"

# A buffer for two or three ends, and three hundred of them.
tool -b 2048 lan0
send $SERVER 5001 5000 300 72
is "$(ask read | awk '{ n += $4 } END { print n }')" 30000 "three hundred flows are counted"
send $SERVER 5001 5000 300 72
end_all
got=$(ask read | awk '{ n += $4 } END { print n + 0 }')
is_less 0 "$(field 2)" "their ends overrun the buffer, and that is noticed"
is_less "$got" 30000 "... with it the last bytes of some are lost ($got of 30000)"
send $SERVER 5001 6000 5 72
more=$(ask read | awk '{ n += $4 } END { print n }')
is "$more" 500 "... others are counted as before"
ask read >/dev/null
is "$(field 4)" 5 "... and those whose end was missed are forgotten"
is "$(field 3)" $((300 - got / 100)) "... each of them is told"
send $SERVER 5001 5000 10 72
is "$(ask read | awk '{ n += $4; f += $6 } END { print n, f }')" "1000 10" "... and may come again"

# Somebody else sets the counters to zero: at most what he took is missing.
end_all
tool lan0
send $SERVER 5001 7000 1 72
ask read >/dev/null
send $SERVER 5001 7000 1 72
on_gw conntrack -L -z >/dev/null 2>&1
send $SERVER 5001 7000 1 12
is "$(ask read)" "$CLIENT 5 up 40 1 0" "zeroed by somebody else: what comes afterwards is counted"

# --- the tool ends with its errors -----------------------------------------------------------
untool
is "$(on_gw setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$O/tests/netns/ct_tool" lan0 2>&1 </dev/null)" \
	"ct_tool: CAP_NET_ADMIN over the network namespace is missing" "without the right to: said so"
plan "$TAP_COUNT"
done_testing
