// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/config.h"

#include <stddef.h>

const struct config_service *config_service(const struct config *c,
					    enum config_protocol protocol,
					    enum config_mode mode)
{
	for (uint32_t i = 0; i < c->service_count; i++)
		if (c->services[i].protocol == protocol &&
		    c->services[i].mode == mode)
			return &c->services[i];
	return NULL;
}

bool config_intercepts(const struct config *c)
{
	return c->intercept.http_count > 0 || c->intercept.ftp_count > 0;
}

static bool has(const struct ip_net *nets, uint32_t count,
		const struct ip_addr *addr)
{
	for (uint32_t i = 0; i < count; i++)
		if (ip_net_contains(&nets[i], addr))
			return true;
	return false;
}

enum config_delivery config_delivery_mode(const struct config *c,
					  const struct ip_addr *client)
{
	const struct config_delivery_options *d = &c->delivery;

	if (has(d->hold_clients, d->hold_clients_count, client))
		return DELIVERY_HOLD;
	if (has(d->progress_clients, d->progress_clients_count, client))
		return DELIVERY_PROGRESS;
	if (has(d->tail_clients, d->tail_clients_count, client))
		return DELIVERY_TAIL;
	return d->mode;
}
