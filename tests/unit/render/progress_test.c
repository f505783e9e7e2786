// SPDX-License-Identifier: GPL-2.0-or-later
/* The pieces that a page of progress is continued with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "render/progress.h"

static char text[PROGRESS_PIECE_MAX];

static const char *state(uint64_t received, uint64_t total)
{
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	progress_state(&sb, received, total);
	assert_false(sb.cut);
	assert_null(strstr(text, "<script"));
	return text;
}

static void shows(uint64_t received, uint64_t total, const char *percent,
		  const char *words)
{
	char wanted[200];

	snprintf(wanted, sizeof(wanted),
		 "<style class=\"state\">:root { --done: %s; } "
		 "#state::after { content: \"%s\"; }</style>\n",
		 percent, words);
	assert_string_equal(state(received, total), wanted);
}

static void how_far(void **state_)
{
	(void)state_;
	shows(0, 999, "0%", "0 bytes of 999 bytes are here.");
	shows(999, 1000, "99%", "999 bytes of 1.0 kB are here.");
	shows(1500000, 3000000, "50%", "1.5 MB of 3.0 MB are here.");
	shows(999949, 999950, "99%", "999.9 kB of 999.9 kB are here.");
	shows(1, 1000000, "0%", "1 bytes of 1.0 MB are here.");
	shows(5368709120, 5368709121, "99%", "5.3 GB of 5.3 GB are here.");
	shows(7, 7, "100%", "7 bytes are here and are being scanned.");
	shows(UINT64_MAX - 1, UINT64_MAX, "100%",
	      "18446744.0 TB of 18446744.0 TB are here.");
	shows(UINT64_MAX / 2, UINT64_MAX, "50%",
	      "9223372.0 TB of 18446744.0 TB are here.");
}

/* Two of the texts are the network's, or may be. */
static void its_ends(void **state_)
{
	struct strbuf sb;

	(void)state_;
	strbuf_init(&sb, text, sizeof(text));
	progress_offer(&sb, "All & well.", "/p/a%20b\"><script>");
	assert_false(sb.cut);
	assert_non_null(strstr(text, "All &amp; well."));
	assert_non_null(
		strstr(text, "href=\"/p/a%20b&quot;&gt;&lt;script&gt;\""));
	assert_non_null(strstr(text, "content=\"0; url=/p/a%20b&quot;&gt;"));
	assert_null(strstr(text, "<script"));

	strbuf_init(&sb, text, sizeof(text));
	progress_refuse(&sb, "No <b>", "It's <i>.", "e-1");
	assert_false(sb.cut);
	assert_non_null(strstr(text, "<h1>No &lt;b&gt;</h1>"));
	assert_null(strstr(text, "<i>"));
	assert_non_null(strstr(text, "<code>e-1</code>"));
	assert_null(strstr(text, "http-equiv"));
}

static void its_script(void **state_)
{
	struct strbuf sb;

	(void)state_;
	strbuf_init(&sb, text, sizeof(text));
	progress_start(&sb);
	assert_false(sb.cut);
	assert_memory_equal(text, "<script>\n", 9);
	assert_string_equal(text + strlen(text) - 10, "</script>\n");
	assert_null(strstr(text, "://"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_far),
		cmocka_unit_test(its_ends),
		cmocka_unit_test(its_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
