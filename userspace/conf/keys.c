// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/keys.h"

#include <string.h>

#include "conf/config.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define KIB  (1ULL << 10)
#define MIB  (1ULL << 20)
#define GIB  (1ULL << 30)
#define TIB  (1ULL << 40)
#define SEC  1000ULL
#define MIN  (60 * SEC)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)

/* The control socket RUN_DIR/control.sock must fit sun_path (unix(7)). */
#define RUN_DIR_MAX (108 - 1 - sizeof("/control.sock") + 1)
#define SUN_PATH    (108 - 1)
/* Leaves room for the names of files below it. */
#define DIR_MAX	    (CONFIG_PATH_MAX - 1 - 64)

#define FIELD(field)                              \
	.offset = offsetof(struct config, field), \
	.size = sizeof(((struct config *)0)->field)
#define LIST(field) \
	FIELD(field), .count = offsetof(struct config, field##_count)
#define SERVICE_FIELD(field)                              \
	.offset = offsetof(struct config_service, field), \
	.size = sizeof(((struct config_service *)0)->field)
#define RANGE(low, high) .min = (low), .max = (high)

static const struct config_word source_words[] = {
	{"client", true}, {"gateway", false}, {NULL, 0}};
static const struct config_word when_down_words[] = {
	{"open", WHEN_DOWN_OPEN}, {"closed", WHEN_DOWN_CLOSED}, {NULL, 0}};
static const struct config_word protocol_words[] = {{"http", PROTOCOL_HTTP},
						    {"tls", CONFIG_LATER},
						    {"ftp", CONFIG_LATER},
						    {"icap", CONFIG_LATER},
						    {NULL, 0}};
static const struct config_word mode_words[] = {
	{"transparent", MODE_TRANSPARENT},
	{"forward", CONFIG_LATER},
	{"reverse", CONFIG_LATER},
	{"icap", CONFIG_LATER},
	{NULL, 0}};
static const struct config_word non_http_words[] = {
	{"pass", NON_HTTP_PASS}, {"refuse", NON_HTTP_REFUSE}, {NULL, 0}};
static const struct config_word ranges_words[] = {{"serve", RANGES_SERVE},
						  {"remove", RANGES_REMOVE},
						  {"refuse", RANGES_REFUSE},
						  {NULL, 0}};
static const struct config_word engine_words[] = {
	{"libclamav", ENGINE_LIBCLAMAV},
	{"clamd", ENGINE_CLAMD},
	{"none", ENGINE_NONE},
	{NULL, 0}};
static const struct config_word action_words[] = {
	{"block", ACTION_BLOCK}, {"allow", ACTION_ALLOW}, {NULL, 0}};
static const struct config_word delivery_words[] = {
	{"tail", DELIVERY_TAIL},
	{"hold", DELIVERY_HOLD},
	{"progress", DELIVERY_PROGRESS},
	{NULL, 0}};
static const struct config_word counters_words[] = {
	{"auto", COUNTERS_AUTO}, {"bpf", COUNTERS_BPF},
	{"kmod", COUNTERS_KMOD}, {"conntrack", COUNTERS_CONNTRACK},
	{"none", COUNTERS_NONE}, {NULL, 0}};
static const struct config_word quic_words[] = {
	{"allow", false}, {"refuse", true}, {NULL, 0}};
static const struct config_word level_words[] = {{"error", LEVEL_ERROR},
						 {"warning", LEVEL_WARNING},
						 {"info", LEVEL_INFO},
						 {"debug", LEVEL_DEBUG},
						 {NULL, 0}};

/* In the order of sluice.conf(5). */
const struct config_key config_keys[] = {
	{.section = "",
	 .name = "state_dir",
	 .type = KEY_PATH,
	 .preset = "/var/lib/sluice",
	 .max = DIR_MAX,
	 FIELD(state_dir),
	 .meaning = "Directory of the journal and of objects that wait for "
		    "their scan."},
	{.section = "",
	 .name = "run_dir",
	 .type = KEY_PATH,
	 .preset = "/run/sluice",
	 .max = RUN_DIR_MAX,
	 FIELD(run_dir),
	 .meaning = "Directory of the control socket, control.sock."},
	{.section = "",
	 .name = "user",
	 .type = KEY_USER,
	 .preset = "sluice",
	 FIELD(user),
	 .meaning = "Account of the unprivileged roles."},
	{.section = "",
	 .name = "relays",
	 .type = KEY_NUMBER,
	 .preset = "0",
	 RANGE(1, CONFIG_RELAYS),
	 .zero = "one a core",
	 FIELD(relays),
	 .meaning = "Relay processes."},
	{.section = "",
	 .name = "stop_timeout",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "10s",
	 RANGE(100, HOUR),
	 .zero = "at once",
	 FIELD(stop_timeout),
	 .meaning = "How long a stop waits for running exchanges to end."},
	{.section = "",
	 .name = "pages",
	 .type = KEY_PATH,
	 .live = true,
	 .preset = "/etc/sluice/pages",
	 .max = DIR_MAX,
	 FIELD(pages),
	 .meaning = "Directory of block.html, error.html and progress.html, "
		    "each instead of a built-in page."},
	{.section = "",
	 .name = "policy",
	 .type = KEY_PATH,
	 .live = true,
	 .preset = "/etc/sluice/policy.conf",
	 .max = DIR_MAX,
	 FIELD(policy_file),
	 .meaning = "File that says what is done with each application."},

	{.section = "intercept",
	 .name = "install_rules",
	 .type = KEY_BOOL,
	 .live = true,
	 .preset = "true",
	 FIELD(intercept.install_rules),
	 .meaning = "Whether Sluice installs its firewall rules and routes; "
		    "false when something else redirects the traffic."},
	{.section = "intercept",
	 .name = "lan",
	 .type = KEY_IFACES,
	 .live = true,
	 .preset = "",
	 LIST(intercept.lan),
	 .meaning = "Interfaces that clients come from."},
	{.section = "intercept",
	 .name = "http",
	 .type = KEY_PORT_LIST,
	 .live = true,
	 .preset = "80",
	 LIST(intercept.http),
	 .meaning = "TCP ports that are taken in as HTTP."},
	{.section = "intercept",
	 .name = "bypass_clients",
	 .type = KEY_NETS,
	 .live = true,
	 .preset = "",
	 LIST(intercept.bypass_clients),
	 .meaning = "Clients that are never intercepted."},
	{.section = "intercept",
	 .name = "bypass_servers",
	 .type = KEY_NETS,
	 .live = true,
	 .preset = "",
	 LIST(intercept.bypass_servers),
	 .meaning = "Servers whose traffic is never intercepted."},
	{.section = "intercept",
	 .name = "source_address",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "client",
	 .words = source_words,
	 FIELD(intercept.keep_client_address),
	 .meaning = "Whose address the origin server sees."},
	{.section = "intercept",
	 .name = "when_down",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "open",
	 .words = when_down_words,
	 FIELD(intercept.when_down),
	 .meaning = "Whether traffic flows unscanned or is rejected while the "
		    "gateway does not work."},

	{.section = CONFIG_SERVICE_SECTION,
	 .name = "protocol",
	 .type = KEY_WORD,
	 .preset = "http",
	 .words = protocol_words,
	 SERVICE_FIELD(protocol),
	 .meaning = "What the service speaks."},
	{.section = CONFIG_SERVICE_SECTION,
	 .name = "mode",
	 .type = KEY_WORD,
	 .preset = "transparent",
	 .words = mode_words,
	 SERVICE_FIELD(mode),
	 .meaning = "How connections come to it."},
	{.section = CONFIG_SERVICE_SECTION,
	 .name = "port",
	 .type = KEY_NUMBER,
	 .preset = "3129",
	 RANGE(1, UINT16_MAX),
	 SERVICE_FIELD(port),
	 .meaning = "TCP port it listens on."},

	{.section = "http",
	 .name = "non_http",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "pass",
	 .words = non_http_words,
	 FIELD(http.non_http),
	 .meaning = "What happens to an intercepted connection that does not "
		    "speak HTTP."},
	{.section = "http",
	 .name = "ranges",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "serve",
	 .words = ranges_words,
	 FIELD(http.ranges),
	 .meaning = "What becomes of a request for a part of an object that is "
		    "scanned."},
	{.section = "http",
	 .name = "max_line",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "16K",
	 RANGE(KIB, 256 * KIB),
	 FIELD(http.max_line),
	 .meaning = "Longest request or status line."},
	{.section = "http",
	 .name = "max_header",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "64K",
	 RANGE(KIB, 256 * KIB),
	 FIELD(http.max_header),
	 .meaning = "Largest head of a message, its first line included."},
	{.section = "http",
	 .name = "max_fields",
	 .type = KEY_NUMBER,
	 .live = true,
	 .preset = "200",
	 RANGE(8, 256),
	 FIELD(http.max_fields),
	 .meaning = "Most header fields in a message."},
	{.section = "http",
	 .name = "header_timeout",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "20s",
	 RANGE(100, HOUR),
	 FIELD(http.header_timeout),
	 .meaning = "Time from the first byte of a head to its end."},
	{.section = "http",
	 .name = "idle_timeout",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "75s",
	 RANGE(100, DAY),
	 FIELD(http.idle_timeout),
	 .meaning = "Time without a byte, between requests or in a body."},
	{.section = "http",
	 .name = "connect_timeout",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "10s",
	 RANGE(100, HOUR),
	 FIELD(http.connect_timeout),
	 .meaning = "Time to connect to the origin server."},
	{.section = "http",
	 .name = "response_timeout",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "60s",
	 RANGE(100, DAY),
	 FIELD(http.response_timeout),
	 .meaning = "Time from the end of a request to the head of its "
		    "response."},
	{.section = "http",
	 .name = "total_timeout",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "0",
	 RANGE(100, 7 * DAY),
	 .zero = "no limit",
	 FIELD(http.total_timeout),
	 .meaning = "Time for one whole exchange."},
	{.section = "http",
	 .name = "tunnel_timeout",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "1h",
	 RANGE(100, 7 * DAY),
	 FIELD(http.tunnel_timeout),
	 .meaning = "Time without a byte in a tunnel: a WebSocket, or what is "
		    "no HTTP."},

	{.section = "scan",
	 .name = "engine",
	 .type = KEY_WORD,
	 .preset = "libclamav",
	 .words = engine_words,
	 FIELD(scan.engine),
	 .meaning = "What scans: the built-in engine, a clamd on this machine, "
		    "or nothing."},
	{.section = "scan",
	 .name = "database",
	 .type = KEY_PATH,
	 .live = true,
	 .preset = "/var/lib/clamav",
	 .max = DIR_MAX,
	 FIELD(scan.database),
	 .meaning = "Directory of the signatures that libclamav loads."},
	{.section = "scan",
	 .name = "clamd",
	 .type = KEY_PATH,
	 .live = true,
	 .preset = "/run/clamav/clamd.ctl",
	 .max = SUN_PATH,
	 FIELD(scan.clamd),
	 .meaning = "Socket of clamd."},
	{.section = "scan",
	 .name = "workers",
	 .type = KEY_NUMBER,
	 .preset = "0",
	 RANGE(1, CONFIG_WORKERS),
	 .zero = "one a core",
	 FIELD(scan.workers),
	 .meaning = "Scans that run at the same time."},
	{.section = "scan",
	 .name = "deadline",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "60s",
	 RANGE(100, HOUR),
	 FIELD(scan.deadline),
	 .meaning = "Time for one scan, its wait for a free worker included."},
	/* libclamav can't scan 2 GiB or more (clamd.conf(5), MaxFileSize). */
	{.section = "scan",
	 .name = "max_object",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "512M",
	 RANGE(KIB, 2047 * MIB),
	 FIELD(scan.max_object),
	 .meaning = "Largest object that is scanned, as transferred and "
		    "unpacked."},
	{.section = "scan",
	 .name = "max_ratio",
	 .type = KEY_NUMBER,
	 .live = true,
	 .preset = "200",
	 RANGE(1, 100000),
	 FIELD(scan.max_ratio),
	 .meaning = "How many times its own size an object may unpack to."},
	{.section = "scan",
	 .name = "max_files",
	 .type = KEY_NUMBER,
	 .live = true,
	 .preset = "10000",
	 RANGE(1, 1000000),
	 FIELD(scan.max_files),
	 .meaning = "Most members of an archive."},
	{.section = "scan",
	 .name = "max_depth",
	 .type = KEY_NUMBER,
	 .live = true,
	 .preset = "16",
	 RANGE(1, 100),
	 FIELD(scan.max_depth),
	 .meaning = "How deeply archives may be nested."},
	{.section = "scan",
	 .name = "memory",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "64M",
	 RANGE(4 * KIB, 64 * GIB),
	 FIELD(scan.memory),
	 .meaning = "Size from which an object waits for its scan on disk, not "
		    "in memory."},
	{.section = "scan",
	 .name = "engine_memory",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "4G",
	 RANGE(16 * MIB, TIB),
	 .zero = "no limit",
	 FIELD(scan.engine_memory),
	 .meaning = "Memory that one generation of the engine may take."},
	{.section = "scan",
	 .name = "not_scanned",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "block",
	 .words = action_words,
	 FIELD(scan.not_scanned),
	 .meaning = "What happens to an object that could not be scanned."},
	{.section = "scan",
	 .name = "infected_url_block",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "4h",
	 RANGE(SEC, 30 * DAY),
	 .zero = "off",
	 FIELD(scan.infected_url_block),
	 .meaning = "How long an address that delivered malware stays "
		    "blocked."},

	{.section = "delivery",
	 .name = "mode",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "tail",
	 .words = delivery_words,
	 FIELD(delivery.mode),
	 .meaning = "Whether the client gets a large object early but for its "
		    "end, or not before its verdict."},
	{.section = "delivery",
	 .name = "tail",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "64K",
	 RANGE(KIB, 16 * MIB),
	 FIELD(delivery.tail),
	 .meaning = "Bytes at the end that are kept back until the verdict."},
	{.section = "delivery",
	 .name = "hold_below",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "1M",
	 RANGE(KIB, GIB),
	 FIELD(delivery.hold_below),
	 .meaning = "Objects below this size are held whole, so that a page "
		    "can take their place."},
	{.section = "delivery",
	 .name = "progress_after",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "5s",
	 RANGE(100, HOUR),
	 FIELD(delivery.progress_after),
	 .meaning = "With mode progress: a browser whose download takes longer "
		    "gets a page that shows how far it is."},
	{.section = "delivery",
	 .name = "hold_clients",
	 .type = KEY_NETS,
	 .live = true,
	 .preset = "",
	 LIST(delivery.hold_clients),
	 .meaning = "Clients whose objects are all held, whatever mode says."},
	{.section = "delivery",
	 .name = "progress_clients",
	 .type = KEY_NETS,
	 .live = true,
	 .preset = "",
	 LIST(delivery.progress_clients),
	 .meaning = "Clients that get a page of progress, whatever mode says."},
	{.section = "delivery",
	 .name = "tail_clients",
	 .type = KEY_NETS,
	 .live = true,
	 .preset = "",
	 LIST(delivery.tail_clients),
	 .meaning =
		 "Clients that get large objects early, whatever mode says."},

	{.section = "apps",
	 .name = "enabled",
	 .type = KEY_BOOL,
	 .preset = "true",
	 FIELD(apps.enabled),
	 .meaning = "Whether connections are labelled with the application "
		    "that they belong to."},
	{.section = "apps",
	 .name = "counters",
	 .type = KEY_WORD,
	 .preset = "auto",
	 .words = counters_words,
	 FIELD(apps.counters),
	 .meaning = "What counts the bytes of each application."},
	{.section = "apps",
	 .name = "queue",
	 .type = KEY_NUMBER,
	 .preset = "0",
	 RANGE(0, UINT16_MAX + 1 - CONFIG_QUEUES),
	 FIELD(apps.queue),
	 .meaning = "First NFQUEUE number; nothing else may use it and those "
		    "that follow."},
	{.section = "apps",
	 .name = "queues",
	 .type = KEY_NUMBER,
	 .preset = "2",
	 RANGE(1, CONFIG_QUEUES),
	 FIELD(apps.queues),
	 .meaning = "NFQUEUEs in use, to which processors spread packets."},
	{.section = "apps",
	 .name = "first_packets",
	 .type = KEY_NUMBER,
	 .live = true,
	 .preset = "24",
	 RANGE(1, 255),
	 FIELD(apps.first_packets),
	 .meaning = "Packets with payload that a connection is looked at for "
		    "before it is called unknown."},
	{.section = "apps",
	 .name = "hint_time",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "10m",
	 RANGE(SEC, DAY),
	 .zero = "off",
	 FIELD(apps.hint_time),
	 .meaning = "How long a server whose label is certain labels its next "
		    "connections unseen."},
	{.section = "apps",
	 .name = "quic",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "allow",
	 .words = quic_words,
	 FIELD(apps.refuse_quic),
	 .meaning = "Whether clients may use QUIC (UDP port 443); refused, "
		    "browsers take TCP."},

	{.section = "store",
	 .name = "keep",
	 .type = KEY_DURATION,
	 .live = true,
	 .preset = "90d",
	 RANGE(MIN, 3650 * DAY),
	 FIELD(store_keep),
	 .meaning = "Age at which rotated journals are removed."},
	{.section = "store",
	 .name = "rotate",
	 .type = KEY_SIZE,
	 .live = true,
	 .preset = "64M",
	 RANGE(4 * KIB, 16 * GIB),
	 FIELD(store_rotate),
	 .meaning = "Size at which the journal is rotated."},

	{.section = "log",
	 .name = "level",
	 .type = KEY_WORD,
	 .live = true,
	 .preset = "info",
	 .words = level_words,
	 FIELD(log_level),
	 .meaning = "Least important messages that are logged."},
	{.section = "log",
	 .name = "access",
	 .type = KEY_BOOL,
	 .live = true,
	 .preset = "true",
	 FIELD(log_access),
	 .meaning = "Whether exchanges that nothing stopped are events, too."},
};

const size_t config_key_count = ARRAY_SIZE(config_keys);
_Static_assert(ARRAY_SIZE(config_keys) <= CONFIG_KEYS_MAX,
	       "CONFIG_KEYS_MAX is too small");

const struct config_section config_sections[] = {
	{"intercept", false}, {CONFIG_SERVICE_SECTION, true},
	{"http", false},      {"scan", false},
	{"delivery", false},  {"apps", false},
	{"store", false},     {"log", false},
};

const size_t config_section_count = ARRAY_SIZE(config_sections);
_Static_assert(ARRAY_SIZE(config_sections) <= CONFIG_SECTIONS_MAX,
	       "CONFIG_SECTIONS_MAX is too small");

const struct config_key *config_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, section) == 0 &&
		    strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	return NULL;
}

bool config_is_section(const char *name)
{
	for (size_t i = 0; i < config_section_count; i++)
		if (strcmp(config_sections[i].name, name) == 0)
			return true;
	return false;
}

size_t config_key_index(const struct config_key *key)
{
	return (size_t)(key - config_keys);
}
