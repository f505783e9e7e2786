#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# More than usual: connections, scans, slow clients; few descriptors, pipes, little memory. What it costs is printed.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_nginx || exit 1
start_origin 9000 || exit 1

now_ms() { date +%s%3N; }

# --- crowds ----------------------------------------------------------------------------
# crowd_up NAME SERVER COUNT PATH [SECONDS]: what it says is in $T/log/crowd-NAME; it is told more with crowd_say
crowd_up() {
	mkfifo "$T/crowd-$1"
	on_client "$PYTHON" "$TESTS/netns/helpers/crowd.py" "$2" 80 "${@:3}" <"$T/crowd-$1" >"$T/log/crowd-$1" 2>&1 &
	CROWD_PID=$!
	NS_PIDS+=("$CROWD_PID")
	exec 9>"$T/crowd-$1"
	CROWD=$T/log/crowd-$1
}
crowd_say() { echo "$1" >&9; }
# crowd_lines N: it has reported N times
crowd_lines() { [ "$(wc -l <"$CROWD")" -ge "$1" ]; }
crowd_down() {
	exec 9>&-
	end_pid "$CROWD_PID"
}

# --- more objects than the scan role takes from a relay ----------------------------------
for i in $(seq 0 1499); do echo "clean file $i" >"$T/www/f$i"; done
sluice_conf log.level=info relays=1 scan.deadline=40s
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
relay_pid=$(role_pid relay)
read -r -a workers <<<"$(scan_workers | xargs)"
kill -STOP "${workers[@]}"
crowd_up scans $SERVER 1500 /f%d
all_wait() { total_is scans_waiting 1500; }
check "scans: 1500 objects wait for busy workers" wait_for 20 all_wait
kill -CONT "${workers[@]}"
wait_for 40 crowd_lines 1
is "$(cat "$CROWD")" "open 1500 answered 1500 200:1500" "scans: all of them are answered"
is "$(role_pid relay)" "$relay_pid" "scans: the relay asked for no more than it may"
crowd_down
check "scans: sluiced stops" stop_sluice

# --- a relay full of connections that wait ---------------------------------------------------
# Of nearly all descriptors that a process may have: a session takes two.
descriptors=$(ulimit -Hn)
[ "$descriptors" != unlimited ] || descriptors=20000
CROWD_SIZE=$((descriptors >= 20000 ? 9000 : descriptors * 9 / 20))
RELAYS=1
# relays FIELD: of /proc/PID/status, in kB, all relays together
relays() {
	local index
	for ((index = 0; index < RELAYS; index++)); do sed -n "s/^$1:[^0-9]*//p" "/proc/$(role_pid relay $index)/status"; done |
		awk '{ sum += $1 } END { print sum }'
}
slabs() { sed -n 's/^Slab:[^0-9]*//p' /proc/meminfo | cut -d' ' -f1; }
sessions_are() { total_is sessions "$1"; }
sessions_below() { [ "$(total sessions)" -lt "$1" ]; }
sessions_above() { [ "$(total sessions)" -gt "$1" ]; }
head -c 64000000 /dev/urandom >"$T/www/large.bin"
head -c 2000000 /dev/urandom >"$T/www/medium.bin"
sluice_conf log.level=info relays=$RELAYS
# shellcheck disable=SC2119
start_sluice || exit 1
# What a relay takes once, for its first sessions, is not a session's.
crowd_up few $SERVER 200 /f%d
wait_for 20 crowd_lines 1
crowd_down
check "idle: a first few come and go" wait_for 10 sessions_are 0
own=$(relays RssAnon) slab=$(slabs)
crowd_up idle $SERVER $CROWD_SIZE /f1
check "idle: $CROWD_SIZE connections" wait_for 90 crowd_lines 1
is "$(cat "$CROWD")" "open $CROWD_SIZE answered $CROWD_SIZE 200:$CROWD_SIZE" "idle: all of them are answered"
is "$(total sessions)" $CROWD_SIZE "idle: each is a session"
own=$((($(relays RssAnon) - own) * 1024 / CROWD_SIZE)) slab=$((($(slabs) - slab) * 1024 / CROWD_SIZE))
note "a session between two requests: $own bytes of the relay; about $slab bytes of the kernel for client, gateway, server"
[ -n "${SANITIZED:-}" ] || is_less "$own" 6144 "idle: bytes of the relays a session"
began=$(now_ms)
for url in "http://$SERVER/large.bin?1" "http://[$SERVER6]/large.bin?2" "http://$SERVER/large.bin?3"; do
	is "$(fetch "$url")" "$(whole "$T/www/large.bin")" "idle: a download of 64 MB beside them"
done
note "three downloads of 64 MB one after the other: $(($(now_ms) - began)) ms"
crowd_say again
check "idle: all ask once more" wait_for 90 crowd_lines 2
is "$(sed -n 2p "$CROWD")" "open $CROWD_SIZE answered $CROWD_SIZE 200:$CROWD_SIZE" "idle: on the same connections"
crowd_down
check "idle: all of them end" wait_for 20 sessions_are 0
check "idle: sluiced stops" stop_sluice

# --- clients that take their time ---------------------------------------------------------
# others SECONDS: small downloads one after the other by the side; how many, and the longest, in ms
others() {
	on_client "$PYTHON" - "$SERVER" "$1" <<-'END'
		import http.client, sys, time
		end, count, longest = time.monotonic() + float(sys.argv[2]), 0, 0
		while time.monotonic() < end:
		    began = time.monotonic()
		    conn = http.client.HTTPConnection(sys.argv[1], 80, timeout=10)
		    conn.request("GET", f"/f{count % 1500}")
		    assert conn.getresponse().status == 200
		    conn.close()
		    count, longest = count + 1, max(longest, time.monotonic() - began)
		print(count, int(longest * 1000))
	END
}
# slow NAME OPTION...: SLOW clients of slowhttptest, and how others fare meanwhile
SLOW=900 # it has room for 1024 descriptors
slow() {
	local name=$1 count longest before each
	shift
	before=$(relays RssAnon)
	on_client slowhttptest "$@" -c $SLOW -r 450 -l 24 -i 2 >"$T/log/slow-$name" 2>&1 </dev/null &
	NS_PIDS+=($!)
	# Long before the first of them runs out of time, also where opening them takes a while.
	check "slow $name: $SLOW connections" wait_for 18 sessions_above $((SLOW - 10))
	each=$((($(relays RssAnon) - before) * 1024 / SLOW))
	note "slow $name: a session takes $each bytes of the relays"
	# A buffer for each direction, and what is a session's.
	[ -n "${SANITIZED:-}" ] || is_less $each 40000 "slow $name: bytes of the relays a session"
	read -r count longest < <(others 4)
	note "slow $name: others get $((count / 4)) objects a second, the longest took $longest ms"
	is_less "${longest:-99999}" 1000 "slow $name: nobody else waits for them"
	is_less 200 "${count:-0}" "slow $name: others go on"
	check "slow $name: they end by themselves" wait_for 40 sessions_below 20
}
RELAYS=2
sluice_conf log.level=info relays=$RELAYS http.header_timeout=20s http.idle_timeout=20s
# shellcheck disable=SC2119
start_sluice || exit 1
read -r count longest < <(others 3)
note "without slow clients: $((count / 3)) objects a second, the longest took $longest ms"
slow head -H -u "http://$SERVER/f1"
slow body -B -s 4096 -u "http://$SERVER/origin/upload"
slow reader -X -w 512 -y 1024 -n 2 -z 64 -u "http://$SERVER/medium.bin"
is "$(status "[r['role'] for r in x['roles'] if r['restarts']]")" "[]" "slow: no role died of it"
check "slow: sluiced stops" stop_sluice

# --- few descriptors -----------------------------------------------------------------------
# The limit can't be raised again by whoever has no CAP_SYS_RESOURCE: this comes last.
ulimit -n 900
sluice_conf log.level=info relays=1
# shellcheck disable=SC2119
start_sluice || exit 1
relay_pid=$(role_pid relay)
check "descriptors: what there are is said" sluice_log "a process may have 900 descriptors"
crowd_up poor $SERVER 600 /f1 40
refused() { [ "$(total accept_refused)" -gt 0 ]; }
check "descriptors: a relay has no room for more" wait_for 10 refused
check "descriptors: it says so" sluice_log "no room for new sessions"
check "descriptors: who is idle gives way" wait_for 50 crowd_lines 1
note "$(cat "$CROWD")"
is "$(sed 's/.* answered //; s/ reopened:.*//' "$CROWD")" "600 200:600" "descriptors: everybody is answered at last"
is "$(fetch "http://$SERVER/f7")" "$(whole "$T/www/f7")" "descriptors: and one more"
is "$(fetch "http://$SERVER/eicar.com")" "$BLOCKED" "descriptors: EICAR is blocked all the same"
crowd_down
check "descriptors: all of them end" wait_for 20 sessions_are 0
refused=$(total accept_refused)
crowd_up rich $SERVER 150 /f2
check "descriptors: there are enough for fewer" wait_for 20 crowd_lines 1
is "$(cat "$CROWD")" "open 150 answered 150 200:150" "descriptors: which stay"
is "$(total accept_refused)" "$refused" "descriptors: nobody is refused any more"
crowd_down
is "$(role_pid relay)" "$relay_pid" "descriptors: the relay lives on"
check "descriptors: sluiced stops" stop_sluice
done_testing
