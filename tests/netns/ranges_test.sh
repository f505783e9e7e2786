#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Parts of objects: clients that resume get theirs, cut out of an object that was scanned whole; and no number of parts,
# however they are asked for, makes up an object that was not.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
W=$T/www
noise 3000000 >"$W/clean"
{ cat "$W/clean" && cat "$W/eicar.zip"; } >"$W/evil"
noise 100000 >"$W/small"
: >"$W/empty"
chmod 644 "$W"/*
start_nginx || exit 1
start_origin 9000 || exit 1
N4=http://$SERVER N6=http://[$SERVER6]
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
SIZE=$(stat -c %s "$W/evil")
TAIL=65536
# No table of infected URLs: each request is about the object.
CONF=(intercept.http='{80, 9000}' relays=1 scan.workers=1 scan.infected_url_block=0)

# slice FILE FIRST LAST: its bytes
slice() { tail -c +$(($2 + 1)) "$1" | head -c $(($3 - $2 + 1)); }
# part FILE FIRST LAST: what fetch says when they arrived
part() { echo "206 0 $(slice "$@" | sha)"; }
# field NAME URL [CURL-ARGUMENT...]: of the answer to GET, without its CR
field() {
	local name=$1
	shift
	get -g -o "$T/body" -D - "$@" | tr -d '\r' | sed -n "s/^$name: //Ip"
}
arrived() { stat -c %s "$T/got" 2>/dev/null || echo 0; }
# goes_on NAME BYTES COMMAND...: it finds the first BYTES of clean in $T/got, and ends with all of it
goes_on() {
	local name=$1 status
	head -c "$2" "$W/clean" >"$T/got"
	shift 2
	on_client "$@" >"$T/said" 2>&1
	status=$?
	[ $status = 0 ] || note "$(tail -n 5 "$T/said")"
	is "$status $(sha_of "$T/got")" "0 $(sha_of "$W/clean")" "$name"
}

# --- serve, tail ---------------------------------------------------------------------
sluice_conf "${CONF[@]}"
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
for url in "$N4/clean" "$N6/clean" "$O4/file/clean" "$O6/file-chunked/clean" "$O4/file-close/clean"; do
	goes_on "curl goes on, $url" 1300000 curl -gsS -m 30 -C - -o "$T/got" "$url"
	goes_on "... and near the end" 2999999 curl -gsS -m 30 -C - -o "$T/got" "$url"
	goes_on "wget goes on, $url" 1300000 wget -nv -t 1 -c -O "$T/got" "$url"
	goes_on "... with nothing left to do" 3000000 wget -nv -t 1 -c -O "$T/got" "$url"
	is "$(fetch "$url" -r 1000000-1000099)" "$(part "$W/clean" 1000000 1000099)" "a part, $url"
	is "$(fetch "$url" -r 0-2999998)" "$(part "$W/clean" 0 2999998)" "... all but a byte"
	is "$(fetch "$url" -r -100)" "$(part "$W/clean" 2999900 2999999)" "... the last bytes"
	is "$(fetch "$url" -0 -r 7-7)" "$(part "$W/clean" 7 7)" "... for HTTP/1.0"
	is "$(field content-range "$url" -r 7-99999999), $(field content-length "$url" -r 7-99999999)" \
		"bytes 7-2999999/3000000, 2999993" "... whose head says what it is"
	is "$(fetch "$url" -r 3000000-)" "416 0 $(sha </dev/null)" "no byte is there, $url"
	is "$(field content-range "$url" -r 3000000-)" "bytes */3000000" "... but this many are"
done
# by_segments URL: three connections, each for a third; slow enough for the second to begin before the first is done
by_segments() {
	rm -rf "$T/got" "$T/got.aria2"
	on_client aria2c --no-conf --no-netrc -q -m 1 -t 30 -x 3 -s 3 -k 1M --max-download-limit=2M \
		--file-allocation=none -d "$T" -o got "$1" >"$T/said" 2>&1
}
for url in "$N4/clean" "$N6/clean"; do
	by_segments "$url?segments"
	is "$? $(sha_of "$T/got")" "0 $(sha_of "$W/clean")" "aria2 fetches by segments, $url"
done
is_less 1 "$(sluicectl --json events --url clean?segments -n 100 | grep -c '"status": *206')" "... which were cut out for it"
if by_segments "$N4/evil"; then not_ok "aria2 takes an object with malware for complete"; fi
is_less "$(arrived)" $((SIZE - TAIL + 1)) "... and gets $(arrived) of $SIZE bytes of an object with malware"
for url in "$N4/small" "$O6/file/small"; do
	is "$(fetch "$url" -r 500-)" "$(part "$W/small" 500 99999)" "a part of a small object, $url"
	is "$(fetch "$url" -r 500-)" "$(part "$W/small" 500 99999)" "... and from the cache"
done
is "$(origin_saw Range:) $(grep -c '" 206 ' "$T/nginx/access.log")" "0 0" "no server was asked for a part"
is "$(field etag "$N4/clean" -r 0-9)" "$(field etag "$N4/clean")" "the object's tag is the part's"
fetch "$N4/clean?event" -r 100-199 >"$T/out"
is "$(event clean?event verdict status sha256)" "clean 206 $(sha_of "$W/clean")" "the journal has the whole that was scanned"
is_less "$(event clean?event bytes_out)" 1000 "... and the bytes that the client got"

# What is not served is the whole, as it would be without a Range.
for range in 5-2 0-1,5-6 x-y -; do
	is "$(fetch "$N4/clean" -H "Range: bytes=$range")" "$(whole "$W/clean")" "bytes=$range: the whole"
done
is "$(fetch "$N4/clean" -H 'Range: lines=1-2')" "$(whole "$W/clean")" "another unit: the whole"
is "$(fetch "$N4/clean" -X POST -r 0-9 | cut -d' ' -f1)" 405 "another method: nginx answers as it does"
is "$(field content-length "$N4/clean" -I -r 0-9)" 3000000 "HEAD is about the whole"
is "$(fetch "$N4/empty" -r 0-)" "$(whole "$W/empty")" "an empty object is whole"
is "$(fetch "$O4/file-chunked/empty" -r -5)" "$(whole "$W/empty")" "... chunked, too"
is "$(fetch "$O4/file-chunked/clean" -r 0-)" "$(whole "$W/clean")" "all of an object of unknown length is the whole"
is "$(fetch "$N4/none" -r 0-9 | cut -d' ' -f1)" 404 "an error is no object"

etag=$(field etag "$N4/clean") date=$(field last-modified "$N4/clean")
for good in "$etag" "$date"; do
	is "$(fetch "$N4/clean" -r 5-9 -H "If-Range: $good")" "$(part "$W/clean" 5 9)" "If-Range: $good, which it is"
done
for bad in '"x"' "W/$etag" 'Mon, 02 Nov 1998 08:00:00 GMT'; do
	is "$(fetch "$N4/clean" -r 5-9 -H "If-Range: $bad")" "$(whole "$W/clean")" "If-Range: $bad, which it is not"
done
weak=$(field etag "$N4/gz/clean" --compressed)
is "${weak:0:2} $(fetch "$N4/gz/clean" --compressed -r 5-9 -H "If-Range: $weak")" "W/ $(whole "$W/clean")" \
	"a weak validator is none"

# Both connections go on behind a part that was stored, or came in one piece.
for name in clean small; do
	for framing in file file-chunked; do
		url="$O4/$framing/$name?keep"
		is "$(get -o "$T/body" -r 10-19 "$url" "$url" -w '%{http_code} %{num_connects} ' -o "$T/body")" \
			"206 1 206 0 " "a client's connection goes on behind a part, $framing/$name"
		is "$(grep "$framing/$name?keep" "$T/origin/requests" | grep -o '"connection": [0-9]*' | sort | uniq -c |
			awk '{ print $1 }')" 2 "... and so does the server's"
	done
done

# --- an object with malware, in parts -------------------------------------------------
# scattered NAME FRAMING: no part of evil that ends before it does brings a byte, over connections at the same time;
# from those that reach its end come early bytes at most, and never the last TAIL
RANGES=(0-999999 900000-1999999 1900000-2999999 0-2999999 3000000-3000000 -100 2990000-)
scattered() {
	local name=$1 url=$O4/$2/evil range pids=() i
	for i in "${!RANGES[@]}"; do
		range=${RANGES[i]}
		nsenter --net="/run/netns/$NS_CLIENT" -- curl -sS -m 30 -r "$range" -o "$T/part.$i" -w '%{http_code}' "$url" \
			>"$T/code.$i" 2>"$T/log/part.$i" </dev/null &
		pids+=($!)
	done
	for i in "${!RANGES[@]}"; do wait "${pids[i]}"; done
	is "$(sort -u "$T"/code.*)" 403 "$name: no part of an object with malware, $2: ${RANGES[*]}"
	is "$(grep -L "$FOUND" "$T"/part.* | wc -l)" 0 "... each is the page instead"
	is "$(fetch "$url" -r 99999999-)" "$BLOCKED" "... and so is none that it has"
	rm -f "$T"/part.* "$T"/code.*
}
# reaches NAME FRAMING: ranges to the end, overlapping; the furthest byte that any of them brought
reaches() {
	local first end=0
	for first in 0 500000 1500000 2500000 2900000; do
		rm -f "$T/got"
		get -r $first- -o "$T/got" -w '%{http_code}\n' "$O6/$2/evil" >"$T/code" 2>/dev/null
		if [ "$(cat "$T/code")" = 206 ]; then
			cmp -s "$T/got" <(tail -c +$((first + 1)) "$W/evil" | head -c "$(arrived)") || not_ok "$1: bytes of the object"
			[ $((first + $(arrived))) -le $end ] || end=$((first + $(arrived)))
		fi
	done
	is_less $end $((SIZE - TAIL + 1)) "$1: ranges to the end bring no more than $end of $SIZE bytes, $2"
}
for framing in file file-chunked file-close; do
	scattered "tail" $framing
	reaches "tail" $framing
done
head -c 1300000 "$W/evil" >"$T/got"
get -C - --retry 2 --retry-delay 1 --retry-all-errors -o "$T/got" "$O4/file/evil" 2>"$T/said"
is_less "$(arrived)" $((SIZE - TAIL + 1)) "curl that goes on and on gets $(arrived) of $SIZE bytes"

# The scanner stands still: what leaves before the verdict?
begin() { # RANGE PATH
	rm -f "$T/got"
	spawn "$NS_CLIENT" begun curl -sSN -m 60 -r "$1" -o "$T/got" "$O4/$2"
	client=$SPAWNED
}
arrived_at_least() { [ "$(arrived)" -ge "$1" ]; }
ends() { # NAME FILE FIRST LAST
	wait "$client"
	is "$? $(sha_of "$T/got")" "0 $(slice "$2" "$3" "$4" | sha)" "$1"
}
workers=$(scan_workers)
# shellcheck disable=SC2086  # numbers
kill -STOP $workers
head -c 1 /dev/urandom >>"$W/clean" # not in the cache
begin 1000000- file/clean
check "a part to the end leaves early, but for the object's last $TAIL bytes" \
	wait_for 10 arrived_at_least $((2000000 - TAIL - 16384))
check "... while the verdict is asked for" wait_for 10 total_is scans_waiting 1
is_less "$(arrived)" $((2000001 - TAIL + 1)) "... and no more"
# shellcheck disable=SC2086
kill -CONT $workers
ends "... and the rest with the verdict" "$W/clean" 1000000 3000000
for case in "1000000-2999999 file" "1000000- file-chunked"; do
	read -r range framing <<<"$case"
	# shellcheck disable=SC2086
	kill -STOP $workers
	head -c 1 /dev/urandom >>"$W/clean"
	begin "$range" "$framing/clean"
	check "$range is held, $framing" wait_for 10 total_is scans_waiting 1
	is "$(arrived)" 0 "... and not a byte leaves"
	# shellcheck disable=SC2086
	kill -CONT $workers
	last=${range#*-}
	ends "... until there is a verdict" "$W/clean" 1000000 "${last:-$(($(stat -c %s "$W/clean") - 1))}"
done
truncate -s 3000000 "$W/clean"
stop_sluice

# --- hold, remove, refuse ------------------------------------------------------------
sluice_conf "${CONF[@]}" delivery.mode=hold
# shellcheck disable=SC2119
start_sluice || exit 1
goes_on "hold: curl goes on" 1300000 curl -sS -m 30 -C - -o "$T/got" "$N4/clean"
for framing in file file-chunked file-close; do
	scattered "hold" $framing
	is "$(fetch "$O6/$framing/evil" -r 0-)" "$BLOCKED" "... nor all of it"
done
cp "$SLUICE_CONF" "$T/hold.conf"
reload() { # VALUE: of http.ranges
	sluice_conf "${CONF[@]}" http.ranges="$1"
	sluicectl reload >"$T/said" 2>&1 || not_ok "reload" "$(cat "$T/said")"
}
reload remove
is "$(fetch "$N4/clean" -r 0-9)" "$(whole "$W/clean")" "remove: the whole"
is "$(fetch "$O6/file-chunked/clean" -r 0-9)" "$(whole "$W/clean")" "... chunked, too"
is "$(grep -c '" 206 ' "$T/nginx/access.log")" 0 "... since no server is asked for a part"
reload refuse
is "$(fetch "$N4/clean?refuse" -r 0-9)" "$(unscanned partial)" "refuse: a page"
is "$(event clean?refuse verdict reason rule action status)" "not_scanned partial http.ranges block 403" "... and an event"
is "$(fetch "$N6/clean")" "$(whole "$W/clean")" "... but not for the whole"
is "$(fetch "$N6/clean" -H "Range: bytes=0-1,4-5")" "$(whole "$W/clean")" "... and several ranges are the whole"
stop_sluice

# --- what is not scanned -------------------------------------------------------------
sluice_conf "${CONF[@]}" scan.max_object=1M scan.not_scanned=allow
# shellcheck disable=SC2119
start_sluice || exit 1
servers_connections() { on_server ss -Htn state established "sport = :9000" | wc -l; }
no_connection() { [ "$(servers_connections)" = 0 ]; }
for range in 0-99 1500000-1999999 2999999-2999999; do
	is "$(fetch "$N6/clean" -r $range)" "$(part "$W/clean" ${range/-/ })" "larger than scan.max_object: a part, $range"
done
is "$(fetch "$N4/clean" -r 5000000-)" "416 0 $(sha </dev/null)" "... and one that is not there"
goes_on "... and curl goes on" 1300000 curl -sS -m 30 -C - -o "$T/got" "$N4/clean"
is "$(fetch "$O4/file-chunked/clean" -r 5-9)" "$(whole "$W/clean")" "of unknown length: the whole"
is "$(fetch "$O4/file-chunked/small" -r 5-9)" "$(part "$W/small" 5 9)" "... unless it is small enough after all"
before=$(total unscanned_bytes.size)
# Past 4 GiB; the reference is what the server makes of a range.
for case in "5000000000 4400000000-4400000999" "100000000000000 1000000-1000999"; do
	read -r size range <<<"$case"
	is "$(fetch "$O4/size/$size" -m 120 -r "$range")" \
		"206 0 $(on_server curl -sS -r "$range" "http://127.0.0.1:9000/size/$size" | sha)" "a thousand bytes of $size"
	check "... after which nothing more comes from the server" wait_for 10 no_connection
done
is $(($(total unscanned_bytes.size) - before)) 2000 "only what the client got counts as passed unscanned"
is "$(total sessions) $(total body_disk)" "0 0" "nothing of it was stored"
is "$(get -r 10-19 "$O4/file/clean" "$O4/file/small" -o "$T/body" -o "$T/body" -w '%{http_code} %{num_connects} ')" \
	"206 1 206 0 " "the client's connection goes on when the server's had to end"
stop_sluice
sluice_conf "${CONF[@]}" scan.engine=none
# shellcheck disable=SC2119
start_sluice || exit 1
is "$(fetch "$N4/clean" -r 5-9) $(grep -c '" 206 ' "$T/nginx/access.log")" "$(part "$W/clean" 5 9) 1" \
	"without an engine the server is asked for the part itself"
plan $TAP_COUNT
done_testing
