// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/bypass.h"

#include <errno.h>
#include <stdlib.h>

/* The kernel's set that @net belongs in, as it should be. */
static struct ruleset_set *set_of(struct rules *r, enum ruleset_bypass list,
				  const struct ip_net *net)
{
	return &r->wanted->sets[ruleset_bypass_set(list, net)];
}

/* Why @net can't be added, or 0. */
static int refuse(struct rules *r, enum ruleset_bypass list,
		  const struct ip_net *net, struct strbuf *out)
{
	const struct ip_net *other =
		ruleset_set_overlap(set_of(r, list, net), net);
	char text[IP_TEXT_MAX];

	if (net->prefix == 0) {
		strbuf_puts(out, "a bypass for everything is: sluicectl rules "
				 "remove");
		return -EINVAL;
	}
	if (other == NULL)
		return 0;
	strbuf_printf(out, "it shares addresses with %s, which is in the list",
		      ip_net_format(other, text, sizeof(text)));
	return -EEXIST;
}

/*
 * @rc of a change in the kernel: without our table there is nothing to change;
 * whatever else went wrong, all of it in one transaction has to do.
 */
static int mend(struct rules *r, int rc)
{
	if (rc == 0 || rc == -ENOENT)
		return 0;
	return rules_replace(r);
}

int bypass_add(struct rules *r, enum ruleset_bypass list,
	       const struct ip_net *net, struct strbuf *out)
{
	int rc = refuse(r, list, net, out);

	if (rc != 0)
		return rc;
	rc = asked_add(&r->asked, list, net);
	if (rc != 0) {
		strbuf_printf(out,
			      "the list has %u entries of run time, which "
			      "is all it can have; put them into the "
			      "configuration",
			      ASKED_BYPASSES);
		return rc;
	}
	rc = rules_rebuild(r);
	if (rc == 0 && r->installed)
		rc = mend(r, nft_bypass_add(r->nft, list, net));
	if (rc != 0) {
		strbuf_puts(out, nft_error(r->nft));
		(void)asked_delete(&r->asked, list, net);
		(void)!rules_rebuild(r); /* without memory the old one stays */
		return rc;
	}
	asked_save(&r->asked);
	rules_publish(r);
	return 0;
}

/* Whether the configuration has exactly @net. */
static bool configured(const struct rules *r, enum ruleset_bypass list,
		       const struct ip_net *net)
{
	const struct config_intercept *ic = &rules_config(r)->intercept;
	const struct ip_net *nets = list == BYPASS_SERVERS ? ic->bypass_servers
							   : ic->bypass_clients;
	uint32_t count = list == BYPASS_SERVERS ? ic->bypass_servers_count
						: ic->bypass_clients_count;

	for (uint32_t i = 0; i < count; i++)
		if (nets[i].prefix == net->prefix &&
		    ip_addr_equal(&nets[i].addr, &net->addr))
			return true;
	return false;
}

int bypass_delete(struct rules *r, enum ruleset_bypass list,
		  const struct ip_net *net, struct strbuf *out)
{
	uint32_t before = set_of(r, list, net)->count;
	int rc = asked_delete(&r->asked, list, net);

	if (rc != 0) {
		strbuf_puts(out,
			    configured(r, list, net)
				    ? "it is in the configuration; take it "
				      "out there and reload"
				    : "there is no such entry (sluicectl "
				      "bypass list shows them)");
		return rc;
	}
	asked_save(&r->asked);
	rc = rules_rebuild(r);
	/* One that parts of the configuration lay in leaves them behind. */
	if (rc == 0 && r->installed)
		rc = set_of(r, list, net)->count + 1 == before
			     ? mend(r, nft_bypass_del(r->nft, list, net))
			     : rules_replace(r);
	if (rc != 0)
		strbuf_puts(out, nft_error(r->nft));
	rules_publish(r);
	return rc;
}

static void list_nets(const struct ip_net *nets, uint32_t count,
		      enum ruleset_bypass list, struct strbuf *out)
{
	char text[IP_TEXT_MAX];

	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(out, "%s %s configuration\n", asked_side(list),
			      ip_net_format(&nets[i], text, sizeof(text)));
}

void bypass_list(const struct rules *r, struct strbuf *out)
{
	const struct config_intercept *ic = &rules_config(r)->intercept;
	char text[IP_TEXT_MAX];

	list_nets(ic->bypass_clients, ic->bypass_clients_count, BYPASS_CLIENTS,
		  out);
	list_nets(ic->bypass_servers, ic->bypass_servers_count, BYPASS_SERVERS,
		  out);
	for (uint32_t i = 0; i < r->asked.count; i++) {
		const struct asked_bypass *b = &r->asked.bypasses[i];

		strbuf_printf(out, "%s %s run-time\n", asked_side(b->list),
			      ip_net_format(&b->net, text, sizeof(text)));
	}
}
