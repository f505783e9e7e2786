// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/str.h"

#define LINE_MAX_BYTES 1024

/* Set once at start, and by a reload: the process's identity, not state. */
static const char *log_who = "sluice";
static enum config_log_level log_threshold = LEVEL_INFO;

static void to_stderr(const char *line);
static log_sink log_to = to_stderr;

static const char *const level_names[] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
};

const char *log_level_name(enum config_log_level level)
{
	return level <= LEVEL_DEBUG ? level_names[level] : "?";
}

void log_open(const char *who, enum config_log_level level)
{
	log_who = who;
	log_threshold = level;
}

void log_set_level(enum config_log_level level)
{
	log_threshold = level;
}

void log_set_sink(log_sink sink)
{
	log_to = sink;
}

static void to_stderr(const char *line)
{
	struct iovec iov[2] = {{(void *)(uintptr_t)line, strlen(line)},
			       {(void *)(uintptr_t) "\n", 1}};

	/* A full pipe (EAGAIN) drops the line: logging never stops traffic. */
	if (writev(STDERR_FILENO, iov, 2) == -1)
		errno = 0;
}

void log_line(enum config_log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	struct strbuf sb;
	va_list ap;
	int saved = errno;

	if (level > log_threshold)
		return;
	strbuf_init(&sb, line, sizeof(line));
	strbuf_printf(&sb, "%s %s: ", log_level_name(level), log_who);
	va_start(ap, format);
	strbuf_vprintf(&sb, format, ap);
	va_end(ap);
	log_to(line);
	errno = saved;
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ms)
{
	if (now_ms < limit->next_ms) {
		limit->left_out++;
		return false;
	}
	limit->next_ms = now_ms + 1000;
	return true;
}
