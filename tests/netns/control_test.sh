#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sluiced's command line and start, its control socket, and sluicectl: what they accept, refuse and survive.
# Rules and bypasses: control_rules_test.sh; reload and stop: control_end_test.sh.
# shellcheck disable=SC2317,SC2119,SC2016  # functions are called by name, without arguments, by other shells
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
HELPERS=$TESTS/netns/helpers
SOCKET=
sluiced() { on_gw "$BIN/sluiced" "$@"; }
# status_of COMMAND...: its exit status; output in $T/out and $T/err
status_of() {
	"$@" >"$T/out" 2>"$T/err" </dev/null
	echo $?
}
# says STATUS PATTERN NAME COMMAND...: it ends so, and says so (on standard error, or on standard output for 0)
says() {
	local want=$1 pattern=$2 name=$3 got
	shift 3
	got=$(status_of "$@")
	if [ "$got" = "$want" ] && cat "$T/out" "$T/err" | grep -qE -- "$pattern"; then
		ok "$name"
	else
		not_ok "$name" "status $got, wanted $want and: $pattern
$(head -n 20 "$T/out" "$T/err")"
	fi
}
# as_user USER COMMAND...: without root's groups
as_user() {
	local user=$1
	shift
	on_gw setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
}
# A process that is nobody's child here may stay a zombie.
ended() { gone "$1" || grep -q '^State:.Z' "/proc/$1/status"; }

# --- the command line ------------------------------------------------------------------
test_command_line() {
	sluice_conf scan.engine=none
	says 0 "^$SLUICE_CONF: ok\$" "-n: a good file" sluiced -n -c "$SLUICE_CONF"
	printf 'relays = 2\nnonsense = 3\nintercept { lan = {"lan0"}\n http = {99999} }\n' >"$T/bad.conf"
	says 1 "^$T/bad.conf:2: .*nonsense" "-n: an unknown key, with its line" sluiced -n -c "$T/bad.conf"
	check "-n: every mistake at once" grep -qE "^$T/bad.conf:4: .*99999.*(1 to 65535)" "$T/err"
	is "$(cat "$T/out")" "" "-n: nothing is ok then"
	says 1 "^$T/absent.conf:1: can't be read: No such file" "-n: no such file" sluiced -n -c "$T/absent.conf"
	says 1 "^$T:1: can't be read: it is not a regular file" "-n: a directory" sluiced -n -c "$T"
	says 2 'requires an argument' "-c without a file" sluiced -c
	says 2 'usage: sluiced' "an unknown option" sluiced -x
	says 2 'takes options only' "an operand" sluiced start
	says 0 'usage: sluiced' "--help" sluiced --help
	says 0 '^sluiced [0-9]' "-V" sluiced -V
	chmod 755 "$T"
	says 1 'start sluiced as root' "not root" as_user nobody "$BIN/sluiced" -c "$SLUICE_CONF" -f
	says 0 ': ok$' "... who may check a file" as_user nobody "$BIN/sluiced" -n -c "$SLUICE_CONF"
}

# --- starts that fail ---------------------------------------------------------------------
# refused PATTERN NAME [KEY=VALUE...]: with that configuration sluiced ends with 1 and says so, with -f and without
refused() {
	local pattern=$1 name=$2
	shift 2
	sluice_conf scan.engine=none "$@"
	says 1 "$pattern" "$name" sluiced -f -c "$SLUICE_CONF"
	says 1 "$pattern" "... in the background too" sluiced -c "$SLUICE_CONF"
	is "$(on_gw ls "$T/run/control.sock" 2>/dev/null)" "" "... and no socket is there"
}
# An account with user id 0 that is not called root: only this process sees it.
with_toor() {
	on_gw unshare -m sh -c 'mount --bind "$1" /etc/passwd && shift && exec "$@"' sh "$T/passwd" "$@"
}
test_refused_starts() {
	refused 'user "nobody-here" does not exist; create it \(adduser' "a user that does not exist" user=nobody-here
	{ cat /etc/passwd; printf 'toor:x:0:5::/:/bin/false\nwheel:x:77:0::/:/bin/false\n'; } >"$T/passwd"
	sluice_conf scan.engine=none user=toor
	says 1 'has the user id 0; .*must not be root' "another name for root" with_toor "$BIN/sluiced" -f -c "$SLUICE_CONF"
	sluice_conf scan.engine=none user=wheel
	says 1 'has the group id 0; .*must not be root' "root's group" with_toor "$BIN/sluiced" -f -c "$SLUICE_CONF"
	sluice_conf scan.engine=none user=root
	says 1 "^$SLUICE_CONF:[0-9]+: user = root" "root itself: the file's mistake" sluiced -f -c "$SLUICE_CONF"
	: >"$T/file"
	refused "directory $T/file: .*; remove what is there" "a state_dir that is a file" state_dir="$T/file"
	refused "directory $T/no/such: .*; create the directory" "a run_dir in no directory" run_dir="$T/no/such"
	refused 'directory /proc/sluice: .*; ' "a run_dir that can't be made" run_dir=/proc/sluice
	mkdir -m 777 "$T/open"
	refused "directory $T/open can be written by others than root" "a state_dir that all may write" state_dir="$T/open"
	is "$(stat -c %a "$T/open")" 777 "... whose mode stays"
	mkdir -m 700 "$T/shut"
	refused "directory $T/shut can't be entered by user nobody; run: chmod a\\+x" "a state_dir that is shut" \
		state_dir="$T/shut"
	mkdir -p "$T/part/bin"
	cp "$BIN/sluiced" "$T/part/bin/"
	sluice_conf scan.engine=none
	says 1 'libexec/sluice-log: No such file.*install all programs' "a program is missing" \
		on_gw "$T/part/bin/sluiced" -c "$SLUICE_CONF"
	is "$(find "$T/run" -name '*.pid' 2>/dev/null)" "" "no pid file is left by them"
}
# What is there already keeps its owner and mode, as long as it will do.
test_existing_directories() {
	mkdir -m 711 "$T/mine"
	chown nobody:daemon "$T/mine"
	sluice_conf scan.engine=none state_dir="$T/mine"
	start_sluice
	is "$(stat -c '%a %U %G' "$T/mine")" "711 nobody daemon" "a state_dir that will do is left as it is"
	is "$(stat -c '%a %U' "$T/mine/journal" "$T/mine/spool" | tr '\n' ' ')" "750 nobody 700 nobody " \
		"... and what is in it is the user's"
	stop_sluice
	is $? 0 "an orderly end"
	rm -rf "$T/run" "$T/state"
	sluice_conf scan.engine=none
	start_sluice
	is "$(stat -c '%a %U %G' "$T/run" "$T/state" "$T/run/net" | tr '\n' ' ')" \
		"755 root nogroup 750 root nogroup 700 nobody nogroup " "directories that were made"
	stop_sluice
}

# --- the background -------------------------------------------------------------------------
test_background() {
	local pid before
	sluice_conf scan.engine=none
	before=$SECONDS
	is "$(status_of sluiced -c "$SLUICE_CONF")" 0 "without -f it goes to the background"
	check "the control socket is there at that moment" test -S "$T/run/control.sock"
	check "... and answers" sluicectl status
	pid=$(cat "$T/run/sluiced.pid")
	NS_PIDS+=("$pid")
	is "$pid" "$(status "x['pid']")" "the pid file has its number"
	is "$(cat "$T/out" "$T/err")" "" "it said nothing"
	is "$(readlink "/proc/$pid/cwd" "/proc/$pid/fd/0" "/proc/$pid/fd/2" | tr '\n' ' ')" "/ /dev/null /dev/null " \
		"it left its directory and terminal"
	is "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid" "... and session"
	is_less $((SECONDS - before)) 5 "... soon"
	says 1 'another sluiced runs with run_dir .*; stop it \(sluicectl stop\)' "a second one is refused" \
		sluiced -c "$SLUICE_CONF"
	says 1 'another sluiced runs' "... in the foreground too" sluiced -f -c "$SLUICE_CONF"
	is "$(cat "$T/run/sluiced.pid")" "$pid" "the pid file is still the first one's"
	# A path relative to where it was started, through a link that leads elsewhere by now
	is "$(status "x['config']['file']")" "$SLUICE_CONF" "it knows its configuration"
	is "$(status_of sluicectl stop)" 0 "sluicectl stop"
	check "... waits for the end" wait_for 1 ended "$pid"
	is "$(find "$T/run" -type f -o -type s)" "" "no file is left in run_dir"
	cp "$SLUICE_CONF" "$T/one.conf"
	sed 's/^relays.*/relays = 1/' "$T/one.conf" >"$T/two.conf"
	ln -s one.conf "$T/link.conf"
	is "$(cd "$T" && status_of sluiced -c link.conf)" 0 "started by a relative path"
	NS_PIDS+=("$(cat "$T/run/sluiced.pid")")
	ln -sf two.conf "$T/link.conf"
	says 0 'changes with a restart only: relays' "a reload follows the link to the new file" sluicectl reload
	# Whoever starts it may have closed standard descriptors, or left others open.
	sluicectl stop >/dev/null
	is "$(status_of sh -c 'exec <&- >&- 2>&-; exec "$@"' sh nsenter --net="/run/netns/$NS_GW" \
		"$BIN/sluiced" -c "$SLUICE_CONF")" 0 "started without standard descriptors"
	NS_PIDS+=("$(cat "$T/run/sluiced.pid")")
	check "... it works" wait_for 10 sluice_ready
	sluicectl stop >/dev/null
	: >"$T/secret"
	exec 7<"$T/secret"
	start_sluice
	exec 7<&-
	is "$(find -L /proc/"$(role_pid net)"/fd /proc/"$(role_pid relay)"/fd -samefile "$T/secret" 2>/dev/null)" "" \
		"descriptors that it was started with don't reach the roles"
	is "$(grep -h SigBlk /proc/"$(role_pid net)"/status /proc/"$(role_pid relay)"/status | sort -u)" \
		"$(printf 'SigBlk:\t0000000000000000')" "... nor do the signals that it blocks"
	kill -INT "$SLUICE_PID"
	check "SIGINT ends it" wait_for 20 gone "$SLUICE_PID"
	stop_sluice
	is $? 0 "... in order"
}

# --- where it is installed ---------------------------------------------------------------
test_installed() {
	"$ROOT/tools/install-files" "$O" "$T/dest" /usr >"$T/out" || not_ok "install" "$(cat "$T/out")"
	sluice_conf scan.engine=none
	is "$(status_of on_gw "$T/dest/usr/sbin/sluiced" -c "$SLUICE_CONF")" 0 "started from where it was installed"
	NS_PIDS+=("$(cat "$T/run/sluiced.pid")")
	check "... it finds its roles there" wait_for 10 sluice_ready
	is "$(readlink -f "/proc/$(role_pid net)/exe")" "$T/dest/usr/libexec/sluice-net" "... and not elsewhere"
	check "... and stops" on_gw "$T/dest/usr/sbin/sluicectl" -s "$T/run/control.sock" stop
}

# --- the socket ---------------------------------------------------------------------------
test_socket() {
	sluice_conf scan.engine=none user=nobody
	start_sluice
	SOCKET=$T/run/control.sock
	is "$(stat -c '%a %U %G' "$SOCKET")" "660 root nogroup" "the socket is root's and the group's"
	is "$(status_of as_user nobody "$BIN/sluicectl" -s "$SOCKET" status)" 0 "a member of the group may ask"
	says 1 'permission denied \(be root, or in' "others may not" as_user daemon "$BIN/sluicectl" -s "$SOCKET" status
}
ask() { on_gw "$PYTHON" "$HELPERS/ctlfuzz.py" "$SOCKET" send "$@"; }
test_lines() {
	local status='{"command":"status"}'
	is "$(ask "$status\\n" | query "x['ok']")" True "a request by hand"
	is "$(ask "$status\\n" half | query "x['ok']")" True "... that closes its side"
	is "$(ask '{"command":"sessions"}\n' half | tail -n 1)" '{"end":true,"complete":true}' "... also when roles are asked"
	is "$(ask "$status\\n$status\\n" | wc -l)" 1 "a second line is not read"
	is "$(ask "$status" half)" "" "a line without an end is none"
	is "$(ask "$status x\\n" | query "x['error']")" "the request is not a JSON object" "text behind the object"
	is "$(ask '{"command":"status"\0}\n' | query "x['ok']")" False "a NUL byte"
	is "$(ask '[1]\n' | query "x['ok']")" False "a list"
	is "$(ask '{"command":"halt"}\n' | query "x['error']")" "the command is unknown" "an unknown command"
	is "$(ask '{"command":7}\n' | query "x['error']")" "the command is unknown" "a number"
	is "$(ask "$(printf '%05000d' 0)" | query "x['error']")" "the request is too long" "a line without end"
	is "$(ask '{"command":"rules","op":"bypass-add","side":"client","net":"10.0.0.1/8"}\n' | query "x['ok']")" False \
		"a network with host bits"
}
same_daemon() { status "[x['pid']] + [r['pid'] for r in x['roles']]"; }
descriptors() { find "/proc/$SLUICE_PID/fd" -mindepth 1 | wc -l; }
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$SLUICE_PID/status"; }
# quick COMMAND...: within 2 s
quick() { timeout 2 "$@"; }
status_now() { quick nsenter --net="/run/netns/$NS_GW" "$BIN/sluicectl" -s "$SOCKET" status; }
test_fuzz() {
	local before fds pids=() n
	before=$(same_daemon)
	fds=$(descriptors)
	check "fuzzed for ${FUZZ_SECONDS:-5} s: every answer is lines of JSON" \
		on_gw "$PYTHON" "$HELPERS/ctlfuzz.py" "$SOCKET" fuzz "${FUZZ_SECONDS:-5}"
	for n in 1 2 3; do
		on_gw "$PYTHON" "$HELPERS/ctlfuzz.py" "$SOCKET" fuzz 3 $n >"$T/log/fuzz$n" 2>&1 &
		pids+=($!)
	done
	check "status answers meanwhile" status_now
	for n in "${pids[@]}"; do wait "$n" || not_ok "fuzz $n" "$(cat "$T/log/fuzz"*)"; done
	is "$(same_daemon)" "$before" "no process ended"
	check "no descriptor is left" wait_for 12 eval "[ \$(descriptors) -le $fds ]"
	# A sanitizer's own memory is many times that.
	grep -q libasan "/proc/$SLUICE_PID/maps" || is_less "$(memory)" 60000 "memory in KiB"
}
# hold HELPER-ARGUMENT...: in the background until let_go
hold() {
	mkfifo "$T/hold.in"
	rm -f "$T/log/hold"
	on_gw "$PYTHON" "$HELPERS/ctlfuzz.py" "$SOCKET" "$@" <"$T/hold.in" >"$T/log/hold" 2>&1 &
	HELD=$!
	NS_PIDS+=("$HELD")
	exec 8>"$T/hold.in"
	wait_for 10 grep -q held "$T/log/hold"
}
let_go() {
	exec 8>&-
	wait $HELD
	rm "$T/hold.in"
}
test_held() {
	local fds
	fds=$(descriptors)
	hold hold 60
	check "60 silent connections: status answers" status_now
	check "... again and again" eval 'for i in 1 2 3 4 5; do status_now || exit 1; done'
	check "... and they are ended" wait_for 12 eval "[ \$(descriptors) -le $fds ]"
	let_go
	hold deaf
	check "readers that don't read: status answers" status_now
	check "... and they are ended" wait_for 20 eval "[ \$(descriptors) -le $fds ]"
	let_go
	check "the daemon sees no reason to complain" eval "! sluice_log 'control:.*memory'"
}

# --- sluicectl ------------------------------------------------------------------------------
test_sluicectl() {
	local command
	says 0 'usage: sluicectl' "--help" sluicectl --help
	says 0 '^sluicectl [0-9]' "--version" sluicectl --version
	says 2 'usage: sluicectl' "no command" sluicectl
	says 2 'there is no command frobnicate' "an unknown command" sluicectl frobnicate
	says 2 'usage: sluicectl' "an unknown option" sluicectl --frobnicate status
	for command in status reload stop; do
		says 2 "$command takes no argument" "$command with an argument" sluicectl $command now
	done
	says 2 'sessions takes no argument' "sessions --follow" sluicectl sessions --follow
	for command in 'rules' 'rules frob' 'rules show --dry-run' 'rules install now' 'bypass' 'bypass add client' \
		'bypass add clients 10.0.0.1' 'bypass frob client 10.0.0.1' 'bypass list all'; do
		# shellcheck disable=SC2086  # words
		says 2 'usage: sluicectl' "$command" sluicectl $command
	done
	says 2 'is no address or network' "bypass add client 10.0.0.1/8" sluicectl bypass add client 10.0.0.1/8
	says 2 'events: .*not a valid' "events --frob" sluicectl events --frob
	check "status is still there after all that" sluicectl status

	says 1 'sluiced is not running \(start it' "no socket" on_gw "$BIN/sluicectl" -s "$T/none" status
	"$PYTHON" -c "import socket; socket.socket(socket.AF_UNIX).bind('$T/dead')"
	says 1 'sluiced is not running \(start it' "a socket that nobody listens on" on_gw "$BIN/sluicectl" -s "$T/dead" status
	: >"$T/regular"
	says 1 "$T/regular: " "a file" on_gw "$BIN/sluicectl" -s "$T/regular" status
	says 1 'File name too long' "a path that is too long" on_gw "$BIN/sluicectl" -s "$(printf '/%0200d' 0)" status
	while IFS='|' read -r answer pattern name; do
		rm -f "$T/log/fake"
		spawn "$NS_GW" fake "$PYTHON" "$HELPERS/ctlfuzz.py" "$T/fake" serve "$answer"
		wait_for 10 grep -q serving "$T/log/fake"
		says 1 "$pattern" "an answer that is $name" on_gw "$BIN/sluicectl" -s "$T/fake" status
		end_pid "$SPAWNED"
	done <<-'END'
		garbage\n|what answers is not sluiced|garbage
		{"ok":tr|what answers is not sluiced|cut off
		|closed the connection without an answer|absent
		{"well":true}\n|what answers is not sluiced|another object
		{"ok":false,"error":"no way"}\n|^sluicectl: no way$|a refusal
	END
}
# keys_are NAME [DATA-KEY...]: the keys in $T/json, held to those that sluicectl(8) lists for that answer
keys_are() {
	local name=$1 page=$ROOT/docs/man/sluicectl.8
	shift
	awk -v name="$name" '$0 == ".\\\" keys of " name { on = 1; next } on && /^\.\\" end/ { exit }
		on && /^\.It Va / { print $3 }' "$page" | sort >"$T/keys.page"
	"$PYTHON" "$HELPERS/jsonkeys.py" "$@" <"$T/json" >"$T/keys.answer"
	if [ -s "$T/keys.page" ] && diff -u "$T/keys.page" "$T/keys.answer" >"$T/keys.diff"; then
		ok "--json $name: the keys of the manual page"
	else
		not_ok "--json $name: the keys of the manual page" "$(cat "$T/keys.diff")"
	fi
}
test_json() {
	local command
	sluicectl --json status >"$T/json"
	keys_are status totals.reasons totals.unscanned_bytes 'roles[].counters'
	sluicectl --json reload >"$T/json"
	keys_are reload
	for command in 'rules show' 'rules diff' 'rules install --dry-run' 'bypass list'; do
		# shellcheck disable=SC2086  # words
		sluicectl --json $command >"$T/json"
		keys_are rules
	done
	is "$(sluicectl --json sessions)" "" "--json sessions: none, no line"
	rm -f "$T/log/held"
	spawn "$NS_CLIENT" held "$PYTHON" -c "import socket, sys
s = socket.create_connection(('$SERVER', 80)); s.sendall(b'GET /whoami HTTP/1.1\r\nHost: x\r\n\r\n')
print(s.recv(4096)[:12].decode(), flush=True); s.recv(1)"
	wait_for 10 grep -q 'HTTP/1.1 200' "$T/log/held"
	sluicectl --json sessions >"$T/json"
	keys_are sessions
	is "$(query "x['client'].rsplit(':', 1)[0] + ' ' + x['server'] + ' ' + x['state']" <"$T/json")" \
		"$CLIENT $SERVER:80 idle" "a session"
	is "$(sluicectl sessions | wc -l)" 2 "... for people: a head and a line"
	wait_for 5 eval "sluicectl events | grep -q whoami"
	is "$(sluicectl events --json --session "$(query "x['session']" <"$T/json")" | query "x['url']")" \
		"http://x/whoami" "its events are found by its id"
	is "$(sluicectl events --session 0.1)" "" "... and by no other"
	end_pid "$SPAWNED"
	check "it goes" wait_for 5 eval '[ -z "$(sluicectl --json sessions)" ]'
	# usage of a day long ago, in a finished file as the log role leaves them
	echo '{"time":"2024-01-01T10:00:00Z","id":"1-0","span":300,"app":"dns","group":"name-service","client":"10.0.0.1","direction":"up","bytes":70,"packets":1,"flows":1}' \
		>"$T/state/usage/usage-20240101T120000Z-000.jsonl"
	sluicectl --json apps --since 2024-01-01T00:00:00Z --until 2024-01-02T00:00:00Z >"$T/json"
	is "$(query "[x[k] for k in ('time', 'app', 'client', 'bytes')]" <"$T/json")" \
		"['2024-01-01T10:00:00Z', 'dns', '10.0.0.1', 70]" "--json apps: a record of the store"
	says 0 '^dns +name-service +100.0 % +70 B +0 B +1 +1 ' "apps for people" \
		sluicectl apps --since 2024-01-01T00:00:00Z --until 2024-01-02T00:00:00Z
	says 0 'intercepting; if it stops: open' "status for people" sluicectl status
	is "$(grep -cE '^(sluiced|config|traffic|services|sessions|bytes|roles)' "$T/out")" 7 "... has its parts"
}
# A hung relay is killed, and its sessions with it, before the list is late.
test_hung_roles() {
	local net
	net=$(role_pid net)
	kill -STOP "$net"
	says 1 'the net role did not answer in time' "a net role that hangs" sluicectl rules show
	check "... status answers nevertheless" status_now
	kill -CONT "$net"
	check "... and it comes back" wait_for 20 sluice_ready
	kill -STOP "$(role_pid relay)"
	says 0 '^session ' "a relay that hangs: a list without it" sluicectl sessions
	check "... as it is killed and replaced" wait_for 20 eval "sluice_log 'it hangs: killed' && sluice_ready"
	kill -STOP "$SLUICE_PID"
	says 1 'sluiced does not answer' "a daemon that hangs" sluicectl status
	kill -CONT "$SLUICE_PID"
	check "... and goes on" wait_for 20 sluice_ready
}

ns_up
start_nginx
test_command_line
test_refused_starts
test_existing_directories
test_background
test_installed
test_socket
test_lines
test_fuzz
test_held
test_sluicectl
test_json
test_hung_roles
stop_sluice
is $? 0 "an orderly end after all this"
check "no sanitizer has complained" eval '! sluice_log "Sanitizer|runtime error"'
plan $TAP_COUNT
done_testing
