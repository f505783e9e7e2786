/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking for the addresses of names, by c-ares: /etc/hosts first, then the
 * servers of /etc/resolv.conf, both families at once.
 *
 * Lifetime: a lookup is c-ares's until that called back, and ours until who
 * asked was told; the later one frees it. A channel is freed when it has a
 * successor and nobody waits for its lookups any more. All of it is done by a
 * task, so that c-ares is never on the stack.
 */
#ifndef SLUICE_ROLES_DNS_H
#define SLUICE_ROLES_DNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ipc/msg.h"
#include "sys/log.h"
#include "sys/loop.h"

#define DNS_RESOLV_CONF "/etc/resolv.conf"
#define DNS_HOSTS	"/etc/hosts"

#define DNS_LOOKUPS	  4096	/* under way at a time */
#define DNS_CHANNEL_NAMES 256	/* asked for on one channel */
#define DNS_DEADLINE_MS	  10000 /* of a name, whatever the servers do */

/* @answer->id is 0. @ttl_s: how long it may be kept, in seconds. */
typedef void (*dns_fn)(void *user, const struct msg_resolved *answer,
		       uint32_t ttl_s);

struct channel;

struct dns {
	struct loop *loop;
	struct channel *channel; /* takes names; NULL: the next makes one */
	struct list channels;	 /* all of them */
	struct list waiting;	 /* lookups; their deadlines in order */
	struct list answered;	 /* lookups whose asker is to be told */
	struct list old_sockets; /* closed in this round */
	unsigned int lookups;	 /* all that are not freed */
	struct loop_task task;
	struct timer tick; /* while there are lookups */
	uint64_t watched_ms;
	struct stat resolv_conf; /* as they were last seen; zero: absent */
	struct stat hosts;
	struct log_limit broken;
};

void dns_init(struct dns *d, struct loop *loop);
/* Nobody is told any more. */
void dns_close(struct dns *d);

/*
 * Look, at most once a second, whether one of the files changed: then true,
 * and names are asked for by what it says now.
 */
bool dns_watch(struct dns *d);

/*
 * Ask for @name; @fn is called once, from the loop and within DNS_DEADLINE_MS.
 * 0, -EAGAIN: too many are under way, or -EIO: nobody can be asked (logged).
 */
int dns_ask(struct dns *d, const char *name, dns_fn fn, void *user)
	__attribute__((warn_unused_result));

/* "192.0.2.53, 2001:db8::53" as far as it fits, or "none". */
void dns_servers(struct dns *d, char *dst, size_t size);

#endif
