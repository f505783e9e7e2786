# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of scanning and delivery share. Source lib.sh first.

FOUND=Sluice.Test.Eicar.UNOFFICIAL # what the engine calls EICAR with make_clam_db's database
# shellcheck disable=SC2034  # for the tests
SAMPLES=/usr/share/clamav-testfiles

sha() { sha256sum | cut -d' ' -f1; }
sha_of() { sha <"$1"; }
# noise BYTES: random bytes, all from 128 up: nowhere in them is what could be taken for the beginning of an archive
noise() { head -c "$1" /dev/urandom | LC_ALL=C tr '\000-\177' '\200-\377'; }
get() { on_client curl -sS -m 30 "$@"; }

# fetch URL [CURL-ARGUMENT...]: "STATUS EXIT WHAT" as the client sees it; WHAT is "REASON NAME" of a page of ours,
# else the SHA-256 of the body
fetch() {
	local url=$1 code exit what
	shift
	: >"$T/body"
	code=$(get -g -o "$T/body" -w '%{http_code}' "$@" "$url" 2>"$T/curl-said")
	exit=$?
	what=$(sed -n 's,^<dt>Found</dt><dd>\(.*\)</dd>$,\1,p; s,^<dt>Reason</dt><dd><code>\(.*\)</code></dd>$,\1,p' \
		"$T/body" 2>/dev/null | tr -d '\0' | tac | paste -sd' ')
	echo "$code $exit ${what:-$(sha_of "$T/body")}"
}
# What fetch says of EICAR, of what could not be scanned, and of a file that arrived
# shellcheck disable=SC2034
BLOCKED="403 0 signature $FOUND"
unscanned() { echo "403 0 $1 ${2:--}"; }
whole() { echo "200 0 $(sha_of "$1")"; }

# --- the gateway ---------------------------------------------------------------------
# total NAME: a counter of all relays; unscanned REASON bytes are unscanned_bytes.REASON
total() {
	case $1 in
	*.*) status "x['totals']['${1%%.*}'].get('${1#*.}', 0)" ;;
	*) status "x['totals']['$1']" ;;
	esac
}
# scan_counter NAME: of the scan role
scan_counter() { role_counter scan "$1"; }
scan_note() { role_note scan; }
total_is() { [ "$(total "$1")" = "$2" ]; }
scan_counter_is() { [ "$(scan_counter "$1")" = "$2" ]; }
scan_counter_above() { [ "$(scan_counter "$1")" -gt "$2" ]; }

# event TEXT FIELD...: of the last event with TEXT in its URL; waits until the journal has one
event() {
	local text=$1 list=
	shift
	wait_for 10 event_of "$text"
	# The last one, not one of those before it.
	wait_for 10 total_is events_waiting 0
	for field; do list="$list x.get('$field', '-'),"; done
	event_of "$text" | query "' '.join(str(v) for v in [$list])"
}
event_of() { sluicectl --json events --url "$1" -n 1 | grep .; }

# children PID: of its main thread
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
# scan_workers: the processes that look into objects, which a keeper forked
scan_workers() {
	local child
	for child in $(children "$(role_pid scan)"); do children "$child"; done
}

# --- the origin ----------------------------------------------------------------------
# origin_saw TEXT: requests whose bytes hold TEXT
origin_saw() { cat "$T"/origin/*.in 2>/dev/null | grep -acF -- "$1"; }
origin_saw_is() { [ "$(origin_saw "$1")" = "$2" ]; }
