// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/list.h"

struct item {
	int value;
	struct list node; /* not at offset 0 */
	void *behind;
};

static struct item items[4] = {
	{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};

/* The values from front to back as one number, and the way back agrees. */
static int as_number(const struct list *head)
{
	const struct list *pos;
	int forward = 0;
	int backward = 0;
	int place = 1;

	list_for_each(pos, head)
		forward = forward * 10 +
			  list_entry(pos, struct item, node)->value;
	for (pos = head->prev; pos != head; pos = pos->prev) {
		backward += place * list_entry(pos, struct item, node)->value;
		place *= 10;
	}
	assert_int_equal(forward, backward);
	return forward;
}

static void order(void **state)
{
	struct list head = LIST_INIT(head);

	(void)state;
	assert_true(list_empty(&head));
	assert_int_equal(as_number(&head), 0);
	list_add_tail(&head, &items[0].node);
	list_add_tail(&head, &items[1].node);
	list_add(&head, &items[2].node);
	assert_int_equal(as_number(&head), 312);
	assert_false(list_empty(&head));
	list_del(&items[0].node);
	assert_int_equal(as_number(&head), 32);
	assert_ptr_equal(list_pop(&head), &items[2].node);
	assert_ptr_equal(list_pop(&head), &items[1].node);
	assert_null(list_pop(&head));
	assert_true(list_empty(&head));
}

static void deleting_twice(void **state)
{
	struct list head = LIST_INIT(head);

	(void)state;
	list_init(&items[0].node);
	assert_false(list_linked(&items[0].node));
	list_add(&head, &items[0].node);
	list_add(&head, &items[1].node);
	assert_true(list_linked(&items[0].node));
	list_del(&items[0].node);
	list_del(&items[0].node);
	assert_false(list_linked(&items[0].node));
	assert_int_equal(as_number(&head), 2);
	list_del(&items[1].node);
}

static void deleting_on_the_way(void **state)
{
	struct list head = LIST_INIT(head);
	struct list *pos;
	struct list *tmp;
	int seen = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		list_add_tail(&head, &items[i].node);
	list_for_each_safe(pos, tmp, &head) {
		seen++;
		if (list_entry(pos, struct item, node)->value % 2 == 0)
			list_del(pos);
	}
	assert_int_equal(seen, 4);
	assert_int_equal(as_number(&head), 13);
	list_for_each_safe(pos, tmp, &head)
		list_del(pos);
	assert_true(list_empty(&head));
}

static void splicing(void **state)
{
	struct list a = LIST_INIT(a);
	struct list b = LIST_INIT(b);

	(void)state;
	list_splice_tail(&a, &b);
	assert_true(list_empty(&a));
	list_add_tail(&b, &items[0].node);
	list_add_tail(&b, &items[1].node);
	list_splice_tail(&a, &b);
	assert_int_equal(as_number(&a), 12);
	assert_true(list_empty(&b));
	list_add_tail(&b, &items[2].node);
	list_splice_tail(&a, &b);
	assert_int_equal(as_number(&a), 123);
	list_splice_tail(&a, &b);
	assert_int_equal(as_number(&a), 123);
	while (list_pop(&a) != NULL)
		;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(deleting_twice),
		cmocka_unit_test(deleting_on_the_way),
		cmocka_unit_test(splicing),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
