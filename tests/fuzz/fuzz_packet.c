// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers of a packet, and what is told from the first bytes of its payload. */
#include "fuzz.h"
#include "proto/packet.h"
#include "proto/sniff.h"

static void check_name(const char *name)
{
	FUZZ_CHECK(strlen(name) < SNIFF_DNS_NAME_MAX);
	for (; *name != '\0'; name++)
		FUZZ_CHECK(*name > ' ' && *name <= '~' &&
			   !(*name >= 'A' && *name <= 'Z'));
}

static void sniff(struct str s)
{
	char name[SNIFF_DNS_NAME_MAX];
	struct sniff_ftp ftp = {0, 0};

	if (sniff_dns(s, name))
		check_name(name);
	if (sniff_dns_tcp(s, name))
		check_name(name);
	sniff_bittorrent_utp(s);
	for (unsigned int i = 0; i < 3; i++)
		FUZZ_CHECK(!sniff_ftp(&ftp, 0, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = fuzz_copy(data, len);
	const char *end = (const char *)copy + len;
	struct packet p;

	packet_parse(copy, len, &p);
	FUZZ_CHECK(p.l4 <= len);
	if (p.kind == PACKET_TCP || p.kind == PACKET_UDP) {
		FUZZ_CHECK(p.payload.p > (const char *)copy + p.l4);
		FUZZ_CHECK(p.payload.p + p.payload.len <= end);
		sniff(p.payload);
	}
	sniff((struct str){(const char *)copy, len});
	free(copy);
	return 0;
}
