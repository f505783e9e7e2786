/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy routing of diverted packets: what carries MARK_DIVERT is delivered
 * locally, whatever its destination. For each family
 *
 *	99:   from all fwmark MARK_DIVERT/MARK_DIVERT iif lo goto 101
 *	100:  from all fwmark MARK_DIVERT/MARK_DIVERT lookup ROUTE_TABLE
 *	101:  from all nop
 *	table ROUTE_TABLE: local default dev lo
 *
 * The first and last rule keep look-ups of the host itself out of that table
 * (the kernel makes them with input interface lo): with src_valid_mark = 1, as
 * wg-quick sets it, the reverse path of every diverted packet would else be
 * local, and the packet a martian that is dropped; with tcp_fwmark_accept = 1
 * answers to clients would be delivered to the gateway.
 *
 * Without these, rules that divert are closed: the packet has a socket and no
 * route to it, and is dropped. So routes come before rules and go after them.
 *
 * Needs CAP_NET_ADMIN. Each call opens a socket of its own.
 */
#ifndef SLUICE_SYS_ROUTE_H
#define SLUICE_SYS_ROUTE_H

#include <stdbool.h>

/* One difference as a line without its end. */
typedef void (*route_diff_fn)(const char *line, void *arg);

/* Whether this namespace speaks IPv6 on its loopback interface. */
bool route_has_ipv6(void);

/*
 * Add what is missing. 0 or -errno (-ENETDOWN: lo is down). @ipv6: whether
 * IPv6 was set up; where it is disabled that is skipped and no error.
 */
__attribute__((warn_unused_result)) int route_install(bool *ipv6);

/* Delete what is there. 0 or -errno. */
__attribute__((warn_unused_result)) int route_remove(void);

/* Lines for what is missing. How many, or -errno. */
__attribute__((warn_unused_result)) int route_diff(route_diff_fn fn, void *arg);

#endif
