#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A relay uses its sockets towards servers again (docs/adr/0021): for other clients, other families, after a reset, a refusal
# and a change of the configuration, and each server sees whom it should.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
ns_up
start_origin 9000 || exit 1
ADDRESSES=("$CLIENT" 10.77.1.3 10.77.1.4 "$CLIENT6" fd77:1::3 fd77:1::4)
for last in 3 4; do
	ip -n "$NS_CLIENT" addr add 10.77.1.$last/24 dev c0 && ip -n "$NS_CLIENT" addr add fd77:1::$last/64 dev c0 nodad || exit 1
done
conf() { sluice_conf log.level=info scan.engine=none relays=1 apps.enabled=false intercept.http='{9000, 9001}' "$@"; }

# url ADDRESS PATH: of the server, in ADDRESS's family
url() {
	case $1 in
	*:*) echo "http://[$SERVER6]:9000$2" ;;
	*) echo "http://$SERVER:9000$2" ;;
	esac
}
# ask ADDRESS PATH [CURL-ARGUMENT...]: from ADDRESS, on a connection of its own; status and bytes
ask() { on_client curl -sS -m 20 -o /dev/null -w '%{http_code} %{size_download}\n' --interface "$1" "$(url "$1" "$2")" "${@:3}"; }
# round NAME COUNT: COUNT times from each address, one after the other
round() {
	local address i
	for ((i = 0; i < $2; i++)); do
		for address in "${ADDRESSES[@]}"; do ask "$address" "/size/5000?round=$1&from=$address"; done
	done | sort | uniq -c | xargs
}
# seen NAME: for each request of that round whether the server saw the address that it is from: "COUNT yes"
seen() {
	"$PYTHON" - "$T/origin/requests" "round=$1&" "${2:-}" "${3:-}" <<-'PY'
		import re, sys
		from collections import Counter
		path, wanted, gateway, gateway6 = sys.argv[1:]
		said = Counter()
		for line in open(path):
		    if wanted in line:
		        asked = re.search(r"from=([0-9a-f.:]+)", line).group(1)
		        peer = re.search(r'"peer": "\[?([0-9a-f.:]+?)\]?[: ]\d+"', line).group(1)
		        said[peer == ((gateway6 if ":" in asked else gateway) or asked)] += 1
		print(*(f"{count} {'yes' if right else 'NO'}" for right, count in sorted(said.items())))
	PY
}
given() { role_counter net sockets_given; }

conf
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
is "$(round first 20)" "120 200 5000" "a hundred and twenty connections, six clients in turn"
is "$(seen first)" "120 yes" "... the server sees each with its own address"
is_less "$(given)" 145 "... on sockets of the first batches ($(given))"

# --- connections that don't end well -----------------------------------------------------
had=$(given)
for _ in $(seq 10); do
	for address in "$CLIENT" "$CLIENT6"; do
		ask "$address" "/reset/500000" -o /dev/null 2>/dev/null
		ask "$address" "/short/5000" 2>/dev/null
	done
done >/dev/null
refused=$(for _ in $(seq 10); do on_client curl -sS -m 20 -o /dev/null -w '%{http_code} ' "http://$SERVER:9001/"; done)
is "${refused% }" "502 502 502 502 502 502 502 502 502 502" "a server that refuses connections"
is "$(round after 10)" "60 200 5000" "after resets and cut answers, and after refusals"
is "$(seen after)" "60 yes" "... each client has its own address"
# What was never connected isn't used again.
is_less "$(given)" $((had + 97)) "... on few more sockets ($(($(given) - had)))"

# --- many at a time ------------------------------------------------------------------------
# crowd: the addresses and URLs of 360 requests, a line each
crowd() {
	local address
	for _ in $(seq 60); do
		for address in "${ADDRESSES[@]}"; do echo "$address $(url "$address" "/size/5000?round=many&from=$address")"; done
	done
}
is "$(crowd | on_client xargs -P 24 -n 2 curl -sS -m 20 -o /dev/null -w '%{http_code}\n' --interface | sort | uniq -c | xargs)" \
	"360 200" "360 connections, 24 at a time"
is "$(seen many)" "360 yes" "... each with its client's address"

# --- the gateway's own address, and back ----------------------------------------------------
conf intercept.source_address=gateway
check "the gateway's address from now on" sluicectl reload
is "$(round gateway 5)" "30 200 5000" "sockets that had clients' addresses serve on"
is "$(seen gateway $GW_OUT $GW_OUT6)" "30 yes" "... and the server sees the gateway"
conf
check "the clients' again" sluicectl reload
is "$(round back 5)" "30 200 5000" "sockets that had the gateway's serve on"
is "$(seen back)" "30 yes" "... and the server sees each client"
is "$(grep -E ' (error|warning) ' "$T/log/sluiced" | grep -v 'descriptors, so each relay')" "" "nothing was wrong"
check "sluiced stops" stop_sluice
done_testing
