/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scan role's shelf: objects for clients that look at a page meanwhile. */
#ifndef SLUICE_TESTS_ROLE_SHELF_H
#define SLUICE_TESTS_ROLE_SHELF_H

#include "sim_chan.h"

struct role_shelf {
	struct list items;
};

void role_shelf_init(struct role_shelf *shelf);
void role_shelf_clear(struct role_shelf *shelf);
/* Answers @p on @c. False: it is no message for the shelf. */
bool role_shelf_hear(struct role_shelf *shelf, struct sim_chan *c,
		     const struct sim_packet *p);

#endif
