#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The namespace library itself, without Sluice: client -- gateway (plain forwarding) -- server.
# Ends with a look at what a run of it leaves behind, after an orderly end and after an interrupted one.
if [ "${1:-}" = inner ]; then
	# shellcheck source=tests/netns/lib.sh
	. "$(dirname "$0")/lib.sh"
	ns_up
	start_nginx || exit 1
	start_origin 9000 || exit 1
	echo "up $T ${NS_PIDS[*]}"
	[ "${2:-}" != wait ] || wait
	exit 0
fi
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
plan 22
ns_up
make_samples "$T/www"
start_nginx
start_origin 9000

sha() { sha256sum | cut -d' ' -f1; }
get() { on_client curl -sS -m 20 "$@"; }
clean=$(sha <"$T/www/clean.bin")

is "$(get "http://$SERVER/clean.bin" | sha)" "$clean" "a file over IPv4"
is "$(get "http://[$SERVER6]/clean.bin" | sha)" "$clean" "a file over IPv6"
is "$(get "http://$SERVER:8080/whoami")" $CLIENT "port 8080, and the client's own address"
is "$(get "http://[$SERVER6]:8080/whoami")" $CLIENT6 "the same over IPv6"
is "$(get --compressed "http://$SERVER/gz/clean.txt")" "nothing to see here" "gzip on the fly"
is "$(get -i "http://$SERVER/gz/clean.txt" -H 'Accept-Encoding: gzip' --output - | tr -d '\0' | grep -aciE \
	'^(content-encoding: gzip|transfer-encoding: chunked)')" 2 "... which is chunked"
is "$(get -T "$T/www/clean.bin" "http://$SERVER/origin/upload" | grep -o "$clean")" "$clean" "PUT"
is "$(get --data-binary "@$T/www/clean.bin" -H 'Transfer-Encoding: chunked' \
	"http://$SERVER:9000/upload" | grep -o "$clean")" "$clean" "POST, chunked"
is "$(get "http://[$SERVER6]:9000/size/200000" | sha)" \
	"$(get "http://$SERVER:9000/chunked/200000?piece=777" | sha)" "the same bytes in two framings"
is "$(get -r 100000-100009 "http://$SERVER:9000/size/200000" | sha)" \
	"$(get "http://$SERVER:9000/close/200000" | tail -c +100001 | head -c 10 | sha)" "a range"
is "$(get "http://$SERVER:9000/file-gzip/eicar.com" | gunzip)" "$(eicar)" "a sample, gzip-coded"
get "http://$SERVER:9000/short/1000" >/dev/null 2>&1
is $? 18 "a body that ends early"
get "http://$SERVER:9000/reset/1000000" >/dev/null 2>&1
is $? 56 "a reset in the middle"
is "$(get --http0.9 "http://$SERVER:9000/raw/http09")" "just a body" "raw bytes"
is "$(get "http://$SERVER:9000/echo" -H 'X-Odd:  two ' | grep -c '^X-Odd:  two ')" 1 "the head as it came"
check "... and in the log" grep -aq '^X-Odd:  two ' "$T"/origin/*.in
is "$(wc -l <"$T/origin/requests")" "$(grep -c '"peer": "[0-9a-f.:]* [0-9]*"' "$T/origin/requests")" \
	"a line for each request"

make_clam_db "$T/clamdb"
if command -v clamscan >/dev/null; then
	is "$(clamscan -d "$T/clamdb" --no-summary "$T"/www/eicar.{com,zip} "$T/www/clean.bin" |
		grep -c 'Eicar.UNOFFICIAL FOUND')" 2 "the test database finds EICAR, plain and zipped"
else
	skip "the test database finds EICAR" "clamscan is not installed"
fi

# A gateway that changes something is seen.
snapshot_ns "$T/before"
same_snapshot "$T/before" "two snapshots are alike"
ip -n "$NS_GW" route add 192.0.2.0/24 via $SERVER table 77
is "$(same_snapshot "$T/before" changed | grep -c '^not ok\|^# +192.0.2.0/24.*table 77')" 2 \
	"... but not when a route was added"

# What is left of another run: namespaces, processes, its directory.
left_of() {
	local word remains=
	for word in $1; do
		case $word in
		/*) [ ! -e "$word" ] || remains="$remains $word" ;;
		[0-9]*) gone "$word" || remains="$remains $word" ;;
		esac
	done
	[ ! -e "/run/netns/sl-g-$2" ] || remains="$remains namespace"
	echo "$remains"
}
"$0" inner >"$T/orderly" 2>&1 &
inner=$!
wait $inner
is "$(grep -c '^up ' "$T/orderly")$(left_of "$(cat "$T/orderly")" $inner)" 1 "nothing is left after an orderly end"
"$0" inner wait >"$T/interrupted" 2>&1 &
inner=$!
wait_for 20 grep -q '^up ' "$T/interrupted"
kill -TERM $inner
wait $inner
is "$(grep -c '^up ' "$T/interrupted")$(left_of "$(cat "$T/interrupted")" $inner)" 1 "... nor after SIGTERM"
done_testing
