#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds sluice_acct.ko for the running kernel into build/kmod/VERSION/.
# usage: [KVER=VERSION] [KDIR=DIRECTORY] [O=build] [CHECK=1] [V=1] kmod/build_nfq_ko.sh
#   KVER   another kernel, as `uname -r` would say there
#   KDIR   its build directory (default /lib/modules/KVER/build)
#   CHECK  run sparse over the sources as well; what it finds is an error
# Exit status: 0 built, 1 failed, 2 the kernel's headers are missing, 3 the kernel can't load modules.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
running=$(uname -r)
kver=${KVER:-$running}
kdir=${KDIR:-/lib/modules/$kver/build}
out=${O:-$here/../build}/kmod/$kver

die() {
	status=$1
	shift
	printf 'build_nfq_ko.sh: %s\n' "$@" >&2
	exit "$status"
}

if [ "$kver" = "$running" ] && [ ! -e /proc/modules ]; then
	die 3 "the running kernel ($kver) was built without loadable modules (CONFIG_MODULES=n): it can't use sluice_acct." \
		"apps.counters = \"bpf\" or \"conntrack\" count without it. For another kernel: KVER=VERSION $0"
fi
if [ ! -f "$kdir/Makefile" ] || [ ! -f "$kdir/include/config/auto.conf" ]; then
	die 2 "the headers of kernel $kver are missing ($kdir)." \
		"On Debian: apt-get install linux-headers-$kver (elsewhere: set KDIR to the kernel's build directory)"
fi
# has OPTION: whether that kernel is built with it
has() { grep -qE "^$1=[ym]" "$kdir/include/config/auto.conf"; }
has CONFIG_MODULES || die 3 "kernel $kver is built without loadable modules (CONFIG_MODULES=n)"
has CONFIG_NF_CONNTRACK || die 1 "kernel $kver has no connection tracking (CONFIG_NF_CONNTRACK)"
has CONFIG_NF_CONNTRACK_MARK || die 1 "kernel $kver has no connection marks (CONFIG_NF_CONNTRACK_MARK)"

# The kernel's build writes beside the sources, so give it links to them.
mkdir -p "$out"
out=$(cd "$out" && pwd)
for f in "$here"/*.c "$here"/*.h "$here"/Kbuild; do
	ln -sf "$f" "$out/"
done
log=$out/build.log
# Type information of modules (BTF) needs the kernel's vmlinux and pahole; nothing here uses it.
set -- -C "$kdir" "M=$out" W=1 CONFIG_DEBUG_INFO_BTF_MODULES=
if [ -n "${CHECK:-}" ]; then
	command -v sparse >/dev/null || die 1 "sparse is not installed"
	set -- "$@" C=2
fi
if ! make --no-print-directory "$@" modules >"$log" 2>&1; then
	grep -E 'error|warning|No rule|\*\*\*' "$log" | head -n 20 >&2
	die 1 "the build for kernel $kver failed; all of it is in $log"
fi
[ -z "${V:-}" ] || [ "${V:-}" = 0 ] || cat "$log"
# Ours and sparse's words only: what the kernel's own build has to say is not about us.
said=$(grep -E '(warning|error):' "$log" || true)
[ -z "$said" ] || printf '%s\n' "$said" >&2
if [ -n "$said" ] && [ -n "${CHECK:-}${CI:-}" ]; then
	die 1 "warnings, see above"
fi
magic=$(modinfo -F vermagic "$out/sluice_acct.ko" 2>/dev/null | cut -d' ' -f1)
[ "${magic:-$kver}" = "$kver" ] || die 1 "$kdir belongs to kernel $magic, not to $kver"
echo "$out/sluice_acct.ko"
