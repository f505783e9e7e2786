// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/tproxy.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip.h"
#include "render/marks.h"

struct option {
	int level;
	int name;
	int value;
};

static int set_options(int fd, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *o = &options[i];

		if (setsockopt(fd, o->level, o->name, &o->value,
			       sizeof(o->value)) == -1)
			return -errno;
	}
	return 0;
}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct option listener_options[] = {
	/* Any destination address is ours: connections keep the origin's. */
	{SOL_IP, IP_TRANSPARENT, 1},
	/* One listening socket a relay, so that none wakes the others. */
	{SOL_SOCKET, SO_REUSEPORT, 1},
	/*
	 * Connections inherit it. By it the rules know the client's leg (its
	 * conntrack zone, and which packets are for us), and being set it
	 * keeps tcp_fwmark_accept from giving them the mark of a packet.
	 */
	{SOL_SOCKET, SO_MARK, (int)MARK_CLIENT},
	/*
	 * They inherit this as well. Requests and answers are written whole;
	 * Nagle would add delays.
	 */
	{IPPROTO_TCP, TCP_NODELAY, 1},
};

static const struct option listener6_options[] = {
	/* IPv4 as well, whatever net.ipv6.bindv6only says. */
	{SOL_IPV6, IPV6_V6ONLY, 0},
	{SOL_IPV6, IPV6_TRANSPARENT, 1},
};

static int bind_any(int fd, int family, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(port)};
	int err = family == AF_INET6
			  ? bind(fd, (struct sockaddr *)&in6, sizeof(in6))
			  : bind(fd, (struct sockaddr *)&in, sizeof(in));

	return err == -1 ? -errno : 0;
}

static int listener(int family, uint16_t port, int backlog)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd == -1)
		return -errno;
	err = set_options(fd, listener_options, COUNT(listener_options));
	if (err == 0 && family == AF_INET6)
		err = set_options(fd, listener6_options,
				  COUNT(listener6_options));
	if (err == 0)
		err = bind_any(fd, family, port);
	if (err == 0 && listen(fd, backlog) == -1)
		err = -errno;
	if (err != 0) {
		close(fd);
		return err;
	}
	return fd;
}

int tproxy_listener(uint16_t port, int backlog)
{
	int fd = listener(AF_INET6, port, backlog);

	/* No IPv6 in the kernel, or none in this namespace. */
	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		fd = listener(AF_INET, port, backlog);
	return fd;
}

static const struct option upstream_options[] = {
	/* The rules deliver its packets by it, also the spoofed client's. */
	{SOL_SOCKET, SO_MARK, (int)MARK_UPSTREAM},
	/*
	 * A client's address and port may be bound again while a connection
	 * from it to another server, or one in TIME_WAIT, still has them.
	 */
	{SOL_SOCKET, SO_REUSEADDR, 1},
	/*
	 * bind() of an address leaves the port to connect(), which then need
	 * only be unique for that server: thousands of ports a server and
	 * not a client. Linux 4.2.
	 */
	{SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1},
	{IPPROTO_TCP, TCP_NODELAY, 1},
};

/*
 * Closed with FIN, it would take one of the client's ports towards this server
 * for a minute (TIME_WAIT): some ten thousand connections of a busy client
 * later connect(2) searches for a free one for milliseconds. When a relay
 * closes it, nobody waits for anything on it.
 */
static int close_with_reset(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0
		       ? 0
		       : -errno;
}

int tproxy_upstream(int family, bool transparent)
{
	/* Lets bind() take an address that no interface has. */
	const struct option any = {
		family == AF_INET6 ? SOL_IPV6 : SOL_IP,
		family == AF_INET6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1};
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd == -1)
		return -errno;
	err = set_options(fd, upstream_options, COUNT(upstream_options));
	if (err == 0)
		err = close_with_reset(fd);
	if (err == 0 && transparent)
		err = set_options(fd, &any, 1);
	if (err != 0) {
		close(fd);
		return err;
	}
	return fd;
}

static int set_data_options(int fd, int family, uint32_t mark)
{
	bool v6 = family == AF_INET6;
	const struct option options[] = {
		{SOL_SOCKET, SO_MARK, (int)mark},
		/*
		 * The port has connections, open or in TIME_WAIT, of earlier
		 * transfers; port 20 has those of many clients at once. A
		 * listener still has its address and port for itself.
		 */
		{SOL_SOCKET, SO_REUSEADDR, 1},
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT,
		 1},
	};
	const struct option only6 = {SOL_IPV6, IPV6_V6ONLY, 1};
	int err = set_options(fd, options, COUNT(options));

	/* Of data only an orderly end says that it was all: not our death. */
	if (err == 0)
		err = close_with_reset(fd);
	return err == 0 && v6 ? set_options(fd, &only6, 1) : err;
}

int tproxy_data(int family, bool client)
{
	uint32_t mark = MARK_DATA | (client ? MARK_CLIENT : MARK_UPSTREAM);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd == -1)
		return -errno;
	err = set_data_options(fd, family, mark);
	if (err != 0) {
		close(fd);
		return err;
	}
	return fd;
}

int tproxy_data_call(const struct ip_endpoint *local)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_endpoint_to_sockaddr(local, &ss);
	int fd = tproxy_data(local->addr.family, true);
	int err;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&ss, len) == -1) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}
