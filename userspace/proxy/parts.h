/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client puts together out of several answers must be bytes of one
 * object, or nobody has scanned it (docs/adr/0016). A table in the verdict
 * cache says of a client and an URL how the object begins of which it may hold
 * bytes: those of a download that broke off, or all of one that it got a part
 * of. An object of which a part is asked for must begin so.
 *
 * The table is written by the scan role in the order in which it is told, so
 * that of two parts which are judged at the same time, in whichever relays, the
 * later finds what the earlier said: a part leaves only while the table says
 * that it is of this very object.
 *
 * This path fails closed: what does not fit is not scanned, reason partial.
 */
#ifndef SLUICE_PROXY_PARTS_H
#define SLUICE_PROXY_PARTS_H

#include "base/str.h"
#include "proxy/check.h"

/*
 * A part of the object at @url is to leave; c->job.msg.part says of what, if
 * that is known. After check_begin().
 */
void parts_begin(struct check *c, struct str url);
/* Whether bytes of @o may leave before the whole is there and judged. */
bool parts_may_leave_early(const struct check *c, const struct object *o);
enum parts {
	PARTS_FIT,    /* the question for the verdict tells the table so */
	PARTS_DIFFER, /* the client holds bytes of another object */
	PARTS_BUSY    /* ask again in the next round */
};
/* @o is complete: does it begin as what the client has? */
enum parts parts_compare(struct check *c, struct object *o);
/* Whether the table says that parts are of this object; true of a whole. */
bool parts_known(const struct check *c);
/*
 * The client holds some of @o and may ask for the rest: that must be of the
 * same. False when there was nothing to say.
 */
bool parts_note(struct check *c, const struct object *o, struct str url);

#endif
