# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tests of application accounting share; sourced after lib.sh.

# Counters and records are picked out of the JSON by hand: these tests ask often, also in guests, where python takes seconds.
# app NAME: a counter of the app role
app() { app_counters "$1" | awk '{ print $2 }'; }
# app_counters EXTENDED-REGEXP: "NAME N" of each that has such a name
app_counters() {
	sluicectl --json status | tr -d '\n' | sed 's/.*"role": *"app"//; s/"role":.*//' |
		grep -oE "\"$1\": *[0-9]+" | tr -d '":' | sed 's/\([0-9]*\)$/ \1/'
}
app_is() { [ "$(app "$1")" = "$2" ]; }

# What the sums of a source are held against: lan, the interface's own counters, for one that sees frames; or ip_bytes, nft
# counters where packets of the LAN come in and go out, for one that sees IP packets (count_ip puts them there).
CARRIED=lan
# lan: bytes of the LAN interface, both ways
lan() { on_gw ip -j -s link show lan0 | query "x[0]['stats64']['rx']['bytes'] + x[0]['stats64']['tx']['bytes']"; }
# count_ip [CONDITION]: of packets that it is true of
count_ip() {
	CARRIED=ip_bytes
	on_gw nft -f - <<-N
		table inet seen {
			counter carried {}
			chain forward { type filter hook forward priority 300
				iifname lan0 ${1:-} counter name carried
				oifname lan0 ${1:-} counter name carried
			}
			chain input { type filter hook input priority 300
				iifname lan0 ${1:-} counter name carried
			}
			chain output { type filter hook output priority 300
				oifname lan0 ${1:-} counter name carried
			}
		}
	N
}
ip_bytes() { on_gw nft list counters table inet seen | awk '/bytes [0-9]/ { print $4 }'; }
# counted: bytes of all that was counted, what has no application (yet) included
counted() { echo $(($(app frame_bytes) + $(app frame_bytes_pending))); }
# count_from_now: what went over the interface before, and what was counted of it, is left out of adds_up
count_from_now() {
	local now
	EARLIER=
	for _ in 1 2 3 4 5 6; do # until it rests; counters are read each second
		now=$(($($CARRIED) - $(counted)))
		[ "$now" != "$EARLIER" ] || return
		EARLIER=$now
		sleep 1.2
	done
}
adds_up() { [ "$(counted)" = $(($($CARRIED) - EARLIER)) ]; }
unattributed() { app_counters 'unattributed_[a-z_]+' | awk '{ n += $2 } END { print n + 0 }'; }
# check_sum NAME: what was counted is what was carried
check_sum() {
	if wait_for 10 adds_up; then ok "$1"; else not_ok "$1" "counted $(counted), $CARRIED $($CARRIED), of them $EARLIER before; unattributed $(unattributed)"; fi
}

# marked EXTENDED-REGEXP MARK: a connection like that has this label
marked() { on_gw cat /proc/net/nf_conntrack | grep -E "$1" | grep -q " mark=$(($2 << 16)) "; }
# apps FIELD=VALUE...: bytes of these records, all clients and directions; apps_sum MEMBER FIELD=VALUE...: another member
apps() { apps_sum bytes "$@"; }
apps_sum() {
	local member=$1 rows pair
	shift
	rows=$(sluicectl --json apps)
	for pair; do rows=$(grep -F "\"${pair%%=*}\":\"${pair#*=}\"" <<<"$rows"); done
	grep -oE "\"$member\":[0-9]+" <<<"$rows" | awk -F: '{ n += $2 } END { printf "%d\n", n }'
}

# --- the same of each source -----------------------------------------------------------------
SIZE=3000000 # of $T/www/big
talk() { on_client "$PYTHON" "$TESTS/netns/helpers/talk.py" "$@"; }
# start_servers: what apps_traffic talks to
start_servers() {
	head -c "$SIZE" /dev/urandom >"$T/www/big"
	start_nginx || return 1
	spawn "$NS_SERVER" talk "$PYTHON" "$TESTS/netns/helpers/talk.py" serve 7000 5000
	wait_for 10 listens "$NS_SERVER" 5000
}
fetch() { on_client curl -g -s -m 60 -o "$T/got" -w '%{http_code}' "$@"; }

# Four downloads, pings and datagrams, of both families; and what is the gateway's own.
apps_traffic() {
	is "$(fetch "http://$SERVER:8080/big")" 200 "forwarded, IPv4"
	is "$(fetch "http://[$SERVER6]:8080/big")" 200 "forwarded, IPv6"
	is "$(fetch "http://$SERVER/big")" 200 "intercepted, IPv4"
	is "$(fetch "http://[$SERVER6]/big")" 200 "intercepted, IPv6"
	check "ping" on_client ping -q -c 3 -i 0.2 "$SERVER"
	check "ping, IPv6" on_client ping -q -c 3 -i 0.2 "$SERVER6"
	check "datagrams" talk udp "$SERVER" 5000 20
	check "datagrams, IPv6" talk udp "$SERVER6" 5000 20
	check "ping to the gateway" on_client ping -q -c 1 "$GW"
}

# apps_records: what sluicectl apps says of apps_traffic, when it began with nothing
apps_records() {
	is_less "$((4 * SIZE))" "$(apps app=http)" "four downloads are http"
	is_less "$((4 * SIZE))" "$(apps app=http direction=down)" "... to the client"
	is_less "$(apps app=http direction=up)" "$((SIZE / 7))" "... and little from it"
	# Both legs of the intercepted ones, counted twice, would be half as much again.
	is_less "$(apps app=http)" "$((5 * SIZE))" "... each of them once"
	is "$(apps_sum flows app=http direction=up) $(apps_sum flows app=http direction=down)" "4 0" "... four flows, from the client"
	is "$(apps_sum packets app=icmp direction=up)" 3 "ping is icmp"
	is_less 2 "$(apps_sum packets app=icmpv6 direction=up)" "... or icmpv6"
	is_less 80 "$(apps app=gateway)" "what is for the gateway itself is its own"
	is "$(apps_sum flows app=http client="$CLIENT") $(apps_sum flows app=http client=fd77:1::2)" "2 2" "each client has its own"
	is "$(sluicectl --json apps | grep '"client":"10.77.2\|"client":"fd77:2')" "" "... and the servers are none"
}

# apps_source_test: a running gateway, whose source has counted nothing yet
apps_source_test() {
	local pid
	count_from_now
	apps_traffic
	check_sum "what was counted is what the network carried, to the byte"
	note "counted $(counted), $CARRIED $($CARRIED) bytes, of them $EARLIER before; without an application $(unattributed)"
	is_less "$(unattributed)" 5000 "nearly all of it has an application"
	apps_records
	pid=$(role_pid app)
	kill -KILL "$pid"
	is "$(fetch "http://$SERVER:8080/big")" 200 "killed: traffic flows"
	check "killed: it is started again" wait_for 10 app_is_back "$pid"
	count_from_now
	is "$(fetch "http://$SERVER:8080/big")" 200 "killed: a download behind it"
	is "$(fetch "http://[$SERVER6]/big")" 200 "killed: ... and an intercepted one"
	check_sum "killed: and counts to the byte again"
}
app_is_back() { ! kill -0 "$1" 2>/dev/null && sluice_ready; }
