/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest transparent relay that a test of the rules can do with: accepts
 * on the listener, dials where the client wanted to go, copies both ways.
 */
#ifndef SLUICE_TESTS_RELAY_H
#define SLUICE_TESTS_RELAY_H

#include <stdbool.h>
#include <stdint.h>

/* Called about once a second. False ends the relay. */
typedef bool (*relay_tick_fn)(void *arg);

struct relay_options {
	uint16_t port;
	bool keep_client_address;
	bool keep_client_port; /* and the port, which the zones make safe */
	relay_tick_fn tick;
	void *arg;
};

/* 0 when @tick ended it, or -errno. */
int relay_run(const struct relay_options *options);

#endif
