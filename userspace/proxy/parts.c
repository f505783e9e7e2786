// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client puts together out of several answers must be bytes of one
 * object, or nobody has scanned it (docs/adr/0016). A table in the verdict
 * cache says of a client and an URL how the object begins of which it may hold
 * bytes: those of a download that broke off, or all of one that it got a part
 * of. An object of which a part is asked for must begin so.
 *
 * The table is written by the scan role in the order in which it is told, so
 * that of two parts which are judged at the same time, in whichever relays, the
 * later finds what the earlier said: a part leaves only while the table says
 * that it is of this very object.
 *
 * This path fails closed: what does not fit is not scanned, reason partial.
 */
#include <openssl/evp.h>
#include <string.h>

#include "proxy/http.h"
#include "sys/log.h"

/* --- the table ----------------------------------------------------- */

/* As the key of an infected URL, and whose object it is. */
static bool make_key(struct exchange *x, uint8_t key[MSG_SHA256])
{
	const struct ip_addr *client = &x->session->client_addr.addr;
	const struct ip_endpoint *server = &x->session->server_addr;
	struct relay *r = exchange_relay(x);
	EVP_MD_CTX *digest = r->url_digest;

	return EVP_DigestInit_ex2(digest, r->objects.digest_type, NULL) == 1 &&
	       EVP_DigestUpdate(digest, client->bytes, sizeof(client->bytes)) ==
		       1 &&
	       EVP_DigestUpdate(digest, server->addr.bytes,
				sizeof(server->addr.bytes)) == 1 &&
	       EVP_DigestUpdate(digest, &server->port, sizeof(server->port)) ==
		       1 &&
	       EVP_DigestUpdate(digest, x->url.p, x->url.len) == 1 &&
	       EVP_DigestFinal_ex(digest, key, NULL) == 1;
}

/* What is known now; of length 0: nothing. */
static struct msg_beginning known(const struct exchange *x,
				  const uint8_t key[MSG_SHA256])
{
	const struct relay *r = exchange_relay(x);
	uint64_t now_s = r->loop->clock->wall_us() / 1000000;
	struct msg_beginning b;

	if (!vcache_find_part(r->vcache, key, now_s, &b))
		b = (struct msg_beginning){0};
	return b;
}

static bool same(const struct msg_beginning *a, const struct msg_beginning *b)
{
	return a->length == b->length &&
	       memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

/* Without a scan role there is nobody who could be told; parts then wait. */
static void tell(struct exchange *x, const struct msg_part *part)
{
	struct chan *scan = &exchange_relay(x)->scanner.chan;

	if (!chan_is_open(scan) ||
	    chan_send(scan, MSG_PART, part, sizeof(*part)) != 0)
		log_debug("session %llu: what its client holds is not noted",
			  (unsigned long long)x->session->id);
}

/* --- a part that is asked for -------------------------------------- */

void parts_begin(struct exchange *x)
{
	struct msg_part *part = &x->job.msg.part;

	memset(part, 0, sizeof(*part));
	x->part = exchange_relay(x)->vcache != NULL && make_key(x, part->key);
	if (x->part)
		part->was = known(x, part->key);
}

/* Whether the object begins as the client's does, as far as it was received. */
static bool begins_so(const struct exchange *x)
{
	const struct msg_beginning *was = &x->job.msg.part.was;
	const struct object *o = x->down.object;

	return was->length == 0 ||
	       (o->marked &&
		memcmp(o->mark_sha256, was->sha256, MSG_SHA256) == 0);
}

bool parts_may_leave_early(const struct exchange *x)
{
	const struct msg_part *part = &x->job.msg.part;
	struct msg_beginning now;

	if (!x->part || (x->range_removed && part->was.length == 0))
		return true;
	now = known(x, part->key);
	return part->was.length > 0 && begins_so(x) && same(&now, &part->was);
}

/*
 * What is known may have changed since the response began. Then the object is
 * read again up to where that ends; it is whole, so that each byte that its
 * part has, be it one that left early, is of an object that begins so.
 */
enum parts parts_compare(struct exchange *x)
{
	struct msg_part *part = &x->job.msg.part;
	struct object *o = x->down.object;
	struct msg_beginning now;

	x->part = x->part && o->size > 0; /* nothing has no part */
	if (!x->part)
		return PARTS_FIT;
	now = known(x, part->key);
	if (!same(&now, &part->was)) {
		part->was = now;
		object_mark(o, now.length);
	}
	if (!object_catch_up(o, exchange_relay(x)->scratch, RELAY_SCRATCH))
		return PARTS_BUSY;
	object_beginning(o, &part->is);
	return begins_so(x) ? PARTS_FIT : PARTS_DIFFER;
}

bool parts_known(struct exchange *x)
{
	const struct msg_part *part = &x->job.msg.part;
	struct msg_beginning now;

	if (!x->part)
		return true;
	now = known(x, part->key);
	return same(&now, &part->is);
}

/* --- what a client got --------------------------------------------- */

/* Some of an object left for somebody who can ask for the rest. */
static bool left_some(const struct exchange *x)
{
	const struct transfer *t = &x->down;

	return t->object != NULL && t->object->digest != NULL &&
	       t->sent > t->first && x->method == HTTP1_GET &&
	       (x->status == 200 || x->status == 206) &&
	       exchange_config(x)->http.ranges != RANGES_REFUSE &&
	       exchange_relay(x)->vcache != NULL;
}

/*
 * Most exchanges: nothing is missing, so no part is going to be asked for. Who
 * got all of it as a range is going to ask for others.
 */
static bool got_whole(const struct exchange *x)
{
	return x->status == 200 && x->down.out_done &&
	       side_flushed(&x->session->client);
}

void parts_note(struct exchange *x)
{
	struct msg_part part = x->job.msg.part;

	if (x->noted || !left_some(x) || got_whole(x))
		return;
	if (x->part && !begins_so(x))
		return; /* passed nevertheless (scan.not_scanned) */
	x->noted = true;
	if (!x->part) {
		/* The whole: it takes the place of what the client had. */
		part.replaces = 1;
		if (!make_key(x, part.key))
			return;
	}
	object_beginning(x->down.object, &part.is);
	if (part.is.length > 0)
		tell(x, &part);
}
