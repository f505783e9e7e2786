#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FTP's data connections: pairs, sockets and rules of the real sluice-net, IPv4 and IPv6. Relays are made of net_tool, which
# carries each connection by itself; what goes through are HTTP requests, since nothing looks at it. Network: lib.sh; a
# second address of the client's, $OTHER, is somebody else.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

OTHER=10.77.1.3 OTHER6=fd77:1::3
make --no-print-directory -s O="$O" "$O/tests/netns/net_tool" "$O/tests/netns/rules_tool" || exit 1
ns_up
ip -n "$NS_CLIENT" addr add $OTHER/24 dev c0 && ip -n "$NS_CLIENT" addr add $OTHER6/64 dev c0 nodad || exit 1
HELPERS=$TESTS/netns/helpers
FTP_DATA=65

# --- the role and its relays --------------------------------------------------------

conf() { # NAME [LINE...]: a configuration; its path in $CONF
	CONF=$T/$1.conf
	shift
	{
		echo "run_dir = \"$T/run\""
		echo 'log { level = "debug" }'
		printf '%s\n' "${@:-intercept { lan = {\"lan0\"\} http = {80, 8080\} \}}"
	} >"$CONF"
}
role_up() { # CONF: sluice-net, as root and confined by itself
	mkfifo "$T/in" "$T/out" 2>/dev/null
	nsenter --net="/run/netns/$NS_GW" -- "$O/tests/netns/net_tool" "$O/libexec/sluice-net" "$1" <"$T/in" >"$T/out" \
		2>>"$T/log/net" &
	NET=$!
	NS_PIDS+=("$NET")
	exec {TO}>"$T/in" {FROM}<"$T/out"
	wait_for 10 in_place
}
in_place() { on_gw nft list set inet sluice alive | grep -q tcp; }
role_down() {
	tell stop >/dev/null
	exec {TO}>&- {FROM}<&-
	end_pid "$NET"
}
# tell COMMAND...: the answer
tell() {
	local line=
	echo "$*" >&"$TO" || return 1
	read -r -t 10 line <&"$FROM" || line="no answer"
	echo "$line"
	[ "${line%% *}" = ok ]
}
counter() { on_gw "$O/tests/netns/rules_tool" counters | sed -n "s/^$1 //p"; }
grew() { [ "$(counter "$1")" -gt "$2" ]; }
# pairs_are "CLIENT . SERVER"...: what is in the kernel
pairs_are() {
	local said
	said=$({ on_gw nft list set inet sluice pairs4 && on_gw nft list set inet sluice pairs6; } |
		tr -s ',{}\n\t ' '\n' | paste -sd' ' | grep -oE '[0-9a-f.:]+ \. [0-9a-f.:]+' | grep -v addr | sort)
	echo "$said"
	[ "$said" = "$(printf '%s\n' "$@" | sed '/^$/d' | sort)" ]
}

held() { [ "$(tell stat ftp_pairs)" = "ok $1" ]; } # how many relays have

# --- what goes through ------------------------------------------------------------

url() { case $1 in *:*) echo "http://[$1]:$2" ;; *) echo "http://$1:$2" ;; esac }
# ask ON ADDRESS PORT [CURL OPTION...]: "ADDRESS PORT OWNPORT": what the other end sees, and the own port
ask() {
	local on=$1 to
	to=$(url "$2" "$3")/whoami
	shift 3
	"$on" curl -s -S -m 5 -w '%{local_port}\n' "$@" "$to" 2>&1 | tr '\n' ' '
}
# taken ADDRESS ON ADDRESS PORT...: through a relay: the other end sees that address with another port
taken() {
	local a want=$1
	shift
	read -r -a a < <(ask "$@")
	echo "${a[*]}"
	[ ${#a[@]} = 3 ] && [ "${a[0]}" = "$want" ] && [ "${a[1]}" != "${a[2]}" ]
}
# passed ON ADDRESS PORT...: forwarded
passed() {
	local a
	read -r -a a < <(ask "$@")
	echo "${a[*]}"
	[ ${#a[@]} = 3 ] && [ "${a[1]}" = "${a[2]}" ]
}
serve() { # NAMESPACE PORT...
	local ns=$1 port
	shift
	for port; do spawn "$ns" "origin-$ns-$port" "$PYTHON" "$HELPERS/origin.py" "$port"; done
	for port; do wait_for 20 listens "$ns" "$port" || exit 1; done
}
# tracked ARGUMENT...: conntrack has such an entry, in the client's zone and with that label
tracked() { on_gw conntrack -L -p tcp "$@" 2>/dev/null | grep "mark=$((FTP_DATA << 16)) .*zone=1"; }

# passive CLIENT SERVER PORT: one that a client opens
passive() {
	tell passive 0 "$1" "$2" "$3" && taken "$1" on_client "$2" "$3" --interface "$1"
}
# active CLIENT PORT SERVER: one that a server opens, to a port that it hasn't been to within a minute; the client sees the server and port 20
active() {
	local a
	tell active 0 "$1" "$2" "$3" "$1" || return 1
	read -r -a a < <(ask on_server "$1" "$2")
	echo "${a[*]}"
	[ ${#a[@]} = 3 ] && [ "${a[0]} ${a[1]}" = "$3 20" ] && [ "${a[2]}" != 20 ]
}
size_of() { "$1" curl -s -m 20 "${@:4}" "$(url "$2" "$3")/bytes/3000000" | wc -c; } # ON ADDRESS PORT [CURL OPTION...]

# A connection that is kept: hold NAME ADDRESS PORT FROM; answers NAME; drop NAME
declare -A HOLD_FD HOLD_PID
hold() {
	local fd
	mkfifo "$T/$1.in"
	on_client "$PYTHON" "$HELPERS/held.py" "$2" "$3" "$4" <"$T/$1.in" >"$T/$1.out" 2>&1 &
	HOLD_PID[$1]=$!
	NS_PIDS+=("$!")
	exec {fd}>"$T/$1.in"
	HOLD_FD[$1]=$fd
	answers "$1"
}
lines() { wc -l <"$T/$1.out"; }
more_lines() { [ "$(lines "$1")" -gt "$2" ]; }
answers() {
	local before
	before=$(lines "$1")
	echo >&"${HOLD_FD[$1]}"
	wait_for 5 more_lines "$1" "$before" && tail -n 1 "$T/$1.out" | tee /dev/stderr | grep -q '^got'
}
drop() {
	local fd=${HOLD_FD[$1]}
	echo quit >&"$fd"
	exec {fd}>&-
	end_pid "${HOLD_PID[$1]}"
	rm -f "$T/$1.in" "$T/$1.out"
}

serve "$NS_SERVER" 80 8080 2121 4100 4101 4102 4103
serve "$NS_CLIENT" 5100 5101 5102 5103 5104 5105 5106 5107 8080
conf plain
role_up "$CONF" || not_ok "sluice-net works" "$(cat "$T/log/net")"
tell relay 0 >/dev/null

# --- pairs -------------------------------------------------------------------------
check "no pair at first" pairs_are
is "$(tell data 0 $CLIENT $SERVER 20)" "error -2 No such file or directory" "no socket without a pair"
check "a relay has a pair" tell pair 0 $CLIENT $SERVER 1
check "... which is in the kernel as soon as that is answered" pairs_are "$CLIENT . $SERVER"
check "... and may be told again" tell pair 0 $CLIENT $SERVER 1
check "IPv6" tell pair 0 $CLIENT6 $SERVER6 1
BOTH=("$CLIENT . $SERVER" "$CLIENT6 . $SERVER6")
check "... is there, too" wait_for 3 pairs_are "${BOTH[@]}"
is "$(tell stat ftp_pairs)" "ok 2" "they are counted"
check "the rules are as they should be, pairs and all" eval "sleep 1.2; grep -c 'were changed' '$T/log/net' | grep -qx 0"

# --- passive -----------------------------------------------------------------------
for family in 4 6; do
	if [ $family = 4 ]; then c=$CLIENT s=$SERVER o=$OTHER; else c=$CLIENT6 s=$SERVER6 o=$OTHER6; fi
	up=$(counter data-client) down=$(counter data-server)
	check "IPv$family: passive: a port is announced" tell passive 0 $c $s 4100
	check "... another client's connection to it is forwarded" passed on_client $s 4100 --interface $o
	check "... and so is the client's own to another port" passed on_client $s 4101 --interface $c
	check "... and to the port of one of our listeners" passed on_client $s 2121 --interface $c
	check "... the client's is taken in, with its address" taken $c on_client $s 4100 --interface $c
	check "... by these rules" eval "grew data-client $up && grew data-server $down"
	check "... with its own zone and label" tracked --orig-port-dst 4100
	check "... after which the port is the server's again" passed on_client $s 4100 --interface $c
	tell passive 0 $c $s 4101 >/dev/null
	up=$(counter data-client)
	is "$(size_of on_client $s 4101 --interface $c)" 3000000 "IPv$family: passive: whole"
	check "... through the relay" grew data-client "$((up + 5))"
	check "IPv$family: passive: the same port again" passive $c $s 4101

	# An intercepted port; no relay listens for HTTP here, so others are forwarded.
	check "IPv$family: passive: on an intercepted port" tell passive 0 $c $s 8080
	check "... another client's connection to it is not for this listener" passed on_client $s 8080 --interface $o
	check "... the client's is taken in" taken $c on_client $s 8080 --interface $c
	check "... with its own zone and label" tracked --orig-port-dst 8080

	# --- active
	check "IPv$family: active: from port 20 of the server" active $c 5100 $s
	check "... with its own zone and label" tracked --orig-port-src 20
	check "... and again" active $c 5102 $s
	tell active 0 $c 5101 $s $c >/dev/null
	is "$(size_of on_server $c 5101)" 3000000 "IPv$family: active: whole"
	check "IPv$family: active: on the port of one of our listeners" active $c 8080 $s
	check "IPv$family: active: without a listener the server's connection is forwarded" passed on_server $c 5100
done

# --- the gateway is in the way ---------------------------------------------------------
on_gw nft -f - <<-END
	table inet nat {
		chain post { type nat hook postrouting priority srcnat; policy accept;
			oifname "wan0" masquerade
		}
	}
END
masqueraded() { # CLIENT SERVER GATEWAY
	tell passive 0 "$1" "$2" 4100 && taken "$3" on_client "$2" 4100 --interface "$1"
}
check "masqueraded: passive" masqueraded $CLIENT $SERVER $GW_OUT
check "masqueraded: passive, IPv6" masqueraded $CLIENT6 $SERVER6 $GW_OUT6
on_gw nft delete table inet nat
on_gw conntrack -F >/dev/null 2>&1

to_gateway() { # CLIENT SERVER GATEWAY: a server's connection to the gateway's own address
	local a
	tell active 0 "$1" 5104 "$2" "$3" || return 1
	read -r -a a < <(ask on_server "$3" 5104)
	echo "${a[*]}"
	[ "${a[0]:-} ${a[1]:-}" = "$2 20" ]
}
check "active, to the gateway's address" to_gateway $CLIENT $SERVER $GW_OUT
check "active, to the gateway's address, IPv6" to_gateway $CLIENT6 $SERVER6 $GW_OUT6

# --- SYN cookies, as in a flood --------------------------------------------------------
on_gw sysctl -qw net.ipv4.tcp_syncookies=2
check "SYN cookies: passive" passive $CLIENT $SERVER 4100
check "SYN cookies: passive, IPv6" passive $CLIENT6 $SERVER6 4100
check "SYN cookies: active" active $CLIENT 5105 $SERVER
check "SYN cookies: active, IPv6" active $CLIENT6 5105 $SERVER6
on_gw sysctl -qw net.ipv4.tcp_syncookies=1

# --- rules are replaced -----------------------------------------------------------------
tell passive 0 $CLIENT $SERVER 4102 >/dev/null
check "a transfer begins" hold kept $SERVER 4102 $CLIENT
tell passive 0 $CLIENT6 $SERVER6 4102 >/dev/null
check "... and another one, IPv6" hold kept6 $SERVER6 4102 $CLIENT6
conf more 'intercept { lan = {"lan0"} http = {80, 8080} bypass_servers = {"192.0.2.1"} }'
tell reload "$CONF" >/dev/null
bypassed() { on_gw nft list set inet sluice bypass_servers4 | grep -q 192.0.2.1; }
check "rules are replaced" wait_for 3 bypassed
check "... pairs are in the new ones" pairs_are "${BOTH[@]}"
check "... transfers go on" eval "answers kept && answers kept6"
on_gw nft delete table inet sluice
check "rules that somebody deletes are put back" wait_for 5 in_place
check "... with the pairs" pairs_are "${BOTH[@]}"
check "... transfers go on" eval "answers kept && answers kept6"
conf none 'intercept { lan = {"lan0"} http = {80, 8080} ftp = {} }'
tell reload "$CONF" >/dev/null
no_ftp() { ! on_gw nft list set inet sluice ftp_ports | grep -q 21; }
check "FTP is no longer taken in" wait_for 3 no_ftp
check "... pairs are still there" pairs_are "${BOTH[@]}"
check "... transfers go on" eval "answers kept && answers kept6"
check "... and new ones come" passive $CLIENT $SERVER 4100
drop kept
drop kept6

# --- who dies -------------------------------------------------------------------------------
conf plain
tell reload "$CONF" >/dev/null
tell relay 1 >/dev/null
tell pair 1 $CLIENT $SERVER 1 >/dev/null
tell pair 1 $OTHER $SERVER 1 >/dev/null
check "two relays have pairs" wait_for 3 pairs_are "${BOTH[@]}" "$OTHER . $SERVER"
check "one dies" tell close 0
check "... what it alone had is nobody's" wait_for 3 held 2
check "... but stays for a while" pairs_are "${BOTH[@]}" "$OTHER . $SERVER"
tell relay 0 >/dev/null
tell pair 0 $CLIENT $SERVER 1 >/dev/null
tell passive 0 $CLIENT $SERVER 4102 >/dev/null
check "a transfer begins" hold kept $SERVER 4102 $CLIENT
tell pair 0 $CLIENT $SERVER 0 >/dev/null
tell pair 1 $CLIENT $SERVER 0 >/dev/null
tell pair 0 $OTHER $SERVER 1 >/dev/null
tell pair 1 $OTHER $SERVER 0 >/dev/null
check "nobody has its pair any more" wait_for 3 held 1
check "... it ends in order" answers kept
drop kept
is "$(tell data 0 $CLIENT $SERVER 20)" "error -2 No such file or directory" "... nor is there another socket"
is "$(tell data 1 $OTHER $SERVER 20)" "error -2 No such file or directory" "a pair of another relay is none"
check "what nobody has goes after a while" wait_for 45 pairs_are "$OTHER . $SERVER"
tell pair 0 $CLIENT $SERVER 1 >/dev/null
tell passive 0 $CLIENT $SERVER 4102 >/dev/null
check "a transfer begins" hold kept $SERVER 4102 $CLIENT
check "sluice-net is killed" tell kill
check "... its pairs are still in the kernel" pairs_are "$CLIENT . $SERVER" "$OTHER . $SERVER"
check "... the transfer goes on" answers kept
tell relay 0 >/dev/null
tell pair 0 $CLIENT $SERVER 1 >/dev/null
check "... one that is claimed stays, the other goes" wait_for 15 pairs_are "$CLIENT . $SERVER"
check "... the transfer goes on" answers kept
drop kept
check "... and new ones come" passive $CLIENT $SERVER 4103

# --- what is refused --------------------------------------------------------------------------
is "$(tell data 0 $CLIENT $SERVER 20)" ok "a port below 1024"
a_port() { tell passive 0 $CLIENT $SERVER 4100; }
check "a port" a_port
is "$(a_port)" "error -98 Address already in use" "... is there once"
check "... as long as it takes" passed on_client $SERVER 4101
check "... which is over now" taken $CLIENT on_client $SERVER 4100
spawn "$NS_GW" gw-origin "$PYTHON" "$HELPERS/origin.py" 4777
wait_for 20 listens "$NS_GW" 4777
is "$(tell data 0 $CLIENT $SERVER 4777)" "error -98 Address already in use" "a port that the gateway itself has"
is "$(tell passive 0 $CLIENT $SERVER 4777)" "error -98 Address already in use" "... to listen on as well"
is "$(tell stat ftp_sockets_given | grep -c 'ok [1-9]')" 1 "sockets are counted"
end_relay() { # NAME COMMAND...: it ends the channel of relay 2
	tell relay 2 >/dev/null
	tell pair 2 $OTHER $SERVER 1 >/dev/null
	is "$(tell "${@:2}")" "error -32 Broken pipe" "$1"
	wait_for 3 held 1 || not_ok "... and it has no pairs any more"
}
end_relay "no such leg ends the relay" stock 2 3
end_relay "two families" data 2 $OTHER $SERVER6 20
end_relay "... of a pair" pair 2 $OTHER $SERVER6 1
check "the others live" passive $CLIENT $SERVER 4100

# Rules that are gone: a relay waits for them with its pair.
on_gw nft delete table inet sluice
is "$(tell pair 0 $OTHER6 $SERVER6 1)" "error -11 Resource temporarily unavailable" "without rules no pair is there"
again() { tell pair 0 $OTHER6 $SERVER6 1; }
check "... but as soon as they are back" wait_for 3 again

# Both are client and server of each other.
tell pair 0 $CLIENT6 $SERVER6 1 >/dev/null
tell pair 0 $SERVER $CLIENT 1 >/dev/null
tell pair 0 $SERVER6 $CLIENT6 1 >/dev/null
check "both ways round: passive" passive $CLIENT $SERVER 4100
check "both ways round: active" active $CLIENT 5107 $SERVER
check "both ways round: passive, IPv6" passive $CLIENT6 $SERVER6 4100
check "both ways round: active, IPv6" active $CLIENT6 5107 $SERVER6
check "both ways round: others are forwarded" eval "passed on_client $SERVER 4101 && passed on_server $CLIENT 5101"
tell pair 0 $SERVER $CLIENT 0 >/dev/null
tell pair 0 $SERVER6 $CLIENT6 0 >/dev/null

# --- nothing is labelled ------------------------------------------------------------------------
role_down
before=$(list_ns "$NS_GW" | grep -v ip_early_demux)
conf unlabelled 'intercept { lan = {"lan0"} http = {80, 8080} when_down = "closed" }' 'apps { enabled = false }'
role_up "$CONF" || not_ok "sluice-net works" "$(cat "$T/log/net")"
tell relay 0 >/dev/null
tell pair 0 $CLIENT $SERVER 1 >/dev/null
tell pair 0 $CLIENT6 $SERVER6 1 >/dev/null
check "unlabelled: passive" passive $CLIENT $SERVER 4100
check "unlabelled: passive, IPv6" passive $CLIENT6 $SERVER6 4100
check "unlabelled: active" active $CLIENT 5106 $SERVER
check "unlabelled: active, IPv6" active $CLIENT6 5106 $SERVER6
refused() { # ADDRESS PORT: a reset, at once
	on_client curl -s -o /dev/null -m 4 "$(url "$1" "$2")"
	[ $? = 7 ]
}
check "closed: control connections are refused where nobody listens" eval "refused $SERVER 21 && refused $SERVER6 21"
check "... and counted" grew refuse 0
role_down
after=$(list_ns "$NS_GW" | grep -v ip_early_demux)
is "$after" "$before" "nothing is left of it"
done_testing
