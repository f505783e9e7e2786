// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sys/ctacct.h for scripts.
 * usage: ct_tool [-b BUFFER-BYTES] [-n CONNECTIONS] [-a AGE-S] INTERFACE...
 * Then commands, one a line of standard input; each answer ends with ".":
 *	read	records, one a line, see print()
 *	ends	the same of what has ended, without a look at the rest
 *	state	PENDING OVERRUNS MISSED REMEMBERED UNCOUNTED
 * Applications are those of the app role: 3 intercepted, 2 the gateway's own.
 */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/ctacct.h"
#include "sys/reach.h"

/* CLIENT|- APPLICATION|REASON up|down BYTES PACKETS FLOWS */
static void print(const struct ctacct_record *r, void *arg)
{
	char client[IP_TEXT_MAX] = "-";
	char what[16];

	(void)arg;
	if (r->app != 0) {
		ip_addr_format(&r->client, client, sizeof(client));
		snprintf(what, sizeof(what), "%u", r->app);
	} else {
		snprintf(what, sizeof(what), "%s",
			 r->reason == CTACCT_PROTOCOL ? "protocol"
						      : "unlabelled");
	}
	printf("%s %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", client, what,
	       r->down ? "down" : "up", r->bytes, r->packets, r->flows);
}

static int do_read(struct ctacct *a)
{
	return ctacct_read(a, print, NULL);
}

static int do_ends(struct ctacct *a)
{
	return ctacct_ends(a, print, NULL);
}

static int do_state(struct ctacct *a)
{
	struct ctacct_state s;

	ctacct_state(a, &s);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 "\n",
	       s.pending, s.overruns, s.missed, s.remembered, s.uncounted);
	return 0;
}

static int command(struct ctacct *a, const char *line)
{
	if (strcmp(line, "read\n") == 0)
		return do_read(a);
	if (strcmp(line, "ends\n") == 0)
		return do_ends(a);
	return strcmp(line, "state\n") == 0 ? do_state(a) : -EINVAL;
}

static void options(int argc, char **argv, struct ctacct_options *o)
{
	int c;

	while ((c = getopt(argc, argv, "b:n:a:")) != -1) {
		uint32_t value = c == '?' ? 0
					  : (uint32_t)strtoul(optarg, NULL, 10);

		if (c == 'b')
			o->event_buffer = value;
		else if (c == 'n')
			o->connections = value;
		else if (c == 'a')
			o->age_s = value;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	static const struct siphash_key secret = {1, 2};
	struct ctacct_options o = {.connections = 1 << 16,
				   .addresses = 1024,
				   .event_buffer = 1 << 20,
				   .age_s = 120,
				   .intercepted = 3,
				   .gateway = 2};
	unsigned int lan[REACH_LANS];
	size_t count = 0;
	char line[64];
	struct ctacct *a;
	int rc = 0;

	options(argc, argv, &o);
	for (int i = optind; i < argc && count < REACH_LANS; i++)
		lan[count++] = if_nametoindex(argv[i]);
	a = ctacct_open(&o, &secret);
	if (a == NULL)
		rc = -errno;
	else
		ctacct_set_lan(a, lan, count);
	while (rc == 0 && fgets(line, sizeof(line), stdin) != NULL) {
		rc = command(a, line);
		printf(".\n");
		fflush(stdout);
	}
	if (rc != 0)
		fprintf(stderr, "ct_tool: %s\n", ctacct_error(rc));
	ctacct_close(a);
	return rc != 0;
}
