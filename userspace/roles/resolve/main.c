// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sluice-resolve: finds the addresses of the names that clients gave to a
 * relay. It alone talks to name servers, and it can do nothing else.
 *
 * What a relay may rely on: each MSG_RESOLVE with a plain name is answered
 * once, within 11 seconds (DNS_DEADLINE_MS), unless the channel closes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "roles/resolve/relays.h"

struct resolve {
	struct dns dns;
	struct questions questions;
	struct relays relays;
};

static int peer(struct role *role, const struct msg_peer *who, int fd)
{
	struct resolve *r = role->user;

	if (who->role == ROLE_RELAY && who->index < CONFIG_RELAYS)
		return relays_connect(&r->relays, who->index, fd);
	close(fd);
	return -EPROTO;
}

static const struct role_ops ops = {
	.id = ROLE_RESOLVE,
	.peer = peer,
};

/* --- sandbox ----------------------------------------------------------------------- */

/*
 * Beyond what all roles do: sockets to name servers (and, not to send anything,
 * to addresses that were found, in whose order the kernel's routes count: RFC
 * 6724), and two files. The C library's qsort() asks for the size of the memory
 * (sysinfo).
 */
static const char *const syscalls[] = {
	"connect",    "sendto",	    "recvfrom", "getsockname",
	"getsockopt", "setsockopt", "openat",	"sysinfo",
};

/* c-ares numbers its queries from here. */
#define RANDOM "/dev/urandom"
#define PATHS  4

struct places {
	char *real[2]; /* where links lead */
	struct sandbox_path paths[PATHS];
	size_t npaths;
};

/*
 * The directory that @file is in: it is replaced by another file of its name,
 * which then has to be in reach as well. Absent, there is nothing to reach.
 */
static void add_place(struct places *p, size_t i, const char *file)
{
	char *slash;

	p->real[i] = realpath(file, NULL);
	if (p->real[i] == NULL)
		return;
	slash = strrchr(p->real[i], '/');
	slash[slash == p->real[i] ? 1 : 0] = '\0';
	p->paths[p->npaths++].path = p->real[i];
}

/*
 * All of /etc may be read, as far as everybody may: a rule for one file alone
 * would end with that file, when an editor or a DHCP client puts another in its
 * place.
 */
static int confine(struct role *role)
{
	struct places p = {.paths = {{"/etc", false}, {RANDOM, false}},
			   .npaths = 2};
	struct sandbox sb = {
		.workdir = "/",
		.paths = p.paths,
		.inet_sockets = true,
		.syscalls = syscalls,
		.nsyscalls = sizeof(syscalls) / sizeof(syscalls[0]),
	};
	int rc;

	add_place(&p, 0, DNS_RESOLV_CONF);
	add_place(&p, 1, DNS_HOSTS);
	sb.npaths = p.npaths;
	rc = role_confine(role, &sb);
	free(p.real[0]);
	free(p.real[1]);
	return rc;
}

/* --- life -------------------------------------------------------------------------- */

static int init(struct resolve *r, struct role *role)
{
	struct siphash_key key;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key)) {
		log_error("no random numbers: %s", strerror(errno));
		return -EIO;
	}
	dns_init(&r->dns, &role->loop);
	questions_init(&r->questions, &r->dns, &role->loop, role->stats,
		       role->init.relays, &key);
	relays_init(&r->relays, role, &r->dns, &r->questions);
	relays_show_servers(&r->relays);
	return 0;
}

int main(void)
{
	static struct resolve resolve; /* tables of names: 130 KiB */
	static struct role role;
	int rc = role_begin(&role, &ops, &resolve);

	if (rc == 0)
		rc = confine(&role);
	if (rc == 0)
		rc = init(&resolve, &role);
	if (rc == 0)
		rc = role_ready(&role);
	if (rc == 0) {
		rc = role_run(&role);
		relays_close(&resolve.relays);
		dns_close(&resolve.dns);
		questions_close(&resolve.questions);
	}
	config_ref_put(role.config);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
