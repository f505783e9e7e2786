// SPDX-License-Identifier: GPL-2.0-or-later
#include "scan/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scan/confine.h"
#include "scan/wire.h"
#include "sys/log.h"

#define PIECE (256u << 10)

struct hash {
	EVP_MD *algorithm; /* fetched once: looking it up costs a microsecond */
	EVP_MD_CTX *context;
	uint8_t piece[PIECE];
};

void hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->context);
	EVP_MD_free(h->algorithm);
	free(h);
}

struct hash *hash_new(void)
{
	struct hash *h = malloc(sizeof(*h));

	if (h == NULL)
		return NULL;
	h->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->context = EVP_MD_CTX_new();
	if (h->algorithm != NULL && h->context != NULL)
		return h;
	hash_free(h);
	return NULL;
}

int hash_file(struct hash *h, int fd, uint64_t size, uint8_t sha256[MSG_SHA256])
{
	uint64_t done = 0;

	if (EVP_DigestInit_ex2(h->context, h->algorithm, NULL) != 1)
		return -ENOMEM;
	while (done < size) {
		size_t want = size - done < PIECE ? size - done : PIECE;
		ssize_t n = pread(fd, h->piece, want, (off_t)done);

		if (n == -1)
			return -errno;
		if (n == 0)
			return -ENODATA;
		if (EVP_DigestUpdate(h->context, h->piece, (size_t)n) != 1)
			return -ENOMEM;
		done += (uint64_t)n;
	}
	return EVP_DigestFinal_ex(h->context, sha256, NULL) == 1 ? 0 : -ENOMEM;
}

/* 1, 0 when there are no more objects, or -errno. */
static int hash_next(struct hash *h)
{
	struct wire_hashed answer = {0};
	struct wire_hash job;
	int fd = -1;
	int rc = wire_receive(WIRE_FD, WIRE_HASH, &job, sizeof(job), &fd);

	if (rc <= 0)
		return rc == -EINTR ? 1 : rc;
	answer.job = job.job;
	answer.error = hash_file(h, fd, job.size, answer.sha256);
	close(fd);
	rc = wire_send(WIRE_FD, WIRE_HASHED, &answer, sizeof(answer), -1);
	return rc == 0 ? 1 : rc;
}

_Noreturn void hasher_run(void)
{
	struct hash *h = hash_new();
	int rc = h != NULL ? confine_hasher() : -ENOMEM;

	if (rc == 0)
		do
			rc = hash_next(h);
		while (rc > 0);
	if (rc != 0)
		log_error("hasher: %s", strerror(-rc));
	_exit(rc == 0 ? 0 : 1);
}
