// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * New flows at a given rate, of one packet each, from 10.76.0.0/16 and fd76::/64
 * to 10.78.0.0/16 and fd78::/64, IPv4 and IPv6 in turn:
 *
 *	garbage	random bytes between random ports, UDP and TCP SYNs
 *	dns	a query
 *
 * usage: flood garbage|dns INTERFACE MAC PACKETS-A-SECOND SECONDS
 *
 * MAC: the gateway's. What can't be sent in time is left out. When it is over:
 *	500000 packets in 5.0 s
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH	     64
#define FRAME_MAX    512
#define PAYLOAD_MIN  16
#define PAYLOAD_SPAN 180
#define NS_A_SECOND  1000000000ULL

static uint64_t seed = 88172645463325252ULL;

static uint64_t random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_A_SECOND + (uint64_t)ts.tv_nsec;
}

/* --- frames ---------------------------------------------------------------- */

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len % 2 != 0)
		sum += (uint32_t)p[len - 1] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Of the transport header and all behind it, @len bytes at @l4. */
static uint16_t checksum(const uint8_t *addresses, size_t size, uint8_t proto,
			 const uint8_t *l4, size_t len)
{
	uint32_t sum = sum16(addresses, size, proto + (uint32_t)len);
	uint16_t c = folded(sum16(l4, len, sum));

	return c != 0 ? c : 0xffff;
}

/* Returns where the transport header begins. */
static uint8_t *put_ipv4(uint8_t *p, uint8_t proto, size_t len)
{
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = proto};

	ip.tot_len = htons((uint16_t)(sizeof(ip) + len));
	ip.saddr = htonl(0x0a4c0000U | (random_bits() >> 20 & 0xffff));
	ip.daddr = htonl(0x0a4e0000U | (random_bits() >> 20 & 0xffff));
	memcpy(p, &ip, sizeof(ip));
	ip.check = folded(sum16(p, sizeof(ip), 0));
	memcpy(p, &ip, sizeof(ip));
	return p + sizeof(ip);
}

static uint8_t *put_ipv6(uint8_t *p, uint8_t proto, size_t len)
{
	struct ip6_hdr ip = {.ip6_nxt = proto, .ip6_hlim = 64};
	uint64_t r = random_bits();

	ip.ip6_vfc = 6 << 4;
	ip.ip6_plen = htons((uint16_t)len);
	ip.ip6_src.s6_addr[0] = ip.ip6_dst.s6_addr[0] = 0xfd;
	ip.ip6_src.s6_addr[1] = 0x76;
	ip.ip6_dst.s6_addr[1] = 0x78;
	memcpy(&ip.ip6_src.s6_addr[8], &r, sizeof(r));
	r = random_bits();
	memcpy(&ip.ip6_dst.s6_addr[8], &r, sizeof(r));
	memcpy(p, &ip, sizeof(ip));
	return p + sizeof(ip);
}

static size_t put_udp(uint8_t *p, size_t payload, uint16_t port)
{
	struct udphdr udp = {.len = htons((uint16_t)(sizeof(udp) + payload))};

	udp.source = (uint16_t)(random_bits() | 1);
	udp.dest = htons(port);
	memcpy(p, &udp, sizeof(udp));
	return offsetof(struct udphdr, check);
}

static size_t put_tcp(uint8_t *p)
{
	struct tcphdr tcp = {.doff = sizeof(tcp) / 4, .syn = 1};

	tcp.source = (uint16_t)(random_bits() | 1);
	tcp.dest = (uint16_t)(random_bits() | 1);
	tcp.seq = (uint32_t)random_bits();
	tcp.window = htons(65535);
	memcpy(p, &tcp, sizeof(tcp));
	return offsetof(struct tcphdr, check);
}

/* "a.example", type A; the number in front is the caller's. */
static const uint8_t query[] = {
	0, 0,	1,   0,	  0,   1,   0,	 0,   0, 0, 0, 0, 1, 'a',
	7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1,
};

static void put_payload(uint8_t *p, size_t len, bool dns)
{
	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t bits = random_bits();

		memcpy(p + i, &bits, sizeof(bits)); /* the frame has room */
	}
	if (dns)
		memcpy(p + 2, query + 2, sizeof(query) - 2);
}

/* Behind the Ethernet header's addresses; the frame's length. */
static size_t put_packet(uint8_t *frame, bool ipv6, bool tcp, bool dns)
{
	size_t payload = dns ? sizeof(query)
			     : PAYLOAD_MIN + random_bits() % PAYLOAD_SPAN;
	size_t head = tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	size_t size = ipv6 ? 32 : 8, len = head + payload, at;
	uint8_t proto = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	uint16_t type = htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP), check;
	uint8_t *p = frame + ETH_HLEN, *l4;

	memcpy(frame + 2 * (size_t)ETH_ALEN, &type, sizeof(type));
	l4 = ipv6 ? put_ipv6(p, proto, len) : put_ipv4(p, proto, len);
	at = tcp ? put_tcp(l4)
		 : put_udp(l4, payload,
			   dns ? 53 : (uint16_t)(random_bits() | 1));
	put_payload(l4 + head, payload, dns);
	check = checksum(l4 - size, size, proto, l4, len);
	memcpy(l4 + at, &check, sizeof(check));
	return (size_t)(l4 + len - frame);
}

/* --- sending ----------------------------------------------------------------- */

struct flood {
	int fd;
	uint8_t frame[BATCH][FRAME_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
};

static bool parse_mac(const char *text, uint8_t mac[ETH_ALEN])
{
	char *end;

	for (int i = 0; i < ETH_ALEN; i++) {
		mac[i] = (uint8_t)strtoul(text, &end, 16);
		if (end == text || *end != (i < ETH_ALEN - 1 ? ':' : '\0'))
			return false;
		text = end + 1;
	}
	return true;
}

static bool flood_open(struct flood *f, const char *interface, const char *mac)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	uint8_t target[ETH_ALEN];

	to.sll_ifindex = (int)if_nametoindex(interface);
	f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (f->fd == -1 || to.sll_ifindex == 0 || !parse_mac(mac, target) ||
	    bind(f->fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		return false;
	for (size_t i = 0; i < BATCH; i++) {
		memcpy(f->frame[i], target, ETH_ALEN);
		f->frame[i][ETH_ALEN] = 2; /* a local address */
		f->iov[i].iov_base = f->frame[i];
		f->msg[i].msg_hdr.msg_iov = &f->iov[i];
		f->msg[i].msg_hdr.msg_iovlen = 1;
	}
	return true;
}

/* How many were sent; one that finds no room is lost, as on a wire. */
static unsigned int send_batch(struct flood *f, bool dns)
{
	int n;

	for (size_t i = 0; i < BATCH; i++)
		f->iov[i].iov_len = put_packet(f->frame[i], i % 4 / 2 == 1,
					       !dns && i % 2 == 1, dns);
	n = sendmmsg(f->fd, f->msg, BATCH, 0);
	return n > 0 ? (unsigned int)n : 0;
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec ts = {.tv_sec = (time_t)(at_ns / NS_A_SECOND),
			      .tv_nsec = (long)(at_ns % NS_A_SECOND)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

int main(int argc, char **argv)
{
	static struct flood f;
	uint64_t sent = 0, step, begin, end, due;

	if (argc != 6 || strtoull(argv[4], NULL, 10) == 0 ||
	    !flood_open(&f, argv[2], argv[3])) {
		fprintf(stderr, "flood: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	step = BATCH * NS_A_SECOND / strtoull(argv[4], NULL, 10);
	begin = due = now_ns();
	end = begin + strtoull(argv[5], NULL, 10) * NS_A_SECOND;
	while (now_ns() < end) {
		sent += send_batch(&f, strcmp(argv[1], "dns") == 0);
		due += step;
		if (due < now_ns())
			due = now_ns();
		else
			sleep_until(due);
	}
	printf("%llu packets in %.1f s\n", (unsigned long long)sent,
	       (double)(now_ns() - begin) / (double)NS_A_SECOND);
	return EXIT_SUCCESS;
}
