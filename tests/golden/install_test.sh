#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tools/install-files: what goes where, that it works from there, and that nothing of the administrator's is lost.
# shellcheck disable=SC2317,SC2016  # functions are called by name, quoted text by eval
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
dest="$scratch/a root" # with a space
count=0 failed=0

# ok NAME COMMAND...: passes when the command does; its output explains a failure
ok() {
	local name=$1 rc
	shift
	"$@" >"$scratch/why" 2>&1
	rc=$?
	count=$((count + 1))
	if [ $rc = 0 ]; then
		echo "ok $count - $name"
	else
		failed=1
		echo "not ok $count - $name"
		sed "s/^/# /" "$scratch/why"
	fi
}
install_it() { tools/install-files "$O" "$dest" /usr; }
files() { (cd "$dest" && find . -type f -printf '%m %P\n' | sort -k 2); }
sums() { (cd "$dest" && find . -type f -exec sha256sum {} + | sort -k 2); }
silent() { [ -z "$("$@" 2>&1)" ]; }
# says PATTERN COMMAND...: it fails, and says that
says() {
	local pattern=$1
	shift
	if "$@" >"$scratch/said" 2>&1; then return 1; fi
	cat "$scratch/said"
	grep -q -- "$pattern" "$scratch/said"
}

expected() {
	local f
	echo "644 etc/sluice/sluice.conf"
	for f in app log net relay resolve scan; do echo "755 usr/libexec/sluice-$f"; done
	echo "755 usr/sbin/sluicectl"
	echo "755 usr/sbin/sluiced"
	for f in docs/man/*.[1-8]; do echo "644 usr/share/man/man${f##*.}/${f##*/}"; done | sort -k 2
	for f in config/pages/*.html; do echo "644 usr/share/sluice/pages/${f##*/}"; done
	for f in kmod/*.[ch] kmod/Kbuild kmod/dkms.conf; do echo "644 usr/src/sluice-acct-1/${f##*/}"; done | sort -k 2
}
same_files() { diff -u <(expected) <(files); }

ok "it installs, and has nothing to say" silent install_it
ok "each file is where it belongs, with its mode" same_files
ok "sluiced reads the configuration from there" "$dest/usr/sbin/sluiced" -n -c "$dest/etc/sluice/sluice.conf"
ok "sluicectl prints its help" "$dest/usr/sbin/sluicectl" --help
for page in docs/man/*.[1-8]; do
	ok "${page##*/} is the page that was written" cmp "$page" "$dest/usr/share/man/man${page##*.}/${page##*/}"
done

# whole DIRECTORY: a source for each object that Kbuild names, and each header that a source includes
# shellcheck disable=SC2013  # words are meant
whole() {
	local f
	for f in $(sed -n 's/^sluice_acct-y := //p' "$1/Kbuild"); do [ -f "$1/${f%.o}.c" ] || return; done
	for f in $(sed -n 's/^#include "\(.*\)"/\1/p' "$1"/*.[ch]); do [ -f "$1/$f" ] || return; done
	grep -qx "PACKAGE_NAME=\"$(basename "$1" | sed 's/-[0-9]*$//')\"" "$1/dkms.conf" &&
		grep -qx "PACKAGE_VERSION=\"${1##*-}\"" "$1/dkms.conf"
}
ok "the module's sources are whole, where DKMS looks for them" whole "$dest/usr/src/sluice-acct-1"

sums >"$scratch/first"
ok "again: nothing to say" silent install_it
ok "... and nothing is another" diff -u "$scratch/first" <(sums)

echo "# mine" >>"$dest/etc/sluice/sluice.conf"
sums >"$scratch/edited"
install_it >"$scratch/said" 2>&1
ok "an edited sluice.conf stays" diff -u "$scratch/edited" <(sums | grep -v 'sluice\.conf\.new')
ok "... the new one comes beside it" cmp config/sluice.conf "$dest/etc/sluice/sluice.conf.new"
ok "... and that is said" grep -qx "$dest/etc/sluice/sluice.conf is there and stays; this version's is .*sluice.conf.new" \
	"$scratch/said"
ok "... each time" eval 'install_it | grep -q "is there and stays"'

# What runs goes on with its file: the name leads to a new one.
exec 7<"$dest/usr/sbin/sluiced"
install_it >/dev/null
ok "a program in use is replaced, not written to" eval '[ ! "/proc/$$/fd/7" -ef "$dest/usr/sbin/sluiced" ]'
exec 7<&-

mkdir -p "$scratch/half/bin"
cp "$O/bin/sluiced" "$scratch/half/bin/"
ok "half a build is refused" says 'sluicectl is not built; run make first' \
	tools/install-files "$scratch/half" "$scratch/other" /usr
ok "... before anything is installed" eval '[ ! -e "$scratch/other" ]'
ok "a PREFIX that is no path is refused" says 'want an absolute path' tools/install-files "$O" "$scratch/other" usr
ok "arguments are asked for" says 'usage:' tools/install-files "$O"
# -o all: with what is built, whatever flags it was built with
ok "make install does it" eval "make --no-print-directory -s -o all O='$O' DESTDIR='$scratch/by-make' PREFIX=/opt/sluice \
	install && [ -x '$scratch/by-make/opt/sluice/sbin/sluiced' ]"
echo "1..$count"
exit $failed
