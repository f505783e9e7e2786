#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A browser and a server that speak HTTP/3, through a gateway that allows it and through one that refuses QUIC: the browser
# has to fall back to TCP at once.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/browser/lib_browser.sh
. "$(dirname "$0")/lib_browser.sh"

ns_up

# --- the site ----------------------------------------------------------------------------
# The page asks for six objects, one after the other, and then tells how each came and how long it took. The server's log
# has the rest.
NAME=site.test
mkdir -p "$T/site" "$T/caddy"
cat >"$T/site/index.html" <<-'HTML'
	<!doctype html><title>HTTP/3</title><script>
	(async () => {
		const told = [];
		for (let i = 0; i < 6; i++) {
			const began = performance.now();
			const path = "/object?" + i;
			await fetch(path, {cache: "no-store"}).then(r => r.text()).catch(() => 0);
			const took = Math.round(performance.now() - began);
			const entry = performance.getEntriesByName(location.origin + path)[0];
			told.push((entry ? entry.nextHopProtocol || "none" : "none") + "-" + took);
			await new Promise(r => setTimeout(r, 300));
		}
		fetch("/told?" + told.join(","));
	})();
	</script>
HTML
echo object >"$T/site/object"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$NAME" \
	-addext "subjectAltName=DNS:$NAME" -keyout "$T/caddy/key" -out "$T/caddy/cert" 2>/dev/null
KEY_HASH=$(openssl x509 -in "$T/caddy/cert" -pubkey -noout | openssl pkey -pubin -outform der |
	openssl dgst -sha256 -binary | base64)
cat >"$T/caddy/Caddyfile" <<-CONF
	{
		admin off
		auto_https off
		log {
			output file $T/caddy/access
			format json
		}
	}
	https://$NAME {
		tls $T/caddy/cert $T/caddy/key
		root * $T/site
		file_server
		log {
			output file $T/caddy/access
			format json
		}
	}
CONF
export XDG_DATA_HOME=$T/caddy XDG_CONFIG_HOME=$T/caddy
spawn "$NS_SERVER" caddy caddy run --config "$T/caddy/Caddyfile" --adapter caddyfile
wait_for 10 listens "$NS_SERVER" 443 || {
	not_ok "the server starts" "$(tail -n 5 "$T/log/caddy")"
	exit 1
}

# --- the browser ---------------------------------------------------------------------------
told() { tail -c +$((SEEN + 1)) "$T/caddy/access" | grep -o '"uri":"/told?[^"]*' | sed 's/.*?//' | tr , ' '; }
has_told() { [ -n "$(told)" ]; }
# For HTTP/3 a browser wants a certificate of a public authority, but for hosts that one has it force QUIC on: here on another
# port. browse ADDRESS: what the page tells, in a browser that remembers nothing
browse() {
	REFUSED=$(refused)
	SEEN=$(wc -c <"$T/caddy/access")
	browser_up "https://$NAME/" --enable-quic --host-resolver-rules="MAP $NAME $1" \
		--ignore-certificate-errors-spki-list="$KEY_HASH" --origin-to-force-quic-on="$NAME:1"
	wait_for 40 has_told || note "the browser told nothing: $(tail -n 3 "$T/log/chromium")"
	browser_down
	TOLD=$(told)
	note "$TOLD"
}
# came PROTOCOL: how many objects came that way; slowest: ms that the slowest took
came() { grep -o "$1-" <<<"$TOLD" | wc -l; }
refused() { sluicectl rules show | awk '$2 == "quic" { print $3 }'; }
slowest() { tr ' ' '\n' <<<"$TOLD" | sed 's/.*-//' | sort -n | tail -n 1; }

for quic in allow refuse; do
	sluice_conf log.level=info scan.engine=none intercept.http='{80}' apps.quic=$quic
	# shellcheck disable=SC2119  # no arguments for it
	start_sluice || exit 1
	for address in "$SERVER" "[$SERVER6]"; do
		browse "$address"
		if [ $quic = allow ]; then
			is_less 2 "$(came h3)" "QUIC allowed: $address: the browser changes to HTTP/3"
		else
			is "$(came h2) $(came h3) $(came none)" "6 0 0" "QUIC refused: $address: all comes by TCP"
			is_less "$(slowest)" 1000 "QUIC refused: $address: and nothing waits for it"
			is_less "$REFUSED" "$(refused)" "QUIC refused: $address: the browser has tried it"
		fi
	done
	check "sluiced stops" stop_sluice
done
done_testing
