// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What clamd answers. The text lies in the answer; before the NUL there is no
 * answer yet; what comes after it changes nothing.
 */
#include "fuzz.h"
#include "scan/clamd_reply.h"

static void check_text(const uint8_t *data, size_t len,
		       enum clamd_result result, struct str text)
{
	bool has_text = result == CLAMD_FOUND || result == CLAMD_ERROR;

	FUZZ_CHECK(has_text || text.len == 0);
	FUZZ_CHECK(result != CLAMD_FOUND || text.len > 0);
	if (text.len == 0)
		return;
	FUZZ_CHECK((const uint8_t *)text.p >= data);
	FUZZ_CHECK((const uint8_t *)text.p + text.len <= data + len);
	FUZZ_CHECK(memchr(text.p, '\0', text.len) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nul = len > 0 ? memchr(data, '\0', len) : NULL;
	struct str text, again;
	enum clamd_result result;
	uint8_t *copy;
	size_t end;

	if (len > CLAMD_REPLY_MAX)
		len = CLAMD_REPLY_MAX;
	copy = fuzz_copy(data, len);
	result = clamd_reply_parse(copy, len, &text);
	check_text(copy, len, result, text);
	if (nul == NULL || (size_t)(nul - data) >= len) {
		FUZZ_CHECK(result ==
			   (len < CLAMD_REPLY_MAX ? CLAMD_PARTIAL : CLAMD_BAD));
		free(copy);
		return 0;
	}
	end = (size_t)(nul - data);
	FUZZ_CHECK(clamd_reply_parse(copy, end + 1, &again) == result);
	FUZZ_CHECK(again.p == text.p && again.len == text.len);
	for (size_t n = end > 16 ? end - 16 : 0; n <= end; n++)
		FUZZ_CHECK(clamd_reply_parse(copy, n, &again) == CLAMD_PARTIAL);
	free(copy);
	return 0;
}
