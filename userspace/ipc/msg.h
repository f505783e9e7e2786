/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the roles say to each other. A message is one SOCK_SEQPACKET datagram:
 * struct msg_header, then the fixed structure of its type, then for some types
 * a number of equal elements. Lengths follow from the type and the datagram;
 * none is taken from a field. Both ends are one build of one version.
 */
#ifndef SLUICE_IPC_MSG_H
#define SLUICE_IPC_MSG_H

#include <stdint.h>

#include "base/ip.h"
#include "conf/config.h"
#include "proto/coding.h"
#include "proto/multipart.h"

#define MSG_MAX	     65536 /* bytes of a message */
#define MSG_FDS_MAX  64	   /* descriptors with a message */
#define MSG_NAME_MAX 64	   /* a signature's name, with its NUL */
#define MSG_SHA256   32
#define MSG_TOKEN    16 /* bytes, random: who knows them may have it */
#define MSG_FIELDS   1024
#define MSG_HOST_MAX 256 /* a host name, with its NUL */
#define MSG_ADDRS    8	 /* of a host */

enum role_id {
	ROLE_PARENT,
	ROLE_NET,
	ROLE_SCAN,
	ROLE_LOG,
	ROLE_APP,
	ROLE_RESOLVE,
	ROLE_RELAY,
	ROLE_COUNT
};

/* "net", "scan", "log", "app", "resolve", "relay"; "sluiced": the parent. */
const char *role_name(enum role_id role);

enum msg_type {
	/* parent -> any */
	MSG_INIT = 1, /* msg_init; fds: config, stats page, some a third one */
	MSG_CONFIG,   /* fd: new config */
	MSG_PEER,     /* msg_peer; fd: channel to that role */
	MSG_STOP,     /* msg_stop */
	/* any -> parent */
	MSG_READY,     /* nothing */
	MSG_VIOLATION, /* msg_peer: that peer broke the protocol */
	/* parent -> net */
	MSG_ALIVE, /* msg_alive: renew or drop switches; each second */
	MSG_RULES, /* msg_rules */
	/* net -> parent */
	MSG_TEXT, /* msg_text, then bytes of the answer */
	/* relay -> net */
	MSG_LISTEN,	  /* nothing: wants the listeners of its services */
	MSG_WANT_SOCKETS, /* msg_sockets */
	MSG_PAIR,	  /* msg_pair; answered when it is to be held */
	MSG_WANT_DATA,	  /* msg_data */
	/* net -> relay */
	MSG_LISTENER, /* msg_listener; fd */
	MSG_SOCKETS,  /* msg_sockets; fds: transparent, marked, unbound */
	MSG_PAIRED,   /* msg_data_answer to msg_pair, without a fd */
	MSG_DATA,     /* msg_data_answer; fd, if there is one */
	/* parent -> relay */
	MSG_WANT_SESSIONS, /* msg_want_sessions */
	/* relay -> parent */
	MSG_SESSIONS, /* msg_sessions, then struct msg_session... */
	/* relay -> scan */
	MSG_SCAN,	 /* msg_scan; fd: the object, not to change any more */
	MSG_SCAN_CANCEL, /* msg_scan_cancel */
	MSG_SHELVE,	 /* msg_shelve; fd: the object, as above */
	MSG_SHELF_WANT,	 /* msg_shelf_want */
	MSG_PART,	 /* msg_part: a client holds more of an object */
	/* scan -> relay */
	MSG_SCANNED,	/* msg_scanned */
	MSG_SHELVED,	/* msg_shelved */
	MSG_SHELF_GIVE, /* msg_shelve with the id of the question; fd, if any */
	/* relay -> resolve */
	MSG_RESOLVE, /* msg_resolve */
	/* resolve -> relay */
	MSG_RESOLVED, /* msg_resolved */
	/* relay -> log */
	MSG_EVENTS, /* msg_events, then packed events (store/event.h) */
	/* app -> log */
	MSG_USAGE, /* msg_events (of usages), then struct usage... */
	/* log -> relay, log -> app */
	MSG_EVENTS_STORED, /* msg_events_stored */
	/* parent -> app */
	MSG_WANT_USAGE, /* msg_want_sessions */
	/* app -> parent: the bucket that is being filled, and its rates */
	MSG_USAGE_NOW, /* msg_usage_now, then struct usage... */
	/* parent -> app */
	MSG_WANT_QUOTAS, /* msg_want_sessions */
	/* app -> parent */
	MSG_QUOTAS_NOW, /* msg_sessions, then struct msg_quota... */
	MSG_TYPE_COUNT
};

struct msg_header {
	uint32_t type;
	uint32_t zero; /* keeps what follows aligned to 8 */
};

struct msg_init {
	uint32_t role;
	uint32_t index;	 /* which relay */
	uint32_t relays; /* how many there are */
	uint32_t uid;	 /* unprivileged account of the roles */
	uint32_t gid;
	uint32_t zero;
	uint64_t instance; /* differs at each start of the role */
};

struct msg_peer {
	uint32_t role;
	uint32_t index;
	uint64_t instance; /* of that role; 0 in MSG_VIOLATION */
};

struct msg_stop {
	uint64_t timeout_ms; /* for what still runs */
};

struct msg_alive {
	uint32_t alive;
	uint32_t account; /* conntrack's counters are wanted */
};

enum msg_rules_op {
	RULES_SHOW,
	RULES_DIFF,
	RULES_INSTALL,
	RULES_REMOVE,
	RULES_PLAN_INSTALL, /* the text that INSTALL would put in place */
	RULES_PLAN_REMOVE,
	RULES_BYPASS_ADD,
	RULES_BYPASS_DELETE,
	RULES_BYPASS_LIST,
	RULES_OP_COUNT
};

struct msg_rules {
	uint32_t request; /* chosen by the parent, repeated in the answer */
	uint32_t op;	  /* enum msg_rules_op */
	uint32_t servers; /* bypass: of servers instead of clients */
	uint32_t zero;
	struct ip_net net; /* bypass add and delete */
};

struct msg_text {
	uint32_t request;
	uint32_t last;	 /* no more text follows */
	int32_t status;	 /* 0 or -errno of the whole request */
	uint32_t differ; /* diff: something differs */
};

enum msg_sockets_leg {
	SOCKETS_SERVER,	     /* to be connected to servers */
	SOCKETS_DATA_CLIENT, /* to listen for a client's data connection */
	SOCKETS_DATA_SERVER, /* ... for a server's */
	SOCKETS_LEG_COUNT
};

struct msg_sockets {
	uint32_t family; /* AF_INET, AF_INET6 */
	uint32_t count;	 /* at most MSG_FDS_MAX */
	uint32_t leg;	 /* enum msg_sockets_leg */
	uint32_t zero;
};

/*
 * A client and a server between which a relay has control connections of FTP:
 * from now on, or no longer. The rules deliver data connections between them
 * to sockets only while some relay says so.
 *
 * The answer to the first: 0 when it is in the kernel; -EAGAIN when it isn't,
 * and will be as soon as the rules are (it is held all the same); -ENOSPC when
 * there are too many. It may be said, and is answered, again.
 */
struct msg_pair {
	uint64_t id; /* chosen by the relay, repeated in the answer */
	struct ip_addr client;
	struct ip_addr server;
	uint16_t held; /* 1 or 0 */
};

/*
 * A socket that is to be connected to the client of a pair, which the relay
 * holds: bound to the server's address and @port, on the client's leg.
 */
struct msg_data {
	uint64_t id; /* chosen by the relay, repeated in the answer */
	struct ip_addr client;
	struct ip_addr server;
	uint16_t port;
};

struct msg_data_answer {
	uint64_t id;
	int32_t status; /* 0 or -errno; then there is no descriptor */
	uint32_t zero;
};

struct msg_listener {
	uint32_t service; /* index in the configuration */
	uint32_t zero;
};

struct msg_want_sessions {
	uint32_t request;
	uint32_t zero;
};

struct msg_session {
	uint64_t id;
	uint64_t age_ms;
	uint64_t bytes_in;  /* from the client */
	uint64_t bytes_out; /* to the client */
	struct ip_endpoint client;
	struct ip_endpoint server;
	uint32_t requests;
	char state[16];
	char url[200]; /* of the present exchange, cut */
};

struct msg_sessions {
	uint32_t request;
	uint32_t last;
};

/* The first @length bytes of an object; 0: nothing is known of it. */
struct msg_beginning {
	uint64_t length;
	uint8_t sha256[MSG_SHA256];
};

/*
 * A client may hold bytes of an object that begins so: what is known of it
 * becomes @is if it was @was, or @is already (a comparison and exchange).
 */
struct msg_part {
	uint8_t key[MSG_SHA256]; /* of the client and the object's URL */
	struct msg_beginning was;
	struct msg_beginning is;
	uint64_t replaces; /* 1: whatever was known */
};

struct msg_scan {
	uint64_t id; /* chosen by the relay, repeated in the answer */
	uint64_t size;
	struct coding_list codings;
	uint8_t boundary_len; /* > 0: multipart/form-data */
	uint8_t remember_url; /* url_key is valid */
	char boundary[MULTIPART_BOUNDARY_MAX];
	uint8_t url_key[MSG_SHA256];
	/* part.is.length > 0: done, unless blocked, before it is answered. */
	struct msg_part part;
};

struct msg_scan_cancel {
	uint64_t id;
};

struct msg_scanned {
	uint64_t id;
	uint32_t verdict; /* enum verdict */
	uint32_t reason;  /* enum reason */
	uint32_t scan_us;
	uint32_t zero;
	uint8_t sha256[MSG_SHA256];
	char name[MSG_NAME_MAX];
};

/*
 * An object that its client is going to fetch, from whichever relay it gets
 * to. The scan role keeps its descriptor for a while.
 */
struct msg_shelve {
	uint64_t id; /* chosen by the relay, repeated in the answer */
	uint64_t size;
	uint32_t verdict; /* enum verdict that let it through */
	uint32_t reason;  /* enum reason */
	struct ip_addr client;
	uint8_t token[MSG_TOKEN];
	uint8_t sha256[MSG_SHA256];
	/* Fields of the origin server's that describe it, each with its CRLF. */
	char fields[MSG_FIELDS];
};

struct msg_shelved {
	uint64_t id;
};

struct msg_shelf_want {
	uint64_t id;
	struct ip_addr client;
	uint8_t token[MSG_TOKEN];
};

/* The addresses of a host are wanted. */
struct msg_resolve {
	uint64_t id; /* chosen by the relay, repeated in the answer */
	char name[MSG_HOST_MAX]; /* as proto/hostname.h writes it */
};

/*
 * @status is 0, and there is at least one address; or there is none, and it is
 * -ENOENT (no such name, or it has no address), -ETIMEDOUT (no server answered
 * in time), -EPROTO (they refused, failed, or answered nonsense), -EAGAIN (too
 * many questions are under way) or -EIO (nobody can be asked: no memory, no
 * resolv.conf).
 */
struct msg_resolved {
	uint64_t id;
	int32_t status;
	uint32_t count;
	/* The best one first (RFC 6724); what lies beyond @count is zero. */
	struct ip_addr addrs[MSG_ADDRS];
};

struct msg_events {
	uint64_t instance; /* of the relay; events are numbered within it */
	uint64_t first;	   /* number of the first event */
	uint32_t count;
	uint32_t zero;
};

struct msg_usage_now {
	uint32_t request;
	uint32_t last;
	uint64_t elapsed_ms; /* since the sums began from nothing */
	uint64_t next;	     /* number of the first record that they become */
};

struct msg_events_stored {
	uint64_t instance;
	uint64_t next; /* all events before this number are on disk */
};

#endif
