#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `sluicectl apps` prints of known records, stored ones and those that are being counted; who answers is
# fake_sluiced.py, since the records of a real gateway are never the same twice.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
export TZ=UTC
scratch=$(mktemp -d) || exit 1
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT
count=0 failed=0

# same NAME: standard input is what $scratch/out should hold
same() {
	count=$((count + 1))
	if diff -u - "$scratch/out" >"$scratch/diff" 2>&1; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
		sed 's/^/# /' "$scratch/diff"
	fi
}

# record TIME ID APP GROUP CLIENT DIRECTION BYTES PACKETS FLOWS
record() {
	printf '{"time":"%s","id":"%s","span":300,"app":"%s","group":"%s","client":"%s","direction":"%s","bytes":%s,"packets":%s,"flows":%s}\n' "$@"
}

# Five spans of one day, the first in a file that is finished; the last one is also being counted (instance b).
usage=$scratch/usage
mkdir "$usage"
{
	record 2024-11-21T08:55:00Z a-0 youtube streaming 10.0.0.1 down 1048576 800 0
	record 2024-11-21T08:55:00Z a-1 youtube streaming 10.0.0.1 up 10240 400 3
	record 2024-11-21T09:00:00Z a-2 dns name-service 10.0.0.1 up 2048 20 20
} >"$usage/usage-20241121T090500Z-000.jsonl"
{
	record 2024-11-21T09:00:00Z a-3 dns name-service fd00::2 down 4096 20 0
	record 2024-11-21T10:00:00Z a-4 - - 10.0.0.2 down 512 1 1
	echo "no record"
	record 2024-11-21T10:05:00Z a-5 - - - up 100 2 2
	record 2024-11-21T11:00:00Z a-6 ssh remote-access 10.0.0.2 up 1000 10 1
	record 2024-11-21T11:00:00Z b-0 ssh remote-access 10.0.0.2 up 333 3 1
	record 2024-11-22T00:00:00Z c-0 ssh remote-access 10.0.0.2 up 7 1 1
} >"$usage/usage.jsonl"

live='{"time":"2024-11-21T11:00:00Z","app":"ssh","group":"remote-access","client":"10.0.0.2","direction":"up","bytes":500,"packets":5,"flows":1}'
end='{"end":true,"complete":true,"counting":true,"instance":"b","elapsed_ms":60000,"next":0}'
nobody='{"end":true,"complete":true,"counting":false,"instance":"","elapsed_ms":0,"next":0}'
cut='{"end":true,"complete":false,"counting":false,"instance":"","elapsed_ms":0,"next":0}'

# serve ANSWER...: each a JSON list
serve() {
	rm -f "$scratch/sock"
	printf '%s\n' "$@" >"$scratch/answers"
	python3 tests/golden/fake_sluiced.py "$scratch/sock" "$usage" "$scratch/answers" &
	server=$!
	for ((i = 0; i < 200; i++)); do
		[ -S "$scratch/sock" ] && return
		sleep 0.02
	done
	echo "# fake_sluiced.py does not listen"
}
# ctl ARGUMENT...: what it prints, then what it complains of, then its status
ctl() {
	"$O/bin/sluicectl" -s "$scratch/sock" "$@" >"$scratch/out" 2>"$scratch/err"
	echo "status $?" >>"$scratch/err"
	cat "$scratch/err" >>"$scratch/out"
}
# apps ARGUMENT...: of the whole day, by the one answer with a live record
apps() {
	serve "[$live,$end]"
	ctl apps --since 2024-11-21T00:00:00Z --until 2024-11-22T00:00:00Z "$@"
}

apps
same "by application: sums, shares, bars; what is being counted once" <<'EOF'
from 2024-11-21 00:00 to 2024-11-22 00:00
application              group             share         up       down      packets     flows
youtube                  streaming        99.2 %   10.0 KiB    1.0 MiB         1200         3  ####################
dns                      name-service      0.6 %    2.0 KiB    4.0 KiB           40        20  #
ssh                      remote-access     0.1 %    1.5 KiB        0 B           15         2  #
unlabelled               -                 0.1 %      100 B      512 B            3         3  #
total                                    100.0 %   13.6 KiB    1.0 MiB         1258        28
sluicectl: 1 damaged lines were skipped
status 0
EOF

apps -n 1
same "... the first of them, the rest as one, and what has no label by itself" <<'EOF'
from 2024-11-21 00:00 to 2024-11-22 00:00
application              group             share         up       down      packets     flows
youtube                  streaming        99.2 %   10.0 KiB    1.0 MiB         1200         3  ####################
unlabelled               -                 0.1 %      100 B      512 B            3         3  #
(2 others)                                 0.7 %    3.5 KiB    4.0 KiB           55        22
total                                    100.0 %   13.6 KiB    1.0 MiB         1258        28
sluicectl: 1 damaged lines were skipped
status 0
EOF

apps --by client
same "by client" <<'EOF'
from 2024-11-21 00:00 to 2024-11-22 00:00
client                     share         up       down      packets     flows
10.0.0.1                  99.4 %   12.0 KiB    1.0 MiB         1220        23  ####################
fd00::2                    0.4 %        0 B    4.0 KiB           20         0  #
10.0.0.2                   0.2 %    1.5 KiB      512 B           16         3  #
(no client)                0.0 %      100 B        0 B            2         2  #
total                    100.0 %   13.6 KiB    1.0 MiB         1258        28
sluicectl: 1 damaged lines were skipped
status 0
EOF

apps --by group --client 10.0.0.0/30
same "by group, of some clients" <<'EOF'
from 2024-11-21 00:00 to 2024-11-22 00:00
group                      share         up       down      packets     flows
streaming                 99.6 %   10.0 KiB    1.0 MiB         1200         3  ####################
name-service               0.2 %    2.0 KiB        0 B           20        20  #
remote-access              0.1 %    1.5 KiB        0 B           15         2  #
unlabelled                 0.0 %        0 B      512 B            1         1  #
total                    100.0 %   13.5 KiB    1.0 MiB         1236        26
sluicectl: 1 damaged lines were skipped
status 0
EOF

apps --json --app unlabelled
same "JSON: the records of what no application was named for" <<'EOF'
{"time":"2024-11-21T10:00:00Z","app":"-","group":"-","client":"10.0.0.2","direction":"down","bytes":512,"packets":1,"flows":1}
{"time":"2024-11-21T10:05:00Z","app":"-","group":"-","client":"-","direction":"up","bytes":100,"packets":2,"flows":2}
sluicectl: 1 damaged lines were skipped
status 0
EOF

serve "[$live,$end]"
ctl --json apps --since 2024-11-21T11:00:00Z --by app
same "JSON: sums, in the order of bytes; until now when nothing else is said" <<'EOF'
{"time":"2024-11-21T11:00:00Z","app":"ssh","group":"remote-access","direction":"up","bytes":1507,"packets":16,"flows":3}
sluicectl: 1 damaged lines were skipped
status 0
EOF

serve "[$live,${end/%0\}/1\}}]"
ctl --json apps --since 2024-11-21T11:00:00Z --by app
same "JSON: what was stored before that is not what is being counted" <<'EOF'
{"time":"2024-11-21T11:00:00Z","app":"ssh","group":"remote-access","direction":"up","bytes":1840,"packets":19,"flows":4}
sluicectl: 1 damaged lines were skipped
status 0
EOF

serve "[$live,$end]"
ctl --json apps --since 2024-11-21T10:02:00Z --until 2024-11-21T11:00:00Z
same "a span of which a part is asked for is in; one that begins at the end is not" <<'EOF'
{"time":"2024-11-21T10:00:00Z","app":"-","group":"-","client":"10.0.0.2","direction":"down","bytes":512,"packets":1,"flows":1}
{"time":"2024-11-21T10:05:00Z","app":"-","group":"-","client":"-","direction":"up","bytes":100,"packets":2,"flows":2}
sluicectl: 1 damaged lines were skipped
status 0
EOF

serve "[$nobody]"
ctl apps --day --since 2024-11-21T12:34:00Z
same "a day, hour by hour; nobody counts now, which is nothing to a day that is over" <<'EOF'
2024-11-21         up       down
00:00             0 B        0 B
01:00             0 B        0 B
02:00             0 B        0 B
03:00             0 B        0 B
04:00             0 B        0 B
05:00             0 B        0 B
06:00             0 B        0 B
07:00             0 B        0 B
08:00        10.0 KiB    1.0 MiB  ####################
09:00         2.0 KiB    4.0 KiB  #
10:00           100 B      512 B  #
11:00         1.3 KiB        0 B  #
12:00             0 B        0 B
13:00             0 B        0 B
14:00             0 B        0 B
15:00             0 B        0 B
16:00             0 B        0 B
17:00             0 B        0 B
18:00             0 B        0 B
19:00             0 B        0 B
20:00             0 B        0 B
21:00             0 B        0 B
22:00             0 B        0 B
23:00             0 B        0 B
total        13.4 KiB    1.0 MiB
sluicectl: 1 damaged lines were skipped
status 0
EOF

serve "[$cut]"
ctl apps --since 2024-11-22T00:05:00Z --by group
sed -i 's/ to .* (now)/ to NOW/' "$scratch/out"
same "nothing, and an app role that does not answer" <<'EOF'
from 2024-11-22 00:05 to NOW
nothing was counted
sluicectl: 1 damaged lines were skipped
sluicectl: what was counted in the last minutes is missing: the app role did not answer, see: sluicectl status
status 0
EOF

serve "[$nobody]"
ctl --json apps --since 2024-11-22T00:05:00Z
same "... and none at all" <<'EOF'
sluicectl: 1 damaged lines were skipped
sluicectl: nothing is being counted now: applications are off (apps.enabled), or the app role is down
status 0
EOF

# Three looks, two seconds apart by the role's clock: since the span began, then what was added, then a new span.
# Its records are of a day that is still to come, so that they are of today or later.
now() { echo "{\"time\":\"2099-01-01T00:0$1:00Z\",\"app\":\"ssh\",\"group\":\"remote-access\",\"client\":\"10.0.0.2\",\"direction\":\"up\",\"bytes\":$2,\"packets\":$3,\"flows\":1}"; }
at() { echo "{\"end\":true,\"complete\":true,\"counting\":true,\"instance\":\"b\",\"elapsed_ms\":$1,\"next\":0}"; }
serve "[$(now 0 10000 100),$(at 10000)]" "[$(now 0 35000 150),$(at 12000)]" "[$(now 5 500 1),$(at 1000)]" "[$nobody]"
ctl apps --watch
sed -i 's/^20[0-9-]* [0-9:]*,/NOW,/' "$scratch/out"
same "rates: since the span began, since the last look, and of the next span" <<'EOF'
NOW, the last 10.0 s
application              group             share            up          down  packets/s
ssh                      remote-access   100.0 %    8.0 kbit/s       0 bit/s         10  ####################
total                                    100.0 %    8.0 kbit/s       0 bit/s         10

NOW, the last 2.0 s
application              group             share            up          down  packets/s
ssh                      remote-access   100.0 %  100.0 kbit/s       0 bit/s         25  ####################
total                                    100.0 %  100.0 kbit/s       0 bit/s         25

NOW, the last 1.0 s
application              group             share            up          down  packets/s
ssh                      remote-access   100.0 %    4.0 kbit/s       0 bit/s          1  ####################
total                                    100.0 %    4.0 kbit/s       0 bit/s          1

sluicectl: nothing is being counted now: applications are off (apps.enabled), or the app role is down, see: sluicectl status
status 1
EOF

for wrong in "--by host" "--app nonsense" "--client 10.0.0.1/8" "--day --watch" "--day --by app" "--watch --since 1h" "-n 0" "today"; do
	# shellcheck disable=SC2086 # two words
	"$O/bin/sluicectl" apps $wrong 2>&1 | head -n 1
done >"$scratch/out"
same "options that make no sense are refused, with what is wrong" <<'EOF'
sluicectl: apps: host: not a valid option or value
sluicectl: apps: nonsense: not a valid option or value
sluicectl: apps: 10.0.0.1/8: not a valid option or value
sluicectl: apps: --day and --watch exclude each other
sluicectl: apps: --day goes neither with --by nor with --until
sluicectl: apps: --watch shows what flows now: no --since, no --until
sluicectl: apps: 0: not a valid option or value
sluicectl: apps: today: apps takes no argument
EOF

echo "1..$count"
exit $failed
