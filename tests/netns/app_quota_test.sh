#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Quotas of policy: counted, used up, refused or slowed down; kept over deaths, restarts and flushed rules; and what
# happens when their file is damaged or has no room.
# shellcheck disable=SC2016  # for eval in wait_for
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/lib_apps.sh"
ns_up
head -c 6000000 /dev/zero >"$T/www/six"
truncate -s 100G "$T/www/zero"
echo small >"$T/www/small"
start_nginx || exit 1

policy() { printf '%s\n' "$@" >"$T/policy.conf"; }
# fetch URL: status of HTTP and of curl
fetch() {
	on_client curl -g -s -m 5 -o /dev/null -w '%{http_code} ' "$1"
	echo $?
}
refused() { [ "$(fetch "http://$SERVER/small")" = '000 7' ]; }
passes() { [ "$(fetch "http://$SERVER/small")" = '200 0' ]; }
# quota EXPRESSION: about the lines of clients, as x
quota() { sluicectl --json policy | "$PYTHON" -c 'import json, sys
x = [r for r in map(json.loads, sys.stdin) if "client" in r]
print(eval(sys.argv[1]))' "$1"; }
is_over() { [ "$(quota "[r['over'] for r in x if r['client'] == '$1']")" = "[True]" ]; }
over_in_kernel() { on_gw nft list set inet sluice policy1_over4 2>/dev/null | grep -q "$CLIENT .*expires"; }
restart() {
	check "sluiced stops" stop_sluice
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice || exit 1
}

policy 'app "http" { action = "quota" amount = "10M" period = "month" }'
sluice_conf log.level=info intercept.http='{80}' scan.engine=none policy="$T/policy.conf"
# shellcheck disable=SC2119
start_sluice || exit 1
is "$(sluicectl --json policy | head -n 1)" \
	'{"app":"http","action":"quota","amount":10485760,"period":"month","then":"block"}' "the rule is shown"
is "$(stat -c '%a %s' "$T/state/quota")" "600 524352" "the file of sums is for nobody else"

# --- used up --------------------------------------------------------------------------
is "$(fetch "http://$SERVER/six")" "200 0" "the first download"
counted() { [ "$(quota 'sum(r["used"] for r in x)')" -gt 6000000 ]; }
check "is counted" wait_for 5 counted
is "$(quota '[(r["app"], r["client"], r["amount"], r["over"]) for r in x]')" \
	"[('http', '$CLIENT', 10485760, False)]" "and is not more than there is"
check "so the client may go on" passes
is "$(fetch "http://$SERVER:8080/six")" "200 0" "the second one, forwarded"
check "then the quota is used up" wait_for 5 is_over $CLIENT
check "and the client is refused" wait_for 3 refused
is "$(fetch "http://$SERVER:8080/small" | sed 's/ 7$/ 56/')" "000 56" "on other ports, too"
check "the log says so" sluice_log "quota: $CLIENT has used up 10M of http a month: blocked until it ends"
check "and until when" eval 'sluicectl policy | grep -q "used up until 20..-..-..T"'
check "other applications go on" on_client ping -q -c 1 $SERVER
is "$(fetch "http://[$SERVER6]/small")" "200 0" "another client as well"
check "the rules are as they should be" sluicectl rules diff

# --- kept ----------------------------------------------------------------------------
pid=$(role_pid app)
kill -KILL "$pid"
check "the role is killed: still refused" refused
back() { [ "$(role_pid app)" != "$pid" ] && sluice_ready; }
check "it comes back" wait_for 10 back
check "it knows who is over" is_over $CLIENT
check "still refused" refused
on_gw nft flush ruleset
check "rules are flushed: they come back, and the client with them" wait_for 10 over_in_kernel
check "still refused" refused
restart
check "a restart: still refused" wait_for 5 refused
policy 'app "http" { action = "quota" amount = "1G" period = "month" }'
check "a reload with a larger amount" sluicectl reload
check "the client may go on" wait_for 5 passes
policy 'app "icmp" { action = "limit" rate = "1M" }' \
	'app "http" { action = "quota" amount = "10M" period = "month" then = "limit" rate = "512K" }'
check "a reload with another consequence, and the rule in another place" sluicectl reload
limited() { on_gw nft list set inet sluice policy2_over4 2>/dev/null | grep -q "$CLIENT .*expires"; }
check "the client is over again" wait_for 5 limited
check "small things pass" passes
arrived() { on_client ip -j -s link show c0 | query "x[0]['stats64']['rx']['bytes']"; }
spawn "$NS_CLIENT" running curl -g -s -o /dev/null "http://$SERVER/zero"
sleep 2.5 # the bucket of the first second
before=$(arrived)
sleep 5
rate=$((($(arrived) - before) / 5120))
note "$rate KiB/s"
check "large ones are slowed down: within 15 % of 512 KiB/s" eval '[ $rate -gt 435 ] && [ $rate -lt 589 ]'
end_pid "$SPAWNED"
policy 'app "http" { action = "quota" amount = "10M" period = "month" }'

# --- what can be wrong with the file -----------------------------------------------------
is "$(fetch "http://[$SERVER6]/small")" "200 0" "the other client uses something"
check "sluiced stops" stop_sluice
printf 'damaged' | dd of="$T/state/quota" bs=1 seek=$((64 + 32)) conv=notrunc 2>/dev/null
printf 'damaged' | dd of="$T/state/quota" bs=1 seek=$((64 + 48)) conv=notrunc 2>/dev/null
# shellcheck disable=SC2119
start_sluice || exit 1
check "a damaged sum is said" sluice_log 'quotas: 1 sums in quota of state_dir were damaged'
check "and begun anew" passes
check "the others go on" sluice_log 'quotas: 1 sums go on'
check "sluiced stops" stop_sluice
echo rubbish >"$T/state/quota"
# shellcheck disable=SC2119
start_sluice || exit 1
check "a file of another size is said, and begun anew" sluice_log 'quota has 8 bytes instead of 524352: it is begun anew'
is "$(stat -c %s "$T/state/quota")" 524352 "with its room"
check "sluiced stops" stop_sluice
rm "$T/state/quota"
head -c 524352 /dev/urandom >"$T/state/quota"
# shellcheck disable=SC2119
start_sluice || exit 1
check "one that holds something else is said, and begun anew" sluice_log 'no file of this version: it is begun anew'
check "sluiced stops" stop_sluice
rm -r "$T/state"
mkdir "$T/state"
mount -t tmpfs -o size=400k,mode=755 none "$T/state" || exit 1
# shellcheck disable=SC2119
start_sluice || exit 1
check "a full disk is said" sluice_log 'quota: No space left on device; what clients use of quotas is forgotten'
fetch "http://$SERVER/six" >/dev/null
fetch "http://$SERVER/six" >/dev/null
check "quotas hold nevertheless" wait_for 5 is_over $CLIENT
check "refused" wait_for 3 refused
kill -KILL "$(role_pid app)"
check "over the death of the role as well" eval 'sleep 1; wait_for 10 is_over $CLIENT'
check "sluiced stops" stop_sluice
umount "$T/state"
done_testing
