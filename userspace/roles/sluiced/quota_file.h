/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of quotas' sums (ipc/quota.h): made by the parent, for app. */
#ifndef SLUICE_ROLES_QUOTA_FILE_H
#define SLUICE_ROLES_QUOTA_FILE_H

/*
 * Open or make it in @state_dir, with room on the disk for all of it. When that
 * can't be, it is said, and memory takes its place: sums then end with the
 * daemon. A descriptor, or -errno, logged.
 */
__attribute__((warn_unused_result)) int quota_file_open(const char *state_dir);

#endif
