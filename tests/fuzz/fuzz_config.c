// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice.conf and page templates. A configuration that is taken keeps what the
 * manual promises; one that is refused says why, in printable lines; the same
 * text gives the same answer again, whatever libConfuse's lexer saw before. A
 * page that is taken fits when it is filled in, and no value becomes markup.
 */
#include "base/str.h"
#include "conf/load.h"
#include "conf/template.h"
#include "conf/value.h"
#include "fuzz.h"
#include "render/page.h"

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static void check_errors(const struct config_errors *errs)
{
	FUZZ_CHECK(errs->count > 0 && errs->count <= CONFIG_ERRORS);
	for (unsigned int i = 0; i < errs->count; i++) {
		FUZZ_CHECK(is_printable(errs->list[i].text));
		FUZZ_CHECK(strncmp(errs->list[i].text, "f.conf:", 7) == 0);
		FUZZ_CHECK(i == 0 ||
			   errs->list[i - 1].line <= errs->list[i].line);
	}
}

static void check_lists(const struct config_intercept *in)
{
	FUZZ_CHECK(in->lan_count <= CONFIG_IFACES);
	FUZZ_CHECK(in->http_count <= CONFIG_PORTS);
	FUZZ_CHECK(in->ftp_count <= CONFIG_PORTS);
	FUZZ_CHECK(in->bypass_clients_count <= CONFIG_BYPASS);
	FUZZ_CHECK(in->bypass_servers_count <= CONFIG_BYPASS);
	FUZZ_CHECK(!in->install_rules || in->lan_count > 0);
	for (uint32_t i = 0; i < in->http_count; i++)
		FUZZ_CHECK(in->http[i] != 0);
	for (uint32_t i = 0; i < in->ftp_count; i++)
		FUZZ_CHECK(in->ftp[i] != 0);
	for (uint32_t i = 0; i < in->lan_count; i++) {
		FUZZ_CHECK(memchr(in->lan[i], '\0', CONFIG_IFACE_MAX) != NULL);
		FUZZ_CHECK(in->lan[i][0] != '\0');
		FUZZ_CHECK(strpbrk(in->lan[i], "/\"\\*{};, \t") == NULL);
	}
	for (uint32_t i = 0; i < in->bypass_clients_count; i++)
		FUZZ_CHECK(in->bypass_clients[i].prefix > 0);
}

static void check_config(const struct config *c)
{
	FUZZ_CHECK(c->size == sizeof(*c) && c->generation == 1);
	FUZZ_CHECK(c->state_dir[0] == '/' && is_printable(c->file));
	FUZZ_CHECK(c->run_dir[0] == '/' && strlen(c->run_dir) <= 94);
	FUZZ_CHECK(c->user[0] != '\0' && strcmp(c->user, "root") != 0);
	FUZZ_CHECK(c->relays <= CONFIG_RELAYS);
	FUZZ_CHECK(c->scan.workers <= CONFIG_WORKERS);
	FUZZ_CHECK(c->scan.max_ratio > 0 && c->scan.deadline > 0);
	FUZZ_CHECK(c->http.max_line <= c->http.max_header);
	FUZZ_CHECK(c->delivery.tail <= c->delivery.hold_below);
	FUZZ_CHECK(c->service_count == PROTOCOL_COUNT);
	for (unsigned int p = 0; p < PROTOCOL_COUNT; p++) {
		FUZZ_CHECK(c->services[p].port != 0);
		FUZZ_CHECK(config_service(c, p, MODE_TRANSPARENT) != NULL);
	}
	FUZZ_CHECK(c->services[0].port != c->services[1].port);
	FUZZ_CHECK(!c->intercept.install_rules || config_intercepts(c) ||
		   c->apps.enabled);
	check_lists(&c->intercept);
}

/* Unused bytes are zero, those between fields as well. */
static bool same(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n) == 0;
}

static void fuzz_text(const char *text)
{
	static struct config first;
	static struct config second;
	static struct config_errors errs;
	static struct config_errors again;
	int ret = config_load_text("f.conf", text, &first, &errs);

	if (ret == 0)
		check_config(&first);
	else
		check_errors(&errs);
	FUZZ_CHECK(config_load_text("f.conf", text, &second, &again) == ret);
	FUZZ_CHECK(same(&errs, &again, sizeof(errs)));
	FUZZ_CHECK(ret != 0 || same(&first, &second, sizeof(first)));
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

/* The template's own text, with itself for every value. */
static void fuzz_page(const char *text)
{
	static char page[PAGE_RENDERED_MAX];
	static struct config_errors errs;
	static struct config c;
	struct page_values values;
	struct strbuf sb;

	config_set_defaults(&c);
	config_errors_init(&errs);
	config_set_page(&c, CONFIG_PAGE_BLOCK, "f.conf", text, &errs);
	for (unsigned int i = 0; i < TEMPLATE_VALUES; i++)
		values.v[i] = str_of(text);
	strbuf_init(&sb, page, sizeof(page));
	if (errs.count > 0) {
		check_errors(&errs);
		FUZZ_CHECK(c.page_block[0] == '\0');
		page_render(&sb, text, &values);
		return;
	}
	FUZZ_CHECK(strcmp(c.page_block, text) == 0);
	page_render(&sb, text, &values);
	FUZZ_CHECK(!sb.cut);
	FUZZ_CHECK(count(page, '<') == count(text, '<'));
	FUZZ_CHECK(count(page, '"') == count(text, '"'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = fuzz_input(data, len);
	/* Exactly as long as the text, for AddressSanitizer. */
	char *text = strndup((const char *)f.p, f.len);

	if (text == NULL)
		abort();
	if (f.seed % 2 == 1)
		fuzz_text(text);
	else
		fuzz_page(text);
	free(text);
	return 0;
}
