#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The resolve role with real name servers: dnsmasq (10.77.2.2), and one that misbehaves (helpers/dns.py, 10.77.2.3). The
# parent is the real one but for when it starts the role (helpers/needs_resolver.c); the relays are
# helpers/resolve_relay.c, which ask as relays do. /etc is a copy that the gateway alone sees.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
ns_up
for tool in sluiced_resolving resolve_relay; do
	make --no-print-directory -s -C "$ROOT" O="$O" "$O/tests/netns/$tool" >"$T/make" 2>&1 || {
		not_ok "the test's tools are built" "$(cat "$T/make")"
		exit 1
	}
done
HELPERS=$TESTS/netns/helpers
BAD=10.77.2.3
NOBODY=10.77.2.99

# --- as it is installed, without a service that needs it ------------------------------------
sluice_conf scan.engine=none apps.enabled=false
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
is "$(status "[r['role'] for r in x['roles'] if r['role'] == 'resolve']")" "[]" "no service needs it: it isn't there"
stop_sluice

# --- the servers ------------------------------------------------------------------------------
ip -n "$NS_SERVER" addr add $BAD/24 dev s0
for i in $(seq 40); do echo "192.0.2.$i many.test"; done >"$T/many"
for i in $(seq 12); do printf '192.0.2.%d six.test\nfd77:2::%x six.test\n' "$i" "$i"; done >>"$T/many"
spawn "$NS_SERVER" dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
	--bind-interfaces --listen-address=$SERVER,$SERVER6 --log-queries --log-facility=- --pid-file= --local=/test/printer/both/ \
	--addn-hosts="$T/many" --local-ttl=60 --host-record=a.test,$SERVER --host-record=aaaa.test,$SERVER6 \
	--host-record=both.test,$SERVER,$SERVER6 --cname=alias.test,second.test --cname=second.test,both.test \
	--host-record=near4.test,$SERVER,2001:db8::50 --host-record=near6.test,192.0.2.50,$SERVER6 \
	--mx-host=mail.test,a.test,10 --host-record=_service.a_b.test,192.0.2.7 --host-record=xn--bcher-kva.test,192.0.2.8 \
	--host-record=brief.test,192.0.2.9,1
spawn "$NS_SERVER" dns "$PYTHON" "$HELPERS/dns.py" $BAD "$T/questions"
wait_for 10 eval "listens $NS_SERVER 53 && in_ns $NS_SERVER ss -Hltn | grep -qF $BAD:53 &&
	in_ns $NS_SERVER ss -Hltn | grep -qF $SERVER:53" || not_ok "the name servers start" "$(cat "$T"/log/dns*)"

# --- the gateway ------------------------------------------------------------------------------
cp -a /etc "$T/etc"
rm -f "$T/etc/resolv.conf"
# servers ADDRESS...: what resolv.conf says, in place
servers() { printf 'nameserver %s\n' "$@" >"$T/etc/resolv.conf"; }
hosts() { printf '127.0.0.1 localhost\n%s\n' "$*" >"$T/etc/hosts"; }
servers $SERVER
hosts "192.0.2.99 printer
192.0.2.98 fromhosts.test
fd77:2::98 fromhosts.test"
mkdir -p "$T/gw/bin" "$T/gw/libexec"
cp "$O/tests/netns/sluiced_resolving" "$T/gw/bin/sluiced"
ln -s "$O"/libexec/* "$T/gw/libexec/"
cat >"$T/gw/start" <<-START
	#!/bin/sh
	mount --bind "$T/etc" /etc && exec "$T/gw/bin/sluiced" "\$@"
START
chmod 755 "$T/gw/start"
start_resolving() {
	spawn "$NS_GW" sluiced unshare -m --propagation private "$T/gw/start" -c "$SLUICE_CONF" -f
	SLUICE_PID=$SPAWNED
	wait_for 30 sluice_ready
}
role() { status "[r for r in x['roles'] if r['role'] == '$2' and r['index'] == ${3:-0}][0]['$1']"; }
is_back() { [ "$(role pid resolve)" != "$pid" ] && [ "$(role state resolve)" = running ]; }
check "sluiced starts it" start_resolving || exit 1
check "sluicectl status shows it" eval "sluicectl status | grep -E 'resolve +.*running'"
pid=$(role_pid resolve)
kill -KILL "$pid"
check "relays as they are take it, and its successor" eval "wait_for 10 is_back && sluice_ready &&
	[ '$(role pid relay 0) $(role pid relay 1)' = \"\$(role pid relay 0) \$(role pid relay 1)\" ]"
stop_sluice
ln -sf "$O/tests/netns/resolve_relay" "$T/gw/libexec/sluice-relay"
check "sluiced starts it for the test's relays" start_resolving || exit 1
ask() { "$PYTHON" "$HELPERS/ask.py" "$@"; }
# find_out NAME...: asked by the first relay
find_out() { ask "$T/run" 0 "$@" 2>&1; }
# sorted NAME: the addresses in the order of their text
sorted() { find_out "$1" | xargs -n 1 | sort | xargs; }

# --- what it may do ---------------------------------------------------------------------------
proc_status() { sed -n "s/^$1:\t*//p" "/proc/$(role_pid resolve)/status"; }
is "$(proc_status Uid | cut -f2) $(proc_status CapPrm) $(proc_status CapBnd)" \
	"$(id -u nobody) 0000000000000000 0000000000000000" "it is nobody, with no capability"
# make asan builds roles without a sandbox
[ -n "${SANITIZE:-}" ] || is "$(proc_status NoNewPrivs) $(proc_status Seccomp)" "1 2" \
	"... and with a filter of system calls"
is "$(find "/proc/$(role_pid resolve)/fd" -lname '*sluice-verdicts*' | wc -l)" 0 "... and no hand on the verdicts"
is "$(role_note resolve)" "name servers: $SERVER" "the status says whom it asks"

# --- what servers know ------------------------------------------------------------------------
is "$(find_out a.test)" "a.test ok $SERVER" "A"
is "$(find_out aaaa.test)" "aaaa.test ok $SERVER6" "AAAA"
is "$(sorted both.test)" "$SERVER both.test $SERVER6 ok" "both"
is "$(sorted alias.test)" "$SERVER alias.test $SERVER6 ok" "an alias of an alias"
is "$(find_out near4.test)" "near4.test ok $SERVER 2001:db8::50" "what can't be reached comes last: IPv6"
is "$(find_out near6.test)" "near6.test ok $SERVER6 192.0.2.50" "... IPv4"
is "$(find_out missing.test)" "missing.test ENOENT" "no such name"
is "$(find_out mail.test)" "mail.test ENOENT" "a name without an address"
is "$(find_out _service.a_b.test XN--Bcher-KVA.test. | xargs)" \
	"_service.a_b.test ok 192.0.2.7 XN--Bcher-KVA.test. ok 192.0.2.8" "underscores, A-labels, the root's dot"
accepted() { in_ns "$NS_SERVER" nstat -asz TcpPassiveOpens | sed -n 's/^TcpPassiveOpens *\([0-9]*\) .*/\1/p'; }
accepted=$(accepted)
is "$(find_out many.test | wc -w)" 10 "40 addresses, which need TCP: eight of them are told"
is_less "$accepted" "$(accepted)" "... and it was TCP"
is "$(find_out six.test | xargs -n 1 | grep -c :) $(find_out six.test | xargs -n 1 | grep -c '^192')" "4 4" \
	"12 of each family: four of each"
is "$(find_out 192.0.2.1 127.1 0x7f.1 a..test 'a:21' | xargs -n 2 | cut -d' ' -f2 | sort -u)" EINVAL \
	"what is no name doesn't get there"

# --- hosts ------------------------------------------------------------------------------------
is "$(find_out printer)" "printer ok 192.0.2.99" "a name of /etc/hosts"
is "$(sorted fromhosts.test)" "192.0.2.98 fd77:2::98 fromhosts.test ok" "... with an address of each family"
is "$(find_out localhost)" "localhost ok 127.0.0.1" "localhost"
is "$(grep -cE 'query.*(printer|fromhosts|localhost)' "$T/log/dnsmasq")" 0 "... of which no server hears"
hosts "192.0.2.97 printer"
printer_is() { [ "$(find_out printer)" = "printer ok $1" ]; }
check "hosts is changed: the new address is told" wait_for 5 printer_is 192.0.2.97
hosts "192.0.2.96 printer" && mv "$T/etc/hosts" "$T/etc/hosts.new" && mv "$T/etc/hosts.new" "$T/etc/hosts"
check "... is replaced" wait_for 5 printer_is 192.0.2.96
# A search domain would make printer.test of it, which there is as well.
printf 'nameserver %s\nsearch test\n' $SERVER >"$T/etc/resolv.conf"
hosts ""
nothing() { [ "$(find_out "$1")" = "$1 ENOENT" ]; }
check "... is empty: it is no name" wait_for 8 nothing printer
is "$(find_out both)" "both ENOENT" "search domains are not applied, not even to names without a dot"

# --- the cache --------------------------------------------------------------------------------
counter() { role_counter resolve "$1"; }
asked_dnsmasq() { grep -c "query\[A\] $1 " "$T/log/dnsmasq"; }
before=$(asked_dnsmasq a.test)
hits=$(counter cache_hits)
find_out a.test a.test A.TEST >/dev/null
find_out a.test >/dev/null
ask "$T/run" 1 a.test >/dev/null
is_less $(($(asked_dnsmasq a.test) - before)) 2 "a name that is known isn't asked for again, by whatever relay"
is_less 1 $(($(counter cache_hits) - hits)) "... which is counted"
find_out brief.test >/dev/null
before=$(asked_dnsmasq brief.test)
asked_again() { find_out brief.test >/dev/null && [ "$(asked_dnsmasq brief.test)" -gt "$before" ]; }
check "its time to live is over: it is asked for again" wait_for 5 asked_again
before=$(asked_dnsmasq missing.test)
is "$(find_out missing.test missing.test | sort -u)" "missing.test ENOENT" "a name that isn't there, again"
is_less $(($(asked_dnsmasq missing.test) - before)) 2 "... is remembered, too"

# --- a server that misbehaves -----------------------------------------------------------------
servers $BAD
note_is() { find_out a.test >/dev/null; [ "$(role_note resolve)" = "$1" ]; }
check "resolv.conf is changed: another server is asked" wait_for 5 note_is "name servers: $BAD"
began=$SECONDS
ask -t "$T/run" 0 silent.test noaaaa.test garbage.test otherid.test othername.test always-tc.test truncated.test \
	servfail.test refused.test formerr.test nxdomain.test nodata.test dangling.test loop.test cname.test forged.test \
	late.test >"$T/said" 2>&1
took=$((SECONDS - began))
# said NAME: its answer, without the time
said() { sed -n "s/^\($1.test .*\) in .*/\1/p" "$T/said"; }
ms() { sed -n "s/^$1.test .* in //p" "$T/said"; }
is "$(said silent)" "silent.test ETIMEDOUT" "no answer"
is_less "$(ms silent)" 10500 "... is waited for ten seconds at most"
is "$(said noaaaa)" "noaaaa.test ok 192.0.2.1" "no answer about AAAA: what A said"
is "$(said garbage) $(said otherid) $(said othername)" \
	"garbage.test ETIMEDOUT otherid.test ETIMEDOUT othername.test ETIMEDOUT" "what answers something else is no answer"
is "$(said forged | xargs -n 1 | sort | xargs)" "192.0.2.1 2001:db8::1 forged.test ok" "a forged answer is passed over"
is "$(said truncated | wc -w)" 10 "truncated: TCP, in pieces"
is "$(said always-tc)" "always-tc.test EPROTO" "truncated, and TCP ends at once"
is "$(said servfail) $(said refused) $(said formerr)" \
	"servfail.test EPROTO refused.test EPROTO formerr.test EPROTO" "SERVFAIL, REFUSED, FORMERR"
is "$(said nxdomain) $(said nodata) $(said dangling) $(said loop)" \
	"nxdomain.test ENOENT nodata.test ENOENT dangling.test ENOENT loop.test ENOENT" \
	"NXDOMAIN, nothing, an alias of nothing, of itself"
is "$(said cname | xargs -n 1 | sort | xargs)" "192.0.2.1 2001:db8::1 cname.test ok" "an alias with its address"
is "$(said late | xargs -n 1 | sort | xargs)" "192.0.2.1 2001:db8::1 late.test ok" "a late answer"
is_less $took 15 "all of them at once"
is "$(counter under_way)" 0 "nothing is under way any more"
ask "$T/run" 0 -c ok-- .test 200 >"$T/counts"
is "$(cat "$T/counts")" "ok 200" "200 names"
is_less 150 "$(grep -o '^udp [0-9]* [0-9]* ok--[0-9]*.test' "$T/questions" | cut -d' ' -f2 | sort -u | wc -l)" \
	"... from a port each"
before=$(grep -c ' late--same.test ' "$T/questions")
ask -n "$T/run" 1 late--same.test
is "$(find_out late--same.test late--same.test | cut -d' ' -f2 | sort -u)" ok "the same name, asked for three times"
is $(($(grep -c ' late--same.test ' "$T/questions") - before)) 2 "... is one question for each family"
servers $NOBODY $BAD
check "the first server is gone: the second one answers" eval "wait_for 5 note_is 'name servers: $NOBODY, $BAD' &&
	find_out ok--second.test | grep -q ' ok '"
servers $BAD

# --- the role dies ----------------------------------------------------------------------------
wait_for 5 note_is "name servers: $BAD"
pid=$(role_pid resolve)
kill -STOP "$pid"
ask -n "$T/run" 1 ok--while.test
find_out ok--dead.test >"$T/dead" &
asking=$!
NS_PIDS+=("$asking")
in_the_channel() { [ "$(grep -c . "$T/dead")" = 0 ]; }
check "it hangs: nothing is answered" in_the_channel
kill -KILL "$pid"
check "killed, it is started again" wait_for 10 is_back
wait $asking
is "$(cut -d' ' -f1,2 "$T/dead")" "ok--dead.test ok" "what was asked meanwhile is answered"
answered_while() { grep -q ' ok--while.test ok ' "$T/run/answers-1"; }
check "... to both relays" wait_for 5 answered_while
pid=$(role_pid resolve)
kill -STOP "$pid"
is "$(find_out ok--hung.test | cut -d' ' -f1,2)" "ok--hung.test ok" "it hangs: it is killed, and the question answered"
check "... by another one" is_back
is "$(role restarts relay 0) $(role restarts relay 1)" "0 0" "the relays are the same"

# --- a flood ----------------------------------------------------------------------------------
under_way_is() { [ "$(counter under_way)" = "$1" ]; }
ask -n "$T/run" 0 -c silent-- .test 3000
check "3000 names that no server answers: as many are under way as a relay may have" wait_for 8 under_way_is 512
is "$(ask "$T/run" 0 ok--flooded.test)" "ok--flooded.test EAGAIN" "one more is refused"
is "$(ask "$T/run" 1 ok--flooded.test | cut -d' ' -f2)" ok "... but not another relay's"
check "... nor a name that is known" eval "ask '$T/run' 0 ok--flooded.test | grep -q ' ok '"
is "$(counter busy)" 2489 "the refused ones are counted"
check "they end" wait_for 12 under_way_is 0
check "... and there is room again" eval "ask '$T/run' 0 ok--after.test | grep -q ' ok '"
[ -n "${SANITIZE:-}" ] || is_less "$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(role_pid resolve)/status")" 100000 \
	"it took less than 100 MB for that"

# --- what breaks the rules --------------------------------------------------------------------
pid=$(role_pid resolve)
ask -n "$T/run" 0 '!UPPER.test'
cut_off() { sluice_log "relay/0 and resolve/0 don't talk|resolve/0 and relay/0 don't talk"; }
check "a name that no relay would send: the channel is closed" wait_for 5 cut_off
is "$(role restarts relay 0) $(role_pid resolve)" "0 $pid" "... but neither is ended on the other's word"
is "$(ask "$T/run" 1 ok--other.test | cut -d' ' -f2)" ok "the other relay is served"
find_out ok--again.test >"$T/again" &
asking=$!
NS_PIDS+=("$asking")
kill -KILL "$pid"
wait $asking
is "$(cut -d' ' -f1,2 "$T/again")" "ok--again.test ok" "started anew it talks with both"

# --- the end ----------------------------------------------------------------------------------
check "no role was killed for a system call" eval "! sluice_log 'outside its list'"
ask -n "$T/run" 0 -c silent--end .test 100
began=$SECONDS
stop_sluice
is $? 0 "it ends in order, with questions under way"
is_less $((SECONDS - began)) 10 "... soon"
done_testing
