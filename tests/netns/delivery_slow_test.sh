#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients and servers that take their time: everything arrives in the end, the gateway's memory stays bounded
# however large the object is, and who goes away leaves nothing behind.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
W=$T/www
noise 10M >"$W/ten"
noise 150M >"$W/large"
chmod 644 "$W"/*
TEN=$(sha_of "$W/ten")

# The origin server's pieces and the client's pace are both smaller than what the gateway could move, so that each of
# its buffers is full at some time and empty at another.
slow() { # ENGINE
	local framing piece
	for framing in file file-close file-chunked?piece={1000,3000,8000,10000,16000,40000,300000}; do
		piece=${framing#*\?} framing=${framing%%\?*}
		is "$(get --limit-rate 30M "$O4/$framing/ten?$piece&$1" | sha)" "$TEN" "a slow client, $framing $piece, $1"
	done
	is "$(get --limit-rate 30M -0 "$O6/file-chunked/ten?piece=10000&$1" | sha)" "$TEN" \
		"... of HTTP/1.0, chunked, over IPv6, $1"
	is "$(get "$O4/upload?sip=20&$1" -T "$W/ten" | query "x['sha256']")" "$TEN" "a server that takes an upload slowly, $1"
	is "$(get "$O6/upload?sip=20&$1" -T "$W/ten" -H 'Transfer-Encoding: chunked' | query "x['sha256']")" "$TEN" \
		"... by chunks, over IPv6, $1"
}

# --- passed on -----------------------------------------------------------------------
sluice_conf intercept.http='{9000}' scan.engine=none relays=1
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
slow none

# of objects
memory_held() { status "x['totals']['body_memory']"; }
disk_held() { status "x['totals']['body_disk']"; }
# Of an object all that was sent is kept, too, for the scan: what is more than that was read ahead of the client.
ahead() {
	local sent
	sent=$(sluicectl --json sessions | query "x['bytes_out']")
	echo $(($(memory_held) + $(disk_held) - sent))
}
peak() { awk '/^VmHWM/ { print $2 }' "/proc/$(role_pid relay)/status"; }
received_enough() { [ "$(stat -c %s "$T/got")" -ge "$1" ]; }
# Free blocks stay with the relay, at most 64 of 64 KiB.
held_little() { [ "$(memory_held)" -le $((4 << 20)) ] && [ "$(disk_held)" = 0 ] && [ "$(total sessions)" = 0 ]; }
# stopped NAME URL: a client that stops reading for a while, so that the origin server has to wait for it
stopped() {
	local name=$1 url=$2 most=0 memory=0 now end client
	wait_for 15 held_little # what was before is forgotten
	spawn "$NS_CLIENT" stopped curl -sSN -m 60 -o "$T/got" "$url"
	client=$SPAWNED
	wait_for 10 received_enough 1000000
	kill -STOP "$client"
	# three rounds of the relay's book-keeping, which is once a second
	end=$((SECONDS + 4))
	while [ $SECONDS -lt $end ]; do
		now=$(ahead)
		[ "$now" -le "$most" ] || most=$now
		now=$(memory_held)
		[ "$now" -le "$memory" ] || memory=$now
		sleep $POLL
	done
	is_less "$most" $((12 << 20)) "$name: little is read ahead of it ($((most >> 10)) KiB)"
	is_less "$memory" $((9 << 20)) "... and less than twice scan.memory is in use ($((memory >> 10)) KiB)"
	kill -CONT "$client"
	wait "$client"
	is "$? $(sha_of "$T/got")" "0 $LARGE" "... and all of it arrives"
	rm "$T/got"
}
LARGE=$(sha_of "$W/large")
stopped "a client that stops" "$O4/file/large?none"
stopped "... chunked" "$O4/file-chunked/large?piece=10000&none"
is_less "$(peak)" 40000 "the relay's memory, whatever the object's size ($(peak) KiB)"
stop_sluice

# --- scanned -------------------------------------------------------------------------
sluice_conf intercept.http='{9000}' relays=1 scan.memory=4M
# shellcheck disable=SC2119
start_sluice || exit 1
slow libclamav
stopped "a client that stops, scanned" "$O4/file/large?scan"
stopped "... ended by closing" "$O4/file-close/large?scan"
is_less "$(peak)" 60000 "the relay's memory, whatever the object's size ($(peak) KiB)"
check "no object is held in the end" wait_for 15 held_little
plan $TAP_COUNT
done_testing
