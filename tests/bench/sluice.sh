# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # BT, NG, NS and the g_* functions are the harness's
# What the Sluice candidates share. SLUICE_BIN: where sluiced is (default: this checkout's build/bin).
SLUICE_BIN=${SLUICE_BIN:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/bin}

# sluice_up SECTION...: start it in the gateway with these sections, wait until it takes connections in (to SLUICE_HTTP, SLUICE_FTP)
sluice_up() {
	mkdir -p "$BT/sluice"
	{
		cat <<-CONF
			state_dir = "$BT/sluice/state"
			run_dir = "$BT/sluice/run"
			user = "nobody"
			relays = ${SLUICE_RELAYS:-2}
			intercept {
				lan = {"gc"}
				http = {${SLUICE_HTTP-80}}
				ftp = {${SLUICE_FTP-}}
			}
		CONF
		printf '%s\n' "$@"
	} >"$BT/sluice/sluice.conf"
	g_spawn sluice "$SLUICE_BIN/sluiced" -c "$BT/sluice/sluice.conf" -f
	for _ in $(seq 150); do
		if sluice_ctl --json status 2>/dev/null | grep -q '"ready":true'; then return 0; fi
		sleep 0.1
	done
	tail -20 "$BT/log/sluice.out" >&2
	return 1
}
sluice_ctl() { ip netns exec "$NG" "$SLUICE_BIN/sluicectl" -s "$BT/sluice/run/control.sock" "$@"; }
# Nothing must be measured that is neither named nor counted.
sluice_counts() {
	local said
	for _ in $(seq 50); do
		said=$(sluice_ctl --json status)
		case $said in
		*"which counts nothing"*) ;; # conntrack's counters are not on yet
		*"labels: queues"*"bytes: by ${1:-BPF}"*) return 0 ;;
		esac
		sleep 0.1
	done
	printf '%s\n' "$said" >&2
	return 1
}
# In order: what is left of connections must not disturb the next candidate.
sluice_down() { sluice_ctl stop >/dev/null; }
