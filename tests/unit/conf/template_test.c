// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conf/template.h"
#include "conf/value.h"
#include "guard.h"

#define PLACEHOLDERS                                                    \
	"{{url}} {{host}} {{client}} {{name}} {{reason}} {{sentence}} " \
	"{{time}} {{event}} {{status}} {{status_text}} {{version}}"

static struct config config;
static struct config_errors errs;

/* Whether it was taken. */
static bool set_page(const char *text)
{
	uint8_t *copy = guard_copy(text, strlen(text) + 1);

	config_errors_init(&errs);
	config_set_page(&config, CONFIG_PAGE_BLOCK, "p/block.html",
			(const char *)copy, &errs);
	guard_free(copy, strlen(text) + 1);
	return errs.count == 0;
}

static void refuses(const char *text, const char *want)
{
	assert_false(set_page(text));
	assert_int_equal(errs.count, 1);
	assert_string_equal(errs.list[0].text, want);
	/* The page before stays. */
	assert_string_equal(config.page_block, "before");
}

static int start(void **state)
{
	(void)state;
	config_set_defaults(&config);
	return set_page("before") ? 0 : -1;
}

static void good_pages(void **state)
{
	(void)state;
	assert_true(set_page("<p>" PLACEHOLDERS "</p>"));
	assert_string_equal(config.page_block, "<p>" PLACEHOLDERS "</p>");
	assert_true(set_page("{ } {a} }} {{url}}}}"));
	assert_string_equal(config.page_block, "{ } {a} }} {{url}}}}");
	assert_true(set_page("x"));
	assert_memory_equal(config.page_block, "x\0\0\0\0\0", 7);
}

static void unknown_placeholders(void **state)
{
	static const char *const bad[] = {"{{}}", "{{ url }}", "{{URL}}",
					  "{{urls}}", "{{{url}}}"};
	static const char *const shown[] = {"{{}}", "{{ url }}", "{{URL}}",
					    "{{urls}}", "{{{url}}"};
	char want[CONFIG_ERROR_MAX];
	struct strbuf sb;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		char text[32];

		strbuf_init(&sb, text, sizeof(text));
		strbuf_printf(&sb, "a\n\n%s\n", bad[i]);
		strbuf_init(&sb, want, sizeof(want));
		strbuf_printf(&sb,
			      "p/block.html:3: %s: want one of " PLACEHOLDERS,
			      shown[i]);
		refuses(text, want);
	}
}

static void broken_pages(void **state)
{
	static char page[CONFIG_PAGE_MAX + 1];

	(void)state;
	refuses("a\n{{url",
		"p/block.html:2: {{ without }}: want both on one line");
	refuses("{{url\n}}",
		"p/block.html:1: {{ without }}: want both on one line");
	refuses("{{url}",
		"p/block.html:1: {{ without }}: want both on one line");
	refuses("", "p/block.html:1: the page is empty: want HTML, or no file "
		    "for the built-in page");
	memset(page, 'x', CONFIG_PAGE_MAX);
	refuses(page, "p/block.html:1: the page is too large: want at most "
		      "16383 bytes");
	page[CONFIG_PAGE_MAX - 1] = '\0';
	assert_true(set_page(page));
	assert_string_equal(config.page_block, page);
}

static void placeholders_have_a_bound(void **state)
{
	char page[TEMPLATE_PLACEHOLDERS * 8 + 16];
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, page, sizeof(page));
	for (int i = 0; i < TEMPLATE_PLACEHOLDERS; i++)
		strbuf_puts(&sb, "{{url}}\n");
	assert_true(set_page(page));
	assert_true(set_page("before"));
	strbuf_puts(&sb, "{{url}}");
	refuses(page, "p/block.html:33: too many placeholders: want at most "
		      "32");
}

/* All that is wrong with a page, and never more than fits. */
static void several_mistakes(void **state)
{
	static char page[CONFIG_PAGE_MAX];

	(void)state;
	assert_false(set_page("{{a}}\n{{b}}{{url\n"));
	assert_int_equal(errs.count, 3);
	assert_int_equal(errs.list[0].line, 1);
	assert_int_equal(errs.list[1].line, 2);
	assert_int_equal(errs.list[2].line, 2);
	memset(page, '{', sizeof(page) - 1);
	assert_false(set_page(page));
	assert_int_equal(errs.count, CONFIG_ERRORS);
	assert_true(errs.more > 0);
	/* A list that is full already is no excuse. */
	config_set_page(&config, CONFIG_PAGE_BLOCK, "p", "{{x}}", &errs);
	assert_string_equal(config.page_block, "before");
}

static void the_other_page(void **state)
{
	(void)state;
	config_errors_init(&errs);
	config_set_page(&config, CONFIG_PAGE_ERROR, "e", "error", &errs);
	assert_int_equal(errs.count, 0);
	assert_string_equal(config.page_error, "error");
	assert_string_equal(config.page_block, "before");
	config_set_page(&config, CONFIG_PAGE_ERROR, "e", "{{x}}", &errs);
	assert_int_equal(errs.count, 1);
	assert_memory_equal(errs.list[0].text, "e:1: {{x}}: want one of", 23);
	assert_string_equal(config.page_error, "error");
}

static void built_in_pages(void **state)
{
	static struct config c;

	(void)state;
	config_set_default_pages(&c);
	assert_in_range(strlen(c.page_block), 500, 4095);
	assert_in_range(strlen(c.page_error), 500, 4095);
	assert_true(set_page(c.page_block));
	assert_true(set_page(c.page_error));
	/* Nothing is fetched and nothing runs; a placeholder is text. */
	assert_null(strstr(c.page_block, "<script"));
	assert_null(strstr(c.page_block, "://"));
	assert_null(strstr(c.page_block, "=\"{{"));
	assert_null(strstr(c.page_error, "<script"));
	assert_null(strstr(c.page_error, "://"));
	assert_null(strstr(c.page_error, "=\"{{"));
}

/* It stays open, so nothing that is appended may be inside of anything. */
static void the_page_of_progress(void **state)
{
	static struct config c;

	(void)state;
	config_set_default_pages(&c);
	assert_in_range(strlen(c.page_progress), 1024, 4095);
	assert_true(set_page(c.page_progress));
	assert_null(strstr(c.page_progress, "://"));
	assert_null(strstr(c.page_progress, "=\"{{"));
	assert_null(strstr(c.page_progress, "</main>"));
	assert_null(strstr(c.page_progress, "</body>"));
	assert_non_null(strstr(c.page_progress, "id=\"waiting\""));
	assert_non_null(strstr(c.page_progress, "id=\"state\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(good_pages, start),
		cmocka_unit_test_setup(unknown_placeholders, start),
		cmocka_unit_test_setup(broken_pages, start),
		cmocka_unit_test_setup(placeholders_have_a_bound, start),
		cmocka_unit_test_setup(several_mistakes, start),
		cmocka_unit_test_setup(the_other_page, start),
		cmocka_unit_test_setup(built_in_pages, start),
		cmocka_unit_test_setup(the_page_of_progress, start),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
