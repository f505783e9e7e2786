/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intrusive circular doubly linked list.
 *
 * A node belongs to at most one list. list_del() leaves the node pointing at
 * itself, so deleting twice is harmless and list_linked() tells the truth.
 */
#ifndef SLUICE_BASE_LIST_H
#define SLUICE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

/* The structure of @type that holds list node @ptr in its field @member. */
#define list_entry(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define list_for_each(pos, head) \
	for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

/* @pos may be deleted (and freed) in the body; its successor may not. */
#define list_for_each_safe(pos, tmp, head)                               \
	for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head); \
	     (pos) = (tmp), (tmp) = (pos)->next)

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Whether @node is on a list; only for nodes that went through list_init(). */
static inline bool list_linked(const struct list *node)
{
	return node->next != node;
}

static inline void list_insert_between(struct list *node, struct list *prev,
				       struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

/* Add @node at the front of @head. */
static inline void list_add(struct list *head, struct list *node)
{
	list_insert_between(node, head, head->next);
}

/* Add @node at the end of @head. */
static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert_between(node, head->prev, head);
}

static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move everything on @from to the end of @to; @from is left empty. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/* Take the first node off @head, or NULL when it is empty. */
static inline struct list *list_pop(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	/* Spelled out: through list_del() a static analyser loses the head. */
	head->next = node->next;
	node->next->prev = head;
	list_init(node);
	return node;
}

#endif
