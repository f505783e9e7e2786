// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/tls_hello.h"

#include <string.h>

#define RECORD_HANDSHAKE 22
#define RECORD_MAX	 16384 /* RFC 8446 5.1 */
#define CLIENT_HELLO	 1
#define RANDOM_LEN	 32
#define SESSION_MAX	 32
#define LABEL_MAX	 63 /* RFC 1035 2.3.4 */

/* RFC 6066, 7301, 8446 4.2, draft-ietf-tls-esni */
#define EXT_SERVER_NAME 0
#define EXT_ALPN	16
#define EXT_PSK		41
#define EXT_VERSIONS	43
#define EXT_ECH		0xfe0d

/*
 * What comes next. Most states read a number of one to three bytes and then
 * say what follows (numbers[]); those past PASS go over or keep bytes.
 */
enum state {
	TYPE,
	LENGTH,
	VERSION,
	RANDOM,
	SESSION_LEN,
	SESSION,
	CIPHERS_LEN,
	CIPHER,
	COMPRESSION_LEN,
	COMPRESSION,
	EXTS_LEN,
	EXT_TYPE,
	EXT_LEN,
	EXT_BODY,
	NAMES_LEN,
	NAME_TYPE,
	NAME_LEN,
	NAME,
	PROTOCOLS_LEN,
	PROTOCOL_LEN,
	PROTOCOL,
	VERSIONS_LEN,
	ONE_VERSION,
	ECH_TYPE,
	STATES
};

enum depth { MESSAGE, EXTENSION, LIST };

static enum tls_hello_result end_with(struct tls_hello *h,
				      enum tls_hello_result result,
				      enum tls_hello_error error)
{
	h->result = result;
	h->error = error;
	return result;
}

static void bad(struct tls_hello *h, enum tls_hello_error error)
{
	end_with(h, TLS_HELLO_MALFORMED, error);
}

/* Read a number of @bytes next: they must be in the present structure. */
static void number(struct tls_hello *h, enum state state, uint8_t bytes)
{
	if (h->left[h->depth] < bytes) {
		bad(h, TLS_HELLO_BAD_LENGTH);
		return;
	}
	h->state = state;
	h->want = bytes;
	h->value = 0;
}

/* Go over @bytes > 0 in @state, each given to it. */
static void bytes_of(struct tls_hello *h, enum state state, uint32_t bytes)
{
	if (h->left[h->depth] < bytes) {
		bad(h, TLS_HELLO_BAD_LENGTH);
		return;
	}
	h->state = state;
	h->skip = bytes;
}

/* --- between structures ------------------------------------------------------ */

/* After an extension, or instead of the first one. */
static void next_extension(struct tls_hello *h)
{
	h->depth = MESSAGE;
	if (h->left[MESSAGE] == 0)
		end_with(h, TLS_HELLO_DONE, TLS_HELLO_OK);
	else
		number(h, EXT_TYPE, 2);
}

/* An extension that is read here ends where its length says. */
static void extension_end(struct tls_hello *h)
{
	if (h->left[EXTENSION] != 0)
		bad(h, TLS_HELLO_BAD_LENGTH);
	else
		next_extension(h);
}

/* A list of @bytes fills its extension to the end. */
static bool list_begin(struct tls_hello *h, uint32_t bytes)
{
	if (bytes != h->left[EXTENSION]) {
		bad(h, TLS_HELLO_BAD_LENGTH);
		return false;
	}
	h->depth = LIST;
	h->left[LIST] = bytes;
	return true;
}

static bool is_grease(uint32_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void after_compression(struct tls_hello *h)
{
	/* RFC 5246 7.4.1.2: a hello may end without extensions. */
	if (h->left[MESSAGE] == 0)
		end_with(h, TLS_HELLO_DONE, TLS_HELLO_OK);
	else
		number(h, EXTS_LEN, 2);
}

static void after_session(struct tls_hello *h)
{
	number(h, CIPHERS_LEN, 2);
}

/* --- numbers ------------------------------------------------------------------- */

static void type_read(struct tls_hello *h)
{
	if (h->value != CLIENT_HELLO)
		end_with(h, TLS_HELLO_NOT_TLS, TLS_HELLO_OK);
	else
		number(h, LENGTH, 3);
}

static void length_read(struct tls_hello *h)
{
	if (h->value > h->max) {
		bad(h, TLS_HELLO_TOO_LONG);
		return;
	}
	h->left[MESSAGE] = h->value;
	number(h, VERSION, 2);
}

/* SSL 3.0 to TLS 1.2; TLS 1.3 says 1.2 here. */
static void version_read(struct tls_hello *h)
{
	h->version = (uint16_t)h->value;
	if (h->value >> 8 != 3)
		end_with(h, TLS_HELLO_NOT_TLS, TLS_HELLO_OK);
	else
		bytes_of(h, RANDOM, RANDOM_LEN);
}

static void session_len_read(struct tls_hello *h)
{
	if (h->value > SESSION_MAX)
		bad(h, TLS_HELLO_BAD_SESSION);
	else if (h->value == 0)
		after_session(h);
	else
		bytes_of(h, SESSION, h->value);
}

static void ciphers_len_read(struct tls_hello *h)
{
	if (h->value == 0 || h->value % 2 != 0) {
		bad(h, TLS_HELLO_BAD_CIPHERS);
		return;
	}
	if (h->value > h->left[MESSAGE]) {
		bad(h, TLS_HELLO_BAD_LENGTH);
		return;
	}
	h->skip = h->value; /* of the list; number() does not touch it */
	number(h, CIPHER, 2);
}

static void cipher_read(struct tls_hello *h)
{
	if (is_grease(h->value))
		h->grease = true;
	h->skip -= 2;
	if (h->skip > 0)
		number(h, CIPHER, 2);
	else
		number(h, COMPRESSION_LEN, 1);
}

static void compression_len_read(struct tls_hello *h)
{
	if (h->value == 0)
		bad(h, TLS_HELLO_BAD_COMPRESSION);
	else
		bytes_of(h, COMPRESSION, h->value);
}

static void exts_len_read(struct tls_hello *h)
{
	if (h->value != h->left[MESSAGE])
		bad(h, TLS_HELLO_BAD_LENGTH);
	else
		next_extension(h);
}

static void ext_type_read(struct tls_hello *h)
{
	h->ext = (uint16_t)h->value;
	number(h, EXT_LEN, 2);
}

/* Those read here may come once; the first look at one marks it. */
static bool first_time(struct tls_hello *h, bool *seen)
{
	if (*seen) {
		bad(h, TLS_HELLO_TWICE);
		return false;
	}
	*seen = true;
	return true;
}

static void known_ext(struct tls_hello *h)
{
	switch (h->ext) {
	case EXT_SERVER_NAME:
		if (first_time(h, &h->has_host))
			number(h, NAMES_LEN, 2);
		break;
	case EXT_ALPN:
		if (first_time(h, &h->has_alpn))
			number(h, PROTOCOLS_LEN, 2);
		break;
	case EXT_VERSIONS:
		if (first_time(h, &h->has_versions))
			number(h, VERSIONS_LEN, 1);
		break;
	case EXT_ECH:
		if (first_time(h, &h->ech))
			number(h, ECH_TYPE, 1);
		break;
	default:
		if (h->ext == EXT_PSK)
			h->pre_shared_key = true;
		if (h->left[EXTENSION] == 0)
			next_extension(h);
		else
			bytes_of(h, EXT_BODY, h->left[EXTENSION]);
		break;
	}
}

static void ext_len_read(struct tls_hello *h)
{
	if (h->value > h->left[MESSAGE]) {
		bad(h, TLS_HELLO_BAD_LENGTH);
		return;
	}
	h->depth = EXTENSION;
	h->left[EXTENSION] = h->value;
	known_ext(h);
}

static void names_len_read(struct tls_hello *h)
{
	if (list_begin(h, h->value))
		number(h, NAME_TYPE, 1);
}

/* RFC 6066 3: one host_name; no other type was ever defined. */
static void name_type_read(struct tls_hello *h)
{
	if (h->value != 0)
		bad(h, TLS_HELLO_BAD_NAME);
	else
		number(h, NAME_LEN, 2);
}

static void name_len_read(struct tls_hello *h)
{
	if (h->value != h->left[LIST])
		bad(h, TLS_HELLO_BAD_LENGTH);
	else if (h->value == 0 || h->value > TLS_HELLO_HOST_MAX)
		bad(h, TLS_HELLO_BAD_NAME);
	else
		bytes_of(h, NAME, h->value);
}

static void protocols_len_read(struct tls_hello *h)
{
	if (h->value < 2)
		bad(h, TLS_HELLO_BAD_ALPN);
	else if (list_begin(h, h->value))
		number(h, PROTOCOL_LEN, 1);
}

/* Keep the name with its length, or nothing of it and of all that follow. */
static void protocol_len_read(struct tls_hello *h)
{
	if (h->value == 0) {
		bad(h, TLS_HELLO_BAD_ALPN);
		return;
	}
	if (h->alpn_len + 1 + h->value > TLS_HELLO_ALPN_MAX)
		h->alpn_cut = true;
	if (!h->alpn_cut)
		h->alpn[h->alpn_len++] = (uint8_t)h->value;
	bytes_of(h, PROTOCOL, h->value);
}

static void versions_len_read(struct tls_hello *h)
{
	if (h->value == 0 || h->value % 2 != 0)
		bad(h, TLS_HELLO_BAD_VERSIONS);
	else if (list_begin(h, h->value))
		number(h, ONE_VERSION, 2);
}

static void one_version_read(struct tls_hello *h)
{
	if (is_grease(h->value))
		h->grease = true;
	else if (h->version_count < TLS_HELLO_VERSIONS_MAX)
		h->versions[h->version_count++] = (uint16_t)h->value;
	if (h->left[LIST] > 0)
		number(h, ONE_VERSION, 2);
	else
		extension_end(h);
}

static void ech_type_read(struct tls_hello *h)
{
	h->ech_inner = h->value == 1;
	if (h->left[EXTENSION] == 0)
		next_extension(h);
	else
		bytes_of(h, EXT_BODY, h->left[EXTENSION]);
}

static void (*const numbers[STATES])(struct tls_hello *h) = {
	[TYPE] = type_read,
	[LENGTH] = length_read,
	[VERSION] = version_read,
	[SESSION_LEN] = session_len_read,
	[CIPHERS_LEN] = ciphers_len_read,
	[CIPHER] = cipher_read,
	[COMPRESSION_LEN] = compression_len_read,
	[EXTS_LEN] = exts_len_read,
	[EXT_TYPE] = ext_type_read,
	[EXT_LEN] = ext_len_read,
	[NAMES_LEN] = names_len_read,
	[NAME_TYPE] = name_type_read,
	[NAME_LEN] = name_len_read,
	[PROTOCOLS_LEN] = protocols_len_read,
	[PROTOCOL_LEN] = protocol_len_read,
	[VERSIONS_LEN] = versions_len_read,
	[ONE_VERSION] = one_version_read,
	[ECH_TYPE] = ech_type_read,
};

/* --- bytes --------------------------------------------------------------------- */

/*
 * Letters, digits, '-', and '_', which names in use have; what a log line or a
 * list of names would trip over is refused.
 */
static bool is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static void name_byte(struct tls_hello *h, uint8_t byte)
{
	char c = ascii_lower((char)byte);

	if (c == '.' && h->label > 0) {
		h->label = 0;
	} else if (is_host_byte(c) && h->label < LABEL_MAX) {
		h->label++;
	} else {
		bad(h, TLS_HELLO_BAD_NAME);
		return;
	}
	h->host[h->host_len++] = c;
	h->host[h->host_len] = '\0';
}

/* RFC 6066 3 wants no dot at the end; some send it, and mean the same name. */
static void name_end(struct tls_hello *h)
{
	if (h->label == 0)
		h->host[--h->host_len] = '\0';
	extension_end(h);
}

static void protocol_byte(struct tls_hello *h, uint8_t byte)
{
	if (!h->alpn_cut)
		h->alpn[h->alpn_len++] = byte;
}

static void protocol_end(struct tls_hello *h)
{
	if (h->left[LIST] > 0)
		number(h, PROTOCOL_LEN, 1);
	else
		extension_end(h);
}

/* The last byte that @state goes over was taken. */
static void bytes_end(struct tls_hello *h)
{
	switch (h->state) {
	case RANDOM:
		number(h, SESSION_LEN, 1);
		break;
	case SESSION:
		after_session(h);
		break;
	case COMPRESSION:
		after_compression(h);
		break;
	case NAME:
		name_end(h);
		break;
	case PROTOCOL:
		protocol_end(h);
		break;
	default:
		extension_end(h);
		break;
	}
}

static void take(struct tls_hello *h, uint32_t n)
{
	for (unsigned int d = 0; d <= h->depth; d++)
		h->left[d] -= n;
}

static void message_byte(struct tls_hello *h, uint8_t byte)
{
	take(h, 1);
	if (numbers[h->state] != NULL) {
		h->value = h->value << 8 | byte;
		if (--h->want == 0)
			numbers[h->state](h);
		return;
	}
	if (h->state == NAME)
		name_byte(h, byte);
	else if (h->state == PROTOCOL)
		protocol_byte(h, byte);
	if (h->result == TLS_HELLO_MORE && --h->skip == 0)
		bytes_end(h);
}

/* Go over what nobody looks at; most of a hello is such (key shares). */
static size_t pass_over(struct tls_hello *h, size_t len)
{
	size_t n = len < h->skip ? len : h->skip;

	take(h, (uint32_t)n);
	h->skip -= (uint32_t)n;
	if (h->skip == 0)
		bytes_end(h);
	return n;
}

static bool is_kept(const struct tls_hello *h)
{
	return numbers[h->state] != NULL || h->state == NAME ||
	       h->state == PROTOCOL;
}

/* Bytes of the handshake message; how many were taken. */
static size_t message_feed(struct tls_hello *h, const uint8_t *data, size_t len)
{
	size_t at = 0;

	while (at < len && h->result == TLS_HELLO_MORE) {
		if (is_kept(h))
			message_byte(h, data[at++]);
		else
			at += pass_over(h, len - at);
	}
	return at;
}

/* --- records ------------------------------------------------------------------- */

/* A first record that isn't one of a handshake is no TLS; a later one is bad. */
static void record_fault(struct tls_hello *h)
{
	bool first = h->state == TYPE && h->want == 1;

	end_with(h, first ? TLS_HELLO_NOT_TLS : TLS_HELLO_MALFORMED,
		 first ? TLS_HELLO_OK : TLS_HELLO_BAD_RECORD);
}

/* Type, version, length (RFC 8446 5.1); no handshake record is empty. */
static void record_byte(struct tls_hello *h, uint8_t byte)
{
	unsigned int at = h->header++;

	if ((at == 0 && byte != RECORD_HANDSHAKE) || (at == 1 && byte != 3)) {
		record_fault(h);
		return;
	}
	h->record = (uint16_t)(h->record << 8 | byte);
	if (at < 4)
		return;
	h->header = 0;
	if (h->record == 0 || h->record > RECORD_MAX)
		record_fault(h);
}

static size_t record_feed(struct tls_hello *h, const uint8_t *data, size_t len)
{
	size_t at = 0;

	while (at < len && h->result == TLS_HELLO_MORE) {
		size_t n = len - at;

		if (h->record == 0 || h->header > 0) {
			record_byte(h, data[at++]);
			continue;
		}
		if (n > h->record)
			n = h->record;
		n = message_feed(h, data + at, n);
		h->record = (uint16_t)(h->record - n);
		at += n;
	}
	return at;
}

/* --- the interface ------------------------------------------------------------- */

void tls_hello_init_message(struct tls_hello *h, uint32_t max)
{
	memset(h, 0, sizeof(*h));
	h->max = max;
	h->state = TYPE;
	h->want = 1;
	h->left[MESSAGE] = 4; /* type and length, which is not yet known */
}

void tls_hello_init(struct tls_hello *h, uint32_t max)
{
	tls_hello_init_message(h, max);
	h->in_record = 1;
}

enum tls_hello_result tls_hello_feed(struct tls_hello *h, const uint8_t *data,
				     size_t len, size_t *used)
{
	size_t n = h->in_record ? record_feed(h, data, len)
				: message_feed(h, data, len);

	if (used != NULL)
		*used = n;
	return (enum tls_hello_result)h->result;
}

struct str tls_hello_host(const struct tls_hello *h)
{
	return (struct str){h->host, h->host_len};
}

bool tls_hello_next_alpn(const struct tls_hello *h, size_t *at,
			 struct str *protocol)
{
	if (*at >= h->alpn_len)
		return false;
	*protocol = (struct str){(const char *)h->alpn + *at + 1, h->alpn[*at]};
	*at += 1 + protocol->len;
	return *at <= h->alpn_len;
}

bool tls_hello_has_alpn(const struct tls_hello *h, struct str protocol)
{
	struct str p;
	size_t at = 0;

	while (tls_hello_next_alpn(h, &at, &p))
		if (str_eq(p, protocol))
			return true;
	return false;
}

uint16_t tls_hello_max_version(const struct tls_hello *h)
{
	uint16_t max = 0;

	if (h->version_count == 0)
		return h->version;
	for (unsigned int i = 0; i < h->version_count; i++)
		if (h->versions[i] > max)
			max = h->versions[i];
	return max;
}

static const char *const errors[TLS_HELLO_ERRORS] = {
	[TLS_HELLO_OK] = "ok",
	[TLS_HELLO_BAD_RECORD] = "bad_record",
	[TLS_HELLO_BAD_LENGTH] = "bad_length",
	[TLS_HELLO_TOO_LONG] = "too_long",
	[TLS_HELLO_BAD_SESSION] = "bad_session",
	[TLS_HELLO_BAD_CIPHERS] = "bad_ciphers",
	[TLS_HELLO_BAD_COMPRESSION] = "bad_compression",
	[TLS_HELLO_TWICE] = "twice",
	[TLS_HELLO_BAD_NAME] = "bad_name",
	[TLS_HELLO_BAD_ALPN] = "bad_alpn",
	[TLS_HELLO_BAD_VERSIONS] = "bad_versions",
};

const char *tls_hello_error_name(enum tls_hello_error error)
{
	return (unsigned int)error < TLS_HELLO_ERRORS ? errors[error] : "?";
}
