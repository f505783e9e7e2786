#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the administrator does to rules and bypasses at run time, and what others do to them behind our back.
# The gateway's own address is used towards the server, so that the server sees whether a connection was intercepted.
# shellcheck disable=SC2317,SC2119,SC2016  # functions are called by name, without arguments, by other shells
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

seen() { on_client curl -s -S -m 5 "$@" 2>&1; }
seen4() { seen "http://$SERVER/whoami"; }
seen6() { seen "http://[$SERVER6]/whoami"; }
both() { echo "$(seen4) $(seen6)"; }
TAKEN="$GW_OUT $GW_OUT6" PASSED="$CLIENT $CLIENT6"
taken() { [ "$(both)" = "$TAKEN" ]; }
table() { on_gw nft list table inet sluice >"$T/table" 2>&1; }
# What is in a set, in one line
set_of() { on_gw nft list set inet sluice "$1" | tr -d '\n\t' | sed -n 's/.*elements = {\(.*\)}.*/\1/p' | tr -d ' }'; }
# refuses PATTERN NAME COMMAND...: exit status 1, one line on standard error that says so
refuses() {
	local pattern=$1 name=$2 rc
	shift 2
	"$@" >"$T/out" 2>"$T/err"
	rc=$?
	if [ $rc = 1 ] && grep -qE -- "^sluicectl: .*$pattern" "$T/err" && [ "$(wc -l <"$T/err")" = 1 ]; then
		ok "$name"
	else
		not_ok "$name" "status $rc; $(cat "$T/err")"
	fi
}
conf() { sluice_conf scan.engine=none intercept.source_address=gateway "$@"; }
kill_role() {
	local pid
	pid=$(role_pid "$1")
	kill -KILL "$pid"
	wait_for 10 eval "p=\$(role_pid $1) && [ \"\$p\" != $pid ] && [ \"\$p\" != 0 ] && sluice_ready"
}

# --- show, diff, dry runs ---------------------------------------------------------------
test_show() {
	is "$(both)" "$TAKEN" "intercepted"
	sluicectl rules show >"$T/show"
	is "$(sed -n '1p' "$T/show")" "table inet sluice {" "show: the table"
	is_less 0 "$(awk '$2 == "intercept-http4" { print $3 }' "$T/show")" "show: counters of what is in place"
	check "diff: nothing" sluicectl rules diff
	is "$(sluicectl rules diff)" "" "... and nothing is said"
	sluicectl rules install --dry-run >"$T/plan"
	check "install --dry-run: nft reads it" on_gw nft -c -f "$T/plan"
	is "$(grep -c '^# ip rule add priority' "$T/plan")" 3 "... and it names the routing rules"
	is "$(sluicectl rules remove --dry-run | sed -n 1p)" "delete table inet sluice" "remove --dry-run"
	is "$(sluicectl rules diff)$(both)" "$TAKEN" "... and nothing is done"
}

# --- somebody else -----------------------------------------------------------------------
# mended NAME COMMAND...: what the command breaks on the gateway is put back within 2 s, counted and logged
mended() {
	local name=$1 before
	shift
	before=$(role_counter net reinstalled)
	on_gw "$@" || not_ok "$name: $*"
	wait_for 3 eval "[ \$(role_counter net reinstalled) -gt $before ]" || note "$name: not counted"
	is "$(role_counter net reinstalled) $(sluicectl rules diff 2>&1) $(both)" "$((before + 1))  $TAKEN" "$name: put back, once"
}
rule_handle() { on_gw nft -a list chain inet sluice intercept | sed -n "s/.*\"$1\" # handle //p"; }
# The difference can be seen before it is mended, but for a race that is soon won.
diff_seen() {
	on_gw nft delete rule inet sluice intercept handle "$(rule_handle intercept-http4)" || return 1
	! sluicectl rules diff >"$T/diff" 2>&1 && grep -q '^rule intercept-http4: missing' "$T/diff"
}
test_others() {
	local at
	sluicectl bypass add client 10.99.0.0/16
	mended "nft flush ruleset" nft flush ruleset
	is "$(set_of bypass_clients4)" 10.98.0.9,10.99.0.0/16 "... with the bypasses of run time"
	mended "nft delete table" nft delete table inet sluice
	mended "nft flush table" nft flush table inet sluice
	mended "nft flush chain" nft flush chain inet sluice intercept
	mended "nft delete rule" nft delete rule inet sluice intercept handle "$(rule_handle intercept-http4)"
	mended "nft add rule" nft insert rule inet sluice intercept accept
	mended "nft delete element" nft delete element inet sluice http_ports '{ 80 }'
	mended "nft add element" nft add element inet sluice bypass_clients4 "{ $CLIENT }"
	mended "ip rule del" ip rule del priority 100
	mended "ip -6 rule del" ip -6 rule del priority 99
	mended "ip rule flush" sh -c 'ip rule flush; ip rule add priority 32766 table main
		ip rule add priority 32767 table default'
	mended "ip route flush table" ip route flush table 20942
	check "the log says what was changed" sluice_log 'changed by somebody else \(rule intercept-http4: missing\)'
	check "diff tells it before it is mended" wait_for 20 diff_seen
	wait_for 5 eval '[ -z "$(sluicectl rules diff 2>&1)" ]'
	on_gw sysctl -qw net.ipv4.ip_early_demux=1
	check "a setting that others change" wait_for 5 eval '[ "$(on_gw sysctl -n net.ipv4.ip_early_demux)" = 0 ]'
	at=$SECONDS
	on_gw nft flush ruleset
	check "flushed once more" wait_for 5 table
	is_less $((SECONDS - at)) 3 "... and back within 2 s"
	sluicectl bypass delete client 10.99.0.0/16
}

# --- by hand ------------------------------------------------------------------------------
demux() { on_gw sysctl -n net.ipv4.ip_early_demux; }
test_by_hand() {
	check "remove" sluicectl rules remove
	check "no table is left" eval '! table'
	is "$(on_gw ip rule | grep -c 0x10000000)$(on_gw ip -6 rule | grep -c 0x10000000)" 00 "nor a routing rule"
	is "$(both)" "$PASSED" "traffic passes"
	check "status says so" eval "sluicectl status | grep -q 'NOT INTERCEPTING: the rules are not in place'"
	is "$(role_note net)" "rules: removed by hand (sluicectl rules install puts them back)" "... and why"
	check "early demux is as it was" wait_for 70 eval '[ "$(demux)" = 1 ]'
	is "$(sluicectl rules show | tail -n 1)" "# not in place" "show says that they aren't in place"
	refuses 'rules install mends it' "diff: all of it differs" sluicectl rules diff
	is "$(head -n 1 "$T/out")" "table missing" "... as the table is missing"
	is "$(sluicectl rules remove --dry-run | sed -n 1p)" "# there is no table inet sluice" "remove --dry-run: nothing"
	check "remove again is no error" sluicectl rules remove
	kill -KILL "$(role_pid net)"
	wait_for 10 eval '[ "$(role_note net)" != "" ]'
	is "$(both)" "$PASSED" "they stay away when the net role dies"
	sluicectl reload >/dev/null
	sleep_ticks 2
	is "$(both)" "$PASSED" "... and over a reload"
	check "install" sluicectl rules install
	check "traffic is taken in" wait_for 3 taken
	is "$(role_note net)" "" "nothing is to be said about it"
	check "install again is no error" sluicectl rules install
	is "$(demux)$(sluicectl rules diff)" 0 "all is in place"
}
# sleep_ticks N: until the net role has been told N times that we are alive
sleep_ticks() {
	local n=$1 before
	while [ "$n" -gt 0 ]; do
		before=$(status "x['uptime_s']")
		wait_for 5 eval "[ \$(status \"x['uptime_s']\") -gt $before ]"
		n=$((n - 1))
	done
}

# --- bypasses --------------------------------------------------------------------------------
# bypassed SIDE NET SEEN: with that bypass the server sees these addresses, without it ours
bypassed() {
	check "bypass add $1 $2" sluicectl bypass add "$1" "$2"
	is "$(both)" "$3" "... at once"
	check "bypass delete $1 $2" sluicectl bypass delete "$1" "$2"
	is "$(both)" "$TAKEN" "... at once"
}
test_bypass() {
	bypassed client $CLIENT "$CLIENT $GW_OUT6"
	bypassed client fd77:1::/64 "$GW_OUT $CLIENT6"
	bypassed client 10.77.1.0/24 "$CLIENT $GW_OUT6"
	bypassed server $SERVER "$CLIENT $GW_OUT6"
	bypassed server $SERVER6 "$GW_OUT $CLIENT6"
	bypassed server 192.0.2.0/24 "$TAKEN"
	is "$(sluicectl bypass list)" "client 10.98.0.9 configuration
server fd98::/32 configuration" "bypass list"
	sluicectl bypass add client 10.99.0.0/24
	sluicectl bypass add server fd99::1
	is "$(sluicectl bypass list | tail -n 2)" "client 10.99.0.0/24 run-time
server fd99::1 run-time" "... with those of run time"
	is "$(role_note net)" "bypasses of run time: 2" "... which the status mentions"
	refuses 'shares addresses with 10.99.0.0/24' "the same again" sluicectl bypass add client 10.99.0.0/24
	refuses 'shares addresses with 10.99.0.0/24' "a part of it" sluicectl bypass add client 10.99.0.7
	refuses 'shares addresses with 10.98.0.9' "one that holds a configured one" sluicectl bypass add client 10.98.0.0/16
	refuses 'bypass for everything is: sluicectl rules remove' "all of IPv4" sluicectl bypass add client 0.0.0.0/0
	refuses 'there is no such entry' "delete what isn't there" sluicectl bypass delete client 10.99.0.0/25
	refuses 'there is no such entry' "... or is the other side's" sluicectl bypass delete server 10.99.0.0/24
	refuses 'it is in the configuration; take it out there' "... or the configuration's" \
		sluicectl bypass delete client 10.98.0.9
	is "$(set_of bypass_clients4) $(set_of bypass_servers6)" "10.98.0.9,10.99.0.0/24 fd98::/32,fd99::1" \
		"the kernel has what the list has"
}
test_bypass_lasts() {
	local handle
	handle=$(rule_handle intercept-http4)
	sluicectl bypass add client $CLIENT
	check "the net role is killed" kill_role net
	is "$(both)" "$CLIENT $GW_OUT6" "bypasses of run time outlive it"
	is "$(sluicectl bypass list | grep -c run-time)" 3 "... in the list, too"
	is "$(rule_handle intercept-http4)" "$handle" "... and the rules were not touched"
	conf intercept.bypass_clients='{"10.98.0.9", "10.99.0.128/25", "10.97.0.0/16"}'
	check "a reload with other bypasses" sluicectl reload
	wait_for 5 eval '[ "$(set_of bypass_clients4)" = "10.77.1.2,10.97.0.0/16,10.98.0.9,10.99.0.0/24" ]'
	is "$(set_of bypass_clients4) $(set_of bypass_servers6)" "10.77.1.2,10.97.0.0/16,10.98.0.9,10.99.0.0/24 fd99::1" \
		"new ones come, old ones go, those of run time stay"
	is "$(both)" "$CLIENT $GW_OUT6" "... and are in force"
	check "one that hid a configured one is deleted" sluicectl bypass delete client 10.99.0.0/24
	is "$(set_of bypass_clients4)" "10.77.1.2,10.97.0.0/16,10.98.0.9,10.99.0.128/25" "... which comes out"
	# The whole daemon is killed; the next start knows what was asked for.
	kill -KILL "$SLUICE_PID"
	check "sluiced is killed: all roles end" wait_for 5 eval '[ -z "$(ip netns pids "$NS_GW")" ]'
	check "... the rules stay" table
	is "$(both)" "$PASSED" "... and let traffic pass"
	stop_sluice
	start_sluice
	is "$(both)" "$CLIENT $GW_OUT6" "started again: bypasses of run time are in force"
	check "... and logged" sluice_log 'asked for earlier and still in force: 2 bypasses'
	stop_sluice
	start_sluice
	is "$(both) $(sluicectl bypass list | grep -c run-time)" "$TAKEN 0" "an orderly stop ends them"
}
# Connections keep the way that they began on.
# keep PORT: one connection there, which keep_asks uses again and let_go ends
keep() {
	rm -f "$T/log/kept" "$T/kept.in"
	mkfifo "$T/kept.in"
	exec 9<>"$T/kept.in"
	nsenter --net="/run/netns/$NS_CLIENT" -- "$PYTHON" "$TESTS/netns/helpers/held.py" $SERVER "$1" <&9 >"$T/log/kept" 2>&1 &
	SPAWNED=$!
	NS_PIDS+=("$SPAWNED")
	wait_for 10 grep -q . "$T/log/kept" || echo >&9
	wait_for 10 grep -q '^got' "$T/log/kept"
}
# keep_asks: what it gets now
keep_asks() {
	local line
	line=$(wc -l <"$T/log/kept")
	echo >&9
	wait_for 5 eval "[ \$(wc -l <\"$T/log/kept\") -gt $line ]"
	tail -n 1 "$T/log/kept" | cut -d' ' -f1,2
}
let_go() {
	exec 9>&-
	end_pid "$SPAWNED"
}
test_open_connections() {
	keep 80
	sluicectl bypass add client $CLIENT
	is "$(keep_asks)" "got $GW_OUT" "an intercepted connection goes on"
	sluicectl bypass delete client $CLIENT
	let_go
	# With a configuration that doesn't intercept its port any more.
	keep 8080
	conf intercept.http='{80}'
	sluicectl reload >/dev/null
	check "a reload takes it off" wait_for 3 eval '[ "$(set_of http_ports)" = 80 ]'
	is "$(set_of socket_ports)" 21,80,8080 "... and what is open there is held"
	is "$(seen "http://$SERVER:8080/whoami")" "$CLIENT" "... new connections to it pass"
	is "$(keep_asks)" "got $GW_OUT" "... one that was intercepted goes on"
	kill_role net
	is "$(keep_asks)" "got $GW_OUT" "... over the death of the net role"
	on_gw nft delete table inet sluice
	wait_for 5 table
	is "$(keep_asks)" "got $GW_OUT" "... and when the rules were lost"
	let_go
}

# --- install_rules = false ------------------------------------------------------------------------
test_not_ours() {
	conf intercept.install_rules=false
	start_sluice
	is "$(both)" "$PASSED" "install_rules = false: traffic passes"
	check "... the status says whose rules they are" eval "sluicectl status | grep -q \"somebody else's\""
	is "$(sluicectl rules show | sed -n '1p;$p')" "table inet sluice {
# not in place" "... show has them"
	refuses 'rules install mends it' "... diff says that they are missing" sluicectl rules diff
	check "... bypasses can be asked for" sluicectl bypass add client 10.99.0.1
	check "install by hand" sluicectl rules install
	check "... takes traffic in" wait_for 3 taken
	is "$(role_note net)" "rules: installed by hand; bypasses of run time: 1" "... which the status mentions"
	is "$(set_of bypass_clients4)" 10.99.0.1 "... with the bypass"
	kill -KILL "$(role_pid net)"
	wait_for 10 eval '[ "$(role_counter net alive)" = 1 ]'
	is "$(both)" "$TAKEN" "... it outlives the net role"
	sluicectl reload >/dev/null
	sleep_ticks 6
	is "$(both)" "$TAKEN" "... and a reload, kept alive"
	conf intercept.install_rules=true
	sluicectl reload >/dev/null
	check "a reload with install_rules = true" wait_for 3 eval '[ "$(role_note net)" = "bypasses of run time: 1" ]'
	is "$(both)" "$TAKEN" "... they stay"
	conf intercept.install_rules=false
	sluicectl reload >/dev/null
	check "... and with false they go" wait_for 3 eval '! table'
	is "$(both)" "$PASSED" "... and traffic passes"
	stop_sluice
	# Rules that somebody else loaded are left alone.
	on_gw nft -f "$T/plan"
	start_sluice
	check "a table that somebody else loaded" table
	stop_sluice
	check "... is still there after the end" table
	on_gw nft delete table inet sluice
	conf intercept.install_rules=false intercept.lan='{}'
	start_sluice
	refuses 'intercept.lan names nothing, or neither intercept.http nor intercept.ftp does' "install without an interface" sluicectl rules install
	check "... and nothing was installed" eval '! table'
	stop_sluice
}
# A crash left rules, and the next start doesn't want any.
test_leftovers() {
	conf
	start_sluice
	kill -KILL "$SLUICE_PID"
	stop_sluice
	check "a crash leaves the rules" wait_for 5 eval '[ -z "$(ip netns pids "$NS_GW")" ] && table'
	conf intercept.install_rules=false
	start_sluice
	check "... and the next start without rules removes them" eval '! table'
	is "$(both)" "$PASSED" "... and lets traffic pass"
	stop_sluice
	is "$(demux)" 1 "... and early demux is as it was"
}

ns_up
start_nginx
on_gw sysctl -qw net.ipv4.ip_early_demux=1
snapshot_ns "$T/before"
conf intercept.bypass_clients='{"10.98.0.9"}' intercept.bypass_servers='{"fd98::/32"}'
start_sluice
test_show
test_others
test_by_hand
test_bypass
test_bypass_lasts
test_open_connections
stop_sluice
is $? 0 "an orderly end"
same_snapshot "$T/before" "nothing is left behind"
is "$(find "$T/run" -type f -o -type s)" "" "... nor in run_dir"
test_not_ours
test_leftovers
same_snapshot "$T/before" "nothing is left behind by all that"
check "no sanitizer has complained" eval '! sluice_log "Sanitizer|runtime error"'
plan $TAP_COUNT
done_testing
