# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Chromium in the client's namespace; sourced after lib.sh.

# browser_up URL [OPTION...]: one that remembers nothing; BROWSER is its process
browser_up() {
	local url=$1
	shift
	rm -rf "$T/chromium"
	HOME=$T spawn "$NS_CLIENT" chromium chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--no-first-run --disable-background-networking --user-data-dir="$T/chromium" "$@" "$url"
	BROWSER=$SPAWNED
}
browser_down() { end_pid "$BROWSER"; }
