#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# When what leaves: in hold mode nothing before the verdict, in tail mode all but the end. A client of an object with
# malware sees an error, whoever it is and however the object is framed.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_scan.sh
. "$(dirname "$0")/lib_scan.sh"
ns_up
make_samples "$T/www"
make_clam_db "$T/clamdb"
start_origin 9000 || exit 1
O4=http://$SERVER:9000 O6=http://[$SERVER6]:9000
W=$T/www
TAIL=65536
noise 3000000 >"$W/clean"
{ cat "$W/clean" && cat "$W/eicar.zip"; } >"$W/evil"
{ cat "$W/eicar.zip" && cat "$W/clean"; } >"$W/evil-first"
noise 500000 >"$W/below"
chmod 644 "$W"/*
SIZE=$(stat -c %s "$W/evil")
# No table of infected URLs: each request is about the object.
CONF=(intercept.http='{9000}' relays=1 scan.workers=1 scan.infected_url_block=0)

arrived() { stat -c %s "$T/got" 2>/dev/null || echo 0; }
# breaks NAME COMMAND...: it fails, and the last TAIL bytes have not come
breaks() {
	local name=$1 status
	shift
	rm -f "$T/got"
	on_client "$@" >"$T/said" 2>&1
	status=$?
	[ $status != 0 ] || not_ok "$name: it fails" "$(tail -n 5 "$T/said")"
	is_less "$(arrived)" $((SIZE - TAIL + 1)) "$name: status $status, $(arrived) bytes"
}
cat >"$T/client.py" <<'PY'
import http.client, sys
conn = http.client.HTTPConnection(sys.argv[1], 9000, timeout=20)
conn.request("GET", sys.argv[2])
with open(sys.argv[3], "wb", buffering=0) as f:
    res = conn.getresponse()
    while True:
        data = res.read(65536)
        if not data:
            break
        f.write(data)
if res.length:
    sys.exit(f"{res.length} bytes are missing")
PY

# --- tail ----------------------------------------------------------------------------
sluice_conf "${CONF[@]}"
# shellcheck disable=SC2119  # no arguments for it
start_sluice || exit 1

# A proxy of others as a client: it passes the error on, and keeps nothing.
mkdir -p "$T/nginx-client"
chmod 777 "$T/nginx-client"
cat >"$T/nginx-client/nginx.conf" <<-CONF
	daemon off;
	pid $T/nginx-client/pid;
	error_log $T/nginx-client/error.log;
	events { }
	http {
		access_log off;
		client_body_temp_path $T/nginx-client/body;
		proxy_temp_path $T/nginx-client/proxy;
		fastcgi_temp_path $T/nginx-client/fastcgi;
		uwsgi_temp_path $T/nginx-client/uwsgi;
		scgi_temp_path $T/nginx-client/scgi;
		proxy_cache_path $T/nginx-client/cache keys_zone=zone:1m;
		proxy_http_version 1.1;
		server {
			listen 127.0.0.1:8000;
			location /buffered/ { proxy_pass $O4/; }
			location /unbuffered/ { proxy_pass $O4/; proxy_buffering off; }
			location /kept/ {
				proxy_pass $O4/;
				proxy_cache zone;
				proxy_cache_valid any 1h;
				add_header X-Kept \$upstream_cache_status;
			}
		}
	}
CONF
spawn "$NS_CLIENT" nginx-client nginx -c "$T/nginx-client/nginx.conf" -e "$T/nginx-client/error.log"
wait_for 10 listens "$NS_CLIENT" 8000 || not_ok "nginx starts" "$(cat "$T/log/nginx-client")"

for framing in file file-chunked file-close; do
	for evil in evil evil-first; do
		breaks "curl, $framing/$evil" curl -sS -m 30 -o "$T/got" "$O4/$framing/$evil"
		breaks "... over IPv6" curl -sS -m 30 -o "$T/got" "$O6/$framing/$evil"
	done
	breaks "curl with HTTP/1.0, $framing" curl -sS0 -m 30 -o "$T/got" "$O4/$framing/evil"
	breaks "curl that goes on where it was cut, $framing" curl -sS -m 30 -o "$T/got" -C - --retry 2 --retry-delay 1 \
		--retry-all-errors "$O4/$framing/evil"
	breaks "wget, $framing" wget -nv -t 1 -O "$T/got" "$O4/$framing/evil"
	breaks "wget that tries again, $framing" wget -nv -t 3 -c -O "$T/got" "$O4/$framing/evil"
	breaks "http.client of python, $framing" "$PYTHON" "$T/client.py" "$SERVER" "/$framing/evil" "$T/got"
	for how in buffered unbuffered kept; do
		breaks "nginx, $how, $framing" curl -sS -m 30 -o "$T/got" "http://127.0.0.1:8000/$how/$framing/evil"
	done
	is "$(fetch "http://127.0.0.1:8000/kept/$framing/clean"), $(get -o "$T/body" -D - \
		"http://127.0.0.1:8000/kept/$framing/clean" | grep -c 'X-Kept: HIT')" \
		"$(whole "$W/clean"), 1" "nginx keeps what is clean, $framing"
	is "$(get -o "$T/body" -D - "http://127.0.0.1:8000/kept/$framing/evil" 2>/dev/null | grep -c 'X-Kept: HIT')" 0 \
		"... but nothing that was cut"
	# What the others got wrong is no reason to: the object without malware is whole for all of them.
	for how in curl wget python; do
		rm -f "$T/got"
		case $how in
		curl) on_client curl -sS -o "$T/got" "$O4/$framing/clean" ;;
		wget) on_client wget -q -t 1 -O "$T/got" "$O4/$framing/clean" ;;
		python) on_client "$PYTHON" "$T/client.py" "$SERVER" "/$framing/clean" "$T/got" ;;
		esac
		is "$? $(sha_of "$T/got")" "0 $(sha_of "$W/clean")" "clean for $how, $framing"
	done
done
is "$(event file-close/evil verdict reason name action status)" "blocked signature $FOUND block 200" \
	"the journal tells what the client can't be told"
is "$(fetch "$O4/file/below")" "$(whole "$W/below")" "an object below delivery.hold_below"
cat "$W/eicar.zip" >>"$W/below"
is "$(fetch "$O4/file/below")" "$BLOCKED" "... with malware there is a page"
truncate -s 500000 "$W/below"

# --- what leaves when ----------------------------------------------------------------
# begin NAME PATH: a client that writes what it gets to $T/got at once
begin() {
	rm -f "$T/got"
	spawn "$NS_CLIENT" begun curl -sSN -m 60 -o "$T/got" "$O4/$1"
	client=$SPAWNED
}
arrived_at_least() { [ "$(arrived)" -ge "$1" ]; }
ends() { # NAME FILE
	wait "$client"
	is "$? $(sha_of "$T/got")" "0 $(sha_of "$2")" "$1"
}
stored() { [ "$(status "x['totals']['body_memory'] + x['totals']['body_disk']")" -ge "$1" ]; }
for framing in file file-chunked file-close; do
	# The origin server stands still after two million bytes.
	begin "$framing/clean?at=2000000&gate=$framing"
	check "tail: early bytes come while the server still sends, $framing" \
		wait_for 10 arrived_at_least $((2000000 - TAIL - 16384))
	is_less "$(arrived)" $((2000000 - TAIL + 1)) "... but for the last $TAIL"
	touch "$W/$framing"
	ends "... and then the rest" "$W/clean"
	# The scanner stands still.
	pids=$(scan_workers)
	# shellcheck disable=SC2086  # numbers
	kill -STOP $pids
	head -c 1 /dev/urandom >>"$W/clean" # not in the cache
	begin "$framing/clean"
	check "tail: all but the end comes before the verdict, $framing" wait_for 10 arrived_at_least $((3000000 - TAIL - 16384))
	check "... which is being asked for" wait_for 10 total_is scans_waiting 1
	is_less "$(arrived)" $((3000001 - TAIL + 1)) "... but no more"
	# shellcheck disable=SC2086
	kill -CONT $pids
	ends "... and with it the end" "$W/clean"
	truncate -s 3000000 "$W/clean"
done
begin "file/below?at=400000&gate=below-gate"
check "an object below hold_below is stored" wait_for 10 stored 400000
is "$(arrived)" 0 "... and held, as in hold mode"
touch "$W/below-gate"
ends "... until it is clean" "$W/below"

# --- who goes away -------------------------------------------------------------------
# away PATH BYTES: that many come, then the client resets its connection
away() {
	rm -f "$T/go"
	spawn "$NS_CLIENT" rude "$PYTHON" "$TESTS/netns/helpers/rude.py" "$SERVER" 9000 "$1" "$2" "$T/go"
}
away "/file/clean?at=2000000&gate=never" 1500000
check "a client has a part" wait_for 10 grep -q took "$T/log/rude"
touch "$T/go"
check "... and when it goes away, so does its session" wait_for 10 total_is sessions 0
is "$(event gate=never reason)" client_closed "... as the journal says"
is "$(on_server ss -Htn state established "sport = :9000" | wc -l)" 0 "... and the server's connection is closed"
pids=$(scan_workers)
# shellcheck disable=SC2086
kill -STOP $pids
for name in clean below; do
	head -c 1 /dev/urandom >>"$W/$name"
	took=$([ $name = clean ] && echo 2000000 || echo 0)
	away "/file/$name?away" "$took"
	check "a client waits for a verdict on $name" wait_for 10 total_is scans_waiting 1
	check "... and has its part" wait_for 10 grep -q took "$T/log/rude"
	touch "$T/go"
	check "... and when it goes away, nobody waits any more" wait_for 3 total_is scans_waiting 0
	check "... and its session is over" wait_for 3 total_is sessions 0
	is "$(event "$name?away" reason)" client_closed "... as the journal says"
done
check "the scan role gives up what nobody waits for" wait_for 10 scan_counter_is busy 0
# shellcheck disable=SC2086
kill -CONT $pids 2>/dev/null
is "$(fetch "$O4/file/below?back")" "$(whole "$W/below")" "... and scans what others ask for"
truncate -s 3000000 "$W/clean"
truncate -s 500000 "$W/below"
stop_sluice

# --- hold ----------------------------------------------------------------------------
sluice_conf "${CONF[@]}" delivery.mode=hold
# shellcheck disable=SC2119
start_sluice || exit 1
for framing in file file-chunked file-close; do
	for evil in evil evil-first; do
		is "$(fetch "$O4/$framing/$evil")" "$BLOCKED" "hold: a page, $framing/$evil"
		is "$(fetch "$O6/$framing/$evil" -0)" "$BLOCKED" "... for HTTP/1.0, over IPv6"
	done
	is "$(fetch "http://127.0.0.1:8000/unbuffered/$framing/evil")" "$BLOCKED" "... for nginx"
	begin "$framing/clean?at=2000000&gate=hold-$framing"
	check "hold: it is stored, $framing" wait_for 10 stored 2000000
	is "$(arrived)" 0 "... and not a byte leaves"
	touch "$W/hold-$framing"
	ends "... until it is clean" "$W/clean"
done
plan $TAP_COUNT
done_testing
