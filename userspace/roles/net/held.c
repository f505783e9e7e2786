// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/held.h"

#include <string.h>

static bool has(const struct ruleset_held *h, uint16_t port)
{
	for (uint32_t i = 0; i < h->count; i++)
		if (h->ports[i] == port)
			return true;
	return false;
}

void held_load(struct ruleset_held *h, struct nft *nft)
{
	int n = nft_held_ports(nft, h->ports, RULESET_HELD);

	h->count = n > 0 ? (uint32_t)n : 0;
	h->ftp = nft_has_set(nft, SET_PAIRS4);
}

/* Without room the oldest goes. */
static void add_ports(struct ruleset_held *h, const uint16_t *ports,
		      uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (has(h, ports[i]))
			continue;
		if (h->count == RULESET_HELD)
			memmove(h->ports, h->ports + 1,
				--h->count * sizeof(h->ports[0]));
		h->ports[h->count++] = ports[i];
	}
}

void held_add(struct ruleset_held *h, const struct config_intercept *config)
{
	add_ports(h, config->http, config->http_count);
	add_ports(h, config->ftp, config->ftp_count);
	h->ftp = h->ftp || config->ftp_count > 0;
}
