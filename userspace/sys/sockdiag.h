/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections of ours that outlive the relays (NETLINK_SOCK_DIAG).
 *
 * Sockets in TIME_WAIT carry the addresses of clients and origin servers for
 * a minute. Once nothing is intercepted any more, early demultiplexing hands
 * forwarded packets with the same addresses and ports to them, and the kernel
 * drops what has a socket and is to be forwarded (sys/earlydemux.h).
 */
#ifndef SLUICE_SYS_SOCKDIAG_H
#define SLUICE_SYS_SOCKDIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockdiag_left {
	uint32_t closing;   /* still exchange data or their end */
	uint32_t time_wait; /* small sockets: TIME_WAIT, orphaned FIN_WAIT2 */
	uint32_t destroyed; /* of time_wait, by this call */
};

/*
 * Count sockets that are closing or closed and have one of our marks, or, on a
 * kernel that doesn't tell the mark of small sockets, one of the @count @ports
 * as their local or remote port. With @destroy those in @time_wait are
 * destroyed, where the kernel can: CONFIG_INET_DIAG_DESTROY, and Linux 6.0 for
 * TIME_WAIT. Nothing is lost by that: both sides have sent their end, or ours
 * has and nobody is left to read. Others end by themselves.
 *
 * All gone means that closing is 0 and time_wait is what was destroyed; ask
 * again each second for at most 60 (TCP_TIMEWAIT_LEN). 0 or -errno.
 */
__attribute__((warn_unused_result)) int
sockdiag_leftovers(const uint16_t *ports, size_t count, bool destroy,
		   struct sockdiag_left *left);

#endif
