// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/resolve/dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "roles/resolve/answer.h"
#include "roles/resolve/channel.h"

#define TICK_MS	 100
#define WATCH_MS 1000

struct lookup {
	struct list node; /* waiting, then answered; then in no list */
	struct dns *dns;
	struct channel *channel; /* while it is waiting */
	uint64_t deadline_ms;
	bool returned; /* by c-ares */
	bool told;
	dns_fn fn;
	void *user;
	struct msg_resolved answer;
	uint32_t ttl_s;
};

static void lookup_free(struct lookup *l)
{
	l->dns->lookups--;
	free(l);
}

/* From now on its asker is all that it waits for. */
static void lookup_answered(struct lookup *l)
{
	struct dns *d = l->dns;

	l->channel->waiting--;
	l->channel = NULL;
	list_del(&l->node);
	list_add_tail(&d->answered, &l->node);
	loop_defer(d->loop, &d->task);
}

/* May come from within the question: a name of /etc/hosts is known at once. */
static void on_ares(void *arg, int status, int timeouts,
		    struct ares_addrinfo *info)
{
	struct lookup *l = arg;

	(void)timeouts;
	l->returned = true;
	if (l->channel != NULL) {
		answer_from(status, info, &l->answer, &l->ttl_s);
		lookup_answered(l);
	} else if (l->told) {
		lookup_free(l);
	}
	if (info != NULL)
		ares_freeaddrinfo(info);
}

/* --- what is done after a round's events ------------------------------------ */

static void tell(struct dns *d)
{
	struct list *node;

	while ((node = list_pop(&d->answered)) != NULL) {
		struct lookup *l = list_entry(node, struct lookup, node);

		l->told = true;
		l->fn(l->user, &l->answer, l->ttl_s);
		if (l->returned)
			lookup_free(l);
	}
}

static void reap(struct dns *d)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &d->channels) {
		struct channel *c = list_entry(pos, struct channel, node);

		if (c != d->channel && c->waiting == 0)
			channel_free(c);
	}
	channel_free_sockets(&d->old_sockets);
}

static void on_task(struct loop_task *task)
{
	struct dns *d = list_entry(task, struct dns, task);

	tell(d);
	reap(d);
}

/* --- times ------------------------------------------------------------------ */

/*
 * What c-ares can't be told to leave goes with its channel: the next name
 * begins another one.
 */
static void give_up(struct dns *d, struct lookup *l)
{
	if (l->channel == d->channel)
		d->channel = NULL;
	memset(&l->answer, 0, sizeof(l->answer));
	l->answer.status = -ETIMEDOUT;
	lookup_answered(l);
}

static void on_tick(struct timer *t, uint64_t now_ms)
{
	struct dns *d = list_entry(&t->node, struct dns, tick.node);
	struct list *pos;

	list_for_each(pos, &d->channels)
		channel_tick(list_entry(pos, struct channel, node));
	while (!list_empty(&d->waiting)) {
		struct lookup *l =
			list_entry(d->waiting.next, struct lookup, node);

		if (l->deadline_ms > now_ms)
			break;
		give_up(d, l);
	}
	if (d->lookups > 0)
		timer_arm(&d->loop->wheel, t, now_ms + TICK_MS);
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
	if (changed) {
		d->channel = NULL;
		loop_defer(d->loop, &d->task);
	}
	return changed;
}

/* --- asking ----------------------------------------------------------------- */

/* The channel that takes the next name; NULL, logged, when there is none. */
static struct channel *channel_now(struct dns *d)
{
	int error;

	if (d->channel != NULL && d->channel->asked < DNS_CHANNEL_NAMES)
		return d->channel;
	/* Its predecessor goes when it has finished. */
	loop_defer(d->loop, &d->task);
	d->channel = channel_new(d->loop, &d->old_sockets, &error);
	if (d->channel != NULL)
		list_add_tail(&d->channels, &d->channel->node);
	else if (log_limit_pass(&d->broken, d->loop->now_ms))
		log_error("name servers can't be asked: %s (see %s)",
			  ares_strerror(error), DNS_RESOLV_CONF);
	return d->channel;
}

int dns_ask(struct dns *d, const char *name, dns_fn fn, void *user)
{
	static const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct channel *c;
	struct lookup *l;

	if (d->lookups >= DNS_LOOKUPS)
		return -EAGAIN;
	c = channel_now(d);
	l = c != NULL ? calloc(1, sizeof(*l)) : NULL;
	if (l == NULL)
		return -EIO;
	l->dns = d;
	l->channel = c;
	l->deadline_ms = d->loop->now_ms + DNS_DEADLINE_MS;
	l->fn = fn;
	l->user = user;
	list_add_tail(&d->waiting, &l->node);
	if (d->lookups++ == 0)
		timer_arm(&d->loop->wheel, &d->tick, d->loop->now_ms + TICK_MS);
	c->asked++;
	c->waiting++;
	ares_getaddrinfo(c->ares, name, NULL, &hints, on_ares, l);
	return 0;
}

void dns_servers(struct dns *d, char *dst, size_t size)
{
	dst[0] = '\0';
	if (channel_now(d) != NULL)
		channel_servers(d->channel, dst, size);
}

/* --- life ------------------------------------------------------------------- */

void dns_init(struct dns *d, struct loop *loop)
{
	memset(d, 0, sizeof(*d));
	d->loop = loop;
	list_init(&d->channels);
	list_init(&d->waiting);
	list_init(&d->answered);
	list_init(&d->old_sockets);
	loop_task_init(&d->task, on_task);
	timer_init(&d->tick, on_tick);
	(void)file_changed(DNS_RESOLV_CONF, &d->resolv_conf);
	(void)file_changed(DNS_HOSTS, &d->hosts);
	d->watched_ms = loop->now_ms;
}

void dns_close(struct dns *d)
{
	struct list *pos, *tmp, *node;

	timer_cancel(&d->loop->wheel, &d->tick);
	list_for_each_safe(pos, tmp, &d->channels)
		channel_free(list_entry(pos, struct channel, node));
	while ((node = list_pop(&d->answered)) != NULL)
		lookup_free(list_entry(node, struct lookup, node));
	channel_free_sockets(&d->old_sockets);
	list_del(&d->task.node);
}
