/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions of relays: answered from the cache, or when the name servers have
 * answered. Whoever asks for a name that is being asked for already waits for
 * the same answer.
 *
 * Lifetime: a question lives from the first that asks for its name to the
 * answer, even when nobody waits for it any more (the cache takes it then). An
 * ask is one that waits; it goes with its answer or its asker. An asker belongs
 * to its relay's structure; asker_forget() before it goes.
 */
#ifndef SLUICE_ROLES_QUESTIONS_H
#define SLUICE_ROLES_QUESTIONS_H

#include "ipc/stats.h"
#include "roles/resolve/cache.h"
#include "roles/resolve/dns.h"

#define QUESTIONS_BUCKETS DNS_LOOKUPS
#define QUESTIONS_ASKS	  8192 /* of one asker, waiting */
#define QUESTIONS_SHARE	  64 /* of an asker at least, however many there are */

struct asker;
/* @answer->id is that of the question. */
typedef void (*asker_fn)(struct asker *a, const struct msg_resolved *answer);

struct asker {
	struct list asks;
	unsigned int count;	/* of them */
	unsigned int under_way; /* questions that it was the first to ask */
	asker_fn told;
};

struct questions {
	struct dns *dns;
	struct loop *loop;
	struct stats *stats;
	struct name_cache cache;
	struct list buckets[QUESTIONS_BUCKETS]; /* of questions */
	unsigned int share; /* of an asker, of all that may be under way */
};

/* @askers: how many there may be. */
void questions_init(struct questions *q, struct dns *dns, struct loop *loop,
		    struct stats *stats, unsigned int askers,
		    const struct siphash_key *key);
/* After dns_close(), and when all askers are forgotten. */
void questions_close(struct questions *q);
/* Who asks now is told what the servers say now. */
void questions_forget_answers(struct questions *q);

void asker_init(struct asker *a, asker_fn told);
/* What it waits for goes to nobody. */
void asker_forget(struct asker *a);

/*
 * @name is plain (proto/hostname.h). @a is told once, within DNS_DEADLINE_MS
 * and a little; maybe at once.
 */
void questions_ask(struct questions *q, struct asker *a, uint64_t id,
		   const char *name);

#endif
