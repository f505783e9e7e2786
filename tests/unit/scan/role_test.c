// SPDX-License-Identifier: GPL-2.0-or-later
/* What relays get from the scan role when nothing goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/sha.h>
#include <sys/stat.h>
#include <zlib.h>

#include "rig.h"

static struct rig rig;
static char eicar[EICAR_SIZE];
static const char page[] = "<html><body>Nothing here</body></html>";

static int set_up(void **state)
{
	(void)state;
	eicar_fill(eicar);
	rig_init(&rig);
	rig_start(&rig);
	return rig_await(&rig, SCAN_WORKERS, 2) ? 0 : -1;
}

static int tear_down(void **state)
{
	int status = rig_stop(&rig);

	(void)state;
	rig_remove(&rig);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void hash(const void *data, size_t size, uint8_t sha[MSG_SHA256])
{
	SHA256(data, size, sha);
}

static void clean_and_blocked(void **state)
{
	struct msg_scanned a;
	uint8_t sha[MSG_SHA256];

	(void)state;
	assert_int_equal(rig_scan(&rig, page, sizeof(page), &a), VERDICT_CLEAN);
	assert_int_equal(a.reason, REASON_NONE);
	assert_string_equal(a.name, "");
	hash(page, sizeof(page), sha);
	assert_memory_equal(a.sha256, sha, sizeof(sha));

	assert_int_equal(rig_scan(&rig, eicar, sizeof(eicar), &a),
			 VERDICT_BLOCKED);
	assert_int_equal(a.reason, REASON_SIGNATURE);
	assert_string_equal(a.name, "Test.Eicar.UNOFFICIAL");
	assert_int_equal(rig_scan(&rig, "", 0, &a), VERDICT_CLEAN);
	assert_int_equal(rig_scan(&rig, "x", 1, &a), VERDICT_CLEAN);
	assert_true(vcache_ready(rig.cache));
}

/* Sizes around the boundaries of reading, mapping and hashing. */
static void sizes(void **state)
{
	static const size_t list[] = {
		5,	  6,	    4095,   4096,   32767,   32768,
		32769,	  262143,   262144, 262145, 1 << 20, (1 << 20) + 1,
		4u << 20, 20u << 20};
	char *data = malloc(32u << 20);
	struct msg_scanned a;
	uint8_t sha[MSG_SHA256];

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		memset(data, 'a' + (int)i, list[i]);
		assert_int_equal(rig_scan(&rig, data, list[i], &a),
				 VERDICT_CLEAN);
		hash(data, list[i], sha);
		assert_memory_equal(a.sha256, sha, sizeof(sha));
		if (list[i] < sizeof(eicar))
			continue;
		/* In the last bytes, so that all are looked at. */
		memcpy(data + list[i] - sizeof(eicar), eicar, sizeof(eicar));
		assert_int_equal(rig_scan(&rig, data, list[i], &a),
				 VERDICT_BLOCKED);
	}
	free(data);
}

/* Whether a process has the role's directory in memory in its mounts. */
static bool has_memory(pid_t pid)
{
	char path[64], line[1024];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		found |= strstr(line, "/scan-mem ") != NULL;
	fclose(f);
	return found;
}

/* Temporary files of small objects are in memory that nobody else sees. */
static void memory_of_its_own(void **state)
{
	(void)state;
	assert_true(has_memory(rig.pid));
	assert_false(has_memory(getpid()));
}

/* --- codings and forms ------------------------------------------------------- */

static size_t gzip(const void *src, size_t len, uint8_t *dst, size_t room)
{
	z_stream z = {.next_in = (Bytef *)src,
		      .avail_in = (uInt)len,
		      .next_out = dst,
		      .avail_out = (uInt)room};

	assert_int_equal(
		deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY),
		Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static void ask_gzip(const void *src, size_t len, struct msg_scanned *a)
{
	struct msg_scan msg = {
		.id = 7, .codings = {.coding = {CODING_GZIP}, .count = 1}};
	uint8_t *coded = malloc(len + 1000);
	int fd;

	assert_non_null(coded);
	msg.size = gzip(src, len, coded, len + 1000);
	fd = rig_memfd(coded, msg.size);
	rig_ask(&rig, 0, &msg, fd);
	close(fd);
	free(coded);
	assert_true(rig_answer(&rig, 0, a));
	assert_int_equal(a->id, 7);
}

static void content_codings(void **state)
{
	size_t large = 30u << 20;
	char *zeros = calloc(1, large);
	struct msg_scanned a;

	(void)state;
	assert_non_null(zeros);
	ask_gzip(page, sizeof(page), &a);
	assert_int_equal(a.verdict, VERDICT_CLEAN);
	ask_gzip(eicar, sizeof(eicar), &a);
	assert_int_equal(a.verdict, VERDICT_BLOCKED);
	/* A thousandfold, and more than scan.memory. */
	ask_gzip(zeros, large, &a);
	assert_int_equal(a.verdict, VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_RATIO);
	/* Spilled to disk on the way, and looked at as far as it came. */
	for (size_t i = 0; i < large; i++)
		zeros[i] = (char)(i * 2654435761u >> 13);
	memcpy(zeros + (20u << 20), eicar, sizeof(eicar));
	ask_gzip(zeros, large, &a);
	assert_int_equal(a.verdict, VERDICT_BLOCKED);
	free(zeros);
}

static void ask_form(const char *body, struct msg_scanned *a)
{
	struct msg_scan msg = {.id = 8, .size = strlen(body)};
	int fd = rig_memfd(body, msg.size);

	msg.boundary_len = 2;
	memcpy(msg.boundary, "Xy", 2);
	rig_ask(&rig, 0, &msg, fd);
	close(fd);
	assert_true(rig_answer(&rig, 0, a));
}

static void form_data(void **state)
{
#define FIELD "Content-Disposition: form-data; name=\"f\"\r\n"
	char body[2048];
	struct msg_scanned a;

	(void)state;
	ask_form("--Xy\r\n" FIELD "\r\nhello\r\n--Xy--\r\n", &a);
	assert_int_equal(a.verdict, VERDICT_CLEAN);

	snprintf(body, sizeof(body),
		 "--Xy\r\n" FIELD "\r\nhello\r\n--Xy\r\n" FIELD
		 "\r\n%.68s\r\n--Xy--\r\n",
		 eicar);
	ask_form(body, &a);
	assert_int_equal(a.verdict, VERDICT_BLOCKED);

	/* The words that the database knows, in base64. */
	ask_form("--Xy\r\n" FIELD "Content-Transfer-Encoding: base64\r\n\r\n"
		 "dGhpcnRlZW4tYmFkLXdvcmRz\r\n--Xy--\r\n",
		 &a);
	assert_int_equal(a.verdict, VERDICT_BLOCKED);
	assert_string_equal(a.name, "Test.Words.UNOFFICIAL");

	ask_form("--Xy\r\n" FIELD
		 "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		 "thirteen=2Dbad=\r\n-words\r\n--Xy--\r\n",
		 &a);
	assert_int_equal(a.verdict, VERDICT_BLOCKED);

	ask_form("--Xy\r\n" FIELD "\r\nno end", &a);
	assert_int_equal(a.verdict, VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_MULTIPART);

	snprintf(body, sizeof(body), "--Xy\r\n" FIELD "\r\n%.68s", eicar);
	ask_form(body, &a);
	assert_int_equal(a.verdict, VERDICT_BLOCKED);
	ask_form("", &a);
	assert_int_equal(a.verdict, VERDICT_CLEAN);
}

/* --- the cache --------------------------------------------------------------- */

static bool cached(const void *data, size_t size, struct vcache_entry *e)
{
	struct coding_list none = {.count = 0};
	uint8_t sha[MSG_SHA256];

	hash(data, size, sha);
	return vcache_find(rig.cache, sha,
			   vcache_variant(&none, (struct str){NULL, 0}), e);
}

static void verdicts_are_kept(void **state)
{
	struct vcache_entry e;
	struct msg_scanned a;

	(void)state;
	assert_false(cached(eicar, sizeof(eicar), &e));
	rig_scan(&rig, eicar, sizeof(eicar), &a);
	assert_true(cached(eicar, sizeof(eicar), &e));
	assert_int_equal(e.verdict, VERDICT_BLOCKED);
	assert_string_equal(e.name, "Test.Eicar.UNOFFICIAL");
	rig_scan(&rig, page, sizeof(page), &a);
	assert_true(cached(page, sizeof(page), &e));
	assert_int_equal(e.verdict, VERDICT_CLEAN);
	assert_int_equal(stats_get(rig.stats, SCAN_CACHE_ENTRIES), 2);
}

/* The same bytes under a coding are another question. */
static void a_coding_is_part_of_the_key(void **state)
{
	struct msg_scan msg = {.id = 1,
			       .size = sizeof(page),
			       .codings = {.count = 1, .coding = {CODING_BR}}};
	struct vcache_entry e;
	struct msg_scanned a;
	int fd = rig_memfd(page, sizeof(page));

	(void)state;
	rig_ask(&rig, 0, &msg, fd);
	close(fd);
	assert_true(rig_answer(&rig, 0, &a));
	assert_int_equal(a.verdict, VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_CODING);
	assert_false(cached(page, sizeof(page), &e));
}

/* @fd holds @data; its verdict, and whether it was kept. */
static bool scan_fd(int fd, const char *data, struct msg_scanned *a)
{
	struct msg_scan msg = {.id = 2, .size = strlen(data)};
	struct vcache_entry e;

	rig_ask(&rig, 0, &msg, fd);
	assert_true(rig_answer(&rig, 0, a));
	assert_int_equal(a->verdict, VERDICT_CLEAN);
	return cached(data, strlen(data), &e);
}

static int write_object(const char *data, char path[128])
{
	int fd;

	rig_path(&rig, "object", path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fchown(fd, RIG_UID, RIG_GID), 0);
	assert_int_equal(write(fd, data, strlen(data)), strlen(data));
	return fd;
}

/* Only what nobody can change any more is worth remembering. */
static void loose_objects_are_not_kept(void **state)
{
	int memfd = memfd_create("loose", MFD_ALLOW_SEALING), rw, ro;
	struct msg_scanned a;
	char path[128];

	(void)state;
	assert_int_equal(write(memfd, "not sealed", 10), 10);
	assert_false(scan_fd(memfd, "not sealed", &a));
	close(memfd);

	rw = write_object("somebody can write", path);
	ro = open(path, O_RDONLY);
	unlink(path);
	assert_false(scan_fd(ro, "somebody can write", &a));
	close(rw);
	/* The writer has gone: now it is worth it. */
	assert_true(scan_fd(ro, "somebody can write", &a));
	close(ro);
}

static void infected_urls_are_remembered(void **state)
{
	struct msg_scan msg = {.id = 3,
			       .size = sizeof(eicar),
			       .remember_url = 1,
			       .url_key = {1, 2, 3}};
	struct vcache_entry e;
	struct msg_scanned a;
	uint64_t now = (uint64_t)time(NULL);
	int fd = rig_memfd(eicar, sizeof(eicar));

	(void)state;
	rig_ask(&rig, 1, &msg, fd);
	close(fd);
	assert_true(rig_answer(&rig, 1, &a));
	assert_true(vcache_find_url(rig.cache, msg.url_key, now, &e));
	assert_string_equal(e.name, "Test.Eicar.UNOFFICIAL");
	assert_false(vcache_find_url(rig.cache, msg.url_key, now + 3700, &e));

	msg.url_key[0] = 9;
	msg.size = sizeof(page);
	fd = rig_memfd(page, sizeof(page));
	rig_ask(&rig, 1, &msg, fd);
	close(fd);
	assert_true(rig_answer(&rig, 1, &a));
	assert_false(vcache_find_url(rig.cache, msg.url_key, now, &e));
}

/* --- limits ------------------------------------------------------------------- */

static void too_large(void **state)
{
	size_t size = rig.config.scan.max_object + 1;
	char *data = calloc(1, size);
	struct msg_scanned a;

	(void)state;
	assert_non_null(data);
	memcpy(data, eicar, sizeof(eicar));
	assert_int_equal(rig_scan(&rig, data, size, &a), VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_SIZE);
	free(data);
}

/* --- many at once -------------------------------------------------------------- */

#define MANY 1000

/* What request @i holds; every third is infected. */
static size_t many_object(uint32_t i, char *dst)
{
	size_t n = (size_t)snprintf(dst, 8192, "object %u ", i);

	memset(dst + n, 'x', i * 7 % 4000);
	n += i * 7 % 4000;
	if (i % 3 == 0) {
		memcpy(dst + n, eicar, sizeof(eicar));
		n += sizeof(eicar);
	}
	return n;
}

static void a_thousand_from_three_relays(void **state)
{
	static bool seen[RIG_RELAYS * MANY];
	char object[8192];

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < RIG_RELAYS * MANY; i++)
		rig_ask_bytes(&rig, (int)(i % RIG_RELAYS), i, object,
			      many_object(i, object));
	for (uint32_t i = 0; i < RIG_RELAYS * MANY; i++) {
		struct msg_scanned a;

		assert_true(rig_answer(&rig, (int)(i % RIG_RELAYS), &a));
		assert_true(a.id < RIG_RELAYS * MANY);
		assert_int_equal(a.id % RIG_RELAYS, i % RIG_RELAYS);
		assert_false(seen[a.id]);
		seen[a.id] = true;
		assert_int_equal(a.verdict, a.id % 3 == 0 ? VERDICT_BLOCKED
							  : VERDICT_CLEAN);
	}
	assert_int_equal(stats_get(rig.stats, SCAN_QUEUED), 0);
	assert_int_equal(stats_get(rig.stats, SCAN_WORKER_DEATHS), 0);
	assert_true(stats_get(rig.stats, SCAN_DONE) >= RIG_RELAYS * MANY);
}

/* Whoever asks for one thing doesn't wait for all that others asked for. */
static void turns_go_round(void **state)
{
	char object[8192];
	struct msg_scanned a;
	struct pollfd pfd = {.events = POLLIN};
	unsigned int waiting = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		rig_ask_bytes(&rig, 0, i, object,
			      many_object(3 * i + 1, object));
	rig_ask_bytes(&rig, 1, 1, object, many_object(5, object));
	assert_true(rig_answer(&rig, 1, &a));
	/* Most of the other's are still to come. */
	for (uint32_t i = 0; i < MANY; i++) {
		pfd.fd = rig.relay[0];
		waiting += poll(&pfd, 1, 0) == 0;
		assert_true(rig_answer(&rig, 0, &a));
	}
	assert_true(waiting > 0);
}

static void a_cancelled_request_is_not_answered(void **state)
{
	struct msg_scan_cancel cancel = {.id = 500};
	char object[8192];
	struct msg_scanned a;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		rig_ask_bytes(&rig, 0, i, object, many_object(i, object));
	rig_send(rig.relay[0], MSG_SCAN_CANCEL, &cancel, sizeof(cancel), NULL,
		 0);
	cancel.id = 1u << 30; /* unknown: nothing happens */
	rig_send(rig.relay[0], MSG_SCAN_CANCEL, &cancel, sizeof(cancel), NULL,
		 0);
	/* All are cancelled late or answered, and the channel works. */
	for (uint32_t i = 0; i + 1 < MANY; i++)
		assert_true(rig_answer(&rig, 0, &a));
	rig_ask_bytes(&rig, 0, 4242, page, sizeof(page));
	do
		assert_true(rig_answer(&rig, 0, &a));
	while (a.id != 4242);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clean_and_blocked),
		TEST(sizes),
		TEST(memory_of_its_own),
		TEST(content_codings),
		TEST(form_data),
		TEST(verdicts_are_kept),
		TEST(a_coding_is_part_of_the_key),
		TEST(loose_objects_are_not_kept),
		TEST(infected_urls_are_remembered),
		TEST(too_large),
		TEST(a_thousand_from_three_relays),
		TEST(turns_go_round),
		TEST(a_cancelled_request_is_not_answered),
	};

	if (rig_missing() != NULL) {
		printf("ok 1 - scan role # SKIP %s\n", rig_missing());
		return 0;
	}
	return cmocka_run_group_tests_name("scan role", tests, NULL, NULL);
}
