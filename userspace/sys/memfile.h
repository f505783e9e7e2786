/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory files (memfd_create(2)): sealed snapshots and shared pages. */
#ifndef SLUICE_SYS_MEMFILE_H
#define SLUICE_SYS_MEMFILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A copy of @size bytes that nobody can change any more (F_SEAL_WRITE, SHRINK,
 * GROW, SEAL). Descriptor (caller's) or -errno.
 */
int memfile_snapshot(const char *name, const void *data, size_t size)
	__attribute__((warn_unused_result));
/* @size zero bytes that can be mapped for writing, but not resized. */
int memfile_shared(const char *name, size_t size)
	__attribute__((warn_unused_result));
/* The same file, for reading only: its holder can't map it for writing. */
int memfile_read_only(int fd) __attribute__((warn_unused_result));

/* Whether @fd is sealed against every change and holds exactly @size bytes. */
bool memfile_is_snapshot(int fd, size_t size);
/* Whether @fd is a memory file sealed against writing and resizing. */
bool memfile_sealed(int fd);
/* Seal a written file so; 0 or -errno (EBUSY: still mapped for writing). */
int memfile_seal(int fd) __attribute__((warn_unused_result));

/* Map @size bytes; NULL with errno set. Unmap with memfile_unmap(). */
const void *memfile_map(int fd, size_t size);
void *memfile_map_shared(int fd, size_t size);
void memfile_unmap(const void *p, size_t size);

#endif
