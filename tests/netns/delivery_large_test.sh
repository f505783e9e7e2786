#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Objects of more than 4 GiB: they arrive as they are, and the gateway holds no more of them than its limits say.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_clam_db "$T/clamdb"
start_nginx || exit 1
start_origin 9000 || exit 1
SIZE=$(((5 << 30) + 12345))
CHUNKED=$(((4 << 30) + 54321))
get() { on_client curl -sS -m 110 "$@"; }

# A file with holes; around every limit of 31 and 32 bits and at its ends are bytes of their own.
truncate -s $SIZE "$T/www/sparse"
for at in 0 $(((2 << 30) - 5000)) $(((4 << 30) - 5000)) $((SIZE - 10000)); do
	head -c 10000 /dev/urandom | dd of="$T/www/sparse" bs=64K oflag=seek_bytes seek=$at conv=notrunc status=none
done
head -c $((64 << 20)) /dev/urandom >"$T/www/usual"
chmod 644 "$T/www/sparse" "$T/www/usual"

# peak_of PID: the most of it that was in memory, in KiB; what it shares with others counts
peak_of() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
peak() { peak_of "$(role_pid relay)"; }
# watch CLIENT: the most that objects take while it runs; the counters are kept once a second
watch() {
	local most=0 now
	until gone "$1"; do
		now=$(status "x['totals']['body_memory'] + x['totals']['body_disk']")
		[ "$now" -le "$most" ] || most=$now
		sleep $POLL
	done
	echo "$most"
}
# large NAME URL FILE LIMIT: it arrives as FILE is, and objects take less than LIMIT meanwhile
large() {
	local client held
	get "$2" | cmp - "$3" >"$T/differs" 2>&1 &
	client=$!
	held=$(watch $client)
	wait $client
	is "$? $(cat "$T/differs")" "0 " "$1"
	is_less "$held" "$4" "... while little of it is held ($((held >> 20)) MiB)"
}

sluice_conf relays=1 scan.engine=none
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
large "$((SIZE >> 20)) MiB, passed on" "http://$SERVER/sparse" "$T/www/sparse" 1
is_less "$(peak)" 40000 "the relay's memory ($(peak) KiB)"
is "$(event /sparse verdict status bytes_out)" "passed 200 $(event /sparse bytes_out)" "the event"
is_less $SIZE "$(event /sparse bytes_out)" "... counts beyond 32 bits"
stop_sluice

# All of it in memory, since a client may get it only when it was scanned: the limit is scan.memory.
sluice_conf relays=1
# shellcheck disable=SC2119
start_sluice || exit 1
large "64 MiB, scanned" "http://$SERVER/usual" "$T/www/usual" $((65 << 20))
is "$(event /usual verdict status)" "clean 200" "the event"
is_less "$(peak)" 110000 "the relay's memory ($(peak) KiB)"
for worker in $(scan_workers); do note "a scan worker's memory: $(peak_of "$worker") KiB"; done
stop_sluice

sluice_conf relays=1 scan.max_object=8M scan.not_scanned=allow intercept.http='{80, 9000}'
# shellcheck disable=SC2119
start_sluice || exit 1
large "$((SIZE >> 20)) MiB, larger than what is scanned, over IPv6" "http://[$SERVER6]/sparse?scan" "$T/www/sparse" 1
is "$(event /sparse?scan verdict reason action)" "not_scanned size allow" "... in the journal"
is "$(total unscanned_bytes.size)" $SIZE "... and counted"
# Whose length is not known is stored as long as it may still be scanned.
large "$((CHUNKED >> 20)) MiB by chunks" "http://$SERVER:9000/chunked/$CHUNKED" \
	<(on_server curl -sS "http://127.0.0.1:9000/close/$CHUNKED") $((16 << 20))
is "$(event /chunked/ verdict reason action)" "not_scanned size allow" "... in the journal"
is "$(total unscanned_bytes.size)" $((SIZE + CHUNKED)) "... and counted"
is_less "$(peak)" 60000 "the relay's memory ($(peak) KiB)"
stop_sluice
plan $TAP_COUNT
done_testing
