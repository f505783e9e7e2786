/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole object to one verdict: content codings undone, form data taken
 * apart, every piece shown to the engine. What can't be taken apart is scanned
 * as it is, and if nothing is found, it is not called clean.
 */
#ifndef SLUICE_SCAN_EXAMINE_H
#define SLUICE_SCAN_EXAMINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "scan/decode.h"
#include "scan/engine.h"
#include "scan/finding.h"

struct examiner {
	const struct engine_ops *ops;
	struct engine *engine;
	struct config_scan limits;
	struct decoder decoder;
	struct spool part; /* a form part without its transfer encoding */
};

struct object {
	const uint8_t *data;
	size_t size;
	int fd; /* holds these bytes, or -1 */
	struct coding_list codings;
	struct str boundary; /* not empty: form data */
	uint64_t deadline_ms;
};

/* @dir: for what is too large for memory; outlives the examiner. */
void examiner_init(struct examiner *ex, const struct engine_ops *ops,
		   struct engine *engine, const struct config_scan *limits,
		   const char *dir);
void examiner_close(struct examiner *ex);

void examine_object(struct examiner *ex, const struct object *object,
		    struct finding *out);

#endif
