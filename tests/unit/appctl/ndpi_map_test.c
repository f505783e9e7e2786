// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "appctl/ndpi_map.h"
#include "policy/app.h"

static void names_are_compared_by_letters_and_digits(void **state)
{
	(void)state;
	assert_int_equal(ndpi_map_app("YouTube", ""), APP_YOUTUBE);
	assert_int_equal(ndpi_map_app("you_tube", ""), APP_YOUTUBE);
	assert_int_equal(ndpi_map_app("YouTubeUpload", ""), APP_YOUTUBE_UPLOAD);
	assert_int_equal(ndpi_map_app("Sina(Weibo)", ""), APP_WEIBO);
	assert_int_equal(ndpi_map_app("Z39.50", ""), APP_Z3950);
	assert_int_equal(ndpi_map_app("SMBv1", ""), APP_SMB);
	assert_int_equal(ndpi_map_app("SMBv23", ""), APP_SMB);
	assert_true(ndpi_map_knows("WireGuard"));
	assert_false(ndpi_map_knows("WireGuard2"));
	assert_false(ndpi_map_knows("Wire"));
	assert_false(ndpi_map_knows(""));
}

/* A protocol of a later version: its category still says something. */
static void new_names_fall_to_their_category(void **state)
{
	(void)state;
	assert_int_equal(ndpi_map_app("NewTube", "Video"), APP_OTHER_STREAMING);
	assert_int_equal(ndpi_map_app("NewNet", "VPN"), APP_OTHER_TUNNEL);
	assert_int_equal(ndpi_map_app("NewAds", "Advertisement"),
			 APP_OTHER_ADVERTISING);
	assert_int_equal(ndpi_map_app("New", "IoT-Scada"),
			 APP_OTHER_INDUSTRIAL);
	assert_int_equal(ndpi_map_app("New", "Unspecified"), APP_UNKNOWN);
	assert_int_equal(ndpi_map_app("New", ""), APP_UNKNOWN);
}

static void pairs(void **state)
{
	static const struct {
		uint16_t master, app, is;
	} pairs[] = {
		{APP_TLS, APP_YOUTUBE, APP_YOUTUBE},
		{APP_HTTP, APP_WINDOWS_UPDATE, APP_WINDOWS_UPDATE},
		{APP_QUIC, APP_GOOGLE, APP_GOOGLE},
		{APP_DNS, APP_YOUTUBE, APP_DNS},
		{APP_MDNS, APP_SPOTIFY, APP_MDNS},
		{APP_DHCP, APP_MICROSOFT, APP_DHCP},
		{APP_SMTP, APP_GMAIL, APP_SMTP},
		{APP_NONE, APP_SSH, APP_SSH},
		{APP_TLS, APP_NONE, APP_TLS},
		{APP_TLS, APP_UNKNOWN, APP_TLS},
		{APP_NONE, APP_NONE, APP_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_int_equal(ndpi_map_pair(pairs[i].master, pairs[i].app),
				 pairs[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_compared_by_letters_and_digits),
		cmocka_unit_test(new_names_fall_to_their_category),
		cmocka_unit_test(pairs),
	};

	return cmocka_run_group_tests_name("ndpi_map", tests, NULL, NULL);
}
