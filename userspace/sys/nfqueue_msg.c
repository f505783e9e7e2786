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
