// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/request.h"

#include <json-c/json.h>
#include <stdbool.h>

struct json_object *request_parse(const char *line, size_t len,
				  const char **wrong)
{
	struct json_tokener *parser = json_tokener_new_ex(REQUEST_DEPTH);
	struct json_object *o = NULL;
	bool whole = false;

	*wrong = "the request is not a JSON object";
	if (parser == NULL)
		return NULL;
	/* Strict: neither comments nor text behind the object. */
	json_tokener_set_flags(parser, JSON_TOKENER_STRICT |
					       JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(parser, line, (int)len);
	whole = json_tokener_get_error(parser) == json_tokener_success &&
		json_tokener_get_parse_end(parser) == len;
	json_tokener_free(parser);
	if (whole && json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	return NULL;
}

const char *request_text(struct json_object *request, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(request, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}
