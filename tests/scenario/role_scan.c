// SPDX-License-Identifier: GPL-2.0-or-later
#include "role_scan.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "sim_disk.h"

void role_scan_init(struct role_scan *scan)
{
	*scan = (struct role_scan){.verdict = VERDICT_CLEAN, .name = ""};
	list_init(&scan->waiting);
	list_init(&scan->judged);
	role_shelf_init(&scan->shelf);
}

static void object_free(struct scan_object *o)
{
	bytes_free(&o->content);
	free(o);
}

static void drop_all(struct list *objects)
{
	struct list *node;

	while ((node = list_pop(objects)) != NULL)
		object_free(list_entry(node, struct scan_object, node));
}

void role_scan_die(struct role_scan *scan)
{
	if (scan->chan != NULL)
		chan_leave(scan->chan);
	scan->chan = NULL;
	drop_all(&scan->waiting);
	role_shelf_clear(&scan->shelf);
}

void role_scan_close(struct role_scan *scan)
{
	role_scan_die(scan);
	drop_all(&scan->judged);
	free(scan->cache);
}

/* --- the relay's messages ------------------------------------------- */

static void take(struct role_scan *scan, const struct sim_packet *p)
{
	struct scan_object *o = must_alloc(sizeof(*o));

	memcpy(&o->asked, bytes_head(&p->bytes) + sizeof(struct msg_header),
	       sizeof(o->asked));
	list_add_tail(&scan->waiting, &o->node);
	sim_disk_read(sim_disk_of(p->files[0]), &o->content, SIZE_MAX, 0);
	if (bytes_len(&o->content) != o->asked.size)
		problem("an object of %zu bytes came for a scan of %llu",
			bytes_len(&o->content),
			(unsigned long long)o->asked.size);
}

static void cancel(struct role_scan *scan, const struct sim_packet *p)
{
	struct list keep = LIST_INIT(keep);
	struct msg_scan_cancel msg;
	struct list *node;

	memcpy(&msg, bytes_head(&p->bytes) + sizeof(struct msg_header),
	       sizeof(msg));
	while ((node = list_pop(&scan->waiting)) != NULL) {
		struct scan_object *o =
			list_entry(node, struct scan_object, node);

		if (o->asked.id != msg.id) {
			list_add_tail(&keep, &o->node);
			continue;
		}
		scan->cancelled++;
		object_free(o);
	}
	list_splice_tail(&scan->waiting, &keep);
}

/* For ever: scenarios are over before the hour is. */
static void note_part(struct role_scan *scan, const struct msg_part *part)
{
	if (scan->cache != NULL)
		vcache_store_part(scan->cache, part, 0, UINT64_MAX);
}

static void part(struct role_scan *scan, const struct sim_packet *p)
{
	struct msg_part msg;

	memcpy(&msg, bytes_head(&p->bytes) + sizeof(struct msg_header),
	       sizeof(msg));
	note_part(scan, &msg);
}

static void hear(struct role_scan *scan, const struct sim_packet *p)
{
	struct msg_header header;

	memcpy(&header, bytes_head(&p->bytes), sizeof(header));
	if (header.type == MSG_SCAN && p->nfiles == 1)
		take(scan, p);
	else if (header.type == MSG_SCAN_CANCEL)
		cancel(scan, p);
	else if (header.type == MSG_PART)
		part(scan, p);
	else if (!role_shelf_hear(&scan->shelf, scan->chan, p))
		problem("the scan role got a message of type %u", header.type);
}

/* --- verdicts ------------------------------------------------------- */

void role_scan_remember(struct role_scan *scan)
{
	if (scan->cache != NULL)
		return;
	scan->cache = must_alloc(vcache_size());
	vcache_attach(scan->cache);
	vcache_set_ready(scan->cache, true);
}

/* As the dispatcher does: what is not scanned may be tried again. */
static void remember(struct role_scan *scan, const struct scan_object *o)
{
	const struct msg_scan *asked = &o->asked;
	struct vcache_entry entry = {scan->verdict, scan->reason, ""};
	struct str boundary = {asked->boundary, asked->boundary_len};
	uint8_t sha256[MSG_SHA256];

	if (scan->cache == NULL || scan->verdict == VERDICT_NOT_SCANNED)
		return;
	(void)str_copy(entry.name, sizeof(entry.name), scan->name);
	(void)EVP_Digest(bytes_head(&o->content), bytes_len(&o->content),
			 sha256, NULL, EVP_sha256(), NULL);
	vcache_store(scan->cache, sha256,
		     vcache_variant(&asked->codings, boundary), &entry);
	if (asked->remember_url && scan->verdict == VERDICT_BLOCKED)
		vcache_store_url(scan->cache, asked->url_key, UINT64_MAX,
				 &entry);
	if (asked->part.is.length > 0 && scan->verdict != VERDICT_BLOCKED)
		note_part(scan, &asked->part);
}

static void judge(struct role_scan *scan, struct scan_object *o)
{
	struct msg_scanned msg = {
		.id = o->asked.id,
		.verdict = scan->verdict,
		.reason = scan->reason,
	};

	(void)str_copy(msg.name, sizeof(msg.name), scan->name);
	chan_tell(scan->chan, MSG_SCANNED, &msg, sizeof(msg), NULL, 0);
	o->verdict = scan->verdict;
	remember(scan, o);
	list_add_tail(&scan->judged, &o->node);
}

bool role_scan_turn(struct role_scan *scan)
{
	struct sim_packet *p;
	struct list *node;
	bool progress = false;

	while (scan->chan != NULL && (p = chan_hear(scan->chan)) != NULL) {
		hear(scan, p);
		sim_packet_free(p);
		progress = true;
	}
	while (!scan->waits && (node = list_pop(&scan->waiting)) != NULL) {
		judge(scan, list_entry(node, struct scan_object, node));
		progress = true;
	}
	return progress;
}

/* Whether @content is in it somewhere, or at its end. */
static bool has_part(struct str object, struct str content, bool at_end)
{
	if (content.len > object.len)
		return false;
	if (at_end)
		return str_eq(str_from(object, object.len - content.len),
			      content);
	return str_has(object, content);
}

bool role_scan_found_clean_part(const struct role_scan *scan,
				struct str content, bool at_end)
{
	struct list *pos;

	list_for_each(pos, &scan->judged) {
		const struct scan_object *o =
			list_entry(pos, struct scan_object, node);

		if (o->verdict == VERDICT_CLEAN &&
		    has_part(bytes_str(&o->content), content, at_end))
			return true;
	}
	return false;
}

bool role_scan_found_clean(const struct role_scan *scan, struct str content,
			   bool whole)
{
	struct list *pos;

	list_for_each(pos, &scan->judged) {
		const struct scan_object *o =
			list_entry(pos, struct scan_object, node);

		if (o->verdict == VERDICT_CLEAN &&
		    str_starts(bytes_str(&o->content), content) &&
		    (!whole || bytes_len(&o->content) == content.len))
			return true;
	}
	return false;
}
