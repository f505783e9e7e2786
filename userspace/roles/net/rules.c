// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "roles/net/cookies.h"
#include "sys/earlydemux.h"
#include "sys/log.h"
#include "sys/nft_pairs.h"
#include "sys/route.h"
#include "sys/sockdiag.h"

#define TROUBLE_AGAIN 60 /* seconds until the same trouble is logged again */

/* --- what a person should know -------------------------------------------------------- */

/* Another part of the note, if there is something to say. */
static void add_note(char *note, const char *text)
{
	size_t n = strlen(note);

	if (*text != '\0')
		snprintf(note + n, STATS_NOTE_MAX - n, "%s%s",
			 n > 0 ? "; " : "", text);
}

void rules_publish(const struct rules *r)
{
	const char *state = "";
	char note[STATS_NOTE_MAX] = "";
	char bypasses[48] = "";

	stats_set(r->stats, NET_INSTALLED, r->installed);
	stats_set(r->stats, NET_ALIVE, r->installed && r->alive);
	if (r->trouble[0] != '\0')
		state = r->trouble;
	else if (r->asked.rules == ASKED_REMOVE)
		state = "rules: removed by hand (sluicectl rules install puts "
			"them back)";
	else if (r->asked.rules == ASKED_INSTALL)
		state = "rules: installed by hand";
	if (r->asked.count > 0)
		snprintf(bypasses, sizeof(bypasses), "bypasses of run time: %u",
			 r->asked.count);
	add_note(note, state);
	add_note(note, bypasses);
	add_note(note, r->account.trouble);
	stats_note(r->stats, "%s", note);
}

/* Each second it would be the same line: once a minute is enough. */
__attribute__((format(printf, 2, 3))) static void
trouble(struct rules *r, const char *format, ...)
{
	char text[RULES_TROUBLE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (strcmp(text, r->trouble) != 0 || ++r->troubled == TROUBLE_AGAIN) {
		log_error("%s", text);
		r->troubled = 0;
	}
	str_copy(r->trouble, sizeof(r->trouble), text);
}

/* --- the model -------------------------------------------------------------------------- */

/* The caller's, or NULL and errno. */
static struct ruleset *build(const struct rules *r, const struct config *config)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));
	int rc = rs != NULL ? ruleset_build(rs, config, &r->held) : -ENOMEM;

	if (rc != 0) {
		log_error("rules can't be made from this configuration: %s",
			  strerror(-rc));
		free(rs);
		errno = -rc;
		return NULL;
	}
	ruleset_set_queue(rs, r->queue);
	asked_apply(&r->asked, rs);
	return rs;
}

/* Without an answer, or a queue, connections pass unlabelled: open. */
static void ask_for_queue(struct rules *r)
{
	if (nft_queue(r->nft, &r->queue) != 0) {
		log_error("%s", nft_error(r->nft));
		r->queue = QUEUE_NONE;
	} else if (r->queue == QUEUE_NONE && rules_config(r)->apps.enabled) {
		log_warn("this kernel has no NFQUEUE (nft_queue or "
			 "xt_NFQUEUE with nft_compat): applications are not "
			 "recognised");
	}
}

/* Open: what has no label passes. */
static void look_at_policy(const struct rules *r)
{
	const struct config *c = rules_config(r);

	if (!c->apps.enabled && app_policy_acts(&c->policy))
		log_warn("%s has no effect: nothing names applications "
			 "(apps.enabled = false)",
			 c->policy_file);
}

int rules_rebuild(struct rules *r)
{
	struct ruleset *fresh = build(r, rules_config(r));

	if (fresh == NULL)
		return -errno;
	free(r->wanted);
	r->wanted = fresh;
	return 0;
}

bool rules_wished(const struct rules *r)
{
	if (r->asked.rules != ASKED_NOTHING)
		return r->asked.rules == ASKED_INSTALL;
	return rules_config(r)->intercept.install_rules;
}

/* --- in place ----------------------------------------------------------------------------- */

struct first_line {
	char text[128];
	unsigned int lines;
};

static void take_line(const char *line, void *arg)
{
	struct first_line *first = arg;

	if (first->lines++ == 0)
		str_copy(first->text, sizeof(first->text), line);
}

/* Lines in which the kernel's rules and routes differ, or -errno. */
static int compare(struct rules *r, struct first_line *first)
{
	int rules = nft_diff(r->nft, r->wanted, take_line, first);
	int routes;

	if (rules < 0 || !r->wanted->intercepts)
		return rules;
	routes = route_diff(take_line, first);
	return routes < 0 ? routes : rules + routes;
}

/*
 * What the rules depend on. Without interception they need nothing, and then
 * the host's routing is left alone: with a rule in it, also with one that was
 * there once, the kernel routes by rules until the namespace ends, which takes
 * up to a tenth of the small packets that it could forward.
 */
static int prepare(struct rules *r)
{
	bool ipv6;
	int rc;

	if (!r->wanted->intercepts)
		return 0;
	rc = earlydemux_off(r->record);
	if (rc != 0) {
		trouble(r, "net.ipv4.ip_early_demux can't be set: %s",
			strerror(-rc));
		return rc;
	}
	rc = route_install(&ipv6);
	if (rc != 0)
		trouble(r, "routes can't be installed: %s", strerror(-rc));
	return rc;
}

/*
 * What small sockets may have on either side, where the kernel doesn't tell
 * their marks; data connections of FTP are not among them.
 */
static int remove_leftovers(const struct rules *r, struct sockdiag_left *left)
{
	const struct config_intercept *ic = &rules_config(r)->intercept;
	uint16_t ports[2 * CONFIG_PORTS];

	memcpy(ports, ic->http, ic->http_count * sizeof(ports[0]));
	memcpy(ports + ic->http_count, ic->ftp,
	       ic->ftp_count * sizeof(ports[0]));
	return sockdiag_leftovers(ports, ic->http_count + ic->ftp_count, true,
				  left);
}

/*
 * Before the switch goes on. While it was off, clients opened connections that
 * are forwarded, perhaps with the ports of a connection that relays had taken
 * in; what is left of that one, in TIME_WAIT, would catch their packets as soon
 * as rule "handshake" is asked again.
 */
static void make_way(struct rules *r)
{
	struct sockdiag_left left;
	int rc;

	if (!r->alive || nft_alive(r->nft) == 1)
		return;
	rc = remove_leftovers(r, &left);
	if (rc != 0)
		log_warn("closed connections can't be removed: %s",
			 strerror(-rc));
}

int rules_replace(struct rules *r)
{
	struct first_line first = {.lines = 0};
	struct nft_pairs pairs;
	int rc = prepare(r);

	if (rc != 0)
		return rc;
	make_way(r);
	pairs_all(r->pairs, &pairs);
	rc = nft_install(r->nft, r->wanted, r->alive, &pairs);
	if (rc != 0) {
		trouble(r, "rules can't be installed: %s", nft_error(r->nft));
		return rc;
	}
	r->installed = true;
	r->pairs_differ = false;
	/*
	 * Should a kernel show what it was just given in another form, then
	 * looking for differences would replace the rules each second.
	 */
	rc = compare(r, &first);
	r->comparable = rc <= 0;
	if (rc > 0)
		log_warn("this kernel shows the rules otherwise than they "
			 "were installed (%s): what is changed in them will "
			 "not be noticed",
			 first.text);
	return 0;
}

/* Those that relays were quicker to announce than the rules were found. */
static int add_pairs(struct rules *r)
{
	struct netlink *nl = nft_netlink(r->nft);
	struct nft_pairs pairs;
	int rc;

	if (!r->wanted->data)
		return 0;
	pairs_all(r->pairs, &pairs);
	rc = nft_pairs_add(nl, pairs.list4, pairs.count4);
	return rc == 0 ? nft_pairs_add(nl, pairs.list6, pairs.count6) : rc;
}

/*
 * The first time: rules that an earlier process of this role left, and that
 * are as they should be, stay, so that nothing is interrupted.
 */
static int put_in_place(struct rules *r)
{
	struct first_line first = {.lines = 0};
	int rc;

	if (compare(r, &first) != 0) {
		rc = rules_replace(r);
		if (rc == 0)
			log_info("rules are in place");
		return rc;
	}
	rc = prepare(r);
	if (rc != 0)
		return rc;
	r->installed = true;
	r->comparable = true;
	r->pairs_differ = add_pairs(r) != 0;
	log_info("rules were in place and stay");
	return 0;
}

static int switch_renew(struct rules *r)
{
	uint64_t cookies = cookies_sent();
	int rc;

	if (!r->alive)
		return nft_alive_disarm(r->nft);
	make_way(r);
	rc = nft_alive_renew(r->nft);
	if (rc == 0 && cookies > r->cookies)
		rc = nft_syncookies_renew(r->nft);
	r->cookies = cookies;
	return rc;
}

/* `sysctl --system` sets it again, as packages do when they are installed. */
static void keep_early_demux_off(struct rules *r)
{
	if (!r->wanted->intercepts || earlydemux_value() != 1)
		return;
	log_warn("net.ipv4.ip_early_demux was switched on by somebody else: "
		 "it is switched off again");
	(void)!earlydemux_off(r->record); /* tried again each second */
}

/*
 * Somebody flushed or changed the rules, or the routes: since then traffic may
 * pass unchecked, or not at all, so this can't wait for a person.
 */
static int keep_in_place(struct rules *r)
{
	struct first_line first = {.lines = 0};
	int rc = switch_renew(r);
	int lines = rc == 0 && r->comparable ? compare(r, &first) : 0;

	if (rc == -ENOENT) {
		str_copy(first.text, sizeof(first.text), "table missing");
		lines = 1;
	} else if (rc != 0) {
		trouble(r, "the switch can't be renewed: %s",
			nft_error(r->nft));
		return rc;
	}
	keep_early_demux_off(r);
	if (lines == 0 && r->pairs_differ)
		return rules_replace(r);
	if (lines <= 0)
		return lines;
	log_error("rules or routes were changed by somebody else (%s): they "
		  "are put back",
		  first.text);
	stats_add(r->stats, NET_REINSTALLED, 1);
	return rules_replace(r);
}

void rules_alive(struct rules *r, bool alive, bool account)
{
	int rc = 0;

	r->alive = alive;
	if (rules_wished(r) && !r->installed)
		rc = put_in_place(r);
	if (rules_wished(r) && rc == 0)
		rc = keep_in_place(r);
	if (rc == 0)
		r->trouble[0] = '\0';
	account_keep(&r->account, account);
	rules_publish(r);
}

/* --- taken away ----------------------------------------------------------------------------- */

static int take_away(struct rules *r)
{
	int rc = nft_remove(r->nft);

	if (rc != 0) {
		trouble(r, "rules can't be removed: %s", nft_error(r->nft));
		return rc;
	}
	r->installed = false;
	rc = route_remove();
	if (rc != 0)
		trouble(r, "routes can't be removed: %s", strerror(-rc));
	else
		log_info("rules are removed");
	return rc;
}

/* A record of early demux is the first to come and the last to go. */
static bool has_leftovers(const struct rules *r)
{
	return access(r->record, F_OK) == 0;
}

void rules_end(struct rules *r)
{
	/* What can't be removed was logged. */
	if (r->installed || rules_wished(r) || has_leftovers(r))
		(void)take_away(r);
	account_end(&r->account);
	rules_publish(r);
}

void rules_leave(struct rules *r)
{
	r->alive = false;
	if (r->installed && nft_alive_disarm(r->nft) != 0)
		log_error("the switch stays on until it expires: %s",
			  nft_error(r->nft));
	rules_publish(r);
}

bool rules_settled(struct rules *r, bool force)
{
	struct sockdiag_left left;
	int rc;

	if (r->installed || !has_leftovers(r))
		return true;
	rc = remove_leftovers(r, &left);
	/* Without an answer nobody knows better: a minute has to do. */
	if (!force &&
	    (rc != 0 || left.closing > 0 || left.time_wait > left.destroyed))
		return false;
	rc = earlydemux_restore(r->record);
	if (rc != 0)
		log_error("net.ipv4.ip_early_demux can't be restored: %s",
			  strerror(-rc));
	return true;
}

/* --- by hand --------------------------------------------------------------------------------- */

/* The configuration alone, where it says the same. */
static void ask(struct rules *r, enum asked_rules rules)
{
	bool wanted = rules_config(r)->intercept.install_rules;

	r->asked.rules = (rules == ASKED_INSTALL) == wanted ? ASKED_NOTHING
							    : rules;
	asked_save(&r->asked);
}

int rules_install(struct rules *r, struct strbuf *out)
{
	const struct config *c = rules_config(r);
	int rc;

	if (c->intercept.lan_count == 0 ||
	    (!config_intercepts(c) && !c->apps.enabled)) {
		strbuf_puts(out, "intercept.lan names nothing, or neither "
				 "intercept.http nor intercept.ftp does; set "
				 "them in the configuration and reload");
		return -EINVAL;
	}
	rc = rules_replace(r);
	if (rc != 0) {
		strbuf_puts(out, r->trouble);
		return rc;
	}
	ask(r, ASKED_INSTALL);
	r->trouble[0] = '\0';
	rules_publish(r);
	log_info("rules are installed by hand");
	return 0;
}

int rules_remove(struct rules *r, struct strbuf *out)
{
	int rc = take_away(r);

	if (rc != 0) {
		strbuf_puts(out, r->trouble);
		return rc;
	}
	ask(r, ASKED_REMOVE);
	r->trouble[0] = '\0';
	rules_publish(r);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

static struct pairs *make_pairs(void)
{
	struct siphash_key secret;

	if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return NULL;
	return pairs_new(&secret);
}

int rules_open(struct rules *r, struct config_ref *config, struct stats *stats)
{
	memset(r, 0, sizeof(*r));
	r->config = config_ref_get(config);
	r->stats = stats;
	r->cookies = cookies_sent();
	snprintf(r->record, sizeof(r->record), "%s/net/early_demux",
		 config->config->run_dir);
	account_open(&r->account, config->config->run_dir);
	asked_load(&r->asked, config->config->run_dir);
	r->nft = nft_open();
	if (r->nft == NULL) {
		log_error("nftables can't be reached: %s", strerror(errno));
		return -errno;
	}
	r->pairs = make_pairs();
	if (r->pairs == NULL) {
		log_error("no memory for pairs of clients and FTP servers");
		return -ENOMEM;
	}
	held_load(&r->held, r->nft);
	ask_for_queue(r);
	look_at_policy(r);
	if (rules_rebuild(r) != 0)
		return -errno;
	/* Of a run that crashed, and now they aren't wished any more. */
	if (!rules_wished(r) && has_leftovers(r))
		(void)take_away(r);
	rules_publish(r);
	return 0;
}

void rules_close(struct rules *r)
{
	nft_close(r->nft);
	pairs_free(r->pairs);
	free(r->wanted);
	config_ref_put(r->config);
}

int rules_reload(struct rules *r, struct config_ref *config)
{
	bool before = rules_config(r)->intercept.install_rules;
	bool now = config->config->intercept.install_rules;
	struct first_line first = {.lines = 0};
	struct ruleset *fresh;

	held_add(&r->held, &rules_config(r)->intercept);
	fresh = build(r, config->config);
	if (fresh == NULL)
		return -errno; /* the old rules stay */
	config_ref_put(r->config);
	r->config = config_ref_get(config);
	free(r->wanted);
	r->wanted = fresh;
	look_at_policy(r);
	/* A word of the file that is new stands above one by hand. */
	if (before != now && r->asked.rules != ASKED_NOTHING) {
		r->asked.rules = ASKED_NOTHING;
		asked_save(&r->asked);
	}
	if (!rules_wished(r))
		return r->installed ? take_away(r) : 0;
	if (r->installed && compare(r, &first) != 0)
		return rules_replace(r);
	return 0; /* put in place within a second, if it isn't */
}
