#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The gateway's rules, routes and related settings on real traffic, IPv4 and IPv6.
#
#	 C client            G gateway               R router             S origin
#	 c0 10.81.1.2  ----  eth1 10.81.1.1
#	    fd81:1::2             fd81:1::1
#	                     eth0 10.81.2.1  ----  r0 10.81.2.2
#	                          fd81:2::1           fd81:2::2
#	                                           r1 10.81.3.1  ----  s0 10.81.3.2
#	                                              fd81:3::1           fd81:3::2
#
# A second client address, 10.81.1.3, is there to be bypassed. The router's way to the origin has a smaller MTU in one
# test. Everything is in namespaces of this run; only processes of this run are ended, by their ids.
# shellcheck disable=SC2317,SC2086,SC2016 # most functions are called by name, through ok; names here have no spaces
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
tool=$O/tests/netns/rules_tool
helpers=tests/netns/helpers
C=slr$$-c G=slr$$-g R=slr$$-r S=slr$$-s
scratch=$(mktemp -d) || exit 1
count=0 failed=0
pids=()

cleanup() {
	local p n
	for p in "${pids[@]}"; do
		kill -CONT "$p" 2>/dev/null
		kill -KILL "$p" 2>/dev/null
	done
	wait 2>/dev/null
	for n in $C $G $R $S; do ip netns del "$n" 2>/dev/null; done
	rm -rf "$scratch"
}
trap cleanup EXIT

# --- TAP -----------------------------------------------------------------------

# ok NAME COMMAND...: passes when the command does; its output explains a failure
how= # before the name of each test
ok() {
	local name=$how$1 rc
	shift
	"$@" >"$scratch/why" 2>&1
	rc=$?
	count=$((count + 1))
	if [ $rc = 0 ]; then
		echo "ok $count - $name"
	else
		failed=1
		echo "not ok $count - $name"
		printf '# %s: status %s\n' "$*" $rc
		head -n 40 "$scratch/why" | sed 's/^/# /'
	fi
}
# not COMMAND...: passes when the command fails
not() { if "$@"; then return 1; fi; }
# poll SECONDS COMMAND...: until the command passes
poll() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
skip_all() {
	echo "ok 1 - rules # SKIP $1"
	echo "1..1"
	exit 0
}

# --- the network ------------------------------------------------------------------

in_c() { ip netns exec $C "$@"; }
in_g() { ip netns exec $G "$@"; }
in_r() { ip netns exec $R "$@"; }
in_s() { ip netns exec $S "$@"; }

link() { # NS IF ADDRESS4 ADDRESS6
	ip -n "$1" addr add "$3/24" dev "$2" && ip -n "$1" addr add "$4/64" dev "$2" nodad && ip -n "$1" link set "$2" up
}

network() {
	local n
	for n in $C $G $R $S; do
		ip netns add "$n" && ip -n "$n" link set lo up || return 1
		ip netns exec "$n" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 || return 1
	done
	# Ports are chosen by a secret of the kernel, the same in all its namespaces: client and gateway would choose the
	# same ones all the time, which two machines don't.
	in_g sysctl -qw net.ipv4.ip_local_port_range="10000 32767" || return 1
	ip link add c0 netns $C type veth peer name eth1 netns $G &&
		ip link add eth0 netns $G type veth peer name r0 netns $R &&
		ip link add r1 netns $R type veth peer name s0 netns $S || return 1
	link $C c0 10.81.1.2 fd81:1::2 && link $G eth1 10.81.1.1 fd81:1::1 && link $G eth0 10.81.2.1 fd81:2::1 &&
		link $R r0 10.81.2.2 fd81:2::2 && link $R r1 10.81.3.1 fd81:3::1 && link $S s0 10.81.3.2 fd81:3::2 || return 1
	ip -n $C addr add 10.81.1.3/24 dev c0 || return 1
	ip -n $C route add default via 10.81.1.1 && ip -n $C -6 route add default via fd81:1::1 &&
		ip -n $G route add default via 10.81.2.2 && ip -n $G -6 route add default via fd81:2::2 &&
		ip -n $R route add 10.81.1.0/24 via 10.81.2.1 && ip -n $R -6 route add fd81:1::/64 via fd81:2::1 &&
		ip -n $S route add default via 10.81.3.1 && ip -n $S -6 route add default via fd81:3::1
}

# spawn NS COMMAND...: in the background; its id in $spawned
spawn() {
	ip netns exec "$@" </dev/null >>"$scratch/log" 2>&1 &
	spawned=$!
	pids+=("$spawned")
}
listening() { ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q .; }

# --- what a client sees --------------------------------------------------------------

V4=10.81.3.2 V6='[fd81:3::2]'
# who [CURL OPTION...] URL: "ADDRESS PORT OWNPORT": what the origin sees, and the client's own port
who() { in_c curl -s -S -m 4 -w '%{local_port}\n' "$@" 2>&1 | tr '\n' ' '; }
# taken URL ADDRESS: intercepted (the origin sees another port); passed: forwarded (it sees the client's)
taken() {
	local a
	read -r -a a < <(who "$1")
	echo "${a[*]}"
	[ "${a[0]:-}" = "$2" ] && [ "${a[1]:-0}" != "${a[2]:-0}" ] && [ ${#a[@]} = 3 ]
}
passed() {
	local a
	read -r -a a < <(who "$@")
	echo "${a[*]}"
	[ ${#a[@]} = 3 ] && [ "${a[1]}" = "${a[2]}" ]
}
# refused URL: a reset, at once
refused() {
	local begin=$SECONDS
	in_c curl -s -o /dev/null -m 4 "$@"
	[ $? = 7 ] && [ $((SECONDS - begin)) -le 1 ]
}
both() { "$1" http://$V4/whoami "${@:2}" && "$1" "http://$V6/whoami" "${@:2}"; }
both_taken() { taken http://$V4/whoami 10.81.1.2 && taken "http://$V6/whoami" fd81:1::2; }
both_passed() { both passed; }
both_refused() { both refused; }

counter() { in_g "$tool" counters | sed -n "s/^$1 //p"; }
# grew RULE BEFORE
grew() { [ "$(counter "$1")" -gt "$2" ]; }

# A kept connection: hold NAME [ADDRESS]; ask NAME prints the next answer; drop NAME
declare -A hold_fd hold_pid
hold() {
	local fd
	mkfifo "$scratch/$1.in"
	in_c python3 $helpers/held.py "${2:-$V4}" 80 <"$scratch/$1.in" >"$scratch/$1.out" 2>&1 &
	hold_pid[$1]=$!
	pids+=("${hold_pid[$1]}")
	exec {fd}>"$scratch/$1.in"
	hold_fd[$1]=$fd
	ask "$1" >/dev/null
}
ask() {
	local lines
	lines=$(wc -l <"$scratch/$1.out")
	echo >&"${hold_fd[$1]}"
	poll 5 more_lines "$1" "$lines" || echo "no answer"
	tail -n 1 "$scratch/$1.out"
}
more_lines() { [ "$(wc -l <"$scratch/$1.out")" -gt "$2" ]; }
answers() { ask "$1" | tee /dev/stderr | grep -q '^got'; }
drop() {
	local fd=${hold_fd[$1]}
	echo quit >&"$fd"
	exec {fd}>&-
	wait "${hold_pid[$1]}"
	rm -f "$scratch/$1.in" "$scratch/$1.out"
}

# --- the gateway -----------------------------------------------------------------------

conf() { # NAME KEYS: a configuration file; prints its path
	cat >"$scratch/$1.conf" <<END
intercept { http = {80, 8080} $2 }
service "http" { protocol = "http" mode = "transparent" port = 3129 }
END
	echo "$scratch/$1.conf"
}
# relay_up client|port|gateway renew|idle
relay_up() {
	spawn $G "$tool" relay 3129 "$1" "$2"
	relay=$spawned
	poll 5 listening $G 3129
}
# The tool is the only child of `ip netns exec`, which execs it: one id for both.
relay_down() {
	kill -CONT "$relay" 2>/dev/null
	kill -TERM "$relay" 2>/dev/null
	wait "$relay" 2>/dev/null
	return 0
}
state() { # everything that Sluice changes, as text
	in_g nft list ruleset
	in_g ip rule
	in_g ip -6 rule
	in_g ip route show table all
	in_g ip -6 route show table all
	in_g sysctl net.ipv4.ip_early_demux
}
unchanged() { diff <(echo "$1") <(state); } # BEFORE
listed_as() { # CONF: the kernel's table is its rendered text, but for what was counted since
	in_g nft list table inet sluice | sed 's/packets [0-9]* bytes [0-9]*/packets 0 bytes 0/' |
		diff - <(in_g "$tool" render-here "$1" | sed "s/# by x_tables, which nft -f can't: //")
}
# Where the kernel queues by x_tables' target alone, nft can load all rules but that one.
nft_load() { # FILE
	if [ "$(in_g $tool queue)" = nft_queue ]; then
		in_g nft -f "$1"
	else
		grep -v 'comment "queue"$' "$1" | in_g nft -f -
	fi
}
no_difference() { # CONF
	in_g $tool diff "$1" | tee /dev/stderr >"$scratch/differs"
	if [ "$(in_g $tool queue)" = nft_queue ] || ! grep -q 'comment "queue"' "${1%.conf}.nft"; then
		[ ! -s "$scratch/differs" ]
	else
		[ "$(cat "$scratch/differs")" = 'rule queue: missing' ]
	fi
}
says() { # PATTERN COMMAND...: output has a line that is exactly that
	"${@:2}" 2>&1 | tee /dev/stderr | grep -qxE "$1"
}

# --- tests -----------------------------------------------------------------------------------

test_install() {
	local f
	for f in tests/golden/ruleset/*.conf; do
		ok "install $(basename "$f"): nft lists the rendered text" eval \
			"in_g $tool install $f && listed_as $f && in_g $tool diff $f"
		ok "$(basename "$f" .conf).nft loaded by nft has no difference" eval \
			"in_g nft delete table inet sluice; nft_load ${f%.conf}.nft && no_difference $f"
		ok "$(basename "$f" .conf): nft checks what is shown for this kernel" eval \
			"in_g $tool render-here $f >$scratch/here && in_g nft -c -f $scratch/here"
	done
	ok "nft/sluice.nft loads and has no difference to default.conf" eval \
		"in_g nft delete table inet sluice; nft_load nft/sluice.nft && no_difference tests/golden/ruleset/default.conf"
	ok "remove, also when there is nothing" eval "in_g $tool remove && in_g $tool remove"
}

# differs NAME LINE NFT-COMMAND: after that change the diff says exactly that
differs() {
	ok "diff: $1" eval "in_g $tool install '$diff_conf' && in_g nft $3 && says '$2' in_g $tool diff '$diff_conf' &&
		[ \$(in_g $tool diff '$diff_conf' | wc -l) = 1 ]"
}
handle_of() { in_g nft -a list chain inet sluice "$1" | sed -n "s/.*comment \"$2\" # handle //p"; }

test_diff() {
	diff_conf=$(conf diff 'lan = {"eth1"} bypass_clients = {"10.9.0.0/16"} when_down = "closed"')
	in_g "$tool" install "$diff_conf"
	differs "a rule is missing" 'rule intercept-http4: missing' \
		"delete rule inet sluice intercept handle \$(handle_of intercept intercept-http4)"
	differs "a rule is changed" 'rule down: changed: instruction 4 is .*accept.*' \
		"replace rule inet sluice intercept handle \$(handle_of intercept down) meta l4proto != @alive counter accept comment down"
	differs "a foreign rule" 'chain forward: foreign rule, handle [0-9]+, comment "mine"' \
		"insert rule inet sluice forward tcp dport 80 accept comment mine"
	differs "a foreign rule without a name" 'chain upstream: foreign rule, handle [0-9]+' \
		"add rule inet sluice upstream counter"
	differs "a chain is foreign" 'chain other: foreign' "add chain inet sluice other"
	differs "a set is foreign" 'set other: foreign' "add set inet sluice other { type mark\\; }"
	differs "a chain's policy" 'chain forward: changed: hook, priority or policy' \
		"chain inet sluice forward { policy drop\\; }"
	differs "an element is missing" 'set http_ports: missing element 8080' \
		"delete element inet sluice http_ports { 8080 }"
	differs "an interface is foreign" 'set lan: foreign element eth9' "add element inet sluice lan { eth9 }"
	differs "a bypass is missing" 'set bypass_clients4: missing element 10.9.0.0/16' \
		"delete element inet sluice bypass_clients4 { 10.9.0.0/16 }"
	differs "a bypass is foreign" 'set bypass_servers6: foreign element 2001:db8::-2001:db8::5' \
		"add element inet sluice bypass_servers6 { 2001:db8::-2001:db8::5 }"
	differs "the table is missing" 'table missing' "flush ruleset"
	ok "diff: rules out of order" eval "in_g $tool install '$diff_conf' &&
		in_g nft delete rule inet sluice intercept handle \$(handle_of intercept to-gateway) &&
		in_g nft add rule inet sluice intercept fib daddr type local return comment to-gateway &&
		says 'rule .*: out of order' in_g $tool diff '$diff_conf'"
	in_g "$tool" install-alive "$diff_conf"
	ok "diff: the switch is no difference" in_g "$tool" diff "$diff_conf"
	in_g "$tool" remove
}

status_is() { [ "$(in_g "$tool" alive status)" = "$1" ]; }

test_alive() {
	ok "renew without a table says that it is gone" says '.*is gone \(2\)' in_g "$tool" alive renew
	in_g "$tool" install "$open"
	ok "renew without the set says that it is gone" eval "in_g nft flush ruleset; in_g nft add table inet sluice;
		says '.*is gone \(2\)' in_g $tool alive renew"
	ok "without the capability it says so, at once" says '.*Operation not permitted \(needs CAP_NET_ADMIN\) \(1\)' \
		in_g timeout 1 setpriv --bounding-set=-net_admin "$tool" install "$open"
	in_g "$tool" install "$open"
	ok "the switch is off after install" status_is off
	ok "renew switches on" eval "in_g $tool alive renew && status_is on"
	ok "disarm switches off" eval "in_g $tool alive disarm && status_is off"
	ok "disarm again" in_g "$tool" alive disarm
	ok "installing with the switch on" eval "in_g $tool install-alive '$open' && status_is on"
	ok "it goes off by itself" poll 6 status_is off
	ok "renewed in time it stays on for longer than its timeout" renewed_stays_on
	in_g "$tool" remove
}
renewed_stays_on() {
	local end=$((SECONDS + 6))
	while [ $SECONDS -lt $end ]; do
		in_g "$tool" alive renew && status_is on || return 1
		sleep 0.5
	done
}

again_unchanged() { in_g "$tool" route install && unchanged "$1"; }
removed_unchanged() { in_g "$tool" route remove && unchanged "$1"; }

test_routes() {
	local before
	before=$(state)
	ok "routes: install for both families" says 'IPv4 and IPv6' in_g "$tool" route install
	ok "routes: no difference" in_g "$tool" route diff
	ok "routes: installing again changes nothing" again_unchanged "$(state)"
	ok "routes: a missing rule is named" eval "in_g ip rule del priority 100 && says 'IPv4 routing rule 100: missing' in_g $tool route diff"
	ok "routes: a missing route is named" eval \
		"in_g ip -6 route flush table 20942; says 'IPv6 routing table 20942: local default route missing' in_g $tool route diff"
	ok "routes: install mends both" eval "in_g $tool route install && in_g $tool route diff"
	ok "routes: remove leaves nothing" removed_unchanged "$before"
	ok "routes: remove again" in_g "$tool" route remove
}

test_intercept() {
	relay_up client renew
	ok "intercepted with the client's address, IPv4 and IPv6" poll 5 both_taken
	ok "counters tell both families" eval "grew intercept-http4 0 && grew intercept-http6 0 && grew client 0 && grew upstream 0"
	ok "the gateway's own port 80 is not intercepted" eval "in_c curl -s -m 4 http://10.81.1.1/ ; [ \$? = 7 ]"
	ok "nobody connects to the listener itself" eval "refused http://10.81.1.1:3129/ && refused 'http://[fd81:1::1]:3129/' &&
		grew direct 1"
	ok "a port that isn't listed is forwarded" passed http://$V4:81/whoami
	ok "to port 3129 of a server is forwarded" passed http://$V4:3129/whoami
	ok "with src_valid_mark = 1" eval "in_g sysctl -qw net.ipv4.conf.all.src_valid_mark=1 && both_taken"
	ok "with tcp_fwmark_accept = 1" eval "in_g sysctl -qw net.ipv4.tcp_fwmark_accept=1 && both_taken"
	in_g sysctl -qw net.ipv4.conf.all.src_valid_mark=0 net.ipv4.tcp_fwmark_accept=0
	ok "with strict reverse path filters" eval "in_g sysctl -qw net.ipv4.conf.all.rp_filter=1 && both_taken"
	in_g sysctl -qw net.ipv4.conf.all.rp_filter=0
	relay_down
	relay_up gateway renew
	ok "with the gateway's address" poll 5 taken http://$V4/whoami 10.81.2.1
	ok "with the gateway's address, IPv6" taken "http://$V6/whoami" fd81:2::1
	relay_down
}

# Rules are replaced between two packets: while they are, again and again, no connection slips through or is refused.
test_replace() {
	local replacing
	in_g "$tool" install-alive "$closed"
	relay_up client renew
	poll 5 both_taken >/dev/null
	hold kept
	while in_g "$tool" install-alive "$closed" && echo x >>"$scratch/replaced"; do :; done &
	replacing=$!
	pids+=("$replacing")
	# At least 40 of each family, and on until the table was replaced often.
	often() { [ "$(wc -l <"$scratch/replaced")" -ge 20 ]; }
	taken_until_often() { times 40 both_taken && poll 30 eval 'both_taken || exit 1; often'; }
	ok "replaced under traffic: every connection is intercepted" eval "(taken_until_often)"
	kill "$replacing"
	wait "$replacing" 2>/dev/null
	ok "replaced under traffic: that was often" often
	ok "replaced under traffic: what was open goes on" answers kept
	drop kept
	relay_down
}

# SYN cookies for every connection, as in a flood
test_syncookies() {
	relay_up client renew
	in_g sysctl -qw net.ipv4.tcp_syncookies=2
	ok "SYN cookies: handshakes are not ours without the set" not taken http://$V4/whoami 10.81.1.2
	ok "SYN cookies: completed with it" eval "in_g $tool syncookies && both_taken && grew cookie-http4 0 && grew cookie-http6 0"
	in_g sysctl -qw net.ipv4.tcp_syncookies=1
	relay_down
}

# A firewall that drops what conntrack calls invalid, and both legs with the same ports. Namespaces of one kernel share
# the secret that initial sequence numbers come from, so that both legs would have nearly the same numbers and pass for
# one connection; with SYN cookies the origin's are its own. Without zones three in five connections fail here.
test_zones() {
	in_g nft -f - <<-END
		table inet admin {
			chain in { type filter hook input priority filter; policy drop;
				meta mark & 0x10000000 == 0x10000000 ct state invalid counter drop
				meta mark & 0x10000000 == 0x10000000 accept
				ct state established,related accept
				meta l4proto { icmp, ipv6-icmp } accept
			}
			chain out { type filter hook output priority filter; policy accept;
				ct state invalid counter drop
			}
		}
	END
	in_s sysctl -qw net.ipv4.tcp_syncookies=2
	relay_up port renew
	poll 5 both_same_port >/dev/null
	ok "same port on both legs, behind a stateful firewall" times 6 both_same_port
	ok "nothing on either leg was invalid" eval "! in_g nft list table inet admin | tee /dev/stderr | grep -q 'packets [1-9]'"
	relay_down
	in_s sysctl -qw net.ipv4.tcp_syncookies=1
	in_g nft delete table inet admin
}
times() { # N COMMAND...
	local n=$1
	shift
	while [ $((n--)) -gt 0 ]; do "$@" || return 1; done
}
both_same_port() { same_port http://$V4/whoami && same_port "http://$V6/whoami"; }
same_port() {
	local a n
	n=$(counter client)
	read -r -a a < <(who "$1")
	echo "${a[*]}"
	[ ${#a[@]} = 3 ] && [ "${a[1]}" = "${a[2]}" ] && grew client "$n"
}

test_masquerade() {
	in_g nft -f - <<-END
		table inet nat {
			chain post { type nat hook postrouting priority srcnat; policy accept;
				oifname "eth0" masquerade
			}
		}
	END
	relay_up client renew
	ok "masqueraded: intercepted, IPv4" poll 5 taken http://$V4/whoami 10.81.2.1
	ok "masqueraded: intercepted, IPv6" taken "http://$V6/whoami" fd81:2::1
	ok "masqueraded: forwarded" eval "in_c curl -s -m 4 http://$V4:81/whoami | grep '^10.81.2.1 '"
	relay_down
	in_g nft delete table inet nat
}

put_size() { [ "$(in_c curl -s -m 6 -T "$scratch/body" "$1")" = 300000 ]; }
get_size() { [ "$(ip netns exec "$1" curl -s -m 6 "$2" | wc -c)" = 300000 ]; }

# The router can't forward whole packets to the origin and says so to the client's address.
test_mtu() {
	local reverse
	head -c 300000 /dev/zero >"$scratch/body"
	relay_up client renew
	in_r ip link set r1 mtu 1300
	ok "a smaller MTU towards the origin, IPv4" eval "put_size http://$V4/"
	ok "a smaller MTU towards the origin, IPv6" eval "put_size 'http://$V6/'"
	in_g nft delete rule inet sluice upstream handle \
		"$(in_g nft -a list chain inet sluice upstream | sed -n 's/.*"upstream-errors4".*handle //p')"
	in_s ip route flush cache
	in_g ip route flush cache
	ok "it does take the ICMP error" not put_size http://$V4:8080/
	relay_down
	# The other way round: clients behind the router, so that the error is about the client's leg.
	reverse=$(conf reverse 'lan = {"eth0"}')
	in_g "$tool" install-alive "$reverse"
	relay_up client renew
	in_g ip route flush cache
	ok "a smaller MTU towards the client, IPv4" get_size $S http://10.81.1.2/bytes/300000
	ok "a smaller MTU towards the client, IPv6" get_size $S 'http://[fd81:1::2]/bytes/300000'
	ok "those were intercepted" eval "grew intercept-http4 0 && grew intercept-http6 0"
	relay_down
	in_r ip link set r1 mtu 1500
	in_g "$tool" install-alive "$open"
}

test_before() {
	in_g "$tool" remove
	hold early
	hold early6 fd81:3::2
	in_g "$tool" install-alive "$open"
	relay_up client renew
	ok "what was open before the rules came goes on" eval "both_taken && answers early && answers early6"
	drop early
	drop early6
	relay_down
}

test_bypass() {
	local n
	relay_up client renew
	poll 5 both_taken >/dev/null
	hold kept
	hold kept6 fd81:3::2
	n=$(counter bypass-client4)
	ok "bypass: a client, at run time" eval "in_g $tool bypass add clients 10.81.1.2 && passed http://$V4/whoami &&
		grew bypass-client4 $n"
	ok "bypass: a client, IPv6" eval "in_g $tool bypass add clients fd81:1::/64 && passed 'http://$V6/whoami'"
	ok "bypass: intercepted connections go on" eval "answers kept && answers kept6"
	ok "bypass: other clients are intercepted" eval "not passed --interface 10.81.1.3 http://$V4/whoami &&
		in_c curl -s -m 4 --interface 10.81.1.3 http://$V4/whoami | grep '^10.81.1.3 '"
	drop kept
	drop kept6
	hold passing
	hold passing6 fd81:3::2
	ok "bypass: deleted, new connections are intercepted" eval "in_g $tool bypass del clients 10.81.1.2 &&
		in_g $tool bypass del clients fd81:1::/64 && both_taken"
	ok "bypass: forwarded connections go on" eval "answers passing && answers passing6"
	drop passing
	drop passing6
	ok "bypass: a server" eval "in_g $tool bypass add servers 10.81.3.0/24 && in_g $tool bypass add servers fd81:3::2 &&
		both_passed && in_g $tool bypass del servers 10.81.3.0/24 && in_g $tool bypass del servers fd81:3::2 && both_taken"
	relay_down
	test_bypass_errors
}

unbypass() { # NETWORK...: those were all
	local n
	for n; do in_g "$tool" bypass del clients "$n" || return 1; done
	in_g "$tool" diff "$open"
}

test_bypass_errors() {
	in_g "$tool" bypass add clients 10.0.0.0/24
	ok "bypass: twice" says '10.0.0.0/24 overlaps with 10.0.0.0/24 in set bypass_clients4 \(17\)' \
		in_g "$tool" bypass add clients 10.0.0.0/24
	ok "bypass: a part" says '10.0.0.9 overlaps with 10.0.0.0/24 .*' in_g "$tool" bypass add clients 10.0.0.9
	ok "bypass: the whole" says '10.0.0.0/8 overlaps with 10.0.0.0/24 .*' in_g "$tool" bypass add clients 10.0.0.0/8
	ok "bypass: a neighbour" in_g "$tool" bypass add clients 10.0.1.0/24
	ok "bypass: two neighbours are no entry" says '10.0.0.0/23 is no entry of set bypass_clients4 \(2\)' \
		in_g "$tool" bypass del clients 10.0.0.0/23
	ok "bypass: neither is a part" says '10.0.0.0/25 is no entry of set bypass_clients4 \(2\)' \
		in_g "$tool" bypass del clients 10.0.0.0/25
	ok "bypass: both ends of the address space" eval "in_g $tool bypass add clients 0.0.0.0/8 &&
		in_g $tool bypass add clients 255.0.0.0/8 && in_g $tool bypass add clients ff00::/8 &&
		in_g nft list set inet sluice bypass_clients4 | tee /dev/stderr | grep -q 255.0.0.0/8"
	ok "bypass: all of them go" unbypass 10.0.0.0/24 10.0.1.0/24 0.0.0.0/8 255.0.0.0/8 ff00::/8
	ok "bypass: without a table" eval "in_g $tool remove; not in_g $tool bypass add clients 10.0.0.9"
	in_g "$tool" install-alive "$open"
}

# The daemon hangs, is killed, or somebody flushes the rules.
test_down_open() {
	local n
	relay_up client renew
	poll 5 both_taken >/dev/null
	hold hung
	kill -STOP "$relay"
	ok "open: a hung daemon drops out of the way within 5 s" poll 5 both_passed
	ok "open: that is counted" grew down 1
	ok "open: its connections stay with it" eval "kill -CONT $relay; answers hung"
	ok "open: it comes back" poll 5 both_taken
	drop hung
	relay_down
	n=$(counter no-listener)
	in_g "$tool" alive renew
	ok "open: without a listener at once" eval "both_passed && grew no-listener $n"
	relay_up client renew
	poll 5 both_taken >/dev/null
	in_g nft flush ruleset
	ok "open: rules flushed" both_passed
	relay_down
	in_g "$tool" install-alive "$open"
}

test_down_closed() {
	local n
	in_g "$tool" install-alive "$closed"
	relay_up client renew
	ok "closed: intercepted" poll 5 both_taken
	hold hung
	kill -STOP "$relay"
	ok "closed: a hung daemon keeps the door shut within 5 s" poll 5 both_refused
	ok "closed: that is counted" grew refuse 1
	ok "closed: bypassed clients pass" eval "passed --interface 10.81.1.3 http://$V4/whoami"
	ok "closed: other ports pass" passed http://$V4:81/whoami
	ok "closed: its connections stay with it" eval "kill -CONT $relay; answers hung"
	ok "closed: it comes back" poll 5 both_taken
	drop hung
	relay_down
	n=$(counter refuse)
	in_g "$tool" alive renew
	ok "closed: without a listener at once" eval "both_refused && grew refuse $n"
	in_g "$tool" remove
	hold open_before
	in_g "$tool" install "$closed"
	ok "closed: what was open before goes on" answers open_before
	drop open_before
	in_g "$tool" install-alive "$open"
}

# What comes from the client of a connection that has no relay any more: for a socket of ours, or what is left of one. Which
# of the two it is depends on whether the last acknowledgement came while the kernel was closing the socket.
from_orphans() { echo $(($(counter client) + $(counter handshake))); }
more_from_orphans() { [ "$(from_orphans)" -gt "$1" ]; }

# A relay that dies leaves orphans: the origin's end has to reach them, not the client.
test_closing() {
	local n
	relay_up client renew
	poll 5 both_taken >/dev/null
	hold orphan
	n=$(counter closing)
	kill -KILL "$relay"
	wait "$relay" 2>/dev/null
	in_g "$tool" alive renew
	ok "closing: the origin's end is delivered to the orphan" poll 4 grew closing "$n"
	in_g "$tool" alive renew
	n=$(from_orphans)
	drop orphan
	ok "closing: and the client's" poll 4 more_from_orphans "$n"
}

test_time_wait() {
	local record=$scratch/early_demux
	in_g sysctl -qw net.ipv4.ip_early_demux=1
	relay_up client renew
	poll 5 both_taken >/dev/null
	# The origin closes first, so the gateway does towards the client and keeps TIME_WAIT for its port.
	ok "time_wait: a port used twice is intercepted at once" eval \
		"from_port 65000 $V4 && from_port 65000 $V4"
	from_port 65001 fd81:3::2
	in_g "$tool" alive disarm
	kill -TERM "$relay"
	wait "$relay" 2>/dev/null
	in_g "$tool" alive disarm
	ok "time_wait: leftovers are counted" says 'closing [0-9]+ time_wait [1-9][0-9]* destroyed 0' in_g "$tool" leftovers count
	ok "time_wait: with early demultiplexing they swallow new connections" eval \
		"not from_port 65000 $V4 && not from_port 65001 fd81:3::2"
	ok "early demux: off, and the old value is on record" eval "in_g $tool earlydemux off $record &&
		[ \$(in_g sysctl -n net.ipv4.ip_early_demux) = 0 ] && [ \$(cat $record) = 1 ]"
	ok "time_wait: without it they pass" eval \
		"from_port 65000 $V4 && from_port 65001 fd81:3::2"
	ok "time_wait: leftovers are destroyed" eval "in_g $tool leftovers destroy &&
		says 'closing 0 time_wait 0 destroyed 0' in_g $tool leftovers count"
	ok "early demux: a second start keeps the record" eval "in_g $tool earlydemux off $record && [ \$(cat $record) = 1 ]"
	ok "early demux: restored, and the record is gone" eval "in_g $tool earlydemux restore $record &&
		[ \$(in_g sysctl -n net.ipv4.ip_early_demux) = 1 ] && [ ! -e $record ]"
	ok "early demux: restoring again changes nothing" in_g "$tool" earlydemux restore "$record"
	ok "time_wait: nothing is lost any more" eval \
		"from_port 65000 $V4 && from_port 65001 fd81:3::2"
}
# A connection from that port which doesn't wait for a second SYN
from_port() { in_c python3 $helpers/once.py "$2" 8080 "$1" /close; }

test_no_ipv6() {
	in_g "$tool" remove
	in_g "$tool" route remove
	in_g sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ok "no IPv6: routes for IPv4 alone" says 'IPv4 only' in_g "$tool" route install
	ok "no IPv6: no difference" in_g "$tool" route diff
	in_g "$tool" install-alive "$open"
	relay_up client renew
	ok "no IPv6: IPv4 is intercepted" poll 5 taken http://$V4/whoami 10.81.1.2
	relay_down
	in_g "$tool" remove
	in_g "$tool" route remove
}

# --- run ----------------------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || skip_all "needs root"
make --no-print-directory -s O="$O" "$tool" >&2 || exit 1
network || { echo "Bail out! no network namespaces"; exit 1; }
for port in 80 81 3129 8080; do spawn $S python3 $helpers/origin.py $port; done
spawn $C python3 $helpers/origin.py 80
bail() { echo "Bail out! $1"; cat "$scratch/log"; exit 1; }
for port in 80 81 3129 8080; do poll 30 listening $S $port || bail "no server on port $port"; done
poll 30 listening $C 80 || bail "no server at the client"
addresses_ready() { ! in_g ip -6 addr show tentative | grep -q .; }
poll 30 addresses_ready || bail "addresses stay tentative"
open=$(conf open 'lan = {"eth1"}')
closed=$(conf closed 'lan = {"eth1"} when_down = "closed" bypass_clients = {"10.81.1.3"}')

ok "forwarded before there are rules" both_passed
pristine=$(state)
test_install
test_diff
test_alive
test_routes
in_g "$tool" route install >/dev/null
in_g "$tool" earlydemux off "$scratch/record"
in_g "$tool" install-alive "$open"
for t in intercept replace syncookies zones masquerade mtu before bypass down_open down_closed closing time_wait; do
	in_g "$tool" install-alive "$open"
	"test_$t"
done
# The same without labels, where conntrack doesn't see the client's leg.
with_labels=$open
open=$(conf untracked 'lan = {"eth1"}')
echo 'apps { enabled = false }' >>"$open"
how='untracked: '
in_g "$tool" earlydemux off "$scratch/record"
for t in intercept syncookies zones masquerade mtu; do
	in_g "$tool" install-alive "$open"
	"test_$t"
done
in_g "$tool" install-alive "$open"
relay_up client renew
in_g conntrack -F 2>/dev/null
ok "no connection of the client's leg" eval "taken http://$V4/whoami 10.81.1.2 && ! in_g conntrack -L 2>/dev/null | grep 'dport=80 .*zone=1'"
relay_down
how=
open=$with_labels
in_g "$tool" remove
in_g "$tool" route remove
in_g "$tool" earlydemux restore "$scratch/record"
ok "nothing is left behind" unchanged "$pristine"
ok "forwarded again" both_passed
test_no_ipv6
echo "1..$count"
exit $failed
