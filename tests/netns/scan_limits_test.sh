#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What can't be scanned is neither clean nor infected: it has a reason, and policy decides. Once with
# scan.not_scanned = block, when none of it arrives, and once with allow, when all of it arrives and is counted.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
storage_down() {
	local status=$?
	umount -l "$T/state/spool" 2>/dev/null
	return $status
}
ns_up
trap 'storage_down; ns_down' EXIT
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
W=$T/www
LIMITS=(intercept.http='{9000}' relays=1 scan.max_object=20M scan.max_ratio=50 scan.max_files=20 scan.max_depth=3)

# --- samples -------------------------------------------------------------------------
(
	cd "$W" || exit 1
	head -c 5000 clean.bin >short
	# Nothing comes out of the one; of the other four bytes, and then a block of a kind that there isn't (RFC 1951 3.2.3).
	gzip -c short | head -c 9 >cut.gz
	{ printf '\x1f\x8b\x08\0\0\0\0\0\0\x03\0\x04\0\xfb\xffabcd\x07' && noise 4980; } >damaged.gz
	head -c 15M /dev/zero | gzip -9 >bomb.gz
	zip -qP secret secret.zip clean.txt
	mkdir many && (cd many && seq 40 | split -l 1 && zip -q ../many.zip ./*)
	cp clean.txt nest0
	for n in 1 2 3 4 5 6 7 8; do zip -q0 nest$n nest$((n - 1))* && mv nest$n.zip nest$n; done
	mv nest8 deep.zip
	head -c 30M /dev/zero >zeros && zip -q wide.zip zeros
	head -c 19M /dev/zero >zeros && for n in 1 2 3 4 5; do cp zeros zeros$n; done && zip -q flood.zip zeros?
	rm -r many nest* zeros*
	{ printf 'Rar!\032\007\000\317\220s\000\000\r\000\000\000\000\000\000\000' && head -c 500 short; } >a.rar
	head -c 21M /dev/urandom >large
) || exit 1
# REASON NAME-FOUND PATH FILE
cat >"$T/cases" <<'CASES'
coding - file/clean.bin?coding=snafu clean.bin
coding - file/cut.gz?coding=gzip cut.gz
coding - file-chunked/damaged.gz?coding=gzip damaged.gz
coding - file/clean.txt?coding=gzip,br,gzip,br,gzip clean.txt
ratio - file/bomb.gz?coding=gzip bomb.gz
ratio Heuristics.Limits.Exceeded.MaxScanSize file/flood.zip flood.zip
archive_size - file/wide.zip wide.zip
archive_depth Heuristics.Limits.Exceeded.MaxRecursion file/deep.zip deep.zip
archive_files Heuristics.Limits.Exceeded.MaxFiles file-close/many.zip many.zip
encrypted Heuristics.Encrypted.Zip file-chunked/secret.zip secret.zip
unsupported - file/a.rar a.rar
size - file/large large
size - file-chunked/large?piece=100000 large
size - file-close/large large
partial - partial/5000 -
CASES
get "$O4/size/10000" | head -c 5000 >"$W/-"

# tagged PATH TAG: so that its events can be told from others
tagged() { case $1 in *\?*) echo "$1&$2" ;; *) echo "$1?$2" ;; esac; }

# --- block ---------------------------------------------------------------------------
sluice_conf "${LIMITS[@]}" scan.not_scanned=block delivery.mode=hold
# shellcheck disable=SC2119
start_sluice || exit 1
[[ $(scan_note) = *RAR* ]] || sed -i /unsupported/d "$T/cases" # this machine can open them
while read -r reason name path _; do
	path=$(tagged "$path" block)
	is "$(fetch "$O4/$path")" "$(unscanned "$reason" "$name")" "$path: $reason"
	is "$(fetch "$O6/$path")" "$(unscanned "$reason" "$name")" "... over IPv6"
	is "$(event "[$SERVER6]:9000/$path" verdict reason name rule action direction)" \
		"not_scanned $reason $name scan.not_scanned block download" "... in the journal"
done <"$T/cases"
is "$(total unscanned_bytes)" "{}" "no byte of them was let through"
for name in cut.gz many.zip clean.bin; do
	cat "$W/eicar.zip" >>"$W/$name.evil"
done
cp "$W/eicar.com" "$W/evil.gz"
is "$(fetch "$O4/file/evil.gz?coding=gzip")" "$BLOCKED" "malware stays malware where a coding is damaged"
is "$(fetch "$O4/file/eicar.zip?coding=snafu")" "$BLOCKED" "... or unknown"
(cd "$W" && zip -q secret.zip eicar.com)
is "$(fetch "$O4/file/secret.zip")" "$BLOCKED" "... or beside something encrypted"
is "$(fetch "$O4/size/10000" -r 10-19)" "206 0 $(get "$O4/close/10000" | head -c 20 | tail -c 10 | sha)" \
	"who wants a part gets it"
is "$(origin_saw Range:)" 0 "... out of the whole, since nobody else was asked for a part"
stop_sluice

# --- allow ---------------------------------------------------------------------------
zip -qd "$W/secret.zip" eicar.com
sluice_conf "${LIMITS[@]}" scan.not_scanned=allow
# shellcheck disable=SC2119
start_sluice || exit 1
while read -r reason name path file; do
	path=$(tagged "$path" allow)
	before=$(total "unscanned_bytes.$reason")
	status=200
	[ "$reason" != partial ] || status=206
	is "$(fetch "$O6/$path")" "$status 0 $(sha_of "$W/$file")" "$path, allowed: $reason"
	is $(($(total "unscanned_bytes.$reason") - before)) "$(stat -c %s "$W/$file")" "... and counted"
	is "$(event "[$SERVER6]:9000/$path" verdict reason name action status)" \
		"not_scanned $reason $name allow $status" "... in the journal"
done <"$T/cases"
is "$(fetch "$O4/file/eicar.zip?coding=snafu")" "$BLOCKED" "malware is not allowed with it"

# Uploads, whose responses have a verdict of their own.
printf -- '--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n' >"$T/form"
TYPE='Content-Type: multipart/form-data; boundary=xyz'
before=$(total unscanned_bytes.multipart)
is "$(get "$O4/upload?form" --data-binary "@$T/form" -H "$TYPE" | query "x['sha256']")" "$(sha_of "$T/form")" \
	"a malformed form, allowed"
is $(($(total unscanned_bytes.multipart) - before)) "$(stat -c %s "$T/form")" "... and counted"
is "$(event upload?form verdict reason action direction sha256 content_type)" \
	"not_scanned multipart allow upload $(sha_of "$T/form") multipart/form-data; boundary=xyz" \
	"... in the journal, as an upload"
before=$(total unscanned_bytes.encrypted)
is "$(fetch "$O4/file/eicar.com?up" --data-binary "@$W/secret.zip")" "$BLOCKED" \
	"malware in the answer to an upload that is allowed"
is "$(event file/eicar.com?up verdict reason name action direction)" "blocked signature $FOUND block download" \
	"... is what the journal tells"
is $(($(total unscanned_bytes.encrypted) - before)) "$(stat -c %s "$W/secret.zip")" "... but the upload is counted"
is "$(get "$O4/upload?large" -T "$W/large" -H Expect: | query "x['sha256']")" "$(sha_of "$W/large")" \
	"an upload that is too large, allowed"
is "$(get "$O4/upload?large-chunks" -T "$W/large" -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue' \
	--expect100-timeout 60 | query "x['sha256']")" "$(sha_of "$W/large")" "... by chunks"
stop_sluice

# --- time ----------------------------------------------------------------------------
# Zeros in a zip that take longer than the deadline.
(cd "$W" && for n in 1 2 3 4 5 6 7 8 9; do head -c 19M /dev/zero >zeros$n; done && zip -q1 long.zip zeros? && rm zeros?)
sluice_conf intercept.http='{9000}' scan.deadline=100ms
# shellcheck disable=SC2119
start_sluice || exit 1
is "$(fetch "$O4/file/long.zip")" "$(unscanned scanner_timeout)" "it takes too long"
is "$(event file/long.zip verdict reason action)" "not_scanned scanner_timeout block" "... in the journal"
is "$(fetch "$O4/file/clean.txt")" "$(whole "$W/clean.txt")" "... and the next one is scanned"
stop_sluice

# --- a scanner that dies -------------------------------------------------------------
for action in block allow; do
	sluice_conf intercept.http='{9000}' scan.not_scanned=$action
	# shellcheck disable=SC2119
	start_sluice || exit 1
	wanted=$(unscanned scanner_failed)
	[ $action = block ] || wanted=$(whole "$W/clean.bin")
	for victim in worker role; do
		deaths=$(scan_counter worker_deaths)
		pids=$(scan_workers)
		role=$(role_pid scan)
		# shellcheck disable=SC2086  # numbers
		kill -STOP $pids
		head -c 100 /dev/urandom >>"$W/clean.bin"
		[ $action = block ] || wanted=$(whole "$W/clean.bin")
		fetch "$O4/file/clean.bin?$victim-$action" >"$T/answer" &
		answer=$!
		check "a scan is under way" wait_for 10 scan_counter_is busy 1
		if [ $victim = worker ]; then
			# shellcheck disable=SC2086
			kill -KILL $pids
		else
			kill -KILL "$role"
		fi
		wait $answer
		is "$(cat "$T/answer")" "$wanted" "its $victim is killed: $action"
		is "$(event "file/clean.bin?$victim-$action" verdict reason action)" "not_scanned scanner_failed $action" \
			"... in the journal"
		[ $victim != worker ] || is $(($(scan_counter worker_deaths) - deaths)) 1 "... and one death counts"
		check "... and there is another one" wait_for 20 sluice_ready
		is "$(fetch "$O4/file/clean.txt")" "$(whole "$W/clean.txt")" "... that scans"
	done
	[ $action = block ] || is "$(total unscanned_bytes.scanner_failed)" "$((2 * $(stat -c %s "$W/clean.bin") - 100))" \
		"what was let through is counted"
	stop_sluice
done

# --- no room -------------------------------------------------------------------------
# The spool is a small file system; what lies in memory besides is less than the object.
for action in block allow; do
	mkdir -p "$T/state/spool"
	mount -t tmpfs -o "size=512k,mode=0700,uid=nobody" tmpfs "$T/state/spool"
	sluice_conf intercept.http='{9000}' scan.not_scanned=$action scan.memory=64K delivery.mode=hold relays=1
	# shellcheck disable=SC2119
	start_sluice || exit 1
	wanted=$(unscanned storage)
	[ $action = block ] || wanted=$(whole "$W/clean.bin")
	for framing in file file-chunked file-close; do
		is "$(fetch "$O4/$framing/clean.bin?full-$action")" "$wanted" "no room for it, $framing: $action"
		is "$(event "$framing/clean.bin?full-$action" verdict reason action)" "not_scanned storage $action" \
			"... in the journal"
	done
	case $action in
	block)
		is "$(fetch "$O4/upload?full" -T "$W/clean.bin"), $(origin_saw upload?full)" "$wanted, 0" \
			"no room for an upload: refused"
		;;
	allow)
		is "$(get "$O4/upload?full" -T "$W/clean.bin" | query "x['sha256']")" "$(sha_of "$W/clean.bin")" \
			"no room for an upload: allowed"
		is "$(get "$O4/upload?full-chunks" -T "$W/clean.bin" -H 'Transfer-Encoding: chunked' |
			query "x['sha256']")" "$(sha_of "$W/clean.bin")" "... by chunks"
		is "$(total unscanned_bytes.storage)" $((5 * $(stat -c %s "$W/clean.bin"))) "... and all is counted"
		;;
	esac
	is "$(fetch "$O4/size/300000")" "200 0 $(get "$O4/close/300000" | sha)" "what has room is scanned: $action"
	stop_sluice
	umount "$T/state/spool"
done
plan $TAP_COUNT
done_testing
