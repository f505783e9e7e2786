// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "appctl/dpi.h"
#include "appctl/ndpi_map.h"

static struct dpi *dpi;

static int set_up(void **state)
{
	(void)state;
	dpi = dpi_new(2);
	return dpi == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	dpi_free(dpi);
	return 0;
}

/* All of the installed version; a newer one shows here what it has added. */
static void every_protocol_has_its_application(void **state)
{
	(void)state;
	assert_true(dpi_protocols(dpi) >= 282);
	assert_int_equal(dpi_protocol_app(dpi, 0), APP_NONE);
	for (uint32_t id = 1; id < dpi_protocols(dpi); id++) {
		const char *name = dpi_protocol_name(dpi, id);
		uint16_t app = dpi_protocol_app(dpi, id);

		if (!ndpi_map_knows(name))
			fail_msg("nDPI's %s (%u) is not in ndpi_map_table.h",
				 name, (unsigned int)id);
		if (app_by_id(app) == NULL || app == APP_UNKNOWN)
			fail_msg("%s has no application", name);
	}
	assert_int_equal(dpi_protocol_app(dpi, UINT32_MAX), APP_UNKNOWN);
}

static void hosts(void **state)
{
	static const struct {
		const char *host;
		uint16_t app;
	} hosts[] = {
		{"www.youtube.com", APP_YOUTUBE},
		{"r3---sn-x.googlevideo.com", APP_YOUTUBE},
		{"notyoutube.com", APP_NONE},
		{"www.facebook.com", APP_FACEBOOK},
		{"www.example.com", APP_NONE},
		{"", APP_NONE},
		/* beyond the 80 bytes that nDPI keeps itself */
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
		 "cdn.youtube.com",
		 APP_YOUTUBE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		assert_int_equal(dpi_app_of_host(dpi, str_of(hosts[i].host)),
				 hosts[i].app);
}

static void flows_are_bounded(void **state)
{
	struct dpi_flow *a = dpi_flow_new(dpi), *b = dpi_flow_new(dpi);
	struct dpi_result r;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_null(dpi_flow_new(dpi));
	/* Nothing was seen: nothing can be said. */
	dpi_give_up(dpi, a, &r);
	assert_int_equal(r.app, APP_NONE);
	dpi_flow_free(dpi, a);
	a = dpi_flow_new(dpi);
	assert_non_null(a);
	dpi_flow_free(dpi, a);
	dpi_flow_free(dpi, b);
	dpi_flow_free(dpi, NULL);
}

/* What is no packet is not shown to nDPI. */
static void short_packets(void **state)
{
	struct dpi_flow *flow = dpi_flow_new(dpi);
	uint8_t data[64] = {0x45};
	struct dpi_result r;

	(void)state;
	for (size_t len = 0; len < 40; len++) {
		dpi_feed(dpi, flow, data, len, 20, true, 1, &r);
		assert_int_equal(r.app, APP_NONE);
	}
	dpi_flow_free(dpi, flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_has_its_application),
		cmocka_unit_test(hosts),
		cmocka_unit_test(flows_are_bounded),
		cmocka_unit_test(short_packets),
	};

	return cmocka_run_group_tests_name("dpi", tests, set_up, tear_down);
}
