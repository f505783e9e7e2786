// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libclamav with a database made by hand: what is in the 44 containers of
 * clamav-testfiles, and that no limit is ever called clean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "eicar.h"
#include "scan/canary.h"
#include "scan/engine.h"

#define SAMPLES	 "/usr/share/clamav-testfiles"
#define LIMIT_MS 20000

/* An engine lives as long as its process, and each test here loads one. */
const char *__lsan_default_suppressions(void) /* NOLINT: its name */
{
	return "leak:libclamav\nleak:engine_libclamav\n";
}

static char dir[64];
static struct config_scan scan;
static char disk[128], memory[128];
static char eicar[EICAR_SIZE];

static void run_shell(const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (status != 0)
		fail_msg("%s: status %d", command, status);
}

static int set_up(void **state)
{
	char command[512];

	(void)state;
	eicar_fill(eicar);
	snprintf(dir, sizeof(dir), "/tmp/sluice-engine-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(disk, sizeof(disk), "%s/disk", dir);
	snprintf(memory, sizeof(memory), "%s/memory", dir);
	memset(&scan, 0, sizeof(scan));
	snprintf(scan.database, sizeof(scan.database), "%s/db", dir);
	scan.max_object = 32u << 20;
	scan.max_ratio = 1000;
	scan.max_files = 100;
	scan.max_depth = 8;
	scan.deadline = 20000;
	if (mkdir(disk, 0700) == -1 || mkdir(memory, 0700) == -1 ||
	    mkdir(scan.database, 0700) == -1)
		return -1;
	write_database(scan.database);
	if (access(SAMPLES "/clam.exe", R_OK) == 0) {
		snprintf(command, sizeof(command),
			 "sigtool --md5 %s/clam.exe >%s/clam.hdb", SAMPLES,
			 scan.database);
		run_shell(command);
	}
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	run_shell(command);
	return 0;
}

static struct engine *load(void)
{
	char wrong[ENGINE_TEXT_MAX] = "";
	struct engine_info info = {0};
	struct engine *e = NULL;
	int rc = engine_libclamav.load(&e, &scan, &info, wrong);

	if (rc != 0)
		fail_msg("load: %s", wrong);
	assert_int_equal(engine_libclamav.attach(e, disk, memory), 0);
	return e;
}

static struct finding ask(struct engine *e, const void *data, size_t size)
{
	struct engine_input in = {.data = data, .size = size, .fd = -1};
	struct finding f;

	engine_libclamav.scan(e, &in, LIMIT_MS, &f);
	return f;
}

static struct finding ask_file(struct engine *e, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct finding f;
	struct stat st;
	void *p;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	f = ask(e, p, (size_t)st.st_size);
	munmap(p, (size_t)st.st_size);
	close(fd);
	return f;
}

/* Run a Python program that writes file @name in the directory; scan that. */
static struct finding ask_made(struct engine *e, const char *name,
			       const char *program)
{
	char path[128], command[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(command, sizeof(command), "cd %s && python3 -c '%s'", dir,
		 program);
	run_shell(command);
	return ask_file(e, path);
}

#define assert_finding(f, v, r)                                              \
	do {                                                                 \
		if ((f).verdict != (v) || (f).reason != (r))                 \
			fail_msg("%s %s %s", verdict_name((f).verdict),      \
				 verdict_reason_name((f).reason), (f).name); \
	} while (0)

/* --- what is found --------------------------------------------------------------- */

static void all_containers(void **state)
{
	struct engine *e;
	DIR *d = opendir(SAMPLES);
	struct dirent *entry;
	unsigned int n = 0;

	(void)state;
	if (d == NULL) {
		print_message("ok - containers # SKIP clamav-testfiles is not "
			      "installed\n");
		skip();
		return;
	}
	/* The defaults: they hold more and deeper than the tests' limits. */
	scan.max_depth = 16;
	scan.max_files = 10000;
	e = load();
	while ((entry = readdir(d)) != NULL) {
		char path[512];
		struct finding f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), SAMPLES "/%s", entry->d_name);
		f = ask_file(e, path);
		if (f.verdict != VERDICT_BLOCKED)
			fail_msg("%s: %s %s", entry->d_name,
				 verdict_name(f.verdict),
				 verdict_reason_name(f.reason));
		n++;
	}
	closedir(d);
	assert_int_equal(n, 44);
}

static void plain(void **state)
{
	struct engine *e = load();
	struct finding f;

	(void)state;
	f = ask(e, eicar, sizeof(eicar));
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
	assert_string_equal(f.name, "Test.Eicar.UNOFFICIAL");
	f = ask(e, "harmless", 8);
	assert_finding(f, VERDICT_CLEAN, REASON_NONE);
	f = ask(e, "tiny", 4);
	assert_finding(f, VERDICT_CLEAN, REASON_NONE);
}

static void canaries(void **state)
{
	char wrong[ENGINE_TEXT_MAX] = "";
	struct engine *e = load();
	struct canary canary;

	(void)state;
	assert_int_equal(canary_run(&engine_libclamav, e, &canary, wrong), 0);
	assert_true(canary.finds_eicar);
	assert_true(canary.reports_limits);
	write_signature(scan.database, "mad.ndb", "Mad", "PK", 2);
	write_file(scan.database, "mad.ndb", "Mad:0:*:504b0304\n");
	e = load();
	assert_int_equal(canary_run(&engine_libclamav, e, &canary, wrong),
			 -EBADMSG);
	assert_non_null(strstr(wrong, "harmless ZIP"));
}

/* --- limits: never clean ------------------------------------------------------------ */

#define PY_WORDS "w=b\"thirteen-bad\"+b\"-words\";"
#define PY_NEST                                             \
	"import zipfile,io\n" PY_WORDS "\n"                 \
	"def zip(parts,comp=zipfile.ZIP_DEFLATED):\n"       \
	" b=io.BytesIO();z=zipfile.ZipFile(b,\"w\",comp)\n" \
	" for n,d in parts: z.writestr(n,d)\n"              \
	" z.close();return b.getvalue()\n"                  \
	"def nest(n,d):\n"                                  \
	" for i in range(n): d=zip([(str(i),d)])\n"         \
	" return d\n"
#define PY(text) PY_NEST text

static void depth(void **state)
{
	struct engine *e = load();
	struct finding f;

	(void)state;
	f = ask_made(e, "8.zip", PY("open(\"8.zip\",\"wb\").write(nest(8,w))"));
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
	f = ask_made(e, "30.zip",
		     PY("open(\"30.zip\",\"wb\").write(nest(30,w))"));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_DEPTH);
	f = ask_made(
		e, "c.zip",
		PY("open(\"c.zip\",\"wb\").write(nest(30,b\"harmless\"))"));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_DEPTH);
}

static void files(void **state)
{
	struct engine *e = load();
	struct finding f;

	(void)state;
	f = ask_made(
		e, "ok.zip",
		PY("open(\"ok.zip\",\"wb\").write(zip([(str(i),b\"member "
		   "\"+str(i).encode()) for i in range(99)]+[(\"x\",w)]))"));
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
	f = ask_made(
		e, "many.zip",
		PY("open(\"many.zip\",\"wb\").write(zip([(str(i),b\"member "
		   "\"+str(i).encode()) for i in range(150)]))"));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_FILES);
	/* Members too small to be looked at count, too. */
	f = ask_made(e, "tiny.zip",
		     PY("open(\"tiny.zip\",\"wb\").write(zip([(str(i),b\"x\") "
			"for i in range(150)]+[(\"x\",w)]))"));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_FILES);
	/* What is found before the limit is found. */
	f = ask_made(e, "first.zip",
		     PY("open(\"first.zip\",\"wb\").write(zip([(\"x\",w)]+"
			"[(str(i),b\"member \"+str(i).encode()) for i in "
			"range(150)]))"));
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
}

static void member_size(void **state)
{
	struct engine *e = load();
	struct finding f;

	(void)state;
	f = ask_made(e, "big.zip",
		     PY("open(\"big.zip\",\"wb\").write(zip([(\"a\",b\"a\"*"
			"(33<<20))]))"));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_SIZE);
	f = ask_made(e, "big2.zip",
		     PY("open(\"big2.zip\",\"wb\").write(zip([(\"a\",b\"a\"*"
			"(33<<20)),(\"b\",w)]))"));
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
}

static void unpacked_size(void **state)
{
	struct engine *e;
	struct finding f;

	(void)state;
	/* Ratio: 200 KiB that become 200 MiB, in members of 20 MiB. */
	scan.max_ratio = 10;
	e = load();
	f = ask_made(e, "bomb.zip",
		     PY("open(\"bomb.zip\",\"wb\").write(zip([(str(i),b\"a\"*"
			"(20<<20)) for i in range(10)]))"));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_RATIO);
	/* And in absolute numbers: four times scan.max_object. */
	scan.max_ratio = 100000;
	e = load();
	f = ask_file(e, (snprintf(memory, sizeof(memory), "%s/bomb.zip", dir),
			 memory));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_SIZE);
}

/*
 * A cabinet (MS-CAB) of one folder with MSZIP: libclamav itself cuts members
 * there without a word.
 */
#define PY_CAB                                                               \
	"import struct,zlib\n"                                               \
	"def cab(files):\n"                                                  \
	" data=b\"\".join(files);blocks=[];heads=b\"\";at=0\n"               \
	" for i in range(0,len(data),32768):\n"                              \
	"  p=data[i:i+32768];z=zlib.compressobj(9,8,-15)\n"                  \
	"  c=b\"CK\"+z.compress(p)+z.flush()\n"                              \
	"  blocks.append(struct.pack(\"<IHH\",0,len(c),len(p))+c)\n"         \
	" for i,f in enumerate(files):\n"                                    \
	"  heads+=struct.pack(\"<IIHHHH\",len(f),at,0,0,0,0)\n"              \
	"  heads+=b\"f%d\" % i+bytes(1);at+=len(f)\n"                        \
	" body=b\"\".join(blocks);start=36+8+len(heads)\n"                   \
	" return (b\"MSCF\"+struct.pack(\"<IIIIIBBHHHHH\",0,start+len(body)" \
	",0,44,0,3,1,1,len(files),0,0,0)+struct.pack(\"<IHH\",start,"        \
	"len(blocks),1)+heads+body)\n"

static void cabinets(void **state)
{
	struct engine *e = load();
	struct finding f;

	(void)state;
	f = ask_made(e, "ok.cab",
		     PY_NEST PY_CAB "open(\"ok.cab\",\"wb\").write(cab(["
				    "b\"a\"*(20<<20),b\"b\"*99+w]))");
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
	/* One member too large. */
	f = ask_made(e, "cut.cab",
		     PY_NEST PY_CAB "open(\"cut.cab\",\"wb\").write(cab(["
				    "b\"a\"*(33<<20)+w]))");
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_SIZE);
	/* None too large, but all together. */
	f = ask_made(e, "sum.cab",
		     PY_NEST PY_CAB "open(\"sum.cab\",\"wb\").write(cab(["
				    "b\"a\"*(30<<20)]*5+[w]))");
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ARCHIVE_SIZE);
}

static void object_size(void **state)
{
	size_t size = (32u << 20) + 1;
	uint8_t *data = calloc(1, size);
	struct engine *e = load();
	struct finding f;

	(void)state;
	assert_non_null(data);
	f = ask(e, data, size);
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_SIZE);
	f = ask(e, data, size - 1);
	assert_finding(f, VERDICT_CLEAN, REASON_NONE);
	free(data);
}

/* Within the text of a large page, beyond the library's own defaults. */
static void large_page(void **state)
{
	struct engine *e;
	struct finding f;

	(void)state;
	/* "thirteen-bad-words" split by a comment: only the normalised text
	 * has it. 45 MB would be over MaxHTMLNormalize's 40. */
	scan.max_object = 64u << 20;
	e = load();
	f = ask_made(e, "page.html",
		     PY("open(\"page.html\",\"wb\").write(b\"<html><body>\"+"
			"b\"<p>text of the page</p>\\n\"*1700000+"
			"b\"thirteen-bad<!-- -->-words</body></html>\")"));
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
}

static void encrypted(void **state)
{
	struct engine *e = load();
	struct finding f;
	char command[512];

	(void)state;
	snprintf(command, sizeof(command),
		 "cd %s && printf 'some text that nobody can read' >t && "
		 "zip -q -P secret e.zip t && printf '%%s' thirteen-bad-words "
		 ">w && cp e.zip ew.zip && zip -q ew.zip w",
		 dir);
	run_shell(command);
	snprintf(command, sizeof(command), "%s/e.zip", dir);
	f = ask_file(e, command);
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_ENCRYPTED);
	/* A member that can be read is read. */
	snprintf(command, sizeof(command), "%s/ew.zip", dir);
	f = ask_file(e, command);
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
}

/* Heuristic and potentially unwanted names don't stop a scan; of several only
 * the last is reported, and "encrypted" must not hide the other. */
static void a_limit_hides_no_heuristic(void **state)
{
	struct engine *e;
	struct finding f;
	char command[512];

	(void)state;
	write_signature(scan.database, "pua.ndb", "PUA.Test.Tool", "toolbar",
			7);
	e = load();
	snprintf(command, sizeof(command),
		 "cd %s && printf 'the toolbar of dread' >t && printf 'hidden "
		 "text, longer' >h && zip -q p.zip t && zip -q -P secret p.zip "
		 "h",
		 dir);
	run_shell(command);
	snprintf(command, sizeof(command), "%s/p.zip", dir);
	f = ask_file(e, command);
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
	assert_string_equal(f.name, "PUA.Test.Tool.UNOFFICIAL");
}

static void time_limit(void **state)
{
	size_t size = 30u << 20;
	uint8_t *data = malloc(size);
	struct engine *e = load();
	struct finding f;
	struct engine_input in = {.data = data, .size = size, .fd = -1};
	uint32_t seed = 1;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245u + 12345u;
		data[i] = "<p>ab \n"[(seed >> 16) % 7];
	}
	snprintf((char *)data, 7, "<html>");
	engine_libclamav.scan(e, &in, 1, &f);
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_SCANNER_TIMEOUT);
	free(data);
}

/* RAR without its library: not "clean". */
static void rar(void **state)
{
	static const uint8_t rar[] = {'R',  'a',  'r',	'!',  0x1a, 0x07, 0x00,
				      0xcf, 0x90, 0x73, 0x00, 0x00, 0x0d, 0x00,
				      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11,
				      0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
	struct engine_info info = {0};
	char wrong[ENGINE_TEXT_MAX];
	struct engine *e = NULL;
	struct finding f;

	(void)state;
	assert_int_equal(engine_libclamav.load(&e, &scan, &info, wrong), 0);
	if (strstr(info.warning, "libclamunrar") == NULL)
		skip(); /* it is installed: then RAR is scanned */
	assert_int_equal(engine_libclamav.attach(e, disk, NULL), 0);
	f = ask(e, rar, sizeof(rar));
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_UNSUPPORTED);
}

/* --- temporary files ------------------------------------------------------------------ */

/* libclamav itself would call it clean. */
static void without_a_directory_nothing_is_clean(void **state)
{
	struct engine *e = load();
	struct finding f;

	(void)state;
	assert_int_equal(engine_libclamav.attach(e, "/nonexistent", NULL), 0);
	f = ask(e, "harmless", 8);
	assert_finding(f, VERDICT_NOT_SCANNED, REASON_STORAGE);
}

/* The one in memory is full: the disk serves. */
static void a_full_memory_is_no_failure(void **state)
{
	struct engine *e = load();
	struct finding f;

	(void)state;
	assert_int_equal(engine_libclamav.attach(e, disk, "/nonexistent"), 0);
	f = ask(e, "harmless", 8);
	assert_finding(f, VERDICT_CLEAN, REASON_NONE);
	f = ask(e, eicar, sizeof(eicar));
	assert_finding(f, VERDICT_BLOCKED, REASON_SIGNATURE);
	assert_int_equal(rmdir(disk), 0); /* nothing was left in it */
	assert_int_equal(mkdir(disk, 0700), 0);
}

/* --- databases ---------------------------------------------------------------------- */

static void bad_databases(void **state)
{
	char wrong[ENGINE_TEXT_MAX] = "";
	struct engine_info info = {0};
	struct engine *e = NULL;

	(void)state;
	write_file(scan.database, "bad.ndb", "no signature\n");
	assert_int_not_equal(engine_libclamav.load(&e, &scan, &info, wrong), 0);
	assert_non_null(strstr(wrong, "Malformed database"));
	snprintf(scan.database, sizeof(scan.database), "%s/disk", dir);
	assert_int_not_equal(engine_libclamav.load(&e, &scan, &info, wrong), 0);
	assert_non_null(strstr(wrong, "freshclam"));
	snprintf(scan.database, sizeof(scan.database), "/nonexistent");
	assert_int_not_equal(engine_libclamav.load(&e, &scan, &info, wrong), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_containers),
		TEST(plain),
		TEST(canaries),
		TEST(depth),
		TEST(files),
		TEST(member_size),
		TEST(unpacked_size),
		TEST(cabinets),
		TEST(object_size),
		TEST(large_page),
		TEST(encrypted),
		TEST(a_limit_hides_no_heuristic),
		TEST(time_limit),
		TEST(rar),
		TEST(without_a_directory_nothing_is_clean),
		TEST(a_full_memory_is_no_failure),
		TEST(bad_databases),
	};

	return cmocka_run_group_tests_name("libclamav", tests, NULL, NULL);
}
