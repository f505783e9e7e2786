// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/when.h"

#include <time.h>

#include "base/str.h"
#include "base/units.h"
#include "store/event_time.h"

#define US_A_MS 1000

bool when_parse(const char *text, uint64_t now_us, uint64_t *us)
{
	uint64_t ms;

	if (event_time_parse(str_of(text), us))
		return true;
	if (!units_parse_duration(text, &ms) || ms > now_us / US_A_MS)
		return false;
	*us = now_us - ms * US_A_MS;
	return true;
}

uint64_t when_midnight(uint64_t s, int days)
{
	time_t t = (time_t)s;
	struct tm tm = {0};

	localtime_r(&t, &tm);
	tm.tm_sec = tm.tm_min = tm.tm_hour = 0;
	tm.tm_mday += days;
	tm.tm_isdst = -1; /* a day may have 23 or 25 hours */
	t = mktime(&tm);
	return t > 0 ? (uint64_t)t : 0;
}
