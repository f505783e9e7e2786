// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/parts.h"

#include <openssl/evp.h>
#include <string.h>

#include "proxy/relay.h"
#include "proxy/session.h"
#include "sys/log.h"

/* --- the table ----------------------------------------------------- */

/* As the key of an infected URL, and whose object it is. */
static bool make_key(const struct check *c, struct str url,
		     uint8_t key[MSG_SHA256])
{
	const struct ip_addr *client = &c->session->client_addr.addr;
	const struct ip_endpoint *server = &c->session->server_addr;
	struct relay *r = c->session->relay;
	EVP_MD_CTX *digest = r->url_digest;

	return EVP_DigestInit_ex2(digest, r->objects.digest_type, NULL) == 1 &&
	       EVP_DigestUpdate(digest, client->bytes, sizeof(client->bytes)) ==
		       1 &&
	       EVP_DigestUpdate(digest, server->addr.bytes,
				sizeof(server->addr.bytes)) == 1 &&
	       EVP_DigestUpdate(digest, &server->port, sizeof(server->port)) ==
		       1 &&
	       EVP_DigestUpdate(digest, url.p, url.len) == 1 &&
	       EVP_DigestFinal_ex(digest, key, NULL) == 1;
}

/* What is known now; of length 0: nothing. */
static struct msg_beginning known(const struct check *c,
				  const uint8_t key[MSG_SHA256])
{
	const struct relay *r = c->session->relay;
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
static void tell(const struct check *c, const struct msg_part *part)
{
	struct chan *scan = &c->session->relay->scanner.chan;

	if (!chan_is_open(scan) ||
	    chan_send(scan, MSG_PART, part, sizeof(*part)) != 0)
		log_debug("session %llu: what its client holds is not noted",
			  (unsigned long long)c->session->id);
}

/* --- a part that is asked for -------------------------------------- */

void parts_begin(struct check *c, struct str url)
{
	struct msg_part *part = &c->job.msg.part;

	memset(part, 0, sizeof(*part));
	c->part = c->session->relay->vcache != NULL &&
		  make_key(c, url, part->key);
	if (c->part)
		part->was = known(c, part->key);
}

/* Whether the object begins as the client's does, as far as it was received. */
static bool begins_so(const struct check *c, const struct object *o)
{
	const struct msg_beginning *was = &c->job.msg.part.was;

	return was->length == 0 ||
	       (o->marked &&
		memcmp(o->mark_sha256, was->sha256, MSG_SHA256) == 0);
}

bool parts_may_leave_early(const struct check *c, const struct object *o)
{
	const struct msg_part *part = &c->job.msg.part;
	struct msg_beginning now;

	if (!c->part)
		return true;
	now = known(c, part->key);
	return part->was.length > 0 && begins_so(c, o) &&
	       same(&now, &part->was);
}

/*
 * What is known may have changed since the response began. Then the object is
 * read again up to where that ends; it is whole, so that each byte that its
 * part has, be it one that left early, is of an object that begins so.
 */
enum parts parts_compare(struct check *c, struct object *o)
{
	struct msg_part *part = &c->job.msg.part;
	struct msg_beginning now;

	c->part = c->part && o->size > 0; /* nothing has no part */
	if (!c->part)
		return PARTS_FIT;
	now = known(c, part->key);
	if (!same(&now, &part->was)) {
		part->was = now;
		object_mark(o, now.length);
	}
	if (!object_catch_up(o, c->session->relay->scratch, RELAY_SCRATCH))
		return PARTS_BUSY;
	object_beginning(o, &part->is);
	return begins_so(c, o) ? PARTS_FIT : PARTS_DIFFER;
}

bool parts_known(const struct check *c)
{
	const struct msg_part *part = &c->job.msg.part;
	struct msg_beginning now;

	if (!c->part)
		return true;
	now = known(c, part->key);
	return same(&now, &part->is);
}

/* --- what a client got --------------------------------------------- */

bool parts_note(struct check *c, const struct object *o, struct str url)
{
	struct msg_part part = c->job.msg.part;

	if (c->session->relay->vcache == NULL ||
	    (c->part && !begins_so(c, o))) /* passed: scan.not_scanned */
		return false;
	if (!c->part) {
		/* The whole: it takes the place of what the client had. */
		part.replaces = 1;
		if (!make_key(c, url, part.key))
			return true;
	}
	object_beginning(o, &part.is);
	if (part.is.length > 0)
		tell(c, &part);
	return true;
}
