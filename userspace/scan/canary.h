/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a newly loaded engine can be trusted with traffic. */
#ifndef SLUICE_SCAN_CANARY_H
#define SLUICE_SCAN_CANARY_H

#include <stdbool.h>

#include "scan/engine.h"

struct canary {
	bool finds_eicar;
	bool reports_limits; /* a limit that is hit is not called clean */
};

/* 0, or -EBADMSG with @wrong: it condemns what is harmless. */
int canary_run(const struct engine_ops *ops, struct engine *e,
	       struct canary *out, char wrong[ENGINE_TEXT_MAX])
	__attribute__((warn_unused_result));

#endif
