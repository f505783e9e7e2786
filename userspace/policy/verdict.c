// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/verdict.h"

#include <stddef.h>

static const char *const verdict_names[VERDICT_COUNT] = {
	[VERDICT_PASSED] = "passed",
	[VERDICT_CLEAN] = "clean",
	[VERDICT_BLOCKED] = "blocked",
	[VERDICT_NOT_SCANNED] = "not_scanned",
};

struct reason_text {
	const char *name;
	const char *sentence;
};

static const struct reason_text reasons[REASON_COUNT] = {
	[REASON_NONE] = {"", ""},
	[REASON_SIGNATURE] = {"signature", "The scanner found malware in it."},
	[REASON_INFECTED_URL] =
		{"infected_url",
		 "This address delivered malware a short time ago."},
	[REASON_BAD_REQUEST] = {"bad_request",
				"The request is malformed or ambiguous."},
	[REASON_BAD_RESPONSE] =
		{"bad_response",
		 "The server's answer is malformed or ambiguous."},
	[REASON_METHOD] =
		{"method",
		 "This method is not allowed on an intercepted connection."},
	[REASON_NOT_HTTP] =
		{"not_http",
		 "The connection does not speak HTTP, and policy refuses others."},
	[REASON_TLS] =
		{"tls",
		 "Policy refuses encryption that hides files from the scanner."},
	[REASON_BOUNCE] =
		{"bounce",
		 "Data connections go to the client that asks for them, and to "
		 "no other host or service."},
	[REASON_SCANNER_FAILED] =
		{"scanner_failed",
		 "It could not be scanned: the scanner failed."},
	[REASON_SCANNER_TIMEOUT] =
		{"scanner_timeout",
		 "It could not be scanned in the time allowed."},
	[REASON_CODING] =
		{"coding",
		 "It could not be scanned: its content coding is unknown or damaged."},
	[REASON_SIZE] =
		{"size",
		 "It could not be scanned: it is larger than the limit."},
	[REASON_RATIO] = {"ratio",
			  "It could not be scanned: it unpacks to too much."},
	[REASON_ARCHIVE_DEPTH] =
		{"archive_depth",
		 "It could not be scanned: archives are nested too deeply."},
	[REASON_ARCHIVE_FILES] =
		{"archive_files",
		 "It could not be scanned: the archive has too many members."},
	[REASON_ARCHIVE_SIZE] =
		{"archive_size",
		 "It could not be scanned: a member of the archive is too large."},
	[REASON_ENCRYPTED] = {"encrypted",
			      "It could not be scanned: it is encrypted."},
	[REASON_PARTIAL] =
		{"partial",
		 "It could not be scanned: only a part was transferred, or "
		 "one of another object than before."},
	[REASON_MULTIPART] =
		{"multipart",
		 "It could not be scanned: its parts can't be told apart."},
	[REASON_STORAGE] =
		{"storage",
		 "It could not be scanned: the gateway has no room to hold it."},
	[REASON_UNSUPPORTED] =
		{"unsupported",
		 "It could not be scanned: the scanner can't open its format."},
	[REASON_CONNECT] =
		{"connect",
		 "The server refused the connection or can't be reached."},
	[REASON_CONNECT_TIMEOUT] =
		{"connect_timeout",
		 "The server did not answer the connection in time."},
	[REASON_RESPONSE_TIMEOUT] =
		{"response_timeout",
		 "The server did not answer the request in time."},
	[REASON_ORIGIN_CLOSED] =
		{"origin_closed",
		 "The server closed the connection in the middle."},
	[REASON_CLIENT_CLOSED] =
		{"client_closed",
		 "The client closed the connection in the middle."},
	[REASON_TIMEOUT] = {"timeout", "The connection took too long."},
	[REASON_SHUTDOWN] = {"shutdown", "The gateway was stopped."},
	[REASON_EXPIRED] =
		{"expired",
		 "What was kept for you is gone: please begin the download anew."},
};

bool verdict_valid(unsigned int v)
{
	return v < VERDICT_COUNT;
}

bool verdict_reason_valid(unsigned int r)
{
	return r < REASON_COUNT;
}

const char *verdict_name(enum verdict v)
{
	return verdict_valid(v) ? verdict_names[v] : "?";
}

const char *verdict_reason_name(enum reason r)
{
	return verdict_reason_valid(r) ? reasons[r].name : "?";
}

const char *verdict_reason_sentence(enum reason r)
{
	return verdict_reason_valid(r) ? reasons[r].sentence : "";
}
