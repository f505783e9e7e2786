/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where decoded bytes go: memory at first, an unlinked file once there are
 * more than the limit. Filled from front to back, then looked at as a whole.
 *
 * Lifetime: belongs to a worker; spool_reset() between objects keeps a little
 * memory for the next one, spool_close() gives all back.
 */
#ifndef SLUICE_SCAN_SPOOL_H
#define SLUICE_SCAN_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct spool {
	const char *dir; /* for the file; the caller's */
	uint64_t memory; /* more bytes than this go to the file */
	uint64_t size;	 /* bytes in it */
	uint8_t *data;	 /* memory, or a piece on its way to the file */
	size_t room;	 /* bytes at @data */
	size_t used;	 /* of them filled */
	int fd;		 /* the file, or -1 */
	uint8_t *view;	 /* the file mapped, or NULL */
};

void spool_init(struct spool *sp, const char *dir, uint64_t memory);
void spool_reset(struct spool *sp);
void spool_close(struct spool *sp);

/*
 * Room for some bytes (at least one) at *@room, *@len of them; spool_filled()
 * says how many came. 0 or -errno (-ENOMEM, -ENOSPC ...).
 */
int spool_room(struct spool *sp, uint8_t **room, size_t *len)
	__attribute__((warn_unused_result));
void spool_filled(struct spool *sp, size_t n);

/* All bytes, valid until the next reset; NULL only with errno set. */
const uint8_t *spool_view(struct spool *sp);

#endif
