/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transaction of nf_tables: messages that the kernel applies all or none,
 * between two packets.
 *
 * Lifetime: between batch_begin() and batch_commit() or batch_abort() on one
 * stack; an error while building sticks and comes out of the commit.
 */
#ifndef SLUICE_SYS_NFT_BATCH_H
#define SLUICE_SYS_NFT_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "render/ruleset.h"

struct netlink;
struct nft_client;
struct nft_hint;
struct nft_pair;
struct nftnl_set;

/* Messages whose subject is remembered; install sends some 180, up to 300 more
 * for a policy, and last those of pairs. */
#define NFT_BATCH_NAMES 512

struct nft_batch {
	struct netlink *nl;
	char *data;
	size_t len;
	uint32_t first; /* sequence number of the first message inside */
	uint32_t next;
	int err;
	const char *names[NFT_BATCH_NAMES]; /* what each message is about */
};

void nft_batch_begin(struct nft_batch *b, struct netlink *nl);
/*
 * Send and wait. 0 or -errno; @what (unless NULL) is then the name of the
 * table, set, chain or rule that the kernel refused.
 */
__attribute__((warn_unused_result)) int nft_batch_commit(struct nft_batch *b,
							 const char **what);

/* @type is NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE, and so on below. */
void nft_batch_table(struct nft_batch *b, uint16_t type);
void nft_batch_set(struct nft_batch *b, const struct ruleset *rs,
		   enum ruleset_set_id id);
void nft_batch_chain(struct nft_batch *b, const struct ruleset_chain *chain);
void nft_batch_rule(struct nft_batch *b, const struct ruleset *rs,
		    const struct ruleset_chain *chain,
		    const struct ruleset_rule *rule);
/* All elements of @set. */
void nft_batch_elems(struct nft_batch *b, const struct ruleset_set *set);
/* One network into or out of set @name; @flags as NLM_F_EXCL. */
void nft_batch_net(struct nft_batch *b, uint16_t type, uint16_t flags,
		   const char *name, const struct ip_net *net);
/* Element @proto of set @name; @timeout_ms 0: without. */
void nft_batch_proto(struct nft_batch *b, uint16_t type, const char *name,
		     uint8_t proto, uint64_t timeout_ms);
/* One hint into or out of map @name; @flags as NLM_F_EXCL. */
void nft_batch_hint(struct nft_batch *b, uint16_t type, uint16_t flags,
		    const char *name, const struct nft_hint *hint);
/* @count clients into set @name. */
void nft_batch_clients(struct nft_batch *b, const char *name,
		       const struct nft_client *list, size_t count);
/* @count pairs into or out of set @name. */
void nft_batch_pairs(struct nft_batch *b, uint16_t type, const char *name,
		     const struct nft_pair *list, size_t count);
/* All elements out of set @name. */
void nft_batch_flush(struct nft_batch *b, const char *name);

#endif
