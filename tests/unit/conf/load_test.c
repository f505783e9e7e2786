// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/load.h"
#include "conf/reload.h"
#include "conf/template.h"

#define LAN "intercept { lan = {\"eth1\"} }\n"

static struct config config;
static struct config_errors errs;

static int load(const char *text)
{
	return config_load_text("sluice.conf", text, &config, &errs);
}

/* @text gives these errors and no other, in this order. */
static void check_errors(const char *text, const char *const *want)
{
	unsigned int n = 0;

	assert_int_equal(load(text), -EINVAL);
	for (; want[n] != NULL; n++) {
		if (n == errs.count)
			fail_msg("missing: %s", want[n]);
		assert_string_equal(errs.list[n].text, want[n]);
	}
	if (n < errs.count)
		fail_msg("unexpected: %s", errs.list[n].text);
	assert_int_equal(errs.more, 0);
}

#define errors_of(text, ...) \
	check_errors(text, (const char *const[]){__VA_ARGS__, NULL})

static void accepts(const char *text)
{
	if (load(text) != 0)
		fail_msg("%s", errs.list[0].text);
	assert_int_equal(errs.count, 0);
}

/* --- syntax ----------------------------------------------------------------*/

static void forms_of_the_syntax(void **state)
{
	(void)state;
	accepts("# a comment\n"
		"intercept {\n"
		"\tlan = {\"eth1\", # one\n\t\t'eth2', /* two\n*/ eth3,} // x\n"
		"}\r\n"
		"scan { workers = 3 } scan { max_depth=4 }\n"
		"\tuser='a'relays=2#end");
	assert_int_equal(config.intercept.lan_count, 3);
	assert_string_equal(config.intercept.lan[1], "eth2");
	assert_int_equal(config.scan.workers, 3);
	assert_int_equal(config.scan.max_depth, 4);
	assert_string_equal(config.user, "a");
	assert_int_equal(config.relays, 2);
}

static void strings(void **state)
{
	(void)state;
	accepts(LAN "pages = \"/a b/#/*{}=,;'\\\"\\\\\" state_dir = '/${x}'");
	assert_string_equal(config.pages, "/a b/#/*{}=,;'\"\\");
	assert_string_equal(config.state_dir, "/${x}");
	accepts(LAN "pages = /x//y");
	assert_string_equal(config.pages, "/x//y");
}

static void first_and_last_bytes(void **state)
{
	(void)state;
	accepts("#\n" LAN);
	accepts("/**/" LAN);
	accepts("//\n//x\n" LAN "//");
	accepts("\n\n" LAN "#");
	errors_of("",
		  "sluice.conf:1: intercept.lan is empty: want the interfaces "
		  "that clients come from, or intercept.install_rules = false");
}

static void surprises_of_the_lexer(void **state)
{
	(void)state;
	errors_of("user = \"${HOME}\"\n" LAN,
		  "sluice.conf:1: environment variables are not expanded here: "
		  "write the value, or single quotes around a literal ${");
	errors_of(LAN "user = ${HOME}\n",
		  "sluice.conf:2: unexpected character '$' outside quotes");
	errors_of(LAN "include(\"/etc/passwd\")\n",
		  "sluice.conf:2: unexpected character '(' outside quotes");
	errors_of(LAN "relays = *\nuser = a;\n\x01\n\xc3\xa4\n",
		  "sluice.conf:2: unexpected character '*' outside quotes",
		  "sluice.conf:3: unexpected character ';' outside quotes",
		  "sluice.conf:4: unexpected character '\\x01' outside quotes",
		  "sluice.conf:5: unexpected character '\\xc3' outside quotes");
	errors_of(LAN "intercept { lan += {\"eth2\"} }",
		  "sluice.conf:2: unexpected character '+' outside quotes");
	errors_of("\"scan|workers\" = 3\n" LAN,
		  "sluice.conf:1: unexpected character '|' in a string");
	errors_of(LAN "user = \"a\x01\"\nuser = \"\\x41\"\n",
		  "sluice.conf:2: unexpected character '\\x01' in a string",
		  "sluice.conf:3: a backslash in a string: only a quote or "
		  "another backslash may follow it");
}

static void things_without_their_end(void **state)
{
	(void)state;
	errors_of("\nuser = \"a\nrelays = 1\n" LAN,
		  "sluice.conf:2: a string without its closing quote: strings "
		  "end on the line they start on");
	errors_of(LAN "user = 'a",
		  "sluice.conf:2: a string without its closing quote: strings "
		  "end on the line they start on");
	errors_of(LAN "user = \"a\\",
		  "sluice.conf:2: a backslash in a string: only a quote or "
		  "another backslash may follow it");
	errors_of(LAN "\n/* here\nit goes on\n",
		  "sluice.conf:3: a comment without its end: want */");
	errors_of(LAN "scan {\nworkers = 1\n",
		  "sluice.conf:2: a { without its }");
	errors_of(LAN "intercept { http = {80\n",
		  "sluice.conf:2: a { without its }");
	errors_of(LAN "}\n", "sluice.conf:2: a } without its {");
	errors_of("a{b{c{d{e{f{g{h{i{j}}}}}}}}}}\n",
		  "sluice.conf:1: braces nested too deeply");
}

static void wrong_syntax(void **state)
{
	(void)state;
	errors_of(
		LAN "relays 3\n",
		"sluice.conf:2: relays: want = and a value after the key; the "
		"rest of the file was not checked");
	errors_of(LAN "\nscan = 3\n",
		  "sluice.conf:3: scan is a section: want its keys between { "
		  "and }; the rest of the file was not checked");
	errors_of(LAN "service { port = 1 }\n",
		  "sluice.conf:2: service: want a name in quotes before the {; "
		  "the rest of the file was not checked");
	errors_of("intercept { lan = {\"a\" \"b\"} }\n",
		  "sluice.conf:1: unexpected 'b': want KEY = VALUE, KEY = "
		  "{VALUE, ...} or SECTION { ... }; the rest of the file was "
		  "not checked");
	errors_of("= 3\n", "sluice.conf:1: unexpected '=': want KEY = VALUE, "
			   "KEY = {VALUE, ...} or SECTION { ... }; the rest of "
			   "the file was not checked");
	errors_of("user =\n", "sluice.conf:2: premature end of file; the rest "
			      "of the file was not checked");
}

/* Found before the syntax broke off, so it is told as well. */
static void errors_before_the_syntax_error(void **state)
{
	(void)state;
	errors_of("relays = 99\nfoo = 1\nscan = 3\nuser = root\n",
		  "sluice.conf:1: relays = 99: want a number from 1 to 64, or "
		  "0 (one a core)",
		  "sluice.conf:2: foo: unknown key; sluice.conf(5) lists them "
		  "all",
		  "sluice.conf:3: scan is a section: want its keys between { "
		  "and }; the rest of the file was not checked");
}

/* --- names -----------------------------------------------------------------*/

static void unknown_names(void **state)
{
	(void)state;
	errors_of(LAN "scan {\n\twokers = 3\n\tmax_rato = 9\n\tx = {1, 2}\n}\n"
		      "fooo \"a\" {\n\tb = 1\n}\nscann {\n\tworkers = 1\n}\n"
		      "relay = 1\nmemory = 1\nlan = {\"a\"}\ntail = 3\n"
		      "mode = x\nlog { user = a }\ne = 1\n",
		  "sluice.conf:3: scan.wokers: unknown key; did you mean "
		  "workers?",
		  "sluice.conf:4: scan.max_rato: unknown key; did you mean "
		  "max_ratio?",
		  "sluice.conf:5: scan.x: unknown key; sluice.conf(5) lists "
		  "them all",
		  "sluice.conf:7: fooo: unknown section; sluice.conf(5) lists "
		  "them all",
		  "sluice.conf:10: scann: unknown section; did you mean scan?",
		  "sluice.conf:13: relay: unknown key; did you mean relays?",
		  "sluice.conf:14: memory: unknown key; it belongs in section "
		  "scan",
		  "sluice.conf:15: lan: unknown key; it belongs in section "
		  "intercept",
		  "sluice.conf:16: tail: unknown key; it belongs in section "
		  "delivery",
		  "sluice.conf:17: mode: unknown key; it belongs in section "
		  "service or section delivery",
		  "sluice.conf:18: log.user: unknown key; it belongs in no "
		  "section",
		  "sluice.conf:19: e: unknown key; sluice.conf(5) lists them "
		  "all");
}

static void sections_in_sections(void **state)
{
	(void)state;
	errors_of(LAN "scan {\n\thttp {\n\t\tx = 1\n\t}\n}\nrelays = 65\n",
		  "sluice.conf:3: scan.http: sections can't be inside others",
		  "sluice.conf:4: http.x: unknown key; sluice.conf(5) lists "
		  "them all",
		  "sluice.conf:7: relays = 65: want a number from 1 to 64, or "
		  "0 (one a core)");
	errors_of(LAN "scan { http { max_line = 1 } }\n",
		  "sluice.conf:2: http.max_line: unknown key; it belongs in "
		  "section http or section ftp; the rest of the file was not "
		  "checked",
		  "sluice.conf:2: scan.http: sections can't be inside others");
	errors_of(LAN "a { b { c = 1 } }\nrelays = 65\n",
		  "sluice.conf:2: a.b: unknown key; sluice.conf(5) lists them "
		  "all; the rest of the file was not checked",
		  "sluice.conf:2: a: unknown section; sluice.conf(5) lists "
		  "them all");
	errors_of(LAN "'\xff' {\nb { c = 1 } }\n",
		  "sluice.conf:2: \\xff: unknown section; sluice.conf(5) "
		  "lists them all",
		  "sluice.conf:3: \\xff.b: unknown key; sluice.conf(5) lists "
		  "them all; the rest of the file was not checked");
	/* The name that libConfuse gives to the whole file. */
	errors_of(LAN "root { relays = 1 }\n",
		  "sluice.conf:2: root: unknown section; sluice.conf(5) lists "
		  "them all");
}

static void names_of_later_versions(void **state)
{
	(void)state;
	errors_of(
		"\n"
		"intercept {\nlan = {\"eth1\"}\nhttps = {443}\n}\n"
		"ftp { ftps = inspect }\n"
		"service \"tls\" {\nprotocol = \"tls\"\nmode = forward\n"
		"address = x\nupstream = x\nserver = x\n"
		"certificate = x\nkey = x\n}\n"
		"tls { ca = \"x\" trust = \"\" }\napps { counters = bpf }\n"
		"store { url = \"sqlite\" }\n",
		"sluice.conf:4: intercept.https: this version does not have "
		"it yet; remove it",
		"sluice.conf:6: ftp.ftps = inspect: this version does not have "
		"it yet; want \"refuse\" or \"pass\"",
		"sluice.conf:8: service.protocol = tls: this version does "
		"not have it yet; want \"http\" or \"ftp\"",
		"sluice.conf:9: service.mode = forward: this version does "
		"not have it yet; want \"transparent\"",
		"sluice.conf:10: service.address: this version does not have "
		"it yet; remove it",
		"sluice.conf:11: service.upstream: this version does not "
		"have it yet; remove it",
		"sluice.conf:12: service.server: this version does not have "
		"it yet; remove it",
		"sluice.conf:13: service.certificate: this version does not "
		"have it yet; remove it",
		"sluice.conf:14: service.key: this version does not have it "
		"yet; remove it",
		"sluice.conf:16: tls: this version does not have it yet; "
		"remove it",
		"sluice.conf:18: store.url: this version does not have it "
		"yet; remove it");
}

/* A hostile or hopeless file: bounded work, bounded output. */
static void more_errors_than_are_kept(void **state)
{
	static char text[20000];
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, text, sizeof(text));
	for (int i = 0; i < 200; i++)
		strbuf_puts(&sb, "user = root\n");
	assert_int_equal(load(text), -EINVAL);
	assert_int_equal(errs.count, CONFIG_ERRORS);
	assert_int_equal(errs.count + errs.more, 200 + 199 + 1);
	strbuf_init(&sb, text, sizeof(text));
	for (int i = 0; i < 200; i++)
		strbuf_printf(&sb, "unknown_%d = 1\n", i);
	assert_int_equal(load(text), -EINVAL);
	assert_int_equal(errs.count, CONFIG_ERRORS);
	assert_int_equal(errs.list[0].line, 1);
}

static void overlong_names_and_values(void **state)
{
	static char text[4000];
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, text, sizeof(text));
	for (int i = 0; i < 1000; i++)
		strbuf_puts(&sb, "ab");
	strbuf_puts(&sb, " = 1\n");
	assert_int_equal(load(text), -EINVAL);
	assert_int_equal(errs.count, 1);
	strbuf_init(&sb, text, sizeof(text));
	strbuf_puts(&sb, LAN "relays = ");
	for (int i = 0; i < 1000; i++)
		strbuf_puts(&sb, "12");
	errors_of(text,
		  "sluice.conf:2: relays = 1212121212121212121212121212121212"
		  "12121212121212121212121212...: want a number from 1 to 64, "
		  "or 0 (one a core)");
}

static void too_large_a_file(void **state)
{
	size_t len = CONFIG_TEXT_MAX;
	char *text = malloc(len + 2);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, LAN, sizeof(LAN) - 1);
	text[len] = '\0';
	assert_int_equal(load(text), 0);
	text[len] = ' ';
	text[len + 1] = '\0';
	errors_of(text, "sluice.conf:1: too large: want at most 1048576 bytes");
	free(text);
}

/* --- meaning ---------------------------------------------------------------*/

static void keys_given_twice(void **state)
{
	(void)state;
	errors_of(LAN "relays = 1\nrelays = 1\nscan { workers = 1 }\n"
		      "scan { workers = 2 }\nintercept { lan = {\"b\"} }\n",
		  "sluice.conf:3: relays: given a second time; the first is on "
		  "line 2",
		  "sluice.conf:5: scan.workers: given a second time; the first "
		  "is on line 4",
		  "sluice.conf:6: intercept.lan: given a second time; the "
		  "first is on line 1");
}

static void empty_lists(void **state)
{
	(void)state;
	accepts("intercept { install_rules = false lan = {} http = {} }");
	assert_int_equal(config.intercept.lan_count, 0);
	assert_int_equal(config.intercept.http_count, 0);
	assert_true(config_intercepts(&config));
	accepts("intercept { lan = {eth1} http = {} ftp = {} }");
	assert_false(config_intercepts(&config));
	errors_of("apps { enabled = false }\n"
		  "intercept { lan = {eth1} http = {} ftp = {} }\n",
		  "sluice.conf:1: intercept.http and intercept.ftp are empty: "
		  "want at least one port, or apps.enabled = true to name and "
		  "count only, or intercept.install_rules = false");
	accepts("apps { enabled = false }\n"
		"intercept { lan = {eth1} http = {} }\n");
	errors_of("\nintercept {\ninstall_rules = yes\nlan = {} }\n",
		  "sluice.conf:3: intercept.lan is empty: want the interfaces "
		  "that clients come from, or intercept.install_rules = false");
}

static void services(void **state)
{
	const struct config_service *s;

	(void)state;
	accepts(LAN);
	s = config_service(&config, PROTOCOL_HTTP, MODE_TRANSPARENT);
	assert_non_null(s);
	assert_string_equal(s->name, "http");
	assert_int_equal(s->port, 3129);
	s = config_service(&config, PROTOCOL_FTP, MODE_TRANSPARENT);
	assert_non_null(s);
	assert_string_equal(s->name, "ftp");
	assert_int_equal(s->port, 2121);
	accepts(LAN "service \"web-1\" { port = 4000 }");
	assert_int_equal(config.service_count, 2);
	s = config_service(&config, PROTOCOL_HTTP, MODE_TRANSPARENT);
	assert_string_equal(s->name, "web-1");
	assert_int_equal(s->port, 4000);
	s = config_service(&config, PROTOCOL_FTP, MODE_TRANSPARENT);
	assert_int_equal(s->port, 2121);
	accepts(LAN "service files { protocol = ftp }");
	assert_int_equal(config.service_count, 2);
	s = config_service(&config, PROTOCOL_FTP, MODE_TRANSPARENT);
	assert_string_equal(s->name, "files");
	assert_int_equal(s->port, 2121);
	accepts(LAN "service files { protocol = ftp port = 3129 }\n"
		    "service web { port = 2121 }");
	s = config_service(&config, PROTOCOL_FTP, MODE_TRANSPARENT);
	assert_int_equal(s->port, 3129);
	assert_false(config_needs_resolver(&config));
	config.services[1].mode = MODE_FORWARD; /* no word sets it yet */
	assert_true(config_needs_resolver(&config));
	config.service_count = 0;
	assert_false(config_needs_resolver(&config));
	assert_null(config_service(&config, PROTOCOL_HTTP, MODE_TRANSPARENT));
}

static void wrong_services(void **state)
{
	(void)state;
	errors_of(
		LAN "service \"a\" {}\nservice \"a\" {}\nservice \"\" {}\n"
		    "service \"a/b\" {}\n"
		    "service \"a2345678901234567890123456789012\" {}\n",
		"sluice.conf:3: service \"a\": there is another one of this "
		"name",
		"sluice.conf:4: service \"\": want a name of at most 31 "
		"letters, digits, _ and -",
		"sluice.conf:5: service \"a/b\": want a name of at most 31 "
		"letters, digits, _ and -",
		"sluice.conf:6: service \"a2345678901234567890123456789012\": "
		"want a name of at most 31 letters, digits, _ and -");
	errors_of(LAN "service \"a\" {}\nservice \"b\" { port = 4000 }\n",
		  "sluice.conf:3: 2 transparent http services: this version "
		  "has at most one");
	errors_of(LAN "service \"a\" { protocol = ftp }\n"
		      "service \"b\" { protocol = ftp port = 4000 }\n",
		  "sluice.conf:3: 2 transparent ftp services: this version "
		  "has at most one");
	errors_of(LAN "service \"a\" {\nport = 2121 }\n",
		  "sluice.conf:3: service.port = 2121 is that of services "
		  "\"a\" and \"ftp\": want two");
	errors_of(LAN "service \"ftp\" {\nprotocol = http }\n",
		  "sluice.conf:3: service \"ftp\" is not of that protocol: "
		  "want another name");
	errors_of(LAN "service a {} service b {} service c {} service d {}\n"
		      "service e {} service f {} service g {} service h {}\n"
		      "service i {}\n",
		  "sluice.conf:1: 8 transparent http services: this version "
		  "has at most one",
		  "sluice.conf:4: service \"i\": want at most 8 services");
}

/* A service keeps nothing of the one before it. */
static void services_start_afresh(void **state)
{
	(void)state;
	errors_of(LAN "service \"a\" { port = 80 }\nservice \"b\" {}\n",
		  "sluice.conf:2: service.port = 80 is one of the ports of "
		  "intercept.http: want another one",
		  "sluice.conf:2: 2 transparent http services: this version "
		  "has at most one");
	errors_of("intercept { lan = a\nhttp = {3129} }\nservice \"b\" {}\n",
		  "sluice.conf:2: service.port = 3129 is one of the ports of "
		  "intercept.http: want another one");
	errors_of("intercept { lan = a\nhttp = {2121} }\n",
		  "sluice.conf:2: service.port = 2121 is one of the ports of "
		  "intercept.http: want another one");
	errors_of("intercept { lan = a\nftp = {3129} }\n",
		  "sluice.conf:2: service.port = 3129 is one of the ports of "
		  "intercept.ftp: want another one");
}

static void ports_in_two_lists(void **state)
{
	(void)state;
	errors_of("intercept { lan = a\nftp = {21, 8080}\n"
		  "http = {80, 8080} }\n",
		  "sluice.conf:2: port 8080 is in intercept.http and in "
		  "intercept.ftp: want it in one of them");
	errors_of("intercept { lan = a\nhttp = {80, 21} }\n",
		  "sluice.conf:2: port 21 is in intercept.http and in "
		  "intercept.ftp: want it in one of them");
}

static void sizes_that_go_together(void **state)
{
	(void)state;
	errors_of(LAN "http { max_line = \"128K\" }\n",
		  "sluice.conf:2: http.max_line = 128K: want at most "
		  "http.max_header (64K), which includes the line");
	errors_of(LAN "http {\nmax_header = 8K }\n",
		  "sluice.conf:3: http.max_line = 16K: want at most "
		  "http.max_header (8K), which includes the line");
	accepts(LAN "http { max_line = 64K }\n");
	errors_of(LAN "delivery { hold_below = 32K }\n",
		  "sluice.conf:2: delivery.hold_below = 32K: want at least "
		  "delivery.tail (64K), which is kept back anyway");
	accepts(LAN "delivery { hold_below = 64K }\n");
}

/* One mistake, one message: no rule is applied to a default in its place. */
static void no_rule_about_a_refused_value(void **state)
{
	(void)state;
	errors_of("intercept { lan = {\"a b\"} }\n"
		  "delivery { tail = 2M hold_below = 2X }\n",
		  "sluice.conf:1: intercept.lan = a b: want the name of an "
		  "interface, at most 15 bytes, letters, digits and . _ - + @",
		  "sluice.conf:2: delivery.hold_below = 2X: want a size from "
		  "1K to 1G");
}

static void what_is_filled_in(void **state)
{
	(void)state;
	memset(&config, 0xff, sizeof(config));
	accepts(LAN);
	assert_int_equal(config.size, sizeof(config));
	assert_int_equal(config.generation, 1);
	assert_string_equal(config.file, "sluice.conf");
	assert_non_null(strstr(config.page_block, "{{sentence}}"));
	assert_non_null(strstr(config.page_error, "{{sentence}}"));
}

/* A reload with a bad file must leave what runs alone. */
static void failure_leaves_the_output(void **state)
{
	static struct config before;

	(void)state;
	memset(&config, 0x5a, sizeof(config));
	before = config;
	assert_int_equal(load("relays = 65\n"), -EINVAL);
	assert_memory_equal(&config, &before, sizeof(config));
}

/* --- files -----------------------------------------------------------------*/

static char *read_file(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	assert_int_equal(fclose(f), 0);
	text[n] = '\0';
	return text;
}

/* The example says what the defaults are; here that is held to be true. */
static void the_example_is_the_default(void **state)
{
	static struct config plain;
	char *text = read_file("config/sluice.conf");

	(void)state;
	accepts(LAN);
	plain = config;
	accepts(text);
	assert_memory_equal(&config, &plain, sizeof(config));
	/* The same with every comment that is a key taken out of comment. */
	for (char *p = text; (p = strchr(p, '#')) != NULL; p++)
		if (p[1] >= 'a' && p[1] <= 'z')
			*p = ' ';
	assert_null(strstr(text, "#state_dir"));
	accepts(text);
	assert_memory_equal(&config, &plain, sizeof(config));
}

/* However a file was cut off, there is an answer, and never half of one. */
static void files_cut_off(void **state)
{
	char *text = read_file("config/sluice.conf");
	size_t len = strlen(text);
	unsigned int good = 0;

	(void)state;
	for (char *p = text; (p = strchr(p, '#')) != NULL; p++)
		if (p[1] >= 'a' && p[1] <= 'z')
			*p = ' ';
	for (size_t n = len; n > 0; n--) {
		char *cut = malloc(n);
		int ret;

		assert_non_null(cut);
		memcpy(cut, text, n - 1);
		cut[n - 1] = '\0';
		ret = load(cut);
		if (ret == 0)
			good++;
		else
			assert_true(ret == -EINVAL && errs.count > 0);
		free(cut);
	}
	/* Between sections it is a shorter file; inside of one it is none. */
	assert_in_range(good, 1, len / 2);
}

static void every_byte_changed(void **state)
{
	static const char bytes[] = "\"'{}=#/*\\\n \x01$9z\xff";
	static const char text[] = "intercept { lan = {\"a\", 'b'} } # x\n"
				   "service \"w\" { port = 1 }\n"
				   "scan { x = {1} y { z = 2 } } q r { s = t }";

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			char changed[sizeof(text)];
			int ret;

			memcpy(changed, text, sizeof(text));
			changed[i] = bytes[b];
			ret = load(changed);
			assert_true(ret == 0 ? errs.count == 0
					     : errs.count > 0);
		}
	}
}

/* --- reload ----------------------------------------------------------------*/

static void keys_that_need_a_restart(void **state)
{
	static struct config running;
	const struct config_key *key;

	(void)state;
	accepts(LAN "pages = \"/etc/sluice/pages\"\n");
	running = config;
	assert_null(config_restart_key(&running, &config, NULL));
	accepts("intercept { lan = {\"eth2\", \"eth3\"} http = {81} }\n"
		"pages = \"/p\" scan { deadline = 1s memory = 1M }\n");
	assert_null(config_restart_key(&running, &config, NULL));
	accepts(LAN "relays = 3 run_dir = \"/r\"\n"
		    "service \"x\" { port = 4000 } scan { workers = 2 }\n");
	key = config_restart_key(&running, &config, NULL);
	assert_string_equal(key->name, "run_dir");
	key = config_restart_key(&running, &config, key);
	assert_string_equal(key->name, "relays");
	key = config_restart_key(&running, &config, key);
	assert_string_equal(key->name, "port");
	key = config_restart_key(&running, &config, key);
	assert_string_equal(key->name, "workers");
	assert_null(config_restart_key(&running, &config, key));
}

/* A value that is shorter than the default leaves nothing of it behind. */
static void no_residue_of_defaults(void **state)
{
	(void)state;
	accepts(LAN "state_dir = \"/\" user = a\n");
	assert_memory_equal(config.state_dir, "/\0\0\0\0", 6);
	assert_memory_equal(config.user, "a\0\0\0\0", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_the_syntax),
		cmocka_unit_test(strings),
		cmocka_unit_test(first_and_last_bytes),
		cmocka_unit_test(surprises_of_the_lexer),
		cmocka_unit_test(things_without_their_end),
		cmocka_unit_test(wrong_syntax),
		cmocka_unit_test(errors_before_the_syntax_error),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(sections_in_sections),
		cmocka_unit_test(names_of_later_versions),
		cmocka_unit_test(more_errors_than_are_kept),
		cmocka_unit_test(overlong_names_and_values),
		cmocka_unit_test(too_large_a_file),
		cmocka_unit_test(keys_given_twice),
		cmocka_unit_test(empty_lists),
		cmocka_unit_test(services),
		cmocka_unit_test(wrong_services),
		cmocka_unit_test(services_start_afresh),
		cmocka_unit_test(ports_in_two_lists),
		cmocka_unit_test(sizes_that_go_together),
		cmocka_unit_test(no_rule_about_a_refused_value),
		cmocka_unit_test(what_is_filled_in),
		cmocka_unit_test(failure_leaves_the_output),
		cmocka_unit_test(the_example_is_the_default),
		cmocka_unit_test(files_cut_off),
		cmocka_unit_test(every_byte_changed),
		cmocka_unit_test(keys_that_need_a_restart),
		cmocka_unit_test(no_residue_of_defaults),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
