/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A linear byte buffer over memory that somebody else owns.
 *
 *	data         head              tail             size
 *	 |  consumed  |  bytes to read  |  room to write  |
 *
 * Readers take from head, writers add at tail. Nothing here allocates.
 */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	uint8_t *data;
	size_t size;
	size_t head;
	size_t tail;
};

static inline void buf_init(struct buf *b, void *data, size_t size)
{
	b->data = data;
	b->size = size;
	b->head = 0;
	b->tail = 0;
}

/* Bytes that can be read. */
static inline size_t buf_len(const struct buf *b)
{
	return b->tail - b->head;
}

/* Bytes that can be written without moving anything. */
static inline size_t buf_room(const struct buf *b)
{
	return b->size - b->tail;
}

static inline uint8_t *buf_head(const struct buf *b)
{
	return b->data + b->head;
}

static inline uint8_t *buf_tail(const struct buf *b)
{
	return b->data + b->tail;
}

/* @n bytes were read from the head; an emptied buffer starts again at 0. */
static inline void buf_consume(struct buf *b, size_t n)
{
	b->head += n;
	if (b->head == b->tail) {
		b->head = 0;
		b->tail = 0;
	}
}

/* @n bytes were written at the tail. */
static inline void buf_produce(struct buf *b, size_t n)
{
	b->tail += n;
}

/* Move the unread bytes to the start, so that all free space is room. */
static inline void buf_compact(struct buf *b)
{
	size_t n = buf_len(b);

	if (b->head == 0)
		return;
	memmove(b->data, b->data + b->head, n);
	b->head = 0;
	b->tail = n;
}

/* Append all @n bytes, or nothing and false when they don't fit. */
static inline bool buf_append(struct buf *b, const void *p, size_t n)
{
	if (n > buf_room(b))
		return false;
	if (n > 0)
		memcpy(buf_tail(b), p, n);
	b->tail += n;
	return true;
}

#endif
