// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linked into the sluiced of tests/netns/resolve_test.sh, in the place of
 * userspace/conf/needs.c: no service of this version needs the resolve role.
 */
#include "conf/config.h"

bool config_needs_resolver(const struct config *c)
{
	(void)c;
	return true;
}
