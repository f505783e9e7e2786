// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM_FIRST (256u << 10)
#define ROOM_KEPT  (1u << 20)	/* between objects */
#define ROOM_FILE  (256u << 10) /* a piece on its way to the file */

void spool_init(struct spool *sp, const char *dir, uint64_t memory)
{
	*sp = (struct spool){.dir = dir, .memory = memory, .fd = -1};
}

static void release(struct spool *sp)
{
	if (sp->data != NULL)
		munmap(sp->data, sp->room);
	sp->data = NULL;
	sp->room = 0;
}

void spool_reset(struct spool *sp)
{
	if (sp->view != NULL)
		munmap(sp->view, sp->size);
	sp->view = NULL;
	if (sp->fd != -1)
		close(sp->fd);
	sp->fd = -1;
	sp->size = 0;
	sp->used = 0;
	if (sp->room > ROOM_KEPT)
		release(sp);
}

void spool_close(struct spool *sp)
{
	spool_reset(sp);
	release(sp);
}

/* --- memory ---------------------------------------------------------------- */

static int grow(struct spool *sp)
{
	size_t room = sp->room > 0 ? sp->room * 2 : ROOM_FIRST;
	void *p;

	if (sp->data == NULL)
		p = mmap(NULL, room, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		p = mremap(sp->data, sp->room, room, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return -errno;
	sp->data = p;
	sp->room = room;
	return 0;
}

/* --- file ------------------------------------------------------------------- */

static int flush(struct spool *sp)
{
	size_t done = 0;

	while (done < sp->used) {
		ssize_t n = write(sp->fd, sp->data + done, sp->used - done);

		if (n == -1)
			return -errno; /* ENOSPC, EDQUOT: the disk is full */
		done += (size_t)n;
	}
	sp->used = 0;
	return 0;
}

/* From now on to the file; nobody but us ever sees its name. */
static int spill(struct spool *sp)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/spool", sp->dir);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	sp->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	if (sp->fd == -1)
		return -errno;
	if (unlink(path) == -1)
		return -errno;
	return flush(sp);
}

/* --- filling it ------------------------------------------------------------- */

int spool_room(struct spool *sp, uint8_t **room, size_t *len)
{
	int rc = 0;

	if (sp->fd == -1 && sp->size >= sp->memory)
		rc = spill(sp);
	else if (sp->fd != -1 && sp->used >= ROOM_FILE)
		rc = flush(sp);
	if (rc == 0 && sp->used == sp->room)
		rc = grow(sp);
	if (rc != 0)
		return rc;
	*room = sp->data + sp->used;
	*len = sp->room - sp->used;
	if (sp->fd != -1 && *len > ROOM_FILE)
		*len = ROOM_FILE;
	return 0;
}

void spool_filled(struct spool *sp, size_t n)
{
	sp->used += n;
	sp->size += n;
}

const uint8_t *spool_view(struct spool *sp)
{
	static const uint8_t nothing[1];
	void *p;
	int rc;

	if (sp->size == 0)
		return nothing;
	if (sp->fd == -1)
		return sp->data;
	if (sp->view != NULL)
		return sp->view;
	rc = flush(sp);
	if (rc != 0) {
		errno = -rc;
		return NULL;
	}
	p = mmap(NULL, sp->size, PROT_READ, MAP_SHARED, sp->fd, 0);
	sp->view = p == MAP_FAILED ? NULL : p;
	return sp->view;
}
