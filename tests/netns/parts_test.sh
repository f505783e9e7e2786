#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A server that answers the requests for one object out of several: each of them is clean, and no client gets parts of
# two that it could put together. Nobody else notices.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
W=$T/www
start_origin 9000 || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
SIZE=3000000
noise $SIZE >"$T/one"
noise $SIZE >"$T/two"
# Like one, but for a byte in the middle and for the last.
{ head -c 1500000 "$T/one" && printf x && tail -c +1500002 "$T/one"; } >"$T/middle"
{ head -c $((SIZE - 1)) "$T/one" && printf x; } >"$T/last"
# From now on the server's object is this one.
serve() { cp "$T/$1" "$W/x.new" && chmod 644 "$W/x.new" && mv "$W/x.new" "$W/x"; }
part() { echo "206 0 $(tail -c +$(($2 + 1)) "$T/$1" | head -c $(($3 - $2 + 1)) | sha)"; }
arrived() { stat -c %s "$T/got" 2>/dev/null || echo 0; }
n=0 # each case has an URL of its own
new_url() {
	n=$((n + 1))
	URL="$1/$2/x?case=$n"
}
# broken_off OBJECT: a download that leaves early, of which the server sends 2000000 bytes
broken_off() {
	serve "$1"
	rm -f "$T/got"
	get -g -o "$T/got" "$URL&once=2000000" >"$T/code" 2>"$T/said"
}
# The URL that broken_off and what follows it ask for.
resumed() { get -g -f -C - -o "$T/got" -w '%{http_code}' "$URL&once=2000000" 2>"$T/said"; }
DIFFER=$(unscanned partial)
partial_event() { sluice_events | grep -F "case=$n&" | grep -F '"reason":"partial"'; }
# partial FIELD...: of the event with this reason. That of the download which broke off is perhaps another relay's, and may
# come later.
partial() {
	local list=
	wait_for 10 eval 'partial_event >/dev/null'
	for field; do list="$list x.get('$field', '-'),"; done
	partial_event | tail -n 1 | query "' '.join(str(v) for v in [$list])"
}

CONF=(intercept.http='{9000}' scan.workers=1 delivery.tail=64K)
sluice_conf "${CONF[@]}" relays=2
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1

# --- a download that the server breaks off --------------------------------------------
for origin in "$O4" "$O6"; do
	new_url "$origin" file
	broken_off one
	is_less 0 "$(arrived)" "$(arrived) bytes arrive before the server breaks off"
	had=$(arrived)
	for other in two middle; do
		serve $other
		is "$(resumed) $(arrived)" "403 $had" "curl does not go on with another object: $other"
	done
	is "$(partial verdict status)" "not_scanned 403" "... the journal says why"
	serve one
	is "$(resumed) $(sha_of "$T/got")" "206 $(sha_of "$T/one")" "... but with the same"
	serve last
	is "$(fetch "$URL&once=2000000" -r 2999999-)" "$DIFFER" "... of which all is known now"
	is "$(fetch "$URL&once=2000000")" "$(whole "$T/last")" "the whole of any other can be had"
done
new_url "$O4" file
broken_off one
serve two
is "$(on_client wget -nv -t 1 -c -O "$T/got" "$URL&once=2000000" >"$T/said" 2>&1; sha_of "$T/got")" \
	"$(head -c "$(arrived)" "$T/one" | sha)" "wget does not go on with another object"
serve one
on_client wget -nv -t 1 -c -O "$T/got" "$URL&once=2000000" >"$T/said" 2>&1
is "$? $(sha_of "$T/got")" "0 $(sha_of "$T/one")" "... but with the same"

# It need not break off: a client gives up where nothing more comes.
new_url "$O6" file
serve one
rm -f "$T/got"
URL="$URL&once=2000000&stall"
get -g -m 3 -o "$T/got" "$URL" 2>"$T/said"
is_less 1000000 "$(arrived)" "$(arrived) bytes arrive from a server that stalls"
has=$(arrived)
serve two
is "$(fetch "$URL" -r "$has-")" "$DIFFER" "... no part of another object follows"
serve one
is "$(fetch "$URL" -r "$has-")" "$(part one "$has" $((SIZE - 1)))" "... but one of the same"

# --- what is known ---------------------------------------------------------------------
new_url "$O4" file
broken_off one
serve two
ip -n "$NS_CLIENT" addr add 10.77.1.9/24 dev c0
is "$(fetch "$URL&once=2000000" -r 5-9 --interface 10.77.1.9)" "$(part two 5 9)" "another client has a table of its own"
is "$(fetch "$URL&other" -r 5-9)" "$(part two 5 9)" "... and so has another URL"
scan=$(role_pid scan)
kill -KILL "$scan"
scan_is_back() { [ "$(role_pid scan)" != "$scan" ] && sluice_ready; }
check "the scan role is killed" wait_for 20 scan_is_back
is "$(fetch "$URL&once=2000000" -r 5-9)" "$DIFFER" "... and what clients hold is still known"
serve one
is "$(resumed) $(sha_of "$T/got")" "206 $(sha_of "$T/one")" "... so that they can go on"
for framing in file-chunked file-close; do
	new_url "$O4" $framing
	is "$(fetch "$URL" -r 5-9)" "$(part one 5 9)" "a part of an object of unknown length, $framing"
	serve last
	is "$(fetch "$URL" -r 10-)" "$DIFFER" "... but not of another one"
	serve one
	is "$(fetch "$URL" -r 10-)" "$(part one 10 2999999)" "... but the rest of it"
done
for size in 500 5000 100000; do
	new_url "$O6" file
	noise $size >"$T/small"
	noise $size >"$T/changed"
	serve small
	is "$(fetch "$URL" -r 10-99)" "$(part small 10 99)" "a part of an object of $size bytes"
	is "$(fetch "$URL" -r 50-199)" "$(part small 50 199)" "... and another"
	serve changed
	is "$(fetch "$URL" -r 200-)" "$DIFFER" "... but not of another object"
	is "$(fetch "$URL" -r 0-)" "206 0 $(sha_of "$T/changed")" "... of which all can be had, as a range, too"
	fits() { [ "$(fetch "$URL" -r 200-)" = "$(part changed 200 $((size - 1)))" ]; }
	check "... and then parts" wait_for 10 fits
done

# --- early -----------------------------------------------------------------------------
# begin NAME CURL-ARGUMENT...: in the background, into $T/NAME
begin() {
	local name=$1
	shift
	rm -f "$T/$name"
	spawn "$NS_CLIENT" "$name" curl -gsSN -m 60 -w '%{http_code}' -o "$T/$name" "$@"
}
asked() { grep -cF "case=$n&" "$T/origin/requests"; }
asked_is() { [ "$(asked)" = "$1" ]; }
asks() { # HOW-MANY NAME CURL-ARGUMENT...: and the server has that many requests for this URL
	local count=$1
	shift
	begin "$@"
	wait_for 10 asked_is "$count" || not_ok "the server is asked"
}
has_at_least() { [ "$(stat -c %s "$T/$1" 2>/dev/null || echo 0)" -ge "$2" ]; }
ends() { # TEXT PID NAME FIRST: with status 206 and the bytes of one from FIRST on
	wait "$2"
	is "$(cat "$T/log/$3") 0 $(sha_of "$T/$3")" "$(part one "$4" $((SIZE - 1)))" "$1"
}
new_url "$O4" file
URL="$URL&at=2900000&gate=go.$n"
broken_off one
had=$(arrived)
asks 2 rest -r "$had-" "$URL&once=2000000"
check "what goes on with a known object leaves early" wait_for 10 has_at_least rest $((2900000 - 65536 - 16384 - had))
rest=$SPAWNED
touch "$W/go.$n"
ends "... and to its end" "$rest" rest "$had"
new_url "$O4" file
URL="$URL&at=2900000&gate=go.$n"
asks 1 rest -r 1000000- "$URL"
rest=$SPAWNED
asks 2 whole "$URL"
whole=$SPAWNED
check "a download leaves early" wait_for 10 has_at_least whole $((2900000 - 65536 - 16384))
is "$(stat -c %s "$T/rest" 2>/dev/null || echo 0)" 0 "... a part of what nobody knows does not"
# As browsers do that fetch by several connections: the first ends where the next one began.
end_pid "$whole"
touch "$W/go.$n"
ends "... but fits the first when its client has cut that short" "$rest" rest 1000000

# --- segments --------------------------------------------------------------------------
# segments OBJECT OBJECT: two at a time, of these; what they are answered. Both end at the same moment.
segments() {
	local first second
	new_url "$O4" file
	URL="$URL&at=2999990&gate=go.$n"
	serve "$1"
	asks 1 first -r 0-1499999 "$URL"
	first=$SPAWNED
	serve "$2"
	asks 2 second -r 1500000- "$URL"
	second=$SPAWNED
	touch "$W/go.$n"
	wait "$first"
	wait "$second"
	SAID=$(cat "$T/log/first" "$T/log/second" | fold -w 3 | sort | paste -sd' ')
}
mixed=0 same=0
for ((i = 0; i < 12; i++)); do
	segments one two
	[ "$SAID" = "206 403" ] || note "$i: $SAID"
	[ "$SAID" != "206 403" ] || mixed=$((mixed + 1))
	segments one one
	[ "$SAID $(cat "$T/first" "$T/second" | sha)" = "206 206 $(sha_of "$T/one")" ] && same=$((same + 1))
done
is $mixed 12 "two segments of two objects at the same time: one of them is refused"
is $same 12 "... of one object: none"

# --- allow, hold, remove ---------------------------------------------------------------
reload() { # VALUE...: of the configuration
	sluice_conf "${CONF[@]}" relays=2 "$@"
	sluicectl reload >"$T/said" 2>&1 || not_ok "reload" "$(cat "$T/said")"
}
new_url "$O6" file
reload scan.not_scanned=allow
broken_off one
serve two
is "$(fetch "$URL&once=2000000" -r 5-9)" "$(part two 5 9)" "what differs passes where what is not scanned does"
is "$(partial verdict rule action)" "not_scanned scan.not_scanned allow" "... and the journal says so"
reload delivery.mode=hold
is "$(fetch "$URL&once=2000000" -r 5-9)" "$DIFFER" "hold: not of another object"
serve one
is "$(fetch "$URL&once=2000000" -r 5-9)" "$(part one 5 9)" "... but of the same"
reload http.ranges=remove
new_url "$O4" file
broken_off one
had=$(arrived)
serve two
# It takes what it wants out of the whole, too.
on_client wget -nv -t 1 -c -O "$T/got" "$URL&once=2000000" >"$T/said" 2>&1
is "$? $(arrived)" "8 $had" "remove: wget does not go on with another object"
is "$(fetch "$URL&once=2000000")" "$(whole "$T/two")" "... all of which can be had"
is "$(fetch "$URL&once=2000000" -r "0-")" "$(whole "$T/two")" "... also by who asks for the rest of nothing"
serve one
on_client wget -nv -t 1 -c -O "$T/got" "$URL&once=2000000" >"$T/said" 2>&1
is "$? $(sha_of "$T/got")" "0 $(sha_of "$T/one")" "... but with the same"
plan $TAP_COUNT
done_testing
