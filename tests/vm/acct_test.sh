#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sluice_acct.ko: built for Debian's 6.1 and 6.12, with sparse and every warning an error, and then run on them; and a
# gateway on them that counts by it, and by conntrack beside a flowtable.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

accounting() {
	local module
	module=$(CHECK=1 KVER=$(basename "$KERNEL") KDIR=$KERNEL/headers kmod/build_nfq_ko.sh)
	report $? "the module compiles without a warning, sparse's included"
	[ -n "$module" ] || return
	in_guest -m "$module" tests/vm/acct_guest.sh
	# A whole gateway takes its time: one kernel for each of its tests.
	if [ "$SERIES" = 6.1 ]; then
		in_guest -m "$module" tests/vm/apps_guest.sh kmod
	else
		in_guest -m "$module" tests/vm/apps_guest.sh flowtable
	fi
}

make --no-print-directory O="$O" all "$O/tests/vm/acct_tool" >/dev/null || {
	echo "not ok - what the guests run is built"
	exit 1
}
each_kernel accounting accounting
