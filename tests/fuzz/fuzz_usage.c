// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of usage as an app role that was taken over might send them: what is
 * possible becomes one line of JSON that reads back as it was. And lines as
 * somebody might have changed them on the disk: never read past their end, and
 * what is taken can be printed as it is.
 */
#include "fuzz.h"

#include <json-c/json.h>

#include "ipc/usage.h"
#include "store/event_json.h"
#include "store/usage_json.h"

static bool is(struct str s, const char *text)
{
	return str_eq(s, str_of(text));
}

static void check_record(const struct usage *u)
{
	char line[USAGE_JSON_MAX + 1], client[IP_TEXT_MAX];
	struct usage_line read = {0};
	struct json_object *o;
	size_t n = usage_json_write(u, 5, 6, line, USAGE_JSON_MAX);

	FUZZ_CHECK(n > 0 && line[n - 1] == '\n');
	FUZZ_CHECK(usage_json_read((struct str){line, n - 1}, &read));
	FUZZ_CHECK(read.time_s == u->time_s && read.bytes == u->bytes);
	FUZZ_CHECK(read.packets == u->packets && read.flows == u->flows);
	FUZZ_CHECK(read.direction == (enum usage_direction)u->direction);
	FUZZ_CHECK(is(read.id, "5-6") && is(read.app, usage_app_text(u->app)));
	FUZZ_CHECK(is(read.client, usage_client_text(u, client)));
	line[n - 1] = '\0';
	o = json_tokener_parse(line);
	FUZZ_CHECK(json_object_is_type(o, json_type_object));
	json_object_put(o);
}

static void check_word(struct str word)
{
	FUZZ_CHECK(word.len > 0 && word.len <= USAGE_WORD_MAX);
	for (size_t i = 0; i < word.len; i++)
		FUZZ_CHECK(word.p[i] > ' ' && word.p[i] < 0x7f &&
			   word.p[i] != '"' && word.p[i] != '\\');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = fuzz_copy(data, len);
	struct usage_line line = {0};
	struct usage u;

	if (len >= sizeof(u)) {
		memcpy(&u, copy, sizeof(u));
		/* Else hardly any time would be a span's begin. */
		u.time_s -= u.time_s % USAGE_SPAN_S;
		if (usage_valid(&u))
			check_record(&u);
	}
	if (len > 0 && copy[len - 1] == '\n') /* seeds are text files */
		len--;
	if (usage_json_read((struct str){(char *)copy, len}, &line)) {
		check_word(line.id);
		check_word(line.app);
		check_word(line.group);
		check_word(line.client);
		FUZZ_CHECK(line.direction < USAGE_DIRECTIONS);
	}
	free(copy);
	return 0;
}
