/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model as libnftnl's objects: what nft_batch.c sends and what nft_diff.c
 * compares the kernel's answer with. All return NULL when memory is short; the
 * caller frees what it gets.
 */
#ifndef SLUICE_SYS_NFT_OBJECT_H
#define SLUICE_SYS_NFT_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "render/ruleset.h"

struct nftnl_chain;
struct nftnl_rule;
struct nftnl_set;

/* Connections to this server get @mark, for a while. */
struct nft_hint {
	struct ip_addr server;
	uint8_t protocol; /* IPPROTO_TCP or _UDP */
	uint16_t port;	  /* host order */
	uint32_t mark;	  /* whole, of a connection whose mark is zero */
	uint64_t timeout_ms;
};

/* A client that is in a set for a while. */
struct nft_client {
	struct ip_addr addr;
	uint64_t timeout_ms;
};

/* A client and the server that it has a control connection of FTP to. */
struct nft_pair {
	struct ip_addr client;
	struct ip_addr server;
};

/* Without elements; @id tells sets of one transaction apart. */
struct nftnl_set *nft_object_set(const struct ruleset_set *set, uint32_t id);
struct nftnl_chain *nft_object_chain(const struct ruleset_chain *chain);
struct nftnl_rule *nft_object_rule(const struct ruleset *rs,
				   const struct ruleset_chain *chain,
				   const struct ruleset_rule *rule);

/* @count elements of @set from number @from. */
struct nftnl_set *nft_object_elems(const struct ruleset_set *set, uint32_t from,
				   uint32_t count);
/* One network for set @name. */
struct nftnl_set *nft_object_net(const char *name, const struct ip_net *net);
/* Protocol @proto for set @name, for @timeout_ms (0: for ever). */
struct nftnl_set *nft_object_proto(const char *name, uint8_t proto,
				   uint64_t timeout_ms);
/* @hint for map @name, SET_HINTS4 or _6 by its address. */
struct nftnl_set *nft_object_hint(const char *name,
				  const struct nft_hint *hint);
/* @count clients for set @name, METER_OVER4 or _6 by their addresses. */
struct nftnl_set *nft_object_clients(const char *name,
				     const struct nft_client *list,
				     size_t count);
/* @count pairs for set @name, SET_PAIRS4 or _6 by their addresses. */
struct nftnl_set *nft_object_pairs(const char *name,
				   const struct nft_pair *list, size_t count);

#endif
