/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an FTP client is in the server's tree, from its commands and the
 * server's replies, for URLs in events and as keys. A server may have links and
 * names of its own, so what comes out is what the client asked for and not where
 * it got to. Pure.
 */
#ifndef SLUICE_PROTO_FTP_PATH_H
#define SLUICE_PROTO_FTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define FTP_PATH_MAX 1024

/*
 * "" is the login directory, whose path isn't known; "pub/new" lies below it;
 * "/pub/new" is known whole. Begin with zeroes.
 */
struct ftp_path {
	char text[FTP_PATH_MAX];
};

/*
 * CWD @argument worked ("..", "." and several slashes are taken out; above the
 * login directory and past what has room it stays where it is).
 */
void ftp_path_enter(struct ftp_path *path, struct str argument);
/* The text of a 257 reply to PWD: "\"/pub\" is the current directory". */
void ftp_path_is(struct ftp_path *path, struct str text);
/*
 * The path of @argument from there, in @sb as the path of an URL (RFC 1738 3.2):
 * below the login directory without, and else with "%2F" at its start; bytes
 * that an URL can't have are percent-encoded.
 */
void ftp_path_url(struct strbuf *sb, const struct ftp_path *path,
		  struct str argument);

#endif
