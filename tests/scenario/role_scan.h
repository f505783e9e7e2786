/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scan role: finds of each object what the scenario wants it to find, and
 * remembers the object, so that it can be told in the end whether the verdict
 * was obeyed.
 */
#ifndef SLUICE_TESTS_ROLE_SCAN_H
#define SLUICE_TESTS_ROLE_SCAN_H

#include "ipc/vcache.h"
#include "role_shelf.h"
#include "sim_chan.h"

struct scan_object {
	struct list node;
	struct msg_scan asked;
	struct bytes content;
	enum verdict verdict; /* that was told */
};

struct role_scan {
	struct sim_chan *chan; /* NULL: not running */
	bool down;	       /* ... and it won't be for now */
	bool waits;	       /* objects wait for their verdict */
	enum verdict verdict;
	enum reason reason;
	const char *name;
	struct vcache *cache; /* NULL: it remembers no verdict */
	struct list waiting;  /* struct scan_object */
	struct list judged;
	struct role_shelf shelf;
	unsigned int cancelled;
};

void role_scan_init(struct role_scan *scan);
void role_scan_close(struct role_scan *scan);
/* From now on it remembers verdicts where the relay looks for them. */
void role_scan_remember(struct role_scan *scan);
/* Its process ends: what waited there is lost. */
void role_scan_die(struct role_scan *scan);
bool role_scan_turn(struct role_scan *scan);
/* Whether an object that is @content, or begins so, was found clean. */
bool role_scan_found_clean(const struct role_scan *scan, struct str content,
			   bool whole);
/* The same of an object that has @content somewhere, or at its end. */
bool role_scan_found_clean_part(const struct role_scan *scan,
				struct str content, bool at_end);

#endif
