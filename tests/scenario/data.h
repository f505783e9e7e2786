/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FTP as the far ends of a control connection read it: what they were told of
 * data connections, and what was asked for last. Nothing of the relay's parsers
 * is used, so that a mistake of theirs shows. Pure.
 */
#ifndef SLUICE_TESTS_DATA_H
#define SLUICE_TESTS_DATA_H

#include "peer.h"

/* Where in what came over a control connection somebody reads. */
struct announcements {
	const struct peer *peer;
	struct str rest;
	unsigned int open; /* code of the reply whose lines these are; or 0 */
};

struct announcements announcements_of(const struct peer *control);
/*
 * The next address that its peer was told to connect to: a client by 227 or
 * 229, a server by PORT or EPRT; "none" when the words make no sense. False when
 * there is none left.
 */
bool announcements_next(struct announcements *a, struct ip_endpoint *ep);

/* Whether a listing was what the server was asked for last. */
bool data_is_listing(const struct peer *server);

/* "192.0.2.7:1025", "[2001:db8::7]:1025", and the same without a port: 0. */
bool data_endpoint(struct str word, struct ip_endpoint *ep);

#endif
