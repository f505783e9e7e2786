// SPDX-License-Identifier: GPL-2.0-or-later
#include "sluicectl/options.h"

#include <errno.h>
#include <stdio.h>

int options_read(const struct options *o, int argc, char *argv[], void *into,
		 uint64_t now_us, char *wrong, size_t size)
{
	char letters[32];
	int option;

	/* '+': what is no option ends them, wherever it stands. */
	snprintf(letters, sizeof(letters), "+%s", o->letters);
	optind = 0; /* begin anew, also with another argv */
	opterr = 0;
	while ((option = getopt_long(argc, argv, letters, o->names, NULL)) !=
	       -1) {
		if (o->take(into, option, optarg, now_us))
			continue;
		snprintf(wrong, size, "%s: not a valid option or value",
			 argv[optind - 1]);
		return -EINVAL;
	}
	if (optind == argc)
		return 0;
	snprintf(wrong, size, "%s: %s takes no argument", argv[optind],
		 o->command);
	return -EINVAL;
}
