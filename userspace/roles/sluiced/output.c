// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/log.h"

/* Set once, before the first role starts. */
static bool to_syslog;

void output_use_syslog(void)
{
	to_syslog = true;
	openlog("sluice", LOG_PID, LOG_DAEMON);
}

/* The first word of a line is its level; anything else is a library's. */
static int priority_of(const char *line)
{
	static const struct {
		const char *word;
		int priority;
	} levels[] = {
		{"error ", LOG_ERR},
		{"warning ", LOG_WARNING},
		{"info ", LOG_INFO},
		{"debug ", LOG_DEBUG},
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strncmp(line, levels[i].word, strlen(levels[i].word)) == 0)
			return levels[i].priority;
	return LOG_NOTICE;
}

void output_line(const char *line)
{
	char out[1200];
	struct strbuf sb;
	struct tm tm;
	time_t now = time(NULL);

	if (to_syslog) {
		syslog(priority_of(line), "%s", line);
		return;
	}
	strbuf_init(&sb, out, sizeof(out) - 1);
	if (gmtime_r(&now, &tm) != NULL)
		strbuf_printf(&sb, "%04d-%02d-%02dT%02d:%02d:%02dZ ",
			      tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			      tm.tm_hour, tm.tm_min, tm.tm_sec);
	strbuf_puts(&sb, line);
	out[sb.len] = '\n';
	/* Nobody reads it any more: there is nobody to tell. */
	if (write(STDERR_FILENO, out, sb.len + 1) == -1)
		errno = 0;
}
