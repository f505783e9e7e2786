/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of one value, checked against its row in conf/keys.c and stored. */
#ifndef SLUICE_CONF_VALUE_H
#define SLUICE_CONF_VALUE_H

#include <stdbool.h>

#include "base/str.h"
#include "conf/config.h"
#include "conf/keys.h"

enum value_result {
	VALUE_OK,
	VALUE_BAD,   /* not what value_allowed() says */
	VALUE_LATER, /* a word that only a later version knows */
	/* lists */
	VALUE_FULL,
	VALUE_TWICE,
	VALUE_OVERLAPS, /* a network in another, or around it */
};

/* Whether @key is a list, whose elements come one by one. */
bool value_is_list(const struct config_key *key);
/* How many elements a list holds. */
size_t value_list_max(const struct config_key *key);

/*
 * Store @text where @key says in @base: a struct config_service for keys of
 * that section, a struct config for all others. An element is added to the
 * end of its list. On a failure @base is as before.
 */
enum value_result value_set(const struct config_key *key, const char *text,
			    void *base);
/* Empty the list @key in @base. */
void value_clear(const struct config_key *key, void *base);

/* What may be written, after "want ": "a number from 1 to 64, or 0 (off)". */
void value_allowed(const struct config_key *key, struct strbuf *sb);

/* Every key at its default, no service, everything else zero. */
void config_set_defaults(struct config *c);
/* A service of this name with every key at its default. */
void config_set_service_defaults(struct config_service *s, const char *name);
/* The port of a service that names none. */
uint16_t config_service_port(enum config_protocol protocol);

#endif
