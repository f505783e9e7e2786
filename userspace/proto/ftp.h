/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FTP's control connection (RFC 959, 1123 4.1, 2228, 2389, 2428, 2640, 3659,
 * 7151): commands, replies, and the addresses in both. Pure. Views point into
 * the bytes that were parsed.
 *
 * Both are read into their parts and written anew, so what a client or a server
 * gets is a line that can be read in one way. For that, a line ends with LF,
 * CR before it or not; a CR anywhere else and NUL are errors in a command, and
 * spaces in a reply, which only people read. Telnet signals (IAC, RFC 854) are
 * taken before a command, where clients put them before ABOR, and nowhere else;
 * the doubled IAC that stands for a byte of 255 stays as it is.
 */
#ifndef SLUICE_PROTO_FTP_H
#define SLUICE_PROTO_FTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/str.h"

enum ftp_command {
	FTP_OTHER, /* a verb that isn't known; see verb */
	FTP_ABOR,
	FTP_ACCT,
	FTP_ALLO,
	FTP_APPE,
	FTP_AUTH,
	FTP_CCC,
	FTP_CDUP,
	FTP_CWD,
	FTP_DELE,
	FTP_EPRT,
	FTP_EPSV,
	FTP_FEAT,
	FTP_HELP,
	FTP_HOST,
	FTP_LANG,
	FTP_LIST,
	FTP_MDTM,
	FTP_MFMT,
	FTP_MKD,
	FTP_MLSD,
	FTP_MLST,
	FTP_MODE,
	FTP_NLST,
	FTP_NOOP,
	FTP_OPTS,
	FTP_PASS,
	FTP_PASV,
	FTP_PBSZ,
	FTP_PORT,
	FTP_PROT,
	FTP_PWD,
	FTP_QUIT,
	FTP_REIN,
	FTP_REST,
	FTP_RETR,
	FTP_RMD,
	FTP_RNFR,
	FTP_RNTO,
	FTP_SITE,
	FTP_SIZE,
	FTP_SMNT,
	FTP_STAT,
	FTP_STOR,
	FTP_STOU,
	FTP_STRU,
	FTP_SYST,
	FTP_TYPE,
	FTP_USER,
	FTP_COMMAND_COUNT
};

enum ftp_error {
	FTP_OK,
	FTP_LINE_TOO_LONG,
	FTP_BAD_BYTE,  /* CR or NUL within a line, or a Telnet command */
	FTP_BAD_VERB,  /* no letters, or too many */
	FTP_BAD_REPLY, /* no code, or another one within a reply */
	FTP_ERROR_COUNT
};

/* "line_too_long" and so on, for logs and events. */
const char *ftp_error_name(enum ftp_error error);

/* --- commands ----------------------------------------------------------------- */

struct ftp_request {
	enum ftp_command command; /* XCWD and its like (RFC 775) as CWD */
	struct str verb;	  /* as it came */
	struct str argument;	  /* behind one space; may be empty */
	bool has_argument;	  /* there was a space */
	bool interrupt;		  /* a Telnet signal came before it */
};

/*
 * The command at the start of @len bytes, of which the first @seen were there
 * at an earlier call that returned 0. Bytes taken, its end and Telnet signals
 * before it included; 0: it isn't complete; or -enum ftp_error. A line may
 * have @max_line bytes without its end. An empty line is a command of no verb:
 * FTP_BAD_VERB.
 */
ptrdiff_t ftp_parse_command(const uint8_t *data, size_t len, size_t seen,
			    size_t max_line, struct ftp_request *out);
/* "VERB argument" and CRLF; "VERB" alone without an argument. */
void ftp_write_command(struct strbuf *sb, const struct ftp_request *req);
/* The verb in capitals, for events: "RETR"; "" for FTP_OTHER. */
const char *ftp_command_name(enum ftp_command command);

/* --- replies ------------------------------------------------------------------ */

/*
 * One line of a reply (RFC 959 4.2). Kept from line to line of one reply; begin
 * with zeroes.
 */
struct ftp_reply {
	uint16_t code;	 /* 100 to 599, of the reply's first line */
	bool open;	 /* more lines follow this one */
	bool marked;	 /* this line begins with the code */
	struct str text; /* what follows that, or the whole line */
};

/* As ftp_parse_command(), for the next line of a reply. */
ptrdiff_t ftp_parse_reply(const uint8_t *data, size_t len, size_t seen,
			  size_t max_line, struct ftp_reply *reply);
/*
 * The line again, with CRLF. What could end a line for somebody, or is a
 * control byte that terminals obey, becomes a space.
 */
void ftp_write_reply(struct strbuf *sb, const struct ftp_reply *reply);

/* --- addresses ---------------------------------------------------------------- */

/* "192,0,2,1,4,1": the argument of PORT, all of it. */
bool ftp_parse_port(struct str argument, struct ip_endpoint *ep);
/*
 * The first six numbers in the text of a 227; nothing around them can be relied
 * on (RFC 1123 4.1.2.6).
 */
bool ftp_parse_pasv(struct str text, struct ip_endpoint *ep);
/* "|1|192.0.2.1|1025|", "|2|2001:db8::1|1025|": RFC 2428 2. */
bool ftp_parse_eprt(struct str argument, struct ip_endpoint *ep);
/* The port in "(|||1025|)", the text of a 229: RFC 2428 3. */
bool ftp_parse_epsv(struct str text, uint16_t *port);

/* "192,0,2,1,4,1"; @ep is IPv4. */
void ftp_write_port(struct strbuf *sb, const struct ip_endpoint *ep);
/* "|2|2001:db8::1|1025|" */
void ftp_write_eprt(struct strbuf *sb, const struct ip_endpoint *ep);

/*
 * Of "user@host", "user@host:port", "user@[2001:db8::1]:port", as clients log in
 * at a proxy: the user may have an @ in it, the host hasn't. @host is a name or
 * an address without brackets; @port stays when none is named. False when there
 * is no host, or no valid port.
 */
bool ftp_split_login(struct str argument, struct str *user, struct str *host,
		     uint16_t *port);

#endif
