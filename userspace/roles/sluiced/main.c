// SPDX-License-Identifier: GPL-2.0-or-later
/* sluiced: the parent of all roles. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/reload.h"
#include "roles/sluiced/control.h"
#include "roles/sluiced/load.h"
#include "roles/sluiced/output.h"
#include "roles/sluiced/supervise.h"
#include "sys/log.h"

#define DEFAULT_CONFIG "/etc/sluice/sluice.conf"

struct options {
	const char *file;
	bool foreground;
	bool check;
};

struct daemon {
	struct supervisor sup;
	struct control *control;
	struct loop_fd signals;
	const char *file;
	int lock_fd;
};

static int usage(FILE *to)
{
	fprintf(to, "usage: sluiced [-c FILE] [-f] [-n] [-V]\n"
		    "  -c FILE  configuration (" DEFAULT_CONFIG ")\n"
		    "  -f       stay in the foreground, log to standard error\n"
		    "  -n       check the configuration and exit\n"
		    "  -V       print the version\n");
	return to == stdout ? 0 : 2;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *opt)
{
	int c;

	*opt = (struct options){.file = DEFAULT_CONFIG};
	while ((c = getopt(argc, argv, "c:fnhV")) != -1) {
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
			return 0;
		default:
			return usage(stderr);
		}
	}
	return optind == argc ? -1 : usage(stderr);
}

static void print_errors(const struct config_errors *errs)
{
	for (unsigned int i = 0; i < errs->count; i++)
		fprintf(stderr, "%s\n", errs->list[i].text);
	if (errs->more > 0)
		fprintf(stderr, "and %u more\n", errs->more);
}

/* --- the host ------------------------------------------------------------------- */

static int find_account(const char *user, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL) {
		log_error("user \"%s\" does not exist; create it: "
			  "adduser --system --group --no-create-home %s",
			  user, user);
		return errno != 0 ? -errno : -ENOENT;
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	if (*uid == 0 || *gid == 0) {
		log_error("user \"%s\" is root; the roles that touch traffic "
			  "must not be",
			  user);
		return -EINVAL;
	}
	return 0;
}

/* A directory with this owner and mode, made if it isn't there. */
static int want_dir(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == -1 && errno != EEXIST)
		goto fail;
	if (lstat(path, &st) == -1)
		goto fail;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		goto fail;
	}
	if (chown(path, uid, gid) == 0 && chmod(path, mode) == 0)
		return 0;
fail:
	log_error("directory %s: %s", path, strerror(errno));
	return -errno;
}

static int want_subdir(const char *dir, const char *name, uid_t uid, gid_t gid,
		       mode_t mode)
{
	char path[CONFIG_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return want_dir(path, uid, gid, mode);
}

static int want_dirs(const struct config *config, uid_t uid, gid_t gid)
{
	int rc = want_dir(config->run_dir, 0, gid, 0755);

	if (rc == 0)
		rc = want_subdir(config->run_dir, "net", uid, gid, 0700);
	if (rc == 0)
		rc = want_dir(config->state_dir, 0, gid, 0750);
	if (rc == 0)
		rc = want_subdir(config->state_dir, "journal", uid, gid, 0750);
	if (rc == 0)
		rc = want_subdir(config->state_dir, "spool", uid, gid, 0700);
	return rc;
}

/* One daemon a run_dir: the lock goes with the process, however it ends. */
static int lock_run_dir(const char *run_dir, const char *file)
{
	char path[CONFIG_PATH_MAX + 32];
	char text[32];
	int fd, n;

	snprintf(path, sizeof(path), "%s/sluiced.pid", run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1) {
		log_error("%s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		log_error("another sluiced runs with run_dir %s; stop it "
			  "(sluicectl stop) or set another run_dir in %s",
			  run_dir, file);
		close(fd);
		return -EBUSY;
	}
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == -1 || write(fd, text, (size_t)n) != n)
		log_warn("%s: %s", path, strerror(errno));
	return fd;
}

/* Each session needs two descriptors: take what the system allows. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		log_warn("descriptor limit: %s", strerror(errno));
}

static void note_descriptor_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536)
		log_warn("a process may have %llu descriptors, so each relay "
			 "holds at most %llu sessions (LimitNOFILE= or "
			 "limits.conf raises it)",
			 (unsigned long long)files.rlim_cur,
			 (unsigned long long)files.rlim_cur / 2);
}

/* --- reload and signals ----------------------------------------------------------- */

/* Keys that a running daemon can't change keep their value, and we say so. */
static void keep_restart_keys(struct config *fresh, const struct config *old,
			      struct strbuf *note)
{
	const struct config_key *key = NULL;

	while ((key = config_restart_key(old, fresh, key)) != NULL)
		strbuf_printf(note, "%s%s%s%s",
			      note->len > 0 ? ", "
					    : "changes with a restart only: ",
			      key->section, key->section[0] != '\0' ? "." : "",
			      key->name);
	config_keep_restart_keys(fresh, old);
}

static int reload(void *user, char *text, size_t size)
{
	struct daemon *d = user;
	struct config_errors *errs = malloc(sizeof(*errs));
	struct config *fresh = NULL;
	struct strbuf sb;
	int rc = -ENOMEM;

	strbuf_init(&sb, text, size);
	if (errs != NULL)
		fresh = load_config(d->file, errs);
	if (fresh != NULL) {
		keep_restart_keys(fresh, d->sup.config, &sb);
		rc = supervisor_reload(&d->sup, fresh);
		if (rc != 0)
			strbuf_puts(&sb, strerror(-rc));
	} else if (errs != NULL) {
		rc = -EINVAL;
		for (unsigned int i = 0; i < errs->count; i++)
			strbuf_printf(&sb, "%s%s", i > 0 ? "\n" : "",
				      errs->list[i].text);
	}
	if (rc == 0)
		log_info("reload: generation %llu of %s is in force%s%s",
			 (unsigned long long)fresh->generation, d->file,
			 sb.len > 0 ? "; " : "", text);
	else
		log_error("reload: %s; the running configuration stays", text);
	if (rc != 0)
		free(fresh);
	free(errs);
	return rc;
}

static void on_signal(struct loop_fd *lfd, uint32_t events)
{
	struct daemon *d = list_entry(lfd, struct daemon, signals);
	struct signalfd_siginfo info;
	char text[2048];

	(void)events;
	if (read(lfd->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		(void)reload(d, text, sizeof(text)); /* it logs */
	else
		supervisor_stop(&d->sup);
}

static int watch_signals(struct daemon *d)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		return -errno;
	return loop_add(&d->sup.loop, &d->signals, fd, EPOLLIN, on_signal);
}

/* --- life -------------------------------------------------------------------------- */

static int run(struct daemon *d)
{
	struct control_ops ops = {.reload = reload, .user = d};
	int rc = watch_signals(d);

	if (rc != 0)
		return rc;
	d->control = control_open(&d->sup, &ops);
	if (d->control == NULL)
		return -errno;
	rc = supervisor_start(&d->sup);
	if (rc == 0)
		rc = loop_run(&d->sup.loop);
	log_info("stopped");
	control_close(d->control);
	return rc;
}

/* Takes over @config. */
static int serve(struct daemon *d, struct config *config)
{
	uid_t uid;
	gid_t gid;
	int rc = find_account(config->user, &uid, &gid);

	if (rc == 0)
		rc = want_dirs(config, uid, gid);
	if (rc == 0) {
		d->lock_fd = lock_run_dir(config->run_dir, d->file);
		rc = d->lock_fd < 0 ? d->lock_fd : 0;
	}
	if (rc == 0)
		rc = supervisor_init(&d->sup, config);
	if (rc != 0)
		return rc;
	d->sup.uid = uid;
	d->sup.gid = gid;
	note_descriptor_limit();
	log_info("sluiced %s, configuration %s", SLUICE_VERSION, d->file);
	rc = run(d);
	supervisor_close(&d->sup);
	return rc;
}

int main(int argc, char **argv)
{
	static struct daemon d; /* large: one slot a role */
	struct config_errors *errs = malloc(sizeof(*errs));
	struct options opt;
	struct config *config;
	int status = parse_options(argc, argv, &opt);

	if (status != -1)
		return status;
	log_open("sluiced", LEVEL_INFO);
	config = errs != NULL ? load_config(opt.file, errs) : NULL;
	if (config == NULL) {
		if (errs != NULL)
			print_errors(errs);
		return 1;
	}
	free(errs);
	if (opt.check) {
		printf("%s: ok\n", opt.file);
		return 0;
	}
	if (geteuid() != 0) {
		log_error("sluiced starts as root (it then gives up what each "
			  "role doesn't need)");
		return 1;
	}
	umask(022);
	raise_limits();
	log_set_sink(output_line);
	log_set_level(config->log_level);
	/* A reload reads the same file wherever the daemon stands then. */
	d.file = realpath(opt.file, NULL);
	if (d.file == NULL)
		d.file = opt.file;
	if (!opt.foreground) {
		if (daemon(0, 0) == -1) {
			log_error("can't go to the background: %s",
				  strerror(errno));
			return 1;
		}
		output_use_syslog();
	}
	return serve(&d, config) == 0 ? 0 : 1;
}
