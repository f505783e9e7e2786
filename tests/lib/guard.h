/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that ends flush against a page nobody may touch: a parser that reads
 * one byte too far dies here instead of passing by luck.
 */
#ifndef SLUICE_TESTS_GUARD_H
#define SLUICE_TESTS_GUARD_H

#include <stddef.h>
#include <stdint.h>

/* A copy of @len bytes whose end touches the guard page; never NULL. */
uint8_t *guard_copy(const void *data, size_t len);
/* Give back what guard_copy(data, @len) returned. */
void guard_free(uint8_t *copy, size_t len);

#endif
