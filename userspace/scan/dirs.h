/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories for temporary files: state_dir/scan-tmp on disk, and a tmpfs of
 * limited size that only this role sees (libclamav makes and removes a
 * directory for each object, which on disk costs more than the scan of a small
 * one). Each worker has its own directory in both, removed when it has died,
 * whatever it left there.
 */
#ifndef SLUICE_SCAN_DIRS_H
#define SLUICE_SCAN_DIRS_H

#include <stdint.h>
#include <sys/types.h>

#include "conf/config.h"

#define DIRS_PATH_MAX (CONFIG_PATH_MAX + 48)

struct dirs {
	char disk[DIRS_PATH_MAX];
	char memory[DIRS_PATH_MAX]; /* "": there is none */
};

/*
 * As root: make them, for @uid alone, and enter a mount namespace for the one
 * in memory (of @memory bytes). 0 or -errno, logged; none in memory is no error.
 */
int dirs_make(struct dirs *d, const char *state_dir, uid_t uid, gid_t gid,
	      uint64_t memory) __attribute__((warn_unused_result));
/* As @uid: remove what an earlier process left. */
void dirs_clear(struct dirs *d);

/* A worker's own in @of (its memory is "" if @of has none). 0 or -errno. */
int dirs_add(const struct dirs *of, uint64_t worker, struct dirs *own)
	__attribute__((warn_unused_result));
void dirs_remove(const struct dirs *of, uint64_t worker);

#endif
