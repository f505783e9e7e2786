#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The gateway goes out of the traffic's way, or shuts it, while thousands of new connections a second come: stopped in
# order, killed, hung. Rates are compared with plain forwarding before Sluice ever ran here. Clients have few ports, so
# that each is used again within seconds and meets what its last connection left on the gateway.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
STORM=$O/tests/netns/storm
make --no-print-directory -s -C "$ROOT" O="$O" "$STORM" >&2 || exit 1
ns_up

# --- the origin ------------------------------------------------------------------------
# It closes after each answer, which is the port it sees. Nobody ever takes port 81 in: what plain forwarding does on
# this machine just now.
mkdir "$T/origin"
chmod 777 "$T/origin"
cat >"$T/origin/conf" <<-CONF
	daemon off;
	worker_processes 1;
	worker_rlimit_nofile 20000;
	pid $T/origin/pid;
	error_log $T/origin/error.log;
	events { worker_connections 10000; multi_accept on; }
	http {
		access_log off;
		client_body_temp_path $T/origin;
		proxy_temp_path $T/origin;
		fastcgi_temp_path $T/origin;
		uwsgi_temp_path $T/origin;
		scgi_temp_path $T/origin;
		keepalive_timeout 300;
		server {
			listen 80 backlog=8192;
			listen 81 backlog=8192;
			listen [::]:80 backlog=8192;
			listen [::]:81 backlog=8192;
			default_type text/plain;
			location = /port { return 200 "\$remote_port\n"; }
			location = /whoami { return 200 "\$remote_addr \$remote_port\n"; }
		}
	}
CONF
spawn "$NS_SERVER" nginx nginx -c "$T/origin/conf" -p "$T/origin" -e "$T/origin/error.log"
wait_for 10 listens "$NS_SERVER" 80 || exit 1
for ns in $NS_CLIENT $NS_GW $NS_SERVER; do
	in_ns "$ns" sysctl -qw net.core.somaxconn=8192 net.ipv4.tcp_max_syn_backlog=8192
done
on_client sysctl -qw net.ipv4.ip_local_port_range="20000 25999"
on_gw sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
on_gw sysctl -qw net.ipv4.ip_early_demux=1
# None at the origin: those of relays carry clients' addresses with other time stamps, and who uses their ports next
# waits for a second SYN. No gateway can help that.
on_server sysctl -qw net.ipv4.tcp_max_tw_buckets=1
ip -n "$NS_CLIENT" addr add 10.77.1.3/24 dev c0
snapshot_ns "$T/pristine"

# --- storms ----------------------------------------------------------------------------
now_ms() { date +%s%3N; }
STORM_LOG=
# storm_up NAME [SERVER]
storm_up() {
	spawn "$NS_CLIENT" "storm-$1" "$STORM" "${2:-$SERVER}" 80 64 1000
	STORM_PID=$SPAWNED
	STORM_LOG=$T/log/storm-$1
	wait_for 5 test -s "$STORM_LOG"
}
storm_down() { end_pid "$STORM_PID"; }
# count_of WORD FROM [TO]: how many of that outcome from then (ms) on
count_of() {
	awk -v word="$1" -v from="$2" -v to="${3:-9999999999999}" '$1 > from && $1 <= to {
		for (i = 2; i < NF; i += 2) if ($i == word) n += $(i + 1) } END { print n + 0 }' "$STORM_LOG"
}
lines_after() { [ "$(awk -v from="$1" '$1 > from' "$STORM_LOG" | wc -l)" -ge "$2" ]; }
# rate WORD [SECONDS]: connections a second of that outcome in the seconds from now on
rate() {
	local from
	from=$(now_ms)
	wait_for 20 lines_after "$from" $((${2:-2} * 10))
	echo $(($(count_of "$1" "$from" $((from + ${2:-2} * 1000))) / ${2:-2}))
}
# only WORD: in the last four lines nothing else happened
only() {
	tail -n 4 "$STORM_LOG" | awk -v word="$1" '{ for (i = 2; i < NF; i += 2)
		if ($i == word) n += $(i + 1); else m += $(i + 1) } END { exit !(n > 20 && m == 0) }'
}
# becomes SECONDS WORD: nothing but that happens, and since when ($began); sets $after to the ms that it took
becomes() {
	local rc=0
	wait_for "$1" only "$2" || rc=1
	after=$(($(awk -v word="$2" '{ m = 0; for (i = 2; i < NF; i += 2) if ($i != word) m += $(i + 1)
		if (m > 0) t = $1 } END { print t }' "$STORM_LOG") - began))
	[ $after -gt 0 ] || after=0
	[ $rc = 0 ] && [ $after -lt $(($1 * 1000)) ]
}
losses() {
	note "$1: $(count_of reset "$began") reset, $(count_of timeout "$began") timed out, $(count_of refused "$began") refused"
}
# fast NAME SERVER: connections pass at 0.7 times the rate of plain forwarding, to which they are compared side by
# side, as this machine may do other things meanwhile; $direct is the best rate of three
fast() {
	local plain best=0 log=$STORM_LOG
	direct=0
	for _ in 1 2 3; do
		spawn "$NS_CLIENT" "storm-plain-$1" "$STORM" "$2" 81 64 1000
		kill -STOP "$STORM_PID"
		STORM_LOG=$T/log/storm-plain-$1
		wait_for 5 test -s "$STORM_LOG"
		plain=$(rate direct 1)
		end_pid "$SPAWNED"
		kill -CONT "$STORM_PID"
		STORM_LOG=$log
		wait_for 5 only direct
		direct=$(rate direct 1)
		note "$1: $direct connections/s pass, plain forwarding at the same time: $plain"
		[ $((direct * 100 / plain)) -le $best ] || best=$((direct * 100 / plain))
		[ $best -lt 70 ] || break
	done
	at_least $best 70 "$1: they pass at the rate of plain forwarding"
}
at_least() { if [ "$1" -ge "$2" ]; then ok "$3"; else not_ok "$3" "$1 is less than $2"; fi; }

# --- connections that are open -----------------------------------------------------------
declare -A HELD
# hold NAME [SERVER]: a connection that is kept
hold() {
	local fd
	mkfifo "$T/held-$1"
	on_client "$PYTHON" "$TESTS/netns/helpers/held.py" "${2:-$SERVER}" 80 <"$T/held-$1" >"$T/log/held-$1" 2>&1 &
	NS_PIDS+=($!)
	exec {fd}>"$T/held-$1"
	HELD[$1]=$fd
}
# answers NAME WHO: it still works; the origin sees its own port (direct) or another one (relayed)
answers() {
	local lines line
	lines=$(wc -l <"$T/log/held-$1")
	echo ask >&"${HELD[$1]}"
	wait_for 5 eval "[ \$(wc -l <$T/log/held-$1) -gt $lines ]"
	line=$(tail -n 1 "$T/log/held-$1")
	[ "$(awk '$1 == "got" { print ($3 == $5 ? "direct" : "relayed") }' <<<"$line")" = "$2" ] || {
		echo "$1: $line"
		return 1
	}
}
drop() {
	local name fd
	for name; do
		fd=${HELD[$name]}
		echo quit >&"$fd"
		exec {fd}>&-
		unset "HELD[$name]"
		rm "$T/held-$name"
	done
}

# --- plain forwarding ---------------------------------------------------------------------
storm_up plain
PLAIN=$(rate direct 3)
storm_down
storm_up plain6 $SERVER6
PLAIN6=$(rate direct 2)
storm_down
note "forwarded before Sluice ran: $PLAIN connections/s over IPv4, $PLAIN6 over IPv6"
at_least "$PLAIN" 1000 "thousands of new connections a second"
hold before
hold before6 $SERVER6
check "connections from before Sluice" eval "answers before direct && answers before6 direct"

# --- taken in -----------------------------------------------------------------------------
sluice_conf scan.engine=none log.access=false log.level=info
# start: and wait until it takes everything in
start() {
	began=$(now_ms)
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice && becomes 5 relayed
}
all_pids() { ip netns pids "$NS_GW"; }
all_gone() { [ -z "$(all_pids)" ]; }
kill_all() { # SIGNAL: the parent first, so that nobody is started again
	local pids
	mapfile -t pids < <(all_pids)
	kill "-$1" "$SLUICE_PID" "${pids[@]}" 2>/dev/null
}

storm_up open
check "started under load: all is taken in" start
note "all taken in after $after ms"
losses "while it started"
RELAYED=$(rate relayed 3)
later() { rate relayed 2; }
wait_for 20 lines_after "$(now_ms)" 30
LATER=$(later)
note "taken in: $RELAYED connections/s, five seconds later $LATER"
at_least "$LATER" $((RELAYED / 2)) "the rate stays: ports of the gateway are not used up"
hold taken
hold taken6 $SERVER6
check "connections that are taken in" eval "answers taken relayed && answers taken6 relayed"
check "connections from before Sluice go on" eval "answers before direct && answers before6 direct"

# --- hung -----------------------------------------------------------------------------------
began=$(now_ms)
kill_all STOP
check "open: hung, new connections pass within 5 seconds" becomes 6 direct
note "hung: all pass after $after ms"
at_least 5500 "$after" "open: hung, that is what 5 seconds mean"
losses "while it hung"
fast "open: hung" $SERVER
on_gw sysctl -qw net.ipv4.ip_early_demux=1
swallowed=$(rate direct)
on_gw sysctl -qw net.ipv4.ip_early_demux=0
note "with early demultiplexing: $swallowed connections/s pass, $(on_gw ss -Htan state time-wait | wc -l) leftovers"
is_less "$swallowed" $((direct / 3)) "open: hung, early demultiplexing is off, as leftovers would swallow them with it"
wait_for 5 only direct
check "open: hung, connections from before Sluice go on" eval "answers before direct && answers before6 direct"
asked=$(now_ms)
sluicectl status >"$T/status" 2>&1
is $? 1 "open: hung, the status says that nobody answers"
is_less $(($(now_ms) - asked)) 20000 "... in bounded time"
note "status: $(tail -n 1 "$T/status")"
hold passed
check "open: hung, new connections are held" answers passed direct
began=$(now_ms)
kill_all CONT
check "open: going on, all is taken in again" becomes 10 relayed
note "taken in again after $after ms"
check "open: connections that were taken in go on" eval "answers taken relayed && answers taken6 relayed"
check "open: connections that passed go on" eval "answers passed direct && answers before direct && answers before6 direct"

# --- stopped --------------------------------------------------------------------------------
began=$(now_ms)
check "open: it stops under load" stop_sluice
note "stopped after $(($(now_ms) - began)) ms"
check "open: stopped, new connections pass within 5 seconds" becomes 5 direct
note "stopped: all pass after $after ms"
losses "while it stopped"
is "$(count_of reset "$began") $(count_of timeout "$began")" "0 0" "open: stopped, no connection was lost"
fast "open: stopped" $SERVER
check "open: stopped, connections that passed go on" eval "answers passed direct && answers before direct"
# What it took in idled, and was told so in order.
check "open: stopped, idle connections that were taken in are closed" eval "! answers taken relayed"
is "$(on_gw sysctl -n net.ipv4.ip_early_demux)" 1 "open: stopped, early demultiplexing is as before"
storm_down
drop taken taken6
same_snapshot "$T/pristine" "open: stopped, nothing is left behind"

# --- killed ---------------------------------------------------------------------------------
# test_killed SUFFIX SERVER
test_killed() {
	storm_up "killed$1" "$2"
	check "open$1: started again" start
	hold "taken$1" "$2"
	answers "taken$1" relayed
	# long enough for each port to have been used
	wait_for 20 lines_after "$(now_ms)" 15
	began=$(now_ms)
	kill_all KILL
	wait "$SLUICE_PID" 2>/dev/null
	SLUICE_PID=
	check "open$1: killed, new connections pass within 5 seconds" becomes 6 direct
	note "killed: all pass after $after ms"
	at_least 5500 "$after" "open$1: killed, that is what 5 seconds mean"
	losses "while it was killed"
	check "open$1: killed, nobody is left" all_gone
	fast "open$1: killed" "$2"
	check "open$1: killed, connections that passed go on" eval "answers passed direct && answers before$1 direct"
	check "open$1: killed, what it had taken in is over" eval "! answers taken$1 relayed"
	drop "taken$1"
}
test_killed "" $SERVER
check "open: killed, the status says so" eval "! sluicectl status; grep -q 'not run' $T/check"
is "$(on_gw sysctl -n net.ipv4.ip_early_demux)" 0 "open: killed, early demultiplexing stays off"
storm_down
test_killed 6 $SERVER6
storm_down

# --- closed ---------------------------------------------------------------------------------
sluice_conf scan.engine=none log.access=false log.level=info intercept.when_down=closed \
	intercept.bypass_clients='{"10.77.1.3"}'
bypassed() { [ "$(on_client curl -s -m 2 --interface 10.77.1.3 "http://$SERVER/whoami" | cut -d' ' -f1)" = 10.77.1.3 ]; }
storm_up closed
check "closed: started over what the killed ones left" start
began=$(now_ms)
kill_all STOP
check "closed: hung, new connections are refused within 5 seconds" becomes 6 refused
note "hung: all are refused after $after ms"
at_least 5500 "$after" "closed: hung, that is what 5 seconds mean"
check "closed: hung, bypassed clients pass" bypassed
check "closed: connections that are not taken in go on" eval "answers passed direct && answers before direct"
began=$(now_ms)
kill_all CONT
check "closed: going on, all is taken in again" becomes 10 relayed
began=$(now_ms)
kill_all KILL
wait "$SLUICE_PID" 2>/dev/null
SLUICE_PID=
check "closed: killed, new connections are refused within 5 seconds" becomes 6 refused
note "killed: all are refused after $after ms"
at_least 5500 "$after" "closed: killed, that is what 5 seconds mean"
check "closed: killed, bypassed clients pass" bypassed
check "closed: killed, connections that are not taken in go on" eval "answers passed direct && answers before direct"
check "closed: ... over IPv6 too" eval "answers before6 direct; ! on_client curl -s -m 2 http://[$SERVER6]/port"
is "$(count_of direct "$began")" 0 "closed: killed, none passed"
storm_down
# Whoever stops it in order wants the traffic to flow: then it is out of the way, open.
storm_up closed-stop
check "closed: started again" start
began=$(now_ms)
check "closed: stops in order" stop_sluice
check "closed: stopped, new connections pass" becomes 5 direct
losses "while it stopped"
storm_down
drop passed before before6
same_snapshot "$T/pristine" "closed: stopped, nothing is left behind"
done_testing
