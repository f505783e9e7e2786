// SPDX-License-Identifier: GPL-2.0-or-later
/* sluiced: the parent of all roles. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "roles/sluiced/daemon.h"
#include "roles/sluiced/detach.h"
#include "roles/sluiced/host.h"
#include "roles/sluiced/load.h"
#include "roles/sluiced/output.h"
#include "sys/log.h"

#define DEFAULT_CONFIG "/etc/sluice/sluice.conf"

enum { EXIT_USAGE = 2 };

struct options {
	const char *file;
	bool foreground;
	bool check;
};

static int usage(FILE *to)
{
	fprintf(to, "usage: sluiced [-c FILE] [-f] [-n] [-h] [-V]\n"
		    "  -c FILE  configuration (" DEFAULT_CONFIG ")\n"
		    "  -f       stay in the foreground, log to standard error\n"
		    "  -n       check the configuration and exit\n"
		    "  -h       this text\n"
		    "  -V       print the version\n");
	return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *opt)
{
	static const struct option names[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*opt = (struct options){.file = DEFAULT_CONFIG};
	while ((c = getopt_long(argc, argv, "c:fnhV", names, NULL)) != -1) {
		switch (c) {
		case 'c':
			opt->file = optarg;
			break;
		case 'f':
			opt->foreground = true;
			break;
		case 'n':
			opt->check = true;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			printf("sluiced %s\n", SLUICE_VERSION);
			return EXIT_SUCCESS;
		default:
			return usage(stderr);
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "sluiced: %s: sluiced takes options only\n",
		argv[optind]);
	return usage(stderr);
}

/* NULL when there is none; what is wrong was printed. */
static struct config *load_or_say(const char *file)
{
	struct config_errors *errs = malloc(sizeof(*errs));
	struct config *config;

	if (errs == NULL) {
		fprintf(stderr, "sluiced: %s\n", strerror(ENOMEM));
		return NULL;
	}
	config = load_config(file, errs);
	for (unsigned int i = 0; i < errs->count; i++)
		fprintf(stderr, "%s\n", errs->list[i].text);
	if (errs->more > 0)
		fprintf(stderr, "and %u more\n", errs->more);
	free(errs);
	return config;
}

/*
 * A reload reads the same file wherever the daemon stands then. A symbolic
 * link stays one: what it leads to may be another file by that time.
 */
static bool absolute_path(const char *file, char *dst, size_t size)
{
	struct strbuf sb;
	char *here = NULL;

	strbuf_init(&sb, dst, size);
	if (file[0] != '/') {
		here = getcwd(NULL, 0);
		if (here == NULL)
			return false;
		strbuf_printf(&sb, "%s/", here);
		free(here);
	}
	strbuf_puts(&sb, file);
	return !sb.cut;
}

/* Whatever we open must not become standard input, output or error. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

/* As root, with a good configuration, which is taken over. */
static int start(const struct options *opt, struct config *config)
{
	static char file[CONFIG_PATH_MAX];
	struct detach detach = {.tell_fd = -1};
	int rc = 0;

	umask(S_IWGRP | S_IWOTH);
	host_raise_limits();
	log_set_sink(output_line);
	log_set_level(config->log_level);
	if (!absolute_path(opt->file, file, sizeof(file))) {
		log_error("the path of %s is too long; move it", opt->file);
		return -ENAMETOOLONG;
	}
	str_copy(config->file, sizeof(config->file), file);
	if (!opt->foreground)
		rc = detach_begin(&detach);
	if (rc != 0) {
		log_error("can't go to the background: %s", strerror(-rc));
		return rc;
	}
	return daemon_run(config, file, &detach);
}

int main(int argc, char **argv)
{
	struct options opt;
	struct config *config;
	int status = parse_options(argc, argv, &opt);

	if (status != -1)
		return status;
	fill_standard_descriptors();
	log_open("sluiced", LEVEL_INFO);
	config = load_or_say(opt.file);
	if (config == NULL)
		return EXIT_FAILURE;
	if (opt.check) {
		printf("%s: ok\n", opt.file);
		free(config);
		return EXIT_SUCCESS;
	}
	if (geteuid() != 0) {
		log_error("not root: start sluiced as root (each role then "
			  "gives up what it doesn't need)");
		free(config);
		return EXIT_FAILURE;
	}
	return start(&opt, config) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
