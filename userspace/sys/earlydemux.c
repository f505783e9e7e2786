// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/earlydemux.h"

#include <errno.h>

#include "sys/sysctl.h"

static const struct sysctl early_demux = {
	.path = "/proc/sys/net/ipv4/ip_early_demux",
	.preset = 1,
};

int earlydemux_value(void)
{
	return sysctl_value(&early_demux);
}

int earlydemux_off(const char *record)
{
	int rc = sysctl_hold(&early_demux, 0, record);

	return rc == -ENOENT ? 0 : rc;
}

int earlydemux_restore(const char *record)
{
	return sysctl_restore(&early_demux, record);
}
