/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host names as a client writes them (RFC 952, RFC 1123 2.1), before anybody
 * is asked for their addresses. Pure.
 */
#ifndef SLUICE_PROTO_HOSTNAME_H
#define SLUICE_PROTO_HOSTNAME_H

#include <stdbool.h>

#include "base/str.h"

/*
 * Longest text with its NUL: 255 octets in a DNS message (RFC 1035 2.3.4) are
 * 253 characters without the dot of the root.
 */
#define HOSTNAME_SIZE 254

/*
 * Labels of 1 to 63 letters, digits, hyphens (neither first nor last) and
 * underscores (no host name's by RFC 1123, but in use), divided by dots; one
 * dot at the end is the root's. IDNA's A-labels ("xn--...", RFC 5890) are
 * letters as they are; other alphabets are the client's to encode. No text
 * whose last label could be a number is a name, decimal or "0x..": to many
 * programs it is an address, written in one of inet_aton(3)'s ways.
 *
 * @dst gets it in lower case, without the dot of the root. False, and "" in
 * @dst, when it is no such name.
 */
bool hostname_parse(struct str text, char dst[HOSTNAME_SIZE]);

/* Whether @text is just what hostname_parse() makes of it. */
bool hostname_is_plain(struct str text);

#endif
