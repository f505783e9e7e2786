/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an engine says about some bytes, as one of three verdicts. ClamAV
 * reports a limit that was hit or an encrypted archive as a detection with a
 * name of its own; here such names become "not scanned" with the reason.
 */
#ifndef SLUICE_SCAN_FINDING_H
#define SLUICE_SCAN_FINDING_H

#include "ipc/msg.h"
#include "policy/verdict.h"

struct finding {
	enum verdict verdict; /* clean, blocked or not scanned */
	enum reason reason;
	/* Signature, or what the engine calls the limit; printable ASCII. */
	char name[MSG_NAME_MAX];
};

void finding_clean(struct finding *f);
void finding_not_scanned(struct finding *f, enum reason reason);
/* The verdict that detection @name amounts to; long names are cut. */
void finding_of_name(struct finding *f, const char *name);
/* Add what was found in another part: blocked, then not scanned, then clean. */
void finding_merge(struct finding *all, const struct finding *f);
/* Whether it may go into the verdict cache: it follows from the bytes alone. */
bool finding_lasting(const struct finding *f);
/* Values from another process: a verdict of a scan with a reason of its kind. */
bool finding_valid(uint32_t verdict, uint32_t reason,
		   const char name[MSG_NAME_MAX]);

#endif
