// SPDX-License-Identifier: GPL-2.0-or-later
#include "guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t data_pages(size_t len)
{
	size_t page = page_size();

	return (len + page - 1) / page * page;
}

uint8_t *guard_copy(const void *data, size_t len)
{
	size_t room = data_pages(len);
	uint8_t *base = mmap(NULL, room + page_size(), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED ||
	    mprotect(base + room, page_size(), PROT_NONE) == -1)
		abort();
	if (len > 0)
		memcpy(base + room - len, data, len);
	return base + room - len;
}

void guard_free(uint8_t *copy, size_t len)
{
	size_t room = data_pages(len);

	munmap(copy + len - room, room + page_size());
}
