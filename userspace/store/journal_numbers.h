/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events the journal has, by the instance that sent them (journal.h). */
#ifndef SLUICE_STORE_JOURNAL_NUMBERS_H
#define SLUICE_STORE_JOURNAL_NUMBERS_H

#include <stdint.h>

struct journal;
struct journal_source;

/* The entry of @instance, made if it is new; never NULL. */
struct journal_source *journal_numbers_source(struct journal *j,
					      uint64_t instance);
/* From the file "numbers" and the journal's last JOURNAL_TAIL bytes. */
int journal_numbers_recover(struct journal *j)
	__attribute__((warn_unused_result));
/* To the file "numbers", in one step; only when all is stored. 0 or -errno. */
int journal_numbers_save(const struct journal *j)
	__attribute__((warn_unused_result));

#endif
