# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests that run on each of Debian's kernels; sourced from the tree's top.
export O=${O:-build}
KERNELS=${VM_KERNELS:-6.1 6.12}
VM_FAILED=0 VM_COUNT=0
SERIES= # the kernel's, in names of tests
KERNEL= # its directory, see tests/vm/kernel

report() { # STATUS NAME
	[ "$1" = 0 ] || VM_FAILED=$((VM_FAILED + 1))
	VM_COUNT=$((VM_COUNT + 1))
	if [ "$1" = 0 ]; then echo "ok $VM_COUNT - $SERIES: $2"; else echo "not ok $VM_COUNT - $SERIES: $2"; fi
}
skip() { # NAME REASON
	VM_COUNT=$((VM_COUNT + 1))
	echo "ok $VM_COUNT - $SERIES: $1 # SKIP $2"
}
# renumber: TAP of a guest, numbered anew and with the kernel in front
renumber() {
	local line
	while IFS= read -r line; do
		case $line in
		1..* | "") ;;
		ok\ * | not\ ok\ *)
			VM_COUNT=$((VM_COUNT + 1))
			[ "${line#not}" = "$line" ] || VM_FAILED=$((VM_FAILED + 1))
			printf '%s\n' "$line" | sed -E "s/^(ok|not ok)( [0-9]+)?( -)?/\1 $VM_COUNT - $SERIES:/"
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}
# in_guest [-m MODULE] SCRIPT: as tests/vm/run has it, on $KERNEL
in_guest() {
	local module=()
	if [ "$1" = -m ]; then
		module=("$1" "$2")
		shift 2
	fi
	# a process substitution keeps the counts in this shell
	renumber < <(tests/vm/run "${module[@]}" "$KERNEL" "$@")
}

# each_kernel NAME FUNCTION: what to skip where there is none, and what to do where there is
each_kernel() {
	local said
	said=$(mktemp) || exit 1
	for SERIES in $KERNELS; do
		if ! KERNEL=$(tests/vm/kernel "$SERIES" 2>"$said"); then
			skip "$1" "kernel: no Debian kernel of this series here: $(tail -n 1 "$said")"
		elif ! command -v qemu-system-x86_64 >/dev/null; then
			skip "$1" "no QEMU to boot it (tools/install-packages vm)"
		else
			"$2"
		fi
	done
	rm -f "$said"
	echo "1..$VM_COUNT"
	[ "$VM_FAILED" = 0 ]
}
