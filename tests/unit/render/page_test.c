// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/value.h"
#include "guard.h"
#include "render/page.h"

static char page[PAGE_RENDERED_MAX];

static const char *render(const char *template, const struct page_values *v)
{
	struct strbuf sb;

	strbuf_init(&sb, page, sizeof(page));
	page_render(&sb, template, v);
	assert_false(sb.cut);
	return page;
}

/* The URL alone, from memory that ends where it ends. */
static const char *render_url(struct str url)
{
	struct page_values v = {{{NULL, 0}}};
	uint8_t *copy = guard_copy(url.p, url.len);
	const char *ret;

	v.v[TEMPLATE_URL] = (struct str){(char *)copy, url.len};
	ret = render("{{url}}", &v);
	guard_free(copy, url.len);
	return ret;
}

static void every_placeholder(void **state)
{
	struct page_values v;
	char template[32];
	char want[32];
	struct strbuf sb;

	(void)state;
	for (unsigned int i = 0; i < TEMPLATE_VALUES; i++)
		v.v[i] = str_of(template_names[i]);
	for (unsigned int i = 0; i < TEMPLATE_VALUES; i++) {
		strbuf_init(&sb, template, sizeof(template));
		strbuf_printf(&sb, "[{{%s}}]", template_names[i]);
		strbuf_init(&sb, want, sizeof(want));
		strbuf_printf(&sb, "[%s]", template_names[i]);
		assert_string_equal(render(template, &v), want);
	}
	assert_string_equal(render("a{{url}}{{host}}b{{url}}", &v),
			    "aurlhostburl");
	assert_string_equal(render("", &v), "");
	assert_string_equal(render("no placeholder", &v), "no placeholder");
}

static void absent_values(void **state)
{
	struct page_values v = {{{NULL, 0}}};

	(void)state;
	assert_string_equal(render("<{{name}}>", &v), "<->");
	v.v[TEMPLATE_NAME] = STR("");
	assert_string_equal(render("<{{name}}>", &v), "<->");
}

/* Whoever chooses a URL or the name of a file chooses these bytes. */
static void hostile_values(void **state)
{
	static const struct {
		const char *url;
		const char *html;
	} rows[] = {
		{"<script>alert(1)</script>",
		 "&lt;script&gt;alert(1)&lt;/script&gt;"},
		{"\" onmouseover=\"x", "&quot; onmouseover=&quot;x"},
		{"' onmouseover='x", "&#39; onmouseover=&#39;x"},
		{"&lt;b&gt;", "&amp;lt;b&amp;gt;"},
		{"</dd></dl><h1>", "&lt;/dd&gt;&lt;/dl&gt;&lt;h1&gt;"},
		/* A value is not a template. */
		{"{{event}}", "{{event}}"},
		{"{{url}}", "{{url}}"},
		/* Bytes that could be read in another encoding, or as none. */
		{"+ADw-script+AD4-", "+ADw-script+AD4-"},
		{"\xc0\xbcscript\xc0\xbe", "%C0%BCscript%C0%BE"},
		{"a\r\nb\tc", "a%0D%0Ab%09c"},
		{"\x1b[31m\x7f", "%1B[31m%7F"},
		/* A space of no width, to make one name look like another. */
		{"exa\xe2\x80\x8bmple", "exa%E2%80%8Bmple"},
		{"http://a/%3Cscript%3E", "http://a/%3Cscript%3E"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(render_url(str_of(rows[i].url)),
				    rows[i].html);
	assert_string_equal(render_url(STR("a\0b")), "a%00b");
}

static void long_values_lose_their_middle(void **state)
{
	char url[4000];
	const char *html;
	struct strbuf sb;

	(void)state;
	memset(url, 'm', sizeof(url));
	strbuf_init(&sb, url, sizeof(url));
	strbuf_puts(&sb, "http://start/");
	url[sb.len] = 'm';
	strbuf_init(&sb, url + sizeof(url) - 9, 9);
	strbuf_puts(&sb, "/end.exe");
	html = render_url((struct str){url, sizeof(url) - 1});
	assert_int_equal(strlen(html), 163);
	assert_memory_equal(html, "http://start/m", 14);
	assert_memory_equal(html + 110, "mm...mm", 7);
	assert_string_equal(html + 154, "m/end.exe");
	assert_int_equal(strlen(render_url((struct str){url, 160})), 160);
	assert_int_equal(strlen(render_url((struct str){url, 161})), 163);
}

/* What config_set_page() takes fits in PAGE_RENDERED_MAX, whatever is put in. */
static void the_largest_page_fits(void **state)
{
	static struct config c;
	static struct config_errors errs;
	static char text[CONFIG_PAGE_MAX];
	struct page_values v;
	char quotes[500];
	struct strbuf sb;

	(void)state;
	memset(quotes, '"', sizeof(quotes));
	for (unsigned int i = 0; i < TEMPLATE_VALUES; i++)
		v.v[i] = (struct str){quotes, sizeof(quotes)};
	config_set_defaults(&c);
	config_errors_init(&errs);
	strbuf_init(&sb, text, sizeof(text));
	for (int i = 0; i < TEMPLATE_PLACEHOLDERS; i++)
		strbuf_puts(&sb, "{{url}}");
	while (!sb.cut)
		strbuf_puts(&sb, "x");
	config_set_page(&c, CONFIG_PAGE_BLOCK, "p", text, &errs);
	assert_int_equal(errs.count, 0);
	assert_in_range(strlen(render(c.page_block, &v)),
			TEMPLATE_PLACEHOLDERS * 160 * strlen("&quot;") + 16000,
			PAGE_RENDERED_MAX - 1);
}

static void too_small_a_buffer(void **state)
{
	struct page_values v = {{{NULL, 0}}};
	char room[8];
	struct strbuf sb;

	(void)state;
	v.v[TEMPLATE_URL] = STR("http://example.net/");
	strbuf_init(&sb, room, sizeof(room));
	page_render(&sb, "<p>{{url}}</p>", &v);
	assert_true(sb.cut);
	assert_string_equal(room, "<p>http");
}

/* A template that no check has seen is shown as it is. */
static void unchecked_template(void **state)
{
	struct page_values v = {{{NULL, 0}}};

	(void)state;
	assert_string_equal(render("{{x}}{{{{url}}{{", &v), "{{x}}{{{{url}}{{");
}

static unsigned int count(const char *text, const char *word)
{
	unsigned int n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

static void built_in_pages(void **state)
{
	static struct config c;
	struct page_values v;

	(void)state;
	config_set_default_pages(&c);
	for (unsigned int i = 0; i < TEMPLATE_VALUES; i++)
		v.v[i] = STR("<value>");
	render(c.page_block, &v);
	assert_null(strstr(page, "{{"));
	assert_null(strstr(page, "<value>"));
	assert_int_equal(count(page, "&lt;value&gt;"), 10);
	render(c.page_error, &v);
	assert_null(strstr(page, "{{"));
	assert_null(strstr(page, "<value>"));
	assert_int_equal(count(page, "&lt;value&gt;"), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_placeholder),
		cmocka_unit_test(absent_values),
		cmocka_unit_test(hostile_values),
		cmocka_unit_test(long_values_lose_their_middle),
		cmocka_unit_test(the_largest_page_fits),
		cmocka_unit_test(too_small_a_buffer),
		cmocka_unit_test(unchecked_template),
		cmocka_unit_test(built_in_pages),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
