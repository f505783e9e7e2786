// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a great many flows at once take: in the classifier, that looks into the
 * first packets, and in the kernel's maps, where a flow waits for its label.
 * Memory is what the process has got more afterwards, and what the kernel says
 * of each map; beside it, what the code promises and how long it takes.
 *
 * build, after make bpf:
 *	cc -O2 -D_GNU_SOURCE -Iuserspace -iquote . -Ibuild/gen
 *		-o build/tests/bench/flows_memory tests/bench/flows_memory.c
 *		build/lib/lib{appctl,proto,policy,render,sys,base}.a
 *		-lndpi -lcrypto -lbpf -lmnl
 * usage: flows_memory [FLOWS]	(1000000)
 *	as root for the maps; in a namespace of one's own (unshare -n), since
 *	the sweep looks for each flow's connection
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appctl/classify.h"
#include "appctl/flows.h"
#include "base/str.h"
#include "sys/bpf.h"

#define INSPECTED 100000

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void require(bool what, const char *why)
{
	if (what)
		return;
	fprintf(stderr, "flows_memory: %s\n", why);
	exit(EXIT_FAILURE);
}

/* Resident memory of this process: the second number, in pages. */
static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	char line[128], *at = NULL;

	require(f != NULL && fgets(line, sizeof(line), f) != NULL, "no /proc");
	fclose(f);
	at = strchr(line, ' ');
	require(at != NULL, "no /proc");
	return (double)strtoull(at, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

/* --- the classifier's table ----------------------------------------------------- */

static void ends_of(uint32_t i, struct ip_endpoint *src,
		    struct ip_endpoint *dst)
{
	uint32_t client = htonl(0x0a000000U | i), server = htonl(0xc0000201U);

	*src = (struct ip_endpoint){.addr.family = AF_INET,
				    .port = (uint16_t)(1024 + i % 60000)};
	*dst = (struct ip_endpoint){.addr.family = AF_INET, .port = 5000};
	memcpy(src->addr.bytes, &client, sizeof(client));
	memcpy(dst->addr.bytes, &server, sizeof(server));
}

static void get_all(struct flows *f, uint32_t count)
{
	struct ip_endpoint src, dst;
	struct flow_key key;

	for (uint32_t i = 0; i < count; i++) {
		ends_of(i, &src, &dst);
		flow_key_make(&key, IPPROTO_UDP, &src, &dst);
		(void)flows_get(f, &key, i / 1000);
	}
}

static void table(uint32_t count)
{
	const struct flows_limits limits = {count, 60000, 1000};
	const struct siphash_key secret = {1, 2};
	double before = resident(), t0 = now_s(), t1;
	struct flows *f = flows_new(&limits, &secret, NULL, NULL);

	require(f != NULL, "no memory");
	get_all(f, count);
	t1 = now_s();
	printf("classifier: %u flows, %.1f bytes each (promised: %.1f), %.0f ns "
	       "each to add",
	       flows_stats(f)->live, (resident() - before) / count,
	       (double)flows_bytes(f) / count, (t1 - t0) * 1e9 / count);
	get_all(f, count);
	printf(", %.0f ns to find\n", (now_s() - t1) * 1e9 / count);
	require(flows_stats(f)->live == count, "flows are missing");
	flows_free(f);
}

/* --- flows that are looked into ---------------------------------------------------- */

/* A datagram that says nothing to anybody; its length. */
static size_t datagram(uint8_t packet[128], uint32_t i)
{
	static const uint8_t head[28] = {
		0x45, 0, 0, 108,  0, 0, 0, 0, 64, IPPROTO_UDP, 0,   0, 0,
		0,    0, 0, 0xc0, 0, 2, 1, 0, 0,  19,	       136, 0, 88};
	struct ip_endpoint src, dst;
	uint32_t noise = i;
	uint16_t port;

	ends_of(i, &src, &dst);
	for (size_t at = 0; at < 128; at++) {
		noise = noise * 1664525 + 1013904223;
		packet[at] = (uint8_t)(noise >> 24);
	}
	memcpy(packet, head, sizeof(head));
	memcpy(packet + 12, src.addr.bytes, 4);
	port = htons(src.port);
	memcpy(packet + 20, &port, sizeof(port));
	return 108;
}

static void inspection(uint32_t count)
{
	struct classify_config config = classify_defaults;
	struct classify_result r;
	uint8_t packet[128];
	struct classify *c;
	double before, t0;

	config.max_flows = count;
	config.max_inspected = count;
	c = classify_new(&config);
	require(c != NULL, "no memory for nDPI");
	before = resident();
	t0 = now_s();
	for (uint32_t i = 0; i < count; i++)
		classify_packet(c, packet, datagram(packet, i), CLASSIFY_UP,
				i / 1000, &r);
	printf("classifier: %u flows with one packet looked into (%u labelled), "
	       "%.1f bytes each, %.0f ns each\n",
	       classify_flows(c)->live, classify_flows(c)->labelled,
	       (resident() - before) / count, (now_s() - t0) * 1e9 / count);
	classify_free(c);
	c = classify_new(&classify_defaults);
	require(c != NULL, "no memory for nDPI");
	printf("classifier: as sluice-app has it (%u flows, %u looked into, %u "
	       "of QUIC): at most %.1f MB\n",
	       classify_defaults.max_flows, classify_defaults.max_inspected,
	       classify_defaults.max_quic, (double)classify_bytes(c) / 1e6);
	classify_free(c);
}

/* --- the kernel's maps ---------------------------------------------------------------- */

/* A number of /proc/self/fdinfo/FD; 0 when it isn't there. */
static unsigned long long fdinfo(const char *fd, const char *key)
{
	unsigned long long n = 0;
	char path[280], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", fd);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			n = strtoull(line + strlen(key), NULL, 10);
	if (f != NULL)
		fclose(f);
	return n;
}

/* What each map takes; the descriptor of pending flows. */
static int maps(void)
{
	DIR *d = opendir("/proc/self/fdinfo");
	int pending = -1;
	struct dirent *e;

	require(d != NULL, "no /proc");
	while ((e = readdir(d)) != NULL) {
		unsigned long long bytes = fdinfo(e->d_name, "memlock:");
		struct bpf_map_info info = {0};
		uint32_t len = sizeof(info);
		int fd = (int)strtol(e->d_name, NULL, 10);

		if (fdinfo(e->d_name, "max_entries:") == 0 ||
		    bpf_obj_get_info_by_fd(fd, &info, &len) != 0)
			continue;
		printf("map %s: %u entries, %.1f MB, %.1f bytes each\n",
		       info.name, info.max_entries, (double)bytes / 1e6,
		       (double)bytes / info.max_entries);
		if (strcmp(info.name, "pending") == 0)
			pending = fd;
	}
	closedir(d);
	require(pending != -1, "no map of pending flows");
	return pending;
}

static void fill(int fd, uint32_t count)
{
	struct acct_pending p = {.tag = 1};
	struct acct_flow flow = {.protocol = IPPROTO_UDP};
	struct ip_endpoint src, dst;

	p.sum[ACCT_UP].frames = 1;
	flow.client[10] = flow.client[11] = 0xff;
	flow.server[10] = flow.server[11] = 0xff;
	for (uint32_t i = 0; i < count; i++) {
		ends_of(i, &src, &dst);
		memcpy(flow.client + 12, src.addr.bytes, 4);
		memcpy(flow.server + 12, dst.addr.bytes, 4);
		flow.client_port = htons(src.port);
		flow.server_port = htons(dst.port);
		require(bpf_map_update_elem(fd, &flow, &p, BPF_NOEXIST) == 0,
			"the map of pending flows takes no more");
	}
}

static void nobody(const struct acct_key *key,
		   const struct acct_counter *counter, void *arg)
{
	(void)key;
	(void)counter;
	(void)arg;
}

static void kernel_maps(uint32_t count)
{
	const struct bpf_acct_options options = {
		.counters = 32768, .pending = count, .labels = 4096};
	const struct bpf_sweep young = {
		.idle = UINT64_MAX, .age = UINT64_MAX, .forget = UINT64_MAX};
	char why[BPF_WHY_MAX];
	struct bpf_acct *a = bpf_acct_open(&options, why);
	struct bpf_pending p;
	double t0, t1, t2;

	if (a == NULL) {
		printf("maps: not measured: %s\n", why);
		return;
	}
	fill(maps(), count);
	t0 = now_s();
	require(bpf_acct_pending(a, &p) == 0 && p.flows == count,
		"pending flows can't be read");
	t1 = now_s();
	require(bpf_acct_sweep(a, &young, nobody, NULL) >= 0,
		"pending flows can't be swept");
	t2 = now_s();
	printf("pending: %u flows are read in %.0f ms, swept in %.0f ms\n",
	       p.flows, (t1 - t0) * 1e3, (t2 - t1) * 1e3);
	bpf_acct_close(a);
}

/* In a process of its own: none gets memory that another has given back. */
static void apart(void (*part)(uint32_t), uint32_t count)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		part(count);
		exit(EXIT_SUCCESS);
	}
	require(pid != -1 && waitpid(pid, &status, 0) == pid && status == 0,
		"a part has failed");
}

int main(int argc, char **argv)
{
	uint64_t count = 1000000;

	require(argc < 2 || (str_to_u64(str_of(argv[1]), &count) && count > 0 &&
			     count < 1u << 24),
		"usage: flows_memory [FLOWS], at most 16777215");
	apart(table, (uint32_t)count);
	apart(inspection, count < INSPECTED ? (uint32_t)count : INSPECTED);
	apart(kernel_maps, (uint32_t)count);
	return EXIT_SUCCESS;
}
