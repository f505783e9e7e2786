/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as every role sees it: one flat structure without a
 * pointer, made by the parent from sluice.conf (conf/load.h) and handed to the
 * roles as a sealed memory file that they map read-only. It never changes; a
 * reload is a new one. Sizes are bytes, times milliseconds.
 *
 * Every key, its default and range: sluice.conf(5), held to conf/keys.c by a
 * test.
 */
#ifndef SLUICE_CONF_CONFIG_H
#define SLUICE_CONF_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "policy/app_policy.h"

#define CONFIG_PATH_MAX	 256
#define CONFIG_USER_MAX	 33
#define CONFIG_NAME_MAX	 32
#define CONFIG_IFACE_MAX 16 /* IFNAMSIZ */
#define CONFIG_IFACES	 32
#define CONFIG_PORTS	 32
#define CONFIG_BYPASS	 256
#define CONFIG_CLIENTS	 64 /* networks of clients in a list of options */
#define CONFIG_SERVICES	 8
#define CONFIG_PAGE_MAX	 16384
#define CONFIG_RELAYS	 64
#define CONFIG_WORKERS	 64
#define CONFIG_QUEUES	 16

enum config_when_down { WHEN_DOWN_OPEN, WHEN_DOWN_CLOSED };
enum config_protocol { PROTOCOL_HTTP, PROTOCOL_FTP, PROTOCOL_COUNT };
enum config_mode {
	MODE_TRANSPARENT,
	MODE_FORWARD /* a word of a later version: no file sets it yet */
};
enum config_engine { ENGINE_NONE, ENGINE_LIBCLAMAV, ENGINE_CLAMD };
enum config_action { ACTION_ALLOW, ACTION_BLOCK };
enum config_delivery { DELIVERY_HOLD, DELIVERY_TAIL, DELIVERY_PROGRESS };
enum config_non_http { NON_HTTP_PASS, NON_HTTP_REFUSE };
enum config_ranges { RANGES_SERVE, RANGES_REMOVE, RANGES_REFUSE };
enum config_ftps { FTPS_REFUSE, FTPS_PASS };
enum config_restart { RESTART_SERVE, RESTART_REFUSE };
enum config_counters {
	COUNTERS_AUTO,
	COUNTERS_BPF,
	COUNTERS_KMOD,
	COUNTERS_CONNTRACK,
	COUNTERS_NONE
};
enum config_log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

struct config_intercept {
	char lan[CONFIG_IFACES][CONFIG_IFACE_MAX];
	uint32_t lan_count;
	uint16_t http[CONFIG_PORTS];
	uint32_t http_count;
	uint16_t ftp[CONFIG_PORTS];
	uint32_t ftp_count;
	struct ip_net bypass_clients[CONFIG_BYPASS];
	uint32_t bypass_clients_count;
	struct ip_net bypass_servers[CONFIG_BYPASS];
	uint32_t bypass_servers_count;
	enum config_when_down when_down;
	bool install_rules;
	bool keep_client_address; /* source_address = "client" */
};

struct config_service {
	char name[CONFIG_NAME_MAX];
	enum config_protocol protocol;
	enum config_mode mode;
	uint16_t port;
};

struct config_http {
	enum config_non_http non_http;
	enum config_ranges ranges; /* while bodies are scanned */
	uint32_t max_line;	   /* request or status line */
	uint32_t max_header;	   /* whole head, line included */
	uint32_t max_fields;
	uint64_t header_timeout;   /* first byte of a head to its end */
	uint64_t idle_timeout;	   /* between requests; a body that stalls */
	uint64_t connect_timeout;  /* towards the origin server */
	uint64_t response_timeout; /* request sent to response head */
	uint64_t total_timeout;	   /* one exchange; 0 = no limit */
	uint64_t tunnel_timeout;   /* a tunnel in which nothing moves */
};

struct config_ftp {
	enum config_ftps ftps;	      /* AUTH TLS */
	enum config_restart restart;  /* REST, while objects are scanned */
	enum config_delivery uploads; /* hold or tail */
	uint32_t max_line;	  /* of commands and replies, without its end */
	uint64_t max_reply;	  /* all lines of one reply */
	uint64_t idle_timeout;	  /* between commands */
	uint64_t connect_timeout; /* towards the server */
	uint64_t reply_timeout;	  /* command sent to its reply */
	uint64_t data_timeout;	  /* until the data connection is there */
	uint64_t transfer_timeout; /* a transfer in which nothing moves */
};

struct config_scan {
	enum config_engine engine;
	char database[CONFIG_PATH_MAX];
	char clamd[CONFIG_PATH_MAX];
	uint32_t workers; /* 0 = one a core */
	uint64_t deadline;
	uint64_t max_object;
	uint32_t max_ratio;
	uint32_t max_files;
	uint32_t max_depth;
	uint64_t memory;	/* an object beyond it spills to disk */
	uint64_t engine_memory; /* one generation of the engine; 0 = no limit */
	enum config_action not_scanned;
	uint64_t infected_url_block; /* 0 = off */
};

struct config_delivery_options {
	enum config_delivery mode;
	uint64_t tail;		 /* bytes kept back until the verdict */
	uint64_t hold_below;	 /* objects below it are held whole */
	uint64_t progress_after; /* ms until a browser gets the page */
	/* Those for whom it isn't @mode; see config_delivery_mode(). */
	struct ip_net hold_clients[CONFIG_CLIENTS];
	struct ip_net progress_clients[CONFIG_CLIENTS];
	struct ip_net tail_clients[CONFIG_CLIENTS];
	uint32_t hold_clients_count;
	uint32_t progress_clients_count;
	uint32_t tail_clients_count;
};

struct config_apps {
	bool enabled;
	enum config_counters counters;
	uint16_t queue;		/* number of the first NFQUEUE */
	uint16_t queues;	/* 1..CONFIG_QUEUES */
	uint32_t first_packets; /* of a flow, looked at before giving up */
	uint64_t hint_time;	/* 0 = no hints */
	bool refuse_quic;	/* so that browsers take TCP */
};

struct config {
	uint64_t size;	     /* sizeof(struct config), checked by roles */
	uint64_t generation; /* 1 at start, +1 with each reload */
	char file[CONFIG_PATH_MAX];
	char state_dir[CONFIG_PATH_MAX];
	char run_dir[CONFIG_PATH_MAX];
	char pages[CONFIG_PATH_MAX];
	char user[CONFIG_USER_MAX];
	char policy_file[CONFIG_PATH_MAX];
	struct app_policy policy; /* what is in it */
	uint32_t relays;	  /* 0 = one a core */
	bool pin_relays;
	uint64_t stop_timeout; /* how long running exchanges may drain */
	struct config_intercept intercept;
	struct config_service services[CONFIG_SERVICES];
	uint32_t service_count;
	struct config_http http;
	struct config_ftp ftp;
	struct config_scan scan;
	struct config_delivery_options delivery;
	struct config_apps apps;
	uint64_t store_keep;   /* age at which rotated journals go */
	uint64_t store_rotate; /* size at which the journal is rotated */
	enum config_log_level log_level;
	bool log_access; /* events for exchanges that nothing stopped */
	char page_block[CONFIG_PAGE_MAX]; /* HTML templates, NUL-terminated */
	char page_error[CONFIG_PAGE_MAX];
	char page_progress[CONFIG_PAGE_MAX];
};

/* Where the service for @protocol in @mode is, or NULL. */
const struct config_service *config_service(const struct config *c,
					    enum config_protocol protocol,
					    enum config_mode mode);

/* Whether connections to any port are taken in. */
bool config_intercepts(const struct config *c);

/*
 * Whether any service is told names and has to find their addresses, so that
 * the resolve role is needed.
 */
bool config_needs_resolver(const struct config *c);

/*
 * The mode for @client: that of the list that has it, hold before progress
 * before tail; else delivery.mode.
 */
enum config_delivery config_delivery_mode(const struct config *c,
					  const struct ip_addr *client);

#endif
