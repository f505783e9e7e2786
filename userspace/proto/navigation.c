// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/navigation.h"

#include <string.h>

static struct str field_value(const struct http1_head *head, struct str name)
{
	for (unsigned int i = 0; i < head->nfields; i++)
		if (str_eq_nocase(head->fields[i].name, name))
			return head->fields[i].value;
	return (struct str){NULL, 0};
}

static bool contains(struct str s, struct str part)
{
	return s.len > 0 && memmem(s.p, s.len, part.p, part.len) != NULL;
}

static bool starts_nocase(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       str_eq_nocase((struct str){s.p, prefix.len}, prefix);
}

bool navigation_of(const struct http1_request *req)
{
	struct str mode = field_value(&req->head, STR("Sec-Fetch-Mode"));

	return req->method == HTTP1_GET &&
	       http1_field(&req->head, HTTP1_F_RANGE) == NULL &&
	       contains(field_value(&req->head, STR("User-Agent")),
			STR("Mozilla/")) &&
	       contains(field_value(&req->head, STR("Accept")),
			STR("text/html")) &&
	       (mode.len == 0 || str_eq_nocase(mode, STR("navigate")));
}

bool navigation_is_download(const struct http1_response *res)
{
	static const struct str shown[] = {
		STR("text/"),
		STR("image/"),
		STR("multipart/"),
		STR("application/xhtml"),
		STR("application/xml"),
		STR("application/json"),
		STR("application/javascript"),
	};
	struct str type = field_value(&res->head, STR("Content-Type"));

	if (starts_nocase(field_value(&res->head, STR("Content-Disposition")),
			  STR("attachment")))
		return true;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (starts_nocase(type, shown[i]))
			return false;
	return true;
}
