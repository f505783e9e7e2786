#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Malware by FTP, both ways: no client gets a file that it takes for whole, nothing is stored at a server, and both are told.
# With FTP_GATEWAY=none only what is clean is carried, and what is not is seen to arrive.
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
for server in "${FTP_SERVERS[@]}"; do
	cp -r "$T/www" "$T/ftp/$server/s"
	mkdir "$T/ftp/$server/up"
	chmod 777 "$T/ftp/$server/up"
done
# shellcheck disable=SC2119  # no arguments for it
ftp_gateway || exit 1

# --- what clients make of it ---------------------------------------------------------
# client_get CLIENT MODE FAMILY SERVER PATH: to $T/got; its exit status
client_get() {
	local client=$1 mode=$2 family=$3 url host path=$5 how=()
	url=$(ftp_url "$4" "$family") host=$(ftp_host "$4" "$family")
	rm -f "$T/got"
	case $client in
	curl)
		is_passive "$mode" || how=(-P -)
		on_client curl -g -sS -m 20 -u "$FTP_USER:$FTP_PASS" "${how[@]}" -o "$T/got" "$url/$path"
		;;
	curl-retry)
		on_client curl -g -sS -m 20 --retry 2 --retry-delay 1 --retry-all-errors -C - -u "$FTP_USER:$FTP_PASS" \
			-o "$T/got" "$url/$path"
		;;
	wget)
		is_passive "$mode" || how=(--no-passive-ftp)
		on_client wget -nv -t 1 -T 20 "--user=$FTP_USER" "--password=$FTP_PASS" "${how[@]}" -O "$T/got" "$url/$path"
		;;
	wget-retry)
		on_client wget -nv -t 3 -T 20 -c "--user=$FTP_USER" "--password=$FTP_PASS" -O "$T/got" "$url/$path"
		;;
	lftp | pget)
		on_client lftp --norc -c "set cmd:fail-exit true; set ftp:ssl-allow false; set net:max-retries 2; set net:timeout 20;
			set net:reconnect-interval-base 1;
			set ftp:passive-mode $(is_passive "$mode" && echo true || echo false);
			open -u $FTP_USER,$FTP_PASS $url; $([ "$client" = pget ] && echo "pget -n 3" || echo get) $path -o $T/got"
		;;
	tnftp)
		on_client tnftp "-$family" -V "-$(is_passive "$mode" && echo p || echo A)" -o "$T/got" \
			"ftp://$FTP_USER:$FTP_PASS@${url#ftp://}/$path"
		;;
	ncftp) ncftp_run get -u "$FTP_USER" -p "$FTP_PASS" "-$(is_passive "$mode" && echo F || echo E)" -t 20 -r 1 -C "$host" \
		"$path" "$T/got" ;;
	ftplib)
		on_client "$PYTHON" - "$host" "$FTP_USER" "$FTP_PASS" "$path" "$T/got" "$(is_passive "$mode" && echo 1)" <<-'PY'
			import ftplib, sys
			host, user, password, path, to, passive = sys.argv[1:]
			with ftplib.FTP(host, user, password, timeout=20) as ftp, open(to, "wb") as f:
			    ftp.set_pasv(bool(passive))
			    ftp.retrbinary("RETR " + path, f.write)
		PY
		;;
	esac
}
arrived() { stat -c %s "$T/got" 2>/dev/null || echo 0; }
# breaks CLIENT MODE FAMILY SERVER PATH: it fails, and has not the last bytes; of a URL that isn't known for it
breaks() {
	local name="$1, $2, IPv$3, $4, $5" status size
	cp "$T/ftp/$4/$5" "$T/ftp/$4/s/$1-$2-$3-${5##*/}"
	size=$(stat -c %s "$T/ftp/$4/$5")
	client_get "$1" "$2" "$3" "$4" "s/$1-$2-$3-${5##*/}" >"$T/said" 2>&1
	status=$?
	# tnftp takes no notice of a last reply when nothing came: then it has an empty file.
	[ $status != 0 ] || [ "$1 $(arrived)" = "tnftp 0" ] || not_ok "$name: it fails" "$(tail -n 5 "$T/said")"
	# pget makes room first.
	[ "$1" != pget ] || truncate -s "$(LC_ALL=C tr -d '\0' <"$T/got" | wc -c)" "$T/got"
	is_less "$(arrived)" $((size < 1048576 ? 1 : size - 65535)) "$name: status $status, $(arrived) bytes"
}
# arrives CLIENT MODE FAMILY SERVER PATH: whole
arrives() {
	client_get "$@" >"$T/said" 2>&1
	is "$? $(sha_of "$T/got")" "0 $(sha_of "$T/ftp/$4/$5")" "$1, $2, IPv$3, $4, $5: arrives"
}
check_clients() {
	local client mode families server bad
	while read -r client mode families server; do
		[ -n "$client" ] || continue
		for family in ${families//,/ }; do
			for bad in eicar.com eicar.zip eicar-at-end.bin; do
				if with_sluice; then
					breaks "$client" "$mode" "$family" "$server" "s/$bad"
				else
					arrives "$client" "$mode" "$family" "$server" "s/$bad"
				fi
			done
			arrives "$client" "$mode" "$family" "$server" s/clean.bin
		done
	done <<-CLIENTS
		curl pasv 4,6 vsftpd
		curl port 4,6 proftpd
		curl-retry pasv 4 pureftpd
		wget pasv 4,6 pureftpd
		wget port 4 vsftpd
		wget-retry pasv 4 vsftpd
		lftp pasv 4,6 vsftpd
		lftp port 4,6 pureftpd
		pget pasv 4 vsftpd
		tnftp pasv 4,6 pureftpd
		tnftp port 4 vsftpd
		ncftp pasv 4 vsftpd
		ncftp port 4 pureftpd
		ftplib pasv 4,6 vsftpd
		ftplib port 4,6 pureftpd
	CLIENTS
}

# --- uploads of clients ---------------------------------------------------------------
client_put() { # CLIENT FAMILY SERVER FILE PATH
	local url host
	url=$(ftp_url "$3" "$2") host=$(ftp_host "$3" "$2")
	case $1 in
	curl) on_client curl -g -sS -m 20 -u "$FTP_USER:$FTP_PASS" -T "$4" "$url/$5" ;;
	lftp)
		on_client lftp --norc -c "set cmd:fail-exit true; set ftp:ssl-allow false; set net:max-retries 1; set net:timeout 20;
			open -u $FTP_USER,$FTP_PASS $url; put $4 -o $5"
		;;
	tnftp) on_client tnftp "-$2" -V -u "ftp://$FTP_USER:$FTP_PASS@${url#ftp://}/$5" "$4" ;;
	ncftp) ncftp_run put -u "$FTP_USER" -p "$FTP_PASS" -t 20 -r 1 -C "$host" "$4" "$5" ;;
	esac
}
check_uploads() {
	local client family server file status where
	while read -r client family server; do
		for file in eicar.com eicar-at-end.bin clean.bin; do
			where=up/$client-$family-$file
			client_put "$client" "$family" "$server" "$T/www/$file" "$where" >"$T/said" 2>&1
			status=$?
			if [ $file = clean.bin ] || ! with_sluice; then
				is "$status $(sha_of "$T/ftp/$server/$where")" "0 $(sha_of "$T/www/$file")" \
					"$client, IPv$family, $server: $file is stored"
			else
				check "$client, IPv$family, $server: upload of $file fails ($status)" test $status != 0
				check "... and nothing is stored" test ! -e "$T/ftp/$server/$where"
			fi
		done
	done <<-CLIENTS
		curl 4 vsftpd
		curl 6 proftpd
		lftp 4 pureftpd
		lftp 6 vsftpd
		tnftp 4 vsftpd
		tnftp 6 pureftpd
		ncftp 4 proftpd
	CLIENTS
}

# --- in detail -----------------------------------------------------------------------
check_cases() {
	local family server
	with_sluice || return 0
	# No table of infected URLs: each transfer is about the object.
	ftp_conf scan.infected_url_block=0
	sluicectl reload >"$T/reload" || not_ok "reload" "$(cat "$T/reload")"
	for family in 4 6; do
		for server in "${FTP_SERVERS[@]}"; do ftp_begin scan "$server" $family; done
		ftp_end
	done
}

for part in ${PARTS:-clients uploads cases}; do "check_$part"; done
if with_sluice; then
	is "$(grep -E ' (error|warning) ' "$T/log/sluiced" | grep -v 'descriptors, so each relay')" "" "nothing was wrong"
	check "no password is kept anywhere" test -z "$(grep -rlF "$FTP_PASS" "$T/state" "$T/run" "$T/log/sluiced")"
fi
ftp_done
