// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/marks.h"
#include "render/nft_text.h"
#include "roles/net/bypass.h"
#include "sys/log.h"
#include "sys/route.h"

#define ANSWER_PIECE (MSG_MAX - 256)

/* --- show, diff ----------------------------------------------------------------------- */

static int show(struct rules *r, struct strbuf *out)
{
	struct nft_counter counters[RULESET_CHAINS * RULESET_RULES];
	int n = nft_counters(r->nft, counters,
			     sizeof(counters) / sizeof(counters[0]));

	if (n < 0 && n != -ENOENT) {
		strbuf_puts(out, nft_error(r->nft));
		return n;
	}
	nft_text_ruleset(out, r->wanted);
	if (n < 0) {
		strbuf_puts(out, "# not in place\n");
		return 0;
	}
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

static int diff(struct rules *r, struct strbuf *out, bool *differ)
{
	int rules = nft_diff(r->nft, r->wanted, add_line, out);
	int routes;

	if (rules < 0) {
		out->len = 0;
		strbuf_puts(out, nft_error(r->nft));
		return rules;
	}
	routes = route_diff(add_line, out);
	if (routes < 0) {
		out->len = 0;
		strbuf_printf(out, "routes can't be read: %s",
			      strerror(-routes));
		return routes;
	}
	*differ = rules + routes > 0;
	return 0;
}

/* --- dry runs --------------------------------------------------------------------------- */

/* As comments, so that `nft -f` reads the whole. */
static void plan_install(struct rules *r, struct strbuf *out)
{
	nft_text_ruleset(out, r->wanted);
	if (!r->wanted->intercepts)
		return;
	strbuf_printf(out,
		      "# IPv4 and IPv6:\n"
		      "# ip rule add priority %u nop\n"
		      "# ip rule add priority %u fwmark 0x%x/0x%x iif lo goto "
		      "%u\n"
		      "# ip rule add priority %u fwmark 0x%x/0x%x lookup %u\n"
		      "# ip route add local default dev lo table %u\n"
		      "# net.ipv4.ip_early_demux = 0\n",
		      ROUTE_PRIORITY + 1, ROUTE_PRIORITY - 1, MARK_DIVERT,
		      MARK_DIVERT, ROUTE_PRIORITY + 1, ROUTE_PRIORITY,
		      MARK_DIVERT, MARK_DIVERT, ROUTE_TABLE, ROUTE_TABLE);
}

static int plan_remove(struct rules *r, struct strbuf *out)
{
	struct nft_counter one;
	int n = nft_counters(r->nft, &one, 1);

	if (n < 0 && n != -ENOENT) {
		strbuf_puts(out, nft_error(r->nft));
		return n;
	}
	strbuf_puts(out, n < 0 ? "# there is no table inet " RULESET_TABLE "\n"
			       : "delete table inet " RULESET_TABLE "\n");
	if (!r->wanted->intercepts)
		return 0;
	strbuf_printf(out,
		      "# IPv4 and IPv6:\n"
		      "# ip rule del priority %u\n"
		      "# ip rule del priority %u\n"
		      "# ip rule del priority %u\n"
		      "# ip route flush table %u\n"
		      "# net.ipv4.ip_early_demux as it was\n",
		      ROUTE_PRIORITY, ROUTE_PRIORITY - 1, ROUTE_PRIORITY + 1,
		      ROUTE_TABLE);
	return 0;
}

/* --- the answer --------------------------------------------------------------------------- */

static int run(struct rules *r, const struct msg_rules *msg, struct strbuf *out,
	       bool *differ)
{
	enum ruleset_bypass list = msg->servers ? BYPASS_SERVERS
						: BYPASS_CLIENTS;

	switch (msg->op) {
	case RULES_SHOW:
		return show(r, out);
	case RULES_DIFF:
		return diff(r, out, differ);
	case RULES_INSTALL:
		return rules_install(r, out);
	case RULES_REMOVE:
		return rules_remove(r, out);
	case RULES_PLAN_INSTALL:
		plan_install(r, out);
		return 0;
	case RULES_PLAN_REMOVE:
		return plan_remove(r, out);
	case RULES_BYPASS_ADD:
		return bypass_add(r, list, &msg->net, out);
	case RULES_BYPASS_DELETE:
		return bypass_delete(r, list, &msg->net, out);
	default:
		bypass_list(r, out);
		return 0;
	}
}

/* In as many messages as it takes. */
static void send_text(struct chan *parent, struct msg_text *head,
		      const struct strbuf *text)
{
	size_t sent = 0;

	do {
		size_t n = text->len - sent;

		if (n > ANSWER_PIECE)
			n = ANSWER_PIECE;
		head->last = sent + n == text->len;
		if (chan_send_full(parent, MSG_TEXT, head, sizeof(*head),
				   text->data + sent, n, NULL, 0) != 0) {
			log_error("an answer does not fit the channel");
			return;
		}
		sent += n;
	} while (sent < text->len);
}

int answer_rules(struct rules *r, struct chan *parent,
		 const struct msg_rules *msg)
{
	struct msg_text head = {.request = msg->request};
	bool differ = false;
	struct strbuf text;
	char *memory;

	if (msg->op >= RULES_OP_COUNT)
		return -EPROTO;
	memory = malloc(NFT_TEXT_MAX);
	strbuf_init(&text, memory, memory != NULL ? NFT_TEXT_MAX : 0);
	head.status = memory != NULL ? run(r, msg, &text, &differ) : -ENOMEM;
	head.differ = differ;
	send_text(parent, &head, &text);
	free(memory);
	return 0;
}
