// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Apart from config.c, so that tests/netns/resolve_test.sh can link a sluiced
 * that starts the resolve role before there is a service that needs it.
 */
#include "conf/config.h"

bool config_needs_resolver(const struct config *c)
{
	for (uint32_t i = 0; i < c->service_count; i++)
		if (c->services[i].mode == MODE_FORWARD)
			return true;
	return false;
}
