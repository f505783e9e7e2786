// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scan/confine.h"
#include "scan/examine.h"
#include "scan/wire.h"
#include "sys/log.h"
#include "sys/memfile.h"

/* An object up to this size is read, which is cheaper than mapping it. */
#define READ_MAX (256u << 10)

struct worker {
	struct examiner examiner;
	uint8_t *buffer; /* of READ_MAX bytes */
};

/* --- the object's bytes ----------------------------------------------------- */

struct bytes {
	const uint8_t *data;
	size_t size;
	bool mapped;
};

static int read_all(int fd, uint8_t *dst, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, dst + done, size - done, (off_t)done);

		if (n == -1)
			return -errno;
		if (n == 0)
			return -ENODATA; /* it was cut meanwhile */
		done += (size_t)n;
	}
	return 0;
}

static int bytes_get(struct worker *w, int fd, size_t size, struct bytes *b)
{
	int rc;

	b->size = size;
	b->mapped = size > READ_MAX;
	if (b->mapped) {
		b->data = memfile_map(fd, size);
		if (b->data == NULL)
			return -errno;
		/* Read ahead; advice only. */
		madvise((void *)(uintptr_t)b->data, size, MADV_WILLNEED);
		return 0;
	}
	rc = read_all(fd, w->buffer, size);
	b->data = w->buffer;
	return rc;
}

static void bytes_put(const struct bytes *b)
{
	if (b->mapped)
		memfile_unmap(b->data, b->size);
}

/* --- a job ------------------------------------------------------------------ */

static void scan(struct worker *w, const struct wire_scan *job, int fd,
		 struct finding *out)
{
	struct object object = {
		.size = job->size,
		.fd = fd,
		.codings = job->codings,
		.boundary = {job->boundary, job->boundary_len},
		.deadline_ms = job->deadline_ms,
	};
	struct bytes b;
	int rc = bytes_get(w, fd, job->size, &b);

	if (rc != 0) {
		log_warn("can't read an object: %s", strerror(-rc));
		finding_not_scanned(out, REASON_SCANNER_FAILED);
		return;
	}
	object.data = b.data;
	examine_object(&w->examiner, &object, out);
	bytes_put(&b);
}

/* 1, 0 when there will be no more jobs, or -errno. */
static int work(struct worker *w)
{
	struct wire_scanned answer;
	struct wire_scan job;
	struct finding found;
	int fd = -1;
	int rc = wire_receive(WIRE_FD, WIRE_SCAN, &job, sizeof(job), &fd);

	if (rc <= 0)
		return rc == -EINTR ? 1 : rc;
	scan(w, &job, fd, &found);
	close(fd);
	memset(&answer, 0, sizeof(answer));
	answer.job = job.job;
	answer.verdict = found.verdict;
	answer.reason = found.reason;
	memcpy(answer.name, found.name, sizeof(answer.name));
	rc = wire_send(WIRE_FD, WIRE_SCANNED, &answer, sizeof(answer), -1);
	return rc == 0 ? 1 : rc;
}

/* --- its life --------------------------------------------------------------- */

/* Beyond the engine that it shares: room for an object and its unpacking. */
static void limit_memory(const struct config_scan *scan)
{
	struct rlimit limit;
	uint64_t more = (1ull << 30) + 2 * scan->max_object;

	if (getrlimit(RLIMIT_DATA, &limit) == -1 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return;
	limit.rlim_cur += more;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_DATA, &limit) == -1)
		log_warn("can't raise its limit of memory: %s",
			 strerror(errno));
}

static int begin(struct worker *w, struct worker_kit *kit)
{
	const char *memory = kit->own.memory[0] != '\0' ? kit->own.memory
							: NULL;
	int rc;

	limit_memory(kit->scan);
	examiner_init(&w->examiner, kit->ops, kit->engine, kit->scan,
		      kit->own.disk);
	w->buffer = malloc(READ_MAX);
	if (w->buffer == NULL)
		return -ENOMEM;
	rc = confine_worker(&kit->own, !kit->ops->has_database);
	if (rc == 0)
		rc = kit->ops->attach(kit->engine, kit->own.disk, memory);
	return rc;
}

_Noreturn void worker_run(struct worker_kit *kit)
{
	struct worker w = {0};
	int rc = begin(&w, kit);

	if (rc != 0) {
		log_error("can't scan: %s", strerror(-rc));
		_exit(1);
	}
	do
		rc = work(&w);
	while (rc > 0);
	/* 0: its generation has been replaced, or the gateway stops. */
	_exit(rc == 0 ? 0 : 1);
}
