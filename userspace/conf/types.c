// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/types.h"

#include <inttypes.h>
#include <string.h>

#include "base/ip.h"
#include "base/units.h"
#include "conf/config.h"

static void store_number(void *dst, size_t size, uint64_t value)
{
	const uint16_t v16 = (uint16_t)value;
	const uint32_t v32 = (uint32_t)value;

	if (size == sizeof(bool))
		*(bool *)dst = value != 0;
	else if (size == sizeof(v16))
		memcpy(dst, &v16, sizeof(v16));
	else if (size == sizeof(v32))
		memcpy(dst, &v32, sizeof(v32));
	else
		memcpy(dst, &value, sizeof(value));
}

static enum value_result store_in_range(const struct config_key *key,
					uint64_t value, void *dst)
{
	bool in_range = value >= key->min && value <= key->max;

	if (!in_range && !(value == 0 && key->zero != NULL))
		return VALUE_BAD;
	store_number(dst, key->size, value);
	return VALUE_OK;
}

static void allowed_range(const struct config_key *key, struct strbuf *sb,
			  const char *what, const char *low, const char *high)
{
	strbuf_printf(sb, "%s from %s to %s", what, low, high);
	if (key->zero != NULL)
		strbuf_printf(sb, ", or 0 (%s)", key->zero);
}

static enum value_result parse_number(const struct config_key *key,
				      const char *text, void *dst)
{
	uint64_t value;

	if (!str_to_u64(str_of(text), &value))
		return VALUE_BAD;
	return store_in_range(key, value, dst);
}

static void allowed_number(const struct config_key *key, struct strbuf *sb)
{
	char low[24];
	char high[24];
	struct strbuf l;
	struct strbuf h;

	strbuf_init(&l, low, sizeof(low));
	strbuf_init(&h, high, sizeof(high));
	strbuf_printf(&l, "%" PRIu64, key->min);
	strbuf_printf(&h, "%" PRIu64, key->max);
	allowed_range(key, sb, "a number", low, high);
}

static enum value_result parse_size(const struct config_key *key,
				    const char *text, void *dst)
{
	uint64_t value;

	if (!units_parse_size(text, &value))
		return VALUE_BAD;
	return store_in_range(key, value, dst);
}

static void allowed_size(const struct config_key *key, struct strbuf *sb)
{
	char low[UNITS_TEXT_MAX];
	char high[UNITS_TEXT_MAX];

	units_format_size(low, sizeof(low), key->min);
	units_format_size(high, sizeof(high), key->max);
	allowed_range(key, sb, "a size", low, high);
}

static enum value_result parse_duration(const struct config_key *key,
					const char *text, void *dst)
{
	uint64_t value;

	if (!units_parse_duration(text, &value))
		return VALUE_BAD;
	return store_in_range(key, value, dst);
}

static void allowed_duration(const struct config_key *key, struct strbuf *sb)
{
	char low[UNITS_TEXT_MAX];
	char high[UNITS_TEXT_MAX];

	units_format_duration(low, sizeof(low), key->min);
	units_format_duration(high, sizeof(high), key->max);
	allowed_range(key, sb, "a duration", low, high);
}

/* The words that libConfuse's own booleans have. */
static enum value_result parse_bool(const struct config_key *key,
				    const char *text, void *dst)
{
	static const struct config_word words[] = {
		{"true", true},	  {"yes", true}, {"on", true},
		{"false", false}, {"no", false}, {"off", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_eq_nocase(str_of(words[i].name), str_of(text))) {
			store_number(dst, key->size, words[i].value);
			return VALUE_OK;
		}
	}
	return VALUE_BAD;
}

static void allowed_bool(const struct config_key *key, struct strbuf *sb)
{
	(void)key;
	strbuf_puts(sb, "true or false");
}

static enum value_result parse_word(const struct config_key *key,
				    const char *text, void *dst)
{
	for (const struct config_word *w = key->words; w->name != NULL; w++) {
		if (strcmp(w->name, text) != 0)
			continue;
		if (w->value == CONFIG_LATER)
			return VALUE_LATER;
		store_number(dst, key->size, w->value);
		return VALUE_OK;
	}
	return VALUE_BAD;
}

static void allowed_word(const struct config_key *key, struct strbuf *sb)
{
	const char *separator = "";

	for (const struct config_word *w = key->words; w->name != NULL; w++) {
		if (w->value == CONFIG_LATER)
			continue;
		strbuf_printf(sb, "%s\"%s\"", separator, w->name);
		separator = " or ";
	}
}

static bool all_of(const char *text, bool (*is)(char c))
{
	for (; *text != '\0'; text++)
		if (!is(*text))
			return false;
	return true;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') ||
	       (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_path_char(char c)
{
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

static enum value_result parse_path(const struct config_key *key,
				    const char *text, void *dst)
{
	if (text[0] != '/' || strlen(text) > key->max ||
	    !all_of(text, is_path_char))
		return VALUE_BAD;
	return str_copy(dst, key->size, text) ? VALUE_OK : VALUE_BAD;
}

static void allowed_path(const struct config_key *key, struct strbuf *sb)
{
	strbuf_printf(sb, "an absolute path of at most %" PRIu64 " bytes",
		      key->max);
}

static bool is_user_char(char c)
{
	return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* A name, never a number: "0" would be root by another name. */
static enum value_result parse_user(const struct config_key *key,
				    const char *text, void *dst)
{
	bool starts_well = !(text[0] >= '0' && text[0] <= '9') &&
			   text[0] != '-' && text[0] != '.';

	if (text[0] == '\0' || !starts_well || !all_of(text, is_user_char) ||
	    strcmp(text, "root") == 0)
		return VALUE_BAD;
	return str_copy(dst, key->size, text) ? VALUE_OK : VALUE_BAD;
}

static void allowed_user(const struct config_key *key, struct strbuf *sb)
{
	strbuf_printf(sb,
		      "the name of an account other than root, at most %zu "
		      "bytes",
		      key->size - 1);
}

/*
 * Narrower than dev_valid_name() of the kernel: the name is written into rules
 * between quotes, and a trailing * would match other interfaces there.
 */
static bool is_iface_char(char c)
{
	return is_alnum(c) || strchr("._-+@", c) != NULL;
}

static enum value_result parse_iface(const struct config_key *key,
				     const char *text, void *dst)
{
	(void)key;
	if (text[0] == '\0' || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0 || !all_of(text, is_iface_char))
		return VALUE_BAD;
	return str_copy(dst, CONFIG_IFACE_MAX, text) ? VALUE_OK : VALUE_BAD;
}

static void allowed_iface(const struct config_key *key, struct strbuf *sb)
{
	(void)key;
	strbuf_printf(sb,
		      "the name of an interface, at most %d bytes, letters, "
		      "digits and . _ - + @",
		      CONFIG_IFACE_MAX - 1);
}

static enum value_result parse_port(const struct config_key *key,
				    const char *text, void *dst)
{
	uint64_t port;

	(void)key;
	if (!str_to_u64(str_of(text), &port) || port < 1 || port > UINT16_MAX)
		return VALUE_BAD;
	store_number(dst, sizeof(uint16_t), port);
	return VALUE_OK;
}

static void allowed_port(const struct config_key *key, struct strbuf *sb)
{
	(void)key;
	strbuf_puts(sb, "a port from 1 to 65535");
}

/* A whole family is refused: one slip of the pen would bypass everything. */
static enum value_result parse_net(const struct config_key *key,
				   const char *text, void *dst)
{
	struct ip_net net;

	(void)key;
	if (!ip_net_parse(text, &net) || net.prefix == 0)
		return VALUE_BAD;
	memcpy(dst, &net, sizeof(net));
	return VALUE_OK;
}

static void allowed_net(const struct config_key *key, struct strbuf *sb)
{
	(void)key;
	strbuf_puts(sb, "an IPv4 or IPv6 address or network such as "
			"192.0.2.0/24, host bits zero, not /0");
}

const struct value_type value_types[KEY_TYPES] = {
	[KEY_BOOL] = {parse_bool, allowed_bool, 0},
	[KEY_NUMBER] = {parse_number, allowed_number, 0},
	[KEY_SIZE] = {parse_size, allowed_size, 0},
	[KEY_DURATION] = {parse_duration, allowed_duration, 0},
	[KEY_WORD] = {parse_word, allowed_word, 0},
	[KEY_PATH] = {parse_path, allowed_path, 0},
	[KEY_USER] = {parse_user, allowed_user, 0},
	[KEY_IFACES] = {parse_iface, allowed_iface, CONFIG_IFACE_MAX},
	[KEY_PORT_LIST] = {parse_port, allowed_port, sizeof(uint16_t)},
	[KEY_NETS] = {parse_net, allowed_net, sizeof(struct ip_net)},
};
