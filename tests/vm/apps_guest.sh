#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest, on a running gateway, what the host's kernel lacks. usage: apps_guest.sh kmod | flowtable
#   kmod       bytes counted by sluice_acct.ko, as tests/netns/lib_apps.sh asks of every source; the module goes and comes
#   flowtable  bytes counted by conntrack, where connections are offloaded
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/../netns/lib_apps.sh"
says() { sluicectl --json status | tr -d '\n' | grep -qE "bytes: $1"; }
source_is() { app_is source "$1"; }
modprobe nf_conntrack && modprobe veth && modprobe nft_tproxy && modprobe nft_socket && modprobe nfnetlink_queue
ns_up
# shellcheck disable=SC2034  # for lib_apps.sh; the guest is slow
SIZE=1000000
start_servers || exit 1

by_kmod() {
	sluice_conf log.level=info intercept.http='{80}' scan.engine=none relays=1 apps.counters=kmod
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice || exit 1
	is "$(app source)" 0 "without the module nothing is counted"
	check "... and the status says so" says "not counted: the module sluice_acct isn't loaded"
	check "the module loads" insmod "$VM_MODULE"
	check "it is found within seconds" wait_for 15 source_is 2
	check "nft counts the same" count_ip
	apps_source_test
	rmmod_and_on() { rmmod sluice_acct && wait_for 15 source_is 0; }
	check "unloaded while it counts: the role sees it" rmmod_and_on
	is "$(fetch "http://$SERVER:8080/big")" 200 "... traffic flows"
	check "loaded again" insmod "$VM_MODULE"
	check "... it counts again" wait_for 15 source_is 2
	count_from_now
	is "$(fetch "http://$SERVER/big")" 200 "... a download"
	check_sum "... to the byte"
	check "sluiced stops" stop_sluice
	is "$(on_gw cat /proc/net/sluice_acct | awk '$1 == "lan" { print NF }')" 1 "... and the module counts on no interface"
}

by_conntrack() {
	modprobe nf_flow_table && modprobe nft_flow_offload && modprobe nf_flow_table_inet
	modprobe nf_conntrack_netlink
	sluice_conf log.level=info intercept.http='{80}' scan.engine=none relays=1 apps.counters=conntrack
	# shellcheck disable=SC2119
	start_sluice && check "by conntrack" wait_for 10 says 'by conntrack"'
	on_gw nft -f - <<-N
		table inet fast {
			flowtable f {
				hook ingress priority 0
				devices = { lan0, wan0 }
				counter
			}
			counter slow {}
			chain forward { type filter hook forward priority 10
				iifname lan0 tcp dport 8080 counter name slow
				ct mark & 0x07ff0000 != 0 meta l4proto tcp flow add @f
			}
		}
		table netdev seen {
			counter carried {}
			chain in { type filter hook ingress device lan0 priority -500
				meta protocol { ip, ip6 } tcp dport 8080 counter name carried
			}
		}
	N
	seen() { on_gw nft list counters table netdev seen | awk '/bytes [0-9]/ { print $4 }'; }
	before=$(up_http)
	is "$(fetch "http://$SERVER:8080/big")" 200 "a download, offloaded"
	all_seen() { [ $(($(up_http) - before)) = "$(seen)" ]; }
	check "each byte that came in is counted" wait_for 10 all_seen
	slow=$(on_gw nft list counters table inet fast | awk '/bytes [0-9]/ { print $4 }')
	is_less "$slow" "$(seen)" "... though chain forward saw but the first packets ($slow of $(seen) bytes)"
	on_gw nft delete table inet fast
	check "sluiced stops" stop_sluice
}

up_http() { apps app=http direction=up; }
case $1 in
kmod) by_kmod ;;
flowtable) by_conntrack ;;
esac
plan "$TAP_COUNT"
done_testing
