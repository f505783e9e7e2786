/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy and the use of quotas as lines of an answer: see sluicectl(8). */
#ifndef SLUICE_ROLES_POLICY_JSON_H
#define SLUICE_ROLES_POLICY_JSON_H

#include "conf/config.h"
#include "ipc/quota.h"

struct conn;
struct json_object;

/* A line for each rule of @config, in the order of policy.conf. */
void policy_json_rules(struct conn *conn, const struct config *config);
/* The line of one client and quota; the caller's. */
struct json_object *policy_json_quota(const struct msg_quota *q);

#endif
