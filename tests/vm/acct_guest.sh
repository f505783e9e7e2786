#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: sluice_acct.ko on a gateway between namespaces, held against nft counters that stand on the same hooks.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"

gw_acct() { on_gw "$O/tests/vm/acct_tool" "$@"; }
load() { insmod "$VM_MODULE" "$@"; }
index() { on_gw cat /sys/class/net/"$1"/ifindex 2>/dev/null || on_gw ip -o link show "$1" | cut -d: -f1; }
gw_nft() { on_gw nft "$@"; }

# Applications: 5 and 6 are labels by rule, 3 what is intercepted, 2 the gateway's own.
APP_V4=5 APP_V6=6 APP_LATE=7 INTERCEPTED=3 GATEWAY=2

# Rules that count what the module counts, and rules that label (8: many clients).
rules() {
	gw_nft -f - <<-N
		table inet t {
			counter up_forward {}
			counter up_input {}
			counter down_forward {}
			counter down_output {}
			chain raw { type filter hook prerouting priority raw
				udp dport 9001 notrack
				iifname lan0 tcp dport 9080 meta mark set meta mark or 0x10000000
			}
			chain label { type filter hook prerouting priority mangle
				ct state new tcp dport 8080 meta nfproto ipv4 ct mark set ct mark or 0x00050000
				ct state new tcp dport 8080 meta nfproto ipv6 ct mark set ct mark or 0x08060000
				ct state new tcp dport 5201 ct mark set ct mark or 0x00050000
				ct state new ip saddr 10.78.0.0/16 udp dport 9003 ct mark set ct mark or 0x00080000
			}
			chain late { type filter hook forward priority 0
			}
			chain forward { type filter hook forward priority 300
				iifname lan0 counter name up_forward
				oifname lan0 counter name down_forward
			}
			chain input { type filter hook input priority 300
				iifname lan0 counter name up_input
			}
			chain own { type route hook output priority mangle
				oifname lan0 tcp sport 9080 meta mark set meta mark or 0x40000000
			}
			chain output { type filter hook output priority 300
				oifname lan0 counter name down_output
			}
		}
	N
}

# counted: bytes of nft's counters, "UP DOWN"
counted() {
	gw_nft list counters table inet t | awk '
		/counter/ { way = $2 }
		/bytes/ { sum[substr(way, 1, 2)] += $4 }
		END { printf "%d %d\n", sum["up"], sum["do"] }'
}
# recorded: the same of the module's records
recorded() {
	gw_acct get | awk '
		{ sum[$3] += $4 }
		END { printf "%d %d\n", sum["up"], sum["down"] }'
}
# Packets that nobody asked for (neighbour discovery) may come between the two looks.
balanced() { [ "$(counted)" = "$(recorded)" ]; }
balance() { # NAME
	if wait_for 10 balanced; then ok "$1"; else not_ok "$1" "nft: $(counted)
module: $(recorded)
$(gw_acct get)"; fi
}
# of CLIENT WHAT DIRECTION: "BYTES PACKETS FLOWS"
of() { gw_acct get | awk -v c="$1" -v w="$2" -v d="$3" '$1 == c && $2 == w && $3 == d { print $4, $5, $6 }'; }
has_pending() { [ "$(of - pending up | cut -d' ' -f2)" = "$1" ]; }
none_pending() { [ -z "$(of - pending up)$(of - pending down)" ]; }
start_counting() { gw_acct set $INTERCEPTED $GATEWAY "$(index lan0)"; }
# Both at zero; what passes between the two resets is one packet too many for one of them.
zero_once() {
	gw_acct reset
	gw_nft reset counters table inet t >/dev/null
	balanced
}
zero() { wait_for 10 zero_once; }
client4=::ffff:$CLIENT client6=$CLIENT6

fetch() { on_client busybox wget -q -O /dev/null "$@"; }
# clients FIRST COUNT [PORT]: one datagram of 128 bytes from each; to port 9003 it has a label
clients() { on_client "$PYTHON" "$TESTS/vm/helpers/clients.py" $SERVER "${3:-9003}" "$1" "$2"; }

# --- setting up --------------------------------------------------------------------------
modprobe nf_conntrack && modprobe veth
# Without it nothing below means anything; so here is all that can tell why.
if ! why=$(load 2>&1); then
	not_ok "the module loads" "$why
$(dmesg | tail -n 15)
$(ls -l "$VM_MODULE"; modinfo -F vermagic "$VM_MODULE"; uname -r)
$(sha256sum "$VM_MODULE"), on the host $VM_MODULE_SUM
$(cat /proc/modules; free -k)"
	done_testing
	exit 1
fi
ok "the module loads"
ns_up
head -c 2000000 /dev/zero >"$T/www/file"
spawn "$NS_SERVER" httpd busybox httpd -f -p 8080 -h "$T/www"
spawn "$NS_SERVER" httpd2 busybox httpd -f -p 8081 -h "$T/www"
spawn "$NS_GW" httpd3 busybox httpd -f -p 9080 -h "$T/www"
spawn "$NS_SERVER" iperf3 iperf3 -s -p 5201
in_ns "$NS_SERVER" nft 'table inet s { chain i { type filter hook input priority 0; udp dport 9000-9003 drop; }; }'
check "rules" rules
wait_for 10 listens "$NS_SERVER" 8080
wait_for 10 listens "$NS_SERVER" 8081
wait_for 10 listens "$NS_GW" 9080

# --- settings ----------------------------------------------------------------------------
fetch "http://$SERVER:8080/file"
is "$(gw_acct get)" "" "nothing is counted before it is asked for"
is "$(gw_acct set 0 0 4711 2>&1)" "acct_tool: set: a LAN interface doesn't exist" "an interface that isn't there is refused"
gw_acct set 2048 0 "$(index lan0)" 2>/dev/null
is $? 1 "an application id that can't be in a mark is refused"
gw_acct set 0 2048 "$(index lan0)" 2>/dev/null
is $? 1 "... for the gateway too"
# shellcheck disable=SC2046  # 65 words
is "$(gw_acct set 0 0 $(seq 65) 2>&1)" "acct_tool: set: too many LAN interfaces" "more interfaces than there may be are refused"
is "$(gw_acct status | head -n 1)" "lan" "... and none of it has been taken"
check "counting starts" start_counting
is "$(gw_acct status | tr '\n' ' ')" "lan $(index lan0) ids 3 2 entries 0 65536 pending 0 16384 0 " "the status says so"

# --- labels, families, directions ---------------------------------------------------------
zero
check "a download, IPv4, labelled by its SYN" fetch "http://$SERVER:8080/file"
check "a download, IPv6, labelled by a hint" fetch "http://[$SERVER6]:8080/file"
balance "all bytes are there"
is "$(of "$client4" $APP_V4 up | cut -d' ' -f3)" 1 "one flow, up"
is "$(of "$client4" $APP_V4 down | cut -d' ' -f3)" 0 "no flow, down"
is "$(of "$client6" $APP_V6 up | cut -d' ' -f3)" 1 "one flow of IPv6"
bytes=$(of "$client4" $APP_V4 down | cut -d' ' -f1)
if [ "${bytes:-0}" -gt 2000000 ]; then ok "the file's bytes went down"; else not_ok "the file's bytes went down" "$bytes"; fi

# UDP of known size, the label comes in the middle: all of it must have it in the end.
zero
# shellcheck disable=SC2016  # for the shell inside
spawn "$NS_CLIENT" udp bash -c 'exec 3>/dev/udp/'$SERVER'/9000
	for i in 1 2 3 4; do printf %100s >&3; done
	until [ -e "$0" ]; do sleep 0.1; done
	for i in 1 2 3 4; do printf %100s >&3; done' "$T/label"
if wait_for 10 has_pending 4; then ok "a flow without a label waits"; else not_ok "a flow without a label waits" "$(gw_acct get)"; fi
is "$(of - no-label up)" "" "... and is not given up"
is "$(of - pending up)" "512 4 1" "... with what it has sent"
gw_nft add rule inet t late udp dport 9000 ct mark set ct mark or 0x00070000
touch "$T/label"
late_all() { [ "$(of "$client4" $APP_LATE up)" = "1024 8 1" ]; }
if wait_for 10 late_all; then ok "with the label, all of it moves there"; else not_ok "with the label, all of it moves there" "$(gw_acct get)"; fi
is "$(of - pending up)$(of - no-label up)" "" "... and nothing stays behind"
balance "all bytes are there, still"

# No label ever.
zero
echo 1 >/sys/module/sluice_acct/parameters/pending_seconds
check "a download that nobody labels" fetch "http://$SERVER:8081/file"
check "a ping" on_client busybox ping -q -c 3 $SERVER
check "a ping, IPv6" on_client busybox ping6 -q -c 3 $SERVER6
if wait_for 10 none_pending; then ok "they wait no longer than they may"; else not_ok "they wait no longer than they may" "$(gw_acct get)"; fi
is "$(of - no-label up | cut -d' ' -f3)" 3 "three flows without a label"
balance "all bytes are there, without labels"
echo 30 >/sys/module/sluice_acct/parameters/pending_seconds

# A flow that conntrack has forgotten can't get a label any more.
zero
timeout=$(on_gw cat /proc/sys/net/netfilter/nf_conntrack_udp_timeout)
on_gw sh -c 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout'
clients 0 1 9002
if wait_for 10 none_pending; then ok "a flow that ended waits no longer"; else not_ok "a flow that ended waits no longer" "$(gw_acct get)"; fi
is "$(of - no-label up)" "128 1 1" "... and has no label"
on_gw sh -c "echo $timeout >/proc/sys/net/netfilter/nf_conntrack_udp_timeout"

# What ends at the gateway, and what isn't tracked.
zero
check "a ping to the gateway" on_client busybox ping -q -c 3 $GW
check "a download from where interception would end" fetch "http://$GW:9080/file"
on_client bash -c 'exec 3>/dev/udp/'$SERVER'/9001; printf %100s >&3'
is "$(of "$client4" $GATEWAY up)" "252 3 1" "the gateway's own traffic has its application"
is "$(of "$client4" $INTERCEPTED up | cut -d' ' -f3)" 1 "what is intercepted has its own"
bytes=$(of "$client4" $INTERCEPTED down | cut -d' ' -f1)
if [ "${bytes:-0}" -gt 2000000 ]; then ok "... both ways"; else not_ok "... both ways" "$bytes"; fi
is "$(of - no-conntrack up | awk '{ print ($1 >= 128) }')" 1 "untracked packets are counted as such"
balance "all bytes are there, local and untracked"
proc=$(on_gw cat /proc/net/sluice_acct)
is "$(printf '%s\n' "$proc" | awk '$1 == "lan" { print $2 }')" "$(index lan0)" "/proc/net/sluice_acct has a summary"

# --- one namespace and another --------------------------------------------------------------
is "$(on_client "$O/tests/vm/acct_tool" get)" "" "another namespace has counted nothing"
is "$(on_client "$O/tests/vm/acct_tool" status | head -n 1)" "lan" "... and has no settings"
intercepted() { printf '%s / %s\n' "$(of "$client4" $INTERCEPTED up)" "$(of "$client4" $INTERCEPTED down)"; }
before=$(intercepted)
on_client "$O/tests/vm/acct_tool" reset
is "$(intercepted)" "$before" "a reset there leaves ours"

# --- a gateway that intercepts ------------------------------------------------------------------
modprobe nft_tproxy && modprobe nft_socket
spawn "$NS_SERVER" httpd4 busybox httpd -f -p 80 -h "$T/www"
sluice_conf scan.engine=none relays=1
# shellcheck disable=SC2119  # without arguments
start_sluice && wait_for 20 sluice_log "rules are in place"
zero
is "$(on_client curl -sS -m 30 "http://$SERVER/file" | wc -c)" 2000000 "a download through a relay"
is "$(on_client curl -sS -m 30 "http://[$SERVER6]/file" | wc -c)" 2000000 "... over IPv6"
balance "all bytes are there, intercepted"
is "$(gw_acct get | awk '$2 == 3 && $3 == "up" { print $1, $6 }' | tr '\n' ' ')" "$client4 1 $client6 1 " \
	"two flows, of the application for what is intercepted"
# The end of a connection may come again when its socket is gone: then it is the gateway's.
is "$(gw_acct get | awk '$2 != 3 && $2 != "no-conntrack" && !($2 == 2 && $5 <= 2 && $6 == 0)')" "" \
	"... and no other (but neighbour discovery, untracked)"
stop_sluice
is $? 0 "the gateway stops"

# --- who may ----------------------------------------------------------------------------------
# Where the tree is, only root may be able to go.
cp "$O/tests/vm/acct_tool" /run/
nobody() { on_gw setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
denied=0
for command in get take reset status "set 0 0"; do
	# shellcheck disable=SC2086  # words
	case $(nobody /run/acct_tool $command 2>&1) in *CAP_NET_ADMIN*) denied=$((denied + 1)) ;; esac
done
is $denied 5 "an unprivileged user is refused all five commands"
is "$(nobody cat /proc/net/sluice_acct 2>/dev/null)" "" "... and the summary"
is "$(nobody unshare -Urn /run/acct_tool set 0 0 1 2>&1)" "" "who owns a namespace may count in it"

# --- while traffic flows -------------------------------------------------------------------------
zero
spawn "$NS_CLIENT" load iperf3 -c $SERVER -p 5201 -t 4 -R
load_pid=$SPAWNED
sum=$(gw_acct sum 40)
twice=0 dumps=0
while ! gone $load_pid && [ $dumps -lt 60 ]; do
	twice=$((twice + $(gw_acct get | cut -d' ' -f1-3 | sort | uniq -d | wc -l)))
	dumps=$((dumps + 1))
done
end_pid $load_pid 20
is "$twice" 0 "no record comes twice ($dumps dumps)"
rest() {
	read -r up down <<<"$sum"
	read -r up2 down2 <<<"$(recorded)"
	[ "$((up + up2)) $((down + down2))" = "$(counted)" ]
}
if wait_for 10 rest; then ok "deltas taken in between add up to the byte"; else not_ok "deltas taken in between add up to the byte" \
	"taken $sum, left $(recorded), nft $(counted)"; fi

# --- nonsense --------------------------------------------------------------------------------------
check "the module survives nonsense" gw_acct fuzz 1 20000
check "... and is settable again" start_counting
zero
fetch "http://$SERVER:8080/file"
balance "... and counts"

# --- many clients, and more than there is room for -------------------------------------------------
# New clients come while the table is told in many parts; in a burst, a few may find no memory ready.
zero
spawn "$NS_CLIENT" clients "$PYTHON" "$TESTS/vm/helpers/clients.py" $SERVER 9003 0 2000
many_pid=$SPAWNED
twice=0 dumps=0
until gone $many_pid; do
	twice=$((twice + $(gw_acct get | cut -d' ' -f1-3 | sort | uniq -d | wc -l)))
	dumps=$((dumps + 1))
done
end_pid $many_pid
is "$twice" 0 "no record comes twice while the table grows ($dumps dumps)"
gw_acct get >"$T/many"
full=$(awk '$2 == "table-full" { print $5 }' "$T/many")
is "$(grep -c ' 8 up 128 1 1$' "$T/many")" $((2000 - ${full:-0})) "2000 clients, a record for each (no memory for ${full:-0})"
is_less "${full:-0}" 400 "... or for most"
balance "all bytes are there, of many clients"
sum=$(gw_acct sum 1)
is_less $(((2000 - ${full:-0}) * 128 - 1)) "${sum%% *}" "... and are taken at once"
if wait_for 10 rest; then ok "... to the byte"; else not_ok "... to the byte" "taken $sum, left $(recorded), nft $(counted)"; fi
gw_acct take >/dev/null
is "$(gw_acct status | awk '$1 == "entries" { print ($2 < 10) }')" 1 "who is idle makes room"

rmmod sluice_acct && load max_entries=8 max_pending=4 && start_counting
zero
clients 0 30
is "$(gw_acct status | grep entries)" "entries 8 8" "the table takes no more than it may"
is "$(of - table-full up)" "2816 22 22" "the others are counted as such"
balance "all bytes are there, with a full table"
zero
clients 0 10 9002
is "$(gw_acct status | grep pending)" "pending 4 4 6" "no more flows wait than may"
is "$(of - no-label up)" "768 6 6" "the others have no label at once"
balance "all bytes are there, with flows that can't wait"

# --- coming and going under traffic ---------------------------------------------------------------------
spawn "$NS_CLIENT" load iperf3 -c $SERVER -p 5201 -t 60
load_pid=$SPAWNED
bad=0
for _ in $(seq 10); do
	rmmod sluice_acct && load && start_counting && gw_acct take >/dev/null || bad=$((bad + 1))
done
is $bad 0 "unloaded and loaded ten times under traffic"
flowing() { [ "$(of "$client4" $APP_V4 up | awk '{ print ($2 > 10) }')" = 1 ]; }
if wait_for 10 flowing; then ok "... and it counts"; else not_ok "... and it counts" "$(gw_acct get)"; fi
# A namespace goes with counters, flows that wait, and traffic in it.
on_client bash -c 'exec 3>/dev/udp/'$SERVER'/9000; printf %100s >&3'
ip netns add gone && ip -n gone link set lo up
in_ns gone "$O/tests/vm/acct_tool" set 0 0 1
in_ns gone busybox ping -q -c 2 127.0.0.1 >/dev/null
check "a namespace that counts goes away" ip netns del gone
end_pid $load_pid 20
check "counting stops" gw_acct set 0 0
rmmod sluice_acct
is "$(grep -c sluice_acct /proc/modules)$(grep -c sluice_acct /proc/slabinfo)" 00 "nothing is left of it"
plan "$TAP_COUNT"
done_testing
