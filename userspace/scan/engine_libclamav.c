// SPDX-License-Identifier: GPL-2.0-or-later
/* libclamav as an engine: loading a database, limits, temporary files. */
#include "scan/libclamav.h"

#include <errno.h>
#include <limits.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/log.h"

/* Layers besides nested archives: the object, and its text in plain form. */
#define LAYERS_MORE 2
/* Recursion of a format of the nineties whose limit ends in silence. */
#define HWP3_DEPTH  64

/* See on_look(): what is larger than ours must not be cut to it. */
#define FILE_MORE (64u << 10)

/* The library takes no larger file (libclamav/others.c). */
static long long max_file(const struct config_scan *scan)
{
	uint64_t size = scan->max_object + FILE_MORE;

	return size < INT_MAX - 2 ? (long long)size : INT_MAX - 2;
}

/*
 * Limits that libclamav reports when they are hit get our values; those that
 * make it skip something and say nothing are raised so that the reported ones
 * come first. The cache of clean files goes by MD5, for which anybody can make
 * a clean and an infected file of the same sum; it is switched off, and the
 * hashing with it.
 */
static int set_limits(struct cl_engine *cl, const struct config_scan *scan)
{
	long long size = max_file(scan);
	const struct {
		enum cl_engine_field field;
		long long value;
	} limits[] = {
		{CL_ENGINE_MAX_FILESIZE, size},
		{CL_ENGINE_MAX_RECURSION, scan->max_depth + LAYERS_MORE},
		/* the object itself counts */
		{CL_ENGINE_MAX_FILES, (long long)scan->max_files + 1},
		{CL_ENGINE_MAX_EMBEDDEDPE, size},
		{CL_ENGINE_MAX_HTMLNORMALIZE, size},
		{CL_ENGINE_MAX_HTMLNOTAGS, size},
		{CL_ENGINE_MAX_SCRIPTNORMALIZE, size},
		{CL_ENGINE_MAX_ZIPTYPERCG, size},
		{CL_ENGINE_MAX_PARTITIONS, scan->max_files},
		{CL_ENGINE_MAX_ICONSPE, scan->max_files},
		{CL_ENGINE_MAX_RECHWP3, HWP3_DEPTH},
		{CL_ENGINE_PCRE_MAX_FILESIZE, size},
		{CL_ENGINE_BYTECODE_TIMEOUT, (long long)scan->deadline},
		{CL_ENGINE_DISABLE_CACHE, 1},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (cl_engine_set_num(cl, limits[i].field, limits[i].value) !=
		    CL_SUCCESS)
			return -EINVAL;
	return 0;
}

/* --- loading ---------------------------------------------------------------- */

static int is_unrar(struct dl_phdr_info *info, size_t size, void *found)
{
	(void)size;
	if (strstr(info->dlpi_name, "libclamunrar") != NULL)
		*(bool *)found = true;
	return 0;
}

static int load_database(struct cl_engine *cl, const char *dir,
			 uint64_t *signatures, char wrong[ENGINE_TEXT_MAX])
{
	unsigned int count = 0;
	cl_error_t rc = cl_load(dir, cl, &count, CL_DB_STDOPT);

	if (rc == CL_SUCCESS && count > 0)
		rc = cl_engine_compile(cl);
	*signatures = count;
	if (rc != CL_SUCCESS || count == 0) {
		snprintf(wrong, ENGINE_TEXT_MAX,
			 "%s: %s (is scan.database right, and has freshclam "
			 "run?)",
			 dir,
			 rc != CL_SUCCESS ? cl_strerror(rc) : "no signatures");
		return -EINVAL;
	}
	return 0;
}

static int load(struct engine **out, const struct config_scan *scan,
		struct engine_info *info, char wrong[ENGINE_TEXT_MAX])
{
	struct engine *e = calloc(1, sizeof(*e));
	cl_error_t init;
	int rc;

	if (e == NULL)
		return -ENOMEM;
	/* Never freed: when this fails, the process ends with it. */
	*out = e;
	e->limits = *scan;
	cl_set_clcb_msg(libclamav_load_message);
	init = cl_init(CL_INIT_DEFAULT);
	if (init == CL_SUCCESS)
		e->cl = cl_engine_new();
	if (e->cl == NULL || set_limits(e->cl, scan) != 0) {
		snprintf(wrong, ENGINE_TEXT_MAX, "libclamav does not start: %s",
			 cl_strerror(init));
		return -ENOMEM;
	}
	rc = load_database(e->cl, scan->database, &info->signatures, wrong);
	if (rc != 0)
		return rc;
	libclamav_prepare(e);
	dl_iterate_phdr(is_unrar, &e->opens_rar);
	if (!e->opens_rar)
		snprintf(info->warning, sizeof(info->warning),
			 "RAR archives are not scanned: install libclamunrar");
	/* What was only needed to load goes back before workers share it. */
	malloc_trim(0);
	return 0;
}

static int attach(struct engine *e, const char *disk, const char *memory)
{
	e->disk = disk;
	e->memory = memory;
	return 0;
}

const struct engine_ops engine_libclamav = {
	.load = load,
	.attach = attach,
	.scan = libclamav_scan,
	.has_database = true,
};
