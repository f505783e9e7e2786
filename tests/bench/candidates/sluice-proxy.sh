# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034  # the harness reads CAND_*
CAND_DESC="Sluice as a proxy only: engine = none, no labels (so no conntrack), TLS passed on unread, no access events"
CAND_CAPS="http tls"
cand_start() { SLUICE_HTTP='80, 443' sluice_up 'scan { engine = "none" }' 'apps { enabled = false }' 'log { access = false }'; }
cand_stop() { sluice_down; }
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../sluice.sh"
