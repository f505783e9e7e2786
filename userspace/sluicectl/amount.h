/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Amounts for people: rounded, with a unit. */
#ifndef SLUICE_SLUICECTL_AMOUNT_H
#define SLUICE_SLUICECTL_AMOUNT_H

#include <stddef.h>
#include <stdint.h>

#define AMOUNT_TEXT 32

/* All return @dst, of AMOUNT_TEXT bytes. "1.5 GiB" */
const char *amount_bytes(char *dst, uint64_t n);
/* "3 d 4 h" */
const char *amount_duration(char *dst, uint64_t s);
/* "12.3 Mbit/s": of @bytes in a second, in powers of 1000 as links are sold. */
const char *amount_rate(char *dst, double bytes);
/* A bar of at most @width '#', which stand for @whole; @dst of @width + 1. */
const char *amount_bar(char *dst, unsigned int width, uint64_t n,
		       uint64_t whole);

#endif
