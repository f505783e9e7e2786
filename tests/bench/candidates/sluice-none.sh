# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034  # the harness reads CAND_*
CAND_DESC="Sluice, engine = none: HTTP parsed and passed on by splice, no access events"
CAND_CAPS="http ftp"
cand_start() { SLUICE_FTP=21 sluice_up 'scan { engine = "none" }' 'log { access = false }'; }
cand_stop() { sluice_down; }
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../sluice.sh"
