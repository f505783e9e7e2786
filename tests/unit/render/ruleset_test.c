// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "conf/config.h"
#include "policy/app.h"
#include "render/marks.h"
#include "render/nft_text.h"
#include "render/ruleset.h"

static struct config config;
static struct ruleset rs;
static struct ruleset_held held;

static struct ip_net net(const char *text)
{
	struct ip_net n;

	assert_true(ip_net_parse(text, &n));
	return n;
}

static union ruleset_elem elem(const char *text)
{
	return (union ruleset_elem){.net = net(text)};
}

static int start(void **state)
{
	(void)state;
	held.count = 0;
	memset(&config, 0, sizeof(config));
	config.services[0] = (struct config_service){"http", PROTOCOL_HTTP,
						     MODE_TRANSPARENT, 3129};
	config.services[1] = (struct config_service){"ftp", PROTOCOL_FTP,
						     MODE_TRANSPARENT, 2121};
	config.service_count = 2;
	config.intercept.http[0] = 80;
	config.intercept.http_count = 1;
	str_copy(config.intercept.lan[0], CONFIG_IFACE_MAX, "eth1");
	config.intercept.lan_count = 1;
	config.apps.enabled = true;
	config.apps.queue = 5;
	config.apps.queues = 3;
	return 0;
}

static void with_ftp(void)
{
	config.intercept.ftp[0] = 21;
	config.intercept.ftp_count = 1;
}

static void wants_a_service(void **state)
{
	(void)state;
	config.service_count = 0;
	assert_int_equal(ruleset_build(&rs, &config, &held), -ENOENT);
	config.service_count = 1;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	with_ftp();
	assert_int_equal(ruleset_build(&rs, &config, &held), -ENOENT);
}

static void refuses_its_own_port(void **state)
{
	(void)state;
	config.intercept.http[1] = 3129;
	config.intercept.http_count = 2;
	assert_int_equal(ruleset_build(&rs, &config, &held), -EINVAL);
	config.intercept.http[1] = 2121;
	assert_int_equal(ruleset_build(&rs, &config, &held), -EINVAL);
	config.intercept.http_count = 1;
	with_ftp();
	config.intercept.ftp[0] = 3129;
	assert_int_equal(ruleset_build(&rs, &config, &held), -EINVAL);
}

/* Counters and differences go by names, so each is there once. */
static void names_are_unique(void **state)
{
	const char *names[RULESET_CHAINS * RULESET_RULES];
	size_t count = 0;

	(void)state;
	config.intercept.when_down = WHEN_DOWN_CLOSED;
	with_ftp();
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_true(rs.chain_count <= RULESET_CHAINS);
	for (uint32_t c = 0; c < rs.chain_count; c++) {
		assert_true(rs.chains[c].count <= RULESET_RULES);
		for (uint32_t r = 0; r < rs.chains[c].count; r++) {
			const struct ruleset_rule *rule =
				&rs.chains[c].rules[r];

			assert_true(rule->count <= RULESET_TERMS);
			assert_true(strlen(rule->name) < RULESET_NAME_MAX);
			for (size_t i = 0; i < count; i++)
				assert_string_not_equal(names[i], rule->name);
			names[count++] = rule->name;
		}
	}
}

/* A jump leads to a chain that is there and has no hook; how many there are. */
static unsigned int count_jumps(void)
{
	unsigned int jumps = 0;

	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	for (uint32_t c = 0; c < rs.chain_count; c++) {
		for (uint32_t r = 0; r < rs.chains[c].count; r++) {
			const struct ruleset_rule *rule =
				&rs.chains[c].rules[r];
			const struct ruleset_term *t =
				&rule->terms[rule->count - 1];
			uint32_t to = 0;

			if (t->kind != TERM_JUMP)
				continue;
			jumps++;
			while (strcmp(rs.chains[to].name, t->chain) != 0)
				assert_true(++to < rs.chain_count);
			assert_int_equal(rs.chains[to].hook, HOOK_NONE);
		}
	}
	return jumps;
}

static void jumps_arrive(void **state)
{
	(void)state;
	config.intercept.when_down = WHEN_DOWN_CLOSED;
	assert_int_equal(count_jumps(), 6);
	with_ftp();
	assert_int_equal(count_jumps(), 12);
	config.intercept.http_count = 0;
	assert_int_equal(count_jumps(), 10);
}

static void closed_refuses(void **state)
{
	uint32_t open;

	(void)state;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	open = rs.chain_count;
	config.intercept.when_down = WHEN_DOWN_CLOSED;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_int_equal(rs.chain_count, open + 2);
	assert_int_equal(rs.chains[open].hook, HOOK_FORWARD);
}

/* Naming and counting: nothing but chain classify, and the listener's guard. */
static void without_ports(void **state)
{
	(void)state;
	config.intercept.http_count = 0;
	config.intercept.when_down = WHEN_DOWN_CLOSED;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_false(rs.intercepts);
	for (uint32_t c = 0; c < rs.chain_count; c++)
		assert_true(rs.chains[c].hook == HOOK_NONE ||
			    rs.chains[c].hook == HOOK_INPUT ||
			    rs.chains[c].hook == HOOK_FORWARD);
	assert_int_equal(rs.chains[0].count, 2); /* direct, direct-ftp */
	config.service_count = 0;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_int_equal(rs.chains[0].hook, HOOK_FORWARD);
}

static bool has_sets(bool pairs)
{
	return ruleset_set_exists(&rs.sets[SET_PAIRS4]) == pairs &&
	       ruleset_set_exists(&rs.sets[SET_PAIRS6]) == pairs &&
	       ruleset_set_exists(&rs.sets[SET_FTP_PORTS]) == pairs;
}

/* Without FTP there is nothing about it; held, data connections go on. */
static void data_connections(void **state)
{
	(void)state;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_true(has_sets(false));
	assert_false(rs.data);
	held = (struct ruleset_held){.count = 1, .ports = {21}, .ftp = true};
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_true(has_sets(true));
	assert_true(rs.data);
	assert_int_equal(rs.sets[SET_FTP_PORTS].count, 0);
	held = (struct ruleset_held){.count = 0};
	with_ftp();
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_true(has_sets(true));
	assert_true(rs.data);
	assert_int_equal(rs.sets[SET_FTP_PORTS].count, 1);
	assert_int_equal(rs.sets[SET_HTTP_PORTS].count, 1);
	assert_int_equal(rs.sets[SET_SOCKET_PORTS].count, 2);
}

/* Connections to them are open, though no new ones are taken in. */
static void held_ports(void **state)
{
	const struct ruleset_set *set = &rs.sets[SET_SOCKET_PORTS];

	(void)state;
	held = (struct ruleset_held){.count = 2, .ports = {8080, 80}};
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_int_equal(rs.sets[SET_HTTP_PORTS].count, 1);
	assert_int_equal(set->count, 2);
	assert_int_equal(set->elems[1].port, 8080);
	config.intercept.http_count = 0;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_true(rs.intercepts);
	assert_int_equal(rs.sets[SET_HTTP_PORTS].count, 0);
	assert_int_equal(set->count, 2);
}

static void values_are_sorted_and_once(void **state)
{
	static const uint16_t ports[] = {8080, 80, 443, 80, 8080, 1};
	const struct ruleset_set *set = &rs.sets[SET_HTTP_PORTS];

	(void)state;
	memcpy(config.intercept.http, ports, sizeof(ports));
	config.intercept.http_count = 6;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_int_equal(set->count, 4);
	assert_int_equal(set->elems[0].port, 1);
	assert_int_equal(set->elems[1].port, 80);
	assert_int_equal(set->elems[2].port, 443);
	assert_int_equal(set->elems[3].port, 8080);
}

/* Networks of a list that overlap come out as the widest of them. */
static void networks_are_merged(void **state)
{
	static const char *const list[] = {"10.1.2.3",	 "192.0.2.0/24",
					   "10.0.0.0/8", "10.1.0.0/16",
					   "fd00::1",	 "192.0.2.0/24"};
	const struct ruleset_set *set = &rs.sets[SET_BYPASS_SERVERS4];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		config.intercept.bypass_servers[i] = net(list[i]);
	config.intercept.bypass_servers_count = 6;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_int_equal(set->count, 2);
	assert_int_equal(set->elems[0].net.prefix, 8);
	assert_int_equal(set->elems[1].net.prefix, 24);
	assert_int_equal(rs.sets[SET_BYPASS_SERVERS6].count, 1);
	assert_int_equal(rs.sets[SET_BYPASS_CLIENTS4].count, 0);
}

static void bypass_at_run_time(void **state)
{
	struct ip_net a = net("10.0.0.0/24"), part = net("10.0.0.9");
	struct ip_net whole = net("10.0.0.0/8"), next = net("10.0.1.0/24");
	struct ip_net other;

	(void)state;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_int_equal(ruleset_bypass_add(&rs, BYPASS_CLIENTS, &a, &other),
			 0);
	assert_int_equal(ruleset_bypass_add(&rs, BYPASS_CLIENTS, &part, &other),
			 -EEXIST);
	assert_int_equal(other.prefix, 24);
	assert_int_equal(
		ruleset_bypass_add(&rs, BYPASS_CLIENTS, &whole, &other),
		-EEXIST);
	assert_int_equal(ruleset_bypass_add(&rs, BYPASS_CLIENTS, &next, &other),
			 0);
	assert_int_equal(ruleset_bypass_del(&rs, BYPASS_CLIENTS, &part),
			 -ENOENT);
	assert_int_equal(ruleset_bypass_del(&rs, BYPASS_SERVERS, &a), -ENOENT);
	assert_int_equal(ruleset_bypass_del(&rs, BYPASS_CLIENTS, &a), 0);
	assert_int_equal(rs.sets[SET_BYPASS_CLIENTS4].count, 1);
}

static void a_set_can_be_full(void **state)
{
	struct ruleset_set *set = &rs.sets[SET_BYPASS_CLIENTS4];
	union ruleset_elem e = elem("10.0.0.0"), wide = elem("10.0.0.0/30");

	(void)state;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	for (unsigned int i = 0; i < RULESET_ELEMS; i++) {
		e.net.addr.bytes[2] = (uint8_t)(i >> 8);
		e.net.addr.bytes[3] = (uint8_t)i;
		assert_int_equal(ruleset_set_add(set, &e), 0);
	}
	e.net.addr.bytes[1] = 1;
	assert_int_equal(ruleset_set_add(set, &e), -ENOSPC);
	/* One that takes the place of others finds room. */
	assert_int_equal(ruleset_set_add(set, &wide), 0);
	assert_int_equal(set->count, RULESET_ELEMS - 3);
}

static void ranges_as_text(void **state)
{
	static const struct {
		const char *first, *last, *text;
	} cases[] = {
		{"10.0.0.9", "10.0.0.9", "10.0.0.9"},
		{"10.0.0.0", "10.255.255.255", "10.0.0.0/8"},
		{"0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
		{"10.0.0.1", "10.0.0.255", "10.0.0.1-10.0.0.255"},
		{"10.0.0.0", "10.0.0.254", "10.0.0.0-10.0.0.254"},
		{"10.0.0.4", "10.0.0.11", "10.0.0.4-10.0.0.11"},
		{"2001:db8::", "2001:db8::ff", "2001:db8::/120"},
		{"2001:db8::", "2001:db8::5", "2001:db8::-2001:db8::5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[RULESET_RANGE_TEXT];
		struct ruleset_range r;

		assert_true(ip_addr_parse(cases[i].first, &r.first));
		assert_true(ip_addr_parse(cases[i].last, &r.last));
		ruleset_range_format(&r, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void ranges_of_networks(void **state)
{
	struct ip_net a = net("10.0.0.128/25"), b = net("2001:db8::/33");
	struct ruleset_range r = ruleset_range(&a);
	char text[IP_TEXT_MAX];

	(void)state;
	assert_string_equal(ip_addr_format(&r.last, text, sizeof(text)),
			    "10.0.0.255");
	r = ruleset_range(&b);
	assert_string_equal(ip_addr_format(&r.last, text, sizeof(text)),
			    "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
}

static const struct ruleset_rule *find(const char *name)
{
	for (uint32_t c = 0; c < rs.chain_count; c++) {
		for (uint32_t r = 0; r < rs.chains[c].count; r++) {
			if (strcmp(rs.chains[c].rules[r].name, name) == 0)
				return &rs.chains[c].rules[r];
		}
	}
	return NULL;
}

static bool shows(const char *text)
{
	char *all = malloc(NFT_TEXT_MAX);
	struct strbuf sb;
	bool found;

	assert_non_null(all);
	strbuf_init(&sb, all, NFT_TEXT_MAX);
	nft_text_ruleset(&sb, &rs);
	found = strstr(all, text) != NULL;
	free(all);
	return found;
}

/* The label's bits in the mark of a connection, and nobody else's. */
static void labels_stay_in_their_bits(void **state)
{
	(void)state;
	assert_int_equal(LABEL_MASK >> LABEL_SHIFT, APP_ID_MAX);
	assert_int_equal(LABEL_MASK & LABEL_HINT, 0);
	assert_true(APP_IDS <= APP_ID_MAX + 1);
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	for (uint32_t c = 0; c < rs.chain_count; c++) {
		for (uint32_t r = 0; r < rs.chains[c].count; r++) {
			const struct ruleset_rule *rule =
				&rs.chains[c].rules[r];

			for (uint32_t t = 0; t < rule->count; t++) {
				if (rule->terms[t].kind == TERM_LABEL)
					assert_non_null(app_by_id(
						rule->terms[t].value));
			}
		}
	}
}

/* What was labelled, and what can't be, leaves before anything is queued. */
static void queues_what_is_left(void **state)
{
	const struct ruleset_rule *queue;

	(void)state;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	queue = find("queue");
	assert_non_null(queue);
	assert_int_equal(queue->terms[queue->count - 1].value, 5);
	assert_int_equal(queue->terms[queue->count - 1].total, 3);
	assert_true(shows("@classifying @ih,0,8 >= 0x0 counter packets 0 bytes "
			  "0 queue flags bypass,fanout to 5-7"));
	config.apps.queues = 1;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_true(shows("queue flags bypass to 5 "));
	ruleset_set_queue(&rs, QUEUE_TARGET);
	assert_true(shows("\t\t" NFT_TEXT_TARGET "meta l4proto @classifying"));
	assert_true(shows("queue num 5 bypass "));
	ruleset_set_queue(&rs, QUEUE_NONE);
	assert_null(find("queue"));
	assert_non_null(find("label-icmp")); /* its neighbours stayed */
	assert_non_null(find("hint6"));
}

static void apps_can_be_off(void **state)
{
	(void)state;
	config.apps.enabled = false;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_null(find("queue"));
	assert_null(find("labelled"));
	assert_null(find("label-http"));
	assert_false(shows("hints4"));
	assert_false(shows("classifying"));
}

/* One protocol alone needs no look at the port; two of them do. */
static void listeners_by_port(void **state)
{
	(void)state;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_non_null(find("intercept-http4"));
	assert_null(find("intercept-ftp4"));
	assert_false(shows("@http_ports meta nfproto"));
	with_ftp();
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_true(shows("tcp dport @http_ports meta nfproto ipv4 tcp flags "
			  "syn / syn,rst,ack tproxy ip to :3129"));
	assert_true(shows("tcp dport @ftp_ports meta nfproto ipv6 tcp flags "
			  "syn / syn,rst,ack tproxy ip6 to :2121"));
	config.intercept.http_count = 0;
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	assert_null(find("intercept-http4"));
	assert_null(find("label-http"));
	assert_non_null(find("label-ftp"));
	assert_non_null(find("cookie-ftp6"));
	assert_false(shows("@ftp_ports meta nfproto"));
}

/* The longest text that there can be is whole. */
static void text_fits(void **state)
{
	char *text = malloc(NFT_TEXT_MAX);
	struct strbuf sb;

	(void)state;
	assert_non_null(text);
	assert_int_equal(ruleset_build(&rs, &config, &held), 0);
	for (unsigned int s = SET_BYPASS_CLIENTS4; s <= SET_BYPASS_SERVERS6;
	     s++) {
		struct ruleset_set *set = &rs.sets[s];

		while (set->count < RULESET_ELEMS)
			set->elems[set->count++].net =
				net("1111:2222:3333:4444:5555:6666:7777:8888");
	}
	strbuf_init(&sb, text, NFT_TEXT_MAX);
	nft_text_ruleset(&sb, &rs);
	assert_false(sb.cut);
	assert_string_equal(text + sb.len - 2, "}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(wants_a_service, start),
		cmocka_unit_test_setup(refuses_its_own_port, start),
		cmocka_unit_test_setup(names_are_unique, start),
		cmocka_unit_test_setup(jumps_arrive, start),
		cmocka_unit_test_setup(without_ports, start),
		cmocka_unit_test_setup(data_connections, start),
		cmocka_unit_test_setup(held_ports, start),
		cmocka_unit_test_setup(listeners_by_port, start),
		cmocka_unit_test_setup(closed_refuses, start),
		cmocka_unit_test_setup(values_are_sorted_and_once, start),
		cmocka_unit_test_setup(networks_are_merged, start),
		cmocka_unit_test_setup(bypass_at_run_time, start),
		cmocka_unit_test_setup(a_set_can_be_full, start),
		cmocka_unit_test_setup(ranges_as_text, start),
		cmocka_unit_test_setup(ranges_of_networks, start),
		cmocka_unit_test_setup(labels_stay_in_their_bits, start),
		cmocka_unit_test_setup(queues_what_is_left, start),
		cmocka_unit_test_setup(apps_can_be_off, start),
		cmocka_unit_test_setup(text_fits, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
