/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of keys: what sluice.conf may say. The loader, the error messages,
 * the defaults and the test of sluice.conf(5) all come from it, so a new key is
 * a field in struct config, a row here and an entry in the manual page.
 */
#ifndef SLUICE_CONF_KEYS_H
#define SLUICE_CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_KEYS_MAX	       80
#define CONFIG_SECTIONS_MAX    9
/* The section whose keys are fields of struct config_service. */
#define CONFIG_SERVICE_SECTION "service"

enum key_type {
	KEY_BOOL,
	KEY_NUMBER,
	KEY_SIZE,
	KEY_DURATION,
	KEY_WORD,
	KEY_PATH,
	KEY_USER,
	/* lists */
	KEY_IFACES,
	KEY_PORT_LIST,
	KEY_NETS,
	KEY_TYPES
};

/* A word with this value is known, but not to this version. */
#define CONFIG_LATER UINT32_MAX

struct config_word {
	const char *name; /* NULL ends the table */
	uint32_t value;
};

struct config_key {
	const char *section; /* "" is the top level */
	const char *name;
	enum key_type type;
	bool live;	    /* a reload changes it; else a restart */
	const char *preset; /* default as in the file; a list without braces */
	uint64_t min, max;  /* numbers; of a path, @max is its length */
	const char *zero;   /* what a 0 outside @min..@max means, or NULL */
	const struct config_word *words;
	const char *meaning; /* one sentence */
	/* Where it goes in struct config, or in struct config_service. */
	size_t offset;
	size_t size;  /* of a list, all its elements */
	size_t count; /* of a list, the offset of its uint32_t length */
};

struct config_section {
	const char *name;
	bool named; /* NAME in quotes follows; may be there several times */
};

/* By enum config_protocol, those of a later version behind them. */
extern const struct config_word config_protocol_words[];
extern const struct config_key config_keys[];
extern const size_t config_key_count;
/* Without the top level. */
extern const struct config_section config_sections[];
extern const size_t config_section_count;

/* NULL when there is none. */
const struct config_key *config_key_find(const char *section, const char *name);
bool config_is_section(const char *name);
/* Index into config_keys. */
size_t config_key_index(const struct config_key *key);

#endif
