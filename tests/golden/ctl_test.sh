#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Holds sluiced(8) and sluicectl(8) to what the programs themselves print: options, commands, filters of events.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
count=0 failed=0

# same NAME WANTED FOUND: one TAP line; the difference shows what is wrong
same() {
	count=$((count + 1))
	if [ -s "$2" ] && diff -u "$2" "$3" >"$scratch/diff" 2>&1; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
		sed 's/^/# /' "$scratch/diff" 2>/dev/null
	fi
}

# tags PAGE SECTION: what a section's list explains, as it is read: the text before two spaces
tags() {
	mandoc -T ascii -O width=100 "docs/man/$1" | sed 's/.\x08//g' | awk -v section="$2" '
		/^[A-Z]/ { on = $0 == section; next }
		on && /^     [^ ]/ { sub(/^     /, ""); sub(/  .*/, ""); print tolower($0) }'
}
# listed: the same of a usage text, where two spaces stand before and behind
listed() { sed -n 's/^  \([^ ].*\)$/\1/p' | sed 's/  .*//' | tr '[:upper:]' '[:lower:]'; }

if ! command -v mandoc >/dev/null; then
	echo "1..1"
	echo "ok 1 - manual pages # SKIP mandoc is not installed (tools/install-packages lint)"
	exit 0
fi

"$O/bin/sluiced" --help | listed >"$scratch/wanted"
tags sluiced.8 OPTIONS | grep '^-' >"$scratch/found"
same "sluiced(8) has every option, and no other" "$scratch/wanted" "$scratch/found"
"$O/bin/sluiced" --help | head -n 1 | grep -oi '\[-[a-z]' | tr -d '[-' | tr '[:upper:]' '[:lower:]' | sort >"$scratch/wanted"
tags sluiced.8 OPTIONS | grep -o '^-.' | tr -d '-' | sort >"$scratch/found"
same "... and so has its usage line" "$scratch/wanted" "$scratch/found"

"$O/bin/sluicectl" --help | sed '/^commands:/,$d' | listed >"$scratch/wanted"
tags sluicectl.8 OPTIONS | grep '^-' >"$scratch/found"
same "sluicectl(8) has every option, and no other" "$scratch/wanted" "$scratch/found"

# A command's name and its arguments stand in two columns of their own.
"$O/bin/sluicectl" --help | sed '1,/^commands:/d' | cut -c3-48 | sed 's/  */ /g; s/ $//' >"$scratch/wanted"
tags sluicectl.8 COMMANDS >"$scratch/found"
same "... and every command with its arguments, in the same order" "$scratch/wanted" "$scratch/found"

"$O/bin/sluicectl" events --no-such-filter 2>&1 | listed >"$scratch/wanted"
tags sluicectl.8 FILTERS | grep '^-' >"$scratch/found"
same "... and every filter of events" "$scratch/wanted" "$scratch/found"

"$O/bin/sluicectl" apps --no-such-filter 2>&1 | listed >"$scratch/wanted"
tags sluicectl.8 "FILTERS OF APPS" | grep '^-' >"$scratch/found"
same "... and of apps" "$scratch/wanted" "$scratch/found"

echo "1..$count"
exit $failed
