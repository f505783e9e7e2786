# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the harness reads CAND_*; BT is its own
CAND_DESC="Sluice intercepts, but none of this: forwarded traffic classified (nDPI, first packets) and counted by BPF"
CAND_CAPS="http ftp tls iperf"
# None of the harness's servers is on port 8000.
cand_start() {
	SLUICE_HTTP=8000 SLUICE_RELAYS=1 sluice_up 'scan { engine = "none" }' 'log { access = false }' &&
		sluice_counts
}
cand_stop() { sluice_down; }
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../sluice.sh"
