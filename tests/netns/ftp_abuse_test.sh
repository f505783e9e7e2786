#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients and servers of FTP that mean harm, or know no measure: what is refused, how much of it is kept, and when it is over.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
# shellcheck source=tests/netns/lib_ftp.sh
. "$(dirname "$0")/lib_ftp.sh"
ns_up
make_clam_db "$T/clamdb"
mkdir -p "$T/ftp/own"
FTP_HOST+=([own4]=10.77.2.5 [own6]=fd77:2::5)
ip -n "$NS_SERVER" addr add 10.77.2.5/24 dev s0
ip -n "$NS_SERVER" addr add fd77:2::5/64 dev s0 nodad
# a host that is none of the two
ip -n "$NS_CLIENT" addr add 10.77.1.3/24 dev c0
ip -n "$NS_CLIENT" addr add fd77:1::3/64 dev c0 nodad preferred_lft 0
on_server nft -f - <<-N
	table inet closed {
		chain input {
			type filter hook input priority 0
			tcp dport 2107 drop
		}
	}
N
spawn "$NS_SERVER" own "$PYTHON" "$TESTS/lib/ftpserver.py" --host 10.77.2.5 --host fd77:2::5 --log "$T/log/commands"
own_is_up() { ftp_is_up 10.77.2.5 && ftp_is_up '[fd77:2::5]'; }
wait_for 10 own_is_up || not_ok "the server starts" "$(cat "$T/log/own")"
MAX_LINE=4096 MAX_REPLY=65536
CONF=('intercept.ftp={21, 2101, 2102, 2103, 2104, 2105, 2106, 2107}' "ftp.max_line=$MAX_LINE" "ftp.max_reply=$MAX_REPLY")
ftp_gateway "${CONF[@]}" relays=1 || exit 1
# both GROUP [OPTION...]: of both families
both() {
	local family
	for family in 4 6; do ftp_begin "$1" own $family "${@:2}"; done
	ftp_end
}
resident() { sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(role_pid relay)/status"; }

check_policy() {
	local family
	with_sluice || return 0
	for family in 4 6; do # one after the other: a server's log tells no families apart
		: >"$T/log/commands"
		ftp_begin policy own $family --set "log=$T/log/commands"
		ftp_end
	done
}
check_limits() {
	local before
	with_sluice || return 0
	before=$(resident)
	both limits --set "max_line=$MAX_LINE max_reply=$MAX_REPLY"
	# A megabyte of the sessions' structures, one of the allocator's; objects are in memory files.
	[ -n "${SANITIZED:-}" ] || is_less "$(resident)" $((before + 4096)) "the relay has grown by $(($(resident) - before)) kB"
	check "... and has no session left" wait_for 20 total_is sessions 0
}
check_timeouts() {
	with_sluice || return 0
	ftp_conf "${CONF[@]}" relays=1 ftp.idle_timeout=1s ftp.reply_timeout=1s ftp.data_timeout=1s ftp.transfer_timeout=1s \
		ftp.connect_timeout=1s
	check "shorter times" sluicectl reload
	both timeouts
}
for part in ${PARTS:-policy limits timeouts}; do "check_$part"; done
if with_sluice; then
	is "$(grep -E ' (error|warning) ' "$T/log/sluiced" | grep -v 'descriptors, so each relay')" "" "nothing was wrong"
fi
ftp_done
