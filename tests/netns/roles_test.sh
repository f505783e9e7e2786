#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each role killed and hung, under load: what that costs, what it doesn't, and that the role comes back. Then the
# parent itself. In all of it no EICAR arrives but when the switch is off and when_down = "open" says so, and no event
# of a request that ended well is lost or there twice.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
head -c 12000000 /dev/urandom >"$T/www/long.bin"
start_nginx || exit 1
start_origin 9000 || exit 1
on_gw sysctl -qw net.ipv4.ip_early_demux=1
snapshot_ns "$T/pristine"
sluice_conf log.level=info intercept.http='{80, 9000}' scan.infected_url_block=0 scan.deadline=6s scan.not_scanned=block

now_ms() { date +%s%3N; }
# took NAME: since $began
took() { note "$1: $(($(now_ms) - began)) ms"; }

# --- roles -----------------------------------------------------------------------------
# role FIELD ROLE [INDEX]
role() { status "[r for r in x['roles'] if r['role'] == '$2' and r['index'] == ${3:-0}][0]['$1']"; }
# is_back ROLE INDEX PID: another process than PID, and it works
is_back() {
	[ "$(status "[r['pid'] != $3 and r['state'] == 'running' for r in x['roles']
		if r['role'] == '$1' and r['index'] == $2]")" = "[True]" ]
}
scans_again() { sluice_ready && [ "$(scan_counter ready)" = 1 ]; }
# strike SIGNAL ROLE [INDEX]: send it; the process is $pid, the time $began
strike() {
	pid=$(role_pid "$2" "${3:-0}")
	restarts=$(role restarts "$2" "${3:-0}")
	began=$(now_ms)
	kill "-$1" "$pid"
}
# comes_back SECONDS ROLE [INDEX]: after strike
comes_back() {
	wait_for "$1" is_back "$2" "${3:-0}" "$pid" && [ "$(role restarts "$2" "${3:-0}")" = $((restarts + 1)) ]
}
switch_is() { [ "$(status "x['fail_mode']['intercepting']")" = "$1" ]; }
rules_are_right() { sluicectl rules diff >"$T/diff" 2>&1 && [ ! -s "$T/diff" ]; }

# --- load ------------------------------------------------------------------------------
LOADS=()
# load_up NAME [ARGUMENT...]: from now on, until load_down
load_up() {
	LOAD=$T/load-$1
	LOADS+=("$LOAD")
	spawn "$NS_CLIENT" "load-$1" "$PYTHON" "$TESTS/netns/helpers/load.py" run "$1" "$LOAD" $SERVER $SERVER6 "${@:2}"
	LOAD_PID=$SPAWNED
	wait_for 10 test -s "$LOAD"
}
load_down() { end_pid "$LOAD_PID" 40; }
# failed_requests [after=SECONDS] [kind=KIND]
failed_requests() { "$PYTHON" "$TESTS/netns/helpers/load.py" failed "$LOAD" "$@"; }
LONG=(--long /long.bin --sha256 "$(sha_of "$T/www/long.bin")")

# --- log -------------------------------------------------------------------------------
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
# cores: that the two relays may use
cores() {
	sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$(role_pid relay 0)/status" "/proc/$(role_pid relay 1)/status" | xargs
}
all_cores=$(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)
relays_cores="$all_cores $all_cores"
[ "$(nproc)" = 2 ] && relays_cores=${all_cores/[-,]/ }
is "$(cores)" "$relays_cores" "relays keep to a core when there is one for each"
load_up log "${LONG[@]}"
check "log: killed, it is started again" eval "strike KILL log; comes_back 10 log"
took "log back after"
pauses=()
for _ in 1 2 3 4 5; do
	strike KILL log
	wait_for 20 is_back log 0 "$pid"
	pauses+=($(($(now_ms) - began)))
done
note "killed six times in a row, back after (ms): ${pauses[*]}"
check "log: each pause is about twice the one before" eval \
	"[ ${pauses[4]} -gt $((pauses[2] * 5 / 2)) ] && [ ${pauses[4]} -ge 3000 ] && [ ${pauses[1]} -lt 3000 ]"
is "$(role last_exit log)" "killed by signal 9 (Killed)" "log: the status says why it ended"

# --- log hangs for a minute; meanwhile the others die -------------------------------------
# It may wait for a disk, so nobody is in a hurry to kill it; events wait in the relays.
log_pid=$(role_pid log)
kill -STOP "$log_pid"
log_stopped=$(now_ms)

check "net: killed, it is started again" eval "strike KILL net; comes_back 10 net"
took "net back after"
check "net: the rules are as they were, the switch is on" eval "rules_are_right && wait_for 3 switch_is True"
check "net: killed once more" eval "strike KILL net; comes_back 10 net && rules_are_right"

# An object at a worker that stands still is the one that its death costs.
stop_workers() {
	read -r -a WORKERS <<<"$(scan_workers | xargs)"
	[ ${#WORKERS[@]} = 2 ] && kill -STOP "${WORKERS[@]}"
}
get_in_background() { # NAME: its status comes into $T/NAME
	on_client curl -sS -m 30 -o /dev/null -w '%{http_code}' "http://$SERVER/origin/size/$2?n=$1" >"$T/$1" 2>&1 &
	NS_PIDS+=($!)
}
load_down
check "log, net: no request failed" eval "! failed_requests | grep ."
check "workers: both have work" eval "wait_for 10 scans_again && stop_workers && get_in_background first 70001 &&
	get_in_background second 70002 && wait_for 10 scan_counter_is busy 2"
kill -KILL "${WORKERS[0]}"
kill -CONT "${WORKERS[1]}"
both_said() { [ "$(cat "$T/first" "$T/second" | wc -c)" = 6 ]; }
wait_for 10 both_said
is "$(sort -n <(cat "$T/first") <(echo) <(cat "$T/second") <(echo) | paste -sd' ' | xargs)" "200 403" \
	"worker: killed, its object alone is refused"
check "worker: there are two again" eval "wait_for 10 eval '[ \$(scan_workers | wc -w) = 2 ]'"
is "$(fetch "http://$SERVER/origin/size/70003?n=third" | cut -d' ' -f1,2)" "200 0" "worker: the next one is scanned"

deaths=$(scan_counter worker_deaths)
stop_workers
get_in_background hung 70004
hung_refused() { [ "$(cat "$T/hung")" = 403 ]; }
check "worker: one that hangs is killed at the deadline" eval \
	"wait_for 20 hung_refused && wait_for 3 scan_counter_above worker_deaths $deaths"
kill -CONT "${WORKERS[@]}" 2>/dev/null

load_up scan "${LONG[@]}"
keeper_of() { for c in $(children "$(role_pid scan)"); do [ -z "$(children "$c")" ] || echo "$c"; done; }
keeper=$(keeper_of)
began=$(now_ms)
kill -KILL "$keeper"
check "engine: killed, it is loaded again" eval "wait_for 20 eval 'scans_again && [ \"\$(keeper_of)\" != $keeper ]'"
took "engine back after"
check "scan: killed, it is started again" eval "strike KILL scan; comes_back 10 scan && wait_for 10 scans_again"
took "scan back after"
check "scan: hung, it is killed and started again" eval "strike STOP scan; comes_back 40 scan && wait_for 10 scans_again"
took "hung scan back after"
load_down
# With the engine or the dispatcher die the scans that they had: at most one a client each time, and while a hung one is
# not yet killed, the deadline of another may pass.
is "$(failed_requests kind=small | grep -v '"status": 403')" "" "scan: small objects that failed were refused"
is "$(failed_requests kind=long | grep -v 'reset by peer')" "" "scan: downloads that failed were reset before their end"
clients=8
is_less "$(failed_requests | wc -l)" $((4 * clients + 1)) "scan: others went on"
is "$(failed_requests kind=eicar)" "" "scan: no EICAR arrived"
SCAN_LOAD=$LOAD

check "net: hung, it is killed and started again" eval "strike STOP net; wait_for 7 switch_is False && comes_back 30 net"
took "hung net back after"
check "net: ... and the switch is on again" eval "wait_for 5 switch_is True && rules_are_right"

# --- log comes back --------------------------------------------------------------------
log_back() { is_back log 0 "$log_pid"; }
check "log: hung for a minute, it is killed and started again" wait_for 90 log_back
note "hung log back after: $(($(now_ms) - log_stopped)) ms"
events_waiting_is() { total_is events_waiting "$1"; }
check "log: what waited is in the journal now" wait_for 10 events_waiting_is 0
is "$(total events_dropped)" 0 "log: none was dropped"
count_all() { sluice_events | "$PYTHON" "$TESTS/netns/helpers/load.py" count "${LOADS[@]}"; }
read -r requests missing twice same_ids <<<"$(count_all)"
note "$requests requests ended well, their events: $missing missing, $twice twice; $same_ids ids twice"
check "log: killed and hung, each event is in the journal once" eval \
	"[ $requests -gt 200 ] && [ $missing = 0 ] && [ $twice = 0 ] && [ $same_ids = 0 ]"
# reason_of NAME: of the event of the request ?n=NAME
reason_of() { sluice_events | grep -F "?n=$1\"" | query "x['verdict'] + ' ' + x['reason']" 2>&1; }
is "$(reason_of "$(grep -q 403 "$T/first" && echo first || echo second)")" "not_scanned scanner_failed" \
	"worker: killed, so its object was not scanned"
is "$(reason_of hung)" "not_scanned scanner_timeout" "worker: hung, so its object was not scanned"
LOAD=$SCAN_LOAD
failed_reasons() { for n in $(failed_requests | sed 's/^{"n": "\([^"]*\)".*/\1/'); do reason_of "$n"; done | sort -u; }
is "$(failed_reasons | grep -vE '^not_scanned scanner_(failed|timeout)$')" "" "scan: what failed was not scanned"

# --- relays ----------------------------------------------------------------------------
# ports_of RELAY: of the clients that it serves long downloads to
ports_of() {
	on_gw ss -Htnp state established "sport = :80" | grep -F "pid=$(role_pid relay "$1")," |
		sed -E 's/.*[]0-9]:([0-9]+) +users.*/\1/' | sort >"$T/ports"
	grep -hoE '"kind": "long".*"port": [0-9]+' "$LOAD.now" | sed 's/.* //' | sort | comm -12 - "$T/ports"
}
both_have_long() { [ -n "$(ports_of 0)" ] && [ -n "$(ports_of 1)" ]; }
new_ones_work() { [ "$(fetch "http://$SERVER/clean.txt" -m 1 | cut -d' ' -f1,2)$(fetch "http://[$SERVER6]/clean.txt" -m 1 |
	cut -d' ' -f1,2)" = "200 0200 0" ]; }
load_up relay "${LONG[@]}"
wait_for 20 both_have_long
ports_of 1 >"$T/others"
[ -s "$T/others" ] || note "no download goes through the other one"
strike KILL relay 0
check "relay: killed, new connections work within two seconds" wait_for 2 new_ones_work
check "relay: it is started again" comes_back 10 relay 0
took "relay back after"
is "$(cores)" "$relays_cores" "relay: the new one keeps to the same core"
kill_s=$((began / 1000 + 3))
wait_for 10 both_have_long
load_down
failed_requests kind=long >"$T/failed"
of_others() { sed 's/.*/"port": &,/' "$T/others" | grep -F -f - "$T/failed"; }
is "$(of_others)" "" "relay: downloads through the other one go on and are intact"
is_less 0 "$(wc -l <"$T/failed")" "relay: its own are lost"
is "$(failed_requests after=$kill_s)" "" "relay: after three seconds nothing fails"
is "$(failed_requests kind=eicar | grep '"status": 200')" "" "relay: no EICAR arrived"

# The worst framing for it: a body that ends where its connection ends.
begun() { [ "$(stat -c %s "$T/cut")" -gt 2000000 ]; }
on_client curl -sS -m 20 -o "$T/cut" "http://$SERVER:9000/file-close/long.bin?at=3000000&gate=never" &
curl_pid=$!
NS_PIDS+=("$curl_pid")
wait_for 10 begun
kill -KILL "$(role_pid relay 0)" "$(role_pid relay 1)"
wait $curl_pid
is $? 56 "relay: killed, a body that would end with its connection is reset"
wait_for 10 sluice_ready

load_up hung
strike STOP relay 1
check "relay: hung, it is killed and started again" comes_back 20 relay 1
took "hung relay back after"
hung_s=$(($(now_ms) / 1000 + 2))
requests_after() { [ "$(grep -c "\"start\": [1-9]" <(awk -F'"start": ' -v s="$1" '$2 + 0 > s' "$LOAD"))" -gt 50 ]; }
wait_for 15 requests_after $hung_s
load_down
is "$(failed_requests "after=$hung_s")" "" "relay: then nothing fails"
is "$(failed_requests kind=eicar | grep '"status": 200')" "" "relay: no EICAR arrived meanwhile"

# All at once: nobody works on new connections, so the switch goes off until one is back.
passes() { [ "$(fetch "http://$SERVER/eicar.com" -m 1 | cut -d' ' -f1)$(fetch "http://[$SERVER6]/eicar.com" -m 1 |
	cut -d' ' -f1)" = 200200 ]; }
blocks() { [ "$(fetch "http://$SERVER/eicar.com" -m 1 | cut -d' ' -f1)$(fetch "http://[$SERVER6]/eicar.com" -m 1 |
	cut -d' ' -f1)" = 403403 ]; }
relay_pids=$(role_pid relay 0)\ $(role_pid relay 1)
# shellcheck disable=SC2086  # words
kill -STOP $relay_pids
began=$(now_ms)
check "relays: all hung, traffic passes within 5 seconds" wait_for 5 passes
took "passing after"
check "relays: they are started again, and it does not pass any more" wait_for 20 blocks
took "checked again after"

# --- the parent ------------------------------------------------------------------------
# kill_parent NAME: all roles end by themselves
all_gone() { [ -z "$(ip netns pids "$NS_GW")" ]; }
kill_parent() {
	load_up "$1"
	began=$(now_ms)
	kill -KILL "$SLUICE_PID"
	wait "$SLUICE_PID" 2>/dev/null
	check "$1: all roles end within three seconds" wait_for 3 all_gone
	took "$1: all gone after"
	SLUICE_PID=
}
refuses() { [ "$(fetch "http://$SERVER/clean.txt" -m 1 | cut -d' ' -f1,2)$(fetch "http://[$SERVER6]/clean.txt" -m 1 |
	cut -d' ' -f1,2)" = "000 7000 7" ]; }
kill_parent parent-open
check "parent-open: traffic passes within 5 seconds" wait_for 5 passes
took "passing after"
load_down
check "parent-open: it says how to go on" eval "! sluicectl status; grep -q . $T/check"
# Its rules, its run_dir, the record of early demux are still there.
check "parent-open: the next one starts over what is left" eval "[ -e $T/run/net/early_demux ] && start_sluice && blocks &&
	rules_are_right && sluice_log 'rules were in place and stay'"
check "parent-open: and stops" stop_sluice
same_snapshot "$T/pristine" "parent-open: nothing is left behind"

sluice_conf log.level=info scan.infected_url_block=0 intercept.when_down=closed
# shellcheck disable=SC2119  # no arguments for it
start_sluice
check "parent-closed: it checks" blocks
kill_parent parent-closed
check "parent-closed: connections are refused within 5 seconds" wait_for 5 refuses
took "refusing after"
load_down
is "$(failed_requests kind=eicar | grep '"status": 200')" "" "parent-closed: no EICAR arrived"
check "parent-closed: still refused later" refuses
check "parent-closed: the next one starts over what is left" eval "start_sluice && blocks && rules_are_right"
check "parent-closed: and stops" stop_sluice
same_snapshot "$T/pristine" "parent-closed: nothing is left behind"
done_testing
