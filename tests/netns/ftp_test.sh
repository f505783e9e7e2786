#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FTP through the gateway, with clients and servers that people use: every client in every mode that it has, of both
# families, at every server. FTP_GATEWAY=none runs all of this through a gateway that only forwards; PARTS="matrix large" runs
# only these parts.
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
check_matrix() {
	each_cell begin
	sessions 0
	each_cell judge
	with_sluice || check_modes
}
# Clients that can't have the mode that they are told take another one, silently: each is in its directory's name.
check_modes() {
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
}

# --- sessions in detail --------------------------------------------------------------
check_sessions() {
	local family server
	for family in 4 6; do
		for server in "${FTP_SERVERS[@]}"; do ftp_begin session "$server" $family; done
		ftp_end
	done
}

# --- replies -------------------------------------------------------------------------
# What a server says through the gateway is what it says without, but for the time, a number of sessions, and what the
# gateway takes out of FEAT: TLS, and parts of files by RANG.
said_by() { # NAMESPACE SERVER FAMILY
	PYTHONPATH=$TESTS/lib PYTHONDONTWRITEBYTECODE=1 in_ns "$1" "$PYTHON" "$TESTS/lib/ftpclient.py" \
		"$(ftp_host "$2" "$3")" "$FTP_USER" "$FTP_PASS" FEAT HELP "HELP RETR" "HELP NOTHING" "SITE HELP" SYST PWD \
		"SIZE small" "MDTM small" "MLST small" "SIZE nothing" "OPTS UTF8 ON" "OPTS NOTHING" "ALLO 10" "TYPE L 8" \
		NOOP "CWD nothing" "CWD talkative" "MKD talkative" "MDTM nothing" "RNTO x" "STRU F" "MODE S" "STAT small" \
		"RMD talkative" "DELE nothing" USER ABOR CDUP "SITE CHMOD 644 small" ACCT QUIT |
		sed -E 's/[0-9]{2}:[0-9]{2}/TIME/; s/user number [0-9]+/user number N/'
}
without_refused() { if with_sluice; then grep -vE '^ (AUTH|PBSZ|PROT|RANG)\b'; else cat; fi; }
check_replies() {
	local server family
	for server in "${FTP_SERVERS[@]}"; do
		mkdir -p "$T/ftp/$server/talkative"
		seq -f 'line %g, which is no end of a reply' 200 >"$T/ftp/$server/talkative/.message"
		for family in 4 6; do check_replies_of "$server" $family; done
	done
}
check_replies_of() {
	said_by "$NS_SERVER" "$1" "$2" | without_refused >"$T/wanted"
	said_by "$NS_CLIENT" "$1" "$2" >"$T/got"
	is_less 60 "$(wc -l <"$T/got")" "$1, IPv$2: has a lot to say"
	check "$1, IPv$2: says the same through the gateway" diff "$T/wanted" "$T/got"
}

# --- much ----------------------------------------------------------------------------
# mirror SERVER FAMILY LFTP-COMMAND
mirror() {
	on_client lftp --norc -c "set cmd:fail-exit true; set ftp:ssl-allow false; set net:max-retries 1; set net:timeout 30;
		open -u $FTP_USER,$FTP_PASS $(ftp_url "$1" "$2"); $3"
}
# check_mirror, check_large: a thousand files, and one
check_mirror() {
	local i family server
	mkdir -p "$T/thousand"
	for i in $(seq 1000); do head -c $((i * 13)) "$T/ftp.d/blob" >"$T/thousand/$i"; done
	for family in 4 6; do
		for server in vsftpd pureftpd; do
			cp -r "$T/thousand" "$T/ftp/$server/from-$family"
			check "lftp mirrors a thousand files, IPv$family, $server" \
				mirror $server $family "mirror --parallel=4 from-$family $T/got-$family-$server"
			check "... and has them" diff -r "$T/thousand" "$T/got-$family-$server"
			check "... and a thousand to the server" mirror $server $family "mirror -R --parallel=4 $T/thousand to-$family"
			check "... which has them" diff -r "$T/thousand" "$T/ftp/$server/to-$family"
		done
	done
}

large_get() { on_client curl -g -sS -m 120 -u "$FTP_USER:$FTP_PASS" "$@" | cmp - "$T/large"; }
check_large() { # a GiB, mostly holes
	local at server
	truncate -s 1G "$T/large"
	for at in 0 123456789 536870911 1000000000; do
		dd if="$T/ftp.d/blob" of="$T/large" bs=1M oflag=seek_bytes seek=$at conv=notrunc status=none
	done
	chmod 644 "$T/large"
	for server in "${FTP_SERVERS[@]}"; do ln "$T/large" "$T/ftp/$server/large.bin"; done
	check "1 GiB from vsftpd" large_get "$(ftp_url vsftpd 4)/large.bin"
	check "1 GiB from proftpd, IPv6" large_get "$(ftp_url proftpd 6)/large.bin"
	check "1 GiB from Pure-FTPd, active" large_get -P - "$(ftp_url pureftpd 4)/large.bin"
	check "1 GiB to vsftpd, IPv6" on_client curl -g -sS -m 120 -u "$FTP_USER:$FTP_PASS" -T "$T/large" \
		"$(ftp_url vsftpd 6)/up.bin"
	check "... which has it" cmp "$T/large" "$T/ftp/vsftpd/up.bin"
}

ftp_samples
for part in ${PARTS:-matrix sessions replies mirror large}; do "check_$part"; done
is "$(grep -E ' (error|warning) ' "$T/log/sluiced" 2>/dev/null | grep -v 'descriptors, so each relay')" "" "nothing was wrong"
ftp_done
