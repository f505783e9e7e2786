// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ranges and their condition. The input's lines are the value of a Range field,
 * that of an If-Range, and an entity tag, a date of modification and a date of
 * a response. A range written anew is the same range, and lies within any
 * total; a condition holds only for a validator that is equal to it.
 */
#include <inttypes.h>

#include "fuzz.h"
#include "proto/http1_range.h"

static void check_again(const struct http1_range *range)
{
	struct http1_range again;
	char text[64];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	strbuf_puts(&sb, "bytes=");
	if (!range->suffix)
		strbuf_printf(&sb, "%" PRIu64, range->first);
	strbuf_printf(&sb, "-%" PRIu64, range->last);
	FUZZ_CHECK(http1_range_parse((struct str){text, sb.len}, &again));
	FUZZ_CHECK(again.suffix == range->suffix);
	FUZZ_CHECK(again.first == range->first && again.last == range->last);
}

static void check_part(const struct http1_range *range, uint64_t total)
{
	struct http1_part part;
	bool some = http1_range_resolve(range, total, &part);

	FUZZ_CHECK(part.total == total && part.end <= total);
	FUZZ_CHECK(some ? part.first < part.end
			: part.first == 0 && part.end == 0);
	if (!some)
		return;
	FUZZ_CHECK(range->suffix ? part.end == total
				 : part.first == range->first);
	FUZZ_CHECK(range->suffix ? part.end - part.first <= range->last
				 : part.end - 1 <= range->last);
}

static void check_range(struct str value)
{
	struct http1_range range;

	if (!http1_range_parse(value, &range))
		return;
	check_again(&range);
	check_part(&range, 0);
	check_part(&range, 1);
	check_part(&range, value.len);
	check_part(&range, range.first);
	check_part(&range, range.last);
	check_part(&range, UINT64_MAX);
}

static void check_condition(struct fuzz *f, struct str condition)
{
	static const enum http1_field_id ids[] = {
		HTTP1_F_ETAG, HTTP1_F_LAST_MODIFIED, HTTP1_F_DATE};
	static struct http1_head head;

	head.nfields = 0;
	while (f->len > 0 && head.nfields < 3) {
		head.fields[head.nfields].value = fuzz_line(f);
		head.fields[head.nfields].id = ids[head.nfields];
		head.nfields++;
	}
	if (!http1_if_range_holds(condition, &head))
		return;
	FUZZ_CHECK(condition.len > 0 && head.nfields > 0);
	FUZZ_CHECK(
		str_eq(condition, head.fields[0].value) ||
		(head.nfields > 1 && str_eq(condition, head.fields[1].value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = fuzz_copy(data, len);
	struct fuzz f = {copy, len, 0};
	struct str range = fuzz_line(&f), condition = fuzz_line(&f);
	uint8_t *flush = fuzz_copy((const uint8_t *)range.p, range.len);

	check_range((struct str){(const char *)flush, range.len});
	check_condition(&f, condition);
	free(flush);
	free(copy);
	return 0;
}
