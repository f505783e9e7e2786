/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory files and files of the spool: each a real memory file behind a
 * descriptor of ours, since the relay maps them. Spool files have a name until
 * unlink(2), and take of the disk's room.
 */
#ifndef SLUICE_TESTS_SIM_DISK_H
#define SLUICE_TESTS_SIM_DISK_H

#include <sys/types.h>

#include "bytes.h"
#include "sim.h"

struct sim_disk_file {
	struct sim_file file;
	int real;
	uint64_t on_disk; /* bytes of sim->disk_free that it took */
};

/* A file without a name; NULL with errno set. */
struct sim_disk_file *sim_disk_new(void);
struct sim_disk_file *sim_disk_of(struct sim_file *f);
/* open(2) by name; @create: O_CREAT | O_EXCL. NULL with errno set. */
struct sim_file *sim_disk_open(const char *path, bool create);
int sim_disk_unlink(const char *path);
ssize_t sim_disk_write(struct sim_disk_file *d, const void *p, size_t n,
		       off_t at);
/* At most @n bytes from @at on. */
void sim_disk_read(const struct sim_disk_file *d, struct bytes *to, size_t n,
		   off_t at);
/* Names go; for the end of a run. */
void sim_disk_clear(void);

#endif
