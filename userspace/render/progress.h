/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is appended to the progress page (config/pages/progress.html) while it
 * stays open: HTML goes on as long as its connection does, and a later rule of
 * a style sheet takes the place of an earlier one, so the page moves without a
 * script. Where scripts run, the title moves with it.
 */
#ifndef SLUICE_RENDER_PROGRESS_H
#define SLUICE_RENDER_PROGRESS_H

#include <stdint.h>

#include "base/str.h"

/* Any of the pieces fits in it. */
#define PROGRESS_PIECE_MAX 4096

/* Behind the page, once. */
void progress_start(struct strbuf *sb);
/* @received of @total bytes are here; all of them: they are being scanned. */
void progress_state(struct strbuf *sb, uint64_t received, uint64_t total);
/*
 * The end: @sentence, and the object waits under @path (URL characters only),
 * which a browser fetches by itself, too.
 */
void progress_offer(struct strbuf *sb, const char *sentence, const char *path);
/* The end: @title, @sentence and the @event that tells more; plain text. */
void progress_refuse(struct strbuf *sb, const char *title, const char *sentence,
		     const char *event);

#endif
