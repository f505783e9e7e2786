// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/resolve/relays.h"

#include <errno.h>
#include <string.h>

#include "proto/hostname.h"

/* --- questions and answers ------------------------------------------------------- */

/* Not taken, it is asked again on a new channel, or its time ends there. */
static void on_told(struct asker *a, const struct msg_resolved *answer)
{
	struct relays_relay *relay = list_entry(a, struct relays_relay, asker);
	struct relays *r = relay->chan.user;

	if (chan_send(&relay->chan, MSG_RESOLVED, answer, sizeof(*answer)) !=
		    0 &&
	    log_limit_pass(&r->slow, relay->role->loop.now_ms))
		log_warn("relay/%u does not take its answers", relay->index);
}

void relays_show_servers(struct relays *r)
{
	char servers[256];

	dns_servers(r->dns, servers, sizeof(servers));
	stats_note(r->list[0].role->stats, "name servers: %s",
		   servers[0] != '\0' ? servers : "none");
}

static void look_at_files(struct relays *r)
{
	if (!dns_watch(r->dns))
		return;
	questions_forget_answers(r->questions);
	relays_show_servers(r);
	stats_add(r->list[0].role->stats, RESOLVE_RELOADS, 1);
	log_info("%s or %s changed: read again", DNS_RESOLV_CONF, DNS_HOSTS);
}

static int on_resolve(struct chan *ch, const struct chan_msg *m)
{
	struct relays_relay *relay = list_entry(ch, struct relays_relay, chan);
	struct relays *r = ch->user;
	const struct msg_resolve *msg = m->body;
	size_t len = strnlen(msg->name, sizeof(msg->name));

	if (len == sizeof(msg->name) ||
	    !hostname_is_plain((struct str){msg->name, len}))
		return -EPROTO;
	look_at_files(r);
	questions_ask(r->questions, &relay->asker, msg->id, msg->name);
	return 0;
}

static const struct chan_rule rules[] = {
	{MSG_RESOLVE, sizeof(struct msg_resolve), 0, 0, 0, on_resolve},
};

/* --- channels -------------------------------------------------------------------- */

static void on_closed(struct chan *ch, const char *violation)
{
	struct relays_relay *relay = list_entry(ch, struct relays_relay, chan);

	asker_forget(&relay->asker);
	if (violation != NULL)
		role_report_violation(relay->role, ROLE_RELAY, relay->index,
				      violation);
}

static const struct chan_ops ops = {
	.rules = rules,
	.nrules = sizeof(rules) / sizeof(rules[0]),
	.closed = on_closed,
};

void relays_init(struct relays *r, struct role *role, struct dns *dns,
		 struct questions *questions)
{
	r->dns = dns;
	r->questions = questions;
	for (uint32_t i = 0; i < CONFIG_RELAYS; i++) {
		r->list[i].role = role;
		r->list[i].index = i;
		asker_init(&r->list[i].asker, on_told);
		chan_init(&r->list[i].chan, &role->loop, &ops, r);
	}
}

int relays_connect(struct relays *r, uint32_t index, int fd)
{
	struct relays_relay *relay = &r->list[index];

	/* It asks anew. */
	asker_forget(&relay->asker);
	chan_close(&relay->chan);
	return chan_open(&relay->chan, fd);
}

void relays_close(struct relays *r)
{
	for (uint32_t i = 0; i < CONFIG_RELAYS; i++) {
		asker_forget(&r->list[i].asker);
		chan_close(&r->list[i].chan);
	}
}
