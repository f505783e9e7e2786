/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What userspace says to sluice_acct.ko: generic netlink family "sluice_acct".
 *
 * Every command needs CAP_NET_ADMIN in the user namespace that owns the
 * network namespace of the socket, and speaks of that network namespace only.
 * Unknown attributes are refused (strict validation).
 *
 *	SET     LAN and the two application ids, each optional: what is absent
 *	        stays as it is. The first SET with an interface in LAN starts the
 *	        counting, one with an empty LAN ends it; counters stay.
 *	GET     dump: a record for each thing counted since the last TAKE or RESET.
 *	TAKE    dump as GET; each record counts as fetched the moment it is in the
 *	        answer, so that the deltas of all TAKEs add up to what passed. A
 *	        client's application with nothing new makes room for others. A
 *	        reader that dies before it has read the answer loses what is in it.
 *	RESET   forget all that was counted.
 *	STATUS  the settings and how full the tables are.
 *
 * A record is one message with either CLIENT and APP or REASON, and then
 * DIRECTION, BYTES, PACKETS, FLOWS. Records of zeros are left out. A reader
 * skips attributes and reasons that it doesn't know.
 */
#ifndef SLUICE_ACCT_H
#define SLUICE_ACCT_H

#define SLUICE_ACCT_FAMILY  "sluice_acct"
#define SLUICE_ACCT_VERSION 1

/* Application ids: 1 to this; they stand in the connection mark, see below. */
#define SLUICE_ACCT_APP_MAX 2047
/* Interfaces that can be in LAN. */
#define SLUICE_ACCT_LAN_MAX 64

/*
 * Connection mark: where the application id is. 0: no label yet. The bit tells
 * that the label came from a hint, which makes no difference to counting.
 */
#define SLUICE_ACCT_MARK_APP   0x07ff0000
#define SLUICE_ACCT_MARK_SHIFT 16
#define SLUICE_ACCT_MARK_HINT  0x08000000

enum sluice_acct_cmd {
	SLUICE_ACCT_CMD_UNSPEC,
	SLUICE_ACCT_CMD_SET,
	SLUICE_ACCT_CMD_GET,
	SLUICE_ACCT_CMD_TAKE,
	SLUICE_ACCT_CMD_RESET,
	SLUICE_ACCT_CMD_STATUS,
	__SLUICE_ACCT_CMD_MAX
};

#define SLUICE_ACCT_CMD_MAX (__SLUICE_ACCT_CMD_MAX - 1)

enum sluice_acct_attr {
	SLUICE_ACCT_A_UNSPEC,
	SLUICE_ACCT_A_PAD, /* before 64 bit numbers, to align them */
	/* settings: SET and STATUS */
	SLUICE_ACCT_A_LAN,	   /* nested: any number of IFINDEX */
	SLUICE_ACCT_A_INTERCEPTED, /* u16: application of intercepted flows
				    * that have no label; 0: none */
	SLUICE_ACCT_A_GATEWAY,	   /* u16: of other flows that begin or end at
				    * the gateway and have none; 0: none */
	/* records: GET and TAKE */
	SLUICE_ACCT_A_CLIENT,	 /* 16 bytes: IPv6, or IPv4 as ::ffff:a.b.c.d */
	SLUICE_ACCT_A_APP,	 /* u16: 1 to SLUICE_ACCT_APP_MAX */
	SLUICE_ACCT_A_REASON,	 /* u8: enum sluice_acct_reason */
	SLUICE_ACCT_A_DIRECTION, /* u8: enum sluice_acct_direction */
	SLUICE_ACCT_A_BYTES,	 /* u64: IP packets without the link's header;
				  * one that the kernel handles as one (GSO)
				  * has its headers counted once */
	SLUICE_ACCT_A_PACKETS,	 /* u64: as on the wire (segments of GSO) */
	SLUICE_ACCT_A_FLOWS,	 /* u64: that began, in the direction of their
				  * first packet; of one that doesn't get
				  * through, each attempt */
	/* STATUS */
	SLUICE_ACCT_A_ENTRIES,	   /* u32: clients' applications in the table */
	SLUICE_ACCT_A_ENTRIES_MAX, /* u32: module parameter max_entries */
	SLUICE_ACCT_A_PENDING,	   /* u32: flows that wait for their label */
	SLUICE_ACCT_A_PENDING_MAX, /* u32: module parameter max_pending */
	SLUICE_ACCT_A_PENDING_LOST, /* u64: flows for which there was no room
				     * to wait */
	__SLUICE_ACCT_A_MAX
};

#define SLUICE_ACCT_A_MAX (__SLUICE_ACCT_A_MAX - 1)

/* In SLUICE_ACCT_A_LAN. */
enum sluice_acct_lan_attr {
	SLUICE_ACCT_LAN_A_UNSPEC,
	SLUICE_ACCT_LAN_A_IFINDEX, /* u32 */
	__SLUICE_ACCT_LAN_A_MAX
};

#define SLUICE_ACCT_LAN_A_MAX (__SLUICE_ACCT_LAN_A_MAX - 1)

/* As the client sees it. */
enum sluice_acct_direction {
	SLUICE_ACCT_UP,	  /* came in on a LAN interface; client: its source */
	SLUICE_ACCT_DOWN, /* leaves by one; client: its destination */
	__SLUICE_ACCT_DIRECTIONS
};

/*
 * Why bytes have no application. All of them and all records of applications
 * together are what the hooks saw on the LAN interfaces. PENDING alone is no
 * counter but what is held at this moment: it goes down when flows get their
 * label, or pass to NO_LABEL, and TAKE and RESET leave it.
 */
enum sluice_acct_reason {
	SLUICE_ACCT_NO_CONNTRACK, /* no connection is known, or untracked */
	SLUICE_ACCT_NO_LABEL,	  /* the flow got no label in time */
	SLUICE_ACCT_TABLE_FULL,	  /* no room, or no memory, for the client's
				   * application */
	SLUICE_ACCT_PENDING,	  /* flows that wait for their label */
	__SLUICE_ACCT_REASONS
};

#endif
