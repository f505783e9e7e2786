// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_range.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's in.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>

/* An element of an interval set: where a range starts, or the end of one. */
struct edge {
	struct ip_addr addr;
	bool end;
};

struct edges {
	struct edge *list;
	size_t count;
	size_t room;
	uint8_t family;
};

static int take(struct nftnl_set_elem *e, void *arg)
{
	struct edges *edges = arg;
	uint32_t len = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	struct edge *edge;

	if (edges->count == edges->room) {
		size_t room = edges->room > 0 ? edges->room * 2 : 64;
		struct edge *list =
			reallocarray(edges->list, room, sizeof(*list));

		if (list == NULL)
			return -1;
		edges->list = list;
		edges->room = room;
	}
	edge = &edges->list[edges->count];
	memset(edge, 0, sizeof(*edge));
	edge->addr.family = edges->family;
	if (key == NULL || len != ip_addr_len(&edge->addr))
		return 0;
	memcpy(edge->addr.bytes, key, len);
	edge->end = nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS) &&
		    (nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) &
		     NFT_SET_ELEM_INTERVAL_END) != 0;
	edges->count++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	int order = memcmp(x->addr.bytes, y->addr.bytes, sizeof(x->addr.bytes));

	/* Where two ranges touch, the end of the first comes first. */
	return order != 0 ? order : (int)y->end - (int)x->end;
}

static void predecessor(struct ip_addr *addr)
{
	for (size_t i = ip_addr_len(addr); i-- > 0;) {
		if (addr->bytes[i]-- != 0)
			return;
	}
}

/* From each start to the next edge, or to the end of the address space. */
static size_t pair(const struct edges *edges, struct ruleset_range *out)
{
	size_t n = 0;

	for (size_t i = 0; i < edges->count; i++) {
		/* nft starts its sets with an end at zero that ends nothing. */
		if (edges->list[i].end)
			continue;
		out[n].first = edges->list[i].addr;
		if (i + 1 < edges->count) {
			out[n].last = edges->list[i + 1].addr;
			predecessor(&out[n].last);
		} else {
			out[n].last.family = edges->family;
			memset(out[n].last.bytes, 0xff,
			       ip_addr_len(&out[n].first));
		}
		n++;
	}
	return n;
}

int nft_range_list(struct nftnl_set *set, uint8_t family,
		   struct ruleset_range **ranges, size_t *count)
{
	struct edges edges = {.family = family};
	int err = -ENOMEM;

	*ranges = NULL;
	*count = 0;
	if (nftnl_set_elem_foreach(set, take, &edges) == -1)
		goto out;
	*ranges = calloc(edges.count + 1, sizeof(**ranges));
	if (*ranges == NULL)
		goto out;
	if (edges.count > 0)
		qsort(edges.list, edges.count, sizeof(*edges.list), compare);
	*count = pair(&edges, *ranges);
	err = 0;
out:
	free(edges.list);
	return err;
}
