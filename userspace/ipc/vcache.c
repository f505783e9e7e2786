// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/vcache.h"

#include <string.h>

/*
 * Layout: a header page, then set-associative tables of equal entries. The set
 * comes from the key, which is a SHA-256 and so spreads evenly; whoever aims at
 * one set evicts entries there. Of a verdict that costs a scan, no more; what
 * parts a client holds is in the key with its own address, so that a server
 * would have to search for URLs whose keys fall where it wants.
 */
#define MAGIC	     0x736c7664u /* of this layout; another one is wiped */
#define WAYS	     8u
#define VERDICT_SETS 8192u
#define URL_SETS     1024u
#define PART_SETS    512u
#define WORD	     sizeof(uint64_t)
#define CODING_BITS  4

struct body {
	uint8_t key[MSG_SHA256];
	uint64_t stamp; /* verdict: when stored, by a count; else until, s */
	uint32_t epoch; /* verdict only */
	uint32_t variant;
	uint32_t verdict; /* 0 (VERDICT_PASSED): never used, or a part's */
	uint32_t reason;
	union {
		char name[MSG_NAME_MAX];
		struct msg_beginning part;
	};
};

#define BODY_WORDS (sizeof(struct body) / WORD)

struct entry {
	uint32_t sequence; /* odd while it is written */
	uint32_t zero;
	uint64_t words[BODY_WORDS];
};

struct vcache {
	uint32_t magic;
	uint32_t ready;
	uint32_t epoch;
	uint32_t zero;
	uint64_t count;	  /* stores so far: the clock of "oldest" */
	uint64_t entries; /* verdicts of this epoch */
	uint8_t rest[4096 - 32];
	struct entry verdicts[VERDICT_SETS * WAYS];
	struct entry urls[URL_SETS * WAYS];
	struct entry parts[PART_SETS * WAYS];
};

_Static_assert(sizeof(struct body) % WORD == 0, "copied as words");
_Static_assert(sizeof(struct entry) == 128, "two cache lines");
_Static_assert(CODING_COUNT <= 1 << CODING_BITS &&
		       2 + CODING_MAX * CODING_BITS <= 32,
	       "codings must fit a variant");

size_t vcache_size(void)
{
	return sizeof(struct vcache);
}

/* Without loss: a leading 1, whether one is unknown, then each coding. */
uint32_t vcache_variant(const struct coding_list *codings, struct str boundary)
{
	uint32_t v = codings->unknown ? 3 : 2;

	if (boundary.len > 0)
		return VCACHE_NEVER;
	for (unsigned int i = 0; i < codings->count && i < CODING_MAX; i++)
		v = v << CODING_BITS | codings->coding[i];
	return v;
}

/* --- one entry, read and written ------------------------------------------- */

/*
 * Sequence lock with one writer (H. Boehm, "Can seqlocks get along with
 * programming language memory models?", MSPC 2012). The acquire load keeps the
 * words from being read before the first look at the sequence, the acquire
 * fence keeps the second look from coming before the words. The words are
 * atomic so that a torn copy is merely wrong, and then thrown away.
 */
static bool read_entry(const struct entry *e, struct body *out)
{
	uint64_t words[BODY_WORDS];
	uint32_t before = __atomic_load_n(&e->sequence, __ATOMIC_ACQUIRE);

	if (before & 1)
		return false;
	for (size_t i = 0; i < BODY_WORDS; i++)
		words[i] = __atomic_load_n(&e->words[i], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&e->sequence, __ATOMIC_RELAXED) != before)
		return false;
	memcpy(out, words, sizeof(words));
	return true;
}

/*
 * The release fence makes the odd number visible before any new word, the
 * release store all words before the even one. An entry that a killed writer
 * left odd becomes even again here.
 */
static void write_entry(struct entry *e, const struct body *body)
{
	uint32_t odd = e->sequence | 1;
	uint64_t words[BODY_WORDS];

	memcpy(words, body, sizeof(words));
	__atomic_store_n(&e->sequence, odd, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < BODY_WORDS; i++)
		__atomic_store_n(&e->words[i], words[i], __ATOMIC_RELAXED);
	__atomic_store_n(&e->sequence, odd + 1, __ATOMIC_RELEASE);
}

/* The writer's own look: nobody else changes the entry. */
static void peek(const struct entry *e, struct body *out)
{
	memcpy(out, e->words, sizeof(*out));
}

static bool same_key(const struct body *b, const uint8_t key[MSG_SHA256],
		     uint32_t variant)
{
	return b->variant == variant && memcmp(b->key, key, MSG_SHA256) == 0;
}

/* Where the set that @key falls into begins; @sets is a power of two. */
static size_t set_of(uint32_t sets, const uint8_t key[MSG_SHA256])
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return (size_t)(h & (sets - 1)) * WAYS;
}

static void set_body(struct body *b, const uint8_t key[MSG_SHA256],
		     const struct vcache_entry *entry)
{
	size_t len = strnlen(entry->name, MSG_NAME_MAX - 1);

	memset(b, 0, sizeof(*b));
	memcpy(b->key, key, MSG_SHA256);
	b->verdict = entry->verdict;
	b->reason = entry->reason;
	memcpy(b->name, entry->name, len);
}

static bool printable(const char *name)
{
	size_t len = strnlen(name, MSG_NAME_MAX);

	for (size_t i = 0; i < len; i++)
		if (name[i] < 0x20 || name[i] > 0x7e)
			return false;
	return len < MSG_NAME_MAX;
}

/* False when what was read can't be an entry: then it is a miss. */
static bool give(const struct body *b, struct vcache_entry *out)
{
	if (!verdict_valid(b->verdict) || b->verdict == VERDICT_PASSED ||
	    !verdict_reason_valid(b->reason) || !printable(b->name))
		return false;
	out->verdict = b->verdict;
	out->reason = b->reason;
	memcpy(out->name, b->name, sizeof(out->name));
	return true;
}

/* --- readers ---------------------------------------------------------------- */

bool vcache_ready(const struct vcache *vc)
{
	return __atomic_load_n(&vc->ready, __ATOMIC_ACQUIRE) == 1;
}

bool vcache_find(const struct vcache *vc, const uint8_t sha256[MSG_SHA256],
		 uint32_t variant, struct vcache_entry *out)
{
	const struct entry *set = &vc->verdicts[set_of(VERDICT_SETS, sha256)];
	uint32_t epoch = __atomic_load_n(&vc->epoch, __ATOMIC_ACQUIRE);

	if (variant == VCACHE_NEVER)
		return false;
	for (unsigned int i = 0; i < WAYS; i++) {
		struct body b;

		if (read_entry(&set[i], &b) && b.epoch == epoch &&
		    same_key(&b, sha256, variant))
			return give(&b, out);
	}
	return false;
}

/* In a table of entries that end: the one of @key that has not. */
static bool find_lasting(const struct entry *set, const uint8_t key[MSG_SHA256],
			 uint64_t now_s, struct body *out)
{
	for (unsigned int i = 0; i < WAYS; i++)
		if (read_entry(&set[i], out) && out->stamp > now_s &&
		    same_key(out, key, 0))
			return true;
	return false;
}

bool vcache_find_url(const struct vcache *vc, const uint8_t key[MSG_SHA256],
		     uint64_t now_s, struct vcache_entry *out)
{
	struct body b;

	return find_lasting(&vc->urls[set_of(URL_SETS, key)], key, now_s, &b) &&
	       give(&b, out);
}

bool vcache_find_part(const struct vcache *vc, const uint8_t key[MSG_SHA256],
		      uint64_t now_s, struct msg_beginning *out)
{
	struct body b;

	if (!find_lasting(&vc->parts[set_of(PART_SETS, key)], key, now_s, &b) ||
	    b.part.length == 0)
		return false;
	*out = b.part;
	return true;
}

/* --- the writer ------------------------------------------------------------- */

/* What the former writer was killed in: readers would shun it. */
static void mend(struct entry *table, size_t count)
{
	static const struct body empty;

	for (size_t i = 0; i < count; i++)
		if (table[i].sequence & 1)
			write_entry(&table[i], &empty);
}

void vcache_attach(struct vcache *vc)
{
	vcache_set_ready(vc, false);
	if (vc->magic != MAGIC) {
		memset(vc->verdicts, 0, sizeof(vc->verdicts));
		memset(vc->urls, 0, sizeof(vc->urls));
		memset(vc->parts, 0, sizeof(vc->parts));
		vc->count = 0;
		vc->magic = MAGIC;
	}
	mend(vc->verdicts, VERDICT_SETS * WAYS);
	mend(vc->urls, URL_SETS * WAYS);
	mend(vc->parts, PART_SETS * WAYS);
	vcache_new_epoch(vc);
}

uint32_t vcache_new_epoch(struct vcache *vc)
{
	uint32_t epoch = vc->epoch + 1;

	/* 0 is what entries never written have. */
	if (epoch == 0)
		epoch = 1;
	__atomic_store_n(&vc->epoch, epoch, __ATOMIC_RELEASE);
	vc->entries = 0;
	return epoch;
}

uint64_t vcache_entries(const struct vcache *vc)
{
	return vc->entries;
}

void vcache_set_ready(struct vcache *vc, bool ready)
{
	__atomic_store_n(&vc->ready, ready ? 1u : 0u, __ATOMIC_RELEASE);
}

/*
 * How gladly an entry is given up: what holds the key already first (there is
 * never a second one), then what is void, then the oldest.
 */
static uint64_t worth(const struct body *b, bool same, bool is_void)
{
	if (same)
		return 0;
	return is_void ? 1 : b->stamp + 2;
}

void vcache_store(struct vcache *vc, const uint8_t sha256[MSG_SHA256],
		  uint32_t variant, const struct vcache_entry *entry)
{
	struct entry *set = &vc->verdicts[set_of(VERDICT_SETS, sha256)];
	struct entry *victim = set;
	uint64_t least = UINT64_MAX;
	bool replaces = false;
	struct body b;

	if (variant == VCACHE_NEVER)
		return;
	for (unsigned int i = 0; i < WAYS && least > 0; i++) {
		uint64_t w;

		peek(&set[i], &b);
		w = worth(&b, same_key(&b, sha256, variant),
			  b.epoch != vc->epoch);
		if (w >= least)
			continue;
		least = w;
		victim = &set[i];
		replaces = b.epoch == vc->epoch;
	}
	if (!replaces)
		vc->entries++;
	set_body(&b, sha256, entry);
	b.variant = variant;
	b.epoch = vc->epoch;
	b.stamp = ++vc->count;
	write_entry(victim, &b);
}

/*
 * In a table of entries that end: the one of @key, else the one that ends
 * first, which is also what has ended or was never used (0).
 */
static struct entry *place_lasting(struct entry *set,
				   const uint8_t key[MSG_SHA256])
{
	struct entry *victim = set;
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < WAYS && least > 0; i++) {
		struct body b;
		uint64_t w;

		peek(&set[i], &b);
		w = worth(&b, same_key(&b, key, 0) && b.stamp != 0, false);
		if (w >= least)
			continue;
		least = w;
		victim = &set[i];
	}
	return victim;
}

void vcache_store_url(struct vcache *vc, const uint8_t key[MSG_SHA256],
		      uint64_t until_s, const struct vcache_entry *entry)
{
	struct entry *set = &vc->urls[set_of(URL_SETS, key)];
	struct body b;

	set_body(&b, key, entry);
	b.stamp = until_s;
	write_entry(place_lasting(set, key), &b);
}

static bool same_beginning(const struct msg_beginning *a,
			   const struct msg_beginning *b)
{
	return a->length == b->length &&
	       memcmp(a->sha256, b->sha256, MSG_SHA256) == 0;
}

void vcache_store_part(struct vcache *vc, const struct msg_part *part,
		       uint64_t now_s, uint64_t until_s)
{
	struct entry *set = &vc->parts[set_of(PART_SETS, part->key)];
	struct entry *place = place_lasting(set, part->key);
	struct body b;

	peek(place, &b);
	if (same_key(&b, part->key, 0) && b.stamp > now_s && !part->replaces &&
	    !same_beginning(&b.part, &part->was) &&
	    !same_beginning(&b.part, &part->is))
		return;
	memset(&b, 0, sizeof(b));
	memcpy(b.key, part->key, MSG_SHA256);
	b.stamp = until_s;
	b.part = part->is;
	write_entry(place, &b);
}
