#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Golden test of the gateway's rules: each tests/golden/ruleset/NAME.conf renders to NAME.nft, byte for byte.
# NAME.nft is what `nft list table inet sluice` of nft 1.0.6 prints; tests/netns/rules_test.sh holds the kernel to it.
# nft/sluice.nft, the annotated example, has to be default.nft once comments, layout and counters' values are ignored.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
tool=$O/tests/netns/rules_tool
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
count=0 failed=0

# result NAME STATUS FILE: one TAP line; FILE shows what is wrong
result() {
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
		sed 's/^/# /' "$3"
	fi
}

# One token a line, without comments and without what a counter has counted.
tokens() {
	sed -e 's/[[:space:]]#.*//; s/^#.*//; s/counter packets [0-9]* bytes [0-9]*/counter/' "$1" |
		tr -s '[:space:]' '\n' | sed '/^$/d'
}

if ! make --no-print-directory -s O="$O" "$tool" >"$scratch/make" 2>&1; then
	result "the test program builds" 1 "$scratch/make"
	echo "1..$count"
	exit 1
fi

for conf in tests/golden/ruleset/*.conf; do
	name=$(basename "$conf" .conf)
	"$tool" render "$conf" >"$scratch/$name" 2>&1
	diff -u "${conf%.conf}.nft" "$scratch/$name" >"$scratch/diff"
	result "$name.conf" $? "$scratch/diff"
done

tokens nft/sluice.nft >"$scratch/read"
tokens tests/golden/ruleset/default.nft >"$scratch/rendered"
diff -u "$scratch/rendered" "$scratch/read" >"$scratch/diff"
result "nft/sluice.nft is default.nft with comments" $? "$scratch/diff"

cmp tests/golden/ruleset/default.nft tests/golden/ruleset/closed.nft >/dev/null 2>&1 && same=1 || same=0
echo "closed.nft and default.nft are equal" >"$scratch/diff"
result "when_down changes the rules" "$same" "$scratch/diff"

echo "1..$count"
exit $failed
