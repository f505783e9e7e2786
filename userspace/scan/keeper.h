/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper of a generation: a child of the dispatcher that loads the engine
 * once, tries it out, and then forks workers, which share the memory of what
 * was loaded. It reaps them and removes what they leave behind.
 *
 * Lifetime: forked by the dispatcher, ends when the dispatcher closes its
 * channel or dies. Its workers die with it.
 */
#ifndef SLUICE_SCAN_KEEPER_H
#define SLUICE_SCAN_KEEPER_H

#include "scan/dirs.h"
#include "scan/engine.h"

struct keeper_kit {
	const struct config_scan *scan;
	const struct dirs *dirs;
};

/* Its life, on WIRE_FD; never comes back. */
_Noreturn void keeper_run(const struct keeper_kit *kit);

#endif
