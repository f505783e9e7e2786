/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the kernel that are changed while Sluice runs, and put back. The
 * value found at first is kept in a file, the record, so that it survives a
 * crash. The file belongs on a file system that is empty after a boot (run_dir).
 */
#ifndef SLUICE_SYS_SYSCTL_H
#define SLUICE_SYS_SYSCTL_H

/* A setting whose values are single digits. */
struct sysctl {
	const char *path; /* in /proc/sys; of the caller's network namespace */
	int preset;	  /* the kernel's own, for a record that says nothing */
};

/* The value now, -ENOENT when this kernel has none, -errno. */
__attribute__((warn_unused_result)) int sysctl_value(const struct sysctl *s);

/*
 * Note the value in @record, unless a record is there already, and set it to
 * @value. 0, -ENOENT when this kernel has no such setting, or -errno.
 */
__attribute__((warn_unused_result)) int
sysctl_hold(const struct sysctl *s, int value, const char *record);

/* Set what @record says and delete it. 0 (also without a record) or -errno. */
__attribute__((warn_unused_result)) int sysctl_restore(const struct sysctl *s,
						       const char *record);

#endif
