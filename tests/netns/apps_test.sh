#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Applications, the whole way: real traffic through a real gateway, labels in the connections' marks, bytes that add up
# to the interface's counters, records on disk, and what `sluicectl apps` makes of them.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/lib_apps.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_servers || exit 1
sluice_conf log.level=info intercept.http='{80}'
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
is "$(app source)" 1 "bytes are counted by BPF"
is "$(role_note app | sed -E 's/(nft_queue|xt_NFQUEUE);/KIND;/; s/(tcx|clsact)/HOOK/')" \
	"labels: queues 0 to 1 by KIND; bytes: by BPF (HOOK)" "the status says how"

# --- labels ----------------------------------------------------------------------------
queued=$(app queued)
is "$(fetch "http://$SERVER:8080/big")" 200 "forwarded, IPv4"
is "$(fetch "http://[$SERVER6]:8080/big")" 200 "forwarded, IPv6"
is "$(fetch "http://$SERVER/big")" 200 "intercepted, IPv4"
on_client ping -q -c 1 $SERVER >/dev/null
HTTP=3 ICMP=121
check "forwarded HTTP on a port of its own is named" marked "src=$CLIENT dst=$SERVER .*dport=8080" $HTTP
check "... over IPv6" marked "src=fd77:0001:.*dport=8080" $HTTP
check "intercepted HTTP has its label" marked "src=$CLIENT dst=$SERVER .*dport=80 .*zone=1" $HTTP
check "ping has its label" marked "icmp .*src=$CLIENT dst=$SERVER" $ICMP
check "two forwarded downloads cost two queued packets" wait_for 3 app_is queued $((queued + 2))
is "$(app labelled)" 2 "... and gave two labels"
is "$(app labels_lost)" 0 "... none of which was lost"
check "... as the status says" eval "sluicectl status | grep -qE '^apps +[0-9]+ connections labelled, 0 of them unknown; [0-9]+ packets looked at, 0 missed; .* counted\$'"

# --- records -----------------------------------------------------------------------------
check "sluiced stops" stop_sluice
is_less 0 "$(cat "$T"/state/usage/*.jsonl | grep -c '"app":"http"')" "what was counted is on disk"
# shellcheck disable=SC2119
start_sluice || exit 1
is_less $((3 * SIZE)) "$(apps app=http)" "it is there after a restart"

# --- the role dies ------------------------------------------------------------------------
pid=$(role_pid app)
kill -KILL "$pid"
is "$(on_client curl -s -o "$T/got" -w '%{http_code}' "http://$SERVER:8080/clean.txt")" 200 "killed: traffic flows"
back() { [ "$(role_pid app)" != "$pid" ] && sluice_ready; }
check "killed: it is started again" wait_for 10 back
sleep 1.5 # counters are told each second
labelled=$(app labelled)
check "killed: and labels again" eval "on_client curl -s -o /dev/null http://$SERVER:8080/big; wait_for 3 app_is labelled $((labelled + 1))"
pid=$(role_pid app)
kill -STOP "$pid"
is "$(on_client curl -s -m 15 -o "$T/got" -w '%{http_code}' "http://$SERVER:8080/clean.txt")" 200 "hung: traffic flows"
check "hung: it is killed and started again" wait_for 20 back

is_less $((3 * SIZE)) "$(apps app=http)" "what was stored is not lost with it"
check "sluiced stops" stop_sluice

# --- nothing else -------------------------------------------------------------------------
# Without a port to intercept the host's routing stays as it is.
demux() { on_gw sysctl -n net.ipv4.ip_early_demux; }
before=$(demux)
sluice_conf log.level=info intercept.http='{}' intercept.ftp='{}'
# shellcheck disable=SC2119
start_sluice || exit 1
count_from_now
check "count only: the status says so" eval "sluicectl status | grep -q 'naming and counting only'"
is "$(fetch "http://$SERVER:8080/big") $(fetch "http://$SERVER/big") $(fetch "http://[$SERVER6]/big")" "200 200 200" \
	"count only: traffic passes"
check "count only: it is named" marked "src=$CLIENT dst=$SERVER .*dport=80 " $HTTP
check_sum "count only: and counted"
is "$(on_gw ip rule; on_gw ip -6 rule)" "$(on_client ip rule; on_client ip -6 rule)" "count only: no routing rules"
is "$(sluicectl rules install --dry-run | grep '^#')" "" "... nor would there be any"
is "$(demux)" "$before" "count only: early demultiplexing is as it was"
for port in 3129 2121; do
	refused=$(on_client curl -s -m 5 -o /dev/null -w '%{http_code}' "http://$GW:$port/")
	is "$refused" 000 "count only: nobody talks to the listener on port $port"
done
on_gw nft delete table inet sluice
table_back() { on_gw nft list table inet sluice >/dev/null 2>&1; }
check "count only: a table that somebody deletes is put back" wait_for 5 table_back
net=$(role_pid net)
kill -KILL "$net"
net_back() { [ "$(role_pid net)" != "$net" ] && sluice_ready; }
check "count only: a net role that is killed is started again" wait_for 10 net_back
count_from_now
is "$(fetch "http://$SERVER:8080/big")" 200 "... traffic passes"
check_sum "... and is counted"
is "$(on_gw ip rule)" "$(on_client ip rule)" "... and still there are no routing rules"
sluice_conf log.level=info intercept.http='{80}'
sluicectl reload >/dev/null
intercepting() { sluicectl --json status | grep -q '"intercepting":true'; }
check "count only: a reload takes traffic in" wait_for 5 intercepting
is "$(fetch "http://$SERVER/big")" 200 "... which passes"
check "... with its label" marked "src=$CLIENT dst=$SERVER .*dport=80 .*zone=1" $HTTP
sluice_conf log.level=info intercept.http='{}' intercept.ftp='{}'
sluicectl reload >/dev/null
check "count only: a reload takes no more in" wait_for 5 eval '! intercepting'
is "$(fetch "http://$SERVER/big")" 200 "... and traffic passes"
check "sluiced stops" stop_sluice

# --- without ---------------------------------------------------------------------------------
sluice_conf log.level=info intercept.http='{80}' apps.enabled=false
# shellcheck disable=SC2119
start_sluice || exit 1
is "$(status "[r['role'] for r in x['roles'] if r['role'] == 'app']")" "[]" "it can be left out"
on_gw conntrack -F >/dev/null 2>&1
is "$(fetch "http://$SERVER/big") $(fetch "http://[$SERVER6]/big")" "200 200" "... traffic is taken in and passes"
is "$(on_gw conntrack -L 2>/dev/null | grep zone=1)" "" "... and conntrack sees nothing of the client's leg"
is_less $((3 * SIZE)) "$(apps app=http 2>/dev/null)" "what was stored survives a restart"
check "sluiced stops" stop_sluice
done_testing
