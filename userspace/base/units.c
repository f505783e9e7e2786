// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* From large to small: formatting takes the first that divides. */
static const struct unit size_units[] = {
	{"T", 1ULL << 40},
	{"G", 1ULL << 30},
	{"M", 1ULL << 20},
	{"K", 1ULL << 10},
	{"", 1},
	{"B", 1},
	{"KiB", 1ULL << 10},
	{"MiB", 1ULL << 20},
	{"GiB", 1ULL << 30},
	{"TiB", 1ULL << 40},
};

static const struct unit duration_units[] = {
	{"w", 7ULL * 86400 * 1000},
	{"d", 86400ULL * 1000},
	{"h", 3600ULL * 1000},
	{"m", 60ULL * 1000},
	{"s", 1000},
	{"ms", 1},
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct unit *unit_find(const struct unit *units, size_t n,
				    struct str name, bool nocase)
{
	for (size_t i = 0; i < n; i++) {
		struct str u = str_of(units[i].name);

		if (nocase ? str_eq_nocase(u, name) : str_eq(u, name))
			return &units[i];
	}
	return NULL;
}

static bool units_parse(const struct unit *units, size_t n, const char *text,
			bool nocase, uint64_t *value)
{
	struct str all = str_trim(str_of(text));
	size_t digits = 0;
	const struct unit *unit;
	struct str name;
	uint64_t number;

	*value = 0;
	while (digits < all.len && all.p[digits] >= '0' && all.p[digits] <= '9')
		digits++;
	if (!str_to_u64((struct str){all.p, digits}, &number))
		return false;
	name = str_trim((struct str){all.p + digits, all.len - digits});
	if (number == 0 && name.len == 0)
		return true;
	unit = unit_find(units, n, name, nocase);
	if (unit == NULL || number > UINT64_MAX / unit->factor)
		return false;
	*value = number * unit->factor;
	return true;
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
	return units_parse(size_units, ARRAY_SIZE(size_units), text, true,
			   bytes);
}

bool units_parse_duration(const char *text, uint64_t *ms)
{
	return units_parse(duration_units, ARRAY_SIZE(duration_units), text,
			   false, ms);
}

static void units_format(const struct unit *units, char *dst, size_t size,
			 uint64_t value)
{
	const struct unit *u = units;

	while (u->factor > 1 && (value == 0 || value % u->factor != 0))
		u++;
	snprintf(dst, size, "%" PRIu64 "%s", value / u->factor, u->name);
}

void units_format_size(char *dst, size_t size, uint64_t bytes)
{
	units_format(size_units, dst, size, bytes);
}

void units_format_duration(char *dst, size_t size, uint64_t ms)
{
	units_format(duration_units, dst, size, ms);
}
