# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the harness reads CAND_*; BT and BENCH are its own
CAND_DESC="Sluice, engine = libclamav: every body scanned or known to the verdict cache, no access events"
CAND_CAPS="http ftp av"
cand_start() {
	mkdir -p "$BT/sluice/clamdb"
	cp "$BENCH/conf/eicar.ndb" "$BT/sluice/clamdb/"
	chmod -R a+rX "$BT/sluice/clamdb"
	SLUICE_FTP=21 sluice_up "scan { engine = \"libclamav\" database = \"$BT/sluice/clamdb\" not_scanned = \"block\" }" \
		'log { access = false }'
}
cand_stop() { sluice_down; }
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../sluice.sh"
