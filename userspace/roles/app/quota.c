// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/app/quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/netlink.h>

#include "base/units.h"
#include "ipc/usage.h"
#include "render/ruleset_policy.h"
#include "sys/log.h"
#include "sys/memfile.h"
#include "sys/nft_clients.h"

#define US_A_SECOND INT64_C(1000000)
#define SWEEP_MS    60000
#define SAID_MAX    10 /* lines a second about clients */
#define ANSWER_ROWS ((MSG_MAX - 256) / sizeof(struct msg_quota))

static int64_t now_s(const struct quota *q)
{
	return (int64_t)q->role->loop.clock->wall_us() / US_A_SECOND;
}

static const struct app_policy *policy_of(const struct quota *q)
{
	return &q->role->config->config->policy;
}

static const struct app_rule *meter_rule(const struct quota *q,
					 unsigned int meter)
{
	const struct app_rule *rule = app_policy_meter(policy_of(q), meter);

	return rule != NULL && rule->action == APP_QUOTA ? rule : NULL;
}

/* The rule that @sum is of, if it is of the period at hand. */
static const struct app_rule *rule_of_sum(const struct quota *q,
					  const struct quota_sum *sum)
{
	for (unsigned int m = 1; m <= APP_METERS; m++) {
		const struct app_rule *rule = meter_rule(q, m);

		if (rule != NULL && rule->subject == sum->subject &&
		    q->periods[m].start == sum->start_s)
			return rule;
	}
	return NULL;
}

/* --- the kernel's sets ---------------------------------------------------------------- */

static const char *set_name(const struct app_rule *rule,
			    const struct ip_addr *client)
{
	return ruleset_meter_set_name(rule->meter, client->family == AF_INET6
							   ? METER_OVER6
							   : METER_OVER4);
}

static uint64_t time_left_ms(const struct quota *q, const struct app_rule *rule)
{
	int64_t left = q->periods[rule->meter].end - now_s(q);

	return left > 0 ? (uint64_t)left * 1000 : 1;
}

static bool is_over(const struct quota_sum *sum, const struct app_rule *rule)
{
	return sum->bytes >= rule->amount;
}

/* All of @rule's clients of @family that are over. */
static int fill(struct quota *q, const struct app_rule *rule, uint8_t family,
		struct nft_client *list)
{
	const struct ip_addr any = {.family = family};
	struct quota_sum sum;
	size_t count = 0;

	for (uint32_t at = quota_table_next(q->table, 0, &sum); at != 0;
	     at = quota_table_next(q->table, at, &sum)) {
		if (sum.client.family != family ||
		    rule_of_sum(q, &sum) != rule || !is_over(&sum, rule))
			continue;
		list[count].addr = sum.client;
		list[count++].timeout_ms = time_left_ms(q, rule);
	}
	return nft_clients_replace(&q->nl, set_name(rule, &any), list, count);
}

static int fill_all(struct quota *q)
{
	struct nft_client *list = calloc(QUOTA_SLOTS, sizeof(*list));
	int rc = list != NULL ? 0 : -ENOMEM;

	for (unsigned int m = 1; m <= APP_METERS && rc == 0; m++) {
		const struct app_rule *rule = meter_rule(q, m);

		if (rule == NULL)
			continue;
		rc = fill(q, rule, AF_INET, list);
		if (rc == 0)
			rc = fill(q, rule, AF_INET6, list);
	}
	free(list);
	return rc;
}

static void netlink_failed(struct quota *q, int rc)
{
	q->stale = true;
	/* The net role puts the rules in place, or has not yet. */
	if (rc == -ENOENT)
		return;
	log_warn("quotas: the kernel's sets: %s; tried again", strerror(-rc));
	netlink_close(&q->nl);
	q->nl_open = false;
}

/*
 * Rules that were replaced have empty sets, which the number of their table
 * shows, looked at before they are filled: so one that comes meanwhile is
 * noticed the next time.
 */
static void keep_filled(struct quota *q)
{
	uint64_t handle;
	int rc;

	if (!q->nl_open && netlink_open(&q->nl, NETLINK_NETFILTER) != 0)
		return;
	q->nl_open = true;
	rc = nft_table_handle(&q->nl, &handle);
	if (rc == 0 && handle == q->handle && !q->stale)
		return;
	if (rc == 0)
		rc = fill_all(q);
	if (rc != 0) {
		netlink_failed(q, rc);
		return;
	}
	q->handle = handle;
	q->stale = false;
}

/* --- sums ------------------------------------------------------------------------------ */

static void say_used_up(struct quota *q, const struct app_rule *rule,
			const struct ip_addr *client)
{
	char subject[APP_SUBJECT_TEXT], amount[UNITS_TEXT_MAX];
	char addr[IP_TEXT_MAX];

	if (q->said++ >= SAID_MAX)
		return;
	units_format_size(amount, sizeof(amount), rule->amount);
	log_info("quota: %s has used up %s of %s a %s: %s until it ends",
		 ip_addr_format(client, addr, sizeof(addr)), amount,
		 app_subject_text(rule->subject, subject),
		 period_name(rule->period),
		 rule->then == APP_THEN_BLOCK ? "blocked" : "limited");
}

static void used_up(struct quota *q, const struct app_rule *rule,
		    const struct ip_addr *client)
{
	struct nft_client c = {.addr = *client,
			       .timeout_ms = time_left_ms(q, rule)};
	int rc = 0;

	say_used_up(q, rule, client);
	if (q->stale || !q->nl_open)
		return; /* all of them go in at the next tick */
	rc = nft_clients_add(&q->nl, set_name(rule, client), &c);
	if (rc != 0)
		netlink_failed(q, rc);
}

static bool is_at_hand(const struct quota_sum *sum, void *arg)
{
	return rule_of_sum(arg, sum) != NULL;
}

/* Sums of periods that are over, and of rules that are gone. */
static bool make_room(struct quota *q)
{
	if (q->role->loop.now_ms < q->sweep_ms)
		return false;
	q->sweep_ms = q->role->loop.now_ms + SWEEP_MS;
	return quota_table_sweep(q->table, is_at_hand, q) > 0;
}

void quota_add(struct quota *q, const struct usage *u)
{
	const struct app_rule *rule;
	struct quota_sum add;
	uint64_t before, after;
	int rc;

	if (q->table == NULL || u->client.family == 0 || u->app > APP_ID_MAX)
		return;
	rule = q->rules[u->app];
	if (rule == NULL)
		return;
	memset(&add, 0, sizeof(add));
	add.client = u->client;
	add.subject = rule->subject;
	add.start_s = q->periods[rule->meter].start;
	add.bytes = u->bytes;
	rc = quota_table_add(q->table, &add, &before, &after);
	if (rc != 0 && make_room(q))
		rc = quota_table_add(q->table, &add, &before, &after);
	if (rc != 0)
		q->lost++;
	else if (before < rule->amount && after >= rule->amount)
		used_up(q, rule, &u->client);
}

/* --- periods and rules ------------------------------------------------------------------ */

static void look_at_periods(struct quota *q)
{
	int64_t now = now_s(q);

	for (unsigned int m = 1; m <= APP_METERS; m++) {
		const struct app_rule *rule = meter_rule(q, m);
		struct period *p = &q->periods[m];

		if (rule == NULL || (now >= p->start && now < p->end))
			continue;
		/* The sets' elements end by themselves; a clock that was set
		 * back wants them filled again. */
		if (period_of(rule->period, now, localtime_r, p))
			q->stale = true;
	}
}

static void look_at_rules(struct quota *q)
{
	const struct app_policy *p = policy_of(q);

	q->count = 0;
	for (unsigned int m = 1; m <= APP_METERS; m++)
		q->count += meter_rule(q, m) != NULL;
	for (unsigned int id = 0; id <= APP_ID_MAX; id++) {
		const struct app_rule *rule = app_policy_rule(p, id);

		q->rules[id] = rule != NULL && rule->action == APP_QUOTA ? rule
									 : NULL;
	}
	memset(q->periods, 0, sizeof(q->periods));
	look_at_periods(q);
	q->stale = true;
	if (q->count > 0 &&
	    q->role->config->config->apps.counters == COUNTERS_NONE)
		log_warn("quotas have no effect: bytes are not counted "
			 "(apps.counters = none)");
}

void quota_tick(struct quota *q)
{
	if (q->table == NULL || q->count == 0)
		return;
	if (q->said > SAID_MAX)
		log_info("quota: %u more clients have used up theirs",
			 q->said - SAID_MAX);
	q->said = 0;
	look_at_periods(q);
	keep_filled(q);
	if (q->lost > 0 && q->role->loop.now_ms >= q->sweep_ms) {
		log_warn("quotas: the table of %u sums is full: %llu times "
			 "something was not counted, and passes",
			 QUOTA_SLOTS, (unsigned long long)q->lost);
		q->lost = 0;
		(void)make_room(q);
	}
}

void quota_reloaded(struct quota *q)
{
	if (q->table == NULL)
		return;
	look_at_rules(q);
	quota_tick(q);
}

/* --- for a person ------------------------------------------------------------------------ */

static void answer_part(struct quota *q, uint32_t request, bool last,
			const struct msg_quota *rows, size_t count)
{
	const struct msg_sessions msg = {.request = request, .last = last};

	/* A parent that doesn't listen asks again. */
	(void)!chan_send_full(&q->role->parent, MSG_QUOTAS_NOW, &msg,
			      sizeof(msg), rows, count * sizeof(*rows), NULL,
			      0);
}

void quota_answer(struct quota *q, uint32_t request)
{
	static struct msg_quota rows[ANSWER_ROWS];
	struct quota_sum sum;
	size_t count = 0;
	uint32_t at = 0;

	while (q->table != NULL &&
	       (at = quota_table_next(q->table, at, &sum)) != 0) {
		const struct app_rule *rule = rule_of_sum(q, &sum);

		if (rule == NULL)
			continue;
		memset(&rows[count], 0, sizeof(rows[count]));
		rows[count].client = sum.client;
		rows[count].subject = sum.subject;
		rows[count].over = is_over(&sum, rule);
		rows[count].bytes = sum.bytes;
		rows[count].amount = rule->amount;
		rows[count++].until_s = q->periods[rule->meter].end;
		if (count < ANSWER_ROWS)
			continue;
		answer_part(q, request, false, rows, count);
		count = 0;
	}
	answer_part(q, request, true, rows, count);
}

/* --- life ---------------------------------------------------------------------------------- */

static void say_found(const struct quota_found *found)
{
	if (found->foreign)
		log_error("quotas: " QUOTA_FILE " in state_dir is no file of "
			  "this version: it is begun anew, and so are all "
			  "quotas");
	else if (found->damaged > 0)
		log_error("quotas: %u sums in " QUOTA_FILE " of state_dir were "
			  "damaged: these clients begin anew",
			  found->damaged);
	if (found->sums > 0)
		log_info("quotas: %u sums go on", found->sums);
}

void quota_open(struct quota *q, struct role *role,
		const struct siphash_key *secret)
{
	struct quota_found found = {0};

	q->role = role;
	tzset(); /* while /etc can be read */
	if (role->cache_fd == -1)
		return; /* the parent said why */
	q->memory = memfile_map_shared(role->cache_fd, QUOTA_SIZE);
	if (q->memory != NULL)
		q->table =
			quota_table_new(q->memory, QUOTA_SIZE, secret, &found);
	if (q->table == NULL) {
		log_error("no quotas: %s", strerror(errno));
		return;
	}
	say_found(&found);
	look_at_rules(q);
}

void quota_close(struct quota *q)
{
	netlink_close(&q->nl);
	quota_table_free(q->table);
	if (q->memory != NULL)
		memfile_unmap(q->memory, QUOTA_SIZE);
	q->table = NULL;
	q->memory = NULL;
}
