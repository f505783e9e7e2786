#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# HTTP/1.x through the gateway: real processes, IPv4 and IPv6, without a scanner and with libclamav. The cases are in
# http/*.py, a group a file; here is what they run against, and whether anything stays behind.
# GROUPS_ONLY="limits tunnels" runs only these groups, ENGINES=none leaves the scanner out, TIMES=1 shows each case's.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
ns_up
export PYTHONPATH=$TESTS/lib PYTHONDONTWRITEBYTECODE=1
ORIGIN_PORT=9000 TCP_PORT=9001 DROPPED_PORT=9003 # 9002: nobody listens
LOCAL_PORT=10000                                 # of the client, counted on
PORTS='{80, 9000, 9001, 9002, 9003}'
ENGINE=none

# --- groups of cases -------------------------------------------------------------------
wanted() { [ -z "${GROUPS_ONLY:-}" ] || [[ " $GROUPS_ONLY " == *" $1 "* ]]; }

# tap COMMAND...: its TAP with numbers of ours; status 9 says that a case failed, any other that it broke off
tap() {
	local line
	while IFS= read -r line; do
		case $line in
		"ok - "*) ok "${line#ok - }" ;;
		"not ok - "*) not_ok "${line#not ok - }" ;;
		"exit 0" | "exit 9") ;;
		"exit "*) not_ok "$1 $2 $3 ended with status ${line#exit }" ;;
		*) echo "$line" ;;
		esac
	done < <("$@" 2>&1; echo "exit $?")
}

# cases GROUP [OPTION...]: http/GROUP.py in the client's namespace, for both families
cases() {
	local group=$1 family
	shift
	wanted "$group" || return 0
	for family in IPv4 IPv6; do run_cases "$group" $family "$@"; done
}
run_cases() {
	local group=$1 family=$2 host=$SERVER gateway=$GW
	shift 2
	[ "$family" = IPv4 ] || host=$SERVER6 gateway=$GW6
	[ "$group" = load ] || LOCAL_PORT=$((LOCAL_PORT + 550))
	find "$T/origin" -type f -delete
	[ "$group" != faults ] || set -- --gateway "$gateway" "$@"
	[ "$group" = load ] || set -- --local $LOCAL_PORT "$@"
	tap on_client "$PYTHON" "$TESTS/netns/http/$group.py" --host "$host" --port $ORIGIN_PORT \
		--state "$T/state" --origin "$T/origin" --engine "$ENGINE" --label "$group, $ENGINE, $family: " "$@"
}

# --- the gateway -----------------------------------------------------------------------
# conf [KEY=VALUE...]
conf() { sluice_conf store.rotate=1G intercept.http="$PORTS" scan.engine="$ENGINE" "$@"; }
# reload [KEY=VALUE...]: the configuration with these keys is in force
reload() {
	conf "$@"
	sluicectl reload >"$T/reload" 2>&1 || not_ok "reload with $*" "$(cat "$T/reload")"
}

save_status() { sluicectl --json status >"$T/status"; }
at_rest() { save_status && grep -qE '"totals":\{"sessions":0,[^}]*"events_waiting":0,' "$T/status"; }
relay_pids() { grep -oE '"role":"relay","index":[0-9]+,"pid":[0-9]+' "$T/status" | grep -oE '[0-9]+$'; }

# held: what the relays have open, by kind, sockets in stock and idle pipes apart
held() {
	local pid
	save_status
	for pid in $(relay_pids); do
		find "/proc/$pid/fd" -type l -printf '%l\n' 2>/dev/null
	done | sed 's/:.*//; s/ (deleted)//' | grep -vE '^(socket|pipe)$' | sort | uniq -c
}
count_sockets() {
	local pid
	for pid in $(relay_pids); do find "/proc/$pid/fd" -lname 'socket:*' 2>/dev/null; done | wc -l
}
count_pipes() {
	local pid
	for pid in $(relay_pids); do find "/proc/$pid/fd" -lname 'pipe:*' 2>/dev/null; done | wc -l
}
resident() { # kB of all relays; objects' memory files are apart, and recycled
	local pid
	for pid in $(relay_pids); do sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; done |
		awk '{ sum += $1 } END { print sum }'
}

# --- what stays behind -----------------------------------------------------------------
check_leaks() {
	local before sockets memory
	wanted load || return 0
	# The allocator finds its size in the first two.
	cases load
	cases load
	check "$ENGINE: all sessions end" wait_for 30 at_rest
	before=$(held) sockets=$(count_sockets) memory=$(resident)
	cases load
	check "$ENGINE: all sessions end again" wait_for 30 at_rest
	is "$(held)" "$before" "$ENGINE: the relays hold the same files"
	# Sockets that net makes for connections to come are two batches a relay and family at most.
	is_less "$(count_sockets)" $((sockets + 2 * 2 * 96)) "$ENGINE: no sockets are left"
	# 64 idle ones a relay, and the end of one to the parent's log.
	is_less "$(count_pipes)" $((2 * (2 * 64 + 1) + 1)) "$ENGINE: no pipes but idle ones are left"
	# Two families, seven thousand connections each: what half a kilobyte lost with each would be. A busier moment than
	# all before raises the allocator's mark once; what is lost is lost in each round. A sanitizer keeps freed memory
	# for a while.
	[ -z "${SANITIZED:-}" ] || return 0
	for _ in 1 2; do
		[ "$(resident)" -ge $((memory + 7000)) ] || break
		note "$ENGINE: the relays grew from $memory to $(resident) kB; another round"
		memory=$(resident)
		cases load
		wait_for 30 at_rest
	done
	is_less "$(resident)" $((memory + 7000)) "$ENGINE: the relays do not grow"
}

check_totals() {
	local earlier=$1
	check "$ENGINE: the gateway comes to rest" wait_for 15 at_rest
	tap "$PYTHON" "$TESTS/netns/http/totals.py" "$T/status" $(($(sluice_events | wc -l) - earlier)) "$ENGINE"
	is "$(grep -E ' (error|warning) ' "$T/log/sluiced" | grep -v 'may have 20000 descriptors')" "" \
		"$ENGINE: no errors or warnings in the log"
}

has_event() { sluice_events | grep -qE "$1"; }

# --- clients and servers that people use --------------------------------------------------
get() { on_client curl -sS -m 20 -o "$T/got" -w '%{http_code} %{size_download}' "$@" 2>"$T/curl"; }

# curl_case NAME PATH STATUS "CODE BYTES": what curl makes of it
curl_case() {
	local name=$1 path=$2 status=$3 wanted=$4 got rc
	got=$(get "http://$SERVER:$ORIGIN_PORT$path")
	rc=$?
	is "$rc $got" "$status $wanted" "$ENGINE: curl: $name"
}

check_curl() {
	wanted curl || return 0
	curl_case "a whole file" /size/5000000 0 "200 5000000"
	curl_case "a whole chunked file" /chunked/5000000 0 "200 5000000"
	curl_case "a server out of reach" /ok 0 "200 3"
	[ "$ENGINE" != none ] || check_curl_cut
	is "$(get "http://10.99.0.1/")" "502 $(stat -c %s "$T/got")" "$ENGINE: curl: no route to the server"
	check "$ENGINE: ... in the journal" wait_for 5 has_event '"url":"http://10.99.0.1/".*"status":502.*"reason":"connect"'
}

check_curl_cut() {
	local url=http://$SERVER:$ORIGIN_PORT
	curl_case "a file cut in the middle" /short/5000000 18 "200 2500000"
	check "$ENGINE: curl: ... has what came" cmp "$T/got" <(on_client curl -s "$url/size/2500000")
	curl_case "a chunked file cut in the middle" /raw/chunk-cut 18 "200 2"
	get "$url/reset/5000000" >/dev/null
	is $? 18 "$ENGINE: curl: a file that ends in a reset"
	curl_case "a file that ends with the connection" /close/2500000 0 "200 2500000"
	check "$ENGINE: curl: ... has all of it" cmp "$T/got" <(on_client curl -s "$url/size/2500000")
}

# The origin server sees the client's address or the gateway's, as configured.
check_addresses() {
	local wanted=$1 wanted6=$2 name=$3
	wanted curl || return 0
	rm -f "$T/origin/requests"
	get "http://$SERVER:$ORIGIN_PORT/ok" >/dev/null
	get "http://[$SERVER6]:$ORIGIN_PORT/ok" >/dev/null
	is "$(grep -oE '"peer": "[^ ]*' "$T/origin/requests" | sed 's/.*"//' | tr '\n' ' ')" "$wanted $wanted6 " "$name"
}

# --- one engine --------------------------------------------------------------------------
run_engine() {
	local earlier
	ENGINE=$1
	earlier=$(sluice_events | wc -l)
	conf
	# shellcheck disable=SC2119
	start_sluice || return
	cases messages
	cases refused
	cases responses
	cases tunnels
	cases faults
	[ "$ENGINE" = none ] || cases detected
	check_curl
	check_addresses $CLIENT $CLIENT6 "$ENGINE: source_address = client"
	check_leaks
	reload intercept.source_address=gateway
	check_addresses $GW_OUT $GW_OUT6 "$ENGINE: source_address = gateway"
	reload http.non_http=refuse
	cases tunnels --non-http refuse
	reload http.max_line=1K http.max_header=2K http.max_fields=8
	cases limits
	reload http.header_timeout=400ms http.idle_timeout=700ms http.connect_timeout=500ms \
		http.response_timeout=800ms http.tunnel_timeout=600ms
	cases timeouts --header 400 --idle 700 --connect 500 --response 800 --tunnel 600
	reload http.total_timeout=900ms
	cases timeouts --total 900
	check_totals "$earlier"
	check "$ENGINE: the gateway stops" stop_sluice
}

spawn "$NS_SERVER" origin "$PYTHON" "$TESTS/lib/origin.py" --port $ORIGIN_PORT --tcp $TCP_PORT --root "$T/www" \
	--log "$T/origin"
wait_for 10 listens "$NS_SERVER" $TCP_PORT
on_server nft "add table inet t; add chain inet t in { type filter hook input priority 0; }
	add rule inet t in tcp dport $DROPPED_PORT drop"
ip -n "$NS_GW" route add unreachable 10.99.0.0/24
on_client sh -c 'echo 40000 65000 >/proc/sys/net/ipv4/ip_local_port_range'
make_clam_db "$T/clamdb"
eicar >"$T/www/eicar.com"
{ head -c 3000000 /dev/zero && eicar; } >"$T/www/late.bin"
for engine in ${ENGINES:-none libclamav}; do run_engine "$engine"; done
plan $TAP_COUNT
done_testing
