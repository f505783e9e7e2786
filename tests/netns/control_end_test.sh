#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reload and stop: what runs goes on, what comes gets the new configuration or passes, and nothing is left behind.
# The gateway's own address is used towards the server, so that the server sees whether a connection was intercepted.
# shellcheck disable=SC2317,SC2119,SC2016  # functions are called by name, without arguments, by other shells
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
HELPERS=$TESTS/netns/helpers

conf() {
	sluice_conf scan.engine=none intercept.source_address=gateway intercept.http='{80, 8081}' pages="$T/pages" "$@"
}
seen() { on_client curl -s -S -m 5 "$@" 2>&1; }
whoami() { seen "http://$SERVER${1:-}/whoami"; }
phase_is() { [ "$(status "x['phase']")" = "$1" ]; }

# get NAME URL [CURL-OPTION...]: in the background; the body in $T/get.NAME, curl's status then in $T/get.NAME.rc
get() {
	local name=$1
	shift
	rm -f "$T/get.$name" "$T/get.$name.rc"
	spawn "$NS_CLIENT" "get.$name" sh -c 'out=$1; shift; curl -s -S -m 60 -o "$out" "$@"; echo $? >"$out.rc"' sh \
		"$T/get.$name" "$@"
}
# got NAME: curl's status, when it has ended
got() {
	wait_for 60 test -s "$T/get.$1.rc"
	cat "$T/get.$1.rc"
}
# A download that stops in the middle until the file GATE is there; it is on its way when this returns.
gated() {
	rm -f "$T/www/$2"
	get "$1" "http://$SERVER/origin/file/big.bin?at=3000000&gate=$2"
	wait_for 20 eval "[ \"\$(stat -c %s \"$T/get.$1\")\" -ge 2000000 ]" || note "$1 does not begin"
}
open_gate() { : >"$T/www/$1"; }
whole() { cmp "$T/get.$1" "$T/www/big.bin"; }

steady_up() { # NAME CLIENTS
	rm -f "$T/$1.in" "$T/log/$1"
	mkfifo "$T/$1.in"
	nsenter --net="/run/netns/$NS_CLIENT" -- "$PYTHON" "$HELPERS/steady.py" $SERVER 80 "$2" \
		<"$T/$1.in" >"$T/log/$1" 2>&1 &
	STEADY=$!
	NS_PIDS+=("$STEADY")
	exec 9>"$T/$1.in"
	wait_for 10 grep -q asking "$T/log/$1"
}
steady_down() { # NAME: what it saw is in $T/log/NAME.json
	exec 9>&-
	wait "$STEADY"
	tail -n 1 "$T/log/$1" >"$T/log/$1.json"
	note "$(cat "$T/log/$1.json")"
}
steady_seen() { query "$2" <"$T/log/$1.json"; }

# --- reload -------------------------------------------------------------------------------------
generation() { status "x['config']['generation']"; }
test_reload() {
	local at
	mkdir -p "$T/pages"
	echo 'first {{sentence}}' >"$T/pages/error.html"
	conf log.level=info
	start_sluice
	is "$(whoami) $(whoami :8080)" "$GW_OUT $CLIENT" "before: port 80 is intercepted, 8080 isn't"
	is "$(seen "http://$SERVER:8081/" | cut -c1-9)" "first The" "... and the error page is the first"
	check "... and sessions are not logged" eval '! sluice_log "session . ends"'

	echo 'second {{sentence}}' >"$T/pages/error.html"
	conf log.level=debug intercept.http='{80, 8080, 8081}' intercept.bypass_clients='{"10.0.0.1"}' \
		intercept.when_down=closed
	is "$(sluicectl reload)" "generation 2 is in force" "reload"
	is "$(whoami :8080)" "$GW_OUT" "after: port 8080, too"
	is "$(seen "http://$SERVER:8081/" | cut -c1-10)" "second The" "... and the error page is the second"
	check "... and sessions are logged" wait_for 5 eval 'sluice_log "session .* ends"'
	check "... and closed is in the rules" eval 'on_gw nft list chain inet sluice refuse | grep -q reject'
	check "... and the bypass, too" eval 'on_gw nft list set inet sluice bypass_clients4 | grep -q 10.0.0.1'
	is "$(status "x['fail_mode']['when_down']")" closed "... and the status says so"
	is "$(sluicectl rules diff)" "" "nothing differs"

	conf intercept.source_address=client
	kill -HUP "$SLUICE_PID"
	check "SIGHUP" wait_for 5 eval '[ "$(generation)" = 3 ]'
	is "$(whoami) $(whoami)" "$CLIENT $CLIENT" "the server sees the client now"
	check "... of what is intercepted" eval '[ "$(sluicectl --json events --limit 1 | query "x[\"client\"].split(\":\")[0]")" = '$CLIENT' ]'
	conf
	sluicectl reload >/dev/null
	is "$(whoami)" "$GW_OUT" "... and the gateway again"

	conf relays=3 user=daemon scan.engine=clamd
	is "$(sluicectl reload)" "generation 5 is in force
changes with a restart only: user, relays, scan.engine" "keys that need a restart are named"
	is "$(status "x['config']['engine'] + ' ' + str(len([r for r in x['roles'] if r['role'] == 'relay']))")" "none 2" \
		"... and keep their value"
	check "... the log names them, too" sluice_log 'generation 5 of .*; changes with a restart only: user, relays, scan.engine'
	at=$(role_pid net)
	conf
	sluicectl reload >/dev/null
	is "$(role_pid net)" "$at" "no role was started again by all that"
	is "$(status "[r['role'] for r in x['roles'] if r['restarts']]")" "[]" "... nor died"
}
test_bad_reload() {
	local before
	before=$(generation)
	cp "$SLUICE_CONF" "$T/good.conf"
	printf 'nonsense = 1\ndelivery { mode = later }\n' >>"$SLUICE_CONF"
	sluicectl reload >"$T/out" 2>"$T/err"
	is $? 1 "a bad file: exit status 1"
	is "$(sed 's/: .*//' "$T/err" | tr '\n' ' ')" "sluicectl sluicectl " "... each mistake is a line"
	is "$(grep -oE "$SLUICE_CONF:[0-9]+: [a-z]+" "$T/err" | sed 's/.*: //' | sort | tr '\n' ' ')" "delivery nonsense " \
		"... with its place"
	is "$(generation) $(whoami)" "$before $GW_OUT" "... and all stays as it was"
	kill -HUP "$SLUICE_PID"
	check "... the log of SIGHUP says why" wait_for 5 sluice_log "reload: $SLUICE_CONF:[0-9]+: nonsense"
	check "... and what becomes of it" wait_for 5 sluice_log 'reload: the running configuration stays'
	cp "$T/good.conf" "$SLUICE_CONF"
	printf '{{sentence}} {{nonsense}}\n' >"$T/pages/error.html"
	check "a bad page" eval '! sluicectl reload 2>"$T/err"'
	check "... with its place" grep -q "^sluicectl: $T/pages/error.html:1: " "$T/err"
	rm "$T/pages/error.html"
	check "a page that is gone" eval '! sluicectl reload 2>"$T/err"'
	echo '{{sentence}}' >"$T/pages/error.html"
	echo '{{url}}' >"$T/pages/block.html"
	mv "$SLUICE_CONF" "$T/away.conf"
	check "no file" eval '! sluicectl reload 2>"$T/err"'
	check "... is said" grep -q "^sluicectl: $SLUICE_CONF:1: can't be read: No such file" "$T/err"
	mv "$T/away.conf" "$SLUICE_CONF"
	check "mended, it is taken" sluicectl reload
	is "$(generation)" $((before + 1)) "... and counts as one"
}
# Sessions keep the configuration that they began with; new ones get the new one.
test_running_sessions() {
	gated old gate1
	conf http.idle_timeout=300ms
	sluicectl reload >/dev/null
	get stall "http://$SERVER/origin/stall/1000000"
	check "a new session is under the new idle_timeout" eval '[ "$(got stall)" != 0 ]'
	open_gate gate1
	is "$(got old)" 0 "one that stalled longer, from before the reload, is not"
	check "... and is whole" whole old
	conf
	sluicectl reload >/dev/null
}
test_reload_under_load() {
	local n
	steady_up load 8
	for n in 1 2 3 4 5 6 7 8 9 10; do sluicectl reload >/dev/null || not_ok "reload $n"; done
	steady_down load
	is "$(steady_seen load "x['failed']")" "{}" "ten reloads under load: no connection is lost"
	is "$(steady_seen load "list(x['seen'])")" "['$GW_OUT']" "... and all are intercepted"
	is_less 50 "$(steady_seen load "sum(x['seen'].values())")" "... of many"
}

# How an object is delivered while it is scanned: a download that began keeps its way, a new one has the new one.
relay_has() { [ "$(status "x['totals']['body_memory']")" -ge "$1" ]; }
test_delivery() {
	local scan="scan.engine=libclamav delivery.hold_below=64K delivery.tail=64K"
	make_clam_db "$T/clamdb"
	# shellcheck disable=SC2086  # words
	conf $scan delivery.mode=tail
	start_sluice
	gated early gate9
	# shellcheck disable=SC2086
	conf $scan delivery.mode=hold
	sluicectl reload >/dev/null
	rm -f "$T/www/gate10"
	get late "http://$SERVER/origin/file/big.bin?at=3000000&gate=gate10"
	check "delivery: hold takes in what comes" wait_for 20 relay_has 5900000
	is "$(stat -c %s "$T/get.late" 2>/dev/null || echo 0)" 0 "... and gives nothing before its verdict"
	open_gate gate9
	is "$(got early)" 0 "... while tail goes on for what began with it"
	check "... and is whole" whole early
	open_gate gate10
	is "$(got late)" 0 "... and hold ends well, too"
	check "... and is whole" whole late
	stop_sluice
	is $? 0 "... and so does the gateway"
}

# --- stop -------------------------------------------------------------------------------------------
# A connection that has had its answer and waits; prints "closed" when it ends.
idle_client() {
	rm -f "$T/log/idle"
	spawn "$NS_CLIENT" idle "$PYTHON" -c "import socket
s = socket.create_connection(('$SERVER', 80)); s.sendall(b'GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n')
print(s.recv(4096)[:12].decode(), flush=True)
print('closed' if s.recv(1) == b'' else 'more', flush=True)"
	wait_for 10 grep -q 'HTTP/1.1 200' "$T/log/idle"
}
# left NAME: whether a gateway that has ended left anything
left() {
	same_snapshot "$T/before" "$1: rules, routes, settings and sockets are as before"
	is "$(ip netns pids "$NS_GW")$(find "$T/run" -type f -o -type s)" "" "$1: no process and no file is left"
}
test_stop() {
	conf
	start_sluice
	gated running gate2
	idle_client
	steady_up passing 4
	spawn "$NS_GW" stop "$BIN/sluicectl" -s "$T/run/control.sock" stop
	local stop=$SPAWNED
	check "stop: what runs is finished" wait_for 5 phase_is draining
	check "... idle connections are closed" wait_for 2 grep -q closed "$T/log/idle"
	is "$(whoami)" "$CLIENT" "... new ones pass"
	check "... and go on doing so" wait_for 5 eval '[ "$(whoami)" = '$CLIENT' ]'
	check "... a reload is refused" eval 'sluicectl reload 2>&1 | grep -q "sluiced is stopping"'
	check "... and rules" eval 'sluicectl rules install 2>&1 | grep -q "sluiced is stopping"'
	check "... sluicectl still waits" kill -0 "$stop"
	open_gate gate2
	is "$(got running)" 0 "the download ends well"
	check "... and is whole" whole running
	check "sluicectl stop returns" wait_for 10 gone "$stop"
	wait "$stop"
	is "$? $(cat "$T/log/stop")" "0 stopped" "... with 0"
	check "sluiced ends" wait_for 5 gone "$SLUICE_PID"
	stop_sluice
	is $? 0 "... with 0"
	steady_down passing
	# A handshake that is halfway when the switch goes off is refused by the server, which knows nothing of it.
	is_less "$(steady_seen passing "sum(x['failed'].values())")" 3 "clients notice nothing"
	is_less 10 "$(steady_seen passing "x['seen'].get('$GW_OUT', 0)")" "... before"
	is_less 10 "$(steady_seen passing "x['seen'].get('$CLIENT', 0)")" "... or after"
	check "the last event is in the journal" eval 'sluice_events | grep -q gate=gate2'
	left "stop"
}
test_stop_timeout() {
	local began
	conf stop_timeout=2s
	start_sluice
	gated stuck gate3
	began=$SECONDS
	stop_sluice
	is $? 0 "stop_timeout: the end comes"
	is_less $((SECONDS - began)) 8 "... soon after it"
	is_less 0 $((SECONDS - began)) "... not before it"
	check "the download did not end well" eval '[ "$(got stuck)" != 0 ]'
	check "... its event says why" eval 'sluice_events | grep gate=gate3 | grep -q "\"reason\":\"shutdown\""'
	left "stop_timeout"
	conf stop_timeout=0
	start_sluice
	gated cut gate4
	began=$SECONDS
	stop_sluice
	is_less $((SECONDS - began)) 5 "stop_timeout = 0: at once"
	check "... and the download did not end well" eval '[ "$(got cut)" != 0 ]'
	left "stop_timeout = 0"
}
test_second_signal() {
	local began
	conf stop_timeout=1m
	start_sluice
	gated stuck gate5
	kill -TERM "$SLUICE_PID"
	check "SIGTERM: draining" wait_for 5 phase_is draining
	began=$SECONDS
	kill -TERM "$SLUICE_PID"
	check "a second SIGTERM: at once" wait_for 5 gone "$SLUICE_PID"
	stop_sluice
	is $? 0 "... with 0"
	check "... and the download did not end well" eval '[ "$(got stuck)" != 0 ]'
	check "... its event is in the journal" eval 'sluice_events | grep -q gate=gate5'
	left "second SIGTERM"
	start_sluice
	gated stuck gate6
	spawn "$NS_GW" stop "$BIN/sluicectl" -s "$T/run/control.sock" stop
	local stop=$SPAWNED
	wait_for 5 phase_is draining
	check "a second sluicectl stop" sluicectl stop
	wait_for 5 gone "$stop"
	wait "$stop"
	is $? 0 "... ends the first one, too"
	stop_sluice
	left "second stop"
	# Signals that come faster than anything can be done
	start_sluice
	for began in 1 2 3 4 5; do kill -TERM "$SLUICE_PID"; done
	stop_sluice
	is $? 0 "five SIGTERM in a row"
	left "five SIGTERM"
	spawn "$NS_GW" sluiced "$BIN/sluiced" -c "$SLUICE_CONF" -f
	SLUICE_PID=$SPAWNED
	wait_for 10 test -S "$T/run/control.sock"
	stop_sluice
	is $? 0 "SIGTERM while the roles start"
	left "early SIGTERM"
}
# killed ROLE: while it drains; the download goes on, or not for its own relay
killed() {
	local was
	conf
	start_sluice
	gated "$1" "gate-$1"
	kill -TERM "$SLUICE_PID"
	wait_for 5 phase_is draining
	was=$(role_pid "$1")
	kill -KILL "$was"
	check "$1 is killed while relays drain: it is started again" wait_for 10 eval \
		"[ \"\$(status \"[r['state'] for r in x['roles'] if r['role'] == '$1' and r['pid'] != $was]\")\" = \"['running']\" ]"
	open_gate "gate-$1"
	is "$(got "$1")" 0 "... the download ends well"
	stop_sluice
	is $? 0 "... and so does the gateway"
	left "$1 killed"
}
test_deaths() {
	local net
	killed net
	killed app
	killed log
	check "... the journal has its event" eval 'sluice_events | grep -q gate=gate-log'
	conf
	start_sluice
	net=$(role_pid net)
	kill -STOP "$net"
	stop_sluice
	is $? 0 "a net role that hangs when it is to remove the rules"
	left "net hangs"
	# The rules wait for the app role to end; not for ever, and not when it can't.
	start_sluice
	kill -STOP "$(role_pid app)"
	stop_sluice
	is $? 0 "an app role that hangs when it is to empty its queues"
	left "app hangs"
	start_sluice
	net=$(role_pid net)
	kill -STOP "$(role_pid app)"
	spawn "$NS_GW" stop "$BIN/sluicectl" -s "$T/run/control.sock" stop
	wait_for 5 phase_is ending
	kill -KILL "$net"
	stop_sluice
	is $? 0 "a net role that is killed while the rules wait for a hung app role"
	left "net killed, app hangs"
	conf stop_timeout=1s
	start_sluice
	gated hung gate7
	kill -STOP "$(role_pid relay)" "$(status "[r['pid'] for r in x['roles'] if r['role'] == 'relay'][1]")"
	stop_sluice
	is $? 0 "relays that hang when they are to end"
	left "relays hang"
}
# closed: the door stays shut until the very end
test_closed() {
	conf intercept.when_down=closed
	start_sluice
	gated running gate8
	spawn "$NS_GW" stop "$BIN/sluicectl" -s "$T/run/control.sock" --json stop
	local stop=$SPAWNED
	wait_for 5 phase_is draining
	on_client curl -s -m 5 "http://$SERVER/whoami"
	is $? 7 "when_down = closed: new connections are refused while it drains"
	open_gate gate8
	is "$(got running)" 0 "... what runs is finished"
	wait_for 10 gone "$stop"
	is "$(whoami)" "$CLIENT" "... and after the end traffic passes"
	is "$("$PYTHON" "$HELPERS/jsonkeys.py" <"$T/log/stop" | tr '\n' ' ')" "ok stopped " "--json stop"
	stop_sluice
	left "closed"
}

ns_up
head -c 8000000 /dev/urandom >"$T/www/big.bin"
start_nginx
start_origin
mkdir -p "$T/pages"
echo '{{sentence}}' >"$T/pages/error.html"
echo '{{url}}' >"$T/pages/block.html"
on_gw sysctl -qw net.ipv4.ip_early_demux=1
snapshot_ns "$T/before"
test_reload
test_bad_reload
test_running_sessions
test_reload_under_load
stop_sluice
is $? 0 "an orderly end"
left "reloads"
test_delivery
left "delivery"
test_stop
test_stop_timeout
test_second_signal
test_deaths
test_closed
check "no sanitizer has complained" eval '! sluice_log "Sanitizer|runtime error"'
plan $TAP_COUNT
done_testing
