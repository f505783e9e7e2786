// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * clamd as an engine: it gets the descriptor of the object (FILDES) and reads
 * it itself. Its limits are those of clamd.conf.
 */
#include "scan/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "scan/clamd_client.h"
#include "sys/clock.h"
#include "sys/log.h"

#define VERSION_MAX   128
#define VERSION_LIMIT 5000 /* ms */

struct engine {
	char socket[CONFIG_PATH_MAX];
	char version[VERSION_MAX];
	uint64_t max_object;
	struct log_limit complaints;
};

/* clamd's version and that of its signatures; 0 or -errno. */
static int ask_version(const char *socket, char version[VERSION_MAX])
{
	uint8_t reply[CLAMD_REPLY_MAX];
	struct strbuf sb;
	size_t len;
	int rc = clamd_command(socket, "VERSION", -1, VERSION_LIMIT, reply,
			       &len);

	if (rc != 0)
		return rc;
	strbuf_init(&sb, version, VERSION_MAX);
	strbuf_printable(
		&sb, (struct str){(char *)reply, strnlen((char *)reply, len)});
	return sb.len > 0 ? 0 : -EPROTO;
}

static void explain(const char *socket, int rc, char wrong[ENGINE_TEXT_MAX])
{
	const char *advice = "";

	if (rc == -ENOENT || rc == -ECONNREFUSED)
		advice = " (start clamd, or set scan.clamd to its LocalSocket)";
	else if (rc == -EACCES)
		advice = " (set LocalSocketMode 666 in clamd.conf)";
	snprintf(wrong, ENGINE_TEXT_MAX, "clamd at %s: %s%s", socket,
		 rc == -EPROTO ? "gives no version" : strerror(-rc), advice);
}

static int load(struct engine **out, const struct config_scan *scan,
		struct engine_info *info, char wrong[ENGINE_TEXT_MAX])
{
	struct engine *e = calloc(1, sizeof(*e));
	int rc = e != NULL ? 0 : -ENOMEM;

	(void)info; /* clamd doesn't say how many signatures it has */
	if (rc == 0) {
		str_copy(e->socket, sizeof(e->socket), scan->clamd);
		e->max_object = scan->max_object;
		rc = ask_version(e->socket, e->version);
	}
	if (rc != 0) {
		explain(scan->clamd, rc, wrong);
		free(e);
		return rc;
	}
	*out = e;
	return 0;
}

static int check(struct engine *e, char wrong[ENGINE_TEXT_MAX])
{
	char version[VERSION_MAX];
	int rc = ask_version(e->socket, version);

	if (rc != 0) {
		explain(e->socket, rc, wrong);
		return rc;
	}
	return strcmp(version, e->version) == 0 ? 0 : -ESTALE;
}

static int attach(struct engine *e, const char *disk, const char *memory)
{
	(void)e;
	(void)disk;
	(void)memory;
	return 0;
}

/* --- scanning --------------------------------------------------------------- */

/* The bytes as a memory file; descriptor or -errno. */
static int file_of(const struct engine_input *in)
{
	int fd = memfd_create("sluice-part", MFD_CLOEXEC);
	size_t done = 0;

	if (fd == -1)
		return -errno;
	while (done < in->size) {
		ssize_t n = write(fd, in->data + done, in->size - done);

		if (n == -1) {
			int rc = -errno;

			close(fd);
			return rc;
		}
		done += (size_t)n;
	}
	return fd;
}

static void complain(struct engine *e, struct str why)
{
	char text[256];
	struct strbuf sb;

	if (!log_limit_pass(&e->complaints, clock_system.monotonic_ms()))
		return;
	strbuf_init(&sb, text, sizeof(text));
	strbuf_printable(&sb, why);
	log_warn("clamd can't scan an object: %s", text);
	if (e->complaints.left_out > 0)
		log_warn("%llu more objects that clamd can't scan",
			 (unsigned long long)e->complaints.left_out);
	e->complaints.left_out = 0;
}

static bool str_holds(struct str s, const char *word)
{
	return memmem(s.p, s.len, word, strlen(word)) != NULL;
}

static void judge(struct engine *e, const uint8_t *reply, size_t len,
		  struct finding *out)
{
	struct str text;
	char name[MSG_NAME_MAX];

	switch (clamd_reply_parse(reply, len, &text)) {
	case CLAMD_CLEAN:
		finding_clean(out);
		return;
	case CLAMD_FOUND:
		str_copy_view(name, sizeof(name), text);
		finding_of_name(out, name);
		return;
	case CLAMD_ERROR:
		complain(e, text);
		finding_not_scanned(out, str_holds(text, "Time limit")
						 ? REASON_SCANNER_TIMEOUT
						 : REASON_SCANNER_FAILED);
		return;
	case CLAMD_PARTIAL:
	case CLAMD_BAD:
		break;
	}
	complain(e, STR("no answer, or one that is none"));
	finding_not_scanned(out, REASON_SCANNER_FAILED);
}

static void scan(struct engine *e, const struct engine_input *in,
		 uint64_t limit_ms, struct finding *out)
{
	uint8_t reply[CLAMD_REPLY_MAX];
	int fd = in->fd != -1 ? in->fd : file_of(in);
	size_t len;
	int rc = fd;

	if (in->size > e->max_object) {
		finding_not_scanned(out, REASON_SIZE);
		goto out;
	}
	if (fd >= 0)
		rc = clamd_command(e->socket, "FILDES", fd, limit_ms, reply,
				   &len);
	if (rc == 0) {
		judge(e, reply, len, out);
	} else if (rc == -ETIMEDOUT) {
		finding_not_scanned(out, REASON_SCANNER_TIMEOUT);
	} else {
		complain(e, str_of(strerror(-rc)));
		finding_not_scanned(out, REASON_SCANNER_FAILED);
	}
out:
	if (fd >= 0 && fd != in->fd)
		close(fd);
}

const struct engine_ops engine_clamd = {
	.load = load,
	.check = check,
	.attach = attach,
	.scan = scan,
	.check_ms = 10000,
	.retry_ms = 1000,
};
