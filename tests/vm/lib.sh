# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Booting a guest; tests/vm/run is the command for it.
VM_LIMIT=${VM_LIMIT:-400} # seconds for one guest
VM_MEMORY=${VM_MEMORY:-768}

# What no kernel says when all is well.
VM_COMPLAINTS='WARNING|BUG[ :]|Oops|Call Trace|general protection|refcount_t|KFENCE|KASAN|UBSAN|Objects remaining|'
VM_COMPLAINTS+='possible (circular|recursive)|inconsistent lock|suspicious RCU|rcu.*(stall|detected)|soft lockup|blocked for more than|'
VM_COMPLAINTS+='scheduling while atomic|sleeping function|use-after-free|double free|unable to handle|cut here'

vm_environment() { # KERNEL-DIRECTORY MODULE
	printf 'VM_MODULES=%q\nVM_DIR=%q\nVM_O=%q\n' "$1/lib/modules" "$PWD" "${O:-build}"
	printf 'VM_KERNEL=%q\nVM_MODULE=%q\n' "$(basename "$1")" "$2"
	printf 'VM_MODULE_SUM=%q\n' "${2:+$(sha256sum "$2" | cut -d' ' -f1)}"
}

# vm_qemu KERNEL-DIRECTORY OUT: QEMU's exit status. One thread for both processors: with two, guests crash when hooks are
# registered under traffic (QEMU 7.2). No network: the guest has its own namespaces.
vm_qemu() {
	timeout --kill-after=5 "$VM_LIMIT" qemu-system-x86_64 -accel tcg,thread=single,tb-size=256 -cpu max -smp 2 \
		-m "$VM_MEMORY" -M q35 -nodefaults -no-user-config -display none -no-reboot -nic none \
		-serial "file:$2/console" -device isa-debug-exit,iobase=0xf4,iosize=4 \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev "local,id=out,path=$2,security_model=none" -device virtio-9p-pci,fsdev=out,mount_tag=out \
		-kernel "$1/vmlinux" -initrd "$1/initrd" \
		-append "console=ttyS0,115200 loglevel=4 panic=-1 oops=panic nokaslr mitigations=off random.trust_cpu=on no_timer_check tsc=reliable slab_nomerge net.ifnames=0" \
		</dev/null >"$2/qemu" 2>&1
}

# vm_verdict STATUS OUT: what QEMU's exit status means; the device gives twice what was written, plus one
vm_verdict() {
	case $1 in
	33) return 0 ;;
	35) grep -q '^not ok' "$2/tap" || echo "not ok - the script ended with status $(cat "$2/status")" ;;
	124 | 137) echo "not ok - the guest ended in time ($VM_LIMIT s)" ;;
	*) echo "not ok - the guest came to an end of its own (QEMU: status $1)" ;;
	esac
	[ "$1" = 35 ] || { tail -n 40 "$2/console" && cat "$2/qemu"; } | tr -d '\r' | sed 's/^/# /'
	return 1
}

# vm_boot KERNEL-DIRECTORY MODULE COMMAND...: TAP on standard output; 0 passed
vm_boot() {
	local dir=$1 out status=0 qemu said
	out=$(mktemp -d "${TMPDIR:-/tmp}/sluice-vm.XXXXXX") || return 1
	vm_environment "$dir" "$2" >"$out/environment"
	shift 2
	printf '%q ' exec "$@" >"$out/command"
	cp "$(dirname "${BASH_SOURCE[0]}")/guest" "$out/guest"
	vm_qemu "$dir" "$out"
	qemu=$?
	[ ! -e "$out/tap" ] || cat "$out/tap"
	vm_verdict "$qemu" "$out" || status=1
	if [ ! -s "$out/dmesg" ]; then
		echo "not ok - the kernel's log was kept"
		status=1
	elif said=$(grep -E "$VM_COMPLAINTS" "$out/dmesg"); then
		echo "not ok - a clean kernel log"
		printf '%s\n' "$said" | head -n 20 | sed 's/^/# /'
		status=1
	else
		echo "ok - a clean kernel log"
	fi
	if [ -n "${KEEP:-}" ]; then echo "# kept: $out"; else rm -rf "$out"; fi
	return $status
}
