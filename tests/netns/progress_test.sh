#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# delivery.mode = progress: somebody who waits in a browser gets a page that shows how far it is, and then the object or
# the reason why not; whoever is no browser gets what mode tail gives.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
W=$T/www
noise 3000000 >"$W/clean.iso"
{ noise 3000000 && cat "$W/eicar.zip"; } >"$W/evil.iso"
noise 12000000 >"$W/large.iso"
chmod 644 "$W"/*
AGENT='Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'
WINDOW=(-A "$AGENT" -H 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')
CONF=(intercept.http='{9000}' scan.infected_url_block=0 scan.memory=4M delivery.mode=progress delivery.progress_after=300ms)
GATES=0 MORE=

# gate: GATE is a new one, closed; open_gate: what waits there goes on
gate() { GATES=$((GATES + 1)) GATE=gate-$GATES; }
open_gate() { : >"$W/$GATE"; }
waits_long() { sluicectl --json sessions | grep -F "$GATE" | query "x['age_ms'] > 800" 2>/dev/null | grep -q True; }
# open_gate_late: in the background, when a window would have its page
open_gate_late() {
	wait_for 20 waits_long
	open_gate
}
# window URL [CURL-ARGUMENT...]: as a browser's window asks, in the background; WAITING is its process, $T/page its answer
window() {
	local url=$1
	shift
	rm -f "$T/page" "$T/head"
	spawn "$NS_CLIENT" window curl -sSgN -m 40 -D "$T/head" -o "$T/page" "${WINDOW[@]}" "$@" "$url"
	WAITING=$SPAWNED
}
waited() { wait "$WAITING"; }
shows() { grep -qaF -- "$1" "$T/page" 2>/dev/null; }
# offered: the path that the page ends with
offered() { sed -n 's/.*http-equiv="refresh" content="0; url=\([^"]*\)".*/\1/p' "$T/page"; }
# page_of URL [CURL-ARGUMENT...]: the whole page of an object that comes in two parts
page_of() {
	gate
	window "$1?${MORE}at=1000000&gate=$GATE" "${@:2}"
	wait_for 10 shows 'are here'
	open_gate
	waited
}
sessions_are() { [ "$(total sessions)" = "$1" ]; }

sluice_conf "${CONF[@]}"
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1

# --- what is clean -------------------------------------------------------------------
for origin in "$O4" "$O6"; do
	gate
	window "$origin/file/clean.iso?at=1000000&gate=$GATE"
	check "a page comes while the download takes its time, $origin" wait_for 10 shows 'of 3.0 MB are here'
	is "$(sed -n '1s/\r//p' "$T/head") $(grep -ci '^content-type: text/html' "$T/head")" "HTTP/1.1 200 OK 1" "... as HTML"
	check "... and says how far it is" wait_for 10 shows '1.0 MB of 3.0 MB are here'
	is "$(grep -c 'http-equiv="refresh"' "$T/page")" 0 "... and offers nothing yet"
	open_gate
	waited
	is "$? $(offered | grep -cE '^/.well-known/sluice/[0-9a-f]{32}/clean.iso$')" "0 1" "... it ends with where the object is"
	for again in '' ', and again'; do
		is "$(fetch "$origin$(offered)")" "$(whole "$W/clean.iso")" "the object is there$again"
	done
	is "$(get -I -g "$origin$(offered)" | tr -d '\r' | sed -n '1p; s/^Content-Length: //p' | paste -sd' ')" \
		"HTTP/1.1 200 OK 3000000" "... HEAD tells its size"
	is "$(event file/clean.iso verdict action status)" "clean allow 200" "the journal has the download"
	is "$(event .well-known/sluice verdict action status)" "clean allow 200" "... and the object's way"
done
is "$(origin_saw .well-known)" 0 "the origin server hears nothing of that"
SHELF=$(offered)
is "$(fetch "$O6${SHELF%/*/*}/00000000000000000000000000000000/clean.iso")" "410 0 expired" "an unknown one is gone"
is "$(fetch "$O4$SHELF")" "410 0 expired" "one of another client's too"
is "$(scan_counter shelf_objects) $(scan_counter shelf_bytes)" "2 6000000" "the shelf is counted"
for _ in 1 2 3 4 5 6 7 8; do fetch "$O6$SHELF"; done >"$T/fetched"
is "$(sort -u "$T/fetched")" "$(whole "$W/clean.iso")" "whichever relay is asked has it"
is "$(status "min(r['counters']['requests'] > 0 for r in x['roles'] if r['role'] == 'relay')")" True "... both were"

page_of "$O4/file/large.iso"
is "$(fetch "$O4$(offered)")" "$(whole "$W/large.iso")" "one that went to disk"
page_of "$O4/file/clean.iso" -H 'Sec-Fetch-Mode: navigate'
is "$(offered | grep -c clean.iso)" 1 "a browser that says that it navigates"
gzip -k "$W/large.iso"
chmod 644 "$W/large.iso.gz"
MORE="coding=gzip&" page_of "$O4/file/large.iso.gz" -H 'Accept-Encoding: gzip'
is "$(get --compressed "$O4$(offered)" | sha)" "$(sha_of "$W/large.iso")" "a coded one stays coded, and says so"
is "$(offered | sed 's,.*/,,')" large.iso.gz "... under its own name"

# --- what is not ---------------------------------------------------------------------
for origin in "$O4" "$O6"; do
	page_of "$origin/file/evil.iso"
	is "$? $(grep -c 'was blocked' "$T/page") $(offered)" "0 1 " "malware: the page says so and offers nothing, $origin"
	check "... with the reason" shows 'The scanner found malware in it.'
	is_less "$(stat -c %s "$T/page")" 20000 "... and nothing else left"
	is "$(event file/evil.iso verdict reason name action status)" "blocked signature $FOUND block 200" "... nor in silence"
done

# --- who gets no page ----------------------------------------------------------------
# direct NAME CURL-ARGUMENT...: the object comes on the same connection
direct() {
	local name=$1
	shift
	is "$(fetch "$@" | tr -d '\0')" "$(whole "$W/clean.iso")" "$name"
}
slow="$O4/file/clean.iso?at=2500000&gate"
late() { # NAME ARGUMENT...: the same of one that is slow
	gate
	open_gate_late &
	direct "$1" "$slow=$GATE" "${@:2}"
}
late "curl gets the object itself"
late "wget too" -A 'Wget/1.21.3' -H 'Accept: */*'
late "a script in a page" -A "$AGENT" -H 'Accept: */*'
late "a part of a page" "${WINDOW[@]}" -H 'Sec-Fetch-Mode: no-cors'
late "HTTP/1.0" -0 "${WINDOW[@]}"
direct "a window that need not wait" "$O4/file/clean.iso" "${WINDOW[@]}"
gate
open_gate_late &
direct "an object of unknown length" "$O4/file-chunked/clean.iso?at=2500000&gate=$GATE" "${WINDOW[@]}"
gate
open_gate_late &
is "$(fetch "$O4/file/evil.iso?at=2500000&gate=$GATE" | cut -d' ' -f2)" 56 "malware for curl breaks off"

# --- trouble -------------------------------------------------------------------------
gate
window "$O4/file/clean.iso?at=1000000&gate=$GATE"
wait_for 10 shows 'are here'
kill -KILL "$WAITING"
check "a client that goes leaves nothing behind" wait_for 10 sessions_are 0
open_gate

window "$O4/short/4000000"
waited
is "$? $(head -1 "$T/head" | tr -d '\r')" "0 HTTP/1.1 502 Bad Gateway" "an origin server that breaks off before the page"
gate
window "$O4/file/clean.iso?at=1000000&gate=$GATE"
wait_for 10 shows 'are here'
end_pid "$(pgrep -P $$ -f 'origin.py --port 9000' | head -1)"
waited
is "$? $(grep -c 'download failed' "$T/page")" "0 1" "an origin server that goes while the page is open"
check "... the page tells" shows 'The server closed the connection in the middle.'
start_origin 9000
gate
window "$O4/file/clean.iso?at=1000000&gate=$GATE"
wait_for 10 shows 'are here'
kill -KILL "$(role_pid scan)"
open_gate
waited
cp "$T/page" /tmp/s5/page; is "$? $(offered | grep -c clean.iso)" "0 1" "a scan role that dies meanwhile"
OLD=$(offered)
is "$(fetch "$O4$OLD")" "$(whole "$W/clean.iso")" "... its successor has it"
kill -KILL "$(role_pid scan)"
wait_for 10 sluice_ready
is "$(fetch "$O4$OLD")" "410 0 expired" "... until it dies, too"
stop_sluice

sluice_conf "${CONF[@]}" http.idle_timeout=2s
# shellcheck disable=SC2119
start_sluice || exit 1
gate
window "$O4/file/clean.iso?at=1000000&gate=$GATE"
waited
is "$? $(grep -c 'download failed' "$T/page")" "0 1" "an origin server that says nothing more"
check "... the page tells" shows 'The connection took too long.'
open_gate
stop_sluice

sluice_conf "${CONF[@]}" scan.max_ratio=10 scan.not_scanned=allow
# shellcheck disable=SC2119
start_sluice || exit 1
head -c 20000000 /dev/zero | gzip >"$W/zeros.gz"
chmod 644 "$W/zeros.gz"
gate
window "$O4/file/zeros.gz?at=1000&gate=$GATE&coding=gzip"
wait_for 10 shows 'are here'
open_gate
waited
check "what was not scanned and may pass: the page says that it wasn't" shows 'could not be scanned'
is "$(fetch "$O4$(offered)")" "$(whole "$W/zeros.gz")" "... and offers it"
is "$(event .well-known/sluice verdict reason)" "not_scanned ratio" "... and so does the journal"
stop_sluice

# --- by client -----------------------------------------------------------------------
sluice_conf "${CONF[@]}" delivery.mode=tail delivery.progress_clients="{\"$CLIENT\"}" delivery.hold_clients="{\"$CLIENT6\"}"
# shellcheck disable=SC2119
start_sluice || exit 1
page_of "$O4/file/clean.iso"
is "$? $(offered | grep -c clean.iso)" "0 1" "a list of clients for the page"
is "$(fetch "$O6/file/evil.iso")" "$BLOCKED" "a list of clients whose objects are held"
is "$(fetch "$O4/file/evil.iso" | cut -d' ' -f2)" 56 "... and not those of others"
plan "$TAP_COUNT"
done_testing
