#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Policy by application: blocked, held to a rate, QUIC refused; running connections as well as new ones, forwarded and
# intercepted, IPv4 and IPv6, with curl and iperf3. And what holds when the app role is gone or a file is wrong.
# shellcheck disable=SC2016  # for eval in wait_for
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/lib_apps.sh"
ns_up
truncate -s 100G "$T/www/zero"
echo small >"$T/www/small"
start_nginx || exit 1

# policy LINE...: the policy of from now on
policy() { printf '%s\n' "$@" >"$T/policy.conf"; }
# table: its handle, another one each time the rules are replaced
table() { on_gw nft -a list table inet sluice 2>/dev/null | sed -n 's/^table inet sluice { # handle //p'; }
replaced() { [ "$(table)" != "$TABLE" ]; }
reload() {
	TABLE=$(table)
	sluicectl reload >"$T/reload" 2>&1 && wait_for 5 replaced
}
# apply LINE...
apply() {
	policy "$@"
	check "policy: $*" reload
}
# fetch URL [OPTION...]: what curl says of it: status of HTTP and its own
fetch() {
	local url=$1 rc
	shift
	on_client curl -g -s -m 5 -o /dev/null -w '%{http_code} ' "$@" "$url"
	rc=$?
	echo $rc
}
OK='200 0' RESET='000 56' REFUSED='000 7'
# slowly NAME URL: a download that lasts, in the background; its number is $SPAWNED
slowly() { spawn "$NS_CLIENT" "$1" curl -g -s -S -o /dev/null "$2"; }

policy ""
sluice_conf log.level=info intercept.http='{80}' scan.engine=none policy="$T/policy.conf"
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
on_gw nft list table inet sluice >"$T/rules" 2>/dev/null
is "$(grep -cE 'police|by_label|forbid|policy_' "$T/rules")" 0 "an empty policy costs no rule"
check "and the rules are as they should be" sluicectl rules diff

# --- blocked -------------------------------------------------------------------------
slowly running4 "http://$SERVER:8080/slow/zero" && running4=$SPAWNED
slowly running6 "http://[$SERVER6]:8080/slow/zero" && running6=$SPAWNED
slowly taken4 "http://$SERVER/slow/zero" && taken4=$SPAWNED
slowly taken6 "http://[$SERVER6]/slow/zero" && taken6=$SPAWNED
check "four downloads run, and have their label" wait_for 5 eval \
	'marked "src=$CLIENT .*dport=8080" 3 && marked "src=fd77:0001:.*dport=8080" 3 &&
	marked "src=$CLIENT .*dport=80 .*zone=1" 3 && marked "src=fd77:0001:.*dport=80 .*zone=1" 3'
apply 'app "http" { action = "block" }'
for pid in $running4 $running6 $taken4 $taken6; do check "a running download ends at once" wait_for 2 gone "$pid"; done
grep -L 'reset by peer\|Recv failure' "$T"/log/running? "$T"/log/taken? >"$T/not-reset"
is "$(cat "$T/not-reset")" "" "each with a reset"
server_ends() { ! on_server ss -Htn state established "sport = :80 or sport = :8080" | grep -q .; }
check "and the server hears of it" wait_for 3 server_ends
is "$(fetch "http://$SERVER/small")" "$REFUSED" "a new connection that would be intercepted is refused"
is "$(fetch "http://[$SERVER6]/small")" "$REFUSED" "... IPv6"
is "$(fetch "http://$SERVER:8080/small" | sed 's/7$/56/')" "$RESET" "one on another port ends with its request"
is "$(fetch "http://[$SERVER6]:8080/small" | sed 's/7$/56/')" "$RESET" "... IPv6"
check "ping is another application" on_client ping -q -c 1 $SERVER
check "the rules are as they should be" sluicectl rules diff
apply 'app "group:web" { action = "block" }' 'app "http" { action = "allow" }'
is "$(fetch "http://$SERVER/small")" "$OK" "what a section names stands above its group"
apply 'app "icmp" { action = "block" }' 'app "icmpv6" { action = "block" }'
on_client ping -q -c 1 -W 1 $SERVER >"$T/ping" 2>&1
is $? 1 "ping is blocked"
check "... with an answer" grep -q '+1 errors' "$T/ping"
on_client ping -q -c 1 -W 1 $SERVER6 >"$T/ping" 2>&1
check "... IPv6" grep -q '+1 errors' "$T/ping"

# --- QUIC --------------------------------------------------------------------------------
# Datagrams of a running flow and of a new one; what the client's kernel says of them.
cat >"$T/udp.py" <<'PY'
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
s.settimeout(0.3)
end = time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    try:
        s.send(b"\xc0" + bytes(1199))
        s.recv(2000)
        print("answered", flush=True)
        time.sleep(0.1)
    except ConnectionRefusedError:
        print("refused", flush=True)
        break
    except OSError as e:
        print(e, flush=True)
PY
udp() { on_client "$PYTHON" "$T/udp.py" "$@"; }
for port in 443 4433; do
	spawn "$NS_SERVER" echo-$port "$PYTHON" "$TESTS/netns/helpers/udp_echo.py" --listen --port $port
done
answers() { udp "$1" "$2" 0.3 | grep -q answered; }
check "datagrams to port 443 are answered" wait_for 5 answers $SERVER 443
check "... IPv6" wait_for 5 answers $SERVER6 443
check "... and to another port" wait_for 5 answers $SERVER 4433
spawn "$NS_CLIENT" flow4 "$PYTHON" "$T/udp.py" $SERVER 443 20 && flow4=$SPAWNED
spawn "$NS_CLIENT" flow6 "$PYTHON" "$T/udp.py" $SERVER6 443 20 && flow6=$SPAWNED
check "two flows run" wait_for 5 eval 'grep -q answered "$T/log/flow4" && grep -q answered "$T/log/flow6"'
sed -i 's/^apps {/&\n\tquic = "refuse"/' "$SLUICE_CONF"
grep -q '^apps {' "$SLUICE_CONF" || echo 'apps { quic = "refuse" }' >>"$SLUICE_CONF"
check "QUIC is refused from now on" reload
for pid in $flow4 $flow6; do check "a running flow ends at once" wait_for 1 gone "$pid"; done
is "$(tail -qn 1 "$T/log/flow4" "$T/log/flow6" | sort -u)" refused "... as its port is unreachable"
is "$(udp $SERVER 443 1)" refused "a new one, too"
is "$(udp $SERVER6 443 1)" refused "... IPv6"
check "other ports are not concerned" wait_for 5 answers $SERVER 4433
sed -i 's/quic = "refuse"/quic = "allow"/' "$SLUICE_CONF"
check "QUIC is allowed again" reload
check "... and answered" wait_for 5 answers $SERVER 443

# --- bad input ---------------------------------------------------------------------------
policy 'app "icmp" { action = "deny" }' '' 'app "utube" { action = "block" }'
sluicectl reload >"$T/reload" 2>&1
is $? 1 "a policy with mistakes is refused"
check "... with the line of each" eval 'grep -q "policy.conf:1: app.action = deny: want" "$T/reload" &&
	grep -q "policy.conf:3: app \"utube\": there is no such application" "$T/reload"'
on_client ping -q -c 1 -W 1 $SERVER >/dev/null
is $? 1 "and what was in force stays"
rm "$T/policy.conf"
sluicectl reload >"$T/reload" 2>&1
is $? 1 "one that is named and absent is refused"
policy 'app "http" { action = "block" }'
check "a good one is taken again" reload

# --- without the role ---------------------------------------------------------------------
kill -KILL "$(role_pid app)"
is "$(fetch "http://$SERVER/small")" "$REFUSED" "the role is killed: blocked stays blocked"
check "it is started again" wait_for 10 sluice_ready

# --- limits ----------------------------------------------------------------------------
# rate DIRECTION ADDRESS [SECONDS]: of iperf3 in KiB/s, when the bucket of a second is empty
rate() {
	local up=
	[ "$1" = down ] && up=-R
	on_client iperf3 -p 5999 -c "$2" $up -O 2 -t "${3:-5}" -J >"$T/iperf" 2>&1 || { cat "$T/iperf" >&2; echo 0; return; }
	query "int(x['end']['sum_received']['bits_per_second'] / 8192)" <"$T/iperf"
}
# near GOT WANTED NAME: within 15 %
near() {
	note "$1 KiB/s for $2"
	if [ "$1" -gt $(($2 * 85 / 100)) ] && [ "$1" -lt $(($2 * 115 / 100)) ]; then ok "$3"; else not_ok "$3" "$1 instead of $2 KiB/s"; fi
}
spawn "$NS_SERVER" iperf3 iperf3 -s -p 5999
wait_for 5 listens "$NS_SERVER" 5999
apply 'app "unknown" { action = "limit" rate = "2M" }'
near "$(rate down $SERVER)" 2048 "limited: down"
near "$(rate up $SERVER)" 2048 "limited: up"
near "$(rate down $SERVER6)" 2048 "limited: down, IPv6"
near "$(rate up $SERVER6)" 2048 "limited: up, IPv6"
apply 'app "http" { action = "limit" rate = "1M" per = "total" }'
arrived() { on_client ip -j -s link show c0 | query "x[0]['stats64']['rx']['bytes']"; }
# running URL [COMMAND...]: KiB/s of a download that runs already when COMMAND has been run, over five seconds
running() {
	local before
	spawn "$NS_CLIENT" running curl -g -s -o /dev/null "$1"
	shift
	sleep 1
	"$@" >/dev/null
	sleep 2 # the bucket of a second is empty again
	before=$(arrived)
	sleep 5
	echo $((($(arrived) - before) / 5120))
	end_pid "$SPAWNED"
}
near "$(running "http://$SERVER:8080/zero")" 1024 "limited: forwarded download"
kill_app() { kill -KILL "$(role_pid app)"; }
near "$(running "http://$SERVER:8080/zero" kill_app)" 1024 "limited: still, when the role is killed"
check "it is started again" wait_for 10 sluice_ready
policy 'app "http" { action = "limit" rate = "512K" }'
near "$(running "http://$SERVER/zero" reload)" 512 "limited: more so from a reload on"
apply 'app "http" { action = "limit" rate = "1M" per = "total" }'
near "$(running "http://$SERVER/zero")" 1024 "limited: intercepted download"
near "$(running "http://[$SERVER6]/zero")" 1024 "limited: intercepted download, IPv6"
check "the rules are as they should be" sluicectl rules diff
is "$(fetch "http://$SERVER/small")" "$OK" "small things pass beside it"
check "sluiced stops" stop_sluice

# --- without labels --------------------------------------------------------------------
policy 'app "http" { action = "block" }'
sluice_conf log.level=info intercept.http='{80}' scan.engine=none policy="$T/policy.conf" apps.enabled=false
# shellcheck disable=SC2119
start_sluice || exit 1
check "nothing names applications: it is said that the policy has no effect" \
	sluice_log 'policy.conf has no effect: nothing names applications'
is "$(fetch "http://$SERVER/small")" "$OK" "and it has none"
check "sluiced stops" stop_sluice
done_testing
