/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with the run at hand. The first problem counts, the others
 * mostly follow from it. It can come up anywhere below a system call, where
 * nobody could pass it on.
 */
#ifndef SLUICE_TESTS_PROBLEM_H
#define SLUICE_TESTS_PROBLEM_H

#include <stdbool.h>

#define PROBLEM_MAX 1000

void problem_clear(void);
/* In front of the text: "get.scn:12: " or nothing. */
void problem_at(const char *file, unsigned int line);
__attribute__((format(printf, 1, 2))) void problem(const char *format, ...);
/* NULL when there is none. */
const char *problem_text(void);

#endif
