/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds of FTP however a run went (invariants.h): the same of files that
 * come over data connections, and that nobody is sent to a data connection that
 * isn't ours.
 */
#ifndef SLUICE_TESTS_INVARIANTS_FTP_H
#define SLUICE_TESTS_INVARIANTS_FTP_H

#include "gateway.h"

/* With scan.not_scanned = block: of all files that came for somebody. */
void invariants_ftp_files(const struct gateway *g);
/* Always: of addresses, and of pairs. */
void invariants_ftp(const struct gateway *g);

#endif
