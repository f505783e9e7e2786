/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object that is kept while it is received, until there is a verdict: in a
 * block of memory while it is small, then in a region (memory file), then in
 * an unlinked file of the spool directory. Its SHA-256 is computed as it
 * grows.
 *
 * Lifetime: made by an exchange, freed by it; the scan role may hold a
 * descriptor of the same file longer, which is why what was handed out is
 * never changed again.
 */
#ifndef SLUICE_PROXY_OBJECT_H
#define SLUICE_PROXY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/msg.h"
#include "proxy/pool.h"
#include "proxy/region.h"

#define OBJECT_BLOCK (64u << 10)

/* What all objects of a relay share. */
struct object_store {
	struct pool blocks;	    /* of OBJECT_BLOCK bytes */
	struct region_pool regions; /* of @memory bytes each */
	uint64_t memory;	    /* an object beyond it goes to disk */
	uint64_t memory_total;	    /* all objects together */
	uint64_t disk;		    /* bytes in the spool now */
	const char *spool;	    /* directory */
	void *digest_type;	    /* EVP_MD */
	uint64_t now_ms;	    /* kept by the relay */
};

int object_store_init(struct object_store *st, uint64_t memory,
		      uint64_t memory_total, const char *spool)
	__attribute__((warn_unused_result));
void object_store_close(struct object_store *st);
/* Bytes of memory that objects hold now. */
uint64_t object_store_memory(const struct object_store *st);
/* scan.memory was changed; objects under way keep their place. */
void object_store_set_memory(struct object_store *st, uint64_t memory);

struct object {
	struct object_store *store;
	uint64_t size;
	uint8_t *block;
	struct region *region;
	int file;	  /* writing; -1 when there is none or it is finished */
	int file_ro;	  /* the same file, for reading */
	uint64_t on_disk; /* bytes in it */
	bool finished;	  /* no more bytes, sha256 is valid */
	int error;	  /* storing failed: -ENOSPC, -ENOMEM, ... */
	void *digest;	  /* EVP_MD_CTX */
	uint8_t sha256[MSG_SHA256];
	uint64_t mark; /* the bytes before it are hashed for themselves; or 0 */
	bool marked;   /* ... and were */
	uint8_t mark_sha256[MSG_SHA256];
	void *again;	  /* EVP_MD_CTX for a mark that was passed before */
	uint64_t reached; /* ... and how far it is */
	bool lost; /* ... and so did keeping the rest: give the object up */
	/* Bytes that came with the failure and found no place. */
	uint8_t *overflow;
	size_t overflow_len;
};

/* @expect: its size if known, else 0. NULL without memory. */
struct object *object_new(struct object_store *st, uint64_t expect);
/* One that lies in file @fd, complete; takes it over. NULL without memory. */
struct object *object_of_file(struct object_store *st, int fd, uint64_t size);
void object_free(struct object *o);

/*
 * Where the next bytes can be received straight into: memory and its size, or
 * NULL when the object must be given them by object_append().
 */
uint8_t *object_room(struct object *o, size_t *size);
/* @n bytes were put there. */
void object_produced(struct object *o, size_t n);
/*
 * Append @n bytes. When the disk is full, o->error is set, what did not fit
 * waits in memory, and the caller must not append more. Only when there is no
 * memory for that either are bytes lost, and o->lost says so.
 */
void object_append(struct object *o, const uint8_t *data, size_t n);

/* Let o->mark_sha256 be that of its first @at bytes, as soon as o->marked. */
void object_mark(struct object *o, uint64_t at);
/*
 * A mark that the object had passed already: read on towards it, with memory
 * (@scratch) for what lies in a file. False while there is more to read;
 * afterwards there is the mark, unless that lies behind the object's end or it
 * can't be read.
 */
bool object_catch_up(struct object *o, uint8_t *scratch, size_t size)
	__attribute__((warn_unused_result));
/* How the object begins, by what was hashed of it. */
void object_beginning(const struct object *o, struct msg_beginning *out);
/* The body is complete: o->sha256 is known. */
void object_finish(struct object *o);
/*
 * A descriptor (the object's) of a file that holds exactly the object and that
 * nobody can change any more, for the scan role. -errno when it can't be made.
 */
int object_descriptor(struct object *o) __attribute__((warn_unused_result));
/*
 * Send bytes [@from, @to) to socket @fd. Bytes sent, or -errno (-EAGAIN).
 */
ssize_t object_send(struct object *o, int fd, uint64_t from, uint64_t to,
		    bool more) __attribute__((warn_unused_result));
/* The bytes in memory, when they all are (blocks and regions); else NULL. */
const uint8_t *object_bytes(const struct object *o);

#endif
