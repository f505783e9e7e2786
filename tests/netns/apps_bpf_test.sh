#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bytes counted by BPF, on a running gateway: what tests/netns/lib_apps.sh asks of every source.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_apps.sh
. "$(dirname "$0")/lib_apps.sh"
ns_up
start_servers || exit 1
sluice_conf log.level=info intercept.http='{80}' scan.engine=none apps.counters=bpf
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
is "$(app source)" 1 "bytes are counted by BPF"
apps_source_test
is "$(on_gw cat /proc/sys/net/netfilter/nf_conntrack_acct)" 0 "conntrack's own counters stay off"
check "sluiced stops" stop_sluice

# --- a source that isn't there -----------------------------------------------------------
if on_gw grep -qs sluice_acct /proc/modules; then
	skip "a source that isn't there" "kernel: sluice_acct is loaded"
else
	sluice_conf log.level=info intercept.http='{80}' scan.engine=none apps.counters=kmod
	# shellcheck disable=SC2119
	start_sluice || exit 1
	is "$(app source)" 0 "kmod without the module: no other source takes its place"
	is "$(role_note app | sed 's/.*; //')" \
		"bytes: not counted: the module sluice_acct isn't loaded (kmod/build_nfq_ko.sh builds it)" "... the status says what to do"
	check "... the log, too" sluice_log "error app: bytes: not counted: the module sluice_acct isn't loaded"
	before=$(apps app=http)
	is "$(fetch "http://$SERVER:8080/big")" 200 "... traffic flows"
	sleep 2
	is "$(apps app=http) $(app frame_bytes)" "$before 0" "... and is not counted"
	is "$(grep -c "isn't loaded" "$T/log/sluiced")" 1 "... which is said once, though it is looked for again"
	check "sluiced stops" stop_sluice
fi
done_testing
