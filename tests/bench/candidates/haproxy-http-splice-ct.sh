# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the harness reads CAND_*; BENCH and NG are its own
# The harness's HAProxy on a gateway that tracks connections, as one that masquerades or filters by state does. Sluice's
# rules switch conntrack on by themselves (zones), so this is the peer at equal terms.
# shellcheck source=/dev/null
. "$BENCH/candidates/haproxy-http-splice.sh"
CAND_DESC="$CAND_DESC; conntrack on"
haproxy_start=$(declare -f cand_start)
eval "plain_start${haproxy_start#cand_start}"
cand_start() {
	plain_start
	printf 'table inet tracked {\n chain forward {\n type filter hook forward priority filter\n ct state established counter\n }\n}\n' |
		g_run nft -f -
}
