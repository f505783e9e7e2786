// SPDX-License-Identifier: GPL-2.0-or-later
/* What relays get from the scan role when nothing goes wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/sha.h>
#include <zlib.h>

#include "rig.h"

static struct rig rig;
static char eicar[EICAR_SIZE];

static int set_up(void **state)
{
	(void)state;
	eicar_fill(eicar);
	rig_init(&rig);
	rig_start(&rig);
	return 0;
}

static int tear_down(void **state)
{
	int status = rig_stop(&rig);

	(void)state;
	rig_remove(&rig);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void clean_and_blocked(void **state)
{
	static const char page[] = "<html><body>Nothing here</body></html>";
	struct msg_scanned a;
	uint8_t sha[MSG_SHA256];

	(void)state;
	assert_int_equal(rig_scan(&rig, page, sizeof(page), &a), VERDICT_CLEAN);
	assert_int_equal(a.reason, REASON_NONE);
	assert_string_equal(a.name, "");
	SHA256((const uint8_t *)page, sizeof(page), sha);
	assert_memory_equal(a.sha256, sha, sizeof(sha));

	assert_int_equal(rig_scan(&rig, eicar, sizeof(eicar), &a),
			 VERDICT_BLOCKED);
	assert_int_equal(a.reason, REASON_SIGNATURE);
	assert_string_equal(a.name, "Test.Eicar.UNOFFICIAL");
	assert_int_equal(rig_scan(&rig, "", 0, &a), VERDICT_CLEAN);
	assert_int_equal(rig_scan(&rig, "x", 1, &a), VERDICT_CLEAN);
	assert_true(vcache_ready(rig.cache));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clean_and_blocked, set_up,
						tear_down),
	};

	if (rig_missing() != NULL) {
		printf("ok 1 - scan role # SKIP %s\n", rig_missing());
		return 0;
	}
	return cmocka_run_group_tests_name("scan role", tests, NULL, NULL);
}
