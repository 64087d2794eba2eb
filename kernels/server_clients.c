// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "futex.h"
#include "server_clients.h"
#include "xoshiro.h"

enum { EVENTS_AT_ONCE = 64, LOOK_AGAIN_NS = 100000000, STACK_SIZE = 256 * 1024 };
static const unsigned kick_tag = CONNECTIONS_MOST; // of the eventfd among the connections' numbers

/* Sets of PUs. */

int pu_set_get(struct pu_set *set, pid_t pid)
{
	memset(set, 0, sizeof *set);
	return sched_getaffinity(pid, sizeof *set, (cpu_set_t *)set) ? errno : 0;
}

int pu_set_apply(const struct pu_set *set, pid_t pid)
{
	return sched_setaffinity(pid, sizeof *set, (const cpu_set_t *)set) ? errno : 0;
}

int pu_set_apply_thread(const struct pu_set *set, pthread_t thread)
{
	return pthread_setaffinity_np(thread, sizeof *set, (const cpu_set_t *)set);
}

static const size_t words = sizeof((struct pu_set *)NULL)->word / sizeof(unsigned long);

unsigned pu_set_count(const struct pu_set *set)
{
	unsigned count = 0;
	for (size_t i = 0; i < words; i++)
		count += (unsigned)__builtin_popcountl(set->word[i]);
	return count;
}

void pu_set_add(struct pu_set *set, const struct pu_set *more)
{
	for (size_t i = 0; i < words; i++)
		set->word[i] |= more->word[i];
}

void pu_set_rest(struct pu_set *set, const struct pu_set *all, const struct pu_set *used)
{
	for (size_t i = 0; i < words; i++)
		set->word[i] = all->word[i] & ~used->word[i];
	if (pu_set_count(set) == 0)
		*set = *all;
}

/* Connections. */

// Small messages leave at once; a close leaves nothing behind, however the process ends.
static int set_options(int fd)
{
	int on = 1;
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset))
		return errno;
	return 0;
}

static int listen_somewhere(int *fd, struct sockaddr_in *address)
{
	socklen_t size = sizeof *address;
	*address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return errno;
	if (bind(*fd, (struct sockaddr *)address, size) ||
		getsockname(*fd, (struct sockaddr *)address, &size) || listen(*fd, 16)) {
		int rc = errno;
		close(*fd);
		return rc;
	}
	return 0;
}

// Any program of this machine may connect to our port: such a stranger is turned away.
static int accept_from(int listener, int client)
{
	struct sockaddr_in own, peer;
	for (;;) {
		socklen_t own_size = sizeof own, peer_size = sizeof peer;
		int fd = accept4(listener, (struct sockaddr *)&peer, &peer_size, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 || getsockname(client, (struct sockaddr *)&own, &own_size) == 0) {
			if (fd < 0 || own.sin_port == peer.sin_port)
				return fd;
		}
		close(fd);
	}
}

static int open_one(struct connection *c, int listener, const struct sockaddr_in *address)
{
	c->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->client < 0 || connect(c->client, (const struct sockaddr *)address, sizeof *address))
		return errno;
	c->server = accept_from(listener, c->client);
	if (c->server < 0)
		return errno;
	int rc = set_options(c->client);
	return rc ? rc : set_options(c->server);
}

int clients_open(struct clients *c)
{
	struct sockaddr_in address;
	int listener, rc;
	for (unsigned i = 0; i < c->count; i++)
		c->connection[i].client = c->connection[i].server = -1;
	rc = listen_somewhere(&listener, &address);
	if (rc)
		return rc;
	for (unsigned i = 0; i < c->count && !rc; i++)
		rc = open_one(&c->connection[i], listener, &address);
	close(listener);
	return rc;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What requests took. */

// A uniform sample of all that were seen (algorithm R: Vitter 1985), which up to its size is all of
// them.
static void record(struct request_times *t, uint64_t ns)
{
	t->longest = ns > t->longest ? ns : t->longest;
	t->seen++;
	if (t->kept < TIMES_KEPT_MOST) {
		t->ns[t->kept++] = ns;
		return;
	}
	uint64_t at = splitmix_of(t->seen) % t->seen;
	if (at < t->kept)
		t->ns[at] = ns;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

// The value that this many thousandths of all do not exceed.
static double nearest_rank(const uint64_t *sorted, uint64_t count, uint64_t thousandths)
{
	return (double)sorted[(count * thousandths + 999) / 1000 - 1];
}

int clients_percentiles(const struct clients *c, struct request_percentiles *p)
{
	uint64_t kept = 0, longest = 0, at = 0;
	*p = (struct request_percentiles){0};
	for (unsigned i = 0; i < c->generators; i++)
		kept += c->generator[i].times.kept;
	if (kept == 0)
		return 0;
	uint64_t *all = malloc(kept * sizeof *all);
	if (!all)
		return ENOMEM;
	for (unsigned i = 0; i < c->generators; i++) {
		const struct request_times *t = &c->generator[i].times;
		memcpy(all + at, t->ns, t->kept * sizeof *all);
		at += t->kept;
		longest = t->longest > longest ? t->longest : longest;
	}
	qsort(all, kept, sizeof *all, compare_ns);
	*p = (struct request_percentiles){.p50_ns = nearest_rank(all, kept, 500),
		.p99_ns = nearest_rank(all, kept, 990),
		.p999_ns = nearest_rank(all, kept, 999),
		.max_ns = (double)longest};
	free(all);
	return 0;
}

/* A generator. Connection i is generator i mod generators's. */

static void give_up_connection(struct generator *g, struct connection *c)
{
	epoll_ctl(g->epoll, EPOLL_CTL_DEL, c->client, NULL);
	c->broken = true;
	c->wrong++;
	if (c->waiting)
		g->in_flight--;
	c->waiting = false;
}

static void send_request(struct generator *g, unsigned i)
{
	struct connection *c = &g->clients->connection[i];
	if (c->broken || c->waiting)
		return;
	c->request = splitmix_of(c->sent * CONNECTIONS_MOST + i) & REQUEST_MASK;
	c->sent++;
	c->waiting = true;
	g->in_flight++;
	struct message m = {c->request};
	c->sent_ns = futex_now_ns();
	if (send(c->client, &m, sizeof m, MSG_NOSIGNAL) != sizeof m)
		give_up_connection(g, c);
}

static void think(struct generator *g, unsigned i, uint64_t now)
{
	g->clients->connection[i].due_ns = now + g->clients->think_ns;
	g->thinking[(g->first + g->thinkers++) % CONNECTIONS_MOST] = i;
}

static void take_answer(struct generator *g, unsigned i)
{
	struct clients *all = g->clients;
	struct connection *c = &all->connection[i];
	struct message m;
	ssize_t n = recv(c->client, &m, sizeof m, MSG_DONTWAIT);
	uint64_t now = futex_now_ns();
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof m || !c->waiting) { /* ended, torn, or an answer to nothing */
		give_up_connection(g, c);
		return;
	}
	c->waiting = false;
	g->in_flight--;
	c->answered++;
	c->wrong +=
		m.number != ((c->request * all->rule.factor + all->rule.summand) & REQUEST_MASK);
	record(&g->times, now - c->sent_ns);
	/* relaxed: the number is all there is */
	store(&g->answered, load(&g->answered, relaxed) + 1, relaxed);
	if (!load(&all->sending, relaxed)) /* relaxed: one more request does no harm */
		return;
	if (all->think_ns)
		think(g, i, now);
	else
		send_request(g, i);
}

static void send_due(struct generator *g)
{
	while (g->thinkers > 0) {
		unsigned i = g->thinking[g->first];
		if (g->clients->connection[i].due_ns > futex_now_ns())
			return;
		g->first = (g->first + 1) % CONNECTIONS_MOST;
		g->thinkers--;
		send_request(g, i);
	}
}

// Until something comes, or a request is due.
static void await_events(struct generator *g)
{
	if (g->thinkers == 0)
		return;
	uint64_t due = g->clients->connection[g->thinking[g->first]].due_ns, now = futex_now_ns();
	if (due <= now)
		return;
	uint64_t left = due - now;
	struct timespec t = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
	ppoll(&(struct pollfd){.fd = g->epoll, .events = POLLIN}, 1, &t, NULL);
}

static void turn(struct generator *g)
{
	struct epoll_event event[EVENTS_AT_ONCE];
	await_events(g);
	int count = epoll_wait(g->epoll, event, EVENTS_AT_ONCE, g->thinkers > 0 ? 0 : -1);
	for (int i = 0; i < count; i++) {
		uint64_t kicks;
		if (event[i].data.u32 != kick_tag)
			take_answer(g, event[i].data.u32);
		else if (read(g->kick, &kicks, sizeof kicks) < 0)
			continue; /* there was none after all */
	}
	send_due(g);
}

static bool next_window(struct generator *g)
{
	struct clients *c = g->clients;
	pthread_mutex_lock(&c->mutex);
	c->rested++;
	pthread_cond_broadcast(&c->changed);
	while (g->window == c->window && !c->leave)
		pthread_cond_wait(&c->changed, &c->mutex);
	g->window = c->window;
	bool leave = c->leave;
	pthread_mutex_unlock(&c->mutex);
	g->thinkers = 0;
	g->times.kept = g->times.seen = g->times.longest = 0;
	return !leave;
}

static bool has_work(const struct generator *g)
{
	/* relaxed, both: a kick comes after each change, and the mutex orders the rest */
	return load(&g->clients->sending, relaxed) ||
	       (g->in_flight > 0 && !load(&g->clients->given_up, relaxed));
}

static void *generate(void *arg)
{
	struct generator *g = arg;
	prctl(PR_SET_TIMERSLACK, 1000ul); /* ns: pauses are as long as they are meant to be */
	while (next_window(g)) {
		for (unsigned i = g->index; i < g->clients->count; i += g->clients->generators)
			send_request(g, i);
		while (has_work(g)) {
			turn(g);
			/* relaxed: as in take_answer */
			if (!load(&g->clients->sending, relaxed))
				g->thinkers = 0;
		}
	}
	return NULL;
}

/* All of them. */

static int watch(const struct generator *g, int fd, unsigned tag)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = tag};
	return epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &e) ? errno : 0;
}

static int prepare_generator(struct generator *g)
{
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	g->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->epoll < 0 || g->kick < 0)
		return errno;
	/* Not the kernel's state, which malloc's figures tell of. Touched as it is used. */
	void *ns = mmap(NULL, TIMES_KEPT_MOST * sizeof *g->times.ns, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ns == MAP_FAILED)
		return errno;
	g->times.ns = ns;
	int rc = watch(g, g->kick, kick_tag);
	for (unsigned i = g->index; i < g->clients->count && !rc; i += g->clients->generators)
		rc = watch(g, g->clients->connection[i].client, i);
	return rc;
}

static int start_generator(struct generator *g)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	int rc = pthread_create(&g->thread, &attr, generate, g);
	pthread_attr_destroy(&attr);
	g->started = !rc;
	return rc;
}

static int make_condition(struct clients *c)
{
	pthread_condattr_t clock;
	int rc = pthread_condattr_init(&clock);
	if (rc)
		return rc;
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&c->changed, &clock);
	pthread_condattr_destroy(&clock);
	if (rc)
		return rc;
	pthread_mutex_init(&c->mutex, NULL);
	c->ready = true;
	return 0;
}

int clients_start(struct clients *c)
{
	int rc = make_condition(c);
	for (unsigned i = 0; i < c->generators && !rc; i++)
		c->generator[i] =
			(struct generator){.clients = c, .index = i, .epoll = -1, .kick = -1};
	for (unsigned i = 0; i < c->generators && !rc; i++)
		rc = prepare_generator(&c->generator[i]);
	for (unsigned i = 0; i < c->generators && !rc; i++)
		rc = start_generator(&c->generator[i]);
	if (!rc)
		clients_rest(c);
	return rc;
}

void clients_pin(struct clients *c, const struct pu_set *pus)
{
	for (unsigned i = 0; i < c->generators; i++)
		pu_set_apply_thread(pus, c->generator[i].thread);
}

static void kick(struct clients *c)
{
	uint64_t one = 1;
	for (unsigned i = 0; i < c->generators; i++)
		if (write(c->generator[i].kick, &one, sizeof one) < 0)
			continue; /* full of kicks: it has not looked yet */
}

void clients_begin(struct clients *c)
{
	pthread_mutex_lock(&c->mutex);
	c->rested = 0;
	c->window++;
	store(&c->given_up, false, relaxed); /* relaxed, both: under the mutex, as their reading */
	store(&c->sending, true, relaxed);   /* at the start; later ones need be seen soon alone */
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

void clients_end(struct clients *c)
{
	store(&c->sending, false, relaxed); /* relaxed: the kick makes them look */
	kick(c);
}

// Under the mutex. False: for so long nothing has changed.
static bool wait_for_rest(struct clients *c, uint64_t patience_ns)
{
	uint64_t answered = clients_answered(c), since = futex_now_ns(), now = since;
	while (c->rested < c->generators && now - since < patience_ns) {
		uint64_t until = now + LOOK_AGAIN_NS;
		struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
		pthread_cond_timedwait(&c->changed, &c->mutex, &t);
		now = futex_now_ns();
		if (clients_answered(c) != answered) {
			answered = clients_answered(c);
			since = now;
		}
	}
	return c->rested == c->generators;
}

void clients_rest(struct clients *c)
{
	pthread_mutex_lock(&c->mutex);
	while (!wait_for_rest(c, c->patience_ns)) {
		store(&c->given_up, true, relaxed); /* relaxed: the kick makes them look */
		clients_end(c);
	}
	pthread_mutex_unlock(&c->mutex);
}

uint64_t clients_answered(const struct clients *c)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < c->generators; i++)
		sum += load(&c->generator[i].answered, relaxed); /* relaxed: any recent number */
	return sum;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

uint64_t clients_lost(const struct clients *c)
{
	uint64_t lost = 0;
	for (unsigned i = 0; i < c->count; i++) {
		const struct connection *o = &c->connection[i];
		/* relaxed: its answer came after it */
		lost += o->wrong + difference(o->sent, o->answered) +
			difference(load(&o->served, relaxed), o->answered);
	}
	return lost;
}

void clients_stop(struct clients *c)
{
	if (c->ready) {
		pthread_mutex_lock(&c->mutex);
		c->leave = true;
		store(&c->given_up, true, relaxed); /* relaxed: as in clients_rest */
		pthread_cond_broadcast(&c->changed);
		pthread_mutex_unlock(&c->mutex);
		clients_end(c);
	}
	for (unsigned i = 0; i < c->generators && c->ready; i++) {
		struct generator *g = &c->generator[i];
		if (g->started)
			pthread_join(g->thread, NULL);
		close_end(&g->epoll);
		close_end(&g->kick);
		if (g->times.ns)
			munmap(g->times.ns, TIMES_KEPT_MOST * sizeof *g->times.ns);
	}
	for (unsigned i = 0; i < c->count; i++)
		close_end(&c->connection[i].client);
}

void clients_close(struct clients *c)
{
	for (unsigned i = 0; i < c->count; i++)
		close_end(&c->connection[i].server);
	if (c->ready) {
		pthread_cond_destroy(&c->changed);
		pthread_mutex_destroy(&c->mutex);
	}
	c->ready = false;
}
