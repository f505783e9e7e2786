// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nft_batch.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's in.h */
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/netlink.h"
#include "sys/nft_object.h"

/*
 * Four bypass sets full of IPv6 networks take some 400 KiB, as many pairs as
 * there can be 1.2 MiB.
 */
#define BATCH_MAX   (2U << 20)
/* Room that any one message fits in; see ELEMS_MAX. */
#define MESSAGE_MAX ((size_t)16384)
/* Networks in a message: two elements of at most 60 bytes each. */
#define ELEMS_MAX   64U
/* Pairs in a message: an element of at most 48 bytes each. */
#define PAIRS_MAX   256U

void nft_batch_begin(struct nft_batch *b, struct netlink *nl)
{
	int room = BATCH_MAX;

	b->nl = nl;
	b->len = 0;
	b->err = 0;
	b->data = malloc(BATCH_MAX);
	if (b->data == NULL) {
		b->err = -ENOMEM;
		return;
	}
	/*
	 * The batch is one datagram. The capability in the first user
	 * namespace may pass wmem_max; in another one, a batch that doesn't
	 * fit is refused with EMSGSIZE when it is sent.
	 */
	(void)setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET,
			 SO_SNDBUFFORCE, &room, sizeof(room));
	nftnl_batch_begin(b->data, ++nl->seq);
	b->len = ((struct nlmsghdr *)(void *)b->data)->nlmsg_len;
	b->first = nl->seq + 1;
	b->next = b->first;
}

static const char *subject(const struct nft_batch *b, uint32_t seq)
{
	uint32_t i = seq - b->first;

	return i < NFT_BATCH_NAMES && seq != b->next ? b->names[i]
						     : RULESET_TABLE;
}

int nft_batch_commit(struct nft_batch *b, const char **what)
{
	struct nlmsghdr *end;
	uint32_t at = b->next;
	int err = b->err;

	if (err == 0) {
		end = nftnl_batch_end(b->data + b->len, b->next);
		b->nl->seq = b->next;
		/* To the frame's start goes what is wrong with all of it. */
		err = netlink_send_all(b->nl, b->data, b->len + end->nlmsg_len,
				       b->first - 1, b->next - 1,
				       b->next - b->first, &at);
	}
	if (err != 0 && what != NULL)
		*what = subject(b, at);
	free(b->data);
	b->data = NULL;
	return err;
}

/* Header of the next message, or NULL after an error. */
static struct nlmsghdr *message(struct nft_batch *b, uint16_t type,
				uint16_t flags, const char *name)
{
	if (b->err == 0 && BATCH_MAX - b->len < 2 * MESSAGE_MAX)
		b->err = -ENOSPC;
	if (b->err != 0)
		return NULL;
	if (b->next - b->first < NFT_BATCH_NAMES)
		b->names[b->next - b->first] = name;
	return nftnl_nlmsg_build_hdr(b->data + b->len, type, NFPROTO_INET,
				     flags | NLM_F_ACK, b->next);
}

static void message_done(struct nft_batch *b, const struct nlmsghdr *nlh)
{
	b->len += MNL_ALIGN(nlh->nlmsg_len);
	b->next++;
}

void nft_batch_table(struct nft_batch *b, uint16_t type)
{
	struct nlmsghdr *nlh =
		message(b, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0,
			RULESET_TABLE);
	struct nftnl_table *t;

	if (nlh == NULL)
		return;
	t = nftnl_table_alloc();
	if (t == NULL ||
	    nftnl_table_set_str(t, NFTNL_TABLE_NAME, RULESET_TABLE) == -1) {
		b->err = -ENOMEM;
	} else {
		nftnl_table_nlmsg_build_payload(nlh, t);
		message_done(b, nlh);
	}
	if (t != NULL)
		nftnl_table_free(t);
}

void nft_batch_set(struct nft_batch *b, const struct ruleset *rs,
		   enum ruleset_set_id id)
{
	struct nlmsghdr *nlh =
		message(b, NFT_MSG_NEWSET, NLM_F_CREATE, rs->sets[id].name);
	struct nftnl_set *s;

	if (nlh == NULL)
		return;
	s = nft_object_set(&rs->sets[id], id + 1);
	if (s == NULL) {
		b->err = -ENOMEM;
		return;
	}
	nftnl_set_nlmsg_build_payload(nlh, s);
	message_done(b, nlh);
	nftnl_set_free(s);
}

void nft_batch_chain(struct nft_batch *b, const struct ruleset_chain *chain)
{
	struct nlmsghdr *nlh =
		message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain->name);
	struct nftnl_chain *c;

	if (nlh == NULL)
		return;
	c = nft_object_chain(chain);
	if (c == NULL) {
		b->err = -ENOMEM;
		return;
	}
	nftnl_chain_nlmsg_build_payload(nlh, c);
	message_done(b, nlh);
	nftnl_chain_free(c);
}

void nft_batch_rule(struct nft_batch *b, const struct ruleset *rs,
		    const struct ruleset_chain *chain,
		    const struct ruleset_rule *rule)
{
	struct nlmsghdr *nlh = message(b, NFT_MSG_NEWRULE,
				       NLM_F_CREATE | NLM_F_APPEND, rule->name);
	struct nftnl_rule *r;

	if (nlh == NULL)
		return;
	r = nft_object_rule(rs, chain, rule);
	if (r == NULL) {
		b->err = -ENOMEM;
		return;
	}
	nftnl_rule_nlmsg_build_payload(nlh, r);
	message_done(b, nlh);
	nftnl_rule_free(r);
}

/* Send and free @s, which holds elements; NULL: it could not be built. */
static void put_elems(struct nft_batch *b, uint16_t type, uint16_t flags,
		      const char *name, struct nftnl_set *s)
{
	struct nlmsghdr *nlh = message(b, type, flags, name);

	if (s == NULL && b->err == 0)
		b->err = -ENOMEM;
	if (s != NULL && nlh != NULL) {
		nftnl_set_elems_nlmsg_build_payload(nlh, s);
		message_done(b, nlh);
	}
	if (s != NULL)
		nftnl_set_free(s);
}

void nft_batch_elems(struct nft_batch *b, const struct ruleset_set *set)
{
	for (uint32_t i = 0; i < set->count; i += ELEMS_MAX) {
		uint32_t n = set->count - i;

		put_elems(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, set->name,
			  nft_object_elems(set, i,
					   n < ELEMS_MAX ? n : ELEMS_MAX));
	}
}

void nft_batch_net(struct nft_batch *b, uint16_t type, uint16_t flags,
		   const char *name, const struct ip_net *net)
{
	put_elems(b, type,
		  flags | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), name,
		  nft_object_net(name, net));
}

void nft_batch_proto(struct nft_batch *b, uint16_t type, const char *name,
		     uint8_t proto, uint64_t timeout_ms)
{
	put_elems(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, name,
		  nft_object_proto(name, proto, timeout_ms));
}

void nft_batch_hint(struct nft_batch *b, uint16_t type, uint16_t flags,
		    const char *name, const struct nft_hint *hint)
{
	put_elems(b, type,
		  flags | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), name,
		  nft_object_hint(name, hint));
}

void nft_batch_clients(struct nft_batch *b, const char *name,
		       const struct nft_client *list, size_t count)
{
	for (size_t i = 0; i < count; i += ELEMS_MAX) {
		size_t n = count - i < ELEMS_MAX ? count - i : ELEMS_MAX;

		put_elems(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, name,
			  nft_object_clients(name, list + i, n));
	}
}

void nft_batch_pairs(struct nft_batch *b, uint16_t type, const char *name,
		     const struct nft_pair *list, size_t count)
{
	for (size_t i = 0; i < count; i += PAIRS_MAX) {
		size_t n = count - i < PAIRS_MAX ? count - i : PAIRS_MAX;

		put_elems(b, type,
			  type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, name,
			  nft_object_pairs(name, list + i, n));
	}
}

/* To the kernel, a message that names no element means all of them. */
void nft_batch_flush(struct nft_batch *b, const char *name)
{
	put_elems(b, NFT_MSG_DELSETELEM, 0, name,
		  nft_object_clients(name, NULL, 0));
}
