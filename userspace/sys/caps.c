// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/caps.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#define KEPT (CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET)

/* 0, or -EPERM with @wrong saying which can't be kept. */
static int keep(const struct sandbox *sb, char *wrong, size_t size)
{
	/* A container may lack these; who needs them will see. */
	bool bpf = sb->keep_bpf &&
		   capng_have_capability(CAPNG_PERMITTED, CAP_BPF) != 0 &&
		   capng_have_capability(CAPNG_PERMITTED, CAP_PERFMON) != 0;
	bool ports = sb->keep_ports &&
		     capng_have_capability(CAPNG_PERMITTED,
					   CAP_NET_BIND_SERVICE) != 0;

	capng_clear(CAPNG_SELECT_BOTH);
	snprintf(wrong, size, "capabilities");
	if (sb->keep_net_admin &&
	    capng_update(CAPNG_ADD, KEPT, CAP_NET_ADMIN) != 0)
		return -EPERM;
	if (ports && capng_update(CAPNG_ADD, KEPT, CAP_NET_BIND_SERVICE) != 0)
		return -EPERM;
	if (bpf &&
	    capng_updatev(CAPNG_ADD, KEPT, CAP_BPF, CAP_PERFMON, -1) != 0)
		return -EPERM;
	return 0;
}

int caps_drop(const struct sandbox *sb, char *wrong, size_t size)
{
	int rc;

	if (sb->uid == 0 || sb->gid == 0) {
		snprintf(wrong, size, "account: root is not unprivileged");
		return -EINVAL;
	}
	rc = keep(sb, wrong, size);
	if (rc != 0)
		return rc;
	if (capng_change_id((int)sb->uid, (int)sb->gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0) {
		snprintf(wrong, size, "change to user id %u", sb->uid);
		return -EPERM;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		snprintf(wrong, size, "no new privileges");
		return -errno;
	}
	/* No core file and no ptrace(2) from the same account. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
		snprintf(wrong, size, "not dumpable");
		return -errno;
	}
	/* A change of account resets it. Roles answer SIGTERM by ending soon. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == -1) {
		snprintf(wrong, size, "signal at the parent's death");
		return -errno;
	}
	return 0;
}
