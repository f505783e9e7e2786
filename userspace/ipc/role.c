// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/memfile.h"

#define HEARTBEAT_MS	250
#define INIT_TIMEOUT_MS 10000
#define ORPHAN_SECONDS	3

/* --- configuration --------------------------------------------------------- */

struct config_ref *config_ref_get(struct config_ref *ref)
{
	ref->refs++;
	return ref;
}

void config_ref_put(struct config_ref *ref)
{
	if (ref == NULL || --ref->refs > 0)
		return;
	memfile_unmap(ref->config, sizeof(*ref->config));
	free(ref);
}

/* Closes @fd. NULL with errno set. */
static struct config_ref *config_ref_map(int fd)
{
	struct config_ref *ref = NULL;
	const struct config *config = NULL;

	if (memfile_is_snapshot(fd, sizeof(*config)))
		config = memfile_map(fd, sizeof(*config));
	else
		errno = EPROTO;
	close(fd);
	if (config == NULL)
		return NULL;
	ref = malloc(sizeof(*ref));
	if (ref == NULL || config->size != sizeof(*config)) {
		memfile_unmap(config, sizeof(*config));
		free(ref);
		return NULL;
	}
	ref->config = config;
	ref->refs = 1;
	return ref;
}

/* --- messages of the parent that every role knows -------------------------- */

static struct role *role_of(struct chan *ch)
{
	return list_entry(ch, struct role, parent);
}

static int on_config(struct chan *ch, const struct chan_msg *msg)
{
	struct role *role = role_of(ch);
	struct config_ref *old = role->config;
	struct config_ref *ref = config_ref_map(msg->fds[0]);

	if (ref == NULL)
		return -EPROTO;
	role->config = ref;
	log_set_level(ref->config->log_level);
	if (role->ops->reloaded != NULL)
		role->ops->reloaded(role);
	/* Only now: the role may compare the new one with the old one. */
	config_ref_put(old);
	return 0;
}

static int on_peer(struct chan *ch, const struct chan_msg *msg)
{
	struct role *role = role_of(ch);
	const struct msg_peer *peer = msg->body;

	if (role->ops->peer == NULL) {
		close(msg->fds[0]);
		return -EPROTO;
	}
	return role->ops->peer(role, peer, msg->fds[0]);
}

static void stop(struct role *role, uint64_t timeout_ms)
{
	if (role->ops->stop != NULL)
		role->ops->stop(role, timeout_ms);
	else
		loop_stop(&role->loop);
}

static int on_stop(struct chan *ch, const struct chan_msg *msg)
{
	const struct msg_stop *order = msg->body;

	stop(role_of(ch), order->timeout_ms);
	return 0;
}

static const struct chan_rule parent_rules[] = {
	{MSG_CONFIG, 0, 0, 1, 1, on_config},
	{MSG_PEER, sizeof(struct msg_peer), 0, 1, 1, on_peer},
	{MSG_STOP, sizeof(struct msg_stop), 0, 0, 0, on_stop},
};

/* Without a parent there is no configuration, no restart and no order to end. */
static void parent_gone(struct chan *ch, const char *violation)
{
	if (violation != NULL)
		log_error("the parent sent %s", violation);
	stop(role_of(ch), ORPHAN_SECONDS * 1000 / 2);
}

/*
 * SIGTERM comes when the parent dies (PR_SET_PDEATHSIG) or by hand. The end of
 * the parent's channel stops a healthy role in order; SIGALRM ends one that
 * hangs, so that it doesn't keep its listener in the way of its successor.
 */
static void end_soon(int sig)
{
	(void)sig;
	alarm(ORPHAN_SECONDS);
}

/* --- start ----------------------------------------------------------------- */

/* The first message, waited for: nothing can be done before it. */
static int read_init(struct role *role, int fds[3], unsigned int *nfds)
{
	union {
		char bytes[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msg_header header;
	struct iovec iov[2] = {{&header, sizeof(header)},
			       {&role->init, sizeof(role->init)}};
	struct msghdr mh = {.msg_iov = iov,
			    .msg_iovlen = 2,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes)};
	struct pollfd pfd = {.fd = ROLE_PARENT_FD, .events = POLLIN};
	struct cmsghdr *cmsg;
	ssize_t n;

	if (poll(&pfd, 1, INIT_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	n = recvmsg(ROLE_PARENT_FD, &mh, MSG_CMSG_CLOEXEC);
	if (n == -1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&mh);
	if ((size_t)n != sizeof(header) + sizeof(role->init) ||
	    header.type != MSG_INIT || cmsg == NULL ||
	    cmsg->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	*nfds = (unsigned int)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(cmsg), *nfds * sizeof(int));
	return *nfds >= 2 ? 0 : -EPROTO;
}

static void beat(struct timer *t, uint64_t now_ms)
{
	struct role *role = list_entry(&t->node, struct role, heartbeat.node);

	__atomic_store_n(&role->stats->heartbeat_ms, now_ms, __ATOMIC_RELAXED);
	timer_arm(&role->loop.wheel, t, now_ms + HEARTBEAT_MS);
}

static int take_init(struct role *role)
{
	unsigned int nfds = 0;
	int fds[3] = {-1, -1, -1};
	int rc = read_init(role, fds, &nfds);

	if (rc != 0)
		return rc;
	role->cache_fd = nfds > 2 ? fds[2] : -1;
	role->stats = memfile_map_shared(fds[1], sizeof(*role->stats));
	close(fds[1]);
	role->config = config_ref_map(fds[0]);
	if (role->stats == NULL || role->config == NULL)
		return -errno;
	if (role->ops->id == ROLE_RELAY)
		snprintf(role->name, sizeof(role->name), "relay/%u",
			 role->init.index);
	log_open(role->name, role->config->config->log_level);
	return 0;
}

/* The parent's channel: what all roles hear and what this one hears besides. */
static int open_parent(struct role *role)
{
	size_t n = sizeof(parent_rules) / sizeof(parent_rules[0]);

	if (n + role->ops->nrules > ROLE_RULES_MAX)
		return -E2BIG;
	memcpy(role->rules, parent_rules, sizeof(parent_rules));
	for (size_t i = 0; i < role->ops->nrules; i++)
		role->rules[n++] = role->ops->rules[i];
	role->parent_ops.rules = role->rules;
	role->parent_ops.nrules = n;
	role->parent_ops.closed = parent_gone;
	chan_init(&role->parent, &role->loop, &role->parent_ops, role);
	return chan_open(&role->parent, ROLE_PARENT_FD);
}

int role_begin(struct role *role, const struct role_ops *ops, void *user)
{
	int rc;

	memset(role, 0, sizeof(*role));
	role->ops = ops;
	role->user = user;
	snprintf(role->name, sizeof(role->name), "%s", role_name(ops->id));
	log_open(role->name, LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	/* The parent decides when a role ends, not the terminal. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, end_soon);
	rc = take_init(role);
	if (rc == 0)
		rc = loop_init(&role->loop, &clock_system);
	if (rc == 0)
		rc = open_parent(role);
	if (rc != 0) {
		log_error("can't start: %s (a role is started by sluiced, "
			  "not by hand)",
			  strerror(-rc));
		return rc;
	}
	timer_init(&role->heartbeat, beat);
	beat(&role->heartbeat, role->loop.now_ms);
	return 0;
}

int role_confine(struct role *role, struct sandbox *sb)
{
	char wrong[128];
	int rc;

	sb->uid = role->init.uid;
	sb->gid = role->init.gid;
	rc = sandbox_enter(sb, wrong, sizeof(wrong));
	if (rc != 0)
		log_error("can't confine itself: %s: %s", wrong, strerror(-rc));
	return rc;
}

int role_ready(struct role *role)
{
	__atomic_store_n(&role->stats->ready, 1, __ATOMIC_RELAXED);
	return chan_send(&role->parent, MSG_READY, NULL, 0);
}

int role_run(struct role *role)
{
	int rc = loop_run(&role->loop);

	if (rc != 0)
		log_error("event loop: %s", strerror(-rc));
	return rc;
}

void role_report_violation(struct role *role, enum role_id id, uint32_t index,
			   const char *violation)
{
	struct msg_peer peer = {.role = id, .index = index};

	log_error("%s/%u sent %s: channel closed", role_name(id), index,
		  violation);
	if (chan_send(&role->parent, MSG_VIOLATION, &peer, sizeof(peer)) != 0)
		log_error("the parent can't be told about it");
}
