// SPDX-License-Identifier: GPL-2.0-or-later
#include "roles/sluiced/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/load.h"
#include "conf/policy.h"
#include "conf/template.h"

#define FILE_MAX       CONFIG_TEXT_MAX
#define DEFAULT_PAGES  "/etc/sluice/pages"
#define DEFAULT_POLICY "/etc/sluice/policy.conf"

/* The whole of a regular file as text (caller's); NULL with errno set. */
static char *read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	int saved;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1)
		goto fail;
	errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		goto fail;
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		goto fail;
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n == -1)
			goto fail;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	errno = EILSEQ;
	if (strlen(text) != len)
		goto fail;
	close(fd);
	return text;
fail:
	saved = errno;
	free(text);
	close(fd);
	errno = saved;
	return NULL;
}

static void add_file_error(struct config_errors *errs, const char *path)
{
	const char *why = strerror(errno);

	if (errno == EILSEQ)
		why = "it holds a NUL byte";
	else if (errno == EINVAL)
		why = "it is not a regular file";
	config_error_add(errs, path, 0, "can't be read: %s", why);
}

/*
 * A template that is there replaces the built-in one. One that is missing is
 * only an error when somebody named the directory: then it is a slip. Not so
 * the page of progress, which directories of older versions don't have.
 */
static void load_page(struct config *config, enum config_page page, bool named,
		      struct config_errors *errs)
{
	char path[CONFIG_PATH_MAX + 32];
	char *text;

	snprintf(path, sizeof(path), "%s/%s", config->pages,
		 config_page_files[page]);
	text = read_text(path);
	named = named && page != CONFIG_PAGE_PROGRESS;
	if (text == NULL && (errno != ENOENT || named))
		add_file_error(errs, path);
	else if (text != NULL)
		config_set_page(config, page, path, text, errs);
	free(text);
}

/* Absent, nothing is asked for; unless somebody named it: then it is a slip. */
static void load_policy(struct config *config, struct config_errors *errs)
{
	const char *path = config->policy_file;
	char *text = read_text(path);

	if (text == NULL &&
	    (errno != ENOENT || strcmp(path, DEFAULT_POLICY) != 0))
		add_file_error(errs, path);
	else if (text != NULL)
		/* What is wrong is in @errs. */
		(void)!config_load_policy(path, text, &config->policy, errs);
	free(text);
}

struct config *load_config(const char *path, struct config_errors *errs)
{
	struct config *config = calloc(1, sizeof(*config));
	char *text = NULL;
	bool named;

	config_errors_init(errs);
	if (config != NULL)
		text = read_text(path);
	if (text == NULL) {
		add_file_error(errs, path);
		free(config);
		return NULL;
	}
	if (config_load_text(path, text, config, errs) == 0) {
		named = strcmp(config->pages, DEFAULT_PAGES) != 0;
		for (int page = 0; page < CONFIG_PAGES; page++)
			load_page(config, (enum config_page)page, named, errs);
		load_policy(config, errs);
	}
	free(text);
	if (errs->count == 0)
		return config;
	free(config);
	return NULL;
}
