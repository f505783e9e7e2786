#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# engine = "clamd": Debian's clamd on its socket, which comes late, dies in the middle of a scan, comes back, and gets
# other signatures.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
command -v clamd >/dev/null || {
	echo "1..0 # SKIP clamd is not installed"
	exit 0
}
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
W=$T/www
mkdir -p "$T/clamd/tmp"
cat >"$T/clamd/conf" <<-CONF
	Foreground yes
	LocalSocket $T/clamd/ctl
	LocalSocketMode 666
	DatabaseDirectory $T/clamdb
	TemporaryDirectory $T/clamd/tmp
	AlertExceedsMax yes
	AlertEncrypted yes
	MaxFiles 100
CONF
# Without its answer it would look as if it were there: it is asked.
ask_clamd() { # COMMAND
	"$PYTHON" - "$T/clamd/ctl" "$1" <<-'PY'
		import socket, sys
		sock = socket.socket(socket.AF_UNIX)
		sock.settimeout(5)
		sock.connect(sys.argv[1])
		sock.sendall(b"z" + sys.argv[2].encode() + b"\0")
		print(sock.recv(4096).rstrip(b"\0").decode())
	PY
}
clamd_answers() { ask_clamd PING | grep -q PONG; }
start_clamd() {
	spawn "$NS_GW" clamd clamd -c "$T/clamd/conf"
	CLAMD_PID=$SPAWNED
	wait_for 30 clamd_answers || not_ok "clamd starts" "$(cat "$T/log/clamd")"
}
note_has() { scan_note | grep -qF -- "$1"; }
answers() { sluicectl status; }
is_ready() { [ "$(status "x['ready']")" = "$1" ]; }
got() { [ "$(fetch "$1")" = "$2" ]; }

# --- it is not there yet -------------------------------------------------------------
sluice_conf intercept.http='{9000}' scan.engine=clamd "scan.clamd=$T/clamd/ctl" scan.infected_url_block=0 \
	delivery.mode=hold
spawn "$NS_GW" sluiced "$BIN/sluiced" -c "$SLUICE_CONF" -f
SLUICE_PID=$SPAWNED
wait_for 20 answers
check "the gateway starts without clamd, and says what to do" wait_for 10 note_has "start clamd"
is "$(status "x['ready']")" False "... and that it is not ready"
wait_for 10 got "$O4/file/clean.txt" "$(unscanned scanner_failed)"
is "$(fetch "$O4/file/clean.txt?early")" "$(unscanned scanner_failed)" "nothing is scanned, and so nothing let through"
is "$(event clean.txt?early verdict reason action)" "not_scanned scanner_failed block" "... in the journal"
start_clamd
check "when clamd comes, the gateway becomes ready by itself" wait_for 20 is_ready True
check "... and says so" note_has "clamd at $T/clamd/ctl"

# --- what it says --------------------------------------------------------------------
for name in eicar.com eicar.zip eicar2.zip eicar.tar eicar-at-end.bin; do
	is "$(fetch "$O4/file/$name")" "$BLOCKED" "$name"
	is "$(fetch "$O6/file-chunked/$name")" "$BLOCKED" "... by chunks, over IPv6"
done
is "$(fetch "$O4/file/eicar.com.br?coding=br")" "$BLOCKED" "coded br"
is "$(fetch "$O4/file-gzip/eicar.zip")" "$BLOCKED" "coded gzip"
is "$(fetch "$O4/upload?zip" -T "$W/eicar.zip"), $(origin_saw upload?zip)" "$BLOCKED, 0" "an upload"
is "$(fetch "$O4/upload?form" -F "a=@$W/eicar.com;encoder=base64"), $(origin_saw upload?form)" "$BLOCKED, 0" "a form"
for name in clean.txt clean.bin clean.zip clean.txt.gz; do
	is "$(fetch "$O6/file/$name")" "$(whole "$W/$name")" "$name is let through"
done
is "$(fetch "$O4/size/20000000")" "200 0 $(get "$O4/close/20000000?again" | sha)" "... and 20 MB"
(cd "$W" && zip -qP secret secret.zip clean.txt && mkdir many && cd many && seq 200 | split -l 1 -a 3 &&
	zip -q ../many.zip ./*)
is "$(fetch "$O4/file/secret.zip")" "$(unscanned encrypted Heuristics.Encrypted.Zip)" "encrypted is not scanned"
is "$(fetch "$O4/file/many.zip")" "$(unscanned archive_files Heuristics.Limits.Exceeded.MaxFiles)" \
	"... nor is what exceeds limits of clamd"
hits=$(total cache_hits)
is "$(fetch "$O4/file/clean.bin?again") $(total cache_hits)" "$(whole "$W/clean.bin") $((hits + 1))" "verdicts are kept"

# --- it dies -------------------------------------------------------------------------
kill -STOP "$CLAMD_PID"
head -c 300000 /dev/urandom >"$W/first"
fetch "$O4/file/first" >"$T/answer" &
answer=$!
check "a scan is under way" wait_for 10 scan_counter_is busy 1
kill -KILL "$CLAMD_PID"
wait $answer
is "$(cat "$T/answer")" "$(unscanned scanner_failed)" "clamd is killed in the middle of it"
is "$(event file/first verdict reason action)" "not_scanned scanner_failed block" "... in the journal"
is "$(fetch "$O4/file/clean.bin?cached")" "$(whole "$W/clean.bin")" "what is known is still let through"
is "$(fetch "$O4/file/first?down")" "$(unscanned scanner_failed)" "... and nothing else"
start_clamd
is "$(fetch "$O4/file/first?up")" "$(whole "$W/first")" "when it is back, the next is scanned"
is "$(scan_counter worker_deaths)" 0 "no worker died of all that"

# --- other signatures ----------------------------------------------------------------
signature() { printf 'Learned:0:*:%s\n' "$(head -c 40 "$W/$1" | od -An -tx1 | tr -d ' \n')"; }
knows() { ask_clamd "SCAN $W/$1" | grep -q 'Learned.*FOUND'; }
LEARNED="403 0 signature Learned.UNOFFICIAL"
generation=$(scan_counter generation)
# One of ClamAV's own databases has a version, which clamd tells.
mkdir "$T/build"
(
	cd "$T/build" && signature first >daily.ndb && touch COPYING &&
		SIGNDUSER='nobody' sigtool --build=daily.cud --unsigned --cvd-version=27001 --datadir="$T/clamdb" &&
		cp daily.cud "$T/clamdb"
) >"$T/log/sigtool" 2>&1 </dev/null
ask_clamd RELOAD >"$T/said"
check "clamd has other signatures" wait_for 20 knows first
check "... and what was clean is blocked, whatever was known" wait_for 20 got "$O4/file/first" "$LEARNED"
check "... by a new generation" scan_counter_above generation "$generation"
is "$(fetch "$O4/file/clean.txt?new")" "$(whole "$W/clean.txt")" "... and what is clean stays so"
generation=$(scan_counter generation)
# A file of signatures by hand has none, so that clamd seems to be what it was.
is "$(fetch "$O4/file/clean.bin?known")" "$(whole "$W/clean.bin")" "an object is clean"
signature clean.bin >"$T/clamdb/more.ndb"
ask_clamd RELOAD >"$T/said"
check "... until clamd has other signatures, without a version" wait_for 20 knows clean.bin
is "$(fetch "$O4/file/clean.bin?kept")" "$(whole "$W/clean.bin")" "... of which nobody heard"
sluicectl reload >"$T/said"
check "... but a reload forgets all verdicts" wait_for 10 got "$O4/file/clean.bin" "$LEARNED"
check "... by a new generation" scan_counter_above generation "$generation"
plan $TAP_COUNT
done_testing
