/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protocols that are told by a few bytes, on any port: those that nDPI 4.2
 * looks for on their usual ports only (DNS), late (FTP) or not at all
 * (BitTorrent within uTP). Each is strict enough to be believed.
 */
#ifndef SLUICE_PROTO_SNIFF_H
#define SLUICE_PROTO_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define SNIFF_DNS_NAME_MAX 254 /* a name as text, its NUL too */

/*
 * A DNS message (RFC 1035 4.1) with one question, a query or an answer. @name
 * gets the question's name, lower case, "" for the root.
 */
bool sniff_dns(struct str datagram, char name[SNIFF_DNS_NAME_MAX]);
/* The same over TCP (4.2.2): one whole message with its length before it. */
bool sniff_dns_tcp(struct str segment, char name[SNIFF_DNS_NAME_MAX]);

/* The BitTorrent handshake (BEP 3) in a data packet of uTP (BEP 29). */
bool sniff_bittorrent_utp(struct str datagram);

/*
 * An FTP control connection (RFC 959 4), line by line: greeting, USER or AUTH
 * (RFC 4217), and an answer to it. Begin with a zeroed structure.
 */
struct sniff_ftp {
	uint8_t stage;
	uint8_t server; /* the end that greeted */
};
/* True once it is certain. @end: who sent @segment, 0 or 1. */
bool sniff_ftp(struct sniff_ftp *s, unsigned int end, struct str segment);

#endif
