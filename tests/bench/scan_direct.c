// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the scan role costs over libclamav itself: the same objects through
 * sluice-scan with two workers, and through two processes that do nothing but
 * call libclamav on bytes in memory. Rounds of both alternate, since the
 * machine's speed drifts; ratios are role / direct, above 1 the role is faster.
 *
 * build, after make:
 *	cc -O2 -D_GNU_SOURCE -Iuserspace -o build/tests/bench/x/scan_direct
 *		tests/bench/scan_direct.c
 *		build/lib/lib{ipc,sys,policy,proto,base}.a
 *		-lclamav -lcrypto -lseccomp -lcap-ng
 *	(three folders below the one that holds libexec/sluice-scan)
 * usage: scan_direct [-d DATABASE] [-t TMPDIR] [-r ROUNDS] [-n] [SIZE...]
 *	-t: temporary files of the direct processes; default: on disk, as any
 *	    program that uses the library has them
 *	-n: the direct processes with the library's cache off, too
 */
#include <clamav.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "../unit/scan/rig.h"

#define PROCESSES 2
#define WINDOW	  16 /* requests under way */
#define BUDGET	  (96u << 20)

/* --- processor time ------------------------------------------------------------ */

/* Seconds that @pid has used, and its dead children, in user mode and kernel. */
static double cpu_of(pid_t pid)
{
	unsigned long long sum = 0;
	char path[64], line[1024];
	char *p = line;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) != NULL && strrchr(line, ')') != NULL)
		p = strrchr(line, ')') + 4;
	fclose(f);
	for (int field = 4; field <= 17; field++) {
		unsigned long long v = strtoull(p, &p, 10);

		if (field >= 14)
			sum += v;
	}
	return (double)sum / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_of_tree(pid_t pid)
{
	pid_t children[16], workers[16];
	size_t n = rig_children(pid, children, 16);
	double sum = cpu_of(pid);

	for (size_t i = 0; i < n; i++) {
		size_t m = rig_children(children[i], workers, 16);

		sum += cpu_of(children[i]);
		for (size_t k = 0; k < m; k++)
			sum += cpu_of(workers[k]);
	}
	return sum;
}

static double cpu_of_dead(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct options {
	const char *database;
	const char *tmp;
	unsigned int rounds;
	bool no_cache;
};

static uint64_t seed = 88172645463325252ull;

/* Random bytes, another object each time. */
static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 8 <= n; i += 8) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		memcpy(p + i, &seed, 8);
	}
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- objects ------------------------------------------------------------------ */

struct batch {
	size_t size;
	unsigned int count;
	int *fds;
};

static void batch_make(struct batch *b, size_t size)
{
	uint8_t *data = malloc(size);

	b->size = size;
	b->count = (unsigned int)(BUDGET / size);
	if (b->count > 2000)
		b->count = 2000;
	if (b->count < 2 * PROCESSES)
		b->count = 2 * PROCESSES;
	b->fds = calloc(b->count, sizeof(int));
	rig_require(data != NULL && b->fds != NULL);
	for (unsigned int i = 0; i < b->count; i++) {
		fill(data, size);
		b->fds[i] = rig_memfd(data, size);
	}
	free(data);
}

static void batch_free(struct batch *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		close(b->fds[i]);
	free(b->fds);
}

/* --- direct ------------------------------------------------------------------- */

static struct cl_engine *engine_load(const struct options *o)
{
	static const enum cl_engine_field sizes[] = {
		CL_ENGINE_MAX_FILESIZE, CL_ENGINE_MAX_EMBEDDEDPE,
		CL_ENGINE_MAX_HTMLNORMALIZE, CL_ENGINE_MAX_HTMLNOTAGS,
		CL_ENGINE_MAX_SCRIPTNORMALIZE};
	struct cl_engine *e;
	unsigned int n = 0;

	rig_require(cl_init(CL_INIT_DEFAULT) == CL_SUCCESS);
	e = cl_engine_new();
	rig_require(e != NULL);
	/* The role's limits: what is skipped in silence is no merit. */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		cl_engine_set_num(e, sizes[i], 512 << 20);
	cl_engine_set_num(e, CL_ENGINE_MAX_SCANSIZE, 2048LL << 20);
	cl_engine_set_num(e, CL_ENGINE_MAX_SCANTIME, 60000);
	cl_engine_set_num(e, CL_ENGINE_DISABLE_CACHE, o->no_cache);
	cl_engine_set_str(e, CL_ENGINE_TMPDIR, o->tmp);
	rig_require(cl_load(o->database, e, &n, CL_DB_STDOPT) == CL_SUCCESS);
	rig_require(cl_engine_compile(e) == CL_SUCCESS);
	return e;
}

static void direct_scan(struct cl_engine *e, int fd, size_t size)
{
	struct cl_scan_options options = {.general = CL_SCAN_GENERAL_HEURISTICS,
					  .parse = ~0u};
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	cl_fmap_t *map = cl_fmap_open_memory(p, size);
	unsigned long scanned = 0;
	const char *name = NULL;

	rig_require(cl_scanmap_callback(map, NULL, &name, &scanned, e, &options,
					NULL) == CL_CLEAN);
	cl_fmap_close(map);
	munmap(p, size);
}

/* Process @index takes every second object. Seconds. */
static double through_library(struct cl_engine *e, const struct batch *b)
{
	double started = now_s();
	pid_t pids[PROCESSES];

	for (unsigned int p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		if (pids[p] == 0) {
			for (unsigned int i = p; i < b->count; i += PROCESSES)
				direct_scan(e, b->fds[i], b->size);
			_exit(0);
		}
	}
	for (unsigned int p = 0; p < PROCESSES; p++) {
		int status;

		waitpid(pids[p], &status, 0);
		rig_require(status == 0);
	}
	return now_s() - started;
}

/* --- the role ------------------------------------------------------------------ */

static double through_role(struct rig *rig, const struct batch *b)
{
	double started = now_s();
	unsigned int sent = 0, answered = 0;
	struct msg_scanned a;

	while (answered < b->count) {
		while (sent < b->count && sent - answered < WINDOW) {
			struct msg_scan msg = {.id = sent, .size = b->size};

			rig_ask(rig, 0, &msg, b->fds[sent++]);
		}
		rig_require(rig_answer(rig, 0, &a));
		if (a.verdict != VERDICT_CLEAN)
			fprintf(stderr, "# verdict %u, reason %u, %s\n",
				a.verdict, a.reason, a.name);
		answered++;
	}
	return now_s() - started;
}

struct sum {
	double time;
	double cpu;
};

static void compare(struct rig *rig, struct cl_engine *e, size_t size,
		    unsigned int rounds)
{
	struct sum role = {0}, direct = {0};
	double least = 1e9, most = 0;
	unsigned int count = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		struct batch b;
		double r, d, before;

		batch_make(&b, size);
		before = cpu_of_tree(rig->pid);
		r = through_role(rig, &b);
		role.cpu += cpu_of_tree(rig->pid) - before;
		before = cpu_of_dead();
		d = through_library(e, &b);
		direct.cpu += cpu_of_dead() - before;
		role.time += r;
		direct.time += d;
		most = d / r > most ? d / r : most;
		least = d / r < least ? d / r : least;
		count += b.count;
		batch_free(&b);
	}
	printf("%9zu bytes: role %8.0f/s %6.1f MB/s %8.1f us, direct %8.0f/s "
	       "%6.1f MB/s %8.1f us; ratio %.2f (%.2f to %.2f), of processor "
	       "time %.2f\n",
	       size, count / role.time, (double)size * count / role.time / 1e6,
	       role.cpu / count * 1e6, count / direct.time,
	       (double)size * count / direct.time / 1e6,
	       direct.cpu / count * 1e6, direct.time / role.time, least, most,
	       direct.cpu / role.cpu);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {4096, 65536, 1 << 20, 64 << 20};
	struct options o = {.rounds = 5};
	static struct rig rig;
	struct cl_engine *e;
	char tmp[128];
	int c;

	rig_init(&rig);
	rig_path(&rig, "direct-tmp", tmp);
	rig_require(mkdir(tmp, 0777) == 0);
	o.tmp = tmp;
	o.database = rig.config.scan.database;
	while ((c = getopt(argc, argv, "d:t:r:n")) != -1) {
		switch (c) {
		case 'd':
			o.database = optarg;
			break;
		case 't':
			o.tmp = optarg;
			break;
		case 'r':
			o.rounds = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			o.no_cache = true;
			break;
		default:
			return 2;
		}
	}
	if (o.database != rig.config.scan.database)
		snprintf(rig.config.scan.database, CONFIG_PATH_MAX, "%s",
			 o.database);
	rig.config.scan.max_object = 512u << 20;
	rig.config.scan.deadline = 60000;
	rig.config.scan.workers = PROCESSES;
	e = engine_load(&o);
	rig_start(&rig);
	rig_require(rig_await(&rig, SCAN_WORKERS, PROCESSES));
	if (optind == argc)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			compare(&rig, e, sizes[i], o.rounds);
	for (; optind < argc; optind++)
		compare(&rig, e, strtoul(argv[optind], NULL, 10), o.rounds);
	rig_stop(&rig);
	rig_remove(&rig);
	return 0;
}
