/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between the table in the kernel and the model. */
#ifndef SLUICE_SYS_NFT_DIFF_H
#define SLUICE_SYS_NFT_DIFF_H

struct nft_dump;
struct ruleset;

/* One difference as a line without its end. */
typedef void (*nft_diff_fn)(const char *line, void *arg);

/*
 * Compare sets and their elements, chains, and rules instruction by
 * instruction. Counters, handles and elements that come and go with time are
 * nobody's difference. The number of lines given to @fn, or -ENOMEM.
 */
__attribute__((warn_unused_result)) int nft_diff_dump(const struct nft_dump *d,
						      const struct ruleset *rs,
						      nft_diff_fn fn,
						      void *arg);

#endif
