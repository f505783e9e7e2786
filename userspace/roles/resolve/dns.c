// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/resolve/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "roles/resolve/answer.h"
#include "roles/resolve/channel.h"

#define WATCH_MS 1000
/* Descriptors: of a lookup with three servers, over UDP and TCP; of the role. */
#define SOCKETS	 6
#define RESERVED 128

struct lookup {
	struct list node; /* waiting, then answered */
	struct dns *dns;
	struct channel *channel;
	struct timer deadline;
	bool answered;
	dns_fn fn;
	void *user;
	struct msg_resolved answer;
	uint32_t ttl_s;
};

static void lookup_free(struct lookup *l)
{
	struct dns *d = l->dns;

	timer_cancel(&d->loop->wheel, &l->deadline);
	channel_free(l->channel);
	list_del(&l->node);
	d->lookups--;
	free(l);
}

/* --- the end of a lookup ---------------------------------------------------- */

/* The asker is told by the task: c-ares may be on the stack, or even it. */
static void answered(struct lookup *l, int status,
		     const struct ares_addrinfo *info)
{
	struct dns *d = l->dns;

	answer_from(status, info, &l->answer, &l->ttl_s);
	l->answered = true;
	list_del(&l->node);
	list_add_tail(&d->answered, &l->node);
	loop_defer(d->loop, &d->task);
}

static void on_ares(void *arg, int status, int timeouts,
		    struct ares_addrinfo *info)
{
	struct lookup *l = arg;

	(void)timeouts;
	/* Else it is that the channel goes. */
	if (!l->answered)
		answered(l, status, info);
	if (info != NULL)
		ares_freeaddrinfo(info);
}

static void on_deadline(struct timer *t, uint64_t now_ms)
{
	struct lookup *l = list_entry(&t->node, struct lookup, deadline.node);

	(void)now_ms;
	if (!l->answered)
		answered(l, ARES_ETIMEOUT, NULL);
}

static void on_task(struct loop_task *task)
{
	struct dns *d = list_entry(task, struct dns, task);
	struct list *node;

	while ((node = list_pop(&d->answered)) != NULL) {
		struct lookup *l = list_entry(node, struct lookup, node);

		l->fn(l->user, &l->answer, l->ttl_s);
		lookup_free(l);
	}
}

/* --- files ------------------------------------------------------------------ */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Whether @path is another file than @seen, or was written since. */
static bool file_changed(const char *path, struct stat *seen)
{
	struct stat now;
	bool same;

	if (stat(path, &now) == -1)
		memset(&now, 0, sizeof(now));
	same = now.st_dev == seen->st_dev && now.st_ino == seen->st_ino &&
	       now.st_size == seen->st_size &&
	       same_time(&now.st_mtim, &seen->st_mtim) &&
	       same_time(&now.st_ctim, &seen->st_ctim);
	*seen = now;
	return !same;
}

bool dns_watch(struct dns *d)
{
	bool changed;

	if (d->loop->now_ms < d->watched_ms + WATCH_MS)
		return false;
	d->watched_ms = d->loop->now_ms;
	changed = file_changed(DNS_RESOLV_CONF, &d->resolv_conf);
	changed |= file_changed(DNS_HOSTS, &d->hosts);
	return changed;
}

/* --- asking ----------------------------------------------------------------- */

static struct channel *open_channel(struct dns *d)
{
	int error;
	struct channel *c = channel_new(d->loop, &error);

	if (c == NULL && log_limit_pass(&d->broken, d->loop->now_ms))
		log_error("name servers can't be asked: %s (see %s)",
			  ares_strerror(error), DNS_RESOLV_CONF);
	return c;
}

int dns_ask(struct dns *d, const char *name, dns_fn fn, void *user)
{
	struct lookup *l;

	if (d->lookups >= d->max)
		return -EAGAIN;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -EIO;
	l->channel = open_channel(d);
	if (l->channel == NULL) {
		free(l);
		return -EIO;
	}
	l->dns = d;
	l->fn = fn;
	l->user = user;
	list_add_tail(&d->waiting, &l->node);
	d->lookups++;
	timer_init(&l->deadline, on_deadline);
	timer_arm(&d->loop->wheel, &l->deadline,
		  d->loop->now_ms + DNS_DEADLINE_MS);
	channel_ask(l->channel, name, on_ares, l);
	return 0;
}

void dns_servers(struct dns *d, char *dst, size_t size)
{
	struct channel *c = open_channel(d);

	dst[0] = '\0';
	if (c == NULL)
		return;
	channel_servers(c, dst, size);
	channel_free(c);
}

/* --- life ------------------------------------------------------------------- */

static unsigned int lookups_max(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1 ||
	    files.rlim_cur >= DNS_LOOKUPS * SOCKETS + RESERVED)
		return DNS_LOOKUPS;
	if (files.rlim_cur < SOCKETS + RESERVED)
		return 1;
	return (unsigned int)(files.rlim_cur - RESERVED) / SOCKETS;
}

void dns_init(struct dns *d, struct loop *loop)
{
	memset(d, 0, sizeof(*d));
	d->loop = loop;
	d->max = lookups_max();
	list_init(&d->waiting);
	list_init(&d->answered);
	loop_task_init(&d->task, on_task);
	(void)file_changed(DNS_RESOLV_CONF, &d->resolv_conf);
	(void)file_changed(DNS_HOSTS, &d->hosts);
	d->watched_ms = loop->now_ms;
}

static void free_all(struct list *lookups)
{
	struct list *node;

	while ((node = list_pop(lookups)) != NULL) {
		struct lookup *l = list_entry(node, struct lookup, node);

		l->answered = true; /* nobody is to be told */
		lookup_free(l);
	}
}

void dns_close(struct dns *d)
{
	free_all(&d->waiting);
	free_all(&d->answered);
	list_del(&d->task.node);
}
