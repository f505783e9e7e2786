/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nDPI's protocols as our applications. By nDPI's names, not its numbers:
 * numbers were given anew between versions, names rarely. What a newer version
 * calls differently or has added falls to its category's "other-" application
 * until the table here knows it, so an upgrade renames nothing.
 */
#ifndef SLUICE_APPCTL_NDPI_MAP_H
#define SLUICE_APPCTL_NDPI_MAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The application of nDPI's protocol @name in its @category, both as nDPI
 * writes them; case, '_', '-' and the like don't count. APP_UNKNOWN when
 * neither means anything. Not for each packet: look them up once.
 */
uint16_t ndpi_map_app(const char *name, const char *category);
/* Whether @name itself is in the table. */
bool ndpi_map_knows(const char *name);

/*
 * Of a flow whose protocol is @master and in which nDPI saw @app (both ours,
 * APP_NONE where nDPI has none): what it is called. A question to DNS for a
 * site is no traffic of that site; a TLS connection to it is.
 */
uint16_t ndpi_map_pair(uint16_t master, uint16_t app);

#endif
