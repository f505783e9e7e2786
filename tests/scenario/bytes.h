/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that grow at the end and are taken from the front: a socket's queue,
 * what a peer has received, what a scenario writes. Without memory the program
 * ends: it is the relay that is tested for that, not its test.
 */
#ifndef SLUICE_TESTS_BYTES_H
#define SLUICE_TESTS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct bytes {
	uint8_t *data;
	size_t head;
	size_t tail;
	size_t size;
};

static inline size_t bytes_len(const struct bytes *b)
{
	return b->tail - b->head;
}

static inline const uint8_t *bytes_head(const struct bytes *b)
{
	return b->data != NULL ? b->data + b->head : NULL;
}

static inline struct str bytes_str(const struct bytes *b)
{
	return (struct str){(const char *)bytes_head(b), bytes_len(b)};
}

/* @s without its first @n bytes. */
static inline struct str str_from(struct str s, size_t n)
{
	return (struct str){n > 0 ? s.p + n : s.p, s.len - n};
}

/* Whether @part is in @s somewhere; nothing is everywhere. */
bool str_has(struct str s, struct str part);

void bytes_add(struct bytes *b, const void *p, size_t n);
void bytes_puts(struct bytes *b, const char *z);
/* The first @n are done with. */
void bytes_drop(struct bytes *b, size_t n);
/* At most @n of the first bytes go to @p; how many. */
size_t bytes_take(struct bytes *b, void *p, size_t n);
/* At most @n of the first bytes of @from move to the end of @to; how many. */
size_t bytes_move(struct bytes *to, struct bytes *from, size_t n);
void bytes_free(struct bytes *b);

/* @n bytes that look like noise and are the same for the same @seed. */
void bytes_noise(struct bytes *b, size_t n, uint32_t seed);
/* The next number of a sequence that starts with any *@state but 0. */
uint32_t noise_next(uint32_t *state);

/* calloc(3) that does not fail. */
void *must_alloc(size_t size);

#endif
