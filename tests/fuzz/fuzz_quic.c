// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QUIC before its keys: a datagram as it comes, or what decryption gave (the
 * first bit chooses). Packets lie within their datagram, frames within their
 * packet, and the stream is what a simple model makes of the same frames.
 */
#include "fuzz.h"
#include "proto/quic_initial.h"

static void datagram(const uint8_t *p, size_t len)
{
	struct quic_packet packet;

	for (size_t at = 0; at < len; at += packet.len) {
		enum quic_kind kind =
			quic_packet_parse(p + at, len - at, &packet);

		FUZZ_CHECK(kind == packet.kind);
		if (kind == QUIC_NOT || kind == QUIC_UNKNOWN)
			return;
		FUZZ_CHECK(packet.len > 0 && packet.len <= len - at);
		FUZZ_CHECK(kind != QUIC_INITIAL ||
			   packet.pn_offset <= packet.len);
	}
}

/* One byte an entry: -1 where nothing came yet. */
static void model_add(int16_t *model, uint64_t offset, struct str data)
{
	for (size_t i = 0; i < data.len; i++)
		if (model[offset + i] == -1)
			model[offset + i] = (uint8_t)data.p[i];
}

static void frames(const uint8_t *p, size_t len)
{
	static struct quic_stream stream;
	static int16_t model[QUIC_STREAM_MAX + 1];
	struct str payload = {(const char *)p, len}, data;
	enum quic_frame_result r;
	uint64_t offset;
	size_t at = 0, ready = 0;

	memset(model, 0xff, sizeof(model));
	quic_stream_init(&stream);
	while ((r = quic_next_crypto(payload, &at, &offset, &data)) ==
	       QUIC_FRAME_CRYPTO) {
		FUZZ_CHECK(at <= len);
		FUZZ_CHECK(data.len == 0 ||
			   (data.p >= payload.p &&
			    data.p + data.len <= payload.p + len));
		if (quic_stream_add(&stream, offset, data))
			model_add(model, offset, data);
	}
	FUZZ_CHECK(r == QUIC_FRAME_BAD || at == len);
	while (model[ready] != -1) {
		FUZZ_CHECK(stream.data[ready] == model[ready]);
		ready++;
	}
	FUZZ_CHECK(stream.ready == ready);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = fuzz_input(data, len);
	uint8_t *copy = fuzz_copy(f.p, f.len);

	if (f.seed & 1)
		datagram(copy, f.len);
	else
		frames(copy, f.len);
	free(copy);
	return 0;
}
