/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules while the gateway runs: in place, kept in place, and taken away at
 * the end with everything that came with them.
 *
 * Order matters. Before the rules come what they depend on (early demux off,
 * routes); at the end the rules go first, the routes when no connection of
 * ours is left that needs them.
 */
#ifndef SLUICE_ROLES_RULES_H
#define SLUICE_ROLES_RULES_H

#include <stdbool.h>

#include "base/str.h"
#include "ipc/role.h"
#include "render/ruleset.h"
#include "roles/net/account.h"
#include "roles/net/asked.h"
#include "roles/net/held.h"
#include "roles/net/pairs.h"
#include "sys/nft.h"

#define RULES_TROUBLE_MAX 256

struct rules {
	struct nft *nft;
	struct ruleset *wanted; /* of the configuration and of what was asked */
	enum ruleset_queue queue; /* what this kernel has, asked once */
	struct config_ref *config;
	struct stats *stats;
	struct asked asked;
	struct ruleset_held held;
	struct account account;
	struct pairs *pairs; /* of clients and FTP servers; see data.h */
	bool pairs_differ;   /* the kernel doesn't have them as they are */
	bool installed;
	bool alive;
	bool comparable;  /* what we install compares as equal, see settle() */
	uint64_t cookies; /* SYN cookies sent when last looked */
	char record[CONFIG_PATH_MAX + 32]; /* what early demux was */
	char trouble[RULES_TROUBLE_MAX];   /* what is wrong now, or "" */
	unsigned int troubled; /* seconds, since it was last logged */
};

/* 0 or -errno, logged. Nothing is put in place before rules_alive(). */
int rules_open(struct rules *r, struct config_ref *config, struct stats *stats)
	__attribute__((warn_unused_result));
void rules_close(struct rules *r);

/* Whether rules ought to be in place: by configuration or by hand. */
bool rules_wished(const struct rules *r);
static inline const struct config *rules_config(const struct rules *r)
{
	return r->config->config;
}

/*
 * Each second: put in place what is wished and isn't there or isn't as it
 * should be, and renew (or drop) the switch. @account: conntrack's counters are
 * wanted.
 */
void rules_alive(struct rules *r, bool alive, bool account);
/*
 * By hand, until sluiced is stopped or the other one is asked for; install
 * also replaces what is in place. 0 or -errno with the reason in @out.
 */
int rules_install(struct rules *r, struct strbuf *out)
	__attribute__((warn_unused_result));
int rules_remove(struct rules *r, struct strbuf *out)
	__attribute__((warn_unused_result));
/* A new configuration: replace what is in place if anything differs. */
int rules_reload(struct rules *r, struct config_ref *config)
	__attribute__((warn_unused_result));
/* What was asked changed: make r->wanted anew. 0 or -errno. */
int rules_rebuild(struct rules *r) __attribute__((warn_unused_result));
/* Replace what is in place by r->wanted. 0 or -errno. */
int rules_replace(struct rules *r) __attribute__((warn_unused_result));
/* Bring counters and note of the status up to date. */
void rules_publish(const struct rules *r);

/* The end of this role: take away whatever is ours. */
void rules_end(struct rules *r);
/*
 * The daemon died: nothing but the switch goes off. Without rules nobody would
 * be refused any more (when_down = "closed"), and the next daemon finds and
 * takes over what is there.
 */
void rules_leave(struct rules *r);
/*
 * After rules were taken away: whether connections of ours are gone, so that
 * early demux is as it was. Ask again each second; @force: don't mind them.
 */
bool rules_settled(struct rules *r, bool force);

#endif
