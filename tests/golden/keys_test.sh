#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Holds together what says which keys there are: the table in userspace/conf/keys.c, sluice.conf(5) and the example
# config/sluice.conf. A key that one of them lacks, has beyond the others, or describes otherwise fails the test.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
dump=$O/tests/golden/keys_dump
page=docs/man/sluice.conf.5
example=config/sluice.conf
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

# Entries of the manual page in the form of keys_dump.
keys_of_page() {
	awk '
	/^\.Sh KEYS OUTSIDE SECTIONS$/ { section = ""; next }
	/^\.Sh SECTION / { section = $3; next }
	/^\.Sh / { name = "" }
	/^\.It Ic .* No = Li / {
		name = $3
		preset = $7
		getline meaning
		allowed = reload = "?"
		next
	}
	name != "" && /^Allowed: .*\.$/ { allowed = substr($0, 10, length($0) - 10) }
	name != "" && /^Reload: .*\.$/ {
		reload = substr($0, 9, length($0) - 9)
		print section "|" name "|" preset "|" allowed "|" reload "|" meaning
		name = ""
	}' "$page"
}

# SECTION|NAME|VALUE of the example, keys in comments included, quotes left out.
keys_of_example() {
	awk '
	/^[a-z]+ *("[a-z]*" *)?\{$/ { section = $1; next }
	/^\}$/ { section = ""; next }
	match($0, /^[\t ]*#?[a-z_]+ *= *("[^"]*"|\{[^}]*\}|[^ ]+)/) {
		line = substr($0, RSTART, RLENGTH)
		gsub(/[\t #"]/, "", line)
		sub(/=/, "|", line)
		print section "|" line
	}' "$example"
}

if ! make --no-print-directory -s O="$O" "$dump" >"$scratch/make" 2>&1; then
	sed 's/^/# /' "$scratch/make"
	echo "not ok 1 - keys_dump builds"
	echo "1..1"
	exit 1
fi

"$dump" >"$scratch/table"
keys_of_page >"$scratch/page"
same "every key of the table is in the manual page, in its order, and no other" "$scratch/table" "$scratch/page"

# lan is the one key that the example sets, as it has no useful default.
cut -d'|' -f1-3 "$scratch/table" | sed 's/^intercept|lan|{}$/intercept|lan|{eth1}/' >"$scratch/wanted"
keys_of_example >"$scratch/example"
same "the example has every key with its default" "$scratch/wanted" "$scratch/example"

awk '/^\.It Ic .* No = Li / { name = $3; preset = $7 }
	/^Allowed: .*\.$/ { print name "|" preset "|" substr($0, 10, length($0) - 10) }' docs/man/sluice-policy.5 >"$scratch/page"
"$dump" policy >"$scratch/table"
same "every key of policy.conf is in sluice-policy(5), in its order, and no other" "$scratch/table" "$scratch/page"

grep -o '{{[a-z_]*}}' "$page" | sort -u >"$scratch/page-placeholders"
"$dump" placeholders | sort >"$scratch/placeholders"
same "every placeholder of pages is in the manual page" "$scratch/placeholders" "$scratch/page-placeholders"

echo "1..$count"
exit $failed
