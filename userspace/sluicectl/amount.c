// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/amount.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *amount_bytes(char *dst, uint64_t n)
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	double value = (double)n;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < COUNT(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(dst, AMOUNT_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", value,
		 units[unit]);
	return dst;
}

const char *amount_duration(char *dst, uint64_t s)
{
	unsigned long long n = s;

	if (n >= 86400)
		snprintf(dst, AMOUNT_TEXT, "%llu d %llu h", n / 86400,
			 n % 86400 / 3600);
	else if (n >= 3600)
		snprintf(dst, AMOUNT_TEXT, "%llu h %llu min", n / 3600,
			 n % 3600 / 60);
	else if (n >= 60)
		snprintf(dst, AMOUNT_TEXT, "%llu min %llu s", n / 60, n % 60);
	else
		snprintf(dst, AMOUNT_TEXT, "%llu s", n);
	return dst;
}

const char *amount_rate(char *dst, double bytes)
{
	static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s",
					    "Gbit/s", "Tbit/s"};
	double value = bytes * 8;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < COUNT(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(dst, AMOUNT_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", value,
		 units[unit]);
	return dst;
}

const char *amount_bar(char *dst, unsigned int width, uint64_t n,
		       uint64_t whole)
{
	double share = whole > 0 ? (double)n / (double)whole : 0;
	unsigned int len = (unsigned int)(share * width + 0.5);

	if (len > width)
		len = width;
	if (len == 0 && n > 0)
		len = 1; /* little is not nothing */
	memset(dst, '#', len);
	dst[len] = '\0';
	return dst;
}
