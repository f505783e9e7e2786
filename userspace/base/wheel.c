// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/wheel.h"

#define SLOT_BITS 6
#define SLOT_MASK (WHEEL_SLOTS - 1)
#define HORIZON	  (1ULL << (SLOT_BITS * WHEEL_LEVELS))

void wheel_init(struct wheel *w, uint64_t now_ms)
{
	w->tick = now_ms / WHEEL_TICK_MS;
	w->armed = 0;
	for (int level = 0; level < WHEEL_LEVELS; level++)
		for (int slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&w->slots[level][slot]);
}

void timer_init(struct timer *t, timer_fn fn)
{
	list_init(&t->node);
	t->due_tick = 0;
	t->fn = fn;
}

/*
 * A timer lies on the lowest level whose span still reaches it; the slot is
 * the due tick's digit at that level. One beyond the horizon waits in the
 * farthest slot and is placed anew when the wheel gets there.
 */
static void wheel_place(struct wheel *w, struct timer *t)
{
	uint64_t distance = t->due_tick - w->tick;
	uint64_t tick = t->due_tick;
	int level = 0;

	if (distance >= HORIZON)
		tick = w->tick + HORIZON - 1;
	while (level < WHEEL_LEVELS - 1 &&
	       distance >= 1ULL << (SLOT_BITS * (level + 1)))
		level++;
	list_add_tail(&w->slots[level][tick >> (SLOT_BITS * level) & SLOT_MASK],
		      &t->node);
}

void timer_arm(struct wheel *w, struct timer *t, uint64_t at_ms)
{
	/* Rounded up; adding first would wrap at the end of time. */
	uint64_t due = at_ms / WHEEL_TICK_MS + (at_ms % WHEEL_TICK_MS != 0);

	timer_cancel(w, t);
	if (due <= w->tick)
		due = w->tick + 1;
	t->due_tick = due;
	wheel_place(w, t);
	w->armed++;
}

void timer_cancel(struct wheel *w, struct timer *t)
{
	if (!timer_armed(t))
		return;
	list_del(&t->node);
	w->armed--;
}

/* The wheel turned past a whole level: spread the next slot of the one above. */
static void wheel_cascade(struct wheel *w)
{
	for (int level = 1; level < WHEEL_LEVELS; level++) {
		uint64_t digit = w->tick >> (SLOT_BITS * level) & SLOT_MASK;
		struct list moving = LIST_INIT(moving);
		struct list *node;

		list_splice_tail(&moving, &w->slots[level][digit]);
		while ((node = list_pop(&moving)) != NULL)
			wheel_place(w, list_entry(node, struct timer, node));
		if (digit != 0)
			break;
	}
}

static unsigned int fire_slot(struct wheel *w, uint64_t now_ms)
{
	struct list due = LIST_INIT(due);
	unsigned int fired = 0;
	struct list *node;

	/* What a callback arms is due at the next tick or later, so this ends. */
	list_splice_tail(&due, &w->slots[0][w->tick & SLOT_MASK]);
	while ((node = list_pop(&due)) != NULL) {
		struct timer *t = list_entry(node, struct timer, node);

		w->armed--;
		fired++;
		t->fn(t, now_ms);
	}
	return fired;
}

unsigned int wheel_advance(struct wheel *w, uint64_t now_ms)
{
	uint64_t target = now_ms / WHEEL_TICK_MS;
	unsigned int fired = 0;

	if (w->armed == 0 && target > w->tick)
		w->tick = target;
	while (w->tick < target) {
		w->tick++;
		if ((w->tick & SLOT_MASK) == 0)
			wheel_cascade(w);
		fired += fire_slot(w, now_ms);
	}
	return fired;
}

/* Ticks until the next non-empty slot of level 0 or the next cascade. */
static uint64_t ticks_to_next(const struct wheel *w)
{
	for (uint64_t n = 1; n < WHEEL_SLOTS; n++) {
		uint64_t tick = w->tick + n;

		if (!list_empty(&w->slots[0][tick & SLOT_MASK]) ||
		    (tick & SLOT_MASK) == 0)
			return n;
	}
	return WHEEL_SLOTS;
}

uint64_t wheel_wait_ms(const struct wheel *w, uint64_t now_ms, uint64_t max_ms)
{
	uint64_t at;

	if (w->armed == 0)
		return max_ms;
	at = (w->tick + ticks_to_next(w)) * WHEEL_TICK_MS;
	if (at <= now_ms)
		return 0;
	return at - now_ms < max_ms ? at - now_ms : max_ms;
}
