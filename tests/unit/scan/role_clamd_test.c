// SPDX-License-Identifier: GPL-2.0-or-later
/* engine = "clamd": the real one, and one made of this test that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/un.h>

#include "rig.h"

static struct rig rig;
static char eicar[EICAR_SIZE];
static const char page[] = "<html><body>Nothing here</body></html>";

static bool note_has(const char *text)
{
	char note[STATS_NOTE_MAX];

	stats_read_note(rig.stats, note, sizeof(note));
	if (strstr(note, text) == NULL)
		fprintf(stderr, "# note: %s\n", note);
	return strstr(note, text) != NULL;
}

static void await_ready(uint64_t ready)
{
	uint64_t end = rig_now_ms() + RIG_WAIT;

	while (stats_get(rig.stats, SCAN_READY) != ready) {
		assert_true(rig_now_ms() < end);
		usleep(5000);
	}
}

static int verdict_of(const void *data, size_t size)
{
	struct msg_scanned a;

	return rig_scan(&rig, data, size, &a);
}

/* --- a clamd of ours --------------------------------------------------------- */

enum mood {
	MOOD_RIGHT,	/* knows EICAR, says what is right */
	MOOD_SILENT,	/* takes the object and never answers */
	MOOD_HANGUP,	/* closes the connection instead */
	MOOD_NOISE,	/* answers with bytes that mean nothing */
	MOOD_FLOOD,	/* ... without an end */
	MOOD_ERROR,	/* "... ERROR" */
	MOOD_ENCRYPTED, /* "Heuristics.Encrypted.Zip FOUND" */
	MOOD_ALL_CLEAN
};

struct fake {
	enum mood mood;
	int version;
};

static struct fake *fake;
static pid_t fake_pid;

static int take_fd(int sock)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes)};
	int fd = -1;

	if (recvmsg(sock, &mh, 0) == 1 && CMSG_FIRSTHDR(&mh) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(fd));
	return fd;
}

static bool has_eicar(int fd)
{
	static char data[1 << 20];
	ssize_t n = pread(fd, data, sizeof(data), 0);

	return n > 0 && memmem(data, (size_t)n, eicar, EICAR_SIZE) != NULL;
}

static void reply(int sock, const char *text)
{
	send(sock, text, strlen(text) + 1, MSG_NOSIGNAL);
}

static void answer_scan(int sock, int fd)
{
	char flood[1000];

	memset(flood, 'f', sizeof(flood));
	switch (fake->mood) {
	case MOOD_RIGHT:
		reply(sock,
		      has_eicar(fd) ? "fd[9]: Test.Eicar FOUND" : "fd[9]: OK");
		break;
	case MOOD_ALL_CLEAN:
		reply(sock, "fd[9]: OK");
		break;
	case MOOD_SILENT:
		pause();
		break;
	case MOOD_HANGUP:
		break;
	case MOOD_NOISE:
		reply(sock, "\xff\xfe whatever");
		break;
	case MOOD_FLOOD:
		while (send(sock, flood, sizeof(flood), MSG_NOSIGNAL) > 0)
			;
		break;
	case MOOD_ERROR:
		reply(sock, "fd[9]: Can't allocate memory ERROR");
		break;
	case MOOD_ENCRYPTED:
		reply(sock, "fd[9]: Heuristics.Encrypted.Zip FOUND");
		break;
	}
}

static void serve_one(int sock)
{
	char command[64] = "", version[64];
	size_t n = 0;

	while (n < sizeof(command) - 1 && recv(sock, command + n, 1, 0) == 1 &&
	       command[n] != '\0')
		n++;
	if (strcmp(command, "zVERSION") == 0) {
		snprintf(version, sizeof(version), "FakeAV 1/%d",
			 fake->version);
		reply(sock, version);
	} else if (strcmp(command, "zFILDES") == 0) {
		int fd = take_fd(sock);

		answer_scan(sock, fd);
		close(fd);
	}
}

static _Noreturn void serve(int listener)
{
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int sock = accept(listener, NULL, NULL);

		if (sock != -1 && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve_one(sock);
			_exit(0);
		}
		close(sock);
	}
}

static void start_fake(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.100s",
		 rig.config.scan.clamd);
	unlink(addr.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	assert_int_equal(chmod(addr.sun_path, 0666), 0);
	assert_int_equal(listen(listener, 64), 0);
	fake_pid = fork();
	if (fake_pid == 0)
		serve(listener);
	close(listener);
}

static void stop_fake(void)
{
	kill(fake_pid, SIGKILL);
	waitpid(fake_pid, NULL, 0);
	unlink(rig.config.scan.clamd);
}

static int set_up(void **state)
{
	(void)state;
	eicar_fill(eicar);
	rig_init(&rig);
	rig.config.scan.engine = ENGINE_CLAMD;
	rig.config.scan.deadline = 2000;
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return fake == MAP_FAILED ? -1 : 0;
}

static int set_up_fake(void **state)
{
	int rc = set_up(state);

	if (rc == 0)
		start_fake();
	rig_start(&rig);
	return rc == 0 && rig_await(&rig, SCAN_WORKERS, 2) ? 0 : -1;
}

static int tear_down(void **state)
{
	int status = rig_stop(&rig);

	(void)state;
	if (fake_pid > 0)
		stop_fake();
	fake_pid = 0;
	munmap(fake, sizeof(*fake));
	rig_remove(&rig);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* --- tests -------------------------------------------------------------------- */

static void it_serves(void **state)
{
	struct msg_scanned a;
	size_t size = 300000;
	char *data = calloc(1, size);

	(void)state;
	assert_non_null(data);
	assert_int_equal(rig_scan(&rig, eicar, sizeof(eicar), &a),
			 VERDICT_BLOCKED);
	assert_string_equal(a.name, "Test.Eicar");
	assert_int_equal(verdict_of(page, sizeof(page)), VERDICT_CLEAN);
	memcpy(data + size - sizeof(eicar), eicar, sizeof(eicar));
	assert_int_equal(verdict_of(data, size), VERDICT_BLOCKED);
	assert_true(note_has("clamd at "));
	/* It never says that a limit was hit, so it may hide that. */
	assert_true(note_has("AlertExceedsMax"));
	free(data);
}

static void bad_answers(void **state)
{
	static const struct {
		enum mood mood;
		enum reason reason;
	} table[] = {
		{MOOD_SILENT, REASON_SCANNER_TIMEOUT},
		{MOOD_HANGUP, REASON_SCANNER_FAILED},
		{MOOD_NOISE, REASON_SCANNER_FAILED},
		{MOOD_FLOOD, REASON_SCANNER_FAILED},
		{MOOD_ERROR, REASON_SCANNER_FAILED},
		{MOOD_ENCRYPTED, REASON_ENCRYPTED},
	};
	struct msg_scanned a;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fake->mood = table[i].mood;
		assert_int_equal(rig_scan(&rig, page, sizeof(page), &a),
				 VERDICT_NOT_SCANNED);
		assert_int_equal(a.reason, table[i].reason);
	}
	fake->mood = MOOD_RIGHT;
	assert_int_equal(verdict_of(eicar, sizeof(eicar)), VERDICT_BLOCKED);
	assert_int_equal(stats_get(rig.stats, SCAN_WORKER_DEATHS), 0);
}

static void it_waits_for_clamd(void **state)
{
	struct msg_scanned a;

	(void)state;
	rig_start(&rig);
	assert_true(rig_await(&rig, SCAN_RELOADS_FAILED, 1));
	assert_true(note_has("start clamd"));
	assert_int_equal(rig_scan(&rig, page, sizeof(page), &a),
			 VERDICT_NOT_SCANNED);
	assert_int_equal(a.reason, REASON_SCANNER_FAILED);
	start_fake();
	await_ready(1);
	assert_int_equal(verdict_of(eicar, sizeof(eicar)), VERDICT_BLOCKED);
	/* One line in the log, not one a second. */
	assert_int_equal(stats_get(rig.stats, SCAN_RELOADS_FAILED), 1);
}

/* New signatures void the verdicts that are kept. */
static void new_signatures_are_noticed(void **state)
{
	uint64_t generation = stats_get(rig.stats, SCAN_GENERATION);

	(void)state;
	assert_int_equal(verdict_of(page, sizeof(page)), VERDICT_CLEAN);
	fake->version++;
	assert_true(rig_await(&rig, SCAN_GENERATION, generation + 1));
	assert_int_equal(stats_get(rig.stats, SCAN_CACHE_ENTRIES), 0);
	assert_int_equal(verdict_of(page, sizeof(page)), VERDICT_CLEAN);
	/* It dies: noticed by the next look, and taken up again. */
	stop_fake();
	await_ready(0);
	assert_false(vcache_ready(rig.cache));
	start_fake();
	await_ready(1);
	assert_int_equal(verdict_of(eicar, sizeof(eicar)), VERDICT_BLOCKED);
}

/* --- the real one --------------------------------------------------------------- */

static pid_t start_clamd(void)
{
	char text[1024], path[128];
	pid_t pid;

	snprintf(text, sizeof(text),
		 "LocalSocket %s\nLocalSocketMode 666\nDatabaseDirectory %s\n"
		 "Foreground yes\nUser root\nAlertExceedsMax yes\n"
		 "AlertEncryptedArchive yes\nMaxRecursion 10\n"
		 "TemporaryDirectory %s\n",
		 rig.config.scan.clamd, rig.config.scan.database, rig.dir);
	write_file(rig.dir, "clamd.conf", text);
	rig_path(&rig, "clamd.conf", path);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("clamd", "clamd", "-c", path, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void the_real_clamd(void **state)
{
	struct msg_scanned a;
	pid_t clamd;

	(void)state;
	if (access("/usr/sbin/clamd", X_OK) != 0) {
		printf("ok - real clamd # SKIP clamav-daemon is not "
		       "installed\n");
		rig_start(&rig);
		skip();
	}
	clamd = start_clamd();
	rig_start(&rig);
	await_ready(1);
	assert_int_equal(rig_scan(&rig, eicar, sizeof(eicar), &a),
			 VERDICT_BLOCKED);
	assert_string_equal(a.name, "Test.Eicar.UNOFFICIAL");
	assert_int_equal(verdict_of(page, sizeof(page)), VERDICT_CLEAN);
	assert_false(note_has("AlertExceedsMax"));
	kill(clamd, SIGKILL);
	waitpid(clamd, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_serves, set_up_fake,
						tear_down),
		cmocka_unit_test_setup_teardown(bad_answers, set_up_fake,
						tear_down),
		cmocka_unit_test_setup_teardown(it_waits_for_clamd, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(new_signatures_are_noticed,
						set_up_fake, tear_down),
		cmocka_unit_test_setup_teardown(the_real_clamd, set_up,
						tear_down),
	};

	if (rig_missing() != NULL) {
		printf("ok 1 - scan clamd # SKIP %s\n", rig_missing());
		return 0;
	}
	return cmocka_run_group_tests_name("scan clamd", tests, NULL, NULL);
}
