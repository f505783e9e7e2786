#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A browser's downloads that the server breaks off in the middle: it goes on by itself where it was, with Range and If-Range.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/../netns/lib_scan.sh"
# shellcheck source=tests/browser/lib_browser.sh
. "$(dirname "$0")/lib_browser.sh"
command -v chromium >/dev/null || { skip "downloads that break off" "chromium is not installed"; plan "$TAP_COUNT"; exit 0; }
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
W=$T/www D=$T/downloads
noise 3000000 >"$W/clean"
{ cat "$W/clean" && cat "$W/eicar.zip"; } >"$W/evil"
chmod 644 "$W"/*
SIZE=$(stat -c %s "$W/evil")
TAIL=65536
sluice_conf intercept.http='{9000}' relays=1 scan.workers=1 scan.infected_url_block=0
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1

# download NAME SERVER: in a new browser, BROWSER; the server closes once after two million bytes
download() {
	rm -rf "$D" "$T/chromium"
	mkdir "$D"
	HOME=$T spawn "$NS_CLIENT" browser "$PYTHON" "${0%/*}/download.py" "$T/chromium" "$D" \
		"http://$2:9000/file/$1?type=application/octet-stream&tag=%22$2%22&once=2000000"
	BROWSER=$SPAWNED
}
arrived() { [ "$(sha_of "$D/clean" 2>/dev/null)" = "$(sha_of "$W/clean")" ]; }
judged() { sluicectl --json events --url "$1" -n 1 | grep -q '"verdict": *"blocked"'; }

for server in "$SERVER" "[$SERVER6]"; do
	download clean "$server"
	check "a download goes on where the server broke it off, $server" wait_for 30 arrived
	is "$(event "$server:9000/file/clean" status verdict)" "206 clean" "... with a part of what was scanned whole"
	browser_down
	download evil "$server"
	check "... of malware it goes on, too" wait_for 30 judged "$server:9000/file/evil"
	browser_down
	came=$(find "$D" -type f -printf '%s\n' | sort -n | tail -n 1)
	is_less "${came:-0}" $((SIZE - TAIL + 1)) "... but its last $TAIL bytes never come"
done
is "$(origin_saw "Range:")" 0 "no server was asked for a part"
plan $TAP_COUNT
done_testing
