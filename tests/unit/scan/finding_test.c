// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "scan/finding.h"

static void names(void **state)
{
	static const struct {
		const char *name;
		enum verdict verdict;
		enum reason reason;
	} table[] = {
		{"Eicar-Test.UNOFFICIAL", VERDICT_BLOCKED, REASON_SIGNATURE},
		{"Win.Trojan.Agent-1", VERDICT_BLOCKED, REASON_SIGNATURE},
		{"Heuristics.Phishing.Email.SpoofedDomain", VERDICT_BLOCKED,
		 REASON_SIGNATURE},
		{"Heuristics.W32.Parite.B", VERDICT_BLOCKED, REASON_SIGNATURE},
		{"PUA.Win.Tool", VERDICT_BLOCKED, REASON_SIGNATURE},
		{"Heuristics.Encrypted.Zip", VERDICT_NOT_SCANNED,
		 REASON_ENCRYPTED},
		{"Heuristics.Encrypted.PDF", VERDICT_NOT_SCANNED,
		 REASON_ENCRYPTED},
		{"Heuristics.Limits.Exceeded.MaxRecursion", VERDICT_NOT_SCANNED,
		 REASON_ARCHIVE_DEPTH},
		{"Heuristics.Limits.Exceeded.MaxFiles", VERDICT_NOT_SCANNED,
		 REASON_ARCHIVE_FILES},
		{"Heuristics.Limits.Exceeded.MaxFileSize", VERDICT_NOT_SCANNED,
		 REASON_ARCHIVE_SIZE},
		{"Heuristics.Limits.Exceeded.MaxScanSize", VERDICT_NOT_SCANNED,
		 REASON_ARCHIVE_SIZE},
		{"Heuristics.Limits.Exceeded.MaxScanTime", VERDICT_NOT_SCANNED,
		 REASON_SCANNER_TIMEOUT},
		{"Heuristics.Limits.Exceeded.EmailHeaders", VERDICT_NOT_SCANNED,
		 REASON_ARCHIVE_FILES},
		{"Heuristics.Limits.Exceeded", VERDICT_NOT_SCANNED,
		 REASON_ARCHIVE_SIZE},
		{"Heuristics.Limits.Exceeded.SomethingNew", VERDICT_NOT_SCANNED,
		 REASON_ARCHIVE_SIZE},
		{"Heuristics.Zip.OverlappingFiles", VERDICT_NOT_SCANNED,
		 REASON_RATIO},
		/* A signature that only looks like one of those. */
		{"Heuristics.EncryptedStuff", VERDICT_BLOCKED,
		 REASON_SIGNATURE},
		{"My.Heuristics.Encrypted.Zip", VERDICT_BLOCKED,
		 REASON_SIGNATURE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct finding f;

		finding_of_name(&f, table[i].name);
		assert_int_equal(f.verdict, table[i].verdict);
		assert_int_equal(f.reason, table[i].reason);
		assert_string_equal(f.name, table[i].name);
		assert_true(finding_valid(f.verdict, f.reason, f.name));
	}
}

/* A name comes from a database that others write. */
static void odd_names(void **state)
{
	char name[300];
	struct finding f;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	finding_of_name(&f, name);
	assert_int_equal(strlen(f.name), MSG_NAME_MAX - 1);
	finding_of_name(&f, "a b\n\x1b[31m\xff");
	assert_string_equal(f.name, "a_b__[31m_");
	finding_of_name(&f, "");
	assert_int_equal(f.verdict, VERDICT_BLOCKED);
	assert_true(finding_valid(f.verdict, f.reason, f.name));
}

static void merging(void **state)
{
	struct finding clean, size, coding, blocked, all;

	(void)state;
	finding_clean(&clean);
	finding_not_scanned(&size, REASON_SIZE);
	finding_not_scanned(&coding, REASON_CODING);
	finding_of_name(&blocked, "Eicar");

	all = clean;
	finding_merge(&all, &clean);
	assert_int_equal(all.verdict, VERDICT_CLEAN);
	finding_merge(&all, &size);
	finding_merge(&all, &coding); /* the first reason stays */
	finding_merge(&all, &clean);
	assert_int_equal(all.reason, REASON_SIZE);
	finding_merge(&all, &blocked);
	finding_merge(&all, &coding);
	assert_string_equal(all.name, "Eicar");
}

static void lasting(void **state)
{
	struct finding f;

	(void)state;
	finding_clean(&f);
	assert_true(finding_lasting(&f));
	finding_not_scanned(&f, REASON_ENCRYPTED);
	assert_true(finding_lasting(&f));
	finding_not_scanned(&f, REASON_SCANNER_TIMEOUT);
	assert_false(finding_lasting(&f));
	finding_not_scanned(&f, REASON_SCANNER_FAILED);
	assert_false(finding_lasting(&f));
	finding_not_scanned(&f, REASON_STORAGE);
	assert_false(finding_lasting(&f));
}

/* What a worker that was taken over may say. */
static void impossible_values(void **state)
{
	char name[MSG_NAME_MAX] = "x", full[MSG_NAME_MAX];

	(void)state;
	memset(full, 'x', sizeof(full));
	assert_true(finding_valid(VERDICT_CLEAN, REASON_NONE, name));
	assert_false(finding_valid(VERDICT_CLEAN, REASON_SIGNATURE, name));
	assert_false(finding_valid(VERDICT_PASSED, REASON_NONE, name));
	assert_false(finding_valid(VERDICT_COUNT, REASON_NONE, name));
	assert_false(finding_valid(VERDICT_BLOCKED, REASON_INFECTED_URL, name));
	assert_false(finding_valid(VERDICT_NOT_SCANNED, REASON_NONE, name));
	assert_false(finding_valid(VERDICT_NOT_SCANNED, REASON_CONNECT, name));
	assert_false(finding_valid(VERDICT_NOT_SCANNED, REASON_COUNT, name));
	assert_true(
		finding_valid(VERDICT_NOT_SCANNED, REASON_UNSUPPORTED, name));
	assert_false(finding_valid(VERDICT_BLOCKED, REASON_SIGNATURE, full));
	name[0] = '\n';
	assert_false(finding_valid(VERDICT_BLOCKED, REASON_SIGNATURE, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(odd_names),
		cmocka_unit_test(merging),
		cmocka_unit_test(lasting),
		cmocka_unit_test(impossible_values),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
