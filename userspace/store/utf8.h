/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes from the network as UTF-8 (RFC 3629) that can be shown and stored. */
#ifndef SLUICE_STORE_UTF8_H
#define SLUICE_STORE_UTF8_H

#include "base/str.h"

/* Room that utf8_clean() may need for @n bytes. */
#define UTF8_CLEAN_SIZE(n) (3 * (n))

/*
 * @s itself when it is valid UTF-8 without DEL, C1 controls, U+2028 and
 * U+2029; else a copy in @dst in which U+FFFD stands for each of those and for
 * every byte that belongs to no valid sequence. Controls below U+0020 stay.
 */
struct str utf8_clean(struct str s, char *dst);

#endif
