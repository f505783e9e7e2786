// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/memfile.h"

/* A bool from another process may be any byte; looked at as one. */
static bool is_bool(const void *p)
{
	uint8_t byte;

	memcpy(&byte, p, sizeof(byte));
	return byte <= 1;
}

static bool codings_valid(const struct coding_list *list)
{
	if (list->count > CODING_MAX || !is_bool(&list->unknown))
		return false;
	for (unsigned int i = 0; i < list->count; i++)
		if (list->coding[i] >= CODING_COUNT)
			return false;
	return true;
}

bool job_descriptor_valid(int fd, uint64_t size)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags == -1 || (flags & O_PATH) != 0 ||
	    (flags & O_ACCMODE) == O_WRONLY)
		return false;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == size;
}

bool job_part_valid(const struct msg_part *part)
{
	return part->is.length > 0 && part->replaces <= 1;
}

bool job_valid(const struct msg_scan *msg, int fd)
{
	return codings_valid(&msg->codings) &&
	       msg->boundary_len <= MULTIPART_BOUNDARY_MAX &&
	       msg->remember_url <= 1 &&
	       (msg->part.is.length == 0 || job_part_valid(&msg->part)) &&
	       job_descriptor_valid(fd, msg->size);
}

/*
 * A read lease is granted only while nobody has the file open for writing, be
 * it by a descriptor or a mapping, and breaks when somebody wants to; so one
 * that is still there at the end proves that nobody wrote (fcntl(2), Leases).
 */
static enum job_object judge(int fd)
{
	if (memfile_sealed(fd))
		return OBJECT_SEALED;
	return fcntl(fd, F_SETLEASE, F_RDLCK) == 0 ? OBJECT_LEASED
						   : OBJECT_LOOSE;
}

bool job_object_unchanged(const struct job *job)
{
	switch (job->object) {
	case OBJECT_SEALED:
		return true;
	case OBJECT_LEASED:
		return fcntl(job->fd, F_GETLEASE) == F_RDLCK;
	case OBJECT_LOOSE:
		break;
	}
	return false;
}

struct job *job_new(const struct msg_scan *msg, int fd)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL) {
		close(fd);
		return NULL;
	}
	list_init(&job->queued);
	list_init(&job->owned);
	list_init(&job->hashing);
	job->fd = fd;
	job->msg = *msg;
	job->object = judge(fd);
	return job;
}

void job_free(struct job *job)
{
	/* The relay may hold the same open file; the lease was ours. */
	if (job->object == OBJECT_LEASED)
		(void)fcntl(job->fd, F_SETLEASE, F_UNLCK);
	close(job->fd);
	free(job);
}
