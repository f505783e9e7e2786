#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Uploads: PUT, POST and form data, plain, coded, chunked. No byte of a request with malware reaches the origin
# server, and what is clean arrives as it was sent.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
sluice_conf intercept.http='{9000}' relays=1 scan.max_object=4M
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
W=$T/www

# refused NAME WANTED TAG CURL-ARGUMENT...: the answer is WANTED, the origin server has seen nothing of /upload?TAG
refused() {
	local name=$1 wanted=$2 tag=$3
	shift 3
	is "$(fetch "$O4/upload?$tag" "$@"), $(origin_saw "upload?$tag")" "$wanted, 0" "$name"
	is "$(fetch "$O6/upload?6$tag" "$@"), $(origin_saw "upload?6$tag")" "$wanted, 0" "... over IPv6"
}
# arrives NAME FILE TAG CURL-ARGUMENT...: the body that the origin server got is FILE
arrives() {
	local name=$1 file=$2 tag=$3
	shift 3
	is "$(get "$O4/upload?$tag" "$@" | query "str(x['size']) + ' ' + x['sha256']")" \
		"$(stat -c %s "$file") $(sha_of "$file")" "$name"
}

# --- plain ---------------------------------------------------------------------------
refused "PUT" "$BLOCKED" put -T "$W/eicar.com"
refused "POST" "$BLOCKED" post --data-binary "@$W/eicar.com"
refused "PUT of a zip" "$BLOCKED" zip -T "$W/eicar.zip"
refused "PUT of 3 MB with a zip at the end" "$BLOCKED" large -T "$W/eicar-at-end.bin"
refused "PUT by chunks" "$BLOCKED" chunks -T "$W/eicar.zip" -H 'Transfer-Encoding: chunked'
refused "PUT that waits for 100" "$BLOCKED" expect -T "$W/eicar.com" -H 'Expect: 100-continue' \
	--expect100-timeout 60
refused "PUT by chunks that waits for 100" "$BLOCKED" expect-chunks -T "$W/eicar.com" -H 'Expect: 100-continue' \
	-H 'Transfer-Encoding: chunked' --expect100-timeout 60
refused "a body to GET" "$BLOCKED" get -X GET --data-binary "@$W/eicar.com"
refused "an unknown method" "$BLOCKED" method -X FROBNICATE --data-binary "@$W/eicar.com"
refused "coded gzip" "$BLOCKED" gzip -T "$W/eicar.com.gz" -H 'Content-Encoding: gzip'
refused "coded br" "$BLOCKED" br -T "$W/eicar.com.br" -H 'Content-Encoding: br'
refused "in a coding that nobody knows" "$(unscanned coding)" snafu -T "$W/clean.txt" -H 'Content-Encoding: snafu'
is "$(event "upload?put" verdict reason name action direction method)" \
	"blocked signature $FOUND block upload PUT" "the event of an upload"
check "nothing of a sample reached the origin server" test "$(origin_saw STANDARD-ANTIVIRUS)" = 0

arrives "PUT, clean" "$W/clean.bin" clean-put -T "$W/clean.bin"
arrives "POST, clean" "$W/clean.txt" clean-post --data-binary "@$W/clean.txt"
arrives "PUT by chunks, clean" "$W/clean.bin" clean-chunks -T "$W/clean.bin" -H 'Transfer-Encoding: chunked'
arrives "PUT that waits for 100, clean" "$W/clean.bin" clean-expect -T "$W/clean.bin" -H 'Expect: 100-continue' \
	--expect100-timeout 60
arrives "PUT coded gzip, clean" "$W/clean.txt.gz" clean-gzip -T "$W/clean.txt.gz" -H 'Content-Encoding: gzip'
arrives "PUT of nothing" /dev/null clean-none -X PUT -H 'Content-Length: 0'
for size in 1 16383 16384 16385 65535 65536 65537 262144 262145 1048577; do
	head -c $size /dev/urandom >"$T/upload"
	arrives "PUT of $size bytes" "$T/upload" "size-$size" -T "$T/upload"
	arrives "... by chunks" "$T/upload" "chunked-$size" -T "$T/upload" -H 'Transfer-Encoding: chunked'
done
is "$(event "upload?clean-put" verdict action direction status sha256)" \
	"clean allow download 200 $(get "$O4/upload?clean-put" -T "$W/clean.bin" | sha)" \
	"a clean exchange is told by its response"
get -o "$T/body" -w '%{http_code} %{num_connects}\n' "$O4/upload?one" -T "$W/eicar.com" \
	--next -sS -o "$T/body" -w '%{http_code} %{num_connects}\n' "$O4/upload?two" -T "$W/clean.txt" >"$T/said"
is "$(paste -sd' ' "$T/said")" "403 1 200 0" "the connection is kept after a page"

# --- form data -----------------------------------------------------------------------
refused "a form" "$BLOCKED" form -F a=b -F "file=@$W/eicar.com" -F c=d
refused "a form with a zip" "$BLOCKED" form-zip -F a=b -F "file=@$W/eicar.zip"
refused "a form with base64" "$BLOCKED" form-base64 -F "file=@$W/eicar.zip;encoder=base64"
refused "a form with quoted-printable" "$BLOCKED" form-qp -F "file=@$W/eicar.com;encoder=quoted-printable"
refused "a form by chunks" "$BLOCKED" form-chunks -F "file=@$W/eicar.zip" -H 'Transfer-Encoding: chunked'
refused "a form with malware in a field" "$BLOCKED" form-field -F "a=<$W/eicar.com"

# form BOUNDARY DATA...: a body; DATA as printf has it, each a part with its fields
form() {
	local boundary=$1 part
	shift
	for part; do
		# shellcheck disable=SC2059  # what it is for
		printf -- "--$boundary\r\n$part\r\n"
	done
	printf -- "--%s--\r\n" "$boundary"
}
as_form() { printf 'Content-Type: multipart/form-data; boundary=%s' "$1"; }
HEAD='Content-Disposition: form-data; name="a"\r\n\r\n'
form xyz "${HEAD}one" "${HEAD}two" >"$T/form"
arrives "a form of two parts" "$T/form" form-two --data-binary "@$T/form" -H "$(as_form xyz)"
arrives "... by chunks" "$T/form" form-two-chunks --data-binary "@$T/form" -H "$(as_form xyz)" \
	-H 'Transfer-Encoding: chunked'
gzip -k "$T/form"
arrives "... coded gzip" "$T/form.gz" form-two-gzip --data-binary "@$T/form.gz" -H "$(as_form xyz)" \
	-H 'Content-Encoding: gzip'

# What a part's reader and ours could take for different things is not scanned.
refused "a form without boundary" "$(unscanned multipart)" bad-none --data-binary "@$T/form" \
	-H 'Content-Type: multipart/form-data'
refused "a form with two" "$(unscanned multipart)" bad-two --data-binary "@$T/form" \
	-H "$(as_form xyz); boundary=abc"
refused "a form that lacks its boundary" "$(unscanned multipart)" bad-other --data-binary "@$T/form" -H "$(as_form abc)"
head -c -7 "$T/form" >"$T/cut"
refused "a form without end" "$(unscanned multipart)" bad-end --data-binary "@$T/cut" -H "$(as_form xyz)"
form xyz "Content-Transfer-Encoding: rot13\r\n${HEAD}one" >"$T/rot"
refused "a form with an unknown encoding" "$(unscanned multipart)" bad-cte --data-binary "@$T/rot" -H "$(as_form xyz)"
{ cat "$T/cut" && eicar; } >"$T/evil"
refused "malware in a form that is malformed" "$BLOCKED" bad-evil --data-binary "@$T/evil" -H "$(as_form xyz)"
# Servers leave out what comes before the first part and after the last; but whoever keeps the body has it.
{ eicar && printf '\r\n' && cat "$T/form"; } >"$T/evil"
refused "malware before the first part" "$BLOCKED" preamble --data-binary "@$T/evil" -H "$(as_form xyz)"
{ cat "$T/form" && eicar; } >"$T/evil"
refused "malware after the last part" "$BLOCKED" epilogue --data-binary "@$T/evil" -H "$(as_form xyz)"
{ printf 'This is a form.\r\n' && cat "$T/form" && printf 'It was.\r\n'; } >"$T/form2"
arrives "text before and after the parts" "$T/form2" form-text --data-binary "@$T/form2" -H "$(as_form xyz)"

# One body, two boundaries: as the parts of the first it is clean. Both are of one 32-bit FNV-1a, which is what a quick
# key for "the same bytes, read in the same way" might be made of.
"$PYTHON" - "$T/twice" >"$T/boundaries" <<-'PY'
	import base64, sys
	def fnv(text):
	    h = 2166136261
	    for byte in b"\0\0" + text:
	        h = (h ^ byte) * 16777619 & 0xffffffff
	    return h
	seen, n, one, two = {}, 0, None, b""
	while one is None:
	    n, two = n + 1, b"b%x" % n
	    one = seen.get(fnv(two))
	    seen[fnv(two)] = two
	eicar = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
	head = b'Content-Disposition: form-data; name="a"\r\n'
	inner = (b"--" + two + b"\r\nContent-Transfer-Encoding: base64\r\n" + head + b"\r\n" +
	         base64.b64encode(eicar) + b"\r\n--" + two + b"--\r\n")
	open(sys.argv[1], "wb").write(b"--" + one + b"\r\n" + head + b"\r\n" + inner +
	                              b"\r\n--" + one + b"--\r\n")
	print(one.decode(), two.decode())
PY
read -r one two <"$T/boundaries"
arrives "a form that is clean with one boundary" "$T/twice" twice-clean --data-binary "@$T/twice" -H "$(as_form "$one")"
refused "... is not with another" "$BLOCKED" twice-evil --data-binary "@$T/twice" -H "$(as_form "$two")"
arrives "... however often" "$T/twice" twice-again --data-binary "@$T/twice" -H "$(as_form "$one")"

# --- limits --------------------------------------------------------------------------
head -c 5000000 /dev/urandom >"$T/five"
refused "larger than scan.max_object" "$(unscanned size)" too-large -T "$T/five" -H 'Expect: 100-continue' \
	--expect100-timeout 60
refused "... by chunks" "$(unscanned size)" too-large-chunks -T "$T/five" -H 'Transfer-Encoding: chunked'
is "$(total unscanned_bytes.size)" 0 "nothing of it was let through"

# --- no descriptors ------------------------------------------------------------------
# The relay may have one more, which the connection takes: none is left for the memory file of a larger object.
stop_sluice
sluice_conf intercept.http='{9000}' relays=1
# shellcheck disable=SC2119
start_sluice || exit 1
relay=$(role_pid relay)
# As the relay's own user: root may not do it everywhere.
limit_files() { setpriv --reuid nobody --regid nogroup --clear-groups prlimit --pid "$relay" "$@"; }
was=$(limit_files --nofile -o SOFT --noheadings)
one_more() {
	limit_files --nofile="$("$PYTHON" - "$relay" <<-'PY'
		import os, sys
		used = {int(n) for n in os.listdir(f"/proc/{sys.argv[1]}/fd")}
		print([n for n in range(1000) if n not in used][1])
	PY
	):"
}
one_more
is "$(fetch "$O4/upload?no-file" -T "$W/clean.bin"), $(origin_saw "upload?no-file")" "$(unscanned storage), 0" \
	"no descriptor to keep an upload: not scanned, and so blocked"
one_more
is "$(fetch "$O4/file/eicar-at-end.bin")" "$(unscanned storage)" "... the same for a download"
limit_files --nofile="${was// /}:"
arrives "when there are some again it goes on" "$W/clean.bin" files -T "$W/clean.bin"
plan $TAP_COUNT
done_testing
