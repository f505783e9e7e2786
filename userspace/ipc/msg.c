// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/msg.h"

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_PARENT] = "sluiced", [ROLE_NET] = "net",
	[ROLE_SCAN] = "scan",	   [ROLE_LOG] = "log",
	[ROLE_APP] = "app",	   [ROLE_RESOLVE] = "resolve",
	[ROLE_RELAY] = "relay",
};

const char *role_name(enum role_id role)
{
	return role < ROLE_COUNT ? role_names[role] : "?";
}
