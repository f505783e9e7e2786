/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bypasses of run time: asked for, in the model, and in the kernel at once. */
#ifndef SLUICE_ROLES_BYPASS_H
#define SLUICE_ROLES_BYPASS_H

#include "roles/net/rules.h"

/* 0 or -errno with the reason in @out. */
int bypass_add(struct rules *r, enum ruleset_bypass list,
	       const struct ip_net *net, struct strbuf *out)
	__attribute__((warn_unused_result));
int bypass_delete(struct rules *r, enum ruleset_bypass list,
		  const struct ip_net *net, struct strbuf *out)
	__attribute__((warn_unused_result));
/* "client 10.0.0.9 configuration", "server 192.0.2.0/24 run-time" */
void bypass_list(const struct rules *r, struct strbuf *out);

#endif
