// SPDX-License-Identifier: GPL-2.0-or-later
/* The beginning of an object, hashed for itself: while it comes and afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/object.h"

#define SIZE	(10u << 20)
#define SCRATCH (64u << 10)

static struct object_store store;
static uint8_t *data;
static char spool[] = "/tmp/object-test-XXXXXX";

/* Objects up to half the size lie in memory, larger ones in a file. */
static int set_up(void **state)
{
	(void)state;
	data = malloc(SIZE);
	if (data == NULL || mkdtemp(spool) == NULL)
		return -1;
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8) * 13);
	return object_store_init(&store, SIZE / 2, SIZE, spool);
}

static int tear_down(void **state)
{
	(void)state;
	object_store_close(&store);
	free(data);
	return rmdir(spool);
}

static void assert_hash_of(const uint8_t *sha256, size_t n)
{
	uint8_t expected[MSG_SHA256];

	assert_int_equal(
		EVP_Digest(data, n, expected, NULL, EVP_sha256(), NULL), 1);
	assert_memory_equal(sha256, expected, MSG_SHA256);
}

static void append(struct object *o, size_t size, size_t piece)
{
	while (o->size < size) {
		size_t n = size - o->size < piece ? size - o->size : piece;

		object_append(o, data + o->size, n);
		assert_int_equal(o->error, 0);
	}
}

/* Of @size bytes in pieces, with a mark that was set before. */
static void passes(size_t size, size_t piece, uint64_t mark)
{
	struct object *o = object_new(&store, size);

	assert_non_null(o);
	object_mark(o, mark);
	append(o, size, piece);
	assert_int_equal(o->marked, mark > 0 && mark <= size);
	if (o->marked)
		assert_hash_of(o->mark_sha256, mark);
	object_finish(o);
	assert_hash_of(o->sha256, size); /* which it leaves alone */
	object_free(o);
}

static void a_mark_is_passed(void **state)
{
	static const uint64_t marks[] = {0,   1,    99,	  100,	101,
					 999, 1000, 1001, 9999, 10000};

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		passes(1000, 100, marks[i]);
		passes(1000, 1, marks[i]);
		passes(1000, 1000, marks[i]);
	}
	passes(200000, 9000, 65536);
	passes(SIZE, 100000, 65536);
	passes(SIZE, 100000, SIZE);
}

/* The object is complete when it is asked how it begins. */
static void catches_up(size_t size, uint64_t mark, bool sealed)
{
	struct object *o = object_new(&store, size);
	uint8_t scratch[SCRATCH];
	unsigned int rounds = 0;

	assert_non_null(o);
	object_mark(o, 5); /* what was asked first */
	append(o, size, 100000);
	object_finish(o);
	if (sealed)
		assert_true(object_descriptor(o) >= 0);
	object_mark(o, mark);
	while (!object_catch_up(o, scratch, sizeof(scratch)))
		assert_true(++rounds < 10);
	assert_int_equal(o->marked, mark > 0 && mark <= size);
	if (o->marked)
		assert_hash_of(o->mark_sha256, mark);
	/* It gives others a turn, but not for what it knows. */
	if (mark < size)
		assert_int_equal(rounds, mark > 0 ? (mark - 1) >> 22 : 0);
	else
		assert_int_equal(rounds, 0);
	object_free(o);
}

static void a_mark_is_caught_up_with(void **state)
{
	static const size_t sizes[] = {1000, 300000, SIZE / 2, SIZE};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];
		const uint64_t marks[] = {0,	    1,	  size / 2,
					  size - 1, size, size + 1};

		for (size_t k = 0; k < sizeof(marks) / sizeof(marks[0]); k++) {
			catches_up(size, marks[k], false);
			catches_up(size, marks[k], true);
		}
	}
}

static void an_object_says_how_it_begins(void **state)
{
	struct object *o = object_new(&store, 0);
	struct msg_beginning b;

	(void)state;
	assert_non_null(o);
	append(o, 700, 100);
	object_beginning(o, &b);
	assert_int_equal(b.length, 700);
	assert_hash_of(b.sha256, 700);
	append(o, 100000, 1000); /* and goes on */
	object_finish(o);
	object_beginning(o, &b);
	assert_int_equal(b.length, 100000);
	assert_hash_of(b.sha256, 100000);
	object_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_is_passed),
		cmocka_unit_test(a_mark_is_caught_up_with),
		cmocka_unit_test(an_object_says_how_it_begins),
	};

	return cmocka_run_group_tests_name("object", tests, set_up, tear_down);
}
