/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page that a client gets instead of an object: a template, filled in. */
#ifndef SLUICE_RENDER_PAGE_H
#define SLUICE_RENDER_PAGE_H

#include "base/str.h"
#include "conf/template.h"

/*
 * Bytes that any page which config_set_page() took fits in, with its NUL:
 * the template and TEMPLATE_PLACEHOLDERS values of 1 KiB each as HTML.
 */
#define PAGE_RENDERED_MAX (CONFIG_PAGE_MAX + TEMPLATE_PLACEHOLDERS * 1024)

/* Views, which need not outlive page_render(); an absent value shows as "-". */
struct page_values {
	struct str v[TEMPLATE_VALUES];
};

/*
 * Append @template with @values to @sb. The values may be anything: a byte
 * that is no printable ASCII becomes %XX, a long value loses its middle, and
 * what HTML reads as markup, in text or in a quoted attribute, is escaped.
 * Not for placeholders in a script or a style sheet. @sb->cut is set when
 * @sb was too small. The client, the origin server and the scanner's
 * signatures all choose values, none of them text of the template.
 */
void page_render(struct strbuf *sb, const char *template,
		 const struct page_values *values);

#endif
