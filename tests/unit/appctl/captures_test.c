// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures of real clients and servers (tests/captures), packet by packet
 * through the classifier: what each flow is called, by what, with which host,
 * and after how many packets with payload. tests/captures/captures.txt says
 * what is right. Every capture must be in it, and every flow of a capture.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "appctl/classify.h"
#include "base/str.h"
#include "pcap.h"

#define DIRECTORY "tests/captures"
#define FLOWS_MAX 16

static struct pcap pcap;

/* One for each capture: nDPI also remembers what earlier flows were. */
static struct classify *new_classify(void)
{
	struct classify_config config = classify_defaults;
	struct classify *c;

	config.secret = (struct siphash_key){11, 12};
	c = classify_new(&config);
	assert_non_null(c);
	return c;
}

/* The label of a flow, once it has one. */
struct named {
	struct ip_endpoint client, server;
	char text[512]; /* "tcp/443 tls own www.example.com 1" */
};

struct outcome {
	struct named flows[FLOWS_MAX];
	unsigned int count;
};

static bool same_endpoint(const struct ip_endpoint *a,
			  const struct ip_endpoint *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

static struct named *named_of(struct outcome *o,
			      const struct classify_result *r)
{
	struct named *n;

	for (unsigned int i = 0; i < o->count; i++) {
		n = &o->flows[i];
		if (same_endpoint(&n->client, &r->client) &&
		    same_endpoint(&n->server, &r->server))
			return n;
	}
	assert_true(o->count < FLOWS_MAX);
	n = &o->flows[o->count++];
	n->client = r->client;
	n->server = r->server;
	str_copy(n->text, sizeof(n->text), "more");
	return n;
}

static void note_label(struct named *n, const struct classify_result *r)
{
	struct strbuf sb;

	if (strcmp(n->text, "more") != 0)
		return;
	strbuf_init(&sb, n->text, sizeof(n->text));
	strbuf_printf(&sb, "%s/%u %s %s ", r->proto == 6 ? "tcp" : "udp",
		      r->server.port, app_name(r->app),
		      app_confidence_name(r->confidence));
	if (r->host.len == 0)
		strbuf_putc(&sb, '-');
	strbuf_str(&sb, r->host);
	strbuf_printf(&sb, " %u", r->packets);
}

/* @way: whether the direction is given, or has to be found. */
static void replay(const char *name, bool way, struct outcome *o)
{
	struct classify *c = new_classify();
	struct classify_result r;
	char path[512];
	struct strbuf sb;

	strbuf_init(&sb, path, sizeof(path));
	strbuf_printf(&sb, DIRECTORY "/%s.pcap", name);
	if (!pcap_open(&pcap, path))
		fail_msg("can't read %s", path);
	memset(o, 0, sizeof(*o));
	while (pcap_next(&pcap)) {
		bool up = pcap.data[0] >> 4 == 4 ? pcap.data[14] == 1
						 : pcap.data[11] == 1;

		enum classify_way known = up ? CLASSIFY_UP : CLASSIFY_DOWN;

		classify_packet(c, pcap.data, pcap.len,
				way ? known : CLASSIFY_UNKNOWN_WAY, 1000, &r);
		if (r.verdict == CLASSIFY_NOTHING)
			continue;
		if (r.verdict == CLASSIFY_MORE)
			named_of(o, &r);
		else
			note_label(named_of(o, &r), &r);
	}
	pcap_close(&pcap);
	classify_free(c);
}

/* Without its first word, when which end is the server was not told. */
static const char *relevant(const char *text, bool way)
{
	const char *rest = strchr(text, ' ');

	return way || rest == NULL ? text : rest + 1;
}

/* Whether @line, as replay() describes flows, is one of @o's; then it goes. */
static bool take(struct outcome *o, const char *line, bool way)
{
	for (unsigned int i = 0; i < o->count; i++)
		if (strcmp(relevant(o->flows[i].text, way),
			   relevant(line, way)) == 0) {
			o->flows[i] = o->flows[--o->count];
			return true;
		}
	return false;
}

static void fail_at(const char *name, const char *wanted,
		    const struct outcome *o)
{
	char text[4096];
	struct strbuf sb;

	strbuf_init(&sb, text, sizeof(text));
	for (unsigned int i = 0; i < o->count; i++)
		strbuf_printf(&sb, "%s %s\n", name, o->flows[i].text);
	fail_msg("%s: wanted: %s, there is\n%s", name, wanted, text);
}

/*
 * Lines "NAME TEXT" of captures.txt; those of one capture stand together.
 * Returns how many captures there were.
 */
static unsigned int replay_all(bool way)
{
	FILE *f = fopen(DIRECTORY "/captures.txt", "r");
	static struct outcome o;
	char line[1024], last[256] = "";
	unsigned int captures = 0;

	assert_non_null(f);
	o.count = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		char *text = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || text == NULL)
			continue;
		*text++ = '\0';
		if (strcmp(line, last) != 0) {
			if (o.count > 0)
				fail_at(last, "nothing more", &o);
			replay(line, way, &o);
			str_copy(last, sizeof(last), line);
			captures++;
		}
		if (!take(&o, text, way))
			fail_at(line, text, &o);
	}
	if (o.count > 0)
		fail_at(last, "nothing more", &o);
	fclose(f);
	return captures;
}

static void labels_when_the_way_is_known(void **state)
{
	(void)state;
	assert_true(replay_all(true) >= 30);
}

static void labels_when_it_is_not(void **state)
{
	(void)state;
	replay_all(false);
}

static void every_capture_is_listed(void **state)
{
	unsigned int files = 0;
	struct dirent *e;
	DIR *d = opendir(DIRECTORY);

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		files += strstr(e->d_name, ".pcap") != NULL;
	closedir(d);
	assert_int_equal(replay_all(true), files);
}

/* With a name: print what is made of that capture. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_when_the_way_is_known),
		cmocka_unit_test(labels_when_it_is_not),
		cmocka_unit_test(every_capture_is_listed),
	};
	static struct outcome o;

	if (argc < 2)
		return cmocka_run_group_tests_name("captures", tests, NULL,
						   NULL);
	for (int i = 1; i < argc; i++) {
		replay(argv[i], true, &o);
		for (unsigned int n = 0; n < o.count; n++)
			printf("%s %s\n", argv[i], o.flows[n].text);
	}
	return 0;
}
