// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "proto/ftp_line.h"

#define VERB_MAX 12

/* RFC 854: commands of two bytes, and those of three, which name an option. */
#define TELNET_IAC   255
#define TELNET_FIRST 241 /* NOP, DM, BRK, IP, AO, AYT, EC, EL, GA */
#define TELNET_LAST  249
#define TELNET_WILL  251
#define TELNET_DONT  254

static const char *const names[FTP_COMMAND_COUNT] = {
	[FTP_OTHER] = "",    [FTP_ABOR] = "ABOR", [FTP_ACCT] = "ACCT",
	[FTP_ALLO] = "ALLO", [FTP_APPE] = "APPE", [FTP_AUTH] = "AUTH",
	[FTP_CCC] = "CCC",   [FTP_CDUP] = "CDUP", [FTP_CWD] = "CWD",
	[FTP_DELE] = "DELE", [FTP_EPRT] = "EPRT", [FTP_EPSV] = "EPSV",
	[FTP_FEAT] = "FEAT", [FTP_HELP] = "HELP", [FTP_HOST] = "HOST",
	[FTP_LANG] = "LANG", [FTP_LIST] = "LIST", [FTP_MDTM] = "MDTM",
	[FTP_MFMT] = "MFMT", [FTP_MKD] = "MKD",	  [FTP_MLSD] = "MLSD",
	[FTP_MLST] = "MLST", [FTP_MODE] = "MODE", [FTP_NLST] = "NLST",
	[FTP_NOOP] = "NOOP", [FTP_OPTS] = "OPTS", [FTP_PASS] = "PASS",
	[FTP_PASV] = "PASV", [FTP_PBSZ] = "PBSZ", [FTP_PORT] = "PORT",
	[FTP_PROT] = "PROT", [FTP_PWD] = "PWD",	  [FTP_QUIT] = "QUIT",
	[FTP_REIN] = "REIN", [FTP_REST] = "REST", [FTP_RETR] = "RETR",
	[FTP_RMD] = "RMD",   [FTP_RNFR] = "RNFR", [FTP_RNTO] = "RNTO",
	[FTP_SITE] = "SITE", [FTP_SIZE] = "SIZE", [FTP_SMNT] = "SMNT",
	[FTP_STAT] = "STAT", [FTP_STOR] = "STOR", [FTP_STOU] = "STOU",
	[FTP_STRU] = "STRU", [FTP_SYST] = "SYST", [FTP_TYPE] = "TYPE",
	[FTP_USER] = "USER",
};

/* RFC 775, which RFC 1123 4.1.3.1 wants understood. */
static const struct {
	const char *name;
	enum ftp_command command;
} old_names[] = {
	{"XCUP", FTP_CDUP}, {"XCWD", FTP_CWD}, {"XMKD", FTP_MKD},
	{"XPWD", FTP_PWD},  {"XRMD", FTP_RMD},
};

const char *ftp_command_name(enum ftp_command command)
{
	return names[command];
}

static enum ftp_command command_of(struct str verb)
{
	for (size_t i = 0; i < sizeof(old_names) / sizeof(old_names[0]); i++) {
		if (str_eq_nocase(verb, str_of(old_names[i].name)))
			return old_names[i].command;
	}
	for (unsigned int i = 1; i < FTP_COMMAND_COUNT; i++) {
		if (str_eq_nocase(verb, str_of(names[i])))
			return (enum ftp_command)i;
	}
	return FTP_OTHER;
}

/* --- Telnet -------------------------------------------------------------------- */

/* Bytes of the Telnet command at @p, which is an IAC: 0 when it is cut off. */
static size_t telnet_length(const char *p, const char *end)
{
	uint8_t command;

	if (end - p < 2)
		return 0;
	command = (uint8_t)p[1];
	if (command >= TELNET_FIRST && command <= TELNET_LAST)
		return 2;
	if (command >= TELNET_WILL && command <= TELNET_DONT)
		return end - p < 3 ? 0 : 3;
	return 1; /* IAC IAC, or a subnegotiation: not before a command */
}

/*
 * Telnet commands before a command: their bytes, *@cut when the last of them
 * isn't complete. What is no such command is left to the line, where it is an
 * error.
 */
static size_t skip_telnet(struct str bytes, bool *cut)
{
	const char *p = bytes.p, *end = bytes.p + bytes.len;

	*cut = false;
	while (p < end && (uint8_t)*p == TELNET_IAC) {
		size_t n = telnet_length(p, end);

		*cut = n == 0;
		if (n < 2)
			break;
		p += n;
	}
	return (size_t)(p - bytes.p);
}

/* --- the line ------------------------------------------------------------------ */

static bool is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static bool bytes_are_fine(struct str line)
{
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = (uint8_t)line.p[i];

		if (c == '\0' || c == '\r')
			return false;
		if (c != TELNET_IAC)
			continue;
		i++; /* IAC IAC is a byte of 255 */
		if (i == line.len || (uint8_t)line.p[i] != TELNET_IAC)
			return false;
	}
	return true;
}

static enum ftp_error parse_line(struct str line, struct ftp_request *out)
{
	size_t n = 0;

	if (!bytes_are_fine(line))
		return FTP_BAD_BYTE;
	while (n < line.len && is_letter(line.p[n]))
		n++;
	if (n == 0 || n > VERB_MAX || (n < line.len && line.p[n] != ' '))
		return FTP_BAD_VERB;
	out->verb = (struct str){line.p, n};
	out->command = command_of(out->verb);
	out->has_argument = n < line.len;
	if (out->has_argument)
		n++;
	out->argument = (struct str){line.p + n, line.len - n};
	return FTP_OK;
}

ptrdiff_t ftp_parse_command(const uint8_t *data, size_t len, size_t seen,
			    size_t max_line, struct ftp_request *out)
{
	struct str bytes = {(const char *)data, len}, line;
	enum ftp_error error;
	size_t signals;
	ptrdiff_t n;
	bool cut;

	*out = (struct ftp_request){0};
	signals = len > 0 ? skip_telnet(bytes, &cut) : 0;
	/* Endless signals are as bad as an endless line. */
	if (signals > max_line)
		return -(ptrdiff_t)FTP_LINE_TOO_LONG;
	if (len == 0 || cut)
		return 0;
	out->interrupt = signals > 0;
	bytes.p += signals;
	bytes.len -= signals;
	n = ftp_line(bytes, seen > signals ? seen - signals : 0, max_line,
		     &line);
	if (n <= 0)
		return n;
	error = parse_line(line, out);
	return error == FTP_OK ? (ptrdiff_t)signals + n : -(ptrdiff_t)error;
}

void ftp_write_command(struct strbuf *sb, const struct ftp_request *req)
{
	strbuf_str(sb, req->verb);
	if (req->has_argument) {
		strbuf_putc(sb, ' ');
		strbuf_str(sb, req->argument);
	}
	strbuf_puts(sb, "\r\n");
}
