// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS_SIZE  (F_SEAL_SHRINK | F_SEAL_GROW)
#define SEALS_WRITE (SEALS_SIZE | F_SEAL_WRITE)

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w == -1)
			return -errno; /* ENOMEM, ENOSPC: no memory */
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int memfile_snapshot(const char *name, const void *data, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd == -1)
		return -errno;
	rc = write_all(fd, data, size);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, SEALS_WRITE | F_SEAL_SEAL) == -1)
		rc = -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int memfile_shared(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd == -1)
		return -errno;
	if (ftruncate(fd, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, SEALS_SIZE | F_SEAL_SEAL) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int memfile_read_only(int fd)
{
	char path[32];
	int ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	return ro == -1 ? -errno : ro;
}

bool memfile_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals != -1 && (seals & SEALS_WRITE) == SEALS_WRITE;
}

bool memfile_is_snapshot(int fd, size_t size)
{
	struct stat st;

	return memfile_sealed(fd) && fstat(fd, &st) == 0 &&
	       st.st_size == (off_t)size;
}

int memfile_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS_WRITE) == -1 ? -errno : 0;
}

static void *map(int fd, size_t size, int prot, int flags)
{
	void *p = mmap(NULL, size, prot, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/*
 * Before Linux 6.7 a shared mapping of a file sealed against writing is
 * refused (EPERM) even for reading; a private one sees the same pages, which
 * can't change any more.
 */
const void *memfile_map(int fd, size_t size)
{
	void *p = map(fd, size, PROT_READ, MAP_SHARED);

	return p == NULL && errno == EPERM
		       ? map(fd, size, PROT_READ, MAP_PRIVATE)
		       : p;
}

void *memfile_map_shared(int fd, size_t size)
{
	return map(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

void memfile_unmap(const void *p, size_t size)
{
	if (p != NULL)
		munmap((void *)(uintptr_t)p, size);
}
