// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/dial.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "proxy/session.h"

/*
 * The server is reached at the address that the client dialled, whatever name
 * its request bears. A socket that was used before still has that client's
 * address: so the gateway's own is asked for, too.
 */
int dial(const struct session *s, int fd, const struct ip_endpoint *to)
{
	struct ip_endpoint from = {.addr = s->client_addr.addr};
	struct sockaddr_storage ss;
	socklen_t len;

	if (!s->config->config->intercept.keep_client_address)
		memset(from.addr.bytes, 0, sizeof(from.addr.bytes));
	len = ip_endpoint_to_sockaddr(&from, &ss);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		return -errno;
	len = ip_endpoint_to_sockaddr(to, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}

int dial_answer(int fd, uint32_t events)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if ((events & (EPOLLERR | EPOLLHUP)) == 0)
		return (events & EPOLLOUT) != 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	return -error;
}
