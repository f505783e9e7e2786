// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The relay's system calls, answered by sim.h.
 *
 * The seam is the symbol table: the build copies the archives that a relay is
 * linked from and renames there what calls.txt lists (objcopy
 * --redefine-syms), so that recv() in userspace/ is fake_recv() here. Nothing
 * in the production code knows of it, and what is tested is the object code
 * that ships. The linker's --wrap would do nearly the same, but for the whole
 * program: the test's own malloc() and close() would come here as well. A
 * table of operations in the sessions would cost an indirect call a packet and
 * a second way to do everything.
 *
 * A call that is not listed reaches the real kernel, which knows none of these
 * descriptors: their numbers are above all real ones, so it fails with EBADF.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "sim.h"
#include "sim_chan.h"
#include "sim_disk.h"
#include "sim_pipe.h"
#include "sim_tcp.h"

/* TCP_INFO: its header's names are those of sim_tcp.h. */
#define OPTION_TCP_INFO 11

/* Whether this call is one that fails; errno is set then. */
static bool fails(enum call call)
{
	int error = fault_of(call);

	if (error != 0)
		errno = error;
	return error != 0;
}

/* The same of a call on @f: what would work later is an event later. */
static bool fails_on(enum call call, struct sim_file *f)
{
	if (!fails(call))
		return false;
	if (errno == EAGAIN)
		sim_wake(f);
	return true;
}

/* The same of a call that sends: it waits for room, as if there were none. */
static bool fails_sending(enum call call, struct sim_tcp *t)
{
	if (!fails_on(call, &t->file))
		return false;
	t->no_space |= errno == EAGAIN;
	return true;
}

/* The descriptor of what was just made; it goes when there is none. */
static int give(struct sim_file *f)
{
	int fd;

	sim_hold(f);
	fd = sim_install(f);
	sim_release(f);
	if (fd == -1)
		errno = EMFILE;
	return fd;
}

/* --- memory --------------------------------------------------------- */

static void *allocated(void *p)
{
	if (p != NULL)
		sim_now()->allocations++;
	return p;
}

void *fake_malloc(size_t size)
{
	return fails(CALL_MALLOC) ? NULL : allocated(malloc(size));
}

void *fake_calloc(size_t n, size_t size)
{
	return fails(CALL_CALLOC) ? NULL : allocated(calloc(n, size));
}

void *fake_realloc(void *p, size_t size)
{
	if (fails(CALL_REALLOC))
		return NULL;
	return p != NULL ? realloc(p, size) : allocated(malloc(size));
}

void fake_free(void *p)
{
	if (p != NULL)
		sim_now()->allocations--;
	free(p);
}

/* 0, 1, 2 ...: tokens differ from each other, and not from run to run. */
ssize_t fake_getrandom(void *p, size_t n, unsigned int flags)
{
	(void)flags;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = sim_now()->random++;
	return (ssize_t)n;
}

/* --- connections ---------------------------------------------------- */

int fake_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct sim_listener *l = sim_listener_of(sim_file_of(fd, "accept4"));
	struct sim_tcp *t;
	int new;

	(void)flags;
	if (l == NULL || fails(CALL_ACCEPT4))
		return -1;
	t = listener_accept(l);
	if (t == NULL)
		return -1;
	*len = ip_endpoint_to_sockaddr(&t->remote, (void *)addr);
	new = give(&t->file);
	sim_release(&t->file); /* the queue's */
	return new;
}

int fake_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sim_file *f = sim_file_of(fd, "getsockname");
	struct sim_listener *l = sim_listener_of(f);
	struct sim_tcp *t = l == NULL ? sim_tcp_of(f) : NULL;

	if ((l == NULL && t == NULL) || fails(CALL_GETSOCKNAME))
		return -1;
	*len = ip_endpoint_to_sockaddr(l != NULL ? &l->local : &t->local,
				       (void *)addr);
	return 0;
}

int fake_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "bind"));

	(void)len;
	if (t == NULL || fails(CALL_BIND))
		return -1;
	return tcp_bind(t, (const void *)addr);
}

int fake_listen(int fd, int backlog)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "listen"));

	(void)backlog;
	if (t == NULL || fails(CALL_LISTEN))
		return -1;
	return tcp_listen(t, fd);
}

int fake_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "connect"));
	struct ip_endpoint to;

	(void)len;
	if (t == NULL || fails(CALL_CONNECT))
		return -1;
	if (addr->sa_family == AF_UNSPEC)
		return tcp_dissolve(t, fd);
	(void)ip_endpoint_from_sockaddr(&to, (const void *)addr);
	return tcp_connect(t, &to);
}

int fake_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "getsockopt"));

	if (t == NULL || fails(CALL_GETSOCKOPT))
		return -1;
	if (level == IPPROTO_TCP && option == OPTION_TCP_INFO && *len == 1) {
		*(uint8_t *)value = tcp_linux_state(t);
		return 0;
	}
	if (level != SOL_SOCKET || option != SO_ERROR || *len < sizeof(int)) {
		errno = ENOPROTOOPT;
		return -1;
	}
	*(int *)value = tcp_take_error(t);
	return 0;
}

/* These never fail on a connection in Linux, so they don't here. */
int fake_setsockopt(int fd, int level, int option, const void *value,
		    socklen_t len)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "setsockopt"));
	const struct linger *linger = value;

	if (t == NULL)
		return -1;
	if (level == SOL_SOCKET && option == SO_OOBINLINE)
		return 0; /* nobody here sends out of band */
	if (level != SOL_SOCKET || option != SO_LINGER ||
	    len != sizeof(*linger)) {
		errno = ENOPROTOOPT;
		return -1;
	}
	t->abort = linger->l_onoff != 0 && linger->l_linger == 0;
	return 0;
}

int fake_shutdown(int fd, int how)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "shutdown"));

	(void)how; /* the relay knows SHUT_WR alone */
	if (t == NULL || fails(CALL_SHUTDOWN))
		return -1;
	return tcp_shutdown(t);
}

ssize_t fake_recv(int fd, void *p, size_t n, int flags)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "recv"));

	(void)flags;
	if (t == NULL || fails_on(CALL_RECV, &t->file))
		return -1;
	return tcp_recv(t, p, n);
}

ssize_t fake_send(int fd, const void *p, size_t n, int flags)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(fd, "send"));

	(void)flags;
	if (t == NULL || fails_sending(CALL_SEND, t))
		return -1;
	return tcp_send(t, p, n);
}

/* --- moving without copying ----------------------------------------- */

static ssize_t into_pipe(struct sim_tcp *t, struct sim_pipe *p, size_t n)
{
	size_t used = bytes_len(&p->queue);

	if (fails_on(CALL_SPLICE, &t->file))
		return -1;
	if (used >= p->size) {
		errno = EAGAIN;
		return -1;
	}
	return tcp_recv_to(t, &p->queue,
			   n < p->size - used ? n : p->size - used);
}

static ssize_t out_of_pipe(struct sim_pipe *p, struct sim_tcp *t, size_t n)
{
	ssize_t sent;

	if (fails_sending(CALL_SPLICE, t))
		return -1;
	if (n > bytes_len(&p->queue))
		n = bytes_len(&p->queue);
	sent = tcp_send(t, bytes_head(&p->queue), n);
	if (sent > 0)
		bytes_drop(&p->queue, (size_t)sent);
	return sent;
}

ssize_t fake_splice(int in, off_t *in_at, int out, off_t *out_at, size_t n,
		    unsigned int flags)
{
	struct sim_file *from = sim_file_of(in, "splice");
	struct sim_file *to = sim_file_of(out, "splice");
	struct sim_tcp *t;

	(void)in_at, (void)out_at, (void)flags;
	if (from == NULL || to == NULL)
		return -1;
	t = sim_tcp_of(sim_pipe_of(to) != NULL ? from : to);
	if (t == NULL)
		return -1;
	return sim_pipe_of(to) != NULL ? into_pipe(t, sim_pipe_of(to), n)
				       : out_of_pipe(sim_pipe_of(from), t, n);
}

ssize_t fake_sendfile(int out, int in, off_t *at, size_t n)
{
	struct sim_tcp *t = sim_tcp_of(sim_file_of(out, "sendfile"));
	struct sim_disk_file *d = sim_disk_of(sim_file_of(in, "sendfile"));
	struct bytes content = {0};
	ssize_t sent = 0;

	if (t == NULL || d == NULL || fails_sending(CALL_SENDFILE, t))
		return -1;
	sim_disk_read(d, &content, n, *at);
	if (bytes_len(&content) > 0)
		sent = tcp_send(t, bytes_head(&content), bytes_len(&content));
	bytes_free(&content);
	return sent;
}

int fake_pipe2(int fds[2], int flags)
{
	struct sim_pipe *p;

	(void)flags;
	if (fails(CALL_PIPE2))
		return -1;
	p = sim_pipe_new();
	sim_hold(&p->wr.file);
	fds[0] = give(&p->rd.file);
	fds[1] = fds[0] != -1 ? give(&p->wr.file) : -1;
	if (fds[0] != -1 && fds[1] == -1)
		sim_close(fds[0]);
	sim_release(&p->wr.file);
	return fds[1] != -1 ? 0 : -1;
}

/* --- channels ------------------------------------------------------- */

ssize_t fake_sendmsg(int fd, const struct msghdr *mh, int flags)
{
	struct sim_chan *c = sim_chan_of(sim_file_of(fd, "sendmsg"));

	(void)flags;
	if (c == NULL)
		return -1;
	if (fails_on(CALL_SENDMSG, &c->file)) {
		if (errno == EPIPE)
			chan_break(c);
		return -1;
	}
	return sim_chan_send(c, mh);
}

ssize_t fake_recvmsg(int fd, struct msghdr *mh, int flags)
{
	struct sim_chan *c = sim_chan_of(sim_file_of(fd, "recvmsg"));

	(void)flags;
	if (c == NULL || fails_on(CALL_RECVMSG, &c->file))
		return -1;
	return sim_chan_recv(c, mh);
}

/* --- files ---------------------------------------------------------- */

int fake_open(const char *path, int flags, ...)
{
	struct sim_file *f;

	if (fails(CALL_OPEN))
		return -1;
	f = sim_disk_open(path, (flags & O_CREAT) != 0);
	return f != NULL ? give(f) : -1;
}

int fake_unlink(const char *path)
{
	return sim_disk_unlink(path);
}

int fake_memfd_create(const char *name, unsigned int flags)
{
	struct sim_disk_file *d;

	(void)name, (void)flags;
	if (fails(CALL_MEMFD_CREATE))
		return -1;
	d = sim_disk_new();
	return d != NULL ? give(&d->file) : -1;
}

ssize_t fake_pwrite(int fd, const void *p, size_t n, off_t at)
{
	struct sim_disk_file *d = sim_disk_of(sim_file_of(fd, "pwrite"));

	if (d == NULL || fails(CALL_PWRITE))
		return -1;
	return sim_disk_write(d, p, n, at);
}

/* Of memory files alone: they take no room of the disk. */
ssize_t fake_write(int fd, const void *p, size_t n)
{
	struct sim_disk_file *d = sim_disk_of(sim_file_of(fd, "write"));

	if (d == NULL || fails(CALL_WRITE))
		return -1;
	return write(d->real, p, n);
}

int fake_ftruncate(int fd, off_t size)
{
	struct sim_disk_file *d = sim_disk_of(sim_file_of(fd, "ftruncate"));

	if (d == NULL || fails(CALL_FTRUNCATE))
		return -1;
	return ftruncate(d->real, size);
}

void *fake_mmap(void *at, size_t size, int prot, int flags, int fd, off_t from)
{
	struct sim_disk_file *d = sim_disk_of(sim_file_of(fd, "mmap"));
	void *p;

	if (d == NULL || fails(CALL_MMAP))
		return MAP_FAILED;
	p = mmap(at, size, prot, flags, d->real, from);
	if (p != MAP_FAILED)
		sim_now()->mappings++;
	return p;
}

int fake_munmap(void *p, size_t size)
{
	sim_now()->mappings--;
	return munmap(p, size);
}

/* --- descriptors ---------------------------------------------------- */

int fake_fcntl(int fd, int command, ...)
{
	struct sim_file *f = sim_file_of(fd, "fcntl");
	struct sim_disk_file *d;
	va_list ap;
	int arg;

	va_start(ap, command);
	arg = va_arg(ap, int);
	va_end(ap);
	if (f == NULL || fails(CALL_FCNTL))
		return -1;
	if (command == F_DUPFD_CLOEXEC)
		return give(f);
	d = sim_disk_of(f);
	return d != NULL ? fcntl(d->real, command, arg) : -1;
}

int fake_close(int fd)
{
	sim_close(fd);
	return 0;
}

/* --- epoll ---------------------------------------------------------- */

static uint32_t epoll_poll(const struct sim_file *f)
{
	(void)f; /* nobody watches the one who watches */
	return 0;
}

static void epoll_released(struct sim_file *f)
{
	free(f);
}

int fake_epoll_create1(int flags)
{
	static const struct sim_file_ops ops = {
		.name = "the epoll",
		.poll = epoll_poll,
		.released = epoll_released,
	};
	struct sim_file *f = must_alloc(sizeof(*f));

	(void)flags;
	sim_file_init(f, &ops);
	return give(f);
}

/* Only to watch something new takes memory. */
int fake_epoll_ctl(int epoll, int op, int fd, struct epoll_event *ev)
{
	if (sim_file_of(epoll, "epoll_ctl") == NULL ||
	    (op == EPOLL_CTL_ADD && fails(CALL_EPOLL_CTL)))
		return -1;
	return sim_epoll_ctl(op, fd, ev);
}

int fake_epoll_wait(int epoll, struct epoll_event *events, int max, int wait_ms)
{
	(void)wait_ms;
	if (sim_file_of(epoll, "epoll_wait") == NULL)
		return -1;
	if (fails(CALL_EPOLL_WAIT)) {
		sim_now()->activity++;
		return -1;
	}
	return sim_epoll_wait(events, max);
}
