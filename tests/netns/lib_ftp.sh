# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of FTP share: three servers and their clients. Source lib.sh first.
#
#   clients                         gateway                          servers, port 21 each
#   curl, wget, lftp,                                                vsftpd   10.77.2.2, fd77:2::2
#   tnftp, ncftp, ftplib  --- lan0  sluiced, or  wan0 ---            proftpd  10.77.2.3, fd77:2::3
#   10.77.1.2, fd77:1::2            nothing                          pureftpd 10.77.2.4, fd77:2::4
#
# FTP_GATEWAY=none makes the gateway one that only forwards: what fails then is no failure of ours. Each server has the
# directory $T/ftp/SERVER, and one user in it.
# shellcheck disable=SC2034  # for the tests

FTP_GATEWAY=${FTP_GATEWAY:-sluice} # sluice or none
FTP_USER=amy
FTP_PASS=wOn7-be-LoGGed
FTP_SERVERS=(vsftpd proftpd pureftpd)
declare -A FTP_HOST=([vsftpd4]=$SERVER [proftpd4]=10.77.2.3 [pureftpd4]=10.77.2.4
	[vsftpd6]=$SERVER6 [proftpd6]=fd77:2::3 [pureftpd6]=fd77:2::4)
export LANG=C.UTF-8 LC_ALL=C.UTF-8

with_sluice() { [ "$FTP_GATEWAY" = sluice ]; }
# ftp_host SERVER FAMILY: its address; ftp_url: in a URL, without the slash behind it
ftp_host() { echo "${FTP_HOST[$1$2]}"; }
ftp_url() {
	case $2 in
	4) echo "ftp://${FTP_HOST[$1$2]}" ;;
	6) echo "ftp://[${FTP_HOST[$1$2]}]" ;;
	esac
}

# --- the gateway ---------------------------------------------------------------------
# ftp_conf [KEY=VALUE...]: sluice_conf, with a service for FTP
ftp_conf() {
	sluice_conf 'intercept.http={80}' 'intercept.ftp={21}' "$@"
	echo 'service "ftp" { protocol = "ftp" mode = "transparent" port = 2121 }' >>"$SLUICE_CONF"
}
# ftp_gateway [KEY=VALUE...]: sluiced with that, or what only forwards
ftp_gateway() {
	with_sluice || return 0
	ftp_conf "$@"
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice
}

# ftp_done: the last command of a test
ftp_done() {
	plan "$TAP_COUNT"
	done_testing
}

# --- servers -------------------------------------------------------------------------
# What two of them lack here is unpacked, see helpers/unpacked.
ftp_program() { # PACKAGE PATH
	local dir
	dir=$("$TESTS/netns/helpers/unpacked" "$1") && echo "$dir/$2"
}
ftp_is_up() { on_server ss -Hltn "sport = :21" | grep -qF "$1:21 "; }

# start_ftp SERVER...: with a user each; vsftpd with TLS for those who ask for it
start_ftp() {
	local server family
	export FTP_HASH
	FTP_HASH=$(openssl passwd -6 "$FTP_PASS")
	mkdir -p "$T/ftp.d"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=ftp.test \
		-keyout "$T/ftp.d/key.pem" -out "$T/ftp.d/cert.pem" 2>/dev/null || return 1
	for server; do
		mkdir -p "$T/ftp/$server" && chmod 777 "$T/ftp/$server" || return 1
		for family in 4 6; do
			ip -n "$NS_SERVER" addr replace "$(ftp_host "$server" $family)/$([ $family = 4 ] && echo 24 || echo 64)" \
				dev s0 nodad 2>/dev/null
		done
		"start_$server" || return 1
		for family in 4 6; do
			wait_for 10 ftp_is_up "$(ftp_host "$server" $family | sed 's/.*::.*/[&]/')" || {
				not_ok "$server starts" "$(cat "$T/log/$server"*)"
				return 1
			}
		done
	done
}

# Its users are PAM's: by a file of ours, which only this process sees in that place, the one with any password.
start_vsftpd() {
	local family root=$T/ftp.d
	cat >"$root/vsftpd.pam" <<-CONF
		auth required pam_permit.so
		account required pam_permit.so
		session required pam_permit.so
	CONF
	echo "$FTP_USER" >"$root/vsftpd.users"
	mkdir -p "$root/empty"
	for family in 4 6; do
		cat >"$root/vsftpd$family.conf" <<-CONF
			listen$([ $family = 4 ] || echo _ipv6)=YES
			listen_address$([ $family = 4 ] || echo 6)=$(ftp_host vsftpd $family)
			background=NO
			seccomp_sandbox=NO
			secure_chroot_dir=$root/empty
			anonymous_enable=NO
			local_enable=YES
			guest_enable=YES
			guest_username=ftp
			virtual_use_local_privs=YES
			pam_service_name=vsftpd
			userlist_enable=YES
			userlist_deny=NO
			userlist_file=$root/vsftpd.users
			local_root=$T/ftp/vsftpd
			chroot_local_user=YES
			allow_writeable_chroot=YES
			write_enable=YES
			local_umask=022
			utf8_filesystem=YES
			ascii_download_enable=YES
			ascii_upload_enable=YES
			async_abor_enable=YES
			mdtm_write=YES
			dirmessage_enable=YES
			xferlog_enable=YES
			log_ftp_protocol=YES
			vsftpd_log_file=$T/log/vsftpd$family.log
			connect_from_port_20=YES
			ssl_enable=YES
			rsa_cert_file=$root/cert.pem
			rsa_private_key_file=$root/key.pem
			force_local_logins_ssl=NO
			force_local_data_ssl=NO
			require_ssl_reuse=NO
			ssl_ciphers=HIGH
		CONF
		# shellcheck disable=SC2016  # for the shell inside
		spawn "$NS_SERVER" vsftpd$family unshare -m sh -c 'mount --bind "$1" /etc/pam.d/vsftpd && exec vsftpd "$2"' sh \
			"$root/vsftpd.pam" "$root/vsftpd$family.conf"
	done
}

start_proftpd() {
	local root=$T/ftp.d bin
	bin=$(ftp_program proftpd-core usr/sbin/proftpd) || return 1
	printf '%s:%s:65534:65534::%s:/bin/sh\n' "$FTP_USER" "$FTP_HASH" "$T/ftp/proftpd" >"$root/proftpd.users"
	chmod 600 "$root/proftpd.users"
	cat >"$root/proftpd.conf" <<-CONF
		ServerName sluice-test
		ServerType standalone
		DefaultAddress $(ftp_host proftpd 4) $(ftp_host proftpd 6)
		SocketBindTight on
		Port 21
		UseIPv6 on
		UseReverseDNS off
		WtmpLog off
		TransferLog $T/log/proftpd.transfers
		SystemLog $T/log/proftpd.log
		PidFile $root/proftpd.pid
		ScoreboardFile $root/proftpd.scoreboard
		DelayTable $root/proftpd.delay
		DelayEngine off
		ControlsEngine off
		MaxInstances 100
		User nobody
		Group nogroup
		AuthOrder mod_auth_file.c
		AuthUserFile $root/proftpd.users
		RequireValidShell off
		DefaultRoot ~
		AllowOverwrite on
		AllowStoreRestart on
		AllowRetrieveRestart on
		UseEncoding UTF-8 UTF-8
		DisplayChdir .message
	CONF
	spawn "$NS_SERVER" proftpd "$bin" -n -q -c "$root/proftpd.conf"
}

start_pureftpd() {
	local family root=$T/ftp.d bin
	bin=$(ftp_program pure-ftpd usr/sbin/pure-ftpd) || return 1
	printf '%s:%s:65534:65534::%s/./::::::::::::\n' "$FTP_USER" "$FTP_HASH" "$T/ftp/pureftpd" >"$root/pureftpd.users"
	"$(ftp_program pure-ftpd usr/bin/pure-pw)" mkdb "$root/pureftpd.pdb" -f "$root/pureftpd.users" || return 1
	for family in 4 6; do
		spawn "$NS_SERVER" pureftpd$family "$bin" -S "$(ftp_host pureftpd $family),21" -$family -E -A -H -u 1 -c 200 -C 100 \
			-L 20000:10 -U 022:022 -l "puredb:$root/pureftpd.pdb" -g "$root/pureftpd$family.pid" \
			-O "clf:$T/log/pureftpd$family.log"
	done
}

# --- a session of each client --------------------------------------------------------
# One does, in a directory of its own at the server and another one at the client, as much of this as it can (see
# ftp_is_done):
#   list     a listing, to the file list
#   get      blob                             put      new.bin
#   reget    the rest of down.bin             reput    the rest of up.bin
#   ascii    text.txt, in type A              names    a directory, and in it a file: uploaded, renamed, fetched; old is
#                                                      deleted, and the directory empty removed
FTP_HALF=100000      # what is there of down.bin and up.bin: not what the other side has, so that resuming shows
FTP_DIR='Größe 日本' # names as UTF-8, with a space
FTP_NAME='ü ñ.txt' FTP_NAME2='neu €.txt'
FTP_DIR_URL=$("$PYTHON" -c 'import sys, urllib.parse as u; print(u.quote(sys.argv[1]))' "$FTP_DIR")
FTP_NAME_URL=$("$PYTHON" -c 'import sys, urllib.parse as u; print(u.quote(sys.argv[1]))' "$FTP_NAME")
FTP_NAME2_URL=$("$PYTHON" -c 'import sys, urllib.parse as u; print(u.quote(sys.argv[1]))' "$FTP_NAME2")

# ftp_samples: what sessions carry
ftp_samples() {
	local d=$T/ftp.d
	head -c 300000 /dev/urandom >"$d/blob"
	head -c 200000 /dev/urandom >"$d/new.bin"
	seq -f 'line %g' 5000 >"$d/text.txt"
	sed 's/$/\r/' "$d/text.txt" >"$d/text.crlf"
	head -c $FTP_HALF /dev/zero >"$d/half"
	cat "$d/half" <(tail -c +$((FTP_HALF + 1)) "$d/blob") >"$d/down.bin"
	cat "$d/half" <(tail -c +$((FTP_HALF + 1)) "$d/new.bin") >"$d/up.bin"
}

# ftp_prepare SERVER NAME: directories for a session, $T/ftp/SERVER/NAME and $T/c/SERVER/NAME
ftp_prepare() {
	local w=$T/ftp/$1/$2 c=$T/c/$1/$2 d=$T/ftp.d
	mkdir -p "$w/empty" "$c"
	chmod 777 "$w" "$w/empty"
	cp "$d/blob" "$d/text.txt" "$w"
	cp "$d/blob" "$w/down.bin"
	cp "$d/half" "$w/up.bin"
	echo old >"$w/old"
	chmod 666 "$w"/*.* "$w/old"
	cp "$d/new.bin" "$c/new.bin"
	cp "$d/new.bin" "$c/up.bin"
	cp "$d/half" "$c/down.bin"
}

# ftp_is_done OPERATION SERVER NAME: whether it had the effect that it should
ftp_is_done() {
	local w=$T/ftp/$2/$3 c=$T/c/$2/$3 d=$T/ftp.d
	case $1 in
	list) grep -q blob "$c/list" ;;
	get) cmp "$c/blob" "$w/blob" ;;
	put) cmp "$w/new.bin" "$c/new.bin" ;;
	reget) cmp "$c/down.bin" "$d/down.bin" ;;
	reput) cmp "$w/up.bin" "$d/up.bin" ;;
	ascii) cmp "$c/text.txt" "$d/text.txt" || cmp "$c/text.txt" "$d/text.crlf" ;;
	names)
		diff <(cd "$w" && find "$FTP_DIR" empty old 2>/dev/null | sort) \
			<(printf '%s\n' "$FTP_DIR" "$FTP_DIR/$FTP_NAME2") &&
			cmp "$w/$FTP_DIR/$FTP_NAME2" "$d/new.bin" && cmp "$c/$FTP_NAME2" "$d/new.bin"
		;;
	*) false ;;
	esac
}

# ftp_session CLIENT MODE FAMILY SERVER NAME: in the directories of that NAME; modes are pasv, epsv, port, eprt. What the
# client says is in the file said, its exit status in the file status
ftp_session() {
	local c=$T/c/$4/$5
	(cd "$c" && "session_$1" "$2" "$(ftp_host "$4" "$3")" "$(ftp_url "$4" "$3")" "$5") >"$c/said" 2>&1
	echo $? >"$c/status"
}
is_passive() { [ "$1" = pasv ] || [ "$1" = epsv ]; }

# Each: MODE HOST URL DIRECTORY, in the client's directory.
# One process each: curl 7.88 sleeps a second when the answer to EPSV comes early on a connection that is used again.
session_curl() {
	local how url=$3/$4
	case $1 in
	pasv) how=(--disable-epsv) ;;
	epsv) how=(--ftp-pasv) ;;
	port) how=(-P - --disable-eprt) ;;
	eprt) how=(-P -) ;;
	esac
	set -- on_client curl -g -sS -m 30 -u "$FTP_USER:$FTP_PASS" "${how[@]}"
	"$@" -o list "$url/" -o blob "$url/blob" &&
		"$@" -T new.bin "$url/new.bin" &&
		"$@" -C - -o down.bin "$url/down.bin" &&
		"$@" -C - -T up.bin "$url/up.bin" &&
		"$@" -B -o text.txt "$url/text.txt" &&
		"$@" --ftp-create-dirs -T new.bin "$url/$FTP_DIR_URL/$FTP_NAME_URL" \
			-Q "-RNFR $FTP_NAME" -Q "-RNTO $FTP_NAME2" &&
		"$@" -o "$FTP_NAME2" "$url/$FTP_DIR_URL/$FTP_NAME2_URL" -Q "-CWD .." -Q "-DELE old" -Q "-RMD empty"
}

session_wget() {
	local url=$3/$4 how=(-nv -t 1 -T 30 "--user=$FTP_USER" "--password=$FTP_PASS")
	is_passive "$1" || how+=(--no-passive-ftp)
	on_client wget "${how[@]}" -O list "$url/" &&
		on_client wget "${how[@]}" "$url/blob" &&
		on_client wget "${how[@]}" -c "$url/down.bin" &&
		on_client wget "${how[@]}" "$url/text.txt;type=a"
}

session_lftp() {
	cat >script <<-LFTP
		set cmd:fail-exit true
		set net:max-retries 1
		set net:timeout 20
		set ftp:ssl-allow false
		set ftp:passive-mode $(is_passive "$1" && echo true || echo false)
		set ftp:prefer-epsv $([ "$1" = epsv ] && echo true || echo false)
		open -u $FTP_USER,$FTP_PASS $3
		cd $4
		ls >list
		get blob
		put new.bin
		get -c down.bin
		put -c up.bin
		get -a text.txt
		mkdir "$FTP_DIR"
		put new.bin -o "$FTP_DIR/$FTP_NAME"
		mv "$FTP_DIR/$FTP_NAME" "$FTP_DIR/$FTP_NAME2"
		get "$FTP_DIR/$FTP_NAME2"
		rm old
		rmdir empty
	LFTP
	on_client lftp --norc -f script
}

session_tnftp() {
	local family=-4
	[ "${2#*:}" = "$2" ] || family=-6
	printf 'machine %s login %s password %s\n' "$2" "$FTP_USER" "$FTP_PASS" >netrc
	chmod 600 netrc
	{
		case $1 in
		pasv | port) echo epsv4 ;; # switches EPSV and EPRT off
		esac
		cat <<-TNFTP
			cd $4
			binary
			ls . list
			get blob
			put new.bin
			reget down.bin
			restart $FTP_HALF
			put up.bin
			ascii
			get text.txt
			binary
			mkdir "$FTP_DIR"
			put new.bin "$FTP_DIR/$FTP_NAME"
			rename "$FTP_DIR/$FTP_NAME" "$FTP_DIR/$FTP_NAME2"
			get "$FTP_DIR/$FTP_NAME2" "$FTP_NAME2"
			delete old
			rmdir empty
		TNFTP
	} >script
	on_client tnftp $family -i -e -v -N netrc "-$(is_passive "$1" && echo p || echo A)" "$2" <script
}

# It asks for the name of its own machine: of nobody, which is an answer. Its resumed uploads send the whole file.
session_ncftp() {
	local active=-E host=$2 dir=$4
	! is_passive "$1" || active=-F
	set -- "$active" -u "$FTP_USER" -p "$FTP_PASS" -t 20 -r 1
	export HOME=$PWD
	ncftp_run ls "$@" -l "ftp://$host/$dir/" >list &&
		ncftp_run get "$@" -Z "$host" . "$dir/blob" &&
		ncftp_run get "$@" -z "$host" . "$dir/down.bin" &&
		ncftp_run get "$@" -Z -a "$host" . "$dir/text.txt" &&
		ncftp_run put "$@" -Z "$host" "$dir" new.bin &&
		ncftp_run put "$@" -m "$host" "$dir/$FTP_DIR" new.bin &&
		ncftp_run get "$@" -W "CWD $dir" -W "RNFR $FTP_DIR/new.bin" -W "RNTO $FTP_DIR/$FTP_NAME2" -W "DELE old" \
			-W "RMD empty" -W "CDUP" -Z "$host" . "$dir/$FTP_DIR/$FTP_NAME2"
}
# shellcheck disable=SC2016  # for the shell inside
ncftp_run() { on_client unshare -m sh -c 'mount --bind /dev/null /etc/resolv.conf && exec "$@"' sh "ncftp$1" "${@:2}"; }

session_ftplib() {
	on_client "$PYTHON" "$TESTS/netns/helpers/ftp_session.py" "$1" "$2" "$FTP_USER" "$FTP_PASS" "$4" "$FTP_HALF" \
		"$FTP_DIR" "$FTP_NAME" "$FTP_NAME2"
}

# --- cases ---------------------------------------------------------------------------
FTP_LOCAL=10000 # of the client, counted on: events of no other connection bear these ports
FTP_CASES=()    # what goes on: "PID OUTPUT"

# ftp_begin GROUP SERVER FAMILY [OPTION...]: ftp/GROUP.py, for ftp_end
ftp_begin() {
	local group=$1 server=$2 family=$3 state='' said=$T/log/cases-$FTP_LOCAL
	shift 3
	! with_sluice || state=$T/state
	FTP_LOCAL=$((FTP_LOCAL + 400))
	PYTHONPATH=$TESTS/lib PYTHONDONTWRITEBYTECODE=1 on_client "$PYTHON" "$TESTS/netns/ftp/$group.py" \
		--server "$server" --host "$(ftp_host "$server" "$family")" --root "$T/ftp/$server" --state "$state" --origin "" \
		--user "$FTP_USER" --password "$FTP_PASS" --local $FTP_LOCAL --label "$group, $server, IPv$family: " "$@" \
		>"$said" 2>&1 &
	FTP_CASES+=("$! $said")
}
# ftp_end: all of those: their TAP with numbers of ours
ftp_end() {
	local one pid said line
	for one in "${FTP_CASES[@]}"; do
		read -r pid said <<<"$one"
		wait "$pid"
		case $? in
		0 | 9) ;; # of 9 it has told
		*) not_ok "cases break off" "$(tail -n 20 "$said")" ;;
		esac
		while IFS= read -r line; do
			case $line in
			"ok - "*) ok "${line#ok - }" ;;
			"not ok - "*) not_ok "${line#not ok - }" ;;
			*) echo "$line" ;;
			esac
		done <"$said"
	done
	FTP_CASES=()
}

# has_event EXTENDED-REGEXP: in a line of the journal
has_event() { sluice_events | grep -qE "$1"; }
