// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events as a relay that was taken over might pack them: what is taken packs
 * to the same bytes again, and becomes one line of JSON with its own id.
 */
#include "fuzz.h"

#include <json-c/json.h>

#include "ipc/event.h"
#include "store/event_json.h"

static void check_line(const struct event *ev)
{
	static char line[EVENT_JSON_MAX + 1];
	uint64_t instance, number;
	struct json_object *o, *id;
	size_t n = event_json_write(ev, 5, 6, line, EVENT_JSON_MAX);

	FUZZ_CHECK(n > 0 && line[n - 1] == '\n');
	FUZZ_CHECK(memchr(line, '\n', n - 1) == NULL);
	line[n] = '\0';
	o = json_tokener_parse(line);
	FUZZ_CHECK(json_object_object_get_ex(o, "id", &id));
	FUZZ_CHECK(
		event_json_id(json_object_get_string(id), &instance, &number));
	FUZZ_CHECK(instance == 5 && number == 6);
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t again[EVENT_PACKED_MAX];
	uint8_t *copy = fuzz_copy(data, len);
	struct event ev;
	size_t at = 0, n;

	while ((n = event_unpack(copy + at, len - at, &ev)) > 0) {
		FUZZ_CHECK(n <= len - at);
		FUZZ_CHECK(event_pack(&ev, again, sizeof(again)) == n);
		FUZZ_CHECK(memcmp(again, copy + at, n) == 0);
		check_line(&ev);
		at += n;
	}
	free(copy);
	return 0;
}
