// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Content codings. The input's first two bytes choose up to four codings, the
 * third the limits, the rest is the coded body. No layer gives more than the
 * limits allow, and the same input gives the same output.
 */
#include "fuzz.h"
#include "scan/decode.h"

static struct coding_list choose_codings(struct fuzz *f)
{
	unsigned int bits = fuzz_byte(f);
	struct coding_list list = {.count = 0};

	bits |= (unsigned int)fuzz_byte(f) << 8;
	while (list.count < CODING_MAX && (list.count == 0 || bits & 7)) {
		list.coding[list.count++] = (uint8_t)(CODING_GZIP + (bits & 3));
		bits >>= 3;
	}
	return list;
}

static uint32_t sum_of(const struct decoded *d)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < d->size; i++)
		h = (h ^ d->data[i]) * 16777619u;
	return h;
}

static void check(const struct decoded *d, const struct coding_list *codings,
		  const struct decode_limits *limits, size_t len)
{
	uint64_t by_ratio = (uint64_t)len * limits->max_ratio;

	FUZZ_CHECK(d->data != NULL);
	FUZZ_CHECK(d->size <= limits->max_output);
	FUZZ_CHECK(d->first == 0 || d->first < d->size);
	/* Of several, what is below the one that was cut may be empty, and whole. */
	FUZZ_CHECK(d->size > 0 || d->reason != REASON_NONE || !d->cut ||
		   codings->count > 1);
	FUZZ_CHECK(d->reason == REASON_NONE || d->reason == REASON_CODING ||
		   d->reason == REASON_SIZE || d->reason == REASON_RATIO ||
		   d->reason == REASON_SCANNER_FAILED);
	if (by_ratio < DECODE_RATIO_FROM)
		by_ratio = DECODE_RATIO_FROM;
	FUZZ_CHECK(d->reason != REASON_NONE || d->size <= by_ratio);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = {data, len, 0};
	struct coding_list codings = choose_codings(&f);
	uint8_t choice = fuzz_byte(&f);
	struct decode_limits limits = {
		.max_output = choice & 1 ? 1000 : 2u << 20,
		.max_ratio = choice & 2 ? 3 : 1000,
		.deadline_ms = UINT64_MAX,
	};
	uint8_t *copy = fuzz_copy(f.p, f.len);
	struct decoder decoder;
	struct decoded d, again;
	uint32_t sum;

	decoder_init(&decoder, "/nonexistent", 16u << 20);
	decoder_run(&decoder, &codings, copy, f.len, &limits, &d);
	check(&d, &codings, &limits, f.len);
	sum = sum_of(&d);
	decoder_reset(&decoder);
	decoder_run(&decoder, &codings, copy, f.len, &limits, &again);
	FUZZ_CHECK(again.reason == d.reason && again.size == d.size &&
		   again.first == d.first && again.leftover == d.leftover &&
		   again.cut == d.cut);
	FUZZ_CHECK(sum_of(&again) == sum);
	decoder_close(&decoder);
	free(copy);
	return 0;
}
