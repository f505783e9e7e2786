// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/reload.h"
#include "roles/sluiced/control.h"
#include "roles/sluiced/detach.h"
#include "roles/sluiced/host.h"
#include "roles/sluiced/load.h"
#include "roles/sluiced/output.h"
#include "roles/sluiced/pidfile.h"
#include "roles/sluiced/supervise.h"
#include "sys/log.h"

struct daemon {
	struct supervisor sup;
	struct control *control;
	struct loop_fd signals;
	struct pidfile pidfile;
	const char *file;
};

/* --- reload ------------------------------------------------------------------------- */

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

/* One line a reason, in @text and in the log. */
static void put_errors(const struct config_errors *errs, struct strbuf *text)
{
	for (unsigned int i = 0; i < errs->count; i++) {
		log_error("reload: %s", errs->list[i].text);
		strbuf_printf(text, "%s%s", i > 0 ? "\n" : "",
			      errs->list[i].text);
	}
	if (errs->more > 0)
		strbuf_printf(text, "\nand %u more", errs->more);
}

/* 0 or -errno; @text is filled either way. */
static int load_and_swap(struct daemon *d, struct config_errors *errs,
			 struct strbuf *text)
{
	struct config *fresh;
	int rc;

	if (d->sup.phase != PHASE_RUNNING) {
		strbuf_puts(text, "sluiced is stopping");
		return -ECANCELED;
	}
	fresh = load_config(d->file, errs);
	if (fresh == NULL) {
		put_errors(errs, text);
		return -EINVAL;
	}
	keep_restart_keys(fresh, d->sup.config, text);
	rc = supervisor_reload(&d->sup, fresh);
	if (rc == 0)
		return 0;
	free(fresh);
	strbuf_printf(text, "%s%s", text->len > 0 ? "; " : "", strerror(-rc));
	log_error("reload: %s", strerror(-rc));
	return rc;
}

static int reload(void *user, char *text, size_t size)
{
	struct daemon *d = user;
	struct config_errors *errs = malloc(sizeof(*errs));
	struct strbuf sb;
	int rc = -ENOMEM;

	strbuf_init(&sb, text, size);
	if (errs != NULL)
		rc = load_and_swap(d, errs, &sb);
	else
		strbuf_puts(&sb, strerror(ENOMEM));
	free(errs);
	if (rc == 0)
		log_info("reload: generation %llu of %s is in force%s%s",
			 (unsigned long long)d->sup.config->generation, d->file,
			 sb.len > 0 ? "; " : "", text);
	else
		log_error("reload: the running configuration stays");
	return rc;
}

/* --- signals ------------------------------------------------------------------------- */

static void on_signal(struct loop_fd *lfd, uint32_t events)
{
	struct daemon *d = list_entry(lfd, struct daemon, signals);
	struct signalfd_siginfo info;
	char text[CONTROL_TEXT_MAX];

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

/* --- life ------------------------------------------------------------------------------ */

/* Everything that can fail for a reason the administrator can mend. */
static int set_up(struct daemon *d, struct config *config)
{
	struct control_ops ops = {.reload = reload, .user = d};
	struct account account;
	int rc = host_account(config->user, &account);

	if (rc == 0)
		rc = host_directories(config, &account);
	if (rc == 0)
		rc = pidfile_take(&d->pidfile, config->run_dir, d->file);
	if (rc == 0)
		rc = supervisor_init(&d->sup, config);
	if (rc != 0)
		return rc;
	d->sup.uid = account.uid;
	d->sup.gid = account.gid;
	rc = watch_signals(d);
	if (rc != 0) {
		log_error("signals: %s", strerror(-rc));
		return rc;
	}
	d->control = control_open(&d->sup, &ops);
	return d->control != NULL ? 0 : -errno;
}

int daemon_run(struct config *config, const char *file, struct detach *detach)
{
	static struct daemon d = {.pidfile.fd = -1}; /* large: a slot a role */
	int rc;

	d.file = file;
	rc = set_up(&d, config);
	if (rc != 0) {
		pidfile_release(&d.pidfile);
		return rc;
	}
	if (detach->tell_fd != -1)
		output_use_syslog();
	detach_finish(detach);
	log_info("sluiced %s, configuration %s", SLUICE_VERSION, file);
	host_note_limits();
	supervisor_start(&d.sup);
	rc = loop_run(&d.sup.loop);
	log_info("stopped");
	/* Last, as it tells those who wait that a new one may be started. */
	pidfile_release(&d.pidfile);
	control_close(d.control);
	supervisor_close(&d.sup);
	return rc;
}
