// SPDX-License-Identifier: GPL-2.0-or-later
/* One object through libclamav, and what its answer is worth. */
#include "scan/libclamav.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "sys/clock.h"
#include "sys/log.h"

/* cl_scanmap_callback() takes files of up to five bytes for clean unseen. */
#define NEVER_LOOKED_AT 5
/* Larger objects gain nothing from temporary files in memory. */
#define SMALL		(1u << 20)
/* Everything unpacked from an object, at least and at most. */
#define UNPACK_MIN	(64u << 20)
#define UNPACK_OBJECTS	4 /* times scan.max_object */

/* --- callbacks -------------------------------------------------------------- */

/*
 * libclamav goes on when it can't make a temporary file or get memory and
 * calls the object clean in the end (most errors become success in
 * result_should_goto_done()); its messages are the only trace.
 */
static bool means_no_room(const char *msg)
{
	static const char *const words[] = {"emporary", "create", "writ",
					    "wrote",	"alloc",  "memory",
					    "fmap()",	"unlink"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(msg, words[i]) != NULL)
			return true;
	return false;
}

static void log_message(enum config_log_level level, const char *msg)
{
	char text[512];
	struct strbuf sb;
	struct str s = str_of(msg);

	if (s.len > 0 && s.p[s.len - 1] == '\n')
		s.len--;
	strbuf_init(&sb, text, sizeof(text));
	strbuf_printable(&sb, s);
	log_line(level, "libclamav: %s", text);
}

void libclamav_load_message(enum cl_msg severity, const char *full,
			    const char *msg, void *context)
{
	(void)full;
	(void)context;
	/* About the database, for the administrator. */
	log_message(severity >= CL_MSG_WARN ? LEVEL_WARNING : LEVEL_DEBUG, msg);
}

/* @context is NULL before and after the scan proper. */
static void on_message(enum cl_msg severity, const char *full, const char *msg,
		       void *context)
{
	struct libclamav_scan *scan = context;
	enum config_log_level level = LEVEL_DEBUG;

	(void)full;
	if (scan != NULL && severity >= CL_MSG_ERROR && means_no_room(msg)) {
		scan->no_room = true;
		if (log_limit_pass(&scan->engine->complaints,
				   clock_system.monotonic_ms()))
			level = LEVEL_WARNING;
	}
	log_message(level, msg);
}

/*
 * Called for the object and for all that is found in it. Unpackers of several
 * formats cut a member at CL_ENGINE_MAX_FILESIZE and say nothing (unzip.c,
 * libmspack.c, ishield.c, xar.c), so the engine's limit is a little larger
 * than ours: what is beyond ours here has been or might have been cut.
 */
static cl_error_t on_look(int fd, const char *type, void *context)
{
	struct libclamav_scan *scan = context;
	struct stat st;

	scan->looked = true;
	if (!scan->engine->opens_rar && strcmp(type, "CL_TYPE_RAR") == 0)
		scan->unopened = true;
	if (fd != -1 && fstat(fd, &st) == 0 &&
	    (uint64_t)st.st_size > scan->engine->limits.max_object)
		scan->cut = true;
	return CL_CLEAN;
}

/*
 * Called for each member, before it is unpacked. Members of cabinets are cut
 * at what is left of CL_ENGINE_MAX_SCANSIZE, again in silence. (What other
 * formats say about sizes is no use: in some megabytes of noise there is
 * sooner or later the beginning of a ZIP.)
 */
static cl_error_t on_member(const char *container, unsigned long packed,
			    const char *name, unsigned long size, int encrypted,
			    unsigned int index, void *context)
{
	struct libclamav_scan *scan = context;

	(void)packed;
	(void)name;
	(void)encrypted;
	(void)index;
	if (strcmp(container, "CL_TYPE_MSCAB") == 0 ||
	    strcmp(container, "CL_TYPE_MSCHM") == 0)
		scan->cabinet += size;
	return CL_CLEAN;
}

static void on_found(int fd, const char *name, void *context)
{
	struct libclamav_scan *scan = context;
	struct finding f;

	(void)fd;
	if (!scan->collecting || name == NULL)
		return;
	finding_of_name(&f, name);
	finding_merge(&scan->found, &f);
}

void libclamav_prepare(struct engine *e)
{
	struct cl_engine *cl = e->cl;

	cl_set_clcb_msg(on_message);
	cl_engine_set_clcb_pre_cache(cl, on_look);
	cl_engine_set_clcb_meta(cl, on_member);
	cl_engine_set_clcb_virus_found(cl, on_found);
}

/* --- one pass --------------------------------------------------------------- */

/* How much may come out of @size bytes; *@by_ratio when the ratio decides. */
static uint64_t unpack_limit(const struct engine *e, size_t size,
			     bool *by_ratio)
{
	uint64_t most = e->limits.max_object * UNPACK_OBJECTS;
	uint64_t ratio = (uint64_t)size * e->limits.max_ratio;

	if (ratio < UNPACK_MIN)
		ratio = UNPACK_MIN;
	*by_ratio = ratio < most;
	return ratio < most ? ratio : most;
}

static enum reason reason_of_error(cl_error_t rc)
{
	switch (rc) {
	case CL_ETIMEOUT:
		return REASON_SCANNER_TIMEOUT;
	case CL_EMAXREC:
		return REASON_ARCHIVE_DEPTH;
	case CL_EMAXFILES:
		return REASON_ARCHIVE_FILES;
	case CL_EMAXSIZE:
		return REASON_ARCHIVE_SIZE;
	case CL_EWRITE:
	case CL_ETMPFILE:
	case CL_ETMPDIR:
	case CL_ECREAT:
	case CL_EUNLINK:
		return REASON_STORAGE;
	default:
		return REASON_SCANNER_FAILED;
	}
}

/* Which directory, and how long and how much this object may take. */
static void set_up(struct engine *e, const char *dir, uint64_t limit_ms,
		   uint64_t unpack)
{
	if (limit_ms > INT32_MAX)
		limit_ms = INT32_MAX;
	cl_engine_set_num(e->cl, CL_ENGINE_MAX_SCANTIME,
			  limit_ms > 0 ? (long long)limit_ms : 1);
	cl_engine_set_num(e->cl, CL_ENGINE_MAX_SCANSIZE, (long long)unpack);
	if (e->dir != dir &&
	    cl_engine_set_str(e->cl, CL_ENGINE_TMPDIR, dir) == CL_SUCCESS)
		e->dir = dir;
}

/* What @rc and @name mean, given what the callbacks saw. */
static void conclude(const struct libclamav_scan *scan, cl_error_t rc,
		     const char *name, size_t size, struct finding *out)
{
	bool no_room = scan->no_room;

	if (rc == CL_VIRUS)
		finding_of_name(out, name != NULL ? name : "unnamed");
	else if (rc != CL_CLEAN)
		finding_not_scanned(out, reason_of_error(rc));
	else
		finding_clean(out);
	if (out->verdict == VERDICT_BLOCKED)
		return;
	if (out->verdict == VERDICT_CLEAN && !scan->looked &&
	    size > NEVER_LOOKED_AT)
		no_room = true; /* not even its directory could be made */
	if (no_room)
		finding_not_scanned(out, REASON_STORAGE);
	else if (out->verdict != VERDICT_CLEAN)
		return;
	else if (scan->cut || scan->cabinet >= scan->unpack)
		finding_not_scanned(out, REASON_ARCHIVE_SIZE);
	else if (scan->unopened)
		finding_not_scanned(out, REASON_UNSUPPORTED);
}

static void pass(struct libclamav_scan *scan, const struct engine_input *in,
		 struct finding *out)
{
	struct cl_scan_options options = {
		.general = CL_SCAN_GENERAL_HEURISTICS,
		.parse = ~0u,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX |
			     CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE |
			     CL_SCAN_HEURISTIC_ENCRYPTED_DOC,
	};
	cl_fmap_t *map = cl_fmap_open_memory(in->data, in->size);
	unsigned long scanned = 0;
	const char *name = NULL;
	cl_error_t rc = CL_EMEM;

	if (scan->collecting)
		options.general |= CL_SCAN_GENERAL_ALLMATCHES;
	if (map != NULL) {
		rc = cl_scanmap_callback(map, NULL, &name, &scanned,
					 scan->engine->cl, &options, scan);
		cl_fmap_close(map);
	}
	conclude(scan, rc, name, in->size, out);
}

/*
 * A limit that was hit doesn't end a scan, and a signature found later takes
 * precedence over it. Among heuristics libclamav reports only the last, so a
 * second pass collects them all: "encrypted" must not hide a detection.
 */
static void scan_in(struct engine *e, const char *dir,
		    const struct engine_input *in, uint64_t limit_ms,
		    struct finding *out)
{
	uint64_t started = clock_system.monotonic_ms(), spent;
	struct libclamav_scan scan = {.engine = e};
	struct finding second;
	bool by_ratio;

	scan.unpack = unpack_limit(e, in->size, &by_ratio);
	set_up(e, dir, limit_ms, scan.unpack);
	pass(&scan, in, out);
	if (out->verdict != VERDICT_NOT_SCANNED || out->name[0] == '\0')
		return;
	if (by_ratio && strstr(out->name, ".MaxScanSize") != NULL)
		out->reason = REASON_RATIO;
	spent = clock_system.monotonic_ms() - started;
	if (out->reason == REASON_SCANNER_TIMEOUT || spent >= limit_ms)
		return;
	cl_engine_set_num(e->cl, CL_ENGINE_MAX_SCANTIME,
			  (long long)(limit_ms - spent));
	scan = (struct libclamav_scan){.engine = e, .collecting = true};
	finding_clean(&scan.found);
	pass(&scan, in, &second);
	if (scan.found.verdict == VERDICT_BLOCKED)
		*out = scan.found;
}

void libclamav_scan(struct engine *e, const struct engine_input *in,
		    uint64_t limit_ms, struct finding *out)
{
	uint64_t started = clock_system.monotonic_ms(), spent;

	if (in->size > e->limits.max_object) {
		finding_not_scanned(out, REASON_SIZE);
		return;
	}
	if (e->memory == NULL || in->size > SMALL) {
		scan_in(e, e->disk, in, limit_ms, out);
		return;
	}
	/* Unpacked it may be too much for the small directory in memory. */
	scan_in(e, e->memory, in, limit_ms, out);
	spent = clock_system.monotonic_ms() - started;
	if (out->verdict == VERDICT_NOT_SCANNED &&
	    out->reason == REASON_STORAGE && spent < limit_ms)
		scan_in(e, e->disk, in, limit_ms - spent, out);
}
