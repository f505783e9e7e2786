#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bpf/ on Debian's 6.1 and 6.12: their verifiers take the program, and it counts there as it does here (layer bpf).
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/vm/kernels.sh
. tests/vm/kernels.sh

programs() { in_guest tests/vm/bpf_guest.sh; }

make --no-print-directory O="$O" all bpf >/dev/null || {
	echo "not ok - what the guests run is built"
	exit 1
}
each_kernel "programs of bpf/" programs
