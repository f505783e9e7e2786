/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the two halves of the libclamav engine: loading, and scanning. */
#ifndef SLUICE_SCAN_LIBCLAMAV_H
#define SLUICE_SCAN_LIBCLAMAV_H

#include <clamav.h>

#include "scan/engine.h"
#include "sys/log.h"

struct engine {
	struct cl_engine *cl;
	struct config_scan limits;
	bool opens_rar; /* the library of RAR is there */
	const char *disk;
	const char *memory;
	const char *dir; /* of these two, the one set now */
	struct log_limit complaints;
};

/* What the callbacks write down while an object is scanned. */
struct libclamav_scan {
	struct engine *engine;
	bool looked;	  /* a first byte was looked at */
	bool no_room;	  /* a file or memory could not be had */
	bool unopened;	  /* a format that can't be opened */
	bool cut;	  /* a member was, or may have been, cut */
	uint64_t cabinet; /* bytes of members of cabinets */
	uint64_t unpack;  /* the limit for all that is unpacked */
	bool collecting;  /* all names, not only the first */
	struct finding found;
};

/* For cl_set_clcb_msg(), while a database is loaded. */
void libclamav_load_message(enum cl_msg severity, const char *full,
			    const char *msg, void *context);
/* Callbacks for scanning; after the load. */
void libclamav_prepare(struct engine *e);

void libclamav_scan(struct engine *e, const struct engine_input *in,
		    uint64_t limit_ms, struct finding *out);

#endif
