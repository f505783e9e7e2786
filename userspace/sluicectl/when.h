/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as people give them on the command line. */
#ifndef SLUICE_SLUICECTL_WHEN_H
#define SLUICE_SLUICECTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * RFC 3339, or a duration before @now_us ("2h"), as microseconds since 1970.
 * False for anything else.
 */
bool when_parse(const char *text, uint64_t now_us, uint64_t *us);
/* Midnight, by the local clock, before @s; @days later or (negative) earlier. */
uint64_t when_midnight(uint64_t s, int days);

#endif
