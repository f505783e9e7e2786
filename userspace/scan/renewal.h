/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the dispatcher loads a new generation of the engine, what happens when
 * that fails, and what a person is told about it.
 */
#ifndef SLUICE_SCAN_RENEWAL_H
#define SLUICE_SCAN_RENEWAL_H

struct dispatcher;

void renewal_init(struct dispatcher *d);
/* Begin to load and to watch. */
void renewal_start(struct dispatcher *d);
/* role->config was replaced: @old are the scan options before. */
void renewal_reload(struct dispatcher *d);
/* End all generations and wait for their processes. */
void renewal_close(struct dispatcher *d);

#endif
