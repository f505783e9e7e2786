/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going to the background. The process that was started stays until the
 * daemon's start has succeeded or failed and ends with that as its exit
 * status: whoever started it never has to guess.
 */
#ifndef SLUICE_ROLES_DETACH_H
#define SLUICE_ROLES_DETACH_H

struct detach {
	int tell_fd; /* -1: nobody waits */
};

/*
 * Go on as a new process in a session of its own; the one that called waits
 * and does not return. Errors still go to its terminal. 0 or -errno.
 */
int detach_begin(struct detach *d) __attribute__((warn_unused_result));
/* The start has succeeded: leave the terminal, let the one that waits go. */
void detach_finish(struct detach *d);

#endif
