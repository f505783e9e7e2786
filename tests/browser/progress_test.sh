#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody who downloads in a browser behind delivery.mode = progress: the page is shown, and then the file is there, with
# scripts and without them; of malware only the page.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/../netns/lib_scan.sh"
# shellcheck source=tests/browser/lib_browser.sh
. "$(dirname "$0")/lib_browser.sh"
command -v chromium >/dev/null || { skip "downloads of a browser" "chromium is not installed"; plan "$TAP_COUNT"; exit 0; }
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
W=$T/www D=$T/downloads
noise 3000000 >"$W/clean.iso"
{ noise 3000000 && cat "$W/eicar.zip"; } >"$W/evil.iso"
chmod 644 "$W"/*
sluice_conf intercept.http='{9000}' scan.infected_url_block=0 delivery.mode=progress delivery.progress_after=300ms
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1

shows() { grep -qF -- "$1" "$T/shown" 2>/dev/null; }
# download NAME ORIGIN [OPTION...]: in a new browser, BROWSER, until the page is there; what it shows is in $T/shown
download() {
	local name=$1 origin=$2
	shift 2
	rm -rf "$D" "$W/gate" "$T/shown" "$T/chromium"
	mkdir -p "$D"
	HOME=$T spawn "$NS_CLIENT" browser "$PYTHON" "${0%/*}/download.py" "$T/chromium" "$D" \
		"$origin/file/$name?type=application/octet-stream&at=1000000&gate=gate" --text "$T/shown" "$@"
	BROWSER=$SPAWNED
	wait_for 20 shows '1.0 MB of 3.0 MB are here.'
}
arrived() { [ "$(sha_of "$D/$1" 2>/dev/null)" = "$(sha_of "$W/$1")" ]; }

for origin in "http://$SERVER:9000" "http://[$SERVER6]:9000"; do
	for scripts in true false; do
		download clean.iso "$origin" --blink-settings=scriptEnabled=$scripts
		is "$? $(ls "$D")" "0 " "a browser shows the page, $origin, scripts $scripts"
		check "... and what it is about" shows 'Your download is being checked'
		: >"$W/gate"
		check "... and downloads the file when it is judged" wait_for 20 arrived clean.iso
		check "... the page says so" wait_for 10 shows 'Your download is ready'
		browser_down
	done
done
download evil.iso "http://$SERVER:9000"
: >"$W/gate"
check "of malware the page tells" wait_for 20 shows 'Your download was blocked'
check "... and why" shows 'The scanner found malware in it.'
is "$(event file/evil.iso verdict name)" "blocked $FOUND" "... and so does the journal"
browser_down
is "$(ls "$D")" "" "... and nothing of it is on the client's disk"
plan "$TAP_COUNT"
done_testing
