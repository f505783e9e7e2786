# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the namespace tests share. Source it, call ns_up, and everything is taken down again at exit:
#
#   client                        gateway                         server
#   c0 10.77.1.2 ------- lan0 10.77.1.1  wan0 10.77.2.1 ------- s0 10.77.2.2
#      fd77:1::2              fd77:1::1       fd77:2::1            fd77:2::2
#
# A test prints TAP: plan, then ok/not_ok/is/is_less/skip. It waits for conditions with wait_for, never for time.
# Needs root. Names are unique to the process, so that tests may run side by side; $T is the test's own directory.
# KEEP=1 leaves $T behind for a look.
set -u

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ROOT=$(dirname "$TESTS")
O=${O:-build}
[ "${O#/}" != "$O" ] || O=$ROOT/$O
BIN=$O/bin
export PATH=$PATH:/usr/sbin:/sbin
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3

CLIENT=10.77.1.2 GW=10.77.1.1 GW_OUT=10.77.2.1 SERVER=10.77.2.2
CLIENT6=fd77:1::2 GW6=fd77:1::1 GW_OUT6=fd77:2::1 SERVER6=fd77:2::2
NS_CLIENT=sl-c-$$ NS_GW=sl-g-$$ NS_SERVER=sl-s-$$
T=
NS_PIDS=()  # what this test started and has not ended
SLUICE_PID= # of the gateway

# --- TAP -----------------------------------------------------------------------------
TAP_COUNT=0
TAP_FAILED=0

plan() { echo "1..$1"; }
note() { printf '%s\n' "$*" | sed 's/^/# /'; }
ok() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1"
}
not_ok() {
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_COUNT - $1"
	[ $# -lt 2 ] || note "$2"
}
# skip NAME REASON: what can't be tested here; "kernel: ..." when only another kernel can help
skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1 # SKIP $2"
}
# is GOT WANTED NAME
is() {
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "got:    $1
wanted: $2"
	fi
}
# is_less GOT LIMIT NAME: integers
is_less() { if [ "$1" -lt "$2" ] 2>/dev/null; then ok "$3"; else not_ok "$3" "$1 is not less than $2"; fi; }
# check NAME COMMAND...: ok when it succeeds; what it says is shown when not
check() {
	local name=$1
	shift
	# in this shell: functions like stop_sluice wait for their own children
	if "$@" >"$T/check" 2>&1; then ok "$name"; else not_ok "$name" "$*
$(cat "$T/check")"; fi
}
# To be the last command of a test: its exit status.
done_testing() { [ "$TAP_FAILED" = 0 ]; }

# --- waiting -------------------------------------------------------------------------
POLL=0.05
# wait_for SECONDS COMMAND...: until it succeeds; false when the time is over
wait_for() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep $POLL
	done
}
gone() { ! kill -0 "$1" 2>/dev/null; }
listens() { nsenter --net="/run/netns/$1" ss -Hltn "sport = :$2" | grep -q .; }

# --- processes -----------------------------------------------------------------------
# nsenter and not "ip netns exec": it hides nothing, and the process keeps its number.
in_ns() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}
on_client() { in_ns "$NS_CLIENT" "$@"; }
on_gw() { in_ns "$NS_GW" "$@"; }
on_server() { in_ns "$NS_SERVER" "$@"; }

# spawn NAMESPACE NAME COMMAND...: in the background, output in $T/log/NAME; its number is $SPAWNED
spawn() {
	local ns=$1 name=$2
	shift 2
	nsenter --net="/run/netns/$ns" -- "$@" >"$T/log/$name" 2>&1 </dev/null &
	SPAWNED=$!
	NS_PIDS+=("$SPAWNED")
}
# end_pid PID [SECONDS]: TERM, KILL when it takes longer; its exit status
end_pid() {
	local pid=$1 limit=${2:-10} p left=()
	kill -TERM "$pid" 2>/dev/null
	wait_for "$limit" gone "$pid" || kill -KILL "$pid" 2>/dev/null
	for p in "${NS_PIDS[@]}"; do [ "$p" = "$pid" ] || left+=("$p"); done
	NS_PIDS=("${left[@]}")
	wait "$pid" 2>/dev/null
}

# --- the network ---------------------------------------------------------------------
ns_link() { # NAMESPACE INTERFACE ADDRESS ADDRESS6
	ip -n "$1" addr add "$3/24" dev "$2" &&
		ip -n "$1" addr add "$4/64" dev "$2" nodad &&
		ip -n "$1" link set "$2" up
}

ns_up() {
	local ns
	[ "$(id -u)" = 0 ] || {
		echo "1..0 # SKIP not root"
		exit 0
	}
	T=$(mktemp -d "${TMPDIR:-/tmp}/sluice-test.XXXXXX") || exit 1
	chmod 755 "$T"
	mkdir "$T/log" "$T/www"
	trap ns_down EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	for ns in $NS_CLIENT $NS_GW $NS_SERVER; do
		# no duplicate address detection: addresses work at once, and nothing changes later
		ip netns add "$ns" && ip -n "$ns" link set lo up &&
			in_ns "$ns" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
				echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad' || exit 1
	done
	ip link add c0 netns "$NS_CLIENT" type veth peer name lan0 netns "$NS_GW" &&
		ip link add wan0 netns "$NS_GW" type veth peer name s0 netns "$NS_SERVER" &&
		ns_link "$NS_CLIENT" c0 $CLIENT $CLIENT6 && ns_link "$NS_GW" lan0 $GW $GW6 &&
		ns_link "$NS_GW" wan0 $GW_OUT $GW_OUT6 && ns_link "$NS_SERVER" s0 $SERVER $SERVER6 &&
		ip -n "$NS_CLIENT" route add default via $GW && ip -n "$NS_CLIENT" route add default via $GW6 &&
		ip -n "$NS_SERVER" route add default via $GW_OUT &&
		ip -n "$NS_SERVER" route add default via $GW_OUT6 || exit 1
	# Ports are chosen by a secret of the kernel, the same in all its namespaces: client and gateway would choose the
	# same ones all the time, which two machines don't.
	# shellcheck disable=SC2016  # for the shell inside
	on_gw sh -c 'echo 10000 32767 >/proc/sys/net/ipv4/ip_local_port_range
		echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
		for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$f"; done' || exit 1
	# They come with the carrier, a moment later: not into a snapshot's second half.
	wait_for 10 link_local_on_both || exit 1
}
link_local_on_both() {
	on_gw ip -6 addr show dev lan0 scope link | grep -q fe80 && on_gw ip -6 addr show dev wan0 scope link | grep -q fe80
}

# Whatever state the test is in. The exit status stays; a namespace that is in use would be a process left behind.
ns_down() {
	local status=$? pid ns
	trap - EXIT
	trap '' HUP INT TERM
	set +e
	[ -z "$SLUICE_PID" ] || stop_sluice
	for pid in "${NS_PIDS[@]}"; do kill -TERM "$pid" 2>/dev/null; done
	for pid in "${NS_PIDS[@]}"; do end_pid "$pid" 5; done
	for ns in $NS_CLIENT $NS_GW $NS_SERVER; do
		[ -e "/run/netns/$ns" ] || continue
		for pid in $(ip netns pids "$ns"); do
			note "left behind: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
			kill -KILL "$pid"
			[ $status != 0 ] || status=1
		done
		ip netns del "$ns"
	done
	if [ -n "${KEEP:-}" ]; then note "kept: $T"; else rm -rf "$T"; fi
	exit $status
}

# snapshot_ns FILE [NAMESPACE]: what a gateway could leave behind
snapshot_ns() { list_ns "${2:-$NS_GW}" >"$1"; }
# same_snapshot FILE NAME [NAMESPACE]: ok when all is as it was then
same_snapshot() {
	local said
	snapshot_ns "$1.now" "${3:-$NS_GW}"
	if said=$(diff -U0 "$1" "$1.now"); then ok "$2"; else not_ok "$2" "$(printf '%s' "$said" | head -n 40)"; fi
}
list_ns() {
	local ns=$1 six
	in_ns "$ns" nft list ruleset
	for six in -4 -6; do
		ip -n "$ns" $six rule
		ip -n "$ns" $six route show table all | sed 's/expires [0-9]*sec//'
	done
	ip -n "$ns" -o link | sed 's/^[0-9]*: //'
	in_ns "$ns" ss -Hlnptu
	in_ns "$ns" grep -rs . /proc/sys/net/ipv4 /proc/sys/net/ipv6 | sort
}

# --- servers -------------------------------------------------------------------------
# nginx on the server, ports 80 and 8080, both families, serving $T/www:
#   /          as it is          /gz/   gzip on the fly, chunked     /whoami  the client's address as seen
#   /slow/     half a MB a second
#   /origin/   passed to the scriptable origin on port 9000, e.g. /origin/upload for PUT and POST
start_nginx() {
	mkdir -p "$T/nginx"
	chmod 777 "$T/nginx"
	cat >"$T/nginx/nginx.conf" <<-CONF
		daemon off;
		worker_processes 1;
		worker_rlimit_nofile 20000;
		pid $T/nginx/pid;
		error_log $T/nginx/error.log;
		events { worker_connections 15000; }
		http {
			access_log $T/nginx/access.log;
			include /etc/nginx/mime.types;
			default_type application/octet-stream;
			client_body_temp_path $T/nginx/body;
			proxy_temp_path $T/nginx/proxy;
			fastcgi_temp_path $T/nginx/fastcgi;
			uwsgi_temp_path $T/nginx/uwsgi;
			scgi_temp_path $T/nginx/scgi;
			sendfile on;
			keepalive_timeout 300;
			keepalive_requests 100000;
			client_max_body_size 0;
			server {
				listen 80 backlog=8192;
				listen 8080;
				listen [::]:80 backlog=8192;
				listen [::]:8080;
				root $T/www;
				location /gz/ { alias $T/www/; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; }
				location /slow/ { alias $T/www/; limit_rate 500k; }
				location /whoami { default_type text/plain; return 200 "\$remote_addr\n"; }
				location /origin/ {
					proxy_pass http://127.0.0.1:9000/;
					proxy_http_version 1.1;
					proxy_request_buffering off;
					proxy_buffering off;
				}
			}
		}
	CONF
	spawn "$NS_SERVER" nginx nginx -c "$T/nginx/nginx.conf" -p "$T/nginx" -e "$T/nginx/error.log"
	wait_for 10 listens "$NS_SERVER" 80 || {
		not_ok "nginx starts" "$(cat "$T/log/nginx" "$T/nginx/error.log")"
		return 1
	}
}

# start_origin [PORT]: tests/lib/origin.py on the server; what it receives is in $T/origin
# shellcheck disable=SC2120
start_origin() {
	local port=${1:-9000}
	spawn "$NS_SERVER" "origin-$port" "$PYTHON" "$TESTS/lib/origin.py" --port "$port" --root "$T/www" \
		--log "$T/origin"
	wait_for 10 listens "$NS_SERVER" "$port" || {
		not_ok "the origin server starts" "$(cat "$T/log/origin-$port")"
		return 1
	}
}

# --- samples -------------------------------------------------------------------------
# The EICAR test string from two halves, so that no file of ours is taken for it.
# shellcheck disable=SC2016  # dollars and all
eicar() { printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR' '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'; }

# make_clam_db DIR: a database with two signatures, EICAR and the file in clamav-testfiles' containers
make_clam_db() {
	local dir=$1 samples=/usr/share/clamav-testfiles
	mkdir -p "$dir"
	printf 'Sluice.Test.Eicar:0:*:%s\n' "$(eicar | od -An -tx1 | tr -d ' \n')" >"$dir/eicar.ndb"
	[ ! -f $samples/clam.exe ] || (cd $samples && sigtool --md5 clam.exe) >"$dir/clam.hdb"
	chmod 755 "$dir"
	chmod 644 "$dir"/*
}

# make_samples DIR: eicar.com in several wrappings, and clean files beside them
make_samples() {
	local dir=$1
	mkdir -p "$dir"
	eicar >"$dir/eicar.com"
	(cd "$dir" && zip -q eicar.zip eicar.com && zip -q eicar2.zip eicar.zip && gzip -k eicar.com &&
		tar -cf eicar.tar eicar.com && brotli -k eicar.com && zstd -q -k eicar.com) || return 1
	{ head -c 3000000 /dev/urandom && cat "$dir/eicar.zip"; } >"$dir/eicar-at-end.bin"
	printf 'nothing to see here\n' >"$dir/clean.txt"
	head -c 1000000 /dev/urandom >"$dir/clean.bin"
	(cd "$dir" && zip -q clean.zip clean.txt && gzip -k clean.txt)
	chmod 644 "$dir"/*
}

# --- the gateway ---------------------------------------------------------------------
SLUICE_CONF=

# sluice_value TEXT: as the configuration wants it; numbers, words and lists stay, all else is quoted
sluice_value() {
	case $1 in
	\"* | \{* | true | false) printf '%s' "$1" ;;
	*[!0-9]* | '') printf '"%s"' "$1" ;;
	*) printf '%s' "$1" ;;
	esac
}

# sluice_conf [KEY=VALUE...]: write $T/sluice.conf; keys as "scan.engine" or "relays", e.g.
#   sluice_conf scan.engine=none delivery.mode=hold intercept.when_down=closed
sluice_conf() {
	local pair key section
	declare -A set=(
		[state_dir]=$T/state [run_dir]=$T/run [user]=nobody [relays]=2
		[intercept.lan]='{"lan0"}' [intercept.http]='{80, 8080}'
		[scan.engine]=libclamav [scan.database]=$T/clamdb [scan.workers]=2
		[log.level]=debug
	)
	for pair; do set[${pair%%=*}]=${pair#*=}; done
	SLUICE_CONF=$T/sluice.conf
	{
		for key in "${!set[@]}"; do
			[ "${key%.*}" != "$key" ] || echo "$key = $(sluice_value "${set[$key]}")"
		done
		echo 'service "http" { protocol = "http" mode = "transparent" port = 3129 }'
		for section in $(printf '%s\n' "${!set[@]}" | sed -n 's/\..*//p' | sort -u); do
			echo "$section {"
			for key in "${!set[@]}"; do
				[ "${key%.*}" != "$section" ] || echo "	${key#*.} = $(sluice_value "${set[$key]}")"
			done
			echo "}"
		done
	} >"$SLUICE_CONF"
}

sluicectl() { on_gw "$BIN/sluicectl" -s "$T/run/control.sock" "$@"; }
# query EXPRESSION: python, about the JSON on standard input as x
query() { "$PYTHON" -c 'import json, sys; x = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
# status EXPRESSION: the same, about `sluicectl --json status`
status() { sluicectl --json status | query "$1"; }
# role_pid ROLE [INDEX], role_counter ROLE NAME, role_note ROLE
role_pid() { status "[r['pid'] for r in x['roles'] if r['role'] == '$1' and r['index'] == ${2:-0}][0]"; }
role_counter() { status "[r['counters']['$2'] for r in x['roles'] if r['role'] == '$1'][0]"; }
role_note() { status "[r['note'] for r in x['roles'] if r['role'] == '$1'][0]"; }
sluice_ready() { sluicectl --json status | grep -qE '"ready": ?true'; }
sluice_ended() { gone "$SLUICE_PID" || sluice_ready; }

# start_sluice [ARGUMENT...]: in the gateway's namespace, with $SLUICE_CONF; waits until it works
start_sluice() {
	[ -n "$SLUICE_CONF" ] || sluice_conf
	spawn "$NS_GW" sluiced "$BIN/sluiced" -c "$SLUICE_CONF" -f "$@"
	SLUICE_PID=$SPAWNED
	if ! wait_for 30 sluice_ended || gone "$SLUICE_PID"; then
		not_ok "sluiced starts" "$(tail -n 30 "$T/log/sluiced")"
		stop_sluice
		return 1
	fi
}

# stop_sluice: in order; its exit status (not from a subshell, which could not wait for it)
stop_sluice() {
	local pid=$SLUICE_PID
	SLUICE_PID=
	[ -n "$pid" ] || return 0
	end_pid "$pid" 40
}

# sluice_log PATTERN: whether the daemon has said so
sluice_log() { grep -qE -- "$1" "$T/log/sluiced"; }
# sluice_events: all lines of the journal, in order
sluice_events() { cat "$T"/state/journal/events-*.jsonl "$T/state/journal/events.jsonl" 2>/dev/null; }
