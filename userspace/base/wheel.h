/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hierarchical timer wheel (Varghese and Lauck, 1987): arming and disarming
 * cost O(1) whatever the number of timers, which is what ten thousand idle
 * sessions need. Time is milliseconds of a clock that never goes back, and is
 * always an argument.
 *
 * A timer fires no earlier than asked and at most one tick (WHEEL_TICK_MS)
 * later, plus however late wheel_advance() is called.
 */
#ifndef SLUICE_BASE_WHEEL_H
#define SLUICE_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define WHEEL_TICK_MS 8
#define WHEEL_LEVELS  4
#define WHEEL_SLOTS \
	64 /* a level; timers over 64^4 ticks away are placed anew */

struct timer;
typedef void (*timer_fn)(struct timer *t, uint64_t now_ms);

/*
 * Lifetime: owned by the structure it is part of. Armed timers are linked into
 * the wheel, so the owner calls timer_cancel() before it goes. A callback may
 * arm, cancel and free any timer, its own included.
 */
struct timer {
	struct list node;
	uint64_t due_tick;
	timer_fn fn;
};

struct wheel {
	uint64_t tick; /* all timers due at or before it have fired */
	uint64_t armed;
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now_ms);
/* Fire all that is due. Returns how many fired. */
unsigned int wheel_advance(struct wheel *w, uint64_t now_ms);
/*
 * Milliseconds from @now_ms until wheel_advance() should be called next, at
 * most @max_ms; it may be early (a cascade), never late by more than a tick.
 */
uint64_t wheel_wait_ms(const struct wheel *w, uint64_t now_ms, uint64_t max_ms);

void timer_init(struct timer *t, timer_fn fn);
/*
 * (Re-)arm @t for @at_ms. The past means the tick after the one that the wheel
 * is at, so a callback that keeps doing it does not stop wheel_advance().
 */
void timer_arm(struct wheel *w, struct timer *t, uint64_t at_ms);
void timer_cancel(struct wheel *w, struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
	return list_linked(&t->node);
}

#endif
