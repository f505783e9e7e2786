// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/object.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/memfile.h"

#define BLOCKS_KEEP  64
#define REGIONS_KEEP (128u << 20) /* idle pages kept for the next objects */
#define RECEIVE_MAX  (256u << 10) /* in one go: stays in the cache to hash */
/* Smaller objects are copied for the scan role, larger give up their region. */
#define COPY_MAX     (256u << 10)
/* Hashed again before others get their turn. */
#define AGAIN_MAX    (4u << 20)

/* --- store --------------------------------------------------------- */

int object_store_init(struct object_store *st, uint64_t memory,
		      uint64_t memory_total, const char *spool)
{
	memset(st, 0, sizeof(*st));
	pool_init(&st->blocks, OBJECT_BLOCK, BLOCKS_KEEP);
	region_pool_init(&st->regions, memory, REGIONS_KEEP);
	st->memory = memory;
	st->memory_total = memory_total;
	st->spool = spool;
	st->digest_type = EVP_MD_fetch(NULL, "SHA256", NULL);
	return st->digest_type != NULL ? 0 : -ENOTSUP;
}

void object_store_close(struct object_store *st)
{
	pool_close(&st->blocks);
	region_pool_close(&st->regions);
	EVP_MD_free(st->digest_type);
}

uint64_t object_store_memory(const struct object_store *st)
{
	return st->regions.live + st->regions.kept +
	       (st->blocks.used + st->blocks.free_count) * OBJECT_BLOCK;
}

void object_store_set_memory(struct object_store *st, uint64_t memory)
{
	if (memory == st->memory)
		return;
	/* Those of the old size are closed when they come back. */
	region_pool_close(&st->regions);
	st->memory = memory;
	st->regions.region_size = memory;
}

/* --- life ---------------------------------------------------------- */

/* What is in memory of its own; of it @overflow is no part. */
static const uint8_t *stored_bytes(const struct object *o)
{
	if (o->block != NULL)
		return o->block;
	return o->region != NULL ? o->region->map : NULL;
}

/* Whether an object of @size bytes may lie in memory. */
static bool fits_memory(const struct object_store *st, uint64_t size)
{
	return size <= st->memory &&
	       st->regions.live + size <= st->memory_total;
}

static int open_file(struct object *o);

struct object *object_new(struct object_store *st, uint64_t expect)
{
	struct object *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->store = st;
	o->file = -1;
	o->file_ro = -1;
	o->digest = EVP_MD_CTX_new();
	if (o->digest == NULL ||
	    EVP_DigestInit_ex2(o->digest, st->digest_type, NULL) != 1)
		goto fail;
	if (expect > OBJECT_BLOCK && fits_memory(st, expect))
		o->region = region_get(&st->regions);
	else if (expect > OBJECT_BLOCK)
		o->error = open_file(o);
	else
		o->block = pool_get(&st->blocks);
	if (o->region != NULL || o->block != NULL || o->file != -1 ||
	    o->error != 0)
		return o;
fail:
	object_free(o);
	return NULL;
}

struct object *object_of_file(struct object_store *st, int fd, uint64_t size)
{
	struct object *o = calloc(1, sizeof(*o));

	if (o == NULL) {
		close(fd);
		return NULL;
	}
	o->store = st;
	o->file = -1;
	o->file_ro = fd;
	o->size = size;
	o->finished = true;
	return o;
}

static void close_files(struct object *o)
{
	if (o->file != -1)
		close(o->file);
	if (o->file_ro != -1)
		close(o->file_ro);
	o->store->disk -= o->on_disk;
	o->on_disk = 0;
	o->file = -1;
	o->file_ro = -1;
}

void object_free(struct object *o)
{
	if (o == NULL)
		return;
	if (o->block != NULL)
		pool_put(&o->store->blocks, o->block);
	if (o->region != NULL)
		region_put(&o->store->regions, o->region, o->store->now_ms);
	close_files(o);
	EVP_MD_CTX_free(o->digest);
	EVP_MD_CTX_free(o->again);
	free(o->overflow);
	free(o);
}

/* --- growing ------------------------------------------------------- */

/* The SHA-256 of what was hashed so far; zeros without memory. */
static void digest_so_far(const struct object *o, uint8_t sha256[MSG_SHA256])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	memset(sha256, 0, MSG_SHA256);
	if (copy != NULL && EVP_MD_CTX_copy_ex(copy, o->digest) == 1)
		(void)EVP_DigestFinal_ex(copy, sha256, NULL);
	EVP_MD_CTX_free(copy);
}

/* @data is what follows the o->size bytes before it. */
static void hash(struct object *o, const uint8_t *data, size_t n)
{
	size_t before = 0;

	/* Can't fail for SHA-256 and a context that was initialised. */
	if (o->mark > o->size && n >= o->mark - o->size) {
		before = (size_t)(o->mark - o->size);
		(void)EVP_DigestUpdate(o->digest, data, before);
		digest_so_far(o, o->mark_sha256);
		o->marked = true;
	}
	(void)EVP_DigestUpdate(o->digest, data + before, n - before);
}

/* --- marks --------------------------------------------------------- */

void object_mark(struct object *o, uint64_t at)
{
	EVP_MD_CTX_free(o->again);
	o->again = NULL;
	o->reached = 0;
	o->mark = at;
	o->marked = at == o->size && o->finished;
	if (o->marked)
		memcpy(o->mark_sha256, o->sha256, MSG_SHA256);
}

static bool begin_again(struct object *o)
{
	if (o->again == NULL) {
		o->again = EVP_MD_CTX_new();
		return o->again != NULL &&
		       EVP_DigestInit_ex2(o->again, o->store->digest_type,
					  NULL) == 1;
	}
	return true;
}

/* What follows o->reached, at most @n bytes, hashed. False: unreadable. */
static bool hash_again(struct object *o, uint8_t *scratch, size_t n)
{
	const uint8_t *bytes = stored_bytes(o);
	ssize_t got = (ssize_t)n;

	if (bytes != NULL) {
		bytes += o->reached;
	} else {
		got = pread(o->file_ro != -1 ? o->file_ro : o->region->fd,
			    scratch, n, (off_t)o->reached);
		bytes = scratch;
	}
	if (got <= 0)
		return false;
	o->reached += (uint64_t)got;
	return EVP_DigestUpdate(o->again, bytes, (size_t)got) == 1;
}

bool object_catch_up(struct object *o, uint8_t *scratch, size_t size)
{
	uint64_t until = o->reached + AGAIN_MAX;

	if (o->marked || o->mark == 0 || o->mark > o->size - o->overflow_len ||
	    !begin_again(o))
		return true;
	while (o->reached < o->mark && o->reached < until) {
		uint64_t left = o->mark - o->reached;

		if (!hash_again(o, scratch, left < size ? (size_t)left : size))
			return true;
	}
	if (o->reached < o->mark)
		return false;
	o->marked = EVP_DigestFinal_ex(o->again, o->mark_sha256, NULL) == 1;
	return true;
}

void object_beginning(const struct object *o, struct msg_beginning *out)
{
	out->length = o->size - o->overflow_len;
	if (o->finished)
		memcpy(out->sha256, o->sha256, MSG_SHA256);
	else
		digest_so_far(o, out->sha256);
}

/*
 * A file without a name, opened twice: the writing descriptor is closed when
 * the object is complete, and then the scan role can see that nobody holds one
 * any more (a read lease), which makes the verdict worth remembering.
 */
static int open_file(struct object *o)
{
	char path[320];
	int rc = 0;

	/* The address tells apart what lives; the name goes at once. */
	snprintf(path, sizeof(path), "%s/object-%d-%p", o->store->spool,
		 (int)getpid(), (void *)o);
	o->file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (o->file == -1)
		return -errno;
	o->file_ro = open(path, O_RDONLY | O_CLOEXEC);
	if (o->file_ro == -1)
		rc = -errno;
	unlink(path);
	if (rc == 0)
		return 0;
	close(o->file);
	o->file = -1;
	return rc;
}

/* 0, or -errno with *@done bytes written. */
static int write_file(struct object *o, const uint8_t *data, size_t n,
		      uint64_t at, size_t *done)
{
	*done = 0;
	while (*done < n) {
		ssize_t w = pwrite(o->file, data + *done, n - *done,
				   (off_t)(at + *done));

		if (w == -1 && errno != EINTR)
			return -errno; /* ENOSPC, EDQUOT, EIO, EFBIG */
		if (w > 0) {
			*done += (size_t)w;
			o->on_disk += (size_t)w;
			o->store->disk += (size_t)w;
		}
	}
	return 0;
}

/* The bytes so far move to the next larger kind of place. 0 or -errno. */
static int move_up(struct object *o, uint64_t want)
{
	const uint8_t *bytes = stored_bytes(o);
	struct region *region = NULL;
	size_t done;
	int rc;

	if (o->block != NULL && fits_memory(o->store, want))
		region = region_get(&o->store->regions);
	if (region != NULL) {
		memcpy(region->map, bytes, o->size);
		region_used(&o->store->regions, region, o->size);
	} else {
		rc = open_file(o);
		if (rc == 0)
			rc = write_file(o, bytes, o->size, 0, &done);
		if (rc != 0) {
			close_files(o);
			return rc;
		}
	}
	if (o->block != NULL)
		pool_put(&o->store->blocks, o->block);
	if (o->region != NULL)
		region_put(&o->store->regions, o->region, o->store->now_ms);
	o->block = NULL;
	o->region = region;
	return 0;
}

static size_t memory_room(const struct object *o)
{
	if (o->block != NULL)
		return OBJECT_BLOCK - o->size;
	if (o->region != NULL)
		return o->region->size - o->size;
	return 0;
}

static uint8_t *memory_at(const struct object *o, uint64_t offset)
{
	return (o->block != NULL ? o->block : o->region->map) + offset;
}

uint8_t *object_room(struct object *o, size_t *size)
{
	*size = memory_room(o);
	if (*size == 0 || o->error != 0)
		return NULL;
	if (*size > RECEIVE_MAX)
		*size = RECEIVE_MAX;
	return memory_at(o, o->size);
}

void object_produced(struct object *o, size_t n)
{
	hash(o, memory_at(o, o->size), n);
	o->size += n;
	if (o->region != NULL)
		region_used(&o->store->regions, o->region, o->size);
}

static void keep_overflow(struct object *o, const uint8_t *data, size_t n)
{
	o->overflow = malloc(n);
	if (o->overflow == NULL) {
		o->lost = true;
		return;
	}
	memcpy(o->overflow, data, n);
	o->overflow_len = n;
	o->size += n;
}

void object_append(struct object *o, const uint8_t *data, size_t n)
{
	size_t done = 0;

	if (n > memory_room(o) && (o->block != NULL || o->region != NULL))
		o->error = move_up(o, o->size + n);
	if (o->error == 0 && o->file != -1) {
		o->error = write_file(o, data, n, o->size, &done);
		hash(o, data, done);
		o->size += done;
	} else if (o->error == 0 && n > 0 && n <= memory_room(o)) {
		memcpy(memory_at(o, o->size), data, n);
		object_produced(o, n);
		done = n;
	}
	if (done < n)
		keep_overflow(o, data + done, n - done);
}

void object_finish(struct object *o)
{
	(void)EVP_DigestFinal_ex(o->digest, o->sha256, NULL);
	o->finished = true;
	if (o->file != -1) {
		close(o->file);
		o->file = -1;
	}
}

/* --- giving -------------------------------------------------------- */

const uint8_t *object_bytes(const struct object *o)
{
	return o->overflow_len == 0 ? stored_bytes(o) : NULL;
}

/* Replace the memory that we write to by a sealed copy. */
static int copy_sealed(struct object *o)
{
	struct region *r = calloc(1, sizeof(*r));
	int fd;

	if (r == NULL)
		return -ENOMEM;
	fd = memfile_snapshot("sluice-object", stored_bytes(o), o->size);
	if (fd < 0) {
		free(r);
		return fd;
	}
	list_init(&r->node);
	r->fd = fd;
	if (o->block != NULL)
		pool_put(&o->store->blocks, o->block);
	if (o->region != NULL)
		region_put(&o->store->regions, o->region, o->store->now_ms);
	o->block = NULL;
	o->region = r;
	region_used(&o->store->regions, r, o->size);
	return 0;
}

int object_descriptor(struct object *o)
{
	int rc = 0;

	if (o->overflow_len > 0)
		return -ENOSPC; /* no file has all of it */
	if (o->file_ro != -1)
		return o->file_ro;
	if (o->block != NULL || (o->region->map != NULL && o->size <= COPY_MAX))
		rc = copy_sealed(o);
	else if (o->region->map != NULL)
		rc = region_seal(&o->store->regions, o->region, o->size);
	return rc != 0 ? rc : o->region->fd;
}

static ssize_t send_memory(int fd, const uint8_t *p, size_t n, bool more)
{
	ssize_t sent = send(
		fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));

	return sent == -1 ? -errno : sent;
}

ssize_t object_send(struct object *o, int fd, uint64_t from, uint64_t to,
		    bool more)
{
	uint64_t stored = o->size - o->overflow_len;
	const uint8_t *bytes = stored_bytes(o);
	off_t offset = (off_t)from;
	ssize_t sent;

	if (from >= stored)
		return send_memory(fd, o->overflow + (from - stored), to - from,
				   more);
	if (to > stored)
		to = stored;
	if (bytes != NULL)
		return send_memory(fd, bytes + from, to - from, more);
	/* Sealed memory and finished or append-only files never change. */
	sent = sendfile(fd, o->file_ro != -1 ? o->file_ro : o->region->fd,
			&offset, to - from);
	return sent == -1 ? -errno : sent;
}
