// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "conf/policy.h"
#include "policy/app.h"

static struct app_policy policy;
static struct config_errors errs;

static int load(const char *text)
{
	config_errors_init(&errs);
	return config_load_policy("policy.conf", text, &policy, &errs);
}

static void accepts(const char *text)
{
	if (load(text) != 0)
		fail_msg("%s", errs.list[0].text);
	assert_int_equal(errs.count, 0);
}

static void check_errors(const char *text, const char *const *want)
{
	struct app_policy before = policy;
	unsigned int n = 0;

	assert_int_equal(load(text), -EINVAL);
	for (; want[n] != NULL; n++) {
		if (n == errs.count)
			fail_msg("missing: %s", want[n]);
		assert_string_equal(errs.list[n].text, want[n]);
	}
	if (n < errs.count)
		fail_msg("unexpected: %s", errs.list[n].text);
	assert_memory_equal(&before, &policy, sizeof(policy));
}

#define errors_of(text, ...) \
	check_errors(text, (const char *const[]){__VA_ARGS__, NULL})

static void every_action(void **state)
{
	const struct app_rule *r = policy.rules;

	(void)state;
	accepts("");
	assert_int_equal(policy.count, 0);
	accepts("# all there is\n"
		"app \"bittorrent\" { action = block }\n"
		"app 'group:streaming' {\n\taction = limit\n\trate = 2M\n}\n"
		"app \"unknown\" { action=limit rate=\"1K\" per=total }\n"
		"app \"youtube\" { action=quota amount=5G period=day }\n"
		"app \"http\" { action=quota amount=1K period=month "
		"then=limit rate=16G }\n"
		"app \"ssh\" { action = \"allow\" }\n");
	assert_int_equal(policy.count, 6);
	assert_int_equal(r[0].action, APP_BLOCK);
	assert_int_equal(r[0].meter, 0);
	assert_int_equal(r[1].subject, APP_SUBJECT_GROUP | APP_GROUP_STREAMING);
	assert_int_equal(r[1].rate, 2 << 20);
	assert_int_equal(r[1].per, APP_PER_CLIENT);
	assert_int_equal(r[1].meter, 1);
	assert_int_equal(r[2].per, APP_PER_TOTAL);
	assert_int_equal(r[2].meter, 2);
	assert_int_equal(r[3].amount, UINT64_C(5) << 30);
	assert_int_equal(r[3].period, PERIOD_DAY);
	assert_int_equal(r[3].then, APP_THEN_BLOCK);
	assert_int_equal(r[4].then, APP_THEN_LIMIT);
	assert_int_equal(r[4].rate, UINT64_C(16) << 30);
	assert_int_equal(r[5].action, APP_ALLOW);
}

static void values_that_are_wrong(void **state)
{
	(void)state;
	errors_of("app \"ssh\" {\n\taction = deny\n}\n",
		  "policy.conf:2: app.action = deny: want \"allow\" or "
		  "\"block\" or \"limit\" or \"quota\"");
	errors_of("app \"ssh\" {\n\taction = limit\n\trate = fast\n}\n"
		  "app \"ftp\" { action = limit rate = 1023 }\n",
		  "policy.conf:3: app.rate = fast: want a size from 1K to 16G",
		  "policy.conf:5: app.rate = 1023: want a size from 1K to 16G");
	errors_of("app \"ssh\" { action = block\naction = allow }\n",
		  "policy.conf:2: app.action: given a second time; the first "
		  "is on line 1");
	errors_of("app \"utube\" { action = block }\n",
		  "policy.conf:1: app \"utube\": there is no such "
		  "application: want a name or group:NAME of sluice-apps(7)");
	errors_of("app \"gateway\" { action = block }\n",
		  "policy.conf:1: app \"gateway\": traffic of the gateway "
		  "itself is not subject to policy: want another application");
}

static void keys_that_do_not_fit(void **state)
{
	(void)state;
	errors_of("app \"ssh\" { rate = 2M }\n",
		  "policy.conf:1: app \"ssh\": action is missing: want "
		  "\"allow\" or \"block\" or \"limit\" or \"quota\"");
	errors_of("app \"ssh\" { action = limit }\n",
		  "policy.conf:1: app \"ssh\": rate is missing: want a size "
		  "from 1K to 16G");
	errors_of("app \"ssh\" { action = quota }\n",
		  "policy.conf:1: app \"ssh\": amount is missing: want a size "
		  "from 1K to 1024T",
		  "policy.conf:1: app \"ssh\": period is missing: want "
		  "\"day\" or \"week\" or \"month\"");
	errors_of("app \"ssh\" { action = quota amount = 1G period = day "
		  "then = limit }\n",
		  "policy.conf:1: app \"ssh\": rate is missing: want a size "
		  "from 1K to 16G");
	errors_of("app \"ssh\" { action = quota amount = 1G period = day\n"
		  "rate = 1M }\n",
		  "policy.conf:2: app \"ssh\": rate has no meaning here: "
		  "remove it, or change action or then");
	errors_of("app \"ssh\" { action = block per = client }\n",
		  "policy.conf:1: app \"ssh\": per has no meaning here: "
		  "remove it, or change action");
}

static void what_can_not_be_read(void **state)
{
	(void)state;
	errors_of("app \"ssh\" { action = block }\napp \"ssh\" {\n",
		  "policy.conf:2: a { without its }");
	errors_of("app \"ssh\" { action = block }\n"
		  "app \"ssh\" { action = allow }\n",
		  "policy.conf:2: found duplicate title 'ssh': want sections "
		  "app \"NAME\" { ... }, each NAME once; the rest of the file "
		  "was not checked");
	errors_of("app \"ssh\" { burst = 1M }\n",
		  "policy.conf:1: no such option 'burst': want KEY = VALUE, "
		  "the keys action, rate, per, amount, period and then; the "
		  "rest of the file was not checked");
	errors_of("action = block\n",
		  "policy.conf:1: no such option 'action': want sections app "
		  "\"NAME\" { ... }, each NAME once; the rest of the file was "
		  "not checked");
	errors_of("app { action = block }\n",
		  "policy.conf:1: missing title for section 'app': want "
		  "sections app \"NAME\" { ... }, each NAME once; the rest of "
		  "the file was not checked");
}

static void no_more_than_there_is_room_for(void **state)
{
	char text[8192];
	struct strbuf sb;
	const struct app *app = app_by_id(APP_SSH);

	(void)state;
	strbuf_init(&sb, text, sizeof(text));
	for (unsigned int i = 0; i < APP_METERS; i++, app = app_next(app))
		strbuf_printf(&sb, "app %s { action = limit rate = 1M }\n",
			      app->name);
	accepts(text);
	strbuf_printf(&sb, "app %s { action = limit rate = 1M }\n", app->name);
	errors_of(text, "policy.conf:17: app \"whois\": want at most 16 limits "
			"and quotas");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_action),
		cmocka_unit_test(values_that_are_wrong),
		cmocka_unit_test(keys_that_do_not_fit),
		cmocka_unit_test(what_can_not_be_read),
		cmocka_unit_test(no_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
