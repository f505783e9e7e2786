/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found out about an object, and why. The three verdicts of a scan
 * are clean, blocked and not scanned; "passed" is an object that policy did
 * not ask to scan. A limit that was hit is never called clean or infected.
 */
#ifndef SLUICE_POLICY_VERDICT_H
#define SLUICE_POLICY_VERDICT_H

#include <stdbool.h>

enum verdict {
	VERDICT_PASSED,
	VERDICT_CLEAN,
	VERDICT_BLOCKED,
	VERDICT_NOT_SCANNED,
	VERDICT_COUNT
};

/*
 * Why. The names (verdict_reason_name) are part of the event format and never
 * change; new ones go at the end of their group.
 */
enum reason {
	REASON_NONE,

	/* blocked */
	REASON_SIGNATURE,    /* the engine named it */
	REASON_INFECTED_URL, /* this URL delivered a detected object lately */
	REASON_BAD_REQUEST,  /* framing two recipients could read differently */
	REASON_BAD_RESPONSE, /* the same from the origin server */
	REASON_METHOD,	     /* CONNECT on an intercepted connection */
	REASON_NOT_HTTP,     /* bytes that are no HTTP, refused by policy */
	REASON_TLS,	     /* FTP: AUTH TLS, refused by policy */
	REASON_BOUNCE,	     /* FTP: a data connection to somebody else */

	/* not scanned */
	REASON_SCANNER_FAILED,	/* its process died or answered with an error */
	REASON_SCANNER_TIMEOUT, /* scan.deadline passed */
	REASON_CODING,		/* unknown or damaged content coding */
	REASON_SIZE,		/* larger than scan.max_object */
	REASON_RATIO,		/* unpacks to more than scan.max_ratio */
	REASON_ARCHIVE_DEPTH,	/* nested deeper than scan.max_depth */
	REASON_ARCHIVE_FILES,	/* more members than scan.max_files */
	REASON_ARCHIVE_SIZE,	/* members larger than the engine's limit */
	REASON_ENCRYPTED,	/* encrypted archive or document */
	REASON_PARTIAL,		/* a part of an object (206) */
	REASON_MULTIPART,	/* form data that can't be split into parts */
	REASON_STORAGE,		/* no room to keep it while it is scanned */
	REASON_UNSUPPORTED,	/* a format that the engine can't open here */

	/* the exchange failed; nothing was decided about an object */
	REASON_CONNECT,		 /* origin server refused or unreachable */
	REASON_CONNECT_TIMEOUT,	 /* origin server did not answer the SYN */
	REASON_RESPONSE_TIMEOUT, /* no response head in time */
	REASON_ORIGIN_CLOSED,	 /* origin server closed in the middle */
	REASON_CLIENT_CLOSED,	 /* client went away in the middle */
	REASON_TIMEOUT,		 /* header, idle or total time passed */
	REASON_SHUTDOWN,	 /* the gateway stopped */
	REASON_EXPIRED,		 /* what was kept for the client is gone */
	REASON_COUNT
};

/* "clean", "blocked", "not_scanned", "passed"; "?" for anything else. */
const char *verdict_name(enum verdict v);
/* "scanner_failed", ...; "" for REASON_NONE, "?" for anything else. */
const char *verdict_reason_name(enum reason r);
/* One sentence for a person, ending in a full stop; "" for REASON_NONE. */
const char *verdict_reason_sentence(enum reason r);
/* Values from another process: whether they are in range. */
bool verdict_valid(unsigned int v);
bool verdict_reason_valid(unsigned int r);

#endif
