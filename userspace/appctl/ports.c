// SPDX-License-Identifier: GPL-2.0-or-later
#include "appctl/ports.h"

#include <stddef.h>

#include "policy/app.h"

static const struct {
	uint16_t port;
	bool tls;
	uint16_t app;
} ports[] = {
	{21, false, APP_FTP},		{22, false, APP_SSH},
	{23, false, APP_TELNET},	{25, false, APP_SMTP},
	{53, false, APP_DNS},		{110, false, APP_POP3},
	{119, false, APP_USENET},	{123, false, APP_NTP},
	{143, false, APP_IMAP},		{161, false, APP_SNMP},
	{389, false, APP_LDAP},		{445, false, APP_SMB},
	{465, true, APP_SMTPS},		{563, true, APP_USENET},
	{587, false, APP_SMTP},		{636, true, APP_LDAP},
	{853, true, APP_ENCRYPTED_DNS}, {990, true, APP_FTP},
	{993, true, APP_IMAPS},		{995, true, APP_POP3S},
	{1433, false, APP_MSSQL},	{1883, false, APP_MQTT},
	{3306, false, APP_MYSQL},	{3389, false, APP_RDP},
	{5060, false, APP_SIP},		{5061, true, APP_SIP},
	{5432, false, APP_POSTGRESQL},	{6379, false, APP_REDIS},
	{6697, true, APP_IRC},		{8883, true, APP_MQTT},
};

uint16_t port_app(uint16_t port, bool tls)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i].port == port && ports[i].tls == tls)
			return ports[i].app;
	return APP_NONE;
}

bool port_is_web(uint16_t port)
{
	return port == 80 || port == 443 || port == 8080 || port == 8443;
}
