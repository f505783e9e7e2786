// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/policy_json.h"

#include <json-c/json.h>

#include "ipc/usage.h"
#include "roles/sluiced/conn.h"

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void add_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

/* Keys as in policy.conf; those that the action has no use for are left out. */
static struct json_object *rule_json(const struct app_rule *rule)
{
	struct json_object *o = json_object_new_object();
	char subject[APP_SUBJECT_TEXT];
	bool quota = rule->action == APP_QUOTA;

	add_text(o, "app", app_subject_text(rule->subject, subject));
	add_text(o, "action", app_action_name(rule->action));
	if (rule->rate != 0)
		add_number(o, "rate", rule->rate);
	if (rule->action == APP_LIMIT)
		add_text(o, "per", app_per_name(rule->per));
	if (!quota)
		return o;
	add_number(o, "amount", rule->amount);
	add_text(o, "period", period_name(rule->period));
	add_text(o, "then", app_then_name(rule->then));
	return o;
}

void policy_json_rules(struct conn *conn, const struct config *config)
{
	for (uint32_t i = 0; i < config->policy.count; i++)
		conn_put(conn, rule_json(&config->policy.rules[i]));
}

struct json_object *policy_json_quota(const struct msg_quota *q)
{
	struct json_object *o = json_object_new_object();
	char subject[APP_SUBJECT_TEXT], client[IP_TEXT_MAX];
	char until[USAGE_TIME_TEXT];

	add_text(o, "app", app_subject_text(q->subject, subject));
	add_text(o, "client",
		 ip_addr_format(&q->client, client, sizeof(client)));
	add_number(o, "used", q->bytes);
	add_number(o, "amount", q->amount);
	json_object_object_add(o, "over",
			       json_object_new_boolean(q->over != 0));
	add_text(o, "until", usage_time_text((uint64_t)q->until_s, until));
	return o;
}
