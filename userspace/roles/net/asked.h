/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator asked for at run time, beyond the configuration:
 * bypasses, and rules installed or removed by hand. It holds until it is taken
 * back or sluiced is stopped; so it is kept in a file, RUN_DIR/net/asked, which
 * outlives the death of this role (and of the whole daemon) but no boot.
 */
#ifndef SLUICE_ROLES_ASKED_H
#define SLUICE_ROLES_ASKED_H

#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"
#include "conf/config.h"
#include "render/ruleset.h"

#define ASKED_BYPASSES 512

enum asked_rules { ASKED_NOTHING, ASKED_INSTALL, ASKED_REMOVE };

struct asked_bypass {
	enum ruleset_bypass list;
	struct ip_net net;
};

struct asked {
	enum asked_rules rules;
	uint32_t count;
	struct asked_bypass bypasses[ASKED_BYPASSES];
	char path[CONFIG_PATH_MAX + 16];
};

/* What is kept in @run_dir; what can't be read is logged and left out. */
void asked_load(struct asked *a, const char *run_dir);
/* Keep it. A failure is logged: then it is lost when this role dies. */
void asked_save(const struct asked *a);
/* At the orderly end of the daemon. */
void asked_forget(const struct asked *a);

/* 0 or -ENOSPC; @net isn't in the list. */
int asked_add(struct asked *a, enum ruleset_bypass list,
	      const struct ip_net *net);
/* 0 or -ENOENT: entries go as they came. */
int asked_delete(struct asked *a, enum ruleset_bypass list,
		 const struct ip_net *net);
/* Put the bypasses into @rs, wherever it doesn't have them already. */
void asked_apply(const struct asked *a, struct ruleset *rs);

/* Text of the file, and back. Pure. */
void asked_format(const struct asked *a, struct strbuf *out);
/* How many lines were none of ours. */
unsigned int asked_parse(struct asked *a, const char *text);

/* "client" or "server" */
const char *asked_side(enum ruleset_bypass list);

#endif
