// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every key on its own: what it is without a word in the file, its ends, what
 * lies beyond them, and the words that the administrator then reads.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conf/keys.h"
#include "conf/load.h"
#include "conf/value.h"
#include "keys_rows.h"

static struct config config;
static struct config_errors errs;

/* A file that sets this key alone, and the one key that has no default. */
static int load_key(const char *section, const char *key, const char *value)
{
	static char text[2048];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	if (strcmp(section, "service") == 0)
		strbuf_puts(&sb, "service \"one\" {");
	else if (section[0] != '\0')
		strbuf_printf(&sb, "%s {", section);
	strbuf_printf(&sb, "\n%s = %s\n%s\n", key, value,
		      section[0] != '\0' ? "}" : "");
	if (strcmp(key, "lan") != 0)
		strbuf_puts(&sb, "intercept { lan = {\"eth1\"} }\n");
	assert_false(sb.cut);
	return config_load_text("sluice.conf", text, &config, &errs);
}

static uint64_t field(const struct config_key *key)
{
	const char *base = strcmp(key->section, "service") == 0
				   ? (const char *)&config.services[0]
				   : (const char *)&config;
	uint64_t v = 0;

	/* Little-endian machines only, like all that we build for. */
	memcpy(&v, base + key->offset, key->size);
	return v;
}

static const struct config_key *key_of(const struct row *r)
{
	const struct config_key *key = config_key_find(r->section, r->name);

	assert_non_null(key);
	return key;
}

static void presets(void **state)
{
	(void)state;
	assert_int_equal(config_load_text("sluice.conf",
					  "intercept { lan = \"eth1\" }",
					  &config, &errs),
			 0);
	for (size_t i = 0; i < ROWS; i++)
		assert_int_equal(field(key_of(&rows[i])), rows[i].preset);
}

static void good_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		for (size_t n = 0; n < 4 && r->good[n].text != NULL; n++) {
			if (load_key(r->section, r->name, r->good[n].text) != 0)
				fail_msg("%s", errs.list[0].text);
			assert_int_equal(field(key_of(r)), r->good[n].value);
		}
	}
}

/* What the message shows of a value: quotes are the file's, not the value's. */
static void put_value(struct strbuf *sb, const char *text)
{
	struct str s = str_of(text);

	if (s.p[0] == '"' && s.len > 2)
		s = (struct str){s.p + 1, s.len - 2};
	strbuf_str(sb, s);
}

static void refuses(const char *section, const char *name, const char *value,
		    const char *want)
{
	char text[CONFIG_ERROR_MAX];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	strbuf_printf(&sb, "sluice.conf:2: %s%s%s = ", section,
		      section[0] != '\0' ? "." : "", name);
	put_value(&sb, value);
	strbuf_printf(&sb, ": want %s", want);
	assert_int_equal(load_key(section, name, value), -EINVAL);
	assert_int_equal(errs.count, 1);
	assert_string_equal(errs.list[0].text, text);
}

static void bad_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		for (size_t n = 0; n < 6 && r->bad[n] != NULL; n++)
			refuses(r->section, r->name, r->bad[n], r->want);
	}
}

static void paths(void **state)
{
	static const struct {
		const char *section;
		const char *name;
		const char *preset;
		size_t offset;
		size_t longest;
	} path_rows[] = {
		{"", "state_dir", "/var/lib/sluice",
		 offsetof(struct config, state_dir), 191},
		{"", "run_dir", "/run/sluice", offsetof(struct config, run_dir),
		 94},
		{"", "pages", "/etc/sluice/pages",
		 offsetof(struct config, pages), 191},
		{"", "policy", "/etc/sluice/policy.conf",
		 offsetof(struct config, policy_file), 191},
		{"scan", "database", "/var/lib/clamav",
		 offsetof(struct config, scan.database), 191},
		{"scan", "clamd", "/run/clamav/clamd.ctl",
		 offsetof(struct config, scan.clamd), 107},
	};
	static const char *const bad[] = {"var/lib", "./x", "\"\"", "~"};
	char name[300];
	char want[64];
	struct strbuf sb;

	(void)state;
	for (size_t i = 0; i < sizeof(path_rows) / sizeof(path_rows[0]); i++) {
		const char *at = (const char *)&config + path_rows[i].offset;
		size_t longest = path_rows[i].longest;

		assert_int_equal(load_key("", "relays", "0"), 0);
		assert_string_equal(at, path_rows[i].preset);
		strbuf_init(&sb, want, sizeof(want));
		strbuf_printf(&sb, "an absolute path of at most %zu bytes",
			      longest);
		for (size_t n = 0; n < 3; n++)
			refuses(path_rows[i].section, path_rows[i].name, bad[n],
				want);
		memset(name, 'a', sizeof(name));
		name[0] = '"';
		name[1] = '/';
		name[longest + 1] = '"';
		name[longest + 2] = '\0';
		assert_int_equal(
			load_key(path_rows[i].section, path_rows[i].name, name),
			0);
		assert_int_equal(strlen(at), longest);
		name[longest + 1] = 'a';
		name[longest + 2] = '"';
		name[longest + 3] = '\0';
		assert_int_equal(
			load_key(path_rows[i].section, path_rows[i].name, name),
			-EINVAL);
		assert_non_null(strstr(errs.list[0].text, want));
	}
}

static void users(void **state)
{
	static const char *const good[] = {"sluice", "_clam", "a.b-c_1", "Web",
					   "a23456789012345678901234567890x2"};
	static const char *const bad[] = {
		"root",	   "0",	      "1000",
		"\"\"",	   "-x",      ".x",
		"\"a b\"", "\"a/b\"", "a234567890123456789012345678901x3"};

	(void)state;
	assert_int_equal(load_key("", "relays", "0"), 0);
	assert_string_equal(config.user, "sluice");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(load_key("", "user", good[i]), 0);
		assert_string_equal(config.user, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses("", "user", bad[i],
			"the name of an account other than root, at most 32 "
			"bytes");
}

static void interfaces(void **state)
{
	static const char *const bad[] = {
		"\"\"",	    "\"eth0 \"",  "\"a/b\"",
		"\"eth*\"", "\"a:1\"",	  "\"é\"",
		"..",	    "\"a\\\"b\"", "sixteen_bytes_xx"};

	(void)state;
	assert_int_equal(load_key("intercept", "lan",
				  "{\"br-lan\", wg0.7, fifteen_bytes_x}"),
			 0);
	assert_int_equal(config.intercept.lan_count, 3);
	assert_string_equal(config.intercept.lan[0], "br-lan");
	assert_string_equal(config.intercept.lan[1], "wg0.7");
	assert_string_equal(config.intercept.lan[2], "fifteen_bytes_x");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load_key("intercept", "lan", bad[i]), -EINVAL);
		assert_int_equal(errs.count, 1);
		assert_non_null(strstr(
			errs.list[0].text,
			": want the name of an interface, at most 15 bytes, "
			"letters, digits and . _ - + @"));
	}
}

static void ports(void **state)
{
	(void)state;
	assert_int_equal(load_key("", "relays", "0"), 0);
	assert_int_equal(config.intercept.http_count, 1);
	assert_int_equal(config.intercept.http[0], 80);
	assert_int_equal(load_key("intercept", "http", "{1, 8080, 65535,}"), 0);
	assert_int_equal(config.intercept.http_count, 3);
	assert_int_equal(config.intercept.http[0], 1);
	assert_int_equal(config.intercept.http[1], 8080);
	assert_int_equal(config.intercept.http[2], 65535);
	assert_int_equal(load_key("intercept", "http", "8080"), 0);
	assert_int_equal(config.intercept.http_count, 1);
	assert_int_equal(config.intercept.http[0], 8080);
	refuses("intercept", "http", "0", "a port from 1 to 65535");
	refuses("intercept", "http", "65536", "a port from 1 to 65535");
	refuses("intercept", "http", "\"80-90\"", "a port from 1 to 65535");
	assert_int_equal(load_key("", "relays", "0"), 0);
	assert_int_equal(config.intercept.ftp_count, 1);
	assert_int_equal(config.intercept.ftp[0], 21);
	assert_int_equal(load_key("intercept", "ftp", "{21, 2100}"), 0);
	assert_int_equal(config.intercept.ftp_count, 2);
	assert_int_equal(config.intercept.ftp[1], 2100);
	assert_int_equal(load_key("intercept", "ftp", "{}"), 0);
	assert_int_equal(config.intercept.ftp_count, 0);
	refuses("intercept", "ftp", "0", "a port from 1 to 65535");
}

static void networks(void **state)
{
	static const char *const names[] = {"bypass_clients", "bypass_servers"};
	static const char *const bad[] = {"10.0.0.1/24", "host", "0.0.0.0/0",
					  "\"::/0\"", "\"fe80::1%eth0\""};
	char text[IP_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t n = 0; n < 5; n++)
			refuses("intercept", names[i], bad[n],
				"an IPv4 or IPv6 address or network such as "
				"192.0.2.0/24, host bits zero, not /0");
		assert_int_equal(load_key("intercept", names[i],
					  "{\"10.0.0.9\", \"fd00::/8\"}"),
				 0);
	}
	assert_int_equal(config.intercept.bypass_clients_count, 0);
	assert_int_equal(config.intercept.bypass_servers_count, 2);
	ip_net_format(&config.intercept.bypass_servers[1], text, sizeof(text));
	assert_string_equal(text, "fd00::/8");
}

/* Which of the lists a client is in decides; hold stands above all. */
static void delivery_by_client(void **state)
{
	static const struct {
		const char *client;
		enum config_delivery mode;
	} v[] = {
		{"10.9.0.1", DELIVERY_TAIL},
		{"10.1.0.1", DELIVERY_PROGRESS},
		{"10.1.2.3", DELIVERY_HOLD},
		{"10.1.3.3", DELIVERY_PROGRESS},
		{"10.2.0.1", DELIVERY_TAIL},
		{"fd00:1::9", DELIVERY_HOLD},
		{"fd00:2::9", DELIVERY_PROGRESS},
		{"fd01::9", DELIVERY_TAIL},
	};
	struct ip_addr addr;

	(void)state;
	assert_int_equal(
		config_load_text(
			"sluice.conf",
			"intercept { lan = {\"eth1\"} }\n"
			"delivery {\n"
			"hold_clients = {\"10.1.2.0/24\", \"fd00:1::/32\"}\n"
			"progress_clients = {\"10.1.0.0/16\", \"fd00::/16\"}\n"
			"tail_clients = {\"10.0.0.0/8\"}\n"
			"}\n",
			&config, &errs),
		0);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_true(ip_addr_parse(v[i].client, &addr));
		assert_int_equal(config_delivery_mode(&config, &addr),
				 v[i].mode);
	}
}

static void list_of(char *text, size_t size, unsigned int count)
{
	struct strbuf sb;

	strbuf_init(&sb, text, size);
	strbuf_putc(&sb, '{');
	for (unsigned int i = 0; i < count; i++)
		strbuf_printf(&sb, "%u,", 1000 + i);
	strbuf_putc(&sb, '}');
	assert_false(sb.cut);
}

static void lists_have_an_end(void **state)
{
	char text[512];

	(void)state;
	list_of(text, sizeof(text), CONFIG_PORTS);
	assert_int_equal(load_key("intercept", "http", text), 0);
	assert_int_equal(config.intercept.http_count, CONFIG_PORTS);
	list_of(text, sizeof(text), CONFIG_PORTS + 1);
	assert_int_equal(load_key("intercept", "http", text), -EINVAL);
	assert_string_equal(errs.list[0].text,
			    "sluice.conf:2: intercept.http = 1032: the list is "
			    "full: want at most 32 elements");
}

static void lists_have_no_doubles(void **state)
{
	(void)state;
	assert_int_equal(load_key("intercept", "http", "{80, 8080, 80}"),
			 -EINVAL);
	assert_string_equal(errs.list[0].text,
			    "sluice.conf:2: intercept.http = 80: the list has "
			    "it already");
	assert_int_equal(load_key("intercept", "lan", "{a, a}"), -EINVAL);
	assert_string_equal(errs.list[0].text,
			    "sluice.conf:2: intercept.lan = a: the list has it "
			    "already");
	/* The same network, however it is written. */
	assert_int_equal(load_key("intercept", "bypass_clients",
				  "{\"10.0.0.1\", \"::ffff:10.0.0.1\"}"),
			 -EINVAL);
	assert_string_equal(errs.list[0].text,
			    "sluice.conf:2: intercept.bypass_clients = "
			    "::ffff:10.0.0.1: the list has it already");
	assert_int_equal(load_key("intercept", "bypass_clients",
				  "{\"10.1.0.0/16\", \"10.0.0.0/8\"}"),
			 -EINVAL);
	assert_string_equal(errs.list[0].text,
			    "sluice.conf:2: intercept.bypass_clients = "
			    "10.0.0.0/8: it overlaps another network in the "
			    "list");
}

/* Rows above, or a test of its own; a key that nobody tests fails here. */
static void every_key_is_tested(void **state)
{
	static const char *const others[] = {"state_dir",
					     "run_dir",
					     "pages",
					     "database",
					     "clamd",
					     "user",
					     "lan",
					     "http",
					     "ftp",
					     "tail",
					     "bypass_clients",
					     "bypass_servers",
					     "hold_clients",
					     "progress_clients",
					     "tail_clients",
					     "policy"};

	(void)state;
	for (size_t k = 0; k < config_key_count; k++) {
		bool found = false;

		for (size_t i = 0; i < ROWS; i++)
			found |= key_of(&rows[i]) == &config_keys[k];
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			found |= strcmp(others[i], config_keys[k].name) == 0;
		if (!found)
			fail_msg("no test for %s.%s", config_keys[k].section,
				 config_keys[k].name);
	}
}

static void table_is_sound(void **state)
{
	(void)state;
	for (size_t k = 0; k < config_key_count; k++) {
		const struct config_key *key = &config_keys[k];
		const char *m = key->meaning;

		assert_ptr_equal(config_key_find(key->section, key->name), key);
		assert_int_equal(config_key_index(key), k);
		assert_true(key->section[0] == '\0' ||
			    config_is_section(key->section));
		assert_true(m[0] >= 'A' && m[0] <= 'Z');
		assert_int_equal(m[strlen(m) - 1], '.');
		assert_true(key->type != KEY_WORD || key->words != NULL);
		assert_true(value_is_list(key) == (key->count != 0));
	}
	assert_null(config_key_find("", "tail"));
	assert_null(config_key_find("nowhere", "tail"));
	assert_false(config_is_section(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets),
		cmocka_unit_test(good_values),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(paths),
		cmocka_unit_test(users),
		cmocka_unit_test(interfaces),
		cmocka_unit_test(ports),
		cmocka_unit_test(networks),
		cmocka_unit_test(delivery_by_client),
		cmocka_unit_test(lists_have_an_end),
		cmocka_unit_test(lists_have_no_doubles),
		cmocka_unit_test(every_key_is_tested),
		cmocka_unit_test(table_is_sound),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
