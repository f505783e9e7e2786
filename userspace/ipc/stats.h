/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of a role, in a page that it shares with the parent: asking for the
 * status never waits for a role, and a role that hangs is seen because its
 * heartbeat stops. The parent treats what it reads as numbers and bounded
 * text, nothing more.
 */
#ifndef SLUICE_IPC_STATS_H
#define SLUICE_IPC_STATS_H

#include <stdint.h>

#include "ipc/msg.h"
#include "ipc/usage.h"
#include "policy/verdict.h"

#define STATS_COUNTERS 128
#define STATS_NOTE_MAX 512

struct stats {
	uint64_t heartbeat_ms; /* monotonic; written at least each 250 ms */
	uint64_t ready;
	uint64_t counter[STATS_COUNTERS];
	/* What a person should know: "database: 2 signatures, loaded ...". */
	char note[STATS_NOTE_MAX];
};

enum relay_counter {
	RELAY_SESSIONS, /* open now */
	RELAY_SESSIONS_TOTAL,
	RELAY_REQUESTS,
	RELAY_BYTES_IN,	      /* from clients */
	RELAY_BYTES_OUT,      /* to clients */
	RELAY_SPLICED,	      /* of all bytes, those never copied */
	RELAY_TUNNELS,	      /* sessions passed on without HTTP */
	RELAY_ACCEPT_REFUSED, /* no descriptor or memory for a connection */
	RELAY_CONNECT_FAILED,
	RELAY_NO_SOCKET,      /* waited for a socket of the net role */
	RELAY_SESSION_MEMORY, /* bytes held for sessions and exchanges */
	RELAY_BUFFER_MEMORY,  /* bytes of buffers, lent and free */
	RELAY_BODY_MEMORY,    /* bytes of objects in memory */
	RELAY_BODY_DISK,      /* bytes of objects spilled to disk */
	RELAY_PIPES,
	RELAY_CACHE_HITS,
	RELAY_CACHE_MISSES,
	RELAY_SCANS_WAITING,
	RELAY_EVENTS_WAITING, /* not yet acknowledged by the log role */
	RELAY_EVENTS_DROPPED,
	RELAY_VERDICT,				      /* + enum verdict */
	RELAY_REASON = RELAY_VERDICT + VERDICT_COUNT, /* + enum reason */
	RELAY_UNSCANNED_BYTES = RELAY_REASON + REASON_COUNT, /* + reason */
	RELAY_COUNTERS = RELAY_UNSCANNED_BYTES + REASON_COUNT
};

enum net_counter {
	NET_ALIVE,	 /* the dead-man's switch is set */
	NET_INSTALLED,	 /* the rules are in place */
	NET_REINSTALLED, /* times that somebody else removed them */
	NET_SOCKETS_GIVEN,
	NET_PAIRS,	/* of clients and FTP servers, now */
	NET_DATA_GIVEN, /* sockets for data connections of FTP */
	NET_COUNTERS
};

enum scan_counter {
	SCAN_READY, /* an engine is in service */
	SCAN_GENERATION,
	SCAN_SIGNATURES,
	SCAN_LOADED_AT, /* seconds since 1970 */
	SCAN_WORKERS,
	SCAN_BUSY,
	SCAN_QUEUED,
	SCAN_DONE,
	SCAN_BYTES,
	SCAN_WORKER_DEATHS,
	SCAN_TIMEOUTS,
	SCAN_RELOADS,
	SCAN_RELOADS_FAILED,
	SCAN_CACHE_ENTRIES,
	SCAN_SHELF_OBJECTS, /* waiting to be fetched by their clients */
	SCAN_SHELF_BYTES,
	SCAN_COUNTERS
};

enum log_counter {
	LOG_EVENTS,
	LOG_USAGE, /* records of usage */
	LOG_BYTES,
	LOG_SYNCS,
	LOG_ROTATIONS,
	LOG_WRITE_ERRORS, /* since start; the note has the last one */
	LOG_BLOCKED,	  /* journals (of two) that can't be written now */
	LOG_COUNTERS
};

enum app_source { SOURCE_NONE, SOURCE_BPF, SOURCE_KMOD, SOURCE_CONNTRACK };

enum app_counter {
	APP_QUEUED,	/* packets from the kernel's queues */
	APP_QUEUE_LOST, /* packets that the kernel did not queue */
	APP_FLOWS,	/* in the table now */
	APP_FLOWS_EVICTED, /* forgotten before they had a label, for want of room */
	APP_LABELLED,	   /* flows that got a label */
	APP_GIVEN_UP,	   /* of them, those that got "unknown" */
	APP_HINTS,	   /* told the kernel */
	APP_LABELS_LOST,   /* whose connection was gone */
	APP_USAGE_WAITING, /* records not yet on disk */
	APP_USAGE_DROPPED,
	APP_SOURCE, /* of counters: enum app_source */
	APP_BYTES,  /* attributed; IP packets */
	/*
	 * Of all that was counted: frames, link header and all, where the
	 * source sees frames (BPF), else IP packets. So are the next and the
	 * last ones.
	 */
	APP_FRAME_BYTES,
	APP_FRAME_PENDING, /* of flows without a label yet, not in the above */
	APP_EVENTS_LOST,   /* times that conntrack's events came too fast */
	APP_ENDS_MISSED,   /* connections whose end was lost with them */
	APP_UNATTRIBUTED,  /* bytes without a label, + enum usage_reason */
	APP_COUNTERS = APP_UNATTRIBUTED + USAGE_REASONS
};

enum resolve_counter {
	RESOLVE_QUERIES,    /* by relays */
	RESOLVE_CACHE_HITS, /* of them, those answered at once */
	RESOLVE_SHARED,	    /* ... that waited for the answer to another's */
	RESOLVE_BUSY,	    /* ... refused: too many under way */
	RESOLVE_NOT_FOUND,  /* ... answered: no such name */
	RESOLVE_FAILURES,   /* ... not answered, or not with sense */
	RESOLVE_UNDER_WAY,  /* names that servers are asked for now */
	RESOLVE_CACHED,	    /* names known now */
	RESOLVE_RELOADS,    /* of resolv.conf or hosts, since start */
	RESOLVE_COUNTERS
};

_Static_assert(RELAY_COUNTERS <= STATS_COUNTERS, "page too small");

/* Name of counter @i of @role as in `sluicectl --json status`, or NULL. */
const char *stats_name(enum role_id role, unsigned int i);
unsigned int stats_count(enum role_id role);

/* Relaxed atomic access: each page has one writer. */
static inline void stats_add(struct stats *s, unsigned int i, uint64_t n)
{
	__atomic_store_n(&s->counter[i], s->counter[i] + n, __ATOMIC_RELAXED);
}

static inline void stats_sub(struct stats *s, unsigned int i, uint64_t n)
{
	__atomic_store_n(&s->counter[i], s->counter[i] - n, __ATOMIC_RELAXED);
}

static inline void stats_set(struct stats *s, unsigned int i, uint64_t n)
{
	__atomic_store_n(&s->counter[i], n, __ATOMIC_RELAXED);
}

static inline uint64_t stats_get(const struct stats *s, unsigned int i)
{
	return __atomic_load_n(&s->counter[i], __ATOMIC_RELAXED);
}

/* Set the note (cut at its size). */
__attribute__((format(printf, 2, 3))) void stats_note(struct stats *s,
						      const char *format, ...);
/* Copy the note out of a page that somebody else may be writing. */
void stats_read_note(const struct stats *s, char *dst, unsigned int size);

#endif
