// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/chunked.h"

#include <string.h>

#include "proto/http1_field.h"
#include "proto/http1_scan.h"

/* Hex digits of a size: more, even zeros, overflow somebody's counter. */
#define DIGITS_MAX 16

_Static_assert(sizeof(((struct chunked *)0)->name) > HTTP1_KNOWN_NAME_MAX,
	       "a longer name must not look like a known one cut short");

void chunked_init(struct chunked *c, char *trailers, uint32_t size)
{
	memset(c, 0, sizeof(*c));
	c->state = CHUNKED_SIZE;
	c->trailers = trailers;
	c->trailer_size = trailers != NULL ? size : CHUNKED_TRAILERS_MAX;
}

/* Value of a character that is a HEXDIG. */
static uint64_t hex_value(char digit)
{
	return digit <= '9' ? (uint64_t)(digit - '0')
			    : (uint64_t)((digit | 0x20) - 'a' + 10);
}

static void begin_size_line(struct chunked *c)
{
	c->state = CHUNKED_SIZE;
	c->left = 0;
	c->digits = 0;
	c->line = 0;
}

/* Each of these takes one byte and moves on, or says what is wrong with it. */

static enum http1_error size_end_byte(struct chunked *c, char byte)
{
	if (byte == '\r')
		c->state = CHUNKED_SIZE_LF;
	else if (byte == ';')
		c->state = CHUNKED_EXTENSION;
	else if (c->padded && (byte == ' ' || byte == '\t'))
		c->state = CHUNKED_PADDING;
	else
		return HTTP1_BAD_CHUNK_SIZE;
	return HTTP1_OK;
}

static enum http1_error size_byte(struct chunked *c, char byte)
{
	if (class_has(byte, CLASS_HEX)) {
		if (c->digits == DIGITS_MAX || c->left > INT64_MAX >> 4)
			return HTTP1_BAD_CHUNK_SIZE;
		c->left = c->left << 4 | hex_value(byte);
		c->digits++;
		return HTTP1_OK;
	}
	if (c->digits == 0)
		return HTTP1_BAD_CHUNK_SIZE;
	return size_end_byte(c, byte);
}

static enum http1_error extension_byte(struct chunked *c, char byte)
{
	if (byte == '\r')
		c->state = CHUNKED_SIZE_LF;
	else if (!is_text(byte))
		return HTTP1_BAD_CHUNK_SIZE;
	return HTTP1_OK;
}

static enum http1_error size_lf_byte(struct chunked *c, char byte)
{
	if (byte != '\n')
		return HTTP1_BAD_CHUNK_SIZE;
	c->state = c->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER;
	c->line = 0;
	return HTTP1_OK;
}

static enum http1_error data_cr_byte(struct chunked *c, char byte)
{
	if (byte != '\r')
		return HTTP1_BAD_CHUNK;
	c->state = CHUNKED_DATA_LF;
	return HTTP1_OK;
}

static enum http1_error data_lf_byte(struct chunked *c, char byte)
{
	if (byte != '\n')
		return HTTP1_BAD_CHUNK;
	begin_size_line(c);
	return HTTP1_OK;
}

/*
 * RFC 9110 6.5.1: no trailer may frame, route or describe the message. Those
 * are just the fields that we know, Host to Content-Range; User-Agent and the
 * like say nothing there either.
 */
static bool trailer_allowed(const struct chunked *c)
{
	struct str name = {c->name, c->name_len};

	return http1_field_id_of(name) == HTTP1_F_OTHER;
}

static enum http1_error trailer_name_byte(struct chunked *c, char byte)
{
	if (byte == ':') {
		c->state = CHUNKED_TRAILER_VALUE;
		return trailer_allowed(c) ? HTTP1_OK : HTTP1_BAD_TRAILER;
	}
	if (!class_has(byte, CLASS_TOKEN))
		return HTTP1_BAD_TRAILER;
	if (c->name_len < sizeof(c->name))
		c->name[c->name_len++] = byte;
	return HTTP1_OK;
}

static enum http1_error trailer_start_byte(struct chunked *c, char byte)
{
	c->name_len = 0;
	if (byte == '\r') {
		c->state = CHUNKED_END_LF;
		return HTTP1_OK;
	}
	c->state = CHUNKED_TRAILER_NAME;
	/* An empty name, and the white space of obs-fold. */
	if (!class_has(byte, CLASS_TOKEN))
		return HTTP1_BAD_TRAILER;
	return trailer_name_byte(c, byte);
}

static enum http1_error trailer_value_byte(struct chunked *c, char byte)
{
	if (byte == '\r')
		c->state = CHUNKED_TRAILER_LF;
	else if (!is_text(byte))
		return HTTP1_BAD_TRAILER;
	return HTTP1_OK;
}

static enum http1_error trailer_lf_byte(struct chunked *c, char byte)
{
	if (byte != '\n')
		return HTTP1_BAD_TRAILER;
	c->state = CHUNKED_TRAILER;
	return HTTP1_OK;
}

static enum http1_error end_lf_byte(struct chunked *c, char byte)
{
	if (byte != '\n')
		return HTTP1_BAD_TRAILER;
	c->state = CHUNKED_DONE;
	return HTTP1_OK;
}

/* Keep a byte of a trailer line, the CRLF that ends the section excepted. */
static enum http1_error trailer_keep(struct chunked *c, char byte)
{
	if (c->state == CHUNKED_END_LF || c->state == CHUNKED_DONE)
		return HTTP1_OK;
	if (c->trailer_len == c->trailer_size)
		return HTTP1_BAD_TRAILER;
	if (c->trailers != NULL)
		c->trailers[c->trailer_len] = byte;
	c->trailer_len++;
	if (++c->line > CHUNKED_LINE_MAX && c->trailers == NULL)
		return HTTP1_BAD_TRAILER;
	if (c->state == CHUNKED_TRAILER)
		c->line = 0;
	return HTTP1_OK;
}

static enum http1_error size_line_byte(struct chunked *c, char byte)
{
	if (++c->line > CHUNKED_LINE_MAX)
		return HTTP1_BAD_CHUNK_SIZE;
	switch (c->state) {
	case CHUNKED_SIZE:
		return size_byte(c, byte);
	case CHUNKED_PADDING:
		return size_end_byte(c, byte);
	case CHUNKED_EXTENSION:
		return extension_byte(c, byte);
	default:
		return size_lf_byte(c, byte);
	}
}

static enum http1_error trailer_byte(struct chunked *c, char byte)
{
	enum http1_error e;

	switch (c->state) {
	case CHUNKED_TRAILER:
		e = trailer_start_byte(c, byte);
		break;
	case CHUNKED_TRAILER_NAME:
		e = trailer_name_byte(c, byte);
		break;
	case CHUNKED_TRAILER_VALUE:
		e = trailer_value_byte(c, byte);
		break;
	case CHUNKED_TRAILER_LF:
		e = trailer_lf_byte(c, byte);
		break;
	default:
		e = end_lf_byte(c, byte);
		break;
	}
	return e == HTTP1_OK ? trailer_keep(c, byte) : e;
}

static enum http1_error framing_byte(struct chunked *c, char byte)
{
	switch (c->state) {
	case CHUNKED_SIZE:
	case CHUNKED_PADDING:
	case CHUNKED_EXTENSION:
	case CHUNKED_SIZE_LF:
		return size_line_byte(c, byte);
	case CHUNKED_DATA_CR:
		return data_cr_byte(c, byte);
	case CHUNKED_DATA_LF:
		return data_lf_byte(c, byte);
	default:
		return trailer_byte(c, byte);
	}
}

void chunked_skip(struct chunked *c, uint64_t n)
{
	c->left -= n;
	if (c->left == 0)
		c->state = CHUNKED_DATA_CR;
}

struct chunked_step chunked_feed(struct chunked *c, const uint8_t *data,
				 size_t len)
{
	struct chunked_step step = {0, {NULL, 0}, HTTP1_OK};
	size_t n;

	while (step.used < len && c->state != CHUNKED_DATA) {
		if (c->state == CHUNKED_DONE)
			return step;
		step.error = framing_byte(c, (char)data[step.used]);
		if (step.error != HTTP1_OK)
			return step;
		step.used++;
	}
	n = len - step.used;
	if (n == 0)
		return step;
	if (n > c->left)
		n = (size_t)c->left;
	step.data = (struct str){(const char *)data + step.used, n};
	step.used += n;
	chunked_skip(c, n);
	return step;
}
