// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replays scenarios, each in four ways, and reports in TAP.
 * usage: replay [-v] [-w | -p | -i NUMBER | -f NUMBER] FILE...
 *	-w, -p	only whole, only in pieces
 *	-i, -f	only interrupted, only with a failure: with NUMBER of the plan
 *	-v	with the relay's log lines
 * Each way runs in a process of its own: one that dies or hangs is a failed
 * test, and the page that it shares says where it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "problem.h"
#include "run.h"

/* Of processor time: a machine that is busy elsewhere is no hang. */
#define CHILD_SECONDS 60
/*
 * Runs with a failure, of one scenario. One that has more is sampled evenly,
 * and its line says so.
 */
#define FAULTS_MAX    2000

/* What the process of a test tells, also when it does not come back. */
struct progress {
	char where[120];
	char problem[PROBLEM_MAX];
	unsigned int runs;
	unsigned int all; /* failures that could be tried */
};

struct options {
	bool verbose;
	long only_mode;	 /* enum run_mode, -1: all */
	long only_fault; /* -1: all */
};

static void on_log(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static void no_log(const char *line)
{
	(void)line;
}

/* --- in the process of a test --------------------------------------- */

/* False when there was a problem, which @to then has. */
static bool one_run(const struct scenario *sc, enum run_mode mode,
		    struct progress *to)
{
	problem_clear();
	run_scenario(sc, mode);
	to->runs++;
	if (problem_text() != NULL)
		(void)str_copy(to->problem, sizeof(to->problem),
			       problem_text());
	return problem_text() == NULL;
}

/* One run to make the plan, and one for each failure in it. */
static void run_faults(const struct scenario *sc, enum run_mode mode, long only,
		       struct progress *to)
{
	size_t step, n, at;

	fault_clear();
	if (!one_run(sc, mode, to))
		return;
	n = fault_plan(mode == RUN_INTERRUPTED);
	to->all = (unsigned int)n;
	to->runs = 0;
	step = only >= 0 ? n : (n + FAULTS_MAX - 1) / FAULTS_MAX;
	for (at = only >= 0 ? (size_t)only : 0; at < n; at += step) {
		char what[80];

		fault_describe(at, what, sizeof(what));
		snprintf(to->where, sizeof(to->where), "failure %zu (%s)", at,
			 what);
		fault_clear();
		fault_inject(at);
		if (!one_run(sc, mode, to))
			return;
	}
	to->where[0] = '\0';
}

static void run_child(const struct scenario *sc, enum run_mode mode,
		      const struct options *opt, struct progress *to)
{
	struct rlimit cpu = {CHILD_SECONDS, CHILD_SECONDS};

	(void)setrlimit(RLIMIT_CPU, &cpu);
	log_open("relay", opt->verbose ? LEVEL_DEBUG : LEVEL_ERROR);
	log_set_sink(opt->verbose ? on_log : no_log);
	if (mode >= RUN_INTERRUPTED) {
		run_faults(sc, mode, opt->only_fault, to);
		return;
	}
	fault_clear();
	(void)one_run(sc, mode, to);
}

/* --- in the parent -------------------------------------------------- */

static unsigned int tests, failed;

static void report(const struct scenario *sc, enum run_mode mode,
		   const struct progress *p, int status)
{
	static const char *const ways[RUN_MODES] = {
		[RUN_WHOLE] = "whole",
		[RUN_PIECES] = "in pieces",
		[RUN_INTERRUPTED] = "interrupted",
		[RUN_FAULT] = "with failures"};
	bool ok = status == 0 && p->problem[0] == '\0';

	tests++;
	failed += !ok;
	printf("%s %u - %s %s", ok ? "ok" : "not ok", tests, sc->name,
	       ways[mode]);
	if (mode >= RUN_INTERRUPTED)
		printf(" (%u of %u)", p->runs, p->all);
	printf("\n");
	if (p->problem[0] != '\0')
		printf("# %s\n", p->problem);
	if (!ok && p->where[0] != '\0')
		printf("# with %s\n", p->where);
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	else if (status != 0)
		printf("# ended with status %d\n", WEXITSTATUS(status));
}

static void test(const struct scenario *sc, enum run_mode mode,
		 const struct options *opt, struct progress *shared)
{
	int status = 0;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		run_child(sc, mode, opt, shared);
		/* Whole, so that a leak checker has its say. */
		exit(EXIT_SUCCESS);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		status = -1;
	report(sc, mode, shared, status);
}

static void test_file(const char *path, const struct options *opt,
		      struct progress *shared)
{
	struct scenario sc;

	problem_clear();
	if (!scenario_load(&sc, path)) {
		printf("not ok %u - %s\n# %s\n", ++tests, path, problem_text());
		failed++;
		scenario_free(&sc);
		return;
	}
	for (int mode = RUN_WHOLE; mode < RUN_MODES; mode++)
		if (opt->only_mode < 0 || opt->only_mode == mode)
			test(&sc, (enum run_mode)mode, opt, shared);
	scenario_free(&sc);
}

static void read_options(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "vwpi:f:")) != -1) {
		switch (c) {
		case 'v':
			opt->verbose = true;
			break;
		case 'w':
			opt->only_mode = RUN_WHOLE;
			break;
		case 'p':
			opt->only_mode = RUN_PIECES;
			break;
		case 'i':
		case 'f':
			opt->only_mode = c == 'i' ? RUN_INTERRUPTED : RUN_FAULT;
			opt->only_fault = strtol(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct options opt = {.only_mode = -1, .only_fault = -1};
	struct progress *shared;

	read_options(argc, argv, &opt);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	for (int i = optind; i < argc; i++)
		test_file(argv[i], &opt, shared);
	printf("1..%u\n", tests);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
