// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/shelf.h"

#include <string.h>
#include <unistd.h>

#include "policy/verdict.h"
#include "scan/job.h"
#include "sys/memfile.h"

/* --- places ---------------------------------------------------------------- */

static void count(struct shelf *sh)
{
	uint64_t items = 0, bytes = 0;

	for (size_t i = 0; i < SHELF_ITEMS; i++) {
		if (sh->item[i].fd == -1)
			continue;
		items++;
		bytes += sh->item[i].about.size;
	}
	stats_set(sh->stats, SCAN_SHELF_OBJECTS, items);
	stats_set(sh->stats, SCAN_SHELF_BYTES, bytes);
}

static void drop(struct shelf *sh, struct shelf_item *item)
{
	close(item->fd);
	item->fd = -1;
	if (item->in_memory)
		sh->memory -= item->about.size;
}

/* The one that goes next, or NULL. @in_memory: only of those. */
static struct shelf_item *oldest(struct shelf *sh, bool in_memory)
{
	struct shelf_item *found = NULL;

	for (size_t i = 0; i < SHELF_ITEMS; i++) {
		struct shelf_item *item = &sh->item[i];

		if (item->fd == -1 || (in_memory && !item->in_memory))
			continue;
		if (found == NULL || item->until_ms < found->until_ms)
			found = item;
	}
	return found;
}

static struct shelf_item *free_place(struct shelf *sh)
{
	struct shelf_item *item;

	for (size_t i = 0; i < SHELF_ITEMS; i++)
		if (sh->item[i].fd == -1)
			return &sh->item[i];
	item = oldest(sh, false);
	drop(sh, item);
	return item;
}

static void make_room(struct shelf *sh, uint64_t size)
{
	struct shelf_item *item;

	while (sh->memory > 0 && sh->memory + size > SHELF_MEMORY) {
		item = oldest(sh, true);
		drop(sh, item);
	}
}

/* --- time ------------------------------------------------------------------ */

static void rearm(struct shelf *sh)
{
	const struct shelf_item *item = oldest(sh, false);

	if (item != NULL)
		timer_arm(&sh->loop->wheel, &sh->timer, item->until_ms);
	else
		timer_cancel(&sh->loop->wheel, &sh->timer);
}

static void on_timer(struct timer *t, uint64_t now_ms)
{
	struct shelf *sh = list_entry(&t->node, struct shelf, timer.node);

	for (size_t i = 0; i < SHELF_ITEMS; i++)
		if (sh->item[i].fd != -1 && sh->item[i].until_ms <= now_ms)
			drop(sh, &sh->item[i]);
	count(sh);
	rearm(sh);
}

/* --- from outside ---------------------------------------------------------- */

void shelf_init(struct shelf *sh, struct loop *loop, struct stats *stats)
{
	memset(sh, 0, sizeof(*sh));
	sh->loop = loop;
	sh->stats = stats;
	timer_init(&sh->timer, on_timer);
	for (size_t i = 0; i < SHELF_ITEMS; i++)
		sh->item[i].fd = -1;
}

void shelf_close(struct shelf *sh)
{
	for (size_t i = 0; i < SHELF_ITEMS; i++)
		if (sh->item[i].fd != -1)
			drop(sh, &sh->item[i]);
	timer_cancel(&sh->loop->wheel, &sh->timer);
}

bool shelf_valid(const struct msg_shelve *msg, int fd)
{
	return (msg->verdict == VERDICT_CLEAN ||
		msg->verdict == VERDICT_NOT_SCANNED) &&
	       verdict_reason_valid(msg->reason) &&
	       memchr(msg->fields, '\0', sizeof(msg->fields)) != NULL &&
	       job_descriptor_valid(fd, msg->size);
}

void shelf_put(struct shelf *sh, const struct msg_shelve *msg, int fd)
{
	bool in_memory = memfile_sealed(fd);
	struct shelf_item *item;

	if (in_memory)
		make_room(sh, msg->size);
	item = free_place(sh);
	item->about = *msg;
	item->fd = fd;
	item->in_memory = in_memory;
	item->until_ms = sh->loop->now_ms + SHELF_KEEP_MS;
	if (in_memory)
		sh->memory += msg->size;
	count(sh);
	rearm(sh);
}

const struct shelf_item *shelf_find(const struct shelf *sh,
				    const struct msg_shelf_want *want)
{
	for (size_t i = 0; i < SHELF_ITEMS; i++) {
		const struct shelf_item *item = &sh->item[i];

		if (item->fd != -1 &&
		    memcmp(item->about.token, want->token, MSG_TOKEN) == 0 &&
		    ip_addr_equal(&item->about.client, &want->client))
			return item;
	}
	return NULL;
}
