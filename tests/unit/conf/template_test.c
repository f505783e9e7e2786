// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
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

static int set_page(struct str text)
{
	/* A view that ends at a guard page, as it need not end in NUL. */
	uint8_t *copy = guard_copy(text.p, text.len);
	int ret;

	config_errors_init(&errs);
	ret = config_set_page(&config, CONFIG_PAGE_BLOCK,
			      (struct str){(char *)copy, text.len}, &errs);
	guard_free(copy, text.len);
	return ret;
}

static void refuses(struct str text, const char *want)
{
	assert_int_equal(set_page(text), -EINVAL);
	assert_int_equal(errs.count, 1);
	assert_string_equal(errs.list[0].text, want);
	/* The page before stays. */
	assert_string_equal(config.page_block, "before");
}

static int start(void **state)
{
	(void)state;
	config_set_defaults(&config);
	return set_page(STR("before"));
}

static void good_pages(void **state)
{
	(void)state;
	assert_int_equal(set_page(STR("<p>" PLACEHOLDERS "</p>")), 0);
	assert_string_equal(config.page_block, "<p>" PLACEHOLDERS "</p>");
	assert_int_equal(set_page(STR("{ } {a} }} {{url}}}}")), 0);
	assert_string_equal(config.page_block, "{ } {a} }} {{url}}}}");
	assert_int_equal(set_page(STR("x")), 0);
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
		strbuf_printf(
			&sb,
			"/etc/sluice/pages/block.html:3: %s: want one of " PLACEHOLDERS,
			shown[i]);
		refuses(str_of(text), want);
	}
}

static void broken_pages(void **state)
{
	static char page[CONFIG_PAGE_MAX];

	(void)state;
	refuses(STR("a\n{{url"), "/etc/sluice/pages/block.html:2: {{ without "
				 "}}: want both on one line");
	refuses(STR("{{url\n}}"), "/etc/sluice/pages/block.html:1: {{ without "
				  "}}: want both on one line");
	refuses(STR("{{url}"), "/etc/sluice/pages/block.html:1: {{ without "
			       "}}: want both on one line");
	refuses(STR("a\nb\0c"), "/etc/sluice/pages/block.html:2: a NUL byte: "
				"want a page of text");
	refuses(STR(""), "/etc/sluice/pages/block.html:1: the page is empty: "
			 "want HTML, or no file for the built-in page");
	memset(page, 'x', sizeof(page));
	refuses((struct str){page, sizeof(page)},
		"/etc/sluice/pages/block.html:1: the page is too large: want "
		"at most 16383 bytes");
	assert_int_equal(set_page((struct str){page, CONFIG_PAGE_MAX - 1}), 0);
	assert_int_equal(strlen(config.page_block), CONFIG_PAGE_MAX - 1);
}

static void placeholders_have_a_bound(void **state)
{
	char page[TEMPLATE_PLACEHOLDERS * 8 + 16];
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, page, sizeof(page));
	for (int i = 0; i < TEMPLATE_PLACEHOLDERS; i++)
		strbuf_puts(&sb, "{{url}}\n");
	assert_int_equal(set_page((struct str){page, sb.len}), 0);
	assert_int_equal(start(NULL), 0);
	strbuf_puts(&sb, "{{url}}");
	refuses((struct str){page, sb.len},
		"/etc/sluice/pages/block.html:33: too many placeholders: want "
		"at most 32");
}

/* All that is wrong with a page, and never more than fits. */
static void several_mistakes(void **state)
{
	static char page[CONFIG_PAGE_MAX];

	(void)state;
	assert_int_equal(set_page(STR("{{a}}\n{{b}}{{url\n")), -EINVAL);
	assert_int_equal(errs.count, 3);
	assert_int_equal(errs.list[0].line, 1);
	assert_int_equal(errs.list[1].line, 2);
	assert_int_equal(errs.list[2].line, 2);
	memset(page, '{', sizeof(page));
	assert_int_equal(set_page((struct str){page, sizeof(page)}), -EINVAL);
	assert_int_equal(errs.count, CONFIG_ERRORS);
	assert_true(errs.more > 0);
}

static void the_other_page(void **state)
{
	(void)state;
	config_errors_init(&errs);
	assert_int_equal(config_set_page(&config, CONFIG_PAGE_ERROR,
					 STR("error"), &errs),
			 0);
	assert_string_equal(config.page_error, "error");
	assert_string_equal(config.page_block, "before");
	assert_int_equal(config_set_page(&config, CONFIG_PAGE_ERROR,
					 STR("{{x}}"), &errs),
			 -EINVAL);
	assert_memory_equal(errs.list[0].text,
			    "/etc/sluice/pages/error.html:1: {{x}}: ", 39);
}

static void built_in_pages(void **state)
{
	static struct config c;

	(void)state;
	config_set_default_pages(&c);
	assert_in_range(strlen(c.page_block), 500, 4095);
	assert_in_range(strlen(c.page_error), 500, 4095);
	assert_int_equal(set_page(str_of(c.page_block)), 0);
	assert_int_equal(set_page(str_of(c.page_error)), 0);
	/* Nothing is fetched and nothing runs; a placeholder is text. */
	assert_null(strstr(c.page_block, "<script"));
	assert_null(strstr(c.page_block, "://"));
	assert_null(strstr(c.page_block, "=\"{{"));
	assert_null(strstr(c.page_error, "<script"));
	assert_null(strstr(c.page_error, "://"));
	assert_null(strstr(c.page_error, "=\"{{"));
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
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
