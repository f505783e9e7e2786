// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/cookies.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static uint64_t number_at(const char *p)
{
	size_t n = strspn(p, "0123456789");
	uint64_t value;

	return str_to_u64((struct str){p, n}, &value) ? value : 0;
}

/* SyncookiesSent is the first of a line of names and a line of numbers. */
uint64_t cookies_sent(void)
{
	char text[8192];
	int fd = open("/proc/net/netstat", O_RDONLY | O_CLOEXEC);
	const char *names, *values, *found;
	ssize_t n;

	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	names = strstr(text, "TcpExt: SyncookiesSent ");
	values = names != NULL ? strchr(names, '\n') : NULL;
	found = values != NULL ? strstr(values, "TcpExt: ") : NULL;
	return found != NULL ? number_at(found + strlen("TcpExt: ")) : 0;
}
