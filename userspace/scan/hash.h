/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 of objects, the key of the verdict cache. Not computed by workers: a
 * worker that was taken over by what it scanned could then enter a clean
 * verdict for any other object. Small ones are hashed by the dispatcher on the
 * spot, larger ones by a process that does nothing else.
 */
#ifndef SLUICE_SCAN_HASH_H
#define SLUICE_SCAN_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/msg.h"

struct hash; /* an EVP context and a buffer */

/* NULL without memory. */
struct hash *hash_new(void);
void hash_free(struct hash *h);
/* Of @size bytes of file @fd. 0 or -errno (-ENODATA: it has fewer). */
int hash_file(struct hash *h, int fd, uint64_t size, uint8_t sha256[MSG_SHA256])
	__attribute__((warn_unused_result));

/* The life of the hasher, on WIRE_FD. */
_Noreturn void hasher_run(void);

#endif
