#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FTP as a gateway can be told to treat it: uploads that go on as they come, restarts that are refused, parts that pass, and TLS.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
# shellcheck source=tests/netns/lib_ftp.sh
. "$(dirname "$0")/lib_ftp.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_ftp "${FTP_SERVERS[@]}" || exit 1
for server in "${FTP_SERVERS[@]}"; do cp -r "$T/www" "$T/ftp/$server/s"; done
# shellcheck disable=SC2119  # no arguments for it
ftp_gateway || exit 1

# reload [KEY=VALUE...]: the configuration with these keys is in force
reload() {
	with_sluice || return 0
	ftp_conf "$@"
	sluicectl reload >"$T/reload" 2>&1 || not_ok "reload with $*" "$(cat "$T/reload")"
}
# in_detail UPLOADS RESTART NOT_SCANNED MODE
in_detail() {
	local server
	with_sluice || return 0
	note "uploads = $1, restart = $2, not_scanned = $3, mode = $4"
	reload ftp.uploads="$1" ftp.restart="$2" scan.not_scanned="$3" delivery.mode="$4" scan.infected_url_block=0
	for server in "${FTP_SERVERS[@]}"; do
		ftp_begin options "$server" "$([ "$server" = vsftpd ] && echo 6 || echo 4)" \
			--set "uploads=$1 restart=$2 not_scanned=$3 mode=$4"
	done
	ftp_end
}
in_detail tail refuse allow tail
in_detail tail serve block hold
in_detail hold serve allow hold

# --- clients whose restarts are refused ----------------------------------------------
reload ftp.restart=refuse
begun() { head -c 100000 "$T/www/clean.bin" >"$T/got"; }
URL=$(ftp_url vsftpd 4)/s/clean.bin
begun
on_client wget -nv -t 2 -T 20 "--user=$FTP_USER" "--password=$FTP_PASS" -c -O "$T/got" "$URL" >"$T/said" 2>&1
is "$? $(sha_of "$T/got")" "0 $(sha_of "$T/www/clean.bin")" "wget -c has the whole file"
begun
on_client lftp --norc -c "set cmd:fail-exit true; set ftp:ssl-allow false; set net:max-retries 2; set net:timeout 20;
	open -u $FTP_USER,$FTP_PASS $(ftp_url vsftpd 4); get -c s/clean.bin -o $T/got" >"$T/said" 2>&1
is "$? $(sha_of "$T/got")" "0 $(sha_of "$T/www/clean.bin")" "lftp get -c has the whole file"
begun
on_client curl -sS -m 20 -u "$FTP_USER:$FTP_PASS" -C - -o "$T/got" "$URL" >"$T/said" 2>&1
status=$?
if with_sluice; then
	is "$status" 31 "curl -C - says that it can't be"
	is "$(stat -c %s "$T/got")" 100000 "... and keeps what it has"
else
	is "$status $(sha_of "$T/got")" "0 $(sha_of "$T/www/clean.bin")" "curl -C - has the whole file"
fi

# --- TLS -----------------------------------------------------------------------------
tls_get() { # FAMILY PATH [CURL-ARGUMENT...]
	on_client curl -g -sS -m 20 -k --ssl-reqd -u "$FTP_USER:$FTP_PASS" -o "$T/got" "${@:3}" "$(ftp_url vsftpd "$1")/$2"
}
# By curl 7.88 there is no active mode with TLS.
tls_lftp() { # FAMILY COMMAND
	on_client lftp --norc -c "set cmd:fail-exit true; set ftp:ssl-force true; set ftp:ssl-protect-data true;
		set ssl:verify-certificate false; set net:max-retries 1; set net:timeout 20;
		open -u $FTP_USER,$FTP_PASS $(ftp_url vsftpd "$1"); $2"
}
reload
logins() { grep -c '"PASS ' "$T/log/vsftpd4.log"; }
if with_sluice; then
	before=$(logins)
	tls_get 4 s/clean.bin 2>"$T/said"
	is $? 64 "ftps = refuse: curl that wants TLS has none"
	tls_lftp 4 "get s/clean.bin -o $T/lftp" >"$T/said" 2>&1
	check "... nor has lftp" test $? != 0
	is "$(logins)" "$before" "... and no password was sent"
	is "$(on_client curl -sS -m 20 -k --ssl -u "$FTP_USER:$FTP_PASS" "$(ftp_url vsftpd 4)/s/clean.bin" | sha)" \
		"$(sha_of "$T/www/clean.bin")" "... one that would like it goes on without"
fi
reload ftp.ftps=pass
for family in 4 6; do
	rm -f "$T/got"
	check "TLS, IPv$family" tls_get $family s/clean.bin
	is "$(sha_of "$T/got")" "$(sha_of "$T/www/clean.bin")" "... and the file"
	for passive in true false; do
		rm -f "$T/lftp"
		check "TLS with lftp, IPv$family, passive $passive" tls_lftp $family "set ftp:passive-mode $passive;
			get s/clean.bin -o $T/lftp; put $T/www/clean.zip -o tls-$family-$passive"
		is "$(sha_of "$T/lftp") $(sha_of "$T/ftp/vsftpd/tls-$family-$passive")" \
			"$(sha_of "$T/www/clean.bin") $(sha_of "$T/www/clean.zip")" "... and the files"
	done
done
if with_sluice; then
	check "... its event" wait_for 10 has_event '"method":"AUTH".*"verdict":"not_scanned","reason":"encrypted"'
	rm -f "$T/got"
	on_client curl -sS -m 20 -u "$FTP_USER:$FTP_PASS" -o "$T/got" "$(ftp_url vsftpd 4)/s/eicar.zip" 2>"$T/said"
	check "... without TLS all is scanned" test $? != 0 -a ! -s "$T/got"
	is "$(grep -E ' (error|warning) ' "$T/log/sluiced" | grep -v 'descriptors, so each relay')" "" "nothing was wrong"
	check "no password is kept anywhere" test -z "$(grep -rlF "$FTP_PASS" "$T/state" "$T/run" "$T/log/sluiced")"
fi
ftp_done
