// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy.conf. One that is taken keeps what the manual promises, and says what
 * happens to every application; one that is refused says why, in printable
 * lines, and leaves what was there; the same text gives the same answer again.
 */
#include "conf/load.h"
#include "conf/policy.h"
#include "fuzz.h"
#include "policy/app.h"

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static void check_errors(const struct config_errors *errs)
{
	FUZZ_CHECK(errs->count > 0 && errs->count <= CONFIG_ERRORS);
	for (unsigned int i = 0; i < errs->count; i++) {
		FUZZ_CHECK(is_printable(errs->list[i].text));
		FUZZ_CHECK(strncmp(errs->list[i].text, "p.conf:", 7) == 0);
	}
}

static void check_rule(const struct app_policy *p, const struct app_rule *r)
{
	bool metered = r->action == APP_LIMIT || r->action == APP_QUOTA;
	bool rated = r->action == APP_LIMIT ||
		     (r->action == APP_QUOTA && r->then == APP_THEN_LIMIT);
	char text[APP_SUBJECT_TEXT];
	uint16_t subject;

	FUZZ_CHECK((r->meter != 0) == metered && r->meter <= APP_METERS);
	FUZZ_CHECK(!metered || app_policy_meter(p, r->meter) == r);
	FUZZ_CHECK((r->rate != 0) == rated);
	FUZZ_CHECK((r->amount != 0) == (r->action == APP_QUOTA));
	FUZZ_CHECK(r->subject != APP_GATEWAY);
	app_subject_text(r->subject, text);
	FUZZ_CHECK(app_subject_parse(str_of(text), &subject));
	FUZZ_CHECK(subject == r->subject);
}

static void check_policy(const struct app_policy *p)
{
	FUZZ_CHECK(p->count <= APP_RULES);
	for (uint32_t i = 0; i < p->count; i++) {
		check_rule(p, &p->rules[i]);
		for (uint32_t j = 0; j < i; j++)
			FUZZ_CHECK(p->rules[i].subject != p->rules[j].subject);
	}
	for (const struct app *a = app_next(NULL); a != NULL; a = app_next(a)) {
		const struct app_rule *r = app_policy_rule(p, a->id);

		FUZZ_CHECK(r == NULL || r->subject == a->id ||
			   r->subject == (APP_SUBJECT_GROUP | a->group));
	}
}

/* Unused bytes as well. */
static bool same(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct config_errors errs, again;
	static struct app_policy first, second;
	/* Exactly as long as the text, for AddressSanitizer. */
	char *text = strndup((const char *)data, len);
	int ret;

	if (text == NULL)
		abort();
	memset(&first, 0x55, sizeof(first));
	second = first;
	config_errors_init(&errs);
	config_errors_init(&again);
	ret = config_load_policy("p.conf", text, &first, &errs);
	if (ret == 0)
		check_policy(&first);
	else
		check_errors(&errs);
	FUZZ_CHECK(config_load_policy("p.conf", text, &second, &again) == ret);
	FUZZ_CHECK(same(&first, &second, sizeof(first)));
	FUZZ_CHECK(same(&errs, &again, sizeof(errs)));
	free(text);
	return 0;
}
