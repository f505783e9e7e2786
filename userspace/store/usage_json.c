// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/usage_json.h"

#include <inttypes.h>
#include <string.h>

#include "ipc/event.h"
#include "store/event_time.h"

#define US_A_SECOND 1000000ULL
#define TIME_LEN    (USAGE_TIME_TEXT - 1)

size_t usage_json_write(const struct usage *u, uint64_t instance,
			uint64_t number, char *dst, size_t size)
{
	char time[USAGE_TIME_TEXT], id[EVENT_ID_MAX], client[IP_TEXT_MAX];
	struct strbuf sb;

	event_format_id(id, sizeof(id), instance, number);
	strbuf_init(&sb, dst, size);
	strbuf_printf(&sb,
		      "{\"time\":\"%s\",\"id\":\"%s\",\"span\":%d,"
		      "\"app\":\"%s\",\"group\":\"%s\",\"client\":\"%s\","
		      "\"direction\":\"%s\",\"bytes\":%" PRIu64
		      ",\"packets\":%" PRIu64 ",\"flows\":%" PRIu64 "}\n",
		      usage_time_text(u->time_s, time), id, USAGE_SPAN_S,
		      usage_app_text(u->app), usage_group_text(u->app),
		      usage_client_text(u, client),
		      usage_direction_text(u->direction), u->bytes, u->packets,
		      u->flows);
	return sb.cut ? 0 : sb.len;
}

/* --- reading ------------------------------------------------------------------ */

/* @text off the start of @s. */
static bool take(struct str *s, struct str text)
{
	if (!str_starts(*s, text))
		return false;
	s->p += text.len;
	s->len -= text.len;
	return true;
}

/* A text up to its quote; ours need no escapes and have no controls. */
static bool take_word(struct str *s, struct str *word)
{
	size_t n = 0;

	while (n < s->len && s->p[n] > ' ' && s->p[n] < 0x7f &&
	       s->p[n] != '"' && s->p[n] != '\\')
		n++;
	if (n == 0 || n > USAGE_WORD_MAX || n == s->len || s->p[n] != '"')
		return false;
	*word = (struct str){s->p, n};
	s->p += n + 1;
	s->len -= n + 1;
	return true;
}

static bool take_number(struct str *s, uint64_t *value)
{
	size_t n = 0;

	while (n < s->len && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (!str_to_u64((struct str){s->p, n}, value))
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

static bool take_time(struct str *s, struct usage_line *u)
{
	struct str text;
	uint64_t us;

	if (!take_word(s, &text) || text.len != TIME_LEN)
		return false;
	if (memcmp(text.p, u->time_text, TIME_LEN) == 0)
		return true;
	if (!event_time_parse(text, &us))
		return false;
	memcpy(u->time_text, text.p, TIME_LEN);
	u->time_s = us / US_A_SECOND;
	return true;
}

static bool take_direction(struct str *s, enum usage_direction *direction)
{
	if (take(s, STR("up\""))) {
		*direction = USAGE_UP;
		return true;
	}
	*direction = USAGE_DOWN;
	return take(s, STR("down\""));
}

bool usage_json_read(struct str line, struct usage_line *u)
{
	return take(&line, STR("{\"time\":\"")) && take_time(&line, u) &&
	       take(&line, STR(",\"id\":\"")) && take_word(&line, &u->id) &&
	       take(&line, STR(",\"span\":")) &&
	       take_number(&line, &u->span_s) &&
	       take(&line, STR(",\"app\":\"")) && take_word(&line, &u->app) &&
	       take(&line, STR(",\"group\":\"")) &&
	       take_word(&line, &u->group) &&
	       take(&line, STR(",\"client\":\"")) &&
	       take_word(&line, &u->client) &&
	       take(&line, STR(",\"direction\":\"")) &&
	       take_direction(&line, &u->direction) &&
	       take(&line, STR(",\"bytes\":")) &&
	       take_number(&line, &u->bytes) &&
	       take(&line, STR(",\"packets\":")) &&
	       take_number(&line, &u->packets) &&
	       take(&line, STR(",\"flows\":")) &&
	       take_number(&line, &u->flows) && line.len > 0 &&
	       line.p[line.len - 1] == '}' &&
	       (line.len == 1 || line.p[0] == ',');
}
