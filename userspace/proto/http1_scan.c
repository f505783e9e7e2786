// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/http1_scan.h"

#define T CLASS_TOKEN
#define R CLASS_REG_NAME
#define B CLASS_BOUNDARY
#define D CLASS_DIGIT
#define H CLASS_HEX

/*
 * Letters and digits are everything. Of the marks, tchar has no delimiters,
 * reg-name has the unreserved marks and the sub-delims, and a boundary has
 * those of RFC 2046.
 */
const uint8_t http1_class[256] = {
	['!'] = T | R,
	['#'] = T,
	['$'] = T | R,
	['%'] = T,
	['&'] = T | R,
	['\''] = T | R | B,
	['('] = R | B,
	[')'] = R | B,
	['*'] = T | R,
	['+'] = T | R | B,
	[','] = R | B,
	['-'] = T | R | B,
	['.'] = T | R | B,
	['/'] = B,
	['0' ... '9'] = T | R | B | D | H,
	[':'] = B,
	[';'] = R,
	['='] = R | B,
	['?'] = B,
	['A' ... 'F'] = T | R | B | H,
	['G' ... 'Z'] = T | R | B,
	['^'] = T,
	['_'] = T | R | B,
	['`'] = T,
	['a' ... 'f'] = T | R | B | H,
	['g' ... 'z'] = T | R | B,
	['|'] = T,
	['~'] = T | R,
};
