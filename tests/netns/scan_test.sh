#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Downloads with malware in every wrapping, framing and coding: none arrives. What the client is told instead, and
# what the gateway remembers.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_nginx || exit 1
start_origin 9000 || exit 1
ip -n "$NS_SERVER" addr add 10.77.2.3/24 dev s0
# All objects are held, so that there is a page for each; tail mode has a test of its own.
sluice_conf intercept.http='{80, 9000}' delivery.hold_below=64M
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000

# --- wrappings, framings, codings ----------------------------------------------------
# coded NAME CODING...: the file with codings applied in this order
coded() {
	local coding out=$T/www/$1
	for coding in "${@:2}"; do
		case $coding in
		gzip) gzip -c "$out" >"$out.$coding" ;;
		deflate) "$PYTHON" -c 'import sys, zlib
sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))' <"$out" >"$out.$coding" ;;
		br) brotli -c "$out" >"$out.$coding" ;;
		zstd) zstd -qc "$out" >"$out.$coding" ;;
		esac
		out=$out.$coding
	done
	basename "$out"
}
# The raw deflate that some servers send under that name.
"$PYTHON" -c 'import sys, zlib
z = zlib.compressobj(wbits=-15)
sys.stdout.buffer.write(z.compress(sys.stdin.buffer.read()) + z.flush())' <"$T/www/eicar.com" >"$T/www/eicar.raw"

for name in eicar.com eicar.zip eicar2.zip eicar.tar eicar.com.gz eicar-at-end.bin; do
	is "$(fetch "http://$SERVER/$name")" "$BLOCKED" "$name"
	is "$(fetch "http://[$SERVER6]/$name")" "$BLOCKED" "$name over IPv6"
done
for framing in file-chunked file-close; do
	for name in eicar.com eicar.zip eicar-at-end.bin; do
		is "$(fetch "$O4/$framing/$name?piece=7")" "$BLOCKED" "$name, $framing"
	done
	is "$(fetch "$O6/$framing/eicar.zip")" "$BLOCKED" "eicar.zip, $framing, over IPv6"
done
is "$(fetch "$O4/file/eicar.com?old" -0)" "$BLOCKED" "for a client of HTTP/1.0"
is "$(fetch "$O4/file/eicar.com?coded" --compressed)" "$BLOCKED" "for a client that takes codings"

for stack in gzip deflate br zstd "gzip gzip" "gzip br" "br zstd" "deflate zstd gzip" "gzip deflate br zstd"; do
	# shellcheck disable=SC2086  # words
	name=$(coded eicar.com $stack)
	is "$(fetch "$O4/file/$name?coding=${stack// /,%20}")" "$BLOCKED" "coded $stack"
	is "$(fetch "$O6/file-chunked/$name?coding=${stack// /,}&piece=11")" "$BLOCKED" \
		"coded $stack, chunked, over IPv6"
done
is "$(fetch "$O4/file/eicar.raw?coding=deflate")" "$BLOCKED" "coded deflate without its head"
is "$(fetch "http://$SERVER/gz/eicar-at-end.bin" --compressed)" "$BLOCKED" "coded by nginx as it goes"
name=$(coded eicar.zip br)
is "$(fetch "$O4/file-close/$name?coding=br")" "$BLOCKED" "zip in br, ended by the connection's end"
# The same with nothing in it arrives.
for stack in gzip deflate br zstd "gzip deflate br zstd"; do
	# shellcheck disable=SC2086
	name=$(coded clean.txt $stack)
	is "$(fetch "$O4/file-chunked/$name?coding=${stack// /,}")" "$(whole "$T/www/$name")" "clean, coded $stack"
done
for name in clean.txt clean.bin clean.zip clean.txt.gz; do
	is "$(fetch "http://[$SERVER6]/$name")" "$(whole "$T/www/$name")" "$name is let through"
done

# --- ClamAV's own test files ---------------------------------------------------------
cp $SAMPLES/* "$T/www"
count=0 rar=0
for file in "$SAMPLES"/*; do
	name=${file##*/}
	got=$(fetch "http://$SERVER/$name")
	count=$((count + 1))
	case $name:$got in
	*:"403 0 signature clam.exe.UNOFFICIAL") ok "$name: found" ;;
	*.rar*:"$(unscanned unsupported)")
		# Debian's ClamAV can't open RAR, and has no way to say so: ours has.
		rar=$((rar + 1))
		ok "$name: not scanned, and so blocked"
		;;
	*) not_ok "$name" "$got" ;;
	esac
done
is "$count" 44 "all test files of ClamAV were tried"
is "$(total verdicts.not_scanned)" $rar "... and nothing else of them could not be scanned"

# --- what the client is told ---------------------------------------------------------
# shellcheck disable=SC2016
script='<script>alert(1)</script>'
is "$(fetch "$O4/file/eicar.com?page")" "$BLOCKED" "a page"
cp "$T/body" "$T/page"
id=$(sed -n 's,^<dt>Event</dt><dd><code>\(.*\)</code></dd>$,\1,p' "$T/page")
check "... has the URL" grep -qF "<dd>$O4/file/eicar.com?page</dd>" "$T/page"
check "... and the time" grep -qE '<dt>Time</dt><dd>20[0-9-]{8} [0-9:]{8} UTC</dd>' "$T/page"
check "... and nothing of the object" test "$(grep -c STANDARD-ANTIVIRUS "$T/page")" = 0
is "$(event "file/eicar.com?page" id verdict reason name status action direction rule)" \
	"$id blocked signature $FOUND 403 block download scan" "... and the event that it names is in the journal"
is "$(event "file/eicar.com?page" sha256 client)" \
	"$(sha_of "$T/www/eicar.com") $(event "file/eicar.com?page" client | grep -F "$CLIENT:")" \
	"... with the object's hash and the client"
on_gw "$BIN/sluicectl" -s "$T/run/control.sock" events --reason signature >"$T/events"
check "... and sluicectl lists it for people" grep -qF 'file/eicar.com?page' "$T/events"
is "$(fetch "$O4/file/eicar.com?$script\"'&x")" "$BLOCKED" "a script in the URL"
check "... does not get into the page" test "$(grep -cF "$script" "$T/body")" = 0
check "... unless as text" grep -qF '&lt;script&gt;alert(1)' "$T/body"
fetch "$O4/file/eicar.com" -H "Host: $script" >"$T/said"
check "... nor by the name of the host" test "$(grep -cF "$script" "$T/body")" = 0
get -D "$T/head" -o "$T/body" "$O4/file/eicar.com?kept" "$O4/ok" >/dev/null
is "$(grep -c '^HTTP/1.1 [24]0' "$T/head")" 2 "a connection goes on after the page"
is "$(grep -ciE '^(cache-control: no-store|x-content-type-options: nosniff)' "$T/head")" 2 "... which is kept nowhere"

# --- infected URLs -------------------------------------------------------------------
is "$(fetch "$O4/file/eicar.com?again")" "$BLOCKED" "an infected URL"
is "$(fetch "$O4/file/eicar.com?again")" "403 0 infected_url $FOUND" "... is refused the next time"
is "$(get -I "$O4/file/eicar.com?again" | tr -d '\r' | sed -n '1p; s/^Content-Length: [1-9].*/length/p' | paste -sd' ')" \
	"HTTP/1.1 403 Forbidden length" "... HEAD likewise, without a body"
is "$(fetch "$O4/file/eicar.com?again" -r 0-9)" "403 0 infected_url $FOUND" "... and a part of it"
is "$(origin_saw "file/eicar.com?again")" 1 "... and the origin server was asked only once"
is "$(event "file/eicar.com?again" reason name rule action)" \
	"infected_url $FOUND scan.infected_url_block block" "... in the journal, too"
for elsewhere in "http://10.77.2.3:9000" "$O6"; do
	is "$(fetch "$elsewhere/file/eicar.com?again")" "$BLOCKED" "... another server is asked: $elsewhere"
done
is "$(fetch "$O4/file/eicar.com?again" -H 'Host: elsewhere.test')" "$BLOCKED" "... and another name of this one"
is "$(origin_saw "file/eicar.com?again")" 4 "... each by a request"
is "$(fetch "http://$SERVER/clean.txt?again")" "$(whole "$T/www/clean.txt")" "... and other URLs are free"
is "$(get -I "$O4/file/eicar.com?peek" | head -c 12)" "HTTP/1.1 200" "HEAD of one that nobody fetched yet"
is "$(fetch "$O4/file/eicar.com?peek")" "$BLOCKED" "... does not hide it"

# --- the verdict cache ---------------------------------------------------------------
# cached NAME URL WANTED: the second time from the cache, with no scan
cached() {
	local scans hits
	is "$(fetch "$2?one")" "$3" "$1"
	scans=$(scan_counter scans) hits=$(total cache_hits)
	is "$(fetch "$2?two")" "$3" "... again"
	is "$(scan_counter scans) $(total cache_hits)" "$scans $((hits + 1))" "... from the cache"
}
head -c 5000 /dev/urandom >"$T/www/small"
head -c 300000 /dev/urandom >"$T/www/medium"
head -c 20000000 /dev/urandom >"$T/www/large"
{ cat "$T/www/small" && eicar; } >"$T/www/bad"
cached "a small object" "$O4/file/small" "$(whole "$T/www/small")"
cached "... by chunks" "$O4/file-chunked/medium" "$(whole "$T/www/medium")"
cached "a large one" "$O6/file/large" "$(whole "$T/www/large")"
# Malware under a new URL is scanned each time, because the scan role is to remember the URL.
scans=$(scan_counter scans)
for url in "$O4/file/bad?one" "$O4/file/bad?two" "$O4/file-close/bad"; do
	is "$(fetch "$url")" "$BLOCKED" "malware that was seen before"
	is "$(fetch "$url")" "403 0 infected_url $FOUND" "... is known by its new URL the next time"
done
is "$(scan_counter scans)" $((scans + 3)) "... for one scan each"
# The same bytes mean something else under another coding, in whatever order they come.
is "$(fetch "$O4/file/eicar.com.br?plain")" "$(whole "$T/www/eicar.com.br")" "coded bytes without a coding"
is "$(fetch "$O4/file/eicar.com.br?coding=br&now")" "$BLOCKED" "... with it"
is "$(fetch "$O4/file/eicar.com.br?plain")" "$(whole "$T/www/eicar.com.br")" "... and without it"
is "$(fetch "$O4/file/eicar.com.br?coding=gzip")" "$(unscanned coding)" "... with one that they don't have"
is "$(fetch "$O4/file/eicar.com.br?coding=snafu")" "$(unscanned coding)" "... and with an unknown one"
is "$(fetch "$O4/file/bad?coding=gzip")" "$BLOCKED" "malware under a wrong coding"
is "$(fetch "$O4/file/small?coding=gzip")" "$(unscanned coding)" "... and none"
is "$(fetch "$O4/file/small?three")" "$(whole "$T/www/small")" "... which is clean without it"

# --- time ----------------------------------------------------------------------------
stop_sluice
sluice_conf intercept.http='{80, 9000}' delivery.hold_below=64M scan.infected_url_block=2s
# shellcheck disable=SC2119
start_sluice || exit 1
refused_again() { [ "$(fetch "$O4/file/eicar.com?short")" = "$BLOCKED" ] && origin_saw_is "file/eicar.com?short" 2; }
is "$(fetch "$O4/file/eicar.com?short")" "$BLOCKED" "an infected URL for two seconds"
is "$(fetch "$O4/file/eicar.com?short")" "403 0 infected_url $FOUND" "... is refused"
check "... and asked for again after them" wait_for 10 refused_again
plan $TAP_COUNT
done_testing
