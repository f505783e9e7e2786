#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Other signatures and other options while traffic flows: no object goes unscanned in between, a database that is no
# good changes nothing and is named, and what was known is forgotten.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
W=$T/www
noise 2000000 >"$W/noise"
for name in one two three; do noise 200000 >"$W/$name"; done
chmod 644 "$W"/*
CONF=(intercept.http='{9000}' scan.infected_url_block=0 delivery.mode=hold)
sluice_conf "${CONF[@]}"
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1

signature() { printf '%s:0:*:%s\n' "$2" "$(head -c 40 "$W/$1" | od -An -tx1 | tr -d ' \n')"; }
# install FILE: what is on standard input becomes FILE of the database, in one step
install_db() { cat >"$T/new" && chmod 644 "$T/new" && mv "$T/new" "$T/clamdb/$1"; }
note_has() { scan_note | grep -qF -- "$1"; }
got() { [ "$(fetch "$1")" = "$2" ]; }
found() { echo "403 0 signature $1.UNOFFICIAL"; }
evil_is_blocked() { is "$(fetch "$O4/file/eicar.zip?${1// /-}")" "$BLOCKED" "... and EICAR is blocked"; }

# --- traffic all the time ------------------------------------------------------------
# Objects that nobody saw before, one clean and one with malware in turn; each line says what came of one.
cat >"$T/load.sh" <<-'LOAD'
	n=0
	until [ -e "$1/stop" ]; do
		n=$((n + 1))
		code=$(curl -sS -m 30 -o /dev/null -w '%{http_code}' "$2/file/noise?head=$((n + 1000))")
		echo "clean $code $?"
		printf '%s' "$n" | cat "$1/www/eicar.com" - >"$1/www/evil-$3"
		code=$(curl -sS -m 30 -o /dev/null -w '%{http_code}' "$2/file/evil-$3")
		echo "evil $code $?"
	done
LOAD
spawn "$NS_CLIENT" load4 bash "$T/load.sh" "$T" "$O4" 4
load4=$SPAWNED
spawn "$NS_CLIENT" load6 bash "$T/load.sh" "$T" "$O6" 6
load6=$SPAWNED

# --- a better database ---------------------------------------------------------------
is "$(fetch "$O4/file/one")" "$(whole "$W/one")" "an object that nobody knows as malware"
generation=$(scan_counter generation)
signature one Learned.One | install_db one.ndb
check "a new database is loaded by itself" wait_for 20 scan_counter_is generation $((generation + 1))
is "$(fetch "$O4/file/one")" "$(found Learned.One)" "... and what was clean is malware at once"
is "$(scan_counter reloads) $(scan_counter reloads_failed) $(scan_counter signatures)" "1 0 3" "... and it is counted"
check "... and told" note_has "libclamav: 3 signatures of $T/clamdb"
check "... in the log, too" sluice_log "generation $((generation + 1)) in service: 3 signatures"

# What runs at that time is finished by those who began it.
pids=$(scan_workers)
# shellcheck disable=SC2086  # numbers
kill -STOP $pids
fetch "$O4/file/two" >"$T/answer" &
answer=$!
check "a scan is under way" wait_for 10 scan_counter_above busy 0
signature three Learned.Three | install_db three.ndb
check "... while the next database is loaded" wait_for 20 scan_counter_is generation $((generation + 2))
# shellcheck disable=SC2086
kill -CONT $pids
wait $answer
is "$(cat "$T/answer")" "$(whole "$W/two")" "... and it has its verdict"
is "$(fetch "$O4/file/three")" "$(found Learned.Three)" "... and the next one comes from the new signatures"
workers_gone() { local pid; for pid in $pids; do gone "$pid" || return 1; done; }
check "the old generation leaves" wait_for 10 workers_gone

# --- worse ones ----------------------------------------------------------------------
serving=$(scan_counter generation)
# refused NAME TEXT: what is in the database's directory now is not taken, and TEXT says why
failures=0
refused() {
	failures=$((failures + 1))
	check "$1 is not loaded" wait_for 20 scan_counter_is reloads_failed $failures
	check "... which the status says" note_has "not loaded: "
	check "... and why" note_has "$2"
	check "... and what is still in service" note_has "still in service: libclamav: 4 signatures"
	check "... and the log" sluice_log "not loaded: .*; the one before stays"
	evil_is_blocked "$1"
	is "$(fetch "$O6/file/noise?head=200000&$failures")" "200 0 $(head -c 200000 "$W/noise" | sha)" "... and others pass"
	is "$(status "x['ready']")" True "... and the gateway is ready"
}
cp -a "$T/clamdb" "$T/saved"
restore() { for file in "$T"/saved/*; do install_db "${file##*/}" <"$file"; done; }
healed() {
	serving=$(scan_counter generation)
	restore
	check "the good one is loaded again" wait_for 20 scan_counter_above generation "$serving"
	check "... and nothing is wrong any more" wait_for 5 note_has "libclamav: 4 signatures"
}
head -c 60 "$T/saved/eicar.ndb" | tr 0-9 x-z | install_db eicar.ndb
refused "a damaged database" "alformed database"
healed
rm "$T"/clamdb/*
refused "an empty database" "$T/clamdb: "
healed
signature two Learned.Two | install_db eicar.ndb
refused "a database that has lost EICAR" "does not know the EICAR test file"
healed
printf 'Too.Much:0:*:%s\n' "$(printf 'Lessons begin at eight' | od -An -tx1 | tr -d ' \n')" | install_db bad.ndb
refused "a database that finds malware in harmless text" "its answer for a harmless ZIP is blocked signature Too.Much"
rm "$T/clamdb/bad.ndb"
healed
head -c 100000 /dev/urandom | install_db daily.cvd
refused "noise in the place of a database" "alformed database"
rm "$T/clamdb/daily.cvd"
healed
chmod 0 "$T/clamdb"
refused "a directory that can't be read" "$T/clamdb: "
chmod 755 "$T/clamdb"
healed

# --- other options -------------------------------------------------------------------
serving=$(scan_counter generation)
(cd "$W" && mkdir many && cd many && seq 40 | split -l 1 && zip -q ../many.zip ./*)
is "$(fetch "$O4/file/many.zip")" "$(whole "$W/many.zip")" "an archive within the limits"
sluicectl reload >"$T/said"
is "$(fetch "$O4/file/many.zip?same") $(scan_counter generation)" "$(whole "$W/many.zip") $serving" \
	"a reload that changes nothing loads nothing"
sluice_conf "${CONF[@]}" scan.max_files=20
sluicectl reload >"$T/said"
check "another limit makes a new generation" wait_for 20 scan_counter_is generation $((serving + 1))
is "$(fetch "$O4/file/many.zip?fewer")" \
	"$(unscanned archive_files Heuristics.Limits.Exceeded.MaxFiles)" "... which holds for what was known, too"
sluice_conf "${CONF[@]}" scan.max_files=20 scan.not_scanned=allow
sluicectl reload >"$T/said"
check "another action needs none" wait_for 10 got "$O4/file/many.zip?allowed" "$(whole "$W/many.zip")"
is "$(scan_counter generation)" $((serving + 1)) "... of course"
mkdir "$T/elsewhere" && cp "$T"/saved/eicar.ndb "$T/elsewhere"
sluice_conf "${CONF[@]}" "scan.database=$T/elsewhere"
sluicectl reload >"$T/said"
check "another directory" wait_for 20 note_has "libclamav: 1 signatures of $T/elsewhere"
is "$(fetch "$O4/file/one?elsewhere")" "$(whole "$W/one")" "... with fewer signatures"
evil_is_blocked elsewhere
sluice_conf "${CONF[@]}" "scan.database=$T/nowhere"
sluicectl reload >"$T/said"
check "one that is not there" wait_for 20 note_has "$T/nowhere"
check "... leaves the one before in service" note_has "still in service: libclamav: 1 signatures"
evil_is_blocked nowhere
sluice_conf "${CONF[@]}"
sluicectl reload >"$T/said"
check "and back" wait_for 20 note_has "libclamav: 4 signatures"

# --- what the traffic saw ------------------------------------------------------------
touch "$T/stop"
wait "$load4"
wait "$load6"
sort "$T/log/load4" "$T/log/load6" | uniq -c >"$T/load"
note "$(cat "$T/load")"
is "$(awk '{ print $2, $3, $4 }' "$T/load" | paste -sd,)" "clean 200 0,evil 403 0" \
	"through all of it, clean objects arrived and malware did not"
is_less 100 "$(awk '$2 == "evil" { print $1 }' "$T/load")" "... and there were enough of them"
is "$(total reasons.scanner_failed) $(total reasons.scanner_timeout)" "0 0" "nothing went unscanned"
stop_sluice

# --- nothing to begin with -----------------------------------------------------------
rm "$T"/clamdb/*
spawn "$NS_GW" sluiced "$BIN/sluiced" -c "$SLUICE_CONF" -f
SLUICE_PID=$SPAWNED
answers() { sluicectl status; }
wait_for 20 answers
check "without a database the gateway starts, and says what is wrong" wait_for 10 note_has "no engine in service: "
is "$(status "x['ready']")" False "... and that it is not ready"
is "$(fetch "$O4/file/one?none")" "$(unscanned scanner_failed)" "... and lets nothing through"
restore
check "when there is one, it becomes ready by itself" wait_for 20 sluice_ready
evil_is_blocked "with it"
plan $TAP_COUNT
done_testing
