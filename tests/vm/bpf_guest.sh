#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: a gateway that counts by BPF, where conntrack and all else of netfilter are modules that nobody has loaded;
# then the tests of layer bpf, but for those of parsing, which no kernel does otherwise and which take half a minute there.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
ns_up
sluice_conf log.level=info intercept.http='{80}' scan.engine=none
says() { role_note app | grep -qE 'labels: queues .*; bytes: by BPF'; }
# shellcheck disable=SC2119  # no arguments for it
if start_sluice && wait_for 20 says; then ok "bytes are counted by BPF"; else not_ok "bytes are counted by BPF" "$(role_note app)"; fi
check "sluiced stops" stop_sluice

failed=$TAP_FAILED
for t in flows recent sockets; do
	CMOCKA_MESSAGE_OUTPUT=TAP "$O/tests/bpf/${t}_test" 2>&1 | grep -v '^# not ok\|^# ok'
	[ "${PIPESTATUS[0]}" = 0 ] || failed=1
done
[ "$failed" = 0 ]
