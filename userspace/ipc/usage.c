// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/usage.h"

#include <time.h>

#include "policy/app.h"

#define YEAR_10000_S UINT64_C(253402300800)

static const char *const directions[USAGE_DIRECTIONS] = {
	[USAGE_UP] = "up",
	[USAGE_DOWN] = "down",
};

/* Equal addresses have equal bytes: what the family doesn't use is zero. */
static bool address_valid(const struct ip_addr *a)
{
	if (a->family != 0 && a->family != AF_INET && a->family != AF_INET6)
		return false;
	for (size_t i = ip_addr_len(a); i < sizeof(a->bytes); i++)
		if (a->bytes[i] != 0)
			return false;
	return true;
}

bool usage_valid(const struct usage *u)
{
	return u->time_s < YEAR_10000_S && u->time_s % USAGE_SPAN_S == 0 &&
	       u->direction < USAGE_DIRECTIONS && u->app <= APP_ID_MAX &&
	       u->zero == 0 && address_valid(&u->client);
}

const char *usage_app_text(uint16_t app)
{
	return app == APP_NONE ? USAGE_NOBODY : app_name(app);
}

const char *usage_group_text(uint16_t app)
{
	const struct app *known = app_by_id(app);

	if (app == APP_NONE)
		return USAGE_NOBODY;
	return known != NULL ? app_group_name(known->group) : "?";
}

const char *usage_direction_text(uint8_t direction)
{
	return direction < USAGE_DIRECTIONS ? directions[direction] : "?";
}

const char *usage_client_text(const struct usage *u, char *dst)
{
	if (u->client.family == 0)
		return USAGE_NOBODY;
	return ip_addr_format(&u->client, dst, IP_TEXT_MAX);
}

const char *usage_time_text(uint64_t time_s, char *dst)
{
	time_t t = (time_t)time_s;
	struct tm tm = {0};

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(dst, USAGE_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		dst[0] = '\0';
	return dst;
}
