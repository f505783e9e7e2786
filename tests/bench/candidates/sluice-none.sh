CAND_DESC="Sluice, engine = none: HTTP parsed and passed on by splice, no access events"
CAND_CAPS="http"
# shellcheck disable=SC2154  # BT, NG and the functions are the harness's
cand_start() { sluice_up 'scan { engine = "none" }' 'log { access = false }'; }
cand_stop() { sluice_down; }
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../sluice.sh"
