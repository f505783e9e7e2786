// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct sim_name {
	struct list node;
	struct sim_file *file; /* held */
	char path[];
};

static uint32_t disk_poll(const struct sim_file *f)
{
	(void)f; /* epoll_ctl(2) refuses files */
	return 0;
}

static void disk_released(struct sim_file *f)
{
	struct sim_disk_file *d = list_entry(f, struct sim_disk_file, file);

	sim_now()->disk_free += d->on_disk;
	close(d->real);
	free(d);
}

static const struct sim_file_ops disk_ops = {
	.name = "a file",
	.poll = disk_poll,
	.released = disk_released,
};

struct sim_disk_file *sim_disk_new(void)
{
	int real = memfd_create("sluice-scenario",
				MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct sim_disk_file *d;

	if (real == -1)
		return NULL;
	d = must_alloc(sizeof(*d));
	sim_file_init(&d->file, &disk_ops);
	d->real = real;
	return d;
}

struct sim_disk_file *sim_disk_of(struct sim_file *f)
{
	if (f != NULL && f->ops == &disk_ops)
		return list_entry(f, struct sim_disk_file, file);
	if (f != NULL)
		errno = EINVAL;
	return NULL;
}

/* --- names ---------------------------------------------------------- */

static struct sim_name *find(const char *path)
{
	struct list *pos;

	list_for_each(pos, &sim_now()->names) {
		struct sim_name *name = list_entry(pos, struct sim_name, node);

		if (strcmp(name->path, path) == 0)
			return name;
	}
	return NULL;
}

static struct sim_file *named_new(const char *path)
{
	size_t len = strlen(path) + 1;
	struct sim_disk_file *d = sim_disk_new();
	struct sim_name *name;

	if (d == NULL)
		return NULL;
	name = must_alloc(sizeof(*name) + len);
	memcpy(name->path, path, len);
	name->file = sim_hold(&d->file);
	list_add_tail(&sim_now()->names, &name->node);
	return &d->file;
}

struct sim_file *sim_disk_open(const char *path, bool create)
{
	struct sim_name *name = find(path);

	if ((name != NULL) == create) {
		errno = create ? EEXIST : ENOENT;
		return NULL;
	}
	return create ? named_new(path) : name->file;
}

static void name_free(struct sim_name *name)
{
	sim_release(name->file);
	free(name);
}

int sim_disk_unlink(const char *path)
{
	struct sim_name *name = find(path);

	if (name == NULL) {
		errno = ENOENT;
		return -1;
	}
	list_del(&name->node);
	name_free(name);
	return 0;
}

void sim_disk_clear(void)
{
	struct list *node;

	while ((node = list_pop(&sim_now()->names)) != NULL)
		name_free(list_entry(node, struct sim_name, node));
}

/* --- content -------------------------------------------------------- */

ssize_t sim_disk_write(struct sim_disk_file *d, const void *p, size_t n,
		       off_t at)
{
	struct sim *sim = sim_now();
	ssize_t done;

	if (n > sim->disk_free)
		n = sim->disk_free;
	if (n == 0) {
		errno = ENOSPC;
		return -1;
	}
	done = pwrite(d->real, p, n, at);
	if (done > 0) {
		d->on_disk += (uint64_t)done;
		sim->disk_free -= (uint64_t)done;
	}
	return done;
}

void sim_disk_read(const struct sim_disk_file *d, struct bytes *to, size_t n,
		   off_t at)
{
	uint8_t piece[16384];
	ssize_t got;

	while (n > 0) {
		got = pread(d->real, piece,
			    n < sizeof(piece) ? n : sizeof(piece), at);
		if (got <= 0)
			return;
		bytes_add(to, piece, (size_t)got);
		n -= (size_t)got;
		at += got;
	}
}
