// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/event_time.h"

#include <stdio.h>
#include <time.h>

#define US_A_SECOND 1000000ULL

void event_time_format(uint64_t us, char *dst)
{
	time_t seconds = (time_t)(us / US_A_SECOND);
	struct tm tm = {0};
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(dst, EVENT_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(dst + len, EVENT_TIME_TEXT - len, ".%06uZ",
		 (unsigned int)(us % US_A_SECOND));
}

/* Exactly @digits decimal digits off the start of @s, at most @max. */
static bool take_number(struct str *s, size_t digits, int max, int *value)
{
	int v = 0;

	if (s->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	s->p += digits;
	s->len -= digits;
	*value = v;
	return v <= max;
}

/* One of @chars off the start of @s; 0 when it is none of them. */
static char take_char(struct str *s, const char *chars)
{
	for (; *chars != '\0'; chars++) {
		if (s->len > 0 && *s->p == *chars) {
			s->p++;
			s->len--;
			return *chars;
		}
	}
	return 0;
}

static bool take_date(struct str *s, struct tm *tm)
{
	if (!take_number(s, 4, 9999, &tm->tm_year) || !take_char(s, "-") ||
	    !take_number(s, 2, 12, &tm->tm_mon) || !take_char(s, "-") ||
	    !take_number(s, 2, 31, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return tm->tm_mon >= 0 && tm->tm_mday >= 1;
}

static bool take_clock(struct str *s, struct tm *tm, unsigned int *us)
{
	unsigned int scale = US_A_SECOND / 10;

	*us = 0;
	if (!take_number(s, 2, 23, &tm->tm_hour) || !take_char(s, ":") ||
	    !take_number(s, 2, 59, &tm->tm_min) || !take_char(s, ":") ||
	    !take_number(s, 2, 60, &tm->tm_sec))
		return false;
	if (!take_char(s, "."))
		return true;
	if (s->len == 0 || *s->p < '0' || *s->p > '9')
		return false;
	for (; s->len > 0 && *s->p >= '0' && *s->p <= '9'; s->p++, s->len--) {
		*us += (unsigned int)(*s->p - '0') * scale;
		scale /= 10;
	}
	return true;
}

/* Seconds east of UTC. */
static bool take_offset(struct str *s, int *offset)
{
	int hours, minutes;
	char sign;

	*offset = 0;
	if (take_char(s, "Zz"))
		return true;
	sign = take_char(s, "+-");
	if (!sign || !take_number(s, 2, 23, &hours) || !take_char(s, ":") ||
	    !take_number(s, 2, 59, &minutes))
		return false;
	*offset = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

bool event_time_parse(struct str text, uint64_t *us)
{
	struct tm tm = {0};
	unsigned int fraction;
	int day, leap, offset;
	time_t seconds;

	if (!take_date(&text, &tm) || !take_char(&text, "Tt ") ||
	    !take_clock(&text, &tm, &fraction) ||
	    !take_offset(&text, &offset) || text.len != 0)
		return false;
	/* A leap second is the one after :59; timegm() would do the same. */
	leap = tm.tm_sec / 60;
	tm.tm_sec -= leap;
	day = tm.tm_mday;
	seconds = timegm(&tm) + leap;
	if (tm.tm_mday != day) /* timegm() moved 31 February into March */
		return false;
	seconds -= offset;
	if (seconds < 0)
		return false;
	*us = (uint64_t)seconds * US_A_SECOND + fraction;
	return true;
}
