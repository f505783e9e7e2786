#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Clean objects of 1 byte to 64 MiB, with sizes around every limit of the data path, in each framing: 201 of them
# arrive as they are, passed on and scanned, in tail mode and in hold mode.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
W=$T/www
MEMORY=4194304 # scan.memory
noise $((64 << 20 | 1)) >"$W/noise"
chmod 644 "$W/noise"
mkdir "$T/got"

# Buffers of a side (16 KiB), splice or copy (32 KiB), blocks of objects and delivery.tail (64 KiB), when tail mode
# begins to release (80 KiB), pipes, receives and copies (256 KiB), delivery.hold_below and a session's turn (1 MiB),
# scan.memory and reading ahead (4 MiB), a message of the largest region (16 MiB); each also with a byte less or more.
sizes=(2 7 100 1000 4096 8191 12345 20000 50000 100000 123456 200000 500000 777777 2000000 3333333 5000000 8000000
	9999999 12345678 20000000 33333333)
for limit in 8192 16384 32768 49152 65536 81920 131072 262144 524288 1048576 1114112 $MEMORY $((MEMORY + 65536)) \
	$((16 << 20)) $((64 << 20)); do
	sizes+=($((limit - 1)) "$limit" $((limit + 1)))
done
FRAMINGS=(file file-chunked file-close)
count=$((${#sizes[@]} * ${#FRAMINGS[@]}))
is $count 201 "so many objects"

# fetch_all HOST: all sizes in all framings, each framing by one client that keeps its connection where it can
fetch_all() {
	local framing size
	rm -f "$T"/got/*
	for framing in "${FRAMINGS[@]}"; do
		for size in "${sizes[@]}"; do
			printf 'url = "http://%s:9000/%s/noise?head=%d"\noutput = "%s"\n' "$1" "$framing" "$size" \
				"$T/got/$framing-$size"
		done | on_client curl -sS -m 100 -K - || not_ok "curl, $framing" "status $?"
	done
}
# identical: how many arrived as they are; of others it says so
identical() {
	local framing size good=0
	for framing in "${FRAMINGS[@]}"; do
		for size in "${sizes[@]}"; do
			if [ "$(stat -c %s "$T/got/$framing-$size")" = "$size" ] &&
				cmp -sn "$size" "$T/got/$framing-$size" "$W/noise"; then
				good=$((good + 1))
			else
				note "$framing, $size bytes: differs" >&2
			fi
		done
	done
	echo $good
}
# all_of ENGINE MODE HOST VERDICT
all_of() {
	sluice_conf intercept.http='{9000}' relays=1 scan.memory=$MEMORY "scan.engine=$1" "delivery.mode=$2"
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice || exit 1
	fetch_all "$3"
	is "$(identical)" $count "engine $1, $2: all arrive as they are"
	is "$(total "verdicts.$4")" $count "... and all are $4"
	stop_sluice
}
all_of none tail "$SERVER" passed
all_of libclamav tail "$SERVER" clean
all_of libclamav hold "[$SERVER6]" clean

# Uploads of the same sizes.
sluice_conf intercept.http='{9000}' relays=1 scan.memory=$MEMORY
# shellcheck disable=SC2119
start_sluice || exit 1
good=0
for size in "${sizes[@]}"; do
	head -c "$size" "$W/noise" >"$T/upload"
	for coding in 'X-Coding: none' 'Transfer-Encoding: chunked'; do
		got=$(get -T "$T/upload" -H "$coding" -H Expect: "http://$SERVER:9000/upload" | cut -d'"' -f6)
		if [ "$got" = "$(sha_of "$T/upload")" ]; then good=$((good + 1)); else note "upload of $size, $coding: $got"; fi
	done
done
is $good $((2 * ${#sizes[@]})) "uploads of the same sizes arrive as they are"
stop_sluice
plan $TAP_COUNT
done_testing
