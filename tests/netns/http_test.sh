#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# HTTP/1.x through the gateway: real processes, IPv4 and IPv6. The cases are in http/*.py, a group a file; here is
# what they run against. GROUPS="limits tunnels" runs only these, ENGINES="none" leaves the scanner out.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
ns_up
export PYTHONPATH=$TESTS/lib PYTHONDONTWRITEBYTECODE=1
ORIGIN_PORT=9000 TCP_PORT=9001 DROPPED_PORT=9003
LOCAL_PORT=10000
PORTS='{80, 9000, 9001, 9002, 9003}'

wanted() { [ -z "${GROUPS_ONLY:-}" ] || [[ " $GROUPS_ONLY " == *" $1 "* ]]; }
# cases GROUP [OPTION...]: run http/GROUP.py in the client's namespace, for both families
cases() {
	local group=$1 family
	shift
	wanted "$group" || return 0
	for family in IPv4 IPv6; do run_cases "$group" $family "$@"; done
}
run_cases() {
	local group=$1 family=$2 host=$SERVER gateway=$GW line
	shift 2
	[ "$family" = IPv4 ] || host=$SERVER6 gateway=$GW6
	LOCAL_PORT=$((LOCAL_PORT + 700))
	while IFS= read -r line; do
		case $line in
		"ok - "*) ok "${line#ok - }" ;;
		"not ok - "*) not_ok "${line#not ok - }" ;;
		"exit 0" | "exit 9") ;;
		"exit "*) not_ok "$group, $family: the client ended with status ${line#exit }" ;;
		*) echo "$line" ;;
		esac
	done < <(on_client "$PYTHON" "$TESTS/netns/http/$group.py" --host "$host" --port $ORIGIN_PORT \
		--state "$T/state" --origin "$T/origin" --engine "$ENGINE" --label "$group, $ENGINE, $family: " \
		--local $LOCAL_PORT ${GATEWAY:+--gateway "$gateway"} "$@" 2>&1; echo "exit $?")
}

# reload [KEY=VALUE...]: the configuration with these keys is in force
reload() {
	sluice_conf intercept.http="$PORTS" scan.engine="$ENGINE" "$@"
	sluicectl reload >"$T/reload" 2>&1 || not_ok "reload with $*" "$(cat "$T/reload")"
}

run_engine() {
	ENGINE=$1
	sluice_conf intercept.http="$PORTS" scan.engine="$ENGINE"
	# shellcheck disable=SC2119
	start_sluice || return
	cases messages
	cases refused
	cases responses
	cases tunnels
	GATEWAY=1 cases faults
	[ "$ENGINE" = none ] || cases detected
	reload http.non_http=refuse
	cases tunnels --non-http refuse
	reload http.max_line=1K http.max_header=2K http.max_fields=8
	cases limits
	reload http.header_timeout=400ms http.idle_timeout=700ms http.connect_timeout=500ms \
		http.response_timeout=800ms http.tunnel_timeout=600ms
	cases timeouts --header 400 --idle 700 --connect 500 --response 800 --tunnel 600
	reload http.total_timeout=900ms
	cases timeouts --total 900
	is "$(grep -E ' error ' "$T/log/sluiced")" "" "$ENGINE: no errors in the log"
	check "$ENGINE: the gateway stops" stop_sluice
}

spawn "$NS_SERVER" origin "$PYTHON" "$TESTS/lib/origin.py" --port $ORIGIN_PORT --tcp $TCP_PORT --root "$T/www" \
	--log "$T/origin"
wait_for 10 listens "$NS_SERVER" $TCP_PORT
on_server nft "add table inet t; add chain inet t in { type filter hook input priority 0; }
	add rule inet t in tcp dport $DROPPED_PORT drop"
make_clam_db "$T/clamdb"
eicar >"$T/www/eicar.com"
{ head -c 3000000 /dev/zero && eicar; } >"$T/www/late.bin"
for engine in ${ENGINES:-none libclamav}; do run_engine "$engine"; done
plan $TAP_COUNT
done_testing
