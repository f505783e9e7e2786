// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/ftp_path.h"

#include <string.h>

/* One level up; the root stays what it is, and so does the login directory. */
static void leave(char *text)
{
	char *slash = strrchr(text, '/');

	if (slash == NULL)
		text[0] = '\0';
	else
		slash[slash == text] = '\0';
}

/* @name, one level down. False without room. */
static bool descend(struct ftp_path *path, struct str name)
{
	size_t len = strlen(path->text);
	bool slash = len > 0 && path->text[len - 1] != '/';

	if (len + slash + name.len >= sizeof(path->text))
		return false;
	if (slash)
		path->text[len++] = '/';
	memcpy(path->text + len, name.p, name.len);
	path->text[len + name.len] = '\0';
	return true;
}

static bool step(struct ftp_path *path, struct str name)
{
	if (name.len == 0 || str_eq(name, STR(".")))
		return true;
	if (!str_eq(name, STR("..")))
		return descend(path, name);
	leave(path->text);
	return true;
}

/* False when it has no room; then @path is of no use. */
static bool walk(struct ftp_path *path, struct str argument)
{
	const char *p = argument.p, *end = argument.p + argument.len;

	if (argument.len > 0 && *p == '/')
		memcpy(path->text, "/", 2);
	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		const char *stop = slash != NULL ? slash : end;

		if (!step(path, (struct str){p, (size_t)(stop - p)}))
			return false;
		p = slash != NULL ? slash + 1 : end;
	}
	return true;
}

void ftp_path_enter(struct ftp_path *path, struct str argument)
{
	struct ftp_path next = *path;

	if (walk(&next, argument))
		*path = next;
}

/* RFC 959 appendix II: the name in quotes, quotes within it doubled. */
void ftp_path_is(struct ftp_path *path, struct str text)
{
	struct ftp_path now = {{0}};
	size_t n = 0;

	if (text.len < 2 || text.p[0] != '"' || text.p[1] != '/')
		return;
	for (size_t i = 1; i < text.len; i++) {
		if (text.p[i] == '"' && (++i == text.len || text.p[i] != '"')) {
			ftp_path_enter(path, (struct str){now.text, n});
			return;
		}
		if (n == sizeof(now.text) - 1)
			return;
		now.text[n++] = text.p[i];
	}
}

/* RFC 3986 2.3, and what else may stand in a path. */
static bool is_plain(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~/!$&'()*+,;=:@", c) != NULL);
}

void ftp_path_url(struct strbuf *sb, const struct ftp_path *path,
		  struct str argument)
{
	struct ftp_path whole = *path;
	const char *p = whole.text;

	/* Without room for all of it, what was asked for is told. */
	if (!walk(&whole, argument)) {
		memset(&whole, 0, sizeof(whole));
		str_copy_view(whole.text, sizeof(whole.text), argument);
	}
	strbuf_putc(sb, '/');
	if (*p == '/') {
		strbuf_puts(sb, "%2F");
		p++;
	}
	for (; *p != '\0'; p++) {
		if (is_plain(*p))
			strbuf_putc(sb, *p);
		else
			strbuf_printf(sb, "%%%02X", (uint8_t)*p);
	}
}
