#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The table of applications (userspace/policy/app_table.h) against its manual page and against what was published:
# a name or number that was ever given out is in marks, records and people's policies.
set -u
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
count=0 failed=0

# result NAME: by the status of the command before it; $scratch/diff shows what is wrong
result() {
	local rc=$?
	count=$((count + 1))
	if [ $rc = 0 ]; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
		sed 's/^/# /' "$scratch/diff"
	fi
}

echo 1..3
tools/apps-man >"$scratch/page" && diff -u docs/man/sluice-apps.7 "$scratch/page" >"$scratch/diff" 2>&1
result "sluice-apps(7) is what tools/apps-man makes of the table"

grep -v '^#' tests/golden/apps.txt | sort >"$scratch/published"
tools/apps-man --names | sort >"$scratch/names"
[ -s "$scratch/published" ] && comm -23 "$scratch/published" "$scratch/names" >"$scratch/diff" && [ ! -s "$scratch/diff" ]
result "no application of tests/golden/apps.txt was renamed, renumbered or removed"

comm -13 "$scratch/published" "$scratch/names" >"$scratch/diff" && [ ! -s "$scratch/diff" ]
result "every application is in tests/golden/apps.txt"
exit $failed
