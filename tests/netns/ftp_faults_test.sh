#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FTP while roles, clients and rules go away: what runs goes on or doesn't look whole, and new transfers work again; what is
# counted of it, and that nothing stays behind.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
# shellcheck source=tests/netns/lib_ftp.sh
. "$(dirname "$0")/lib_ftp.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_ftp vsftpd pureftpd || exit 1
noise 20000000 >"$T/www/long"
noise 3000000 >"$T/up.bin"
for server in vsftpd pureftpd; do
	cp -r "$T/www" "$T/ftp/$server/s"
	mkdir "$T/ftp/$server/up"
	chmod 777 "$T/ftp/$server/up"
done
snapshot_ns "$T/pristine"
# Pure-FTPd 1.0.50 has no more than so many connections of an address at a time.
# shellcheck disable=SC2119  # no arguments for it
ftp_gateway scan.infected_url_block=0 scan.max_object=64M log.level=info || exit 1
LONG=$(sha_of "$T/www/long")
UP=$(sha_of "$T/up.bin")

# --- transfers that stand still ------------------------------------------------------
HELD=()
# hold NAME MODE FAMILY COMMAND: a client of that session; its output is in $T/log/NAME
hold() {
	rm -f "$T/$1.go"
	PYTHONPATH=$TESTS/lib PYTHONDONTWRITEBYTECODE=1 spawn "$NS_CLIENT" "$1" "$PYTHON" "$TESTS/netns/helpers/ftp_held.py" \
		"$(ftp_host vsftpd "$3")" "$FTP_USER" "$FTP_PASS" "$2" "$4" "$T/up.bin" "$T/$1"
	HELD+=("$1:$SPAWNED")
}
half() { grep -q half "$T/log/$1"; }
# hold_all: two downloads and two uploads, passive and active
hold_all() {
	local one
	HELD=()
	hold down-passive epsv 4 "RETR s/long"
	hold down-active eprt 6 "RETR s/long"
	hold up-passive epsv 6 "STOR up/passive"
	hold up-active port 4 "STOR up/active"
	for one in "${HELD[@]}"; do wait_for 10 half "${one%%:*}" || not_ok "${one%%:*} begins" "$(cat "$T/log/${one%%:*}")"; done
}
# let_go: they go on, and end
let_go() {
	local one
	for one in "${HELD[@]}"; do touch "$T/${one%%:*}.go"; done
	for one in "${HELD[@]}"; do wait "${one#*:}"; done
}
# said NAME LINE: "" when that client hasn't said so much
said() { sed -n "$2p" "$T/log/$1"; }
# all_went_well NAME: of those transfers, and of the next in the same session
all_went_well() {
	local one name
	for one in "${HELD[@]}"; do
		name=${one%%:*}
		case $name in
		down-*) set -- "$1" "20000000 $LONG" ;;
		up-*) set -- "$1" "3000000 $UP" ;;
		esac
		is "$(said "$name" 2)" "226 $2 fin" "$1: $name goes on"
		is "$(said "$name" 3)" "again 226 $2 fin" "... and the next of its session"
	done
}
is_back() { # ROLE PID
	[ "$(status "[r['pid'] != $2 and r['state'] == 'running' for r in x['roles'] if r['role'] == '$1'][0]")" = True ]
}
kill_role() { # ROLE: it is killed, and is back
	local pid
	pid=$(role_pid "$1")
	kill -KILL "$pid"
	wait_for 20 is_back "$1" "$pid" && wait_for 20 sluice_ready
}
fetch_ftp() { on_client curl -g -sS -m 20 -u "$FTP_USER:$FTP_PASS" "$@" 2>&1; }
# works NAME: new sessions, good and bad, in both modes
works() {
	local family how
	for family in 4 6; do
		for how in --ftp-pasv "--ftp-port -"; do
			# shellcheck disable=SC2086  # words
			is "$(fetch_ftp $how "$(ftp_url pureftpd $family)/s/clean.bin" | sha)" "$(sha_of "$T/www/clean.bin")" \
				"$1: a new session, IPv$family, $how"
			[ -z "$SLUICE_PID" ] || check "... and no malware" eval \
				"! fetch_ftp $how -o '$T/got' '$(ftp_url pureftpd $family)/s/eicar.zip' || ! cmp '$T/got' '$T/www/eicar.zip'"
		done
	done
}

hold_all
let_go
all_went_well "nothing happens"
works "nothing happens"
if ! with_sluice; then
	ftp_done
	exit
fi

# --- roles ---------------------------------------------------------------------------
hold_all
check "net is killed, and started again" kill_role net
let_go
all_went_well "net killed"
works "net killed"
hold_all
check "scan is killed, and started again" kill_role scan
scans_again() { [ "$(scan_counter ready)" = 1 ]; }
wait_for 20 scans_again
let_go
all_went_well "scan killed"
works "scan killed"

# A verdict that is waited for is lost with who should give it.
read -r -a workers <<<"$(scan_workers | xargs)"
kill -STOP "${workers[@]}"
fetch_ftp -o "$T/got" "$(ftp_url vsftpd 4)/s/clean.txt" >"$T/said" &
waiting=$!
check "an object waits for its verdict" wait_for 10 total_is scans_waiting 1
check "scan is killed meanwhile" kill_role scan
wait $waiting
check "... and it does not arrive" test $? != 0 -a ! -s "$T/got"
wait_for 20 scans_again
is "$(event s/clean.txt verdict reason action)" "not_scanned scanner_failed block" "... as the journal says"

check "log is killed, and started again" kill_role log

# relays: which of the two has a session isn't ours to say
stop_sluice
ftp_conf relays=1 scan.infected_url_block=0 log.level=info
# shellcheck disable=SC2119
start_sluice || exit 1
hold_all
check "the relay is killed, and started again" kill_role relay
let_go
for name in down-passive down-active; do
	said "$name" 2 >"$T/said"
	check "relay killed: $name looks broken" grep -qE '^gone [0-9]+ - reset' "$T/said"
	is_less "$(cut -d' ' -f2 "$T/said")" $((20000000 - 65535)) "... and is not whole"
done
for name in passive active; do
	check "relay killed: nothing of a held upload is stored, $name" \
		eval "! test -s '$T/ftp/vsftpd/up/$name' || cmp '$T/ftp/vsftpd/up/$name' '$T/up.bin'"
done
works "relay killed"

# --- clients and servers -------------------------------------------------------------
servers_are_quiet() { ! on_server ss -Htn state established "sport = :21" | grep .; }
hold_all
for one in "${HELD[@]}"; do
	kill -KILL "${one#*:}"
	wait "${one#*:}"
done 2>/dev/null
check "clients that are killed leave no session" wait_for 10 total_is sessions 0
check "... and the servers' connections end" wait_for 10 servers_are_quiet
is "$(event s/long reason)" client_closed "... as the journal says"

# --- rules that are taken away -------------------------------------------------------
# The relay has the server's data port, so who gets past it finds nobody.
hold_all
on_gw nft delete table inet sluice
check "rules are gone" eval "! on_gw nft list table inet sluice"
cat >"$T/past.py" <<'PY'
import socket, sys
import ftpclient
host, user, password, path = sys.argv[1:]
conn = ftpclient.Control(host).login(user, password)
print("ready", flush=True)
sys.stdin.readline()
target = conn.passive("epsv")
print("passive", flush=True)
sys.stdin.readline()
try:
    sock = socket.create_connection(target, timeout=3)
    conn.send(b"RETR " + path.encode() + b"\r\n")
    data = ftpclient.Data(sock)
    data.read(timeout=3)
    print(len(data.got), flush=True)
except (OSError, ftpclient.Mismatch) as e:
    print(0, e, flush=True)
PY
check "rules are put back" wait_for 30 on_gw nft list table inet sluice
for one in "${HELD[@]}"; do touch "$T/${one%%:*}.go"; done
for one in "${HELD[@]}"; do wait "${one#*:}"; done
works "rules flushed"
mkfifo "$T/tell"
PYTHONPATH=$TESTS/lib on_client "$PYTHON" "$T/past.py" "$(ftp_host vsftpd 4)" "$FTP_USER" "$FTP_PASS" s/eicar.com \
	<"$T/tell" >"$T/past" 2>&1 &
past=$!
exec {tell}>"$T/tell"
wait_for 10 grep -q ready "$T/past"
echo >&$tell
wait_for 10 grep -q passive "$T/past"
on_gw nft delete table inet sluice
echo >&$tell
wait $past
exec {tell}>&-
is "$(sed -n 3p "$T/past" | cut -d' ' -f1)" 0 "rules flushed while a data port is announced: nothing gets past the scanner"
wait_for 30 on_gw nft list table inet sluice

# --- a port that is taken --------------------------------------------------------------
# The client's has a connection with port 20 in TIME_WAIT, and no timestamps tell the next one apart: it comes from another.
on_client sysctl -q -w net.ipv4.tcp_timestamps=0
for family in 4 6; do ftp_begin again vsftpd $family; done
ftp_end
on_client sysctl -q -w net.ipv4.tcp_timestamps=1

# --- what is counted -----------------------------------------------------------------
# shellcheck source=tests/netns/lib_apps.sh
. "$TESTS/netns/lib_apps.sh"
app_bytes() { apps "app=$1"; }
app_has() { [ "$(app_bytes "$1")" -ge "$2" ]; }
before=$(app_bytes ftp-data) control=$(app_bytes ftp)
fetch_ftp -o "$T/got" "$(ftp_url vsftpd 4)/s/long"
fetch_ftp -P - -T "$T/up.bin" "$(ftp_url vsftpd 6)/up/counted"
check "bytes of data connections are counted as ftp-data" wait_for 10 app_has ftp-data $((before + 23000000))
check "... and those of control connections as ftp" wait_for 10 app_has ftp $((control + 500))
is "$(event up/counted protocol method user bytes_in bytes_out verdict status direction)" \
	"ftp STOR $FTP_USER 3000000 0 clean 226 upload" "the event of an upload"
is "$(event s/long protocol method user bytes_in bytes_out verdict status direction)" \
	"ftp RETR $FTP_USER 0 20000000 clean 226 download" "the event of a download"
sluicectl --json events >"$T/events"
check "no password is kept anywhere" test -z "$(grep -rlF "$FTP_PASS" "$T/state" "$T/run" "$T/log/sluiced" "$T/events")"
# --- the end -------------------------------------------------------------------------
hold_all
check "sluiced stops in order" stop_sluice
let_go
for name in down-passive down-active; do
	is_less "$(said "$name" 2 | cut -d' ' -f2)" 20000001 "a stopped gateway: $name: $(said "$name" 2)"
done
same_snapshot "$T/pristine" "... leaves nothing behind"
works "no gateway any more"
ftp_done
