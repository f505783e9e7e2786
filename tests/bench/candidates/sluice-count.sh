# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the harness reads CAND_*; BT is its own
CAND_DESC="Sluice, nothing to intercept: forwarded traffic classified (nDPI, first packets) and counted by BPF"
CAND_CAPS="http ftp tls iperf"
cand_start() {
	SLUICE_HTTP='' SLUICE_RELAYS=1 sluice_up 'scan { engine = "none" }' 'log { access = false }' &&
		sluice_counts
}
cand_stop() { sluice_down; }
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../sluice.sh"
