// SPDX-License-Identifier: GPL-2.0-or-later
#include "role_shelf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "problem.h"
#include "sim_disk.h"

struct shelf_item {
	struct list node;
	struct msg_shelve about;
	struct sim_file *file; /* held */
};

void role_shelf_init(struct role_shelf *shelf)
{
	list_init(&shelf->items);
}

void role_shelf_clear(struct role_shelf *shelf)
{
	struct list *node;

	while ((node = list_pop(&shelf->items)) != NULL) {
		struct shelf_item *item =
			list_entry(node, struct shelf_item, node);

		sim_release(item->file);
		free(item);
	}
}

/* As scan/shelf.c has it: a descriptor of just that object. */
static void check(const struct msg_shelve *about, struct sim_file *file)
{
	const struct sim_disk_file *d = sim_disk_of(file);
	struct stat st;

	if (d == NULL || fstat(d->real, &st) == -1 ||
	    (uint64_t)st.st_size != about->size)
		problem("the shelf got something else than the object");
}

static void put(struct role_shelf *shelf, struct sim_chan *c,
		const struct sim_packet *p, const uint8_t *body)
{
	struct shelf_item *item = must_alloc(sizeof(*item));
	struct msg_shelved answer;

	memcpy(&item->about, body, sizeof(item->about));
	check(&item->about, p->files[0]);
	item->file = sim_hold(p->files[0]);
	list_add_tail(&shelf->items, &item->node);
	answer.id = item->about.id;
	chan_tell(c, MSG_SHELVED, &answer, sizeof(answer), NULL, 0);
}

static void give(const struct role_shelf *shelf, struct sim_chan *c,
		 const uint8_t *body)
{
	struct msg_shelf_want want;
	struct msg_shelve answer = {0};
	struct sim_file *file = NULL;
	const struct list *pos;

	memcpy(&want, body, sizeof(want));
	list_for_each(pos, &shelf->items) {
		const struct shelf_item *item =
			list_entry(pos, struct shelf_item, node);

		if (memcmp(item->about.token, want.token, MSG_TOKEN) != 0)
			continue;
		answer = item->about;
		file = item->file;
	}
	answer.id = want.id;
	chan_tell(c, MSG_SHELF_GIVE, &answer, sizeof(answer), &file,
		  file != NULL);
}

bool role_shelf_hear(struct role_shelf *shelf, struct sim_chan *c,
		     const struct sim_packet *p)
{
	struct msg_header header;
	const uint8_t *body = bytes_head(&p->bytes) + sizeof(header);

	memcpy(&header, bytes_head(&p->bytes), sizeof(header));
	if (header.type == MSG_SHELVE && p->nfiles == 1)
		put(shelf, c, p, body);
	else if (header.type == MSG_SHELF_WANT)
		give(shelf, c, body);
	else
		return false;
	return true;
}
