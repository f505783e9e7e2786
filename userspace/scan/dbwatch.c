// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/dbwatch.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/siphash.h"

/* What libclamav takes for a part of a database (clamav.net, "signatures"). */
static const char *const suffixes[] = {
	".cat", ".cbc", ".cdb",	 ".cfg", ".cld",  ".crb",  ".cud", ".cvd",
	".db",	".fp",	".ftm",	 ".gdb", ".hdb",  ".hdu",  ".hsb", ".hsu",
	".idb", ".ign", ".ign2", ".imp", ".info", ".ioc",  ".ldb", ".ldu",
	".mdb", ".mdu", ".msb",	 ".msu", ".ndb",  ".ndu",  ".pdb", ".pwdb",
	".rmd", ".sdb", ".sfp",	 ".wdb", ".yar",  ".yara", ".zmd",
};

static bool is_database(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (dot != NULL && strcmp(dot, suffixes[i]) == 0)
			return true;
	return false;
}

/* One file as a number; the sum of all doesn't depend on their order. */
static uint64_t file_print(const char *name, const struct stat *st)
{
	const struct siphash_key key = {1, 2}; /* no secret: not a table */
	uint64_t fields[] = {(uint64_t)st->st_ino, (uint64_t)st->st_size,
			     (uint64_t)st->st_mtim.tv_sec,
			     (uint64_t)st->st_mtim.tv_nsec,
			     siphash(&key, name, strlen(name))};

	return siphash(&key, fields, sizeof(fields));
}

uint64_t dbwatch_fingerprint(const char *dir)
{
	DIR *list = opendir(dir);
	uint64_t sum = 0;
	struct dirent *e;
	struct stat st;

	if (list == NULL)
		return 0;
	while ((e = readdir(list)) != NULL)
		if (is_database(e->d_name) &&
		    fstatat(dirfd(list), e->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode))
			sum += file_print(e->d_name, &st);
	closedir(list);
	return sum;
}

void dbwatch_init(struct dbwatch *w)
{
	memset(w, 0, sizeof(*w));
}

bool dbwatch_wants_load(struct dbwatch *w, uint64_t now, uint64_t now_ms,
			bool in_service, uint64_t loaded)
{
	bool settled;

	if (now != w->seen) {
		w->seen = now;
		w->since_ms = now_ms;
	}
	/* It may be in the middle of an update, unless somebody says it isn't,
	 * or there is nothing to lose. */
	settled = w->forced || (!in_service && !w->has_refused) ||
		  now_ms - w->since_ms >= DBWATCH_SETTLED_MS;
	if (!settled || (w->has_refused && now == w->refused))
		return false;
	w->forced = false;
	return !in_service || now != loaded;
}

void dbwatch_refuse(struct dbwatch *w, uint64_t fingerprint)
{
	w->refused = fingerprint;
	w->has_refused = true;
}

void dbwatch_force(struct dbwatch *w)
{
	w->has_refused = false;
	w->forced = true;
}
