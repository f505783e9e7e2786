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
