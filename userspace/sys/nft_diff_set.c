// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_diff_set.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libnftnl/set.h>

#include "render/ruleset_set.h"
#include "sys/nft_object.h"
#include "sys/nft_range.h"

/* Elements are compared as people read them, sorted. */
struct elem_text {
	char text[RULESET_RANGE_TEXT];
};

struct elem_texts {
	struct elem_text *list;
	size_t count;
	size_t room;
	const struct ruleset_set *like;
};

static int texts_init(struct elem_texts *t, size_t room,
		      const struct ruleset_set *like)
{
	t->list = calloc(room + 1, sizeof(*t->list));
	t->count = 0;
	t->room = room;
	t->like = like;
	return t->list != NULL ? 0 : -ENOMEM;
}

static bool is_net(const struct ruleset_set *set)
{
	return set->type == SET_TYPE_NET4 || set->type == SET_TYPE_NET6;
}

static void format(const struct ruleset_set *like, const union ruleset_elem *e,
		   struct elem_text *out)
{
	switch (like->type) {
	case SET_TYPE_PROTO:
		snprintf(out->text, sizeof(out->text), "protocol %u", e->proto);
		break;
	case SET_TYPE_PORT:
		snprintf(out->text, sizeof(out->text), "%u", e->port);
		break;
	case SET_TYPE_IFNAME:
		snprintf(out->text, sizeof(out->text), "%.*s",
			 RULESET_IFNAME_MAX, e->ifname);
		break;
	case SET_TYPE_NET4:
	case SET_TYPE_NET6:
		ip_net_format(&e->net, out->text, sizeof(out->text));
		break;
	case SET_TYPE_LABEL:
		snprintf(out->text, sizeof(out->text), "0x%08x", e->mark);
		break;
	case SET_TYPE_SERVER4: /* run time's, not compared */
	case SET_TYPE_SERVER6:
	case SET_TYPE_HOST4:
	case SET_TYPE_HOST6:
	case SET_TYPE_PAIR4:
	case SET_TYPE_PAIR6:
		break;
	}
}

static int count_elem(struct nftnl_set_elem *e, void *arg)
{
	(void)e;
	++*(size_t *)arg;
	return 0;
}

/* An element of a set that holds no ranges. */
static int take_elem(struct nftnl_set_elem *elem, void *arg)
{
	struct elem_texts *t = arg;
	uint32_t len = 0;
	const void *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &len);
	union ruleset_elem e;
	uint16_t port;

	memset(&e, 0, sizeof(e));
	if (key == NULL || t->count == t->room)
		return 0;
	if (t->like->type == SET_TYPE_PORT && len == sizeof(port)) {
		memcpy(&port, key, sizeof(port));
		e.port = ntohs(port);
	} else if (len <= sizeof(e.ifname)) {
		memcpy(&e, key, len);
	}
	format(t->like, &e, &t->list[t->count++]);
	return 0;
}

static int have_ranges(struct nftnl_set *have, const struct ruleset_set *want,
		       struct elem_texts *t)
{
	uint8_t family = want->type == SET_TYPE_NET4 ? AF_INET : AF_INET6;
	struct ruleset_range *ranges;
	size_t n;

	if (nft_range_list(have, family, &ranges, &n) < 0)
		return -ENOMEM;
	if (texts_init(t, n, want) < 0) {
		free(ranges);
		return -ENOMEM;
	}
	for (t->count = 0; t->count < n; t->count++)
		ruleset_range_format(&ranges[t->count], t->list[t->count].text,
				     sizeof(t->list[0].text));
	free(ranges);
	return 0;
}

static int have_texts(struct nftnl_set *have, const struct ruleset_set *want,
		      struct elem_texts *t)
{
	size_t n = 0;

	if (is_net(want))
		return have_ranges(have, want, t);
	nftnl_set_elem_foreach(have, count_elem, &n);
	if (texts_init(t, n, want) < 0)
		return -ENOMEM;
	nftnl_set_elem_foreach(have, take_elem, t);
	return 0;
}

static int want_texts(const struct ruleset_set *want, struct elem_texts *t)
{
	if (texts_init(t, want->count, want) < 0)
		return -ENOMEM;
	for (t->count = 0; t->count < want->count; t->count++)
		format(want, &want->elems[t->count], &t->list[t->count]);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct elem_text *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static void say(nft_diff_fn fn, void *arg, const char *what, const char *elem)
{
	char line[RULESET_RANGE_TEXT + 32];

	snprintf(line, sizeof(line), "%s %s", what, elem);
	fn(line, arg);
}

/* Walk both sorted lists at once. */
static void merge(const struct elem_texts *have, const struct elem_texts *want,
		  nft_diff_fn fn, void *arg)
{
	size_t h = 0, w = 0;

	while (h < have->count || w < want->count) {
		int order;

		if (h == have->count)
			order = 1;
		else if (w == want->count)
			order = -1;
		else
			order = compare(&have->list[h], &want->list[w]);
		if (order < 0)
			say(fn, arg, "foreign element", have->list[h].text);
		else if (order > 0)
			say(fn, arg, "missing element", want->list[w].text);
		h += order <= 0;
		w += order >= 0;
	}
}

static int diff_elems(struct nftnl_set *have, const struct ruleset_set *want,
		      nft_diff_fn fn, void *arg)
{
	struct elem_texts h = {.list = NULL}, w = {.list = NULL};
	int err = have_texts(have, want, &h);

	if (err == 0)
		err = want_texts(want, &w);
	if (err == 0) {
		qsort(h.list, h.count, sizeof(*h.list), compare);
		qsort(w.list, w.count, sizeof(*w.list), compare);
		merge(&h, &w, fn, arg);
	}
	free(h.list);
	free(w.list);
	return err;
}

int nft_diff_set(struct nftnl_set *have, const struct ruleset_set *want,
		 nft_diff_fn fn, void *arg)
{
	static const uint16_t attrs[] = {NFTNL_SET_KEY_TYPE, NFTNL_SET_KEY_LEN,
					 NFTNL_SET_FLAGS, NFTNL_SET_DATA_TYPE,
					 NFTNL_SET_DESC_SIZE};
	struct nftnl_set *model = nft_object_set(want, 0);
	bool same = true;

	if (model == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		/* A kernel leaves out flags when it has none to tell. */
		uint32_t value = nftnl_set_is_set(have, attrs[i])
					 ? nftnl_set_get_u32(have, attrs[i])
					 : 0;

		same = same && value == nftnl_set_get_u32(model, attrs[i]);
	}
	nftnl_set_free(model);
	if (!same) {
		fn("changed: type or flags", arg);
		return 0;
	}
	return want->timeout ? 0 : diff_elems(have, want, fn, arg);
}
