#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FTP through the gateway, with clients and servers that people use: every client in every mode that it has, of both
# families, at every server. FTP_GATEWAY=none runs all of this through a gateway that only forwards.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_ftp.sh
. "$(dirname "$0")/lib_ftp.sh"
ns_up
start_ftp "${FTP_SERVERS[@]}" || exit 1
# Resumed uploads can't be scanned: here they are let through.
ftp_gateway scan.engine=none || exit 1

# --- the matrix ----------------------------------------------------------------------
ALL="list get put reget reput ascii names"
# client, mode, families, operations
MATRIX="
curl    pasv  4    $ALL
curl    epsv  4,6  $ALL
curl    port  4    $ALL
curl    eprt  4,6  $ALL
wget    pasv  4    list get reget ascii
wget    port  4    list get reget ascii
wget    epsv  6    list get reget ascii
wget    eprt  6    list get reget ascii
lftp    pasv  4    $ALL
lftp    epsv  4,6  $ALL
lftp    port  4    $ALL
lftp    eprt  6    $ALL
tnftp   pasv  4    $ALL
tnftp   epsv  4,6  $ALL
tnftp   port  4    $ALL
tnftp   eprt  4,6  $ALL
ncftp   pasv  4    list get put reget ascii names
ncftp   port  4    list get put reget ascii names
ftplib  pasv  4    $ALL
ftplib  epsv  4,6  $ALL
ftplib  port  4    $ALL
ftplib  eprt  4,6  $ALL
"
# Sessions mostly wait for servers (proftpd takes a new connection each 0.4 s): several at a time, each in directories of
# its own.
running=()
# sessions COUNT: no more than that go on
sessions() {
	local pid left=() p
	while [ ${#running[@]} -gt "$1" ]; do
		wait -n -p pid "${running[@]}"
		left=()
		for p in "${running[@]}"; do [ "$p" = "$pid" ] || left+=("$p"); done
		running=("${left[@]}")
	done
}
# each_cell COMMAND...: with CLIENT MODE FAMILY SERVER OPERATION...
each_cell() {
	local client mode families family server operations
	while read -r client mode families operations; do
		[ -n "$client" ] || continue
		for family in ${families//,/ }; do
			for server in "${FTP_SERVERS[@]}"; do
				# shellcheck disable=SC2086  # words
				"$@" "$client" "$mode" "$family" "$server" $operations
			done
		done
	done <<<"$MATRIX"
}
begin() {
	ftp_prepare "$4" "$1-$2-$3"
	ftp_session "$1" "$2" "$3" "$4" "$1-$2-$3" &
	running+=($!)
	sessions 5
}
judge() {
	local name="$1, $2, IPv$3, $4" where="$1-$2-$3" server=$4 c status operation
	c=$T/c/$server/$where
	status=$(cat "$c/status")
	is "$status" 0 "$name"
	[ "$status" = 0 ] || note "$(tail -n 5 "$c/said")"
	shift 4
	for operation; do check "$name: $operation" ftp_is_done "$operation" "$server" "$where"; done
}
each_cell begin
sessions 0
each_cell judge
# Clients that can't have the mode that they are told take another one, silently: each is in its directory's name.
if ! with_sluice; then
	cat "$T"/log/vsftpd?.log >"$T/commands"
	is "$("$PYTHON" - "$T/commands" <<-'PY'
		import collections, re, sys
		sessions, wrong = collections.defaultdict(list), set()
		for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
		    found = re.search(r'\[pid (\d+)\].*FTP command: Client "[^"]*", "(.*)"', line)
		    if found:
		        sessions[found[1]].append(found[2])
		for commands in sessions.values():
		    where = re.search(r"\w+-(pasv|epsv|port|eprt)-[46]", " ".join(commands))
		    modes = {c.split()[0].lower() for c in commands} & {"pasv", "epsv", "port", "eprt"}
		    if where and modes - {where[1]}:
		        wrong.add(f"{where[0]} {modes}")
		print(len(sessions) > 50, *sorted(wrong))
	PY
	)" True "every client used the mode that it was told"
fi
plan $TAP_COUNT
done_testing
