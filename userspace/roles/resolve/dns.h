/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking for the addresses of names, by c-ares: /etc/hosts first, then the
 * servers of /etc/resolv.conf, both families at once. Both files are read for
 * each name, so what they say counts from the next one on.
 *
 * Lifetime: a lookup lives until who asked was told, by a task, which frees it
 * and its channel.
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

/*
 * Under way at a time. A channel takes 75 KiB in c-ares 1.18, and two sockets a
 * server.
 */
#define DNS_LOOKUPS	1024
#define DNS_DEADLINE_MS 10000 /* of a name, whatever the servers do */

/* @answer->id is 0. @ttl_s: how long it may be kept, in seconds. */
typedef void (*dns_fn)(void *user, const struct msg_resolved *answer,
		       uint32_t ttl_s);

struct dns {
	struct loop *loop;
	struct list waiting;  /* lookups */
	struct list answered; /* lookups whose asker is to be told */
	unsigned int lookups; /* all of them */
	unsigned int max;     /* for which there are descriptors */
	struct loop_task task;
	uint64_t watched_ms;
	struct stat resolv_conf; /* as they were last seen; zero: absent */
	struct stat hosts;
	struct log_limit broken;
};

void dns_init(struct dns *d, struct loop *loop);
/* Nobody is told any more. */
void dns_close(struct dns *d);

/*
 * Look, at most once a second, whether one of the files changed: then true, and
 * what was found before may be wrong now.
 */
bool dns_watch(struct dns *d);

/*
 * Ask for @name; @fn is called once, from the loop and within DNS_DEADLINE_MS.
 * 0, -EAGAIN: too many are under way, or -EIO: nobody can be asked (logged).
 */
int dns_ask(struct dns *d, const char *name, dns_fn fn, void *user)
	__attribute__((warn_unused_result));

/* "192.0.2.53, 2001:db8::53" as far as it fits; "" when none can be asked. */
void dns_servers(struct dns *d, char *dst, size_t size);

#endif
