// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/coding.h"

static const struct {
	struct str name;
	enum coding coding;
} names[] = {
	/* The first name of each is the one to write. */
	{{"gzip", 4}, CODING_GZIP},	  {{"x-gzip", 6}, CODING_GZIP},
	{{"deflate", 7}, CODING_DEFLATE}, {{"br", 2}, CODING_BR},
	{{"zstd", 4}, CODING_ZSTD},
};

#define NAMES (sizeof(names) / sizeof(names[0]))

enum coding coding_of(struct str token)
{
	for (size_t i = 0; i < NAMES; i++)
		if (str_eq_nocase(token, names[i].name))
			return names[i].coding;
	return CODING_UNKNOWN;
}

const char *coding_name(enum coding c)
{
	for (size_t i = 0; i < NAMES; i++)
		if (names[i].coding == c)
			return names[i].name.p;
	return "unknown";
}

/*
 * Names that servers give to what isn't coded. No client undoes any of them:
 * curl takes "none" for "identity", browsers leave alone what they don't know.
 */
static bool is_no_coding(struct str token)
{
	return str_eq_nocase(token, STR("identity")) ||
	       str_eq_nocase(token, STR("none")) ||
	       str_eq_nocase(token, STR("utf-8"));
}

void coding_list_add(struct coding_list *list, struct str value)
{
	struct str token;

	while (str_next_element(&value, &token)) {
		enum coding c = coding_of(token);

		if (is_no_coding(token))
			continue;
		if (c == CODING_UNKNOWN || list->count == CODING_MAX) {
			list->unknown = true;
			continue;
		}
		list->coding[list->count++] = (uint8_t)c;
	}
}
