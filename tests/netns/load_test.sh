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
done_testing
