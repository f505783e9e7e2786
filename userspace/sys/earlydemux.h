/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net.ipv4.ip_early_demux, which governs both families. While it is 1 the
 * kernel looks for a socket before it routes a packet, and drops a packet that
 * has one and is to be forwarded (ip_forward(), ip6_forward()). Our sockets
 * have the clients' and the servers' addresses; so with it, every connection
 * that passes by after the switch went off or a bypass was added, and whose
 * ports a leftover of ours still has, is lost for up to a minute. Therefore 0
 * from before the rules until the last leftover is gone (sys/sockdiag.h). The
 * rules' own look-up takes its place; locally delivered traffic pays a route
 * look-up a packet. Forwarded traffic, UDP as well, is spared a look-up for a
 * socket, for which the kernel's documentation (ip-sysctl) advises it to
 * routers.
 *
 * The value found at first is kept in a record, see sys/sysctl.h.
 */
#ifndef SLUICE_SYS_EARLYDEMUX_H
#define SLUICE_SYS_EARLYDEMUX_H

/*
 * Note the value in @record, unless a record is there already, and set it to
 * 0. 0 (also when this kernel has no such setting) or -errno.
 */
__attribute__((warn_unused_result)) int earlydemux_off(const char *record);

/* Set what @record says and delete it. 0 (also without a record) or -errno. */
__attribute__((warn_unused_result)) int earlydemux_restore(const char *record);

/* The value now: 0, 1, -ENOENT when this kernel has none, -errno. */
__attribute__((warn_unused_result)) int earlydemux_value(void);

#endif
