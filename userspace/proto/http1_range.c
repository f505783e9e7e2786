// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/http1_range.h"

#include "proto/http1_scan.h"

/* --- what is asked for --------------------------------------------- */

/* The digits at the start of @s, taken off it. */
static struct str take_digits(struct str *s)
{
	const char *stop = scan_class(s->p, s->p + s->len, CLASS_DIGIT);
	struct str digits = {s->p, (size_t)(stop - s->p)};

	s->p = stop;
	s->len -= digits.len;
	return digits;
}

/* Of digits, so that only their number can be too large (RFC 9110 14.1.1). */
static uint64_t number(struct str digits)
{
	uint64_t value;

	return str_to_u64(digits, &value) ? value : UINT64_MAX;
}

/* "a-b", "a-" or "-n" */
static bool parse_spec(struct str spec, struct http1_range *range)
{
	struct str first = take_digits(&spec), last;

	if (spec.len == 0 || spec.p[0] != '-')
		return false;
	spec.p++;
	spec.len--;
	last = take_digits(&spec);
	if (spec.len > 0 || (first.len == 0 && last.len == 0))
		return false;
	range->suffix = first.len == 0;
	if (first.len > 0)
		range->first = number(first);
	range->last = last.len > 0 ? number(last) : UINT64_MAX;
	return range->suffix || range->first <= range->last;
}

bool http1_range_parse(struct str value, struct http1_range *range)
{
	const struct str unit = STR("bytes=");
	struct str set = value, spec, another;

	*range = (struct http1_range){0};
	if (value.len < unit.len ||
	    !str_eq_nocase((struct str){value.p, unit.len}, unit))
		return false;
	set.p += unit.len;
	set.len -= unit.len;
	return str_next_element(&set, &spec) &&
	       !str_next_element(&set, &another) && parse_spec(spec, range);
}

/* The value of a field that may be there once; false when it is there twice. */
static bool single(const struct http1_head *head, enum http1_field_id id,
		   struct str *value)
{
	*value = (struct str){NULL, 0};
	for (unsigned int i = 0; i < head->nfields; i++) {
		if (head->fields[i].id != id)
			continue;
		if (value->p != NULL)
			return false;
		*value = head->fields[i].value;
	}
	return true;
}

bool http1_range_of(const struct http1_request *req, struct http1_range *range,
		    struct str *condition)
{
	struct str value;

	*range = (struct http1_range){0};
	*condition = (struct str){NULL, 0};
	return req->method == HTTP1_GET &&
	       single(&req->head, HTTP1_F_RANGE, &value) &&
	       single(&req->head, HTTP1_F_IF_RANGE, condition) &&
	       http1_range_parse(value, range);
}

/* --- where it is --------------------------------------------------- */

bool http1_range_resolve(const struct http1_range *range, uint64_t total,
			 struct http1_part *part)
{
	uint64_t first = range->first, end = total;

	if (range->suffix)
		first = range->last < total ? total - range->last : 0;
	else if (range->last < total)
		end = range->last + 1;
	*part = (struct http1_part){.total = total};
	if (first >= total || (range->suffix && range->last == 0))
		return false;
	part->first = first;
	part->end = end;
	return true;
}

/* --- on what condition --------------------------------------------- */

static bool is_strong_tag(struct str s)
{
	return s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"';
}

/*
 * A date is exact to the second: what was modified in the second in which it
 * was sent can have changed again in it, and keep its date (RFC 9110 8.8.2.2).
 */
static bool is_strong_date(struct str modified, const struct http1_head *head)
{
	struct str date;

	return modified.len > 0 && single(head, HTTP1_F_DATE, &date) &&
	       !str_eq(modified, date);
}

bool http1_if_range_holds(struct str condition, const struct http1_head *head)
{
	struct str tag, modified;

	if (!single(head, HTTP1_F_ETAG, &tag) ||
	    !single(head, HTTP1_F_LAST_MODIFIED, &modified))
		return false;
	if (is_strong_tag(condition))
		return str_eq(condition, tag);
	return str_eq(condition, modified) && is_strong_date(modified, head);
}
