// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/hostname.h"

#include <string.h>

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	c = ascii_lower(c);
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool label_valid(struct str label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.p[0] == '-' ||
	    label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = ascii_lower(label.p[i]);

		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' &&
		    c != '_')
			return false;
	}
	return true;
}

/* As inet_aton(3) and the URL standard ("ends in a number") read it. */
static bool label_is_number(struct str label)
{
	bool hex = label.len >= 2 && label.p[0] == '0' &&
		   ascii_lower(label.p[1]) == 'x';

	for (size_t i = hex ? 2 : 0; i < label.len; i++)
		if (hex ? !is_hex(label.p[i]) : !is_digit(label.p[i]))
			return false;
	return true;
}

/* Labels and dots, without that of the root. */
static bool labels_valid(struct str text)
{
	struct str label = {text.p, 0};

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '.') {
			label.len++;
			continue;
		}
		if (!label_valid(label))
			return false;
		label = (struct str){text.p + i + 1, 0};
	}
	return label_valid(label) && !label_is_number(label);
}

bool hostname_parse(struct str text, char dst[HOSTNAME_SIZE])
{
	dst[0] = '\0';
	if (text.len > 0 && text.p[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len >= HOSTNAME_SIZE || !labels_valid(text))
		return false;
	for (size_t i = 0; i < text.len; i++)
		dst[i] = ascii_lower(text.p[i]);
	dst[text.len] = '\0';
	return true;
}

bool hostname_is_plain(struct str text)
{
	char name[HOSTNAME_SIZE];

	return hostname_parse(text, name) && str_eq(text, str_of(name));
}
