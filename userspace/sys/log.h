/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics: one line an event on standard error, written with a single
 * write(2). Roles inherit a pipe there that the parent reads, so a role never
 * blocks on it (the pipe is non-blocking; what doesn't fit is dropped).
 * Never payload, credentials or keys; bytes from the network go through
 * strbuf_printable() first.
 */
#ifndef SLUICE_SYS_LOG_H
#define SLUICE_SYS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/config.h"

/* @who ("relay/0") starts each line; it must outlive the process's logging. */
void log_open(const char *who, enum config_log_level level);
void log_set_level(enum config_log_level level);
/*
 * Lines go to @sink, without their line end, instead of standard error: the
 * parent sends its own the way it sends those of the roles.
 */
typedef void (*log_sink)(const char *line);
void log_set_sink(log_sink sink);

__attribute__((format(printf, 2, 3))) void log_line(enum config_log_level level,
						    const char *format, ...);

#define log_error(...) log_line(LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)  log_line(LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LEVEL_DEBUG, __VA_ARGS__)

/*
 * For the data path: at most one line a second of each kind; the next one says
 * how many were left out. @now_ms from the loop.
 */
struct log_limit {
	uint64_t next_ms;
	uint64_t left_out;
};
/* Whether to log now. When true and @left_out > 0, mention and reset it. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ms);

/* "error", "warning", "info", "debug" */
const char *log_level_name(enum config_log_level level);

#endif
