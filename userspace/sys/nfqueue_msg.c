// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/nfqueue_msg.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <string.h>

#include "base/str.h"

#define MESSAGE_TYPE ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET)

/* One attribute into its field; those of another length are left out. */
static int take(const struct nlattr *attr, void *arg)
{
	struct nfqueue_packet *p = arg;
	const void *data = mnl_attr_get_payload(attr);
	uint16_t len = mnl_attr_get_payload_len(attr);
	struct nfqnl_msg_packet_hdr head;
	uint32_t number = 0;

	if (len == sizeof(number)) {
		memcpy(&number, data, sizeof(number));
		number = ntohl(number);
	}
	switch (mnl_attr_get_type(attr)) {
	case NFQA_PACKET_HDR:
		/* Its size is no multiple of 4: it is packed. */
		if (len < sizeof(head))
			return MNL_CB_ERROR;
		memcpy(&head, data, sizeof(head));
		p->id = ntohl(head.packet_id);
		p->ethertype = ntohs(head.hw_protocol);
		p->hook = head.hook;
		break;
	case NFQA_PAYLOAD:
		p->data = data;
		p->len = len;
		break;
	case NFQA_CAP_LEN:
		p->full_len = number;
		break;
	case NFQA_MARK:
		p->mark = number;
		break;
	case NFQA_IFINDEX_INDEV:
		p->in = number;
		break;
	case NFQA_IFINDEX_OUTDEV:
		p->out = number;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

bool nfqueue_packet_read(const struct nlmsghdr *nlh, struct nfqueue_packet *p)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	memset(p, 0, sizeof(*p));
	if (nlh->nlmsg_type != MESSAGE_TYPE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return false;
	p->queue = ntohs(nfg->res_id);
	if (mnl_attr_parse(nlh, sizeof(*nfg), take, p) != MNL_CB_OK)
		return false;
	/* The kernel says the whole length only when it has cut. */
	if (p->full_len < p->len)
		p->full_len = p->len;
	/* Numbers begin with 1; 0 is a message without the header. */
	return p->id != 0 && p->data != NULL;
}

/* The number that @text has in front; what follows it, or NULL. */
static const char *number(const char *text, uint64_t *value)
{
	size_t n;

	text += strspn(text, " ");
	n = strspn(text, "0123456789");
	return str_to_u64((struct str){text, n}, value) ? text + n : NULL;
}

/*
 * nfnetlink_queue.c, seq_show(): queue, port, waiting, copy mode, copy range,
 * dropped, dropped for the reader, last id, 1.
 */
const char *nfqueue_line_read(const char *text, struct nfqueue_line *line)
{
	uint64_t v[8];

	memset(line, 0, sizeof(*line));
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		text = number(text, &v[i]);
		if (text == NULL)
			return NULL;
	}
	if (v[0] > UINT16_MAX || v[1] > UINT32_MAX)
		return NULL;
	line->queue = (uint32_t)v[0];
	line->port = (uint32_t)v[1];
	line->waiting = v[2];
	line->full = v[5];
	line->unread = v[6];
	text += strcspn(text, "\n");
	return *text == '\n' ? text + 1 : text;
}
