#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sluice_acct.ko: built for Debian's 6.1 and 6.12, with sparse and every warning an error, and then run on them.
set -u
cd "$(dirname "$0")/../.." || exit 1
export O=${O:-build}
failed=0 count=0

# renumber PREFIX: TAP of a part, numbered anew and with the kernel in front
renumber() {
	local line
	while IFS= read -r line; do
		case $line in
		1..* | "") ;;
		ok\ * | not\ ok\ *)
			count=$((count + 1))
			[ "${line#not}" = "$line" ] || failed=$((failed + 1))
			printf '%s\n' "$line" | sed -E "s/^(ok|not ok)( [0-9]+)?( -)?/\1 $count - $1:/"
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}
report() { # STATUS NAME
	[ "$1" = 0 ] || failed=$((failed + 1))
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}
skip() { # NAME REASON
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

make --no-print-directory O="$O" all "$O/tests/vm/acct_tool" >/dev/null || {
	echo "not ok - what the guests run is built"
	exit 1
}
said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
for series in ${ACCT_KERNELS:-6.1 6.12}; do
	if ! kernel=$(tests/vm/kernel "$series" 2>"$said"); then
		skip "$series: accounting" "kernel: no Debian kernel of this series here: $(tail -n 1 "$said")"
		continue
	fi
	module=$(CHECK=1 KVER=$(basename "$kernel") KDIR=$kernel/headers kmod/build_nfq_ko.sh)
	report $? "$series: the module compiles without a warning, sparse's included"
	[ -n "$module" ] || continue
	if ! command -v qemu-system-x86_64 >/dev/null; then
		skip "$series: accounting" "no QEMU to boot it (tools/install-packages vm)"
		continue
	fi
	# a process substitution keeps the counts in this shell
	renumber "$series" < <(tests/vm/run -m "$module" "$kernel" tests/vm/acct_guest.sh)
done
echo "1..$count"
[ "$failed" = 0 ]
