// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/net/asked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/log.h"

#define LINE_TEXT (IP_TEXT_MAX + 32)
#define TEXT_MAX  (LINE_TEXT * (ASKED_BYPASSES + 1))

const char *asked_side(enum ruleset_bypass list)
{
	return list == BYPASS_SERVERS ? "server" : "client";
}

/* --- bypasses ------------------------------------------------------------------------ */

static bool same_net(const struct ip_net *a, const struct ip_net *b)
{
	return a->prefix == b->prefix && ip_addr_equal(&a->addr, &b->addr);
}

int asked_add(struct asked *a, enum ruleset_bypass list,
	      const struct ip_net *net)
{
	if (a->count == ASKED_BYPASSES)
		return -ENOSPC;
	a->bypasses[a->count++] = (struct asked_bypass){list, *net};
	return 0;
}

int asked_delete(struct asked *a, enum ruleset_bypass list,
		 const struct ip_net *net)
{
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->bypasses[i].list != list ||
		    !same_net(&a->bypasses[i].net, net))
			continue;
		a->bypasses[i] = a->bypasses[--a->count];
		return 0;
	}
	return -ENOENT;
}

void asked_apply(const struct asked *a, struct ruleset *rs)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const struct asked_bypass *b = &a->bypasses[i];
		struct ruleset_set *set =
			&rs->sets[ruleset_bypass_set(b->list, &b->net)];
		union ruleset_elem elem = {.net = b->net};

		/* -EEXIST: a wider one is there, of the configuration. */
		if (ruleset_set_add(set, &elem) == -ENOSPC)
			log_warn("set %s is full: a bypass of run time is "
				 "left out",
				 set->name);
	}
}

/* --- text ------------------------------------------------------------------------------ */

void asked_format(const struct asked *a, struct strbuf *out)
{
	char text[IP_TEXT_MAX];

	if (a->rules != ASKED_NOTHING)
		strbuf_printf(out, "rules %s\n",
			      a->rules == ASKED_INSTALL ? "install" : "remove");
	for (uint32_t i = 0; i < a->count; i++)
		strbuf_printf(
			out, "bypass %s %s\n", asked_side(a->bypasses[i].list),
			ip_net_format(&a->bypasses[i].net, text, sizeof(text)));
}

static bool take_bypass(struct asked *a, enum ruleset_bypass list,
			const char *text)
{
	struct ip_net net;

	return ip_net_parse(text, &net) && asked_add(a, list, &net) == 0;
}

/* Whether @line is one of ours. */
static bool take_line(struct asked *a, const char *line)
{
	static const char client[] = "bypass client ";
	static const char server[] = "bypass server ";

	if (strcmp(line, "rules install") == 0)
		a->rules = ASKED_INSTALL;
	else if (strcmp(line, "rules remove") == 0)
		a->rules = ASKED_REMOVE;
	else if (strncmp(line, client, strlen(client)) == 0)
		return take_bypass(a, BYPASS_CLIENTS, line + strlen(client));
	else if (strncmp(line, server, strlen(server)) == 0)
		return take_bypass(a, BYPASS_SERVERS, line + strlen(server));
	else
		return false;
	return true;
}

unsigned int asked_parse(struct asked *a, const char *text)
{
	unsigned int bad = 0;

	a->rules = ASKED_NOTHING;
	a->count = 0;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		char line[LINE_TEXT];

		if (!str_copy_view(line, sizeof(line), (struct str){text, n}) ||
		    !take_line(a, line))
			bad++;
		text += n;
		if (*text == '\n')
			text++;
	}
	return bad;
}

/* --- the file ---------------------------------------------------------------------------- */

/* What is in the file (the caller's), or NULL and errno. */
static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char *text = NULL;
	ssize_t n;

	if (fd == -1)
		return NULL;
	text = malloc(TEXT_MAX);
	n = text != NULL ? read(fd, text, TEXT_MAX - 1) : -1;
	close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

void asked_load(struct asked *a, const char *run_dir)
{
	unsigned int bad;
	char *text;

	memset(a, 0, sizeof(*a));
	snprintf(a->path, sizeof(a->path), "%s/net/asked", run_dir);
	text = read_file(a->path);
	if (text == NULL) {
		if (errno != ENOENT)
			log_error("%s: %s; what was asked for at run time is "
				  "forgotten",
				  a->path, strerror(errno));
		return;
	}
	bad = asked_parse(a, text);
	free(text);
	if (bad > 0)
		log_error("%s: %u lines are damaged and left out", a->path,
			  bad);
	if (a->rules != ASKED_NOTHING || a->count > 0)
		log_warn("asked for earlier and still in force: %u bypasses%s",
			 a->count,
			 a->rules == ASKED_REMOVE    ? ", no rules"
			 : a->rules == ASKED_INSTALL ? ", rules"
						     : "");
}

static int write_file(const char *path, const struct strbuf *text)
{
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      S_IRUSR | S_IWUSR);
	ssize_t n;
	int rc = 0;

	if (fd == -1)
		return -errno;
	n = write(fd, text->data, text->len);
	if (n == -1)
		rc = -errno;
	else if ((size_t)n != text->len)
		rc = -ENOSPC;
	close(fd);
	return rc;
}

/* All of it or what was there before. */
static int replace_file(const struct asked *a, const struct strbuf *text)
{
	char temp[sizeof(a->path) + 4];
	int rc;

	if (text->len == 0) /* nothing is asked for any more */
		return unlink(a->path) == -1 && errno != ENOENT ? -errno : 0;
	snprintf(temp, sizeof(temp), "%s.new", a->path);
	rc = write_file(temp, text);
	if (rc == 0 && rename(temp, a->path) == -1)
		rc = -errno;
	if (rc != 0)
		unlink(temp);
	return rc;
}

void asked_save(const struct asked *a)
{
	char *memory = malloc(TEXT_MAX);
	struct strbuf text;
	int rc = -ENOMEM;

	if (memory != NULL) {
		strbuf_init(&text, memory, TEXT_MAX);
		asked_format(a, &text);
		rc = replace_file(a, &text);
	}
	if (rc != 0)
		log_warn("%s: %s; what was asked for at run time holds only "
			 "while the net role lives",
			 a->path, strerror(-rc));
	free(memory);
}

void asked_forget(const struct asked *a)
{
	unlink(a->path);
}
