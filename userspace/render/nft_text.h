/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruleset as text. Pure. */
#ifndef SLUICE_RENDER_NFT_TEXT_H
#define SLUICE_RENDER_NFT_TEXT_H

struct ruleset;
struct strbuf;

/* Enough for every element of every set. */
#define NFT_TEXT_MAX (512U << 10)

/*
 * Before a rule that nft can't write: made for a kernel with the NFQUEUE target
 * alone (QUEUE_TARGET), it is a comment, so that `nft -f` reads the rest. What
 * follows is the line that `nft list` shows for it.
 */
#define NFT_TEXT_TARGET "# by x_tables, which nft -f can't: "

/*
 * @rs as `nft list table inet sluice` of nft 1.0.6 prints it right after
 * nft_install() with the switch off: counters at zero, sets of run-time
 * elements empty. `nft -f` reads it.
 */
void nft_text_ruleset(struct strbuf *sb, const struct ruleset *rs);

#endif
