#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In a guest (tests/vm/run -m MODULE KERNEL tests/bench/guest_counters.sh): what the sources of bytes cost beside each other,
# the kernel module too, which needs a kernel with modules. Datagrams of 64 bytes through a gateway that only names and
# counts; the figure is the processor time that each took. Under TCG an instruction has its price and a cache miss has none:
# ratios say how much work a source is, not what it costs on hardware.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
ROUNDS=${ROUNDS:-5}
COUNT=100000
modprobe nf_conntrack && modprobe veth && modprobe nfnetlink_queue && insmod "$VM_MODULE" || exit 1
ns_up
spawn "$NS_SERVER" sink "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 5201))
while 1: s.recv(100)'
sink_listens() { on_server ss -Hlun "sport = :5201" | grep -q .; }
wait_for 20 sink_listens || exit 1
# busy: jiffies of all that the processor did; idle and waiting left out
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }
send() {
	on_client "$PYTHON" -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 5201))
for i in range(int(sys.argv[2])): s.send(b"x" * 64)' $SERVER $COUNT
}
# counts: the app role reads the queues, and counts by $SOURCE
counts() {
	sluicectl --json status | tr -d '\n' | grep -v 'which counts nothing' |
		grep -qE "labels: queues .*; bytes: ${SAYS[$SOURCE]}"
}
declare -A SAYS=([none]='not counted' [bpf]='by BPF' [kmod]='by sluice_acct.ko' [conntrack]='by conntrack')
once() { # SOURCE: jiffies
	local before
	if [ "$1" != conntrack-alone ]; then
		sluice_conf log.level=warning scan.engine=none relays=1 intercept.http='{}' intercept.ftp='{}' apps.counters="$1"
		# shellcheck disable=SC2119  # no arguments for it
		start_sluice || exit 1
		SOURCE=$1
		wait_for 30 counts || exit 1
	else
		on_gw nft 'table inet t { chain f { type filter hook forward priority 0; ct state invalid counter; }; }'
	fi
	send # the connection gets its name
	before=$(busy)
	send
	echo "$1 $(($(busy) - before))"
	if [ "$1" != conntrack-alone ]; then stop_sluice; else on_gw nft delete table inet t; fi
}
for round in $(seq "$ROUNDS"); do
	for source in conntrack-alone none bpf kmod conntrack; do note "round $round: $(once $source)"; done
done
ok "measured"
plan 1
done_testing
