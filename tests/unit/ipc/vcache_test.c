// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/vcache.h"

#define READERS	      3
#define READS	      4000000u /* each */
#define STRESS_KEYS   64u
#define CLEAN_VARIANT 2

static struct vcache *vc;

static int set_up(void **state)
{
	(void)state;
	vc = mmap(NULL, vcache_size(), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vc == MAP_FAILED)
		return -1;
	vcache_attach(vc);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(vc, vcache_size());
}

/* A key whose first bytes (the set) and last bytes are chosen. */
static void make_key(uint8_t key[MSG_SHA256], uint32_t set, uint32_t n)
{
	memset(key, 0x5a, MSG_SHA256);
	memcpy(key, &set, sizeof(set));
	memcpy(key + MSG_SHA256 - sizeof(n), &n, sizeof(n));
}

static struct vcache_entry blocked(const char *name)
{
	struct vcache_entry e = {.verdict = VERDICT_BLOCKED,
				 .reason = REASON_SIGNATURE};

	snprintf(e.name, sizeof(e.name), "%s", name);
	return e;
}

static void store(uint32_t set, uint32_t n, const char *name)
{
	struct vcache_entry e = blocked(name);
	uint8_t key[MSG_SHA256];

	make_key(key, set, n);
	vcache_store(vc, key, CLEAN_VARIANT, &e);
}

static bool found(uint32_t set, uint32_t n, const char *name)
{
	struct vcache_entry e;
	uint8_t key[MSG_SHA256];

	make_key(key, set, n);
	return vcache_find(vc, key, CLEAN_VARIANT, &e) &&
	       e.verdict == VERDICT_BLOCKED && e.reason == REASON_SIGNATURE &&
	       strcmp(e.name, name) == 0;
}

static void finds_what_was_stored(void **state)
{
	struct vcache_entry e = {.verdict = VERDICT_CLEAN}, out;
	uint8_t key[MSG_SHA256];

	(void)state;
	store(7, 1, "Eicar");
	assert_true(found(7, 1, "Eicar"));
	assert_false(found(7, 2, "Eicar"));
	store(7, 1, "Other"); /* the same key holds one entry */
	assert_true(found(7, 1, "Other"));
	assert_int_equal(vcache_entries(vc), 1);

	make_key(key, 9, 9);
	vcache_store(vc, key, 1, &e);
	assert_true(vcache_find(vc, key, 1, &out));
	assert_int_equal(out.verdict, VERDICT_CLEAN);
	assert_string_equal(out.name, "");
	assert_false(vcache_find(vc, key, 2, &out)); /* other codings */
}

static void an_epoch_voids_verdicts_but_not_urls(void **state)
{
	struct vcache_entry e = blocked("Eicar"), out;
	uint8_t key[MSG_SHA256];

	(void)state;
	make_key(key, 1, 1);
	store(1, 1, "Eicar");
	vcache_store_url(vc, key, 1000, &e);
	vcache_new_epoch(vc);
	assert_int_equal(vcache_entries(vc), 0);
	assert_false(found(1, 1, "Eicar"));
	assert_true(vcache_find_url(vc, key, 999, &out));
	assert_string_equal(out.name, "Eicar");
	assert_false(vcache_find_url(vc, key, 1000, &out));
}

static void a_restarted_writer_goes_on(void **state)
{
	struct vcache_entry e = blocked("Eicar"), out;
	uint8_t key[MSG_SHA256];

	(void)state;
	make_key(key, 3, 3);
	vcache_set_ready(vc, true);
	store(3, 3, "Eicar");
	vcache_store_url(vc, key, 1000, &e);
	vcache_attach(vc);
	assert_false(vcache_ready(vc));
	assert_false(found(3, 3, "Eicar"));
	assert_true(vcache_find_url(vc, key, 1, &out));
}

static void a_full_set_gives_up_the_oldest(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 9; n++)
		store(4, n, "Full");
	assert_false(found(4, 0, "Full"));
	for (uint32_t n = 1; n < 9; n++)
		assert_true(found(4, n, "Full"));
	/* What is void goes before what is old. */
	vcache_new_epoch(vc);
	store(4, 20, "New");
	for (uint32_t n = 21; n < 28; n++)
		store(4, n, "New");
	for (uint32_t n = 20; n < 28; n++)
		assert_true(found(4, n, "New"));
}

static void a_full_url_set_gives_up_what_ends_first(void **state)
{
	struct vcache_entry e = blocked("Url"), out;
	uint8_t key[MSG_SHA256];

	(void)state;
	for (uint32_t n = 0; n < 9; n++) {
		make_key(key, 5, n);
		vcache_store_url(vc, key, n == 4 ? 50 : 100 + n, &e);
	}
	for (uint32_t n = 0; n < 9; n++) {
		make_key(key, 5, n);
		assert_int_equal(vcache_find_url(vc, key, 10, &out), n != 4);
	}
	/* Storing a key again prolongs it, in one entry. */
	make_key(key, 5, 1);
	vcache_store_url(vc, key, 900, &e);
	assert_true(vcache_find_url(vc, key, 899, &out));
}

/* --- parts ------------------------------------------------------------------ */

#define HOUR 3600u

static struct msg_part part_of(uint32_t set, uint32_t n, uint64_t was,
			       uint64_t is)
{
	struct msg_part part = {.was.length = was, .is.length = is};

	make_key(part.key, set, n);
	memset(part.was.sha256, (int)was, MSG_SHA256);
	memset(part.is.sha256, (int)is, MSG_SHA256);
	return part;
}

/* The length that is known; 0: nothing is. */
static uint64_t part_known(uint32_t set, uint32_t n, uint64_t now_s)
{
	struct msg_part part = part_of(set, n, 0, 0);
	struct msg_beginning b;

	if (!vcache_find_part(vc, part.key, now_s, &b))
		return 0;
	assert_int_equal(b.sha256[0], b.length & 0xff);
	return b.length;
}

static void tell_part(uint64_t was, uint64_t is, uint64_t now_s)
{
	struct msg_part part = part_of(2, 2, was, is);

	vcache_store_part(vc, &part, now_s, now_s + HOUR);
}

static void a_part_goes_on_with_what_is_known(void **state)
{
	struct msg_part whole = part_of(2, 2, 0, 7);

	(void)state;
	assert_int_equal(part_known(2, 2, 1), 0);
	tell_part(0, 10, 1);
	assert_int_equal(part_known(2, 2, 1), 10);
	assert_int_equal(part_known(2, 3, 1), 0);
	tell_part(0, 20, 1); /* who knew nothing came too late */
	assert_int_equal(part_known(2, 2, 1), 10);
	tell_part(11, 20, 1);
	assert_int_equal(part_known(2, 2, 1), 10);
	tell_part(10, 20, 1);
	assert_int_equal(part_known(2, 2, 1), 20);
	tell_part(10, 20, 100); /* again: it lasts longer */
	assert_int_equal(part_known(2, 2, HOUR + 99), 20);
	assert_int_equal(part_known(2, 2, HOUR + 100), 0);
	whole.replaces = 1;
	vcache_store_part(vc, &whole, 1, HOUR);
	assert_int_equal(part_known(2, 2, 1), 7);
	tell_part(0, 30, HOUR); /* what has ended is no obstacle */
	assert_int_equal(part_known(2, 2, HOUR), 30);
	assert_int_equal(part_known(2, 2, 2 * HOUR), 0);
}

static void parts_outlive_epochs_and_writers(void **state)
{
	struct vcache_entry out;
	struct msg_part part = part_of(2, 2, 0, 10);

	(void)state;
	tell_part(0, 10, 1);
	vcache_new_epoch(vc);
	assert_int_equal(part_known(2, 2, 1), 10);
	vcache_attach(vc);
	assert_int_equal(part_known(2, 2, 1), 10);
	/* A table of its own. */
	assert_false(vcache_find_url(vc, part.key, 1, &out));
}

static void a_full_set_of_parts_gives_up_what_ends_first(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 9; n++) {
		struct msg_part part = part_of(5, n, 0, n + 1);

		vcache_store_part(vc, &part, 1, n == 4 ? 50 : 100 + n);
	}
	for (uint32_t n = 0; n < 9; n++)
		assert_int_equal(part_known(5, n, 10), n == 4 ? 0 : n + 1);
}

static void variants_differ(void **state)
{
	struct coding_list none = {.count = 0};
	struct coding_list gzip = {.coding = {CODING_GZIP}, .count = 1};
	struct coding_list both = {.coding = {CODING_GZIP, CODING_BR},
				   .count = 2};
	struct coding_list turned = {.coding = {CODING_BR, CODING_GZIP},
				     .count = 2};
	struct coding_list odd = {.count = 0, .unknown = true};
	struct str no = {NULL, 0};
	uint32_t v[] = {vcache_variant(&none, no), vcache_variant(&gzip, no),
			vcache_variant(&both, no), vcache_variant(&turned, no),
			vcache_variant(&odd, no),  VCACHE_NEVER};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(v[i], v[j]);
}

/* Two boundaries that any 32-bit key could confuse: neither gets one. */
static void forms_are_never_remembered(void **state)
{
	struct coding_list none = {.count = 0};
	uint32_t variant = vcache_variant(&none, STR("boundary"));
	struct vcache_entry e = {.verdict = VERDICT_CLEAN}, out;
	uint8_t key[MSG_SHA256];

	(void)state;
	make_key(key, 6, 1);
	vcache_store(vc, key, variant, &e);
	assert_int_equal(vcache_entries(vc), 0);
	assert_false(vcache_find(vc, key, variant, &out));
}

/* --- many processes --------------------------------------------------------- */

/* Every entry says in its name what its key and its verdict are. */
static void stress_entry(uint32_t key, uint32_t round, struct vcache_entry *e)
{
	memset(e, 0, sizeof(*e));
	e->verdict = round % 2 ? VERDICT_BLOCKED : VERDICT_NOT_SCANNED;
	e->reason = round % 2 ? REASON_SIGNATURE : REASON_SIZE;
	snprintf(e->name, sizeof(e->name), "%08x.%08x.%08x.%08x.%s", key, round,
		 key, round, round % 2 ? "odd" : "even");
}

static bool stress_entry_whole(uint32_t key, const struct vcache_entry *e)
{
	struct vcache_entry expected;
	uint32_t round = (uint32_t)strtoul(e->name + 9, NULL, 16);

	stress_entry(key, round, &expected);
	return memcmp(&expected, e, sizeof(expected)) == 0;
}

static _Noreturn void write_for_ever(void)
{
	for (uint32_t round = 0;; round++) {
		uint32_t k = round % STRESS_KEYS;
		struct vcache_entry e;
		uint8_t key[MSG_SHA256];

		stress_entry(k, round, &e);
		make_key(key, k % 2, k);
		vcache_store(vc, key, CLEAN_VARIANT, &e);
		vcache_store_url(vc, key, 1000 + round, &e);
		if (round % 100000 == 0)
			vcache_new_epoch(vc);
	}
}

/* 0: every hit was whole and there were hits. */
static int read_many(uint32_t seed)
{
	uint64_t hits = 0;

	for (uint32_t i = 0; i < READS; i++) {
		uint32_t k = (i + seed) % STRESS_KEYS;
		struct vcache_entry e;
		uint8_t key[MSG_SHA256];
		bool hit;

		make_key(key, k % 2, k);
		hit = i % 4 == 0 ? vcache_find_url(vc, key, 1, &e)
				 : vcache_find(vc, key, CLEAN_VARIANT, &e);
		if (hit && !stress_entry_whole(k, &e))
			return 1;
		hits += hit;
	}
	return hits > 1000 ? 0 : 2;
}

static pid_t start_writer(void)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* A failed assertion above must not leave it behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_for_ever();
	}
	return pid;
}

/*
 * Twelve million reads while one process writes without a pause, and while
 * that writer is killed and followed by another in the middle: a hit is always
 * a whole entry for the key that was asked for.
 */
static void readers_never_see_half_an_entry(void **state)
{
	pid_t writer = start_writer(), readers[READERS];
	int status;

	(void)state;
	for (uint32_t i = 0; i < READERS; i++) {
		readers[i] = fork();
		assert_int_not_equal(readers[i], -1);
		if (readers[i] == 0)
			_exit(read_many(i));
	}
	for (int i = 0; i < 20; i++) {
		usleep(20000);
		kill(writer, SIGKILL);
		assert_int_equal(waitpid(writer, NULL, 0), writer);
		vcache_attach(vc);
		writer = start_writer();
	}
	for (uint32_t i = 0; i < READERS; i++) {
		assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
}

/* Whatever the mapping holds, a reader says "miss" or gives a valid entry. */
static void noise_is_no_entry(void **state)
{
	unsigned int seed = 1;
	uint8_t *bytes = (uint8_t *)vc;

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < vcache_size(); i++) {
			seed = seed * 1103515245u + 12345u;
			bytes[i] = (uint8_t)(seed >> 16);
		}
		for (uint32_t n = 0; n < 2000; n++) {
			struct vcache_entry e;
			struct msg_beginning b;
			const uint8_t *key = bytes + 4096 + 128 * n + 8;

			if (vcache_find_part(vc, key, 1, &b))
				assert_int_not_equal(b.length, 0);
			if (vcache_find(vc, key, n, &e) ||
			    vcache_find_url(vc, key, 1, &e)) {
				assert_true(verdict_valid(e.verdict));
				assert_true(verdict_reason_valid(e.reason));
				assert_non_null(
					memchr(e.name, 0, MSG_NAME_MAX));
			}
		}
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_what_was_stored),
		TEST(an_epoch_voids_verdicts_but_not_urls),
		TEST(a_restarted_writer_goes_on),
		TEST(a_full_set_gives_up_the_oldest),
		TEST(a_full_url_set_gives_up_what_ends_first),
		TEST(a_part_goes_on_with_what_is_known),
		TEST(parts_outlive_epochs_and_writers),
		TEST(a_full_set_of_parts_gives_up_what_ends_first),
		cmocka_unit_test(variants_differ),
		TEST(forms_are_never_remembered),
		TEST(readers_never_see_half_an_entry),
		TEST(noise_is_no_entry),
	};

	return cmocka_run_group_tests_name("vcache", tests, NULL, NULL);
}
