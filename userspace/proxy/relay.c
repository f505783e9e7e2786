// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/relay.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "ipc/limits.h"
#include "proxy/listener.h"
#include "proxy/session.h"
#include "sys/memfile.h"

#define HOUSEKEEPING_MS	 1000
/* Pages of objects stay for the next one this long. */
#define REGION_IDLE_MS	 5000
#define BUFFERS_KEEP	 256
/* For a client that connected just before the end to say what it wants. */
#define FIRST_REQUEST_MS 1000
/* Of the machine's memory, what the objects of all relays may take. */
#define MEMORY_SHARE	 4

/* --- net: sockets and listeners ------------------------------------ */

static struct relay *relay_of_net(struct chan *ch)
{
	return list_entry(ch, struct relay, net);
}

static int on_listener(struct chan *ch, const struct chan_msg *m)
{
	const struct msg_listener *msg = m->body;

	return listener_open(relay_of_net(ch), msg->service, m->fds[0]);
}

static int on_sockets(struct chan *ch, const struct chan_msg *m)
{
	return stock_delivered(&relay_of_net(ch)->stock, m->body, m->fds,
			       m->nfds);
}

static int on_paired(struct chan *ch, const struct chan_msg *m)
{
	return data_pairs_answered(&relay_of_net(ch)->data, m->body);
}

static int on_data(struct chan *ch, const struct chan_msg *m)
{
	return data_asks_answered(&relay_of_net(ch)->data, m);
}

/* Its successor comes with MSG_PEER; listeners and sessions live on. */
static void on_net_closed(struct chan *ch, const char *violation)
{
	struct relay *r = relay_of_net(ch);

	if (violation != NULL)
		role_report_violation(r->role, ROLE_NET, 0, violation);
}

static const struct chan_rule net_rules[] = {
	{MSG_LISTENER, sizeof(struct msg_listener), 0, 1, 1, on_listener},
	{MSG_SOCKETS, sizeof(struct msg_sockets), 0, 0, MSG_FDS_MAX,
	 on_sockets},
	{MSG_PAIRED, sizeof(struct msg_data_answer), 0, 0, 0, on_paired},
	{MSG_DATA, sizeof(struct msg_data_answer), 0, 0, 1, on_data},
};

static const struct chan_ops net_ops = {
	.rules = net_rules,
	.nrules = sizeof(net_rules) / sizeof(net_rules[0]),
	.closed = on_net_closed,
};

static int net_connect(struct relay *r, int fd)
{
	int rc;

	chan_close(&r->net);
	rc = chan_open(&r->net, fd);
	/* A listener is not replaced: what waits in its queue would be lost. */
	if (rc == 0 && !r->stopping && !listener_all_open(r))
		rc = chan_send(&r->net, MSG_LISTEN, NULL, 0);
	stock_reconnected(&r->stock);
	data_asks_connected(&r->data);
	return rc;
}

/* --- resolve: addresses of names ----------------------------------- */

static struct relay *relay_of_resolve(struct chan *ch)
{
	return list_entry(ch, struct relay, resolve);
}

static int on_resolved(struct chan *ch, const struct chan_msg *m)
{
	return name_asks_answered(&relay_of_resolve(ch)->names, m);
}

/* What was asked waits for its successor. */
static void on_resolve_closed(struct chan *ch, const char *violation)
{
	if (violation != NULL)
		role_report_violation(relay_of_resolve(ch)->role, ROLE_RESOLVE,
				      0, violation);
}

static const struct chan_rule resolve_rules[] = {
	{MSG_RESOLVED, sizeof(struct msg_resolved), 0, 0, 0, on_resolved},
};

static const struct chan_ops resolve_ops = {
	.rules = resolve_rules,
	.nrules = sizeof(resolve_rules) / sizeof(resolve_rules[0]),
	.closed = on_resolve_closed,
};

static int resolve_connect(struct relay *r, int fd)
{
	int rc;

	chan_close(&r->resolve);
	rc = chan_open(&r->resolve, fd);
	if (rc == 0)
		name_asks_connected(&r->names);
	return rc;
}

int relay_peer(struct relay *r, enum role_id id, int fd)
{
	switch (id) {
	case ROLE_NET:
		return net_connect(r, fd);
	case ROLE_SCAN:
		return scanner_connect(&r->scanner, fd);
	case ROLE_LOG:
		return outbox_connect(&r->events, fd);
	case ROLE_RESOLVE:
		return resolve_connect(r, fd);
	default:
		close(fd);
		return -EPROTO;
	}
}

/* --- parent: sessions ---------------------------------------------- */

#define ROWS_A_MESSAGE 64

static void describe(const struct session *s, struct msg_session *row)
{
	memset(row, 0, sizeof(*row));
	row->id = s->id;
	row->age_ms = s->relay->loop->now_ms - s->started_ms;
	row->bytes_in = s->client.received;
	row->bytes_out = s->client.sent;
	row->client = s->client_addr;
	row->server = s->server_addr;
	row->requests = s->requests;
	s->protocol->describe(s, row);
}

static int on_want_sessions(struct chan *ch, const struct chan_msg *m)
{
	struct role *role = list_entry(ch, struct role, parent);
	struct relay *r = role->user;
	const struct msg_want_sessions *want = m->body;
	struct msg_sessions msg = {.request = want->request};
	struct msg_session rows[ROWS_A_MESSAGE];
	size_t n = 0;
	struct list *pos;
	int rc = 0;

	list_for_each(pos, &r->sessions) {
		if (n == ROWS_A_MESSAGE && rc == 0) {
			rc = chan_send_full(ch, MSG_SESSIONS, &msg, sizeof(msg),
					    rows, n * sizeof(rows[0]), NULL, 0);
			n = 0;
		}
		if (rc != 0)
			break; /* the parent is slow: the list is cut */
		describe(list_entry(pos, struct session, node), &rows[n++]);
	}
	msg.last = 1;
	if (chan_send_full(ch, MSG_SESSIONS, &msg, sizeof(msg), rows,
			   rc == 0 ? n * sizeof(rows[0]) : 0, NULL, 0) != 0)
		log_warn("the list of sessions does not fit the channel");
	return 0;
}

const struct chan_rule relay_parent_rules[] = {
	{MSG_WANT_SESSIONS, sizeof(struct msg_want_sessions), 0, 0, 0,
	 on_want_sessions},
};
const size_t relay_parent_nrules = 1;

/* --- housekeeping -------------------------------------------------- */

static void housekeeping(struct timer *t, uint64_t now_ms)
{
	struct relay *r = list_entry(&t->node, struct relay, housekeeping.node);
	struct stats *st = r->stats;

	r->objects.now_ms = now_ms;
	if (now_ms > REGION_IDLE_MS)
		region_pool_trim(&r->objects.regions, now_ms - REGION_IDLE_MS);
	stats_set(st, RELAY_BODY_MEMORY, object_store_memory(&r->objects));
	stats_set(st, RELAY_BODY_DISK, r->objects.disk);
	stats_set(st, RELAY_PIPES, r->pipes.total);
	stats_set(st, RELAY_BUFFER_MEMORY,
		  (r->buffers.used + r->buffers.free_count) * RELAY_BUFFER);
	timer_arm(&r->loop->wheel, t, now_ms + HOUSEKEEPING_MS);
}

/* --- life ---------------------------------------------------------- */

static void scan_violation(struct scanner *sc, const char *violation)
{
	struct relay *r = list_entry(sc, struct relay, scanner);

	role_report_violation(r->role, ROLE_SCAN, 0, violation);
}

static void log_violation(struct outbox *ob, const char *violation)
{
	struct relay *r = list_entry(ob, struct relay, events);

	role_report_violation(r->role, ROLE_LOG, 0, violation);
}

/* What all the objects of one relay may take of the machine's memory. */
static uint64_t memory_total(const struct role *role)
{
	struct sysinfo info;
	uint32_t relays = role->init.relays > 0 ? role->init.relays : 1;

	if (sysinfo(&info) == -1)
		return 256u << 20;
	return (uint64_t)info.totalram * info.mem_unit / MEMORY_SHARE / relays;
}

static void on_stop_deadline(struct timer *t, uint64_t now_ms);
static void on_events_stored(struct outbox *ob);

static const struct outbox_ops events_ops = {
	.type = MSG_EVENTS,
	.waiting = RELAY_EVENTS_WAITING,
	.dropped = RELAY_EVENTS_DROPPED,
	.stored = on_events_stored,
	.violation = log_violation,
};

static int init_memory(struct relay *r)
{
	const struct config *config = r->role->config->config;
	int rc;

	pool_init(&r->buffers, RELAY_BUFFER, BUFFERS_KEEP);
	pipe_pool_init(&r->pipes);
	/* The spool directory becomes the role's working directory. */
	rc = object_store_init(&r->objects, config->scan.memory,
			       memory_total(r->role), ".");
	if (rc != 0)
		return rc;
	r->scratch = malloc(RELAY_SCRATCH);
	r->url_digest = EVP_MD_CTX_new();
	if (r->scratch == NULL || r->url_digest == NULL)
		return -ENOMEM;
	if (r->role->cache_fd != -1)
		r->vcache = memfile_map(r->role->cache_fd, vcache_size());
	return 0;
}

int relay_init(struct relay *r, struct role *role)
{
	int rc;

	memset(r, 0, sizeof(*r));
	r->role = role;
	r->loop = &role->loop;
	r->stats = role->stats;
	list_init(&r->sessions);
	list_init(&r->idle);
	r->max_sessions = limits_sessions();
	r->next_session = 1;
	chan_init(&r->net, r->loop, &net_ops, r);
	stock_init(&r->stock, &r->net, r->loop);
	data_asks_init(&r->data, &r->net);
	chan_init(&r->resolve, r->loop, &resolve_ops, r);
	name_asks_init(&r->names, r->loop, &r->resolve);
	scanner_init(&r->scanner, r->loop, r->stats);
	r->scanner.violation = scan_violation;
	r->scanner.deadline_ms = role->config->config->scan.deadline;
	r->scanner.asked_max = limits_scans(role->init.relays);
	outbox_init(&r->events, &events_ops, r->loop, r->stats,
		    role->init.instance);
	listener_init(r);
	timer_init(&r->housekeeping, housekeeping);
	timer_init(&r->stop_deadline, on_stop_deadline);
	rc = init_memory(r);
	if (rc != 0) {
		log_error("can't set up: %s", strerror(-rc));
		return rc;
	}
	housekeeping(&r->housekeeping, r->loop->now_ms);
	return 0;
}

void relay_reloaded(struct relay *r)
{
	const struct config *config = r->role->config->config;

	r->scanner.deadline_ms = config->scan.deadline;
	object_store_set_memory(&r->objects, config->scan.memory);
}

/* --- the end ------------------------------------------------------- */

/* When the last event is on disk, or there was time enough for it. */
static void end_when_done(struct relay *r)
{
	if (!list_empty(&r->sessions))
		return;
	outbox_flush(&r->events);
	if (outbox_empty(&r->events))
		loop_stop(r->loop);
}

/*
 * Clients repeat what they sent on a connection that was idle before; a new
 * one, whose first request is on its way, gets the time to make it.
 */
static void end_idle(struct relay *r)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &r->idle) {
		struct session *s = list_entry(pos, struct session, idle_node);

		if (s->requests > 0)
			session_end(s, CLOSE_SHUTDOWN, false);
		else
			session_deadline(s, r->loop->now_ms + FIRST_REQUEST_MS);
	}
}

static void on_stop_deadline(struct timer *t, uint64_t now_ms)
{
	struct relay *r =
		list_entry(&t->node, struct relay, stop_deadline.node);
	struct list *pos, *tmp;

	if (!list_empty(&r->sessions))
		log_info("%llu sessions are cut at the end of the stop time",
			 (unsigned long long)r->nsessions);
	list_for_each_safe(pos, tmp, &r->sessions)
		session_end(list_entry(pos, struct session, node),
			    CLOSE_SHUTDOWN, true);
	/* Now only the journal is waited for, and not for ever. */
	if (outbox_empty(&r->events) || r->cut)
		loop_stop(r->loop);
	r->cut = true;
	timer_arm(&r->loop->wheel, t, now_ms + 1000);
}

static void on_events_stored(struct outbox *ob)
{
	struct relay *r = list_entry(ob, struct relay, events);

	if (r->stopping)
		end_when_done(r);
}

void relay_stop(struct relay *r, uint64_t timeout_ms)
{
	r->stopping = true;
	listener_close_all(r);
	end_idle(r);
	timer_arm(&r->loop->wheel, &r->stop_deadline,
		  r->loop->now_ms + timeout_ms);
	end_when_done(r);
}

void relay_session_ended(struct relay *r)
{
	if (r->stopping)
		end_when_done(r);
}

void relay_close(struct relay *r)
{
	scanner_close(&r->scanner);
	outbox_close(&r->events);
	stock_close(&r->stock);
	data_asks_close(&r->data);
	chan_close(&r->resolve);
	chan_close(&r->net);
	object_store_close(&r->objects);
	pipe_pool_close(&r->pipes);
	pool_close(&r->buffers);
	EVP_MD_CTX_free(r->url_digest);
	free(r->scratch);
}
