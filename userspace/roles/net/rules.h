/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules while the gateway runs: in place, kept in place, and taken away at
 * the end with everything that came with them.
 *
 * Order matters. Before the rules come what they depend on (early demux off,
 * routes); at the end the rules go first, the routes when no connection of
 * ours is left that needs them.
 */
#ifndef SLUICE_ROLES_NET_RULES_H
#define SLUICE_ROLES_NET_RULES_H

#include <stdbool.h>

#include "base/str.h"
#include "conf/config.h"
#include "ipc/stats.h"
#include "render/ruleset.h"
#include "sys/nft.h"

struct rules {
	struct nft *nft;
	struct ruleset *wanted; /* what the configuration asks for */
	const struct config *config;
	struct stats *stats;
	bool installed;
	bool alive;
	bool managed;	  /* intercept.install_rules, or installed by hand */
	uint64_t cookies; /* SyncookiesSent when last looked at */
	char record[CONFIG_PATH_MAX + 32]; /* what early demux was */
};

/* 0 or -errno, logged. Nothing is installed yet. */
int rules_open(struct rules *r, const struct config *config,
	       struct stats *stats) __attribute__((warn_unused_result));
void rules_close(struct rules *r);

/* Build from the configuration and put in place. 0 or -errno, logged. */
int rules_install(struct rules *r) __attribute__((warn_unused_result));
/* Take the table, routes and settings away; not the leftovers' settings. */
int rules_remove(struct rules *r) __attribute__((warn_unused_result));
/* A new configuration: replace what is in place if anything differs. */
int rules_reload(struct rules *r, const struct config *config)
	__attribute__((warn_unused_result));

/*
 * Each second: renew (or drop) the switch; rules that somebody flushed are put
 * back, and counted.
 */
void rules_alive(struct rules *r, bool alive);
/*
 * At the end, after rules_remove(): whether connections of ours are gone, so
 * that early demux could be restored. Ask again each second.
 */
bool rules_settled(struct rules *r);

/* Answers for `sluicectl rules`; text into @out. 0 or -errno. */
int rules_show(struct rules *r, struct strbuf *out)
	__attribute__((warn_unused_result));
int rules_diff(struct rules *r, struct strbuf *out, bool *differ)
	__attribute__((warn_unused_result));
int rules_bypass(struct rules *r, bool add, enum ruleset_bypass list,
		 const struct ip_net *net, struct strbuf *out)
	__attribute__((warn_unused_result));
void rules_bypass_list(const struct rules *r, struct strbuf *out);

#endif
