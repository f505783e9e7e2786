// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/decode.h"

#include <errno.h>

#include "scan/codec.h"
#include "sys/clock.h"

void decoder_init(struct decoder *d, const char *dir, uint64_t memory)
{
	for (int i = 0; i < 2; i++)
		spool_init(&d->spools[i], dir, memory);
}

void decoder_reset(struct decoder *d)
{
	for (int i = 0; i < 2; i++)
		spool_reset(&d->spools[i]);
}

void decoder_close(struct decoder *d)
{
	for (int i = 0; i < 2; i++)
		spool_close(&d->spools[i]);
}

static enum reason storage_reason(int rc)
{
	return rc == -ENOMEM ? REASON_SCANNER_FAILED : REASON_STORAGE;
}

/* --- one coding ------------------------------------------------------------- */

struct layer {
	const struct codec_ops *ops;
	void *codec;
	struct codec_io io;
	struct spool *out;
	uint64_t max_by_ratio;
	const struct decode_limits *limits;
	size_t first;
	bool cut;
};

static uint64_t ratio_limit(size_t size, uint32_t ratio)
{
	uint64_t max;

	if (__builtin_mul_overflow((uint64_t)size, ratio, &max))
		return UINT64_MAX;
	return max > DECODE_RATIO_FROM ? max : DECODE_RATIO_FROM;
}

static enum reason over_limits(const struct layer *l)
{
	if (l->out->size > l->limits->max_output)
		return REASON_SIZE;
	if (l->out->size > l->max_by_ratio)
		return REASON_RATIO;
	if (clock_system.monotonic_ms() >= l->limits->deadline_ms)
		return REASON_SCANNER_TIMEOUT;
	return REASON_NONE;
}

/* The input ended in the middle. What came out is all that there is. */
static enum reason end_early(struct layer *l)
{
	l->cut = true;
	return l->out->size > 0 ? REASON_NONE : REASON_CODING;
}

/* One step into the spool. @end is set when there is no more to come. */
static enum reason layer_step(struct layer *l, bool *end)
{
	unsigned int streams = l->io.streams;
	size_t room, in_len = l->io.in_len;
	enum codec_step step;
	int rc = spool_room(l->out, &l->io.out, &room);

	if (rc != 0)
		return storage_reason(rc);
	l->io.out_len = room;
	step = l->ops->step(l->codec, &l->io);
	spool_filled(l->out, room - l->io.out_len);
	if (streams == 0 && l->io.streams == 1)
		l->first = l->out->size;
	*end = step == CODEC_END;
	if (step == CODEC_DAMAGED)
		return REASON_CODING;
	if (step == CODEC_MEMORY)
		return REASON_SCANNER_FAILED;
	if (step == CODEC_MORE && l->io.in_len == in_len &&
	    l->io.out_len == room && l->io.streams == streams) {
		*end = true;
		return end_early(l);
	}
	return over_limits(l);
}

static enum reason layer_run(struct layer *l)
{
	enum reason reason = REASON_NONE;
	bool end = false;

	l->codec = l->ops->open();
	if (l->codec == NULL)
		return REASON_SCANNER_FAILED;
	while (!end && reason == REASON_NONE)
		reason = layer_step(l, &end);
	l->ops->close(l->codec);
	return reason;
}

/* --- all of them ------------------------------------------------------------ */

/* Turn @out, the input, into what is below its outermost coding. */
static void peel(struct spool *sp, uint8_t coding, uint64_t max_overall,
		 const struct decode_limits *limits, struct decoded *out)
{
	struct layer l = {
		.ops = codec_of(coding),
		.io = {.in = out->data, .in_len = out->size},
		.out = sp,
		.max_by_ratio = ratio_limit(out->size, limits->max_ratio),
		.limits = limits,
	};
	enum reason reason = REASON_CODING;
	const uint8_t *view;

	spool_reset(sp);
	if (l.max_by_ratio > max_overall)
		l.max_by_ratio = max_overall;
	if (l.ops != NULL)
		reason = layer_run(&l);
	view = spool_view(sp);
	if (view == NULL)
		reason = storage_reason(-errno);
	out->data = view;
	out->size = view != NULL ? sp->size : 0;
	/* The rest of the last step is no loss: it isn't clean any more. */
	if (out->size > limits->max_output)
		out->size = limits->max_output;
	out->first = l.first < out->size ? l.first : 0;
	out->leftover |= l.io.in_len > 0;
	out->cut |= l.cut;
	if (out->reason == REASON_NONE)
		out->reason = reason;
}

void decoder_run(struct decoder *d, const struct coding_list *codings,
		 const uint8_t *data, size_t size,
		 const struct decode_limits *limits, struct decoded *out)
{
	uint64_t max_overall = ratio_limit(size, limits->max_ratio);

	*out = (struct decoded){.data = data, .size = size};
	for (unsigned int i = codings->count; i-- > 0;)
		peel(&d->spools[i % 2], codings->coding[i], max_overall, limits,
		     out);
}
