#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bytes counted by conntrack, on a running gateway: what tests/netns/lib_apps.sh asks of every source, the switch of
# conntrack's counters, address translation, and what is done when it can't be right.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/lib_apps.sh"
ACCT=/proc/sys/net/netfilter/nf_conntrack_acct
acct() { on_gw cat $ACCT; }
acct_is() { [ "$(acct)" = "$1" ]; }
says() { role_note app | grep -qE "$1"; }
start_counting() {
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice && wait_for 5 says '; bytes: by conntrack$'
}
ns_up
start_servers || exit 1
snapshot_ns "$T/before"
sluice_conf log.level=info intercept.http='{80}' scan.engine=none apps.counters=conntrack
# Connections that begin before the switch is on have no counters for as long as they live.
check "bytes are counted by conntrack" start_counting || exit 1
is "$(app source)" 3 "the status says so"
is "$(acct)" 1 "its counters are on"
# What it doesn't follow (neighbour discovery) it can't count.
check "nft counts the same" count_ip "ct state new,established,related"
apps_source_test
is "$(acct)" 1 "its counters stay on"

# --- connections that end between two looks ----------------------------------------------
# The kernel tells ends only of connections that began while somebody listened: not while the role was dead.
on_gw conntrack -F 2>/dev/null
check "of a connection that began without us, the end is missed" wait_for 5 app_is ends_missed 1
count_from_now
flushed() { talk udp $SERVER 5000 30 && on_gw conntrack -F 2>/dev/null; }
for _ in 1 2 3 4 5; do flushed || not_ok "datagrams, and the end of their connections"; done
check_sum "connections that end between two looks are counted to the byte"
is "$(app events_lost) $(app ends_missed)" "0 1" "... and no end is missed"

# --- addresses are translated --------------------------------------------------------------
on_gw nft -f - <<-N
	table inet n {
		chain out { type nat hook postrouting priority srcnat
			oifname wan0 masquerade
		}
		chain in { type nat hook prerouting priority dstnat
			iifname wan0 tcp dport 7777 dnat ip to $CLIENT:5000
		}
	}
N
spawn "$NS_CLIENT" own "$PYTHON" "$TESTS/netns/helpers/talk.py" serve 7000 5000
wait_for 10 listens "$NS_CLIENT" 5000
count_from_now
http=$(apps app=http client=$CLIENT direction=down)
up=$(apps direction=up)
is "$(fetch "http://$SERVER:8080/big")" 200 "a download, masqueraded"
is "$(fetch "http://$SERVER/big")" 200 "... and an intercepted one"
check "a server asks a client, by port forwarding" on_server "$PYTHON" "$TESTS/netns/helpers/talk.py" tcp $GW_OUT 7777 100000
on_gw conntrack -F 2>/dev/null
check_sum "it adds up with addresses translated"
is_less $((http + 2 * SIZE)) "$(apps app=http client=$CLIENT direction=down)" "... the client is who it was"
is_less $((up + 100000)) "$(apps direction=up)" "... and what it sends as a server goes up"
on_gw nft delete table inet n

# --- switched off by somebody, stopped, killed ----------------------------------------------
on_gw sh -c "echo 0 >$ACCT"
check "switched off by somebody else: it is switched on again" wait_for 5 acct_is 1
check "... which the log says" wait_for 5 sluice_log "warning net: net.netfilter.nf_conntrack_acct was switched off"
on_gw nft delete table inet seen
check "sluiced stops" stop_sluice
same_snapshot "$T/before" "all settings are what they were"
is "$(acct)" 0 "... and conntrack's counters are off"
start_counting || not_ok "it counts again"
kill -KILL "$SLUICE_PID"
end_pid "$SLUICE_PID"
SLUICE_PID=
is "$(acct)" 1 "killed: its counters stay on"
sluice_conf log.level=info intercept.http='{80}' scan.engine=none apps.counters=none
# shellcheck disable=SC2119
start_sluice || exit 1
is "$(role_note app | sed 's/.*; //')" "bytes: not counted (apps.counters = none)" "the next run may count nothing"
check "sluiced stops" stop_sluice
is "$(acct)" 0 "... and puts the setting back at its end"

# --- the setting can't be changed -----------------------------------------------------------
mkdir "$T/readonly"
cat >"$T/readonly/sluiced" <<-S
	#!/bin/sh
	exec unshare -m sh -c 'mount --bind $ACCT $ACCT && mount -o remount,bind,ro $ACCT && exec "\$0" "\$@"' $BIN/sluiced "\$@"
S
chmod 755 "$T/readonly/sluiced"
ln -s "$BIN/sluicectl" "$T/readonly/sluicectl"
sluice_conf log.level=info intercept.http='{80}' scan.engine=none apps.counters=conntrack
# shellcheck disable=SC2119
BIN=$T/readonly start_sluice || exit 1
refused() { role_note net | grep -q 'nf_conntrack_acct can.t be set to 1 (Read-only file system): .*; set it by hand, or'; }
check "refused: net's note says so, and what to do" wait_for 5 refused
check "refused: app's note says that nothing is counted" says 'bytes: by conntrack, which counts nothing while .* is not 1'
is "$(grep -c 'error net: .*nf_conntrack_acct can' "$T/log/sluiced")" 1 "refused: the log says it once"
is "$(fetch "http://$SERVER:8080/big")" 200 "refused: traffic flows"
on_gw sh -c "echo 1 >$ACCT"
check "set by hand: it counts" wait_for 5 says '; bytes: by conntrack'
check "sluiced stops" stop_sluice
is "$(acct)" 1 "set by hand: it stays so"
on_gw sh -c "echo 0 >$ACCT"
done_testing
