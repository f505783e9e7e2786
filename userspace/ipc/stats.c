// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipc/stats.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const relay_names[] = {
	[RELAY_SESSIONS] = "sessions",
	[RELAY_SESSIONS_TOTAL] = "sessions_total",
	[RELAY_REQUESTS] = "requests",
	[RELAY_BYTES_IN] = "bytes_in",
	[RELAY_BYTES_OUT] = "bytes_out",
	[RELAY_SPLICED] = "bytes_spliced",
	[RELAY_TUNNELS] = "tunnels",
	[RELAY_ACCEPT_REFUSED] = "accept_refused",
	[RELAY_CONNECT_FAILED] = "connect_failed",
	[RELAY_NO_SOCKET] = "socket_waits",
	[RELAY_SESSION_MEMORY] = "session_memory",
	[RELAY_BUFFER_MEMORY] = "buffer_memory",
	[RELAY_BODY_MEMORY] = "body_memory",
	[RELAY_BODY_DISK] = "body_disk",
	[RELAY_PIPES] = "pipes",
	[RELAY_CACHE_HITS] = "cache_hits",
	[RELAY_CACHE_MISSES] = "cache_misses",
	[RELAY_SCANS_WAITING] = "scans_waiting",
	[RELAY_EVENTS_WAITING] = "events_waiting",
	[RELAY_EVENTS_DROPPED] = "events_dropped",
};

static const char *const net_names[] = {
	[NET_ALIVE] = "alive",
	[NET_INSTALLED] = "installed",
	[NET_REINSTALLED] = "reinstalled",
	[NET_SOCKETS_GIVEN] = "sockets_given",
	[NET_PAIRS] = "ftp_pairs",
	[NET_DATA_GIVEN] = "ftp_sockets_given",
};

static const char *const scan_names[] = {
	[SCAN_READY] = "ready",
	[SCAN_GENERATION] = "generation",
	[SCAN_SIGNATURES] = "signatures",
	[SCAN_LOADED_AT] = "loaded_at",
	[SCAN_WORKERS] = "workers",
	[SCAN_BUSY] = "busy",
	[SCAN_QUEUED] = "queued",
	[SCAN_DONE] = "scans",
	[SCAN_BYTES] = "bytes",
	[SCAN_WORKER_DEATHS] = "worker_deaths",
	[SCAN_TIMEOUTS] = "timeouts",
	[SCAN_RELOADS] = "reloads",
	[SCAN_RELOADS_FAILED] = "reloads_failed",
	[SCAN_CACHE_ENTRIES] = "cache_entries",
	[SCAN_SHELF_OBJECTS] = "shelf_objects",
	[SCAN_SHELF_BYTES] = "shelf_bytes",
};

static const char *const log_names[] = {
	[LOG_EVENTS] = "events",       [LOG_USAGE] = "usage",
	[LOG_BYTES] = "bytes",	       [LOG_SYNCS] = "syncs",
	[LOG_ROTATIONS] = "rotations", [LOG_WRITE_ERRORS] = "write_errors",
	[LOG_BLOCKED] = "blocked",
};

static const char *const app_names[] = {
	[APP_QUEUED] = "queued",
	[APP_QUEUE_LOST] = "queue_lost",
	[APP_FLOWS] = "flows",
	[APP_FLOWS_EVICTED] = "flows_evicted",
	[APP_LABELLED] = "labelled",
	[APP_HINTS] = "hints",
	[APP_GIVEN_UP] = "given_up",
	[APP_LABELS_LOST] = "labels_lost",
	[APP_USAGE_WAITING] = "usage_waiting",
	[APP_USAGE_DROPPED] = "usage_dropped",
	[APP_SOURCE] = "source",
	[APP_BYTES] = "bytes",
	[APP_FRAME_BYTES] = "frame_bytes",
	[APP_FRAME_PENDING] = "frame_bytes_pending",
	[APP_EVENTS_LOST] = "events_lost",
	[APP_ENDS_MISSED] = "ends_missed",
	[APP_UNATTRIBUTED + USAGE_NOT_IP] = "unattributed_not_ip",
	[APP_UNATTRIBUTED + USAGE_MALFORMED] = "unattributed_malformed",
	[APP_UNATTRIBUTED + USAGE_FRAGMENT] = "unattributed_fragment",
	[APP_UNATTRIBUTED + USAGE_PROTOCOL] = "unattributed_protocol",
	[APP_UNATTRIBUTED + USAGE_NO_CONNTRACK] = "unattributed_no_conntrack",
	[APP_UNATTRIBUTED + USAGE_UNLABELLED] = "unattributed_unlabelled",
	[APP_UNATTRIBUTED + USAGE_TABLE_FULL] = "unattributed_table_full",
};

static const char *const resolve_names[] = {
	[RESOLVE_QUERIES] = "queries",	   [RESOLVE_CACHE_HITS] = "cache_hits",
	[RESOLVE_SHARED] = "shared",	   [RESOLVE_BUSY] = "busy",
	[RESOLVE_NOT_FOUND] = "not_found", [RESOLVE_FAILURES] = "failures",
	[RESOLVE_UNDER_WAY] = "under_way", [RESOLVE_CACHED] = "cached",
	[RESOLVE_RELOADS] = "reloads",
};

struct name_table {
	const char *const *names;
	unsigned int count;
};

static const struct name_table tables[ROLE_COUNT] = {
	[ROLE_NET] = {net_names, NET_COUNTERS},
	[ROLE_SCAN] = {scan_names, SCAN_COUNTERS},
	[ROLE_LOG] = {log_names, LOG_COUNTERS},
	[ROLE_APP] = {app_names, APP_COUNTERS},
	[ROLE_RESOLVE] = {resolve_names, RESOLVE_COUNTERS},
	/* verdicts and reasons have their names in policy/verdict.h */
	[ROLE_RELAY] = {relay_names, RELAY_VERDICT},
};

unsigned int stats_count(enum role_id role)
{
	return role < ROLE_COUNT ? tables[role].count : 0;
}

const char *stats_name(enum role_id role, unsigned int i)
{
	return i < stats_count(role) ? tables[role].names[i] : NULL;
}

void stats_note(struct stats *s, const char *format, ...)
{
	char note[STATS_NOTE_MAX] = {0};
	va_list ap;

	va_start(ap, format);
	vsnprintf(note, sizeof(note), format, ap);
	va_end(ap);
	memcpy(s->note, note, sizeof(note));
}

void stats_read_note(const struct stats *s, char *dst, unsigned int size)
{
	unsigned int i;

	for (i = 0; i + 1 < size && i < STATS_NOTE_MAX; i++) {
		char c = __atomic_load_n(&s->note[i], __ATOMIC_RELAXED);

		if (c == '\0')
			break;
		if (c < 0x20 || c >= 0x7f)
			c = '?';
		dst[i] = c;
	}
	dst[i] = '\0';
}
