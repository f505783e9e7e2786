/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers that Sluice claims in the host's network stack, in one place so
 * that an administrator can check them against everybody else's.
 *
 * Packet and socket marks are single bits. Sluice's rules set and test nothing
 * but these four; the other 28 bits pass through them unchanged. Whoever else
 * writes marks on the gateway has to do the same (restore a connection's mark
 * under a mask, not whole), or packets lose the bit that delivers them.
 *
 * The mark of a connection (conntrack's, shown by `conntrack -L`) is another
 * 32 bits. Sluice writes thirteen of them, and no other:
 *
 *	0x07ff0000	id of the application (policy/app_table.h), 0: not
 *			labelled yet
 *	0x08000000	the label is a hint: other connections to the same
 *			server had it
 *	0x40000000	policy refuses it, and one end was told so
 *
 * The bits of the one don't touch those of the other: a rule that copies a
 * packet's mark to its connection, or back, copies under a mask without these.
 */
#ifndef SLUICE_RENDER_MARKS_H
#define SLUICE_RENDER_MARKS_H

/* On a packet: one of our sockets holds its connection, deliver it locally. */
#define MARK_DIVERT   0x10000000U
/* SO_MARK of the sockets that relays open towards origin servers. */
#define MARK_UPSTREAM 0x20000000U
/* SO_MARK of transparent listeners, and so of every connection they accept. */
#define MARK_CLIENT   0x40000000U
/*
 * Beside one of these two, on sockets of FTP's data connections. They are found
 * by the rules for data connections and by no others: such a listener is bound
 * to an address, so nothing else tells it from a connection.
 */
#define MARK_DATA     0x08000000U

/* In the mark of a connection: the label. */
#define LABEL_MASK  0x07ff0000U
#define LABEL_SHIFT 16
#define LABEL_HINT  0x08000000U
/* Beside it: see chain forbid (render/ruleset_policy.c). */
#define LABEL_TOLD  0x40000000U

/*
 * Conntrack zone of the client's leg. The origin's leg and everything that is
 * forwarded stay in zone 0, where the administrator's rules and NAT live.
 */
#define ZONE_CLIENT 1

/* Routing table that delivers locally, and where its rules stand. */
#define ROUTE_TABLE    20942U
#define ROUTE_PRIORITY 100U

#endif
