// SPDX-License-Identifier: GPL-2.0-or-later
#include "render/progress.h"

/* Of an endless page only the last style sheet counts. */
void progress_start(struct strbuf *sb)
{
	strbuf_puts(sb,
		    "<script>\n"
		    "setInterval(function () {\n"
		    "var s = document.querySelectorAll(\"style.state\");\n"
		    "for (var i = 0; i + 1 < s.length; i++) s[i].remove();\n"
		    "var done = getComputedStyle(document.documentElement)"
		    ".getPropertyValue(\"--done\");\n"
		    "var end = document.querySelector(\"#end h1\");\n"
		    "document.title = end ? end.textContent : done;\n"
		    "}, 500);\n"
		    "</script>\n");
}

/* "812 bytes", "12.3 MB": a thousand to each step, as browsers count. */
static void put_bytes(struct strbuf *sb, uint64_t n)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	uint64_t tenths = n / 100;
	unsigned int unit = 0;

	if (n < 1000) {
		strbuf_printf(sb, "%u bytes", (unsigned int)n);
		return;
	}
	while (tenths >= 10000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		tenths /= 1000;
		unit++;
	}
	strbuf_printf(sb, "%llu.%llu %s", (unsigned long long)(tenths / 10),
		      (unsigned long long)(tenths % 10), units[unit]);
}

static unsigned int percent(uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return 100;
	/* No product of two that could overflow. */
	return whole > UINT64_MAX / 100 ? (unsigned int)(part / (whole / 100))
					: (unsigned int)(part * 100 / whole);
}

void progress_state(struct strbuf *sb, uint64_t received, uint64_t total)
{
	strbuf_printf(sb,
		      "<style class=\"state\">:root { --done: %u%%; } "
		      "#state::after { content: \"",
		      percent(received, total));
	if (received >= total) {
		put_bytes(sb, total);
		strbuf_puts(sb, " are here and are being scanned.");
	} else {
		put_bytes(sb, received);
		strbuf_puts(sb, " of ");
		put_bytes(sb, total);
		strbuf_puts(sb, " are here.");
	}
	strbuf_puts(sb, "\"; }</style>\n");
}

static void begin_end(struct strbuf *sb, const char *title, const char *style)
{
	strbuf_puts(sb, "<style>#waiting { display: none; }");
	strbuf_puts(sb, style);
	strbuf_puts(sb, "</style>\n<div id=\"end\"><h1>");
	strbuf_html(sb, str_of(title));
	strbuf_puts(sb, "</h1>\n");
}

void progress_offer(struct strbuf *sb, const char *sentence, const char *path)
{
	begin_end(sb, "Your download is ready", "");
	strbuf_puts(sb, "<p class=\"why\">");
	strbuf_html(sb, str_of(sentence));
	strbuf_puts(sb, "</p>\n<p>If it does not begin by itself, it is here "
			"for ten minutes:</p>\n"
			"<p><a class=\"button\" href=\"");
	strbuf_html(sb, str_of(path));
	strbuf_puts(sb, "\">Download</a></p></div>\n"
			"<meta http-equiv=\"refresh\" content=\"0; url=");
	strbuf_html(sb, str_of(path));
	strbuf_puts(sb, "\">\n");
}

void progress_refuse(struct strbuf *sb, const char *title, const char *sentence,
		     const char *event)
{
	begin_end(sb, title, " :root { --mark: #cf222e; }");
	strbuf_puts(sb, "<p class=\"why\">");
	strbuf_html(sb, str_of(sentence));
	strbuf_puts(sb, "</p>\n<p>Nothing of it has reached your device. If "
			"you need help, tell your administrator this event: "
			"<code>");
	strbuf_html(sb, str_of(event));
	strbuf_puts(sb, "</code></p></div>\n");
}
