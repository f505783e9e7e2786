/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads captures as tcpdump -w writes them: classic format, Ethernet or raw. */
#ifndef SLUICE_TESTS_PCAP_H
#define SLUICE_TESTS_PCAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PCAP_PACKET_MAX 70000
#define PCAP_ETHERNET	1
#define PCAP_RAW	101

struct pcap {
	FILE *f;
	uint32_t link;
	uint64_t ms; /* of the last packet */
	size_t len;  /* of the last packet, from its IP header on */
	uint8_t data[PCAP_PACKET_MAX];
};

static inline bool pcap_u32(FILE *f, uint32_t *v)
{
	return fread(v, sizeof(*v), 1, f) == 1;
}

/* False when there is no such file, or it is none of this machine's order. */
static inline bool pcap_open(struct pcap *p, const char *path)
{
	uint32_t head[6];

	memset(p, 0, sizeof(*p));
	p->f = fopen(path, "rb");
	if (p->f == NULL)
		return false;
	if (fread(head, sizeof(head), 1, p->f) == 1 && head[0] == 0xa1b2c3d4 &&
	    (head[5] == PCAP_ETHERNET || head[5] == PCAP_RAW)) {
		p->link = head[5];
		return true;
	}
	fclose(p->f);
	p->f = NULL;
	return false;
}

/* The next packet; false at the end. */
static inline bool pcap_next(struct pcap *p)
{
	uint32_t skip = p->link == PCAP_ETHERNET ? 14 : 0;
	uint32_t s, us, have, len;

	if (!pcap_u32(p->f, &s) || !pcap_u32(p->f, &us) ||
	    !pcap_u32(p->f, &have) || !pcap_u32(p->f, &len) || have < skip ||
	    have > PCAP_PACKET_MAX || fread(p->data, have, 1, p->f) != 1)
		return false;
	p->ms = (uint64_t)s * 1000 + us / 1000;
	p->len = have - skip;
	memmove(p->data, p->data + skip, p->len);
	return true;
}

static inline void pcap_close(struct pcap *p)
{
	if (p->f != NULL)
		fclose(p->f);
	p->f = NULL;
}

#endif
