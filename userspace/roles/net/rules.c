// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "render/nft_text.h"
#include "sys/earlydemux.h"
#include "sys/log.h"
#include "sys/route.h"
#include "sys/sockdiag.h"

static void publish(struct rules *r)
{
	stats_set(r->stats, NET_INSTALLED, r->installed);
	stats_set(r->stats, NET_ALIVE, r->installed && r->alive);
}

int rules_open(struct rules *r, const struct config *config,
	       struct stats *stats)
{
	memset(r, 0, sizeof(*r));
	r->config = config;
	r->stats = stats;
	r->managed = config->intercept.install_rules;
	snprintf(r->record, sizeof(r->record), "%s/net/early_demux",
		 config->run_dir);
	r->wanted = calloc(1, sizeof(*r->wanted));
	r->nft = nft_open();
	if (r->wanted != NULL && r->nft != NULL)
		return 0;
	log_error("nftables can't be reached: %s", strerror(errno));
	return errno != 0 ? -errno : -ENOMEM;
}

void rules_close(struct rules *r)
{
	nft_close(r->nft);
	free(r->wanted);
}

/* --- in place ---------------------------------------------------------------------- */

static int build(struct rules *r, const struct config *config)
{
	int rc = ruleset_build(r->wanted, config);

	if (rc != 0)
		log_error("rules can't be made from this configuration: %s",
			  strerror(-rc));
	return rc;
}

static int install_wanted(struct rules *r)
{
	bool ipv6;
	int rc = earlydemux_off(r->record);

	if (rc != 0) {
		log_error("net.ipv4.tcp_early_demux can't be set: %s",
			  strerror(-rc));
		return rc;
	}
	rc = route_install(&ipv6);
	if (rc != 0) {
		log_error("routes can't be installed: %s", strerror(-rc));
		return rc;
	}
	rc = nft_install(r->nft, r->wanted, r->alive);
	if (rc != 0) {
		log_error("rules can't be installed: %s", nft_error(r->nft));
		return rc;
	}
	r->installed = true;
	publish(r);
	return 0;
}

int rules_install(struct rules *r)
{
	int rc = build(r, r->config);

	if (rc == 0)
		rc = install_wanted(r);
	if (rc != 0)
		return rc;
	r->managed = true;
	log_info("rules are in place");
	return 0;
}

int rules_remove(struct rules *r)
{
	int rc = nft_remove(r->nft);

	if (rc != 0) {
		log_error("rules can't be removed: %s", nft_error(r->nft));
		return rc;
	}
	rc = route_remove();
	if (rc != 0)
		log_error("routes can't be removed: %s", strerror(-rc));
	r->installed = false;
	r->managed = false;
	publish(r);
	log_info("rules are removed");
	return rc;
}

/* Entries that were added at run time, not by the configuration. */
static void keep_bypasses(const struct ruleset *old, struct ruleset *fresh,
			  const struct config *config)
{
	struct ip_net other;
	struct ruleset *before = calloc(1, sizeof(*before));

	if (before == NULL || ruleset_build(before, config) != 0) {
		free(before);
		return;
	}
	for (int id = SET_BYPASS_CLIENTS4; id <= SET_BYPASS_SERVERS6; id++) {
		enum ruleset_bypass list = id >= SET_BYPASS_SERVERS4
						   ? BYPASS_SERVERS
						   : BYPASS_CLIENTS;

		for (uint32_t i = 0; i < old->sets[id].count; i++) {
			const struct ip_net *net = &old->sets[id].elems[i].net;

			/*
			 * Not in the old configuration: somebody added it. If
			 * the new one has it now, it is there already.
			 */
			if (ruleset_set_overlap(&before->sets[id], net) ==
				    NULL &&
			    ruleset_bypass_add(fresh, list, net, &other) ==
				    -ENOSPC)
				log_warn("a bypass of run time has no room");
		}
	}
	free(before);
}

int rules_reload(struct rules *r, const struct config *config)
{
	struct ruleset *fresh = calloc(1, sizeof(*fresh));
	int rc = fresh != NULL ? ruleset_build(fresh, config) : -ENOMEM;

	if (rc != 0) {
		log_error("rules can't be made from the new configuration: %s; "
			  "the old ones stay",
			  strerror(-rc));
		free(fresh);
		return rc;
	}
	if (r->installed)
		keep_bypasses(r->wanted, fresh, r->config);
	r->config = config;
	free(r->wanted);
	r->wanted = fresh;
	if (config->intercept.install_rules)
		return install_wanted(r);
	return r->installed ? rules_remove(r) : 0;
}

/* --- each second --------------------------------------------------------------------- */

static uint64_t number_at(const char *p)
{
	size_t n = strspn(p, "0123456789");
	uint64_t value;

	return str_to_u64((struct str){p, n}, &value) ? value : 0;
}

/*
 * SYN cookies sent so far (/proc/net/netstat: a line of names and a line of
 * numbers). 0 where it can't be read.
 */
static uint64_t cookies_sent(void)
{
	char text[8192];
	int fd = open("/proc/net/netstat", O_RDONLY | O_CLOEXEC);
	const char *names, *values, *found;
	ssize_t n;

	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	names = strstr(text, "TcpExt: SyncookiesSent ");
	values = names != NULL ? strchr(names, '\n') : NULL;
	found = values != NULL ? strstr(values, "TcpExt: ") : NULL;
	return found != NULL ? number_at(found + strlen("TcpExt: ")) : 0;
}

static int renew(struct rules *r)
{
	uint64_t cookies = cookies_sent();
	int rc = nft_alive_renew(r->nft);

	if (rc == 0 && cookies > r->cookies)
		rc = nft_syncookies_renew(r->nft);
	r->cookies = cookies;
	return rc;
}

void rules_alive(struct rules *r, bool alive)
{
	int rc;

	r->alive = alive;
	if (!r->managed)
		return;
	rc = alive ? renew(r) : nft_alive_disarm(r->nft);
	if (rc == -ENOENT || !r->installed) {
		/*
		 * Somebody flushed the rules: since then traffic passed
		 * unchecked (open), so this can't wait for a person.
		 */
		if (r->installed) {
			log_error("the rules were removed by somebody else; "
				  "they are put back");
			stats_add(r->stats, NET_REINSTALLED, 1);
		}
		r->installed = false;
		rc = install_wanted(r);
	} else if (rc != 0) {
		log_error("the switch can't be renewed: %s", nft_error(r->nft));
	}
	publish(r);
}

bool rules_settled(struct rules *r)
{
	const struct config_intercept *ic = &r->config->intercept;
	struct sockdiag_left left;
	int rc = sockdiag_leftovers(ic->http, ic->http_count, true, &left);

	if (rc == 0 && (left.closing > 0 || left.time_wait > left.destroyed))
		return false;
	/* Without an answer nobody knows better: a minute has to do. */
	if (rc != 0)
		return false;
	rc = earlydemux_restore(r->record);
	if (rc != 0)
		log_error("net.ipv4.tcp_early_demux can't be restored: %s",
			  strerror(-rc));
	return true;
}

/* --- answers -------------------------------------------------------------------------- */

int rules_show(struct rules *r, struct strbuf *out)
{
	struct nft_counter counters[RULESET_CHAINS * RULESET_RULES];
	int n;

	nft_text_ruleset(out, r->wanted);
	if (!r->installed) {
		strbuf_puts(out, "# not installed\n");
		return 0;
	}
	n = nft_counters(r->nft, counters,
			 sizeof(counters) / sizeof(counters[0]));
	if (n < 0)
		return n;
	strbuf_printf(out, "# %-18s %14s %18s\n", "rule", "packets", "bytes");
	for (int i = 0; i < n; i++)
		strbuf_printf(out, "# %-18s %14llu %18llu\n", counters[i].rule,
			      (unsigned long long)counters[i].packets,
			      (unsigned long long)counters[i].bytes);
	return 0;
}

static void add_line(const char *line, void *arg)
{
	strbuf_printf(arg, "%s\n", line);
}

int rules_diff(struct rules *r, struct strbuf *out, bool *differ)
{
	int rules = nft_diff(r->nft, r->wanted, add_line, out);
	int routes = rules < 0 ? rules : route_diff(add_line, out);

	if (routes < 0)
		return routes;
	*differ = rules + routes > 0;
	return 0;
}

int rules_bypass(struct rules *r, bool add, enum ruleset_bypass list,
		 const struct ip_net *net, struct strbuf *out)
{
	char text[IP_TEXT_MAX];
	struct ip_net other;
	int rc;

	if (add) {
		rc = ruleset_bypass_add(r->wanted, list, net, &other);
		if (rc == -EEXIST)
			strbuf_printf(
				out, "it shares addresses with %s",
				ip_net_format(&other, text, sizeof(text)));
		if (rc == 0 && r->installed)
			rc = nft_bypass_add(r->nft, list, net);
	} else {
		rc = ruleset_bypass_del(r->wanted, list, net);
		if (rc == -ENOENT)
			strbuf_puts(out, "it is not in the list as such");
		if (rc == 0 && r->installed)
			rc = nft_bypass_del(r->nft, list, net);
	}
	if (rc != 0 && out->len == 0)
		strbuf_puts(out, nft_error(r->nft));
	return rc;
}

void rules_bypass_list(const struct rules *r, struct strbuf *out)
{
	char text[IP_TEXT_MAX];

	for (int id = SET_BYPASS_CLIENTS4; id <= SET_BYPASS_SERVERS6; id++) {
		const struct ruleset_set *set = &r->wanted->sets[id];

		for (uint32_t i = 0; i < set->count; i++)
			strbuf_printf(out, "%s %s\n",
				      id >= SET_BYPASS_SERVERS4 ? "server"
								: "client",
				      ip_net_format(&set->elems[i].net, text,
						    sizeof(text)));
	}
}
