#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: the tests of layer bpf, but for those of parsing, which no kernel does otherwise and which take half a minute
# there. The kernel's conntrack is a module, and BPF finds the module's functions once it is loaded.
set -u
modprobe nf_conntrack
failed=0
for t in flows recent sockets; do
	CMOCKA_MESSAGE_OUTPUT=TAP "$O/tests/bpf/${t}_test" 2>&1 | grep -v '^# not ok\|^# ok'
	[ "${PIPESTATUS[0]}" = 0 ] || failed=1
done
exit $failed
