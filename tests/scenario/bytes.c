// SPDX-License-Identifier: GPL-2.0-or-later
#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void)
{
	fputs("Bail out! no memory for the test itself\n", stdout);
	abort();
}

void *must_alloc(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		out_of_memory();
	return p;
}

static void make_room(struct bytes *b, size_t n)
{
	uint8_t *bigger;

	if (b->size - b->tail >= n)
		return;
	if (b->head > 0) {
		memmove(b->data, b->data + b->head, bytes_len(b));
		b->tail -= b->head;
		b->head = 0;
	}
	if (b->size - b->tail >= n)
		return;
	b->size = 2 * (b->tail + n);
	bigger = realloc(b->data, b->size);
	if (bigger == NULL)
		out_of_memory();
	b->data = bigger;
}

bool str_has(struct str s, struct str part)
{
	if (part.len == 0)
		return true;
	return s.p != NULL && part.p != NULL &&
	       memmem(s.p, s.len, part.p, part.len) != NULL;
}

void bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	make_room(b, n);
	memcpy(b->data + b->tail, p, n);
	b->tail += n;
}

void bytes_puts(struct bytes *b, const char *z)
{
	bytes_add(b, z, strlen(z));
}

void bytes_drop(struct bytes *b, size_t n)
{
	b->head += n;
	if (b->head < b->tail)
		return;
	b->head = 0;
	b->tail = 0;
}

size_t bytes_take(struct bytes *b, void *p, size_t n)
{
	if (n > bytes_len(b))
		n = bytes_len(b);
	if (n > 0)
		memcpy(p, bytes_head(b), n);
	bytes_drop(b, n);
	return n;
}

size_t bytes_move(struct bytes *to, struct bytes *from, size_t n)
{
	if (n > bytes_len(from))
		n = bytes_len(from);
	if (n > 0)
		bytes_add(to, bytes_head(from), n);
	bytes_drop(from, n);
	return n;
}

void bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){0};
}

/* Marsaglia's xorshift: enough to make every position recognisable. */
uint32_t noise_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

void bytes_noise(struct bytes *b, size_t n, uint32_t seed)
{
	uint32_t state = seed * 2654435761U | 1;

	make_room(b, n + sizeof(state));
	for (size_t i = 0; i < n; i += sizeof(state)) {
		noise_next(&state);
		memcpy(b->data + b->tail + i, &state, sizeof(state));
	}
	b->tail += n;
}
