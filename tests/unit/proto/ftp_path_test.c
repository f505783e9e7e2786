// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "proto/ftp_path.h"

static void entered(void **state)
{
	static const struct {
		const char *from, *argument, *to;
	} rows[] = {
		{"", "pub", "pub"},
		{"pub", "new", "pub/new"},
		{"pub", "new/", "pub/new"},
		{"pub/new", "..", "pub"},
		{"pub", "..", ""},
		{"", "..", ""},
		{"pub", "/", "/"},
		{"/", "..", "/"},
		{"/", "pub", "/pub"},
		{"/pub", "..", "/"},
		{"/pub/new", "../old/./x", "/pub/old/x"},
		{"pub", "//srv///ftp", "/srv/ftp"},
		{"/pub", "", "/pub"},
		{"/pub", "...", "/pub/..."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ftp_path path = {{0}};

		str_copy(path.text, sizeof(path.text), rows[i].from);
		ftp_path_enter(&path, str_of(rows[i].argument));
		assert_string_equal(path.text, rows[i].to);
	}
}

static void too_long_is_left_alone(void **state)
{
	struct ftp_path path = {"pub"};
	static char name[FTP_PATH_MAX];
	char url[2 * FTP_PATH_MAX];
	struct strbuf sb;

	(void)state;
	memset(name, 'x', sizeof(name));
	ftp_path_enter(&path, (struct str){name, sizeof(name) - 5});
	assert_int_equal(strlen(path.text), FTP_PATH_MAX - 1);
	ftp_path_enter(&path, STR("y"));
	assert_int_equal(strlen(path.text), FTP_PATH_MAX - 1);
	strbuf_init(&sb, url, sizeof(url));
	ftp_path_url(&sb, &path, STR("file"));
	assert_string_equal(url, "/file");
}

static void told_by_the_server(void **state)
{
	static const struct {
		const char *text, *to;
	} rows[] = {
		{"\"/pub\" is the current directory", "/pub"},
		{"\"/a \"\"b\"\" c\"", "/a \"b\" c"},
		{"\"/\"", "/"},
		{"\"/a/../b/\"", "/b"},
		{"/pub is it", "was"},
		{"\"pub\"", "was"},
		{"\"/pub", "was"},
		{"", "was"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ftp_path path = {"was"};

		ftp_path_is(&path, str_of(rows[i].text));
		assert_string_equal(path.text, rows[i].to);
	}
}

static void as_an_url(void **state)
{
	static const struct {
		const char *path, *argument, *url;
	} rows[] = {
		{"", "file.zip", "/file.zip"},
		{"pub", "file.zip", "/pub/file.zip"},
		{"/pub", "file.zip", "/%2Fpub/file.zip"},
		{"pub", "/etc/motd", "/%2Fetc/motd"},
		{"", "a b%?#\xc3\xa4", "/a%20b%25%3F%23%C3%A4"},
		{"", "", "/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ftp_path path = {{0}};
		char url[256];
		struct strbuf sb;

		str_copy(path.text, sizeof(path.text), rows[i].path);
		strbuf_init(&sb, url, sizeof(url));
		ftp_path_url(&sb, &path, str_of(rows[i].argument));
		assert_string_equal(url, rows[i].url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entered),
		cmocka_unit_test(too_long_is_left_alone),
		cmocka_unit_test(told_by_the_server),
		cmocka_unit_test(as_an_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
