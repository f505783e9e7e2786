#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a browser and curl make of each response in evasions.py, without a gateway and behind one. Nothing may arrive in plain
# that is a sample; what becomes of each case is held against evasions.tsv (UPDATE=1 writes it anew).
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/../netns/lib_scan.sh"
# shellcheck source=tests/browser/lib_browser.sh
. "$(dirname "$0")/lib_browser.sh"
HERE=$TESTS/browser
ns_up
make_clam_db "$T/clamdb"
# The engine makes a page's text plain, and small letters of it, and has signatures for what comes of that.
printf 'Sluice.Test.Eicar.Page:0:*:%s\n' "$(eicar | tr '[:upper:]' '[:lower:]' | od -An -tx1 | tr -d ' \n')" \
	>"$T/clamdb/page.ndb"
mkdir -p "$T/lab"
eicar >"$T/lab/sample"
printf 'nothing to see here, and as long as a sample would be: clean, whatever\n' >"$T/lab/clean"
printf 'a body that stands beside another\n' >"$T/lab/twin"
for kind in sample clean twin; do
	(cd "$T/lab" && brotli -k $kind && zstd -q -k $kind)
done
"$PYTHON" "$HERE/evasions.py" list >"$T/lab/cases"
cp "$HERE/evasions.html" "$T/lab/"
spawn "$NS_SERVER" evasions "$PYTHON" -u "$HERE/evasions.py" serve 80 "$T/lab"
wait_for 10 listens "$NS_SERVER" 80 || exit 1

declare -A MARK=([sample]=STANDARD-ANTIVIRUS-TEST-FILE [clean]='nothing to see here')
# by_browser FILE: "CASE sample|- clean|-", which of the two arrive
by_browser() {
	: >"$T/log/evasions"
	browser_up "http://$SERVER/evasions.html"
	wait_for 240 grep -q '^END$' "$T/log/evasions" || not_ok "the browser comes to an end" "$(tail -n 2 "$T/log/evasions")"
	browser_down
	tr -d '\0' <"$T/log/evasions" | sed '/^END$/d; s/%20/ /g' | "$PYTHON" -c 'import sys, urllib.parse
for line in sys.stdin: print(urllib.parse.unquote(line.strip()))' >"$1"
}
# by_curl FILE: the same
by_curl() {
	local name kind line
	while read -r name _; do
		line=$name
		for kind in sample clean; do
			on_client curl -s -m 4 --compressed --http0.9 -o "$T/got" "http://$SERVER/case/$(escaped "$name")/$kind?curl"
			if grep -qaF "${MARK[$kind]}" "$T/got" 2>/dev/null; then line="$line $kind"; else line="$line -"; fi
			rm -f "$T/got"
		done
		echo "$line"
	done <"$T/lab/cases" >"$1"
}
escaped() { "$PYTHON" -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe=""))' "$1"; }
# by_gateway FILE: "CASE STATUS-REASON STATUS-REASON", the gateway's own answers for both, or "passes"
by_gateway() {
	local name kind line said
	while read -r name _; do
		line=$name
		for kind in sample clean; do
			said=$(fetch "http://$SERVER/case/$(escaped "$name")/$kind?gateway" --http0.9 -m 4)
			case $said in
			"403 0 signature "*) line="$line blocked" ;;
			"403 0 "* | "502 0 "* | "504 0 "*) line="$line ${said%% *}-$(cut -d' ' -f3 <<<"$said")" ;;
			*) line="$line passes" ;;
			esac
		done
		echo "$line"
	done <"$T/lab/cases" >"$1"
}
# words: "CASE/KIND WORD", what the parser minded; the page doesn't say it, the event does
words() {
	sluice_events | "$PYTHON" -c 'import json, sys, urllib.parse
for event in map(json.loads, sys.stdin):
    path = urllib.parse.unquote(event.get("url") or "")
    if event.get("reason") == "bad_response" and path.endswith("?gateway"):
        print(path.split("/case/")[1][:-len("?gateway")], event["name"])'
}

by_browser "$T/direct.browser"
by_curl "$T/direct.curl"
sluice_conf log.level=info
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
by_browser "$T/behind.browser"
by_curl "$T/behind.curl"
by_gateway "$T/behind.gateway"
check "sluiced stops" stop_sluice

# --- what must never be ------------------------------------------------------------------
cases=$(wc -l <"$T/lab/cases")
# A browser makes more of a page than an engine that runs no script, ends a word at every tag, and takes what has none of
# certain tags for no page at all.
BEYOND="page:-entities,-and-no-tag-that-names-a-page page:-broken-up-by-tags page:-a-script-of-codes page:-a-script's-base64"
for who in browser curl; do
	is "$(wc -l <"$T/direct.$who") $(wc -l <"$T/behind.$who")" "$cases $cases" "$who has seen every case, twice"
	is_less 20 "$(awk '$2 == "sample"' "$T/direct.$who" | wc -l)" "$who gets samples in plain where nothing scans"
	[ $who = browser ] || BEYOND=
	is "$(awk '$2 == "sample" { print $1 }' "$T/behind.$who" | paste -sd' ')" "$BEYOND" "$who gets none of them behind the gateway"
done

# --- what becomes of each -----------------------------------------------------------------
words >"$T/words"
{
	printf '# case\tgroup\tbrowser\tcurl\tsample\tclean\tbrowser behind\tcurl behind\n'
	paste -d' ' "$T/lab/cases" "$T/direct.browser" "$T/direct.curl" "$T/behind.gateway" "$T/behind.browser" \
		"$T/behind.curl" | tr '\t' ' ' | awk -v OFS='\t' -v words="$T/words" '
		function told(kind, answer) {
			return answer == "502-bad_response" ? "502-" word[$1 "/" kind] : answer
		}
		BEGIN { while ((getline line <words) > 0) { split(line, w, " "); word[w[1]] = w[2] } }
		{ print $1, $2, $4 "/" $5, $7 "/" $8, told("sample", $10), told("clean", $11), $14, $17 }'
} >"$T/table"
[ -z "${UPDATE:-}" ] || cp "$T/table" "$HERE/evasions.tsv"
is "$(diff "$HERE/evasions.tsv" "$T/table")" "" "each case is as the table has it"
done_testing
