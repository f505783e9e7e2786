// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/finding.h"

#include <string.h>

#include "base/str.h"

/* Names that ClamAV gives to what it didn't look into, by their beginning. */
static const struct {
	const char *prefix;
	enum reason reason;
} pseudo_names[] = {
	{"Heuristics.Encrypted.", REASON_ENCRYPTED},
	{"Heuristics.Limits.Exceeded.MaxRecursion", REASON_ARCHIVE_DEPTH},
	{"Heuristics.Limits.Exceeded.MaxFiles", REASON_ARCHIVE_FILES},
	{"Heuristics.Limits.Exceeded.MaxScanTime", REASON_SCANNER_TIMEOUT},
	/* header lines and parts of a message */
	{"Heuristics.Limits.Exceeded.Email", REASON_ARCHIVE_FILES},
	/* MaxFileSize, MaxScanSize, and what a later release may add */
	{"Heuristics.Limits.Exceeded", REASON_ARCHIVE_SIZE},
	{"Heuristics.XZ.DicSizeLimit", REASON_ARCHIVE_SIZE},
	/* members that share their bytes: how a bomb of zip is made */
	{"Heuristics.Zip.OverlappingFiles", REASON_RATIO},
};

static void set(struct finding *f, enum verdict verdict, enum reason reason)
{
	memset(f, 0, sizeof(*f));
	f->verdict = verdict;
	f->reason = reason;
}

void finding_clean(struct finding *f)
{
	set(f, VERDICT_CLEAN, REASON_NONE);
}

void finding_not_scanned(struct finding *f, enum reason reason)
{
	set(f, VERDICT_NOT_SCANNED, reason);
}

void finding_of_name(struct finding *f, const char *name)
{
	struct str s = str_of(name);

	set(f, VERDICT_BLOCKED, REASON_SIGNATURE);
	for (size_t i = 0; i < sizeof(pseudo_names) / sizeof(pseudo_names[0]);
	     i++) {
		if (str_starts(s, str_of(pseudo_names[i].prefix))) {
			f->verdict = VERDICT_NOT_SCANNED;
			f->reason = pseudo_names[i].reason;
			break;
		}
	}
	for (size_t i = 0; i < s.len && i < MSG_NAME_MAX - 1; i++) {
		bool visible = s.p[i] > 0x20 && s.p[i] < 0x7f;

		f->name[i] = (char)(visible ? s.p[i] : '_');
	}
}

static int weight(enum verdict v)
{
	if (v == VERDICT_BLOCKED)
		return 2;
	return v == VERDICT_NOT_SCANNED ? 1 : 0;
}

void finding_merge(struct finding *all, const struct finding *f)
{
	if (weight(f->verdict) > weight(all->verdict))
		*all = *f;
}

bool finding_lasting(const struct finding *f)
{
	if (f->verdict != VERDICT_NOT_SCANNED)
		return true;
	return f->reason != REASON_SCANNER_FAILED &&
	       f->reason != REASON_SCANNER_TIMEOUT &&
	       f->reason != REASON_STORAGE;
}

static bool reason_fits(uint32_t verdict, uint32_t reason)
{
	switch (verdict) {
	case VERDICT_CLEAN:
		return reason == REASON_NONE;
	case VERDICT_BLOCKED:
		return reason == REASON_SIGNATURE;
	case VERDICT_NOT_SCANNED:
		return reason >= REASON_SCANNER_FAILED &&
		       reason <= REASON_UNSUPPORTED;
	default:
		return false;
	}
}

bool finding_valid(uint32_t verdict, uint32_t reason,
		   const char name[MSG_NAME_MAX])
{
	size_t len = strnlen(name, MSG_NAME_MAX);

	if (!reason_fits(verdict, reason) || len == MSG_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= 0x20 || name[i] > 0x7e)
			return false;
	return true;
}
