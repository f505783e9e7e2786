/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What servers usually speak on a port (IANA's registry). */
#ifndef SLUICE_APPCTL_PORTS_H
#define SLUICE_APPCTL_PORTS_H

#include <stdbool.h>
#include <stdint.h>

/* Inside TLS or without; APP_NONE where nothing is usual. */
uint16_t port_app(uint16_t port, bool tls);
/* Ports where many different things hide behind one address. */
bool port_is_web(uint16_t port);

#endif
