// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Host names, one in the input's first line. What is one is plain once it was
 * parsed, has no byte but those that a name may have, differs from the input in
 * case and a dot alone, and is read as an address by nobody.
 */
#include <arpa/inet.h>

#include "fuzz.h"
#include "proto/hostname.h"

static void check_name(struct str in, const char *name)
{
	struct str out = str_of(name);
	struct in_addr addr;

	FUZZ_CHECK(out.len > 0 && out.len < HOSTNAME_SIZE);
	FUZZ_CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
		   out.len);
	FUZZ_CHECK(hostname_is_plain(out));
	FUZZ_CHECK(in.len == out.len ||
		   (in.len == out.len + 1 && in.p[out.len] == '.'));
	in.len = out.len;
	FUZZ_CHECK(str_eq_nocase(in, out));
	FUZZ_CHECK(inet_aton(name, &addr) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = {data, len, 0};
	struct str line = fuzz_line(&f);
	uint8_t *copy = fuzz_copy((const uint8_t *)line.p, line.len);
	struct str in = {(const char *)copy, line.len};
	char name[HOSTNAME_SIZE];

	if (hostname_parse(in, name))
		check_name(in, name);
	else
		FUZZ_CHECK(name[0] == '\0' && !hostname_is_plain(in));
	free(copy);
	return 0;
}
