// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/engine.h"

const struct engine_ops *engine_of(enum config_engine engine)
{
	switch (engine) {
	case ENGINE_LIBCLAMAV:
		return &engine_libclamav;
	case ENGINE_CLAMD:
		return &engine_clamd;
	case ENGINE_NONE:
		break;
	}
	return NULL;
}
