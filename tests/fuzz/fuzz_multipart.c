// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Form bodies. The input's first line is a Content-Type, the rest a body. Parts
 * lie in the body in order and hold no delimiter; the same parts put together
 * anew, in the plainest way, come apart into the same parts again.
 */
#include "fuzz.h"
#include "proto/multipart.h"

static struct str choose_boundary(struct str content_type)
{
	struct str boundary;
	bool form = multipart_boundary(content_type, &boundary);

	FUZZ_CHECK(boundary.len <= MULTIPART_BOUNDARY_MAX);
	FUZZ_CHECK(form || boundary.len == 0);
	FUZZ_CHECK(boundary.len == 0 ||
		   (boundary.p > content_type.p &&
		    boundary.p + boundary.len <=
			    content_type.p + content_type.len));
	return boundary.len > 0 ? boundary : STR("b");
}

static bool has_delimiter(struct str data, struct str boundary)
{
	char needle[2 + MULTIPART_BOUNDARY_MAX] = "--";

	memcpy(needle + 2, boundary.p, boundary.len);
	return data.len > 0 &&
	       memmem(data.p, data.len, needle, 2 + boundary.len) != NULL;
}

/* @part lies in @body at or after @at; where it ends. */
static size_t check_part(struct str body, struct str boundary,
			 const struct multipart_part *part, size_t at)
{
	FUZZ_CHECK(part->fields.p >= body.p + at);
	FUZZ_CHECK(part->fields.p + part->fields.len <= part->data.p);
	FUZZ_CHECK(part->data.p + part->data.len <= body.p + body.len);
	FUZZ_CHECK(!has_delimiter(part->data, boundary));
	return (size_t)(part->data.p + part->data.len - body.p);
}

static void add(struct strbuf *sb, struct str boundary,
		const struct multipart_part *part)
{
	strbuf_puts(sb, "--");
	strbuf_str(sb, boundary);
	strbuf_puts(sb, "\r\n");
	strbuf_str(sb, part->fields);
	strbuf_puts(sb, "\r\n");
	strbuf_str(sb, part->data);
	strbuf_puts(sb, "\r\n");
}

/* Walk over @body, put its parts together in @sb; how it ended. */
static enum multipart_result walk(struct str body, struct str boundary,
				  struct strbuf *sb)
{
	struct multipart_part part, again;
	enum multipart_result r;
	size_t offset = 0, at = 0;

	while ((r = multipart_next(body, boundary, &offset, &part)) ==
	       MULTIPART_PART) {
		FUZZ_CHECK(offset <= body.len);
		FUZZ_CHECK(part.encoding <= MULTIPART_UNKNOWN);
		at = check_part(body, boundary, &part, at);
		FUZZ_CHECK(offset >= at);
		add(sb, boundary, &part);
	}
	FUZZ_CHECK(multipart_next(body, boundary, &offset, &again) == r);
	strbuf_puts(sb, "--");
	strbuf_str(sb, boundary);
	strbuf_puts(sb, "--");
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char first[65536], second[65536];
	struct fuzz f = {data, len, 0};
	struct str type = fuzz_line(&f);
	uint8_t *copy = fuzz_copy(f.p, f.len);
	struct str body = {(const char *)copy, f.len};
	struct str boundary = choose_boundary(type);
	struct strbuf sb, sb2;

	strbuf_init(&sb, first, sizeof(first));
	if (walk(body, boundary, &sb) == MULTIPART_END && !sb.cut) {
		strbuf_init(&sb2, second, sizeof(second));
		FUZZ_CHECK(walk((struct str){first, sb.len}, boundary, &sb2) ==
			   MULTIPART_END);
		FUZZ_CHECK(sb.len == sb2.len &&
			   memcmp(first, second, sb.len) == 0);
	}
	free(copy);
	return 0;
}
