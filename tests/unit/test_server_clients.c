// SPDX-License-Identifier: BSD-2-Clause
// The clients of kernel `server`, before servers in C that answer as they should, wrongly, twice,
// late, never, or hang up: what is not answered once and rightly is told, and nothing is waited for
// without end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kernels/futex.h"
#include "kernels/server_clients.h"

enum { CONNECTIONS = 5, WINDOW_MS = 20 };

// What a server does with every hundredth request of a connection.
enum fault { NONE, WRONG, TWICE, SILENT, HANG_UP, UNCOUNTED };

struct server {
	struct clients clients;
	struct connection *connection;
	enum fault fault;
	pthread_t thread[CONNECTIONS_MOST];
	unsigned next; // connection, taken by each thread once
	pthread_mutex_t mutex;
};

static const struct answer_rule rule = {5, 3};

static void answer(struct server *s, struct connection *c, uint64_t request, bool faulty)
{
	struct message m = {(request * rule.factor + rule.summand) & REQUEST_MASK};
	enum fault fault = faulty ? s->fault : NONE;
	m.number ^= fault == WRONG;
	if (fault != UNCOUNTED)
		fetch_add(&c->served, 1, relaxed);
	for (int i = 0; i < (fault == SILENT ? 0 : fault == TWICE ? 2 : 1); i++)
		if (send(c->server, &m, sizeof m, MSG_NOSIGNAL) < 0)
			return;
	if (fault == HANG_UP)
		shutdown(c->server, SHUT_RDWR);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct message m;
	pthread_mutex_lock(&s->mutex);
	struct connection *c = &s->connection[s->next++];
	pthread_mutex_unlock(&s->mutex);
	for (unsigned n = 1; recv(c->server, &m, sizeof m, MSG_WAITALL) == sizeof m; n++)
		answer(s, c, m.number, n % 100 == 0);
	return NULL;
}

static void start(struct server *s, enum fault fault, unsigned connections, uint64_t think_ns)
{
	memset(s, 0, sizeof *s);
	s->fault = fault;
	s->connection = aligned_alloc(LINE_PAIR, connections * sizeof *s->connection);
	assert_non_null(s->connection);
	memset(s->connection, 0, connections * sizeof *s->connection);
	pthread_mutex_init(&s->mutex, NULL);
	s->clients.connection = s->connection;
	s->clients.count = connections;
	s->clients.generators = connections < 2 ? 1 : 2;
	s->clients.think_ns = think_ns;
	s->clients.patience_ns = 300000000;
	s->clients.rule = rule;
	assert_int_equal(clients_open(&s->clients), 0);
	for (unsigned i = 0; i < connections; i++)
		assert_int_equal(pthread_create(&s->thread[i], NULL, serve, s), 0);
	assert_int_equal(clients_start(&s->clients), 0);
}

static void stop(struct server *s)
{
	clients_stop(&s->clients);
	for (unsigned i = 0; i < s->clients.count; i++)
		pthread_join(s->thread[i], NULL);
	clients_close(&s->clients);
	pthread_mutex_destroy(&s->mutex);
	free(s->connection);
}

// Returns the answers.
static uint64_t window(struct server *s)
{
	uint64_t before = clients_answered(&s->clients);
	clients_begin(&s->clients);
	nanosleep(&(struct timespec){.tv_nsec = WINDOW_MS * 1000000}, NULL);
	clients_end(&s->clients);
	clients_rest(&s->clients);
	return clients_answered(&s->clients) - before;
}

static unsigned entries(const char *folder)
{
	unsigned count = 0;
	DIR *d = opendir(folder);
	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void each_request_is_answered_once(void **state)
{
	(void)state;
	static struct server s;
	unsigned files = entries("/proc/self/fd");
	start(&s, NONE, CONNECTIONS, 0);
	for (int i = 0; i < 3; i++)
		assert_true(window(&s) >= CONNECTIONS);
	assert_int_equal(clients_lost(&s.clients), 0);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		assert_true(s.connection[i].sent >= 3);
	stop(&s);
	assert_int_equal(entries("/proc/self/fd"), files);
}

static void one_and_five_hundred_connections_work(void **state)
{
	(void)state;
	static struct server s;
	static const unsigned connections[] = {1, CONNECTIONS_MOST};
	for (size_t i = 0; i < 2; i++) {
		start(&s, NONE, connections[i], 0);
		assert_true(window(&s) >= connections[i]);
		assert_int_equal(clients_lost(&s.clients), 0);
		stop(&s);
	}
}

static void who_thinks_asks_less_often(void **state)
{
	(void)state;
	static struct server s;
	const uint64_t think_ns = WINDOW_MS * 1000000 / 4;
	start(&s, NONE, CONNECTIONS, think_ns);
	uint64_t began = futex_now_ns(), answered = window(&s);
	assert_true(answered >= CONNECTIONS);
	assert_true(answered <= CONNECTIONS * (1 + (futex_now_ns() - began) / think_ns));
	assert_int_equal(clients_lost(&s.clients), 0);
	stop(&s);
}

// Each kind of broken server is noticed, and ends.
static void what_is_not_answered_once_and_rightly_is_told(void **state)
{
	(void)state;
	static struct server s;
	static const enum fault faults[] = {WRONG, TWICE, SILENT, HANG_UP, UNCOUNTED};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		start(&s, faults[i], CONNECTIONS, 0);
		for (int windows = 0; windows < 500 && clients_lost(&s.clients) == 0; windows++)
			window(&s);
		if (clients_lost(&s.clients) == 0)
			fail_msg("fault %d was not noticed", (int)faults[i]);
		stop(&s);
	}
}

static void percentiles_are_nearest_ranks_of_this_window_alone(void **state)
{
	(void)state;
	static struct server s;
	struct request_percentiles p;
	start(&s, NONE, CONNECTIONS, 0);
	assert_int_equal(clients_percentiles(&s.clients, &p), 0);
	assert_true(p.p50_ns == 0 && p.max_ns == 0);
	uint64_t answered = window(&s);
	uint64_t kept = s.clients.generator[0].times.kept + s.clients.generator[1].times.kept;
	assert_int_equal(answered, kept);
	/* 1 .. 1000 over both, in no order */
	for (unsigned g = 0; g < 2; g++) {
		struct request_times *t = &s.clients.generator[g].times;
		t->kept = 500;
		for (uint64_t i = 0; i < 500; i++)
			t->ns[i] = 1 + (i * 7 % 500) * 2 + g;
		t->longest = 1000 + g;
	}
	assert_int_equal(clients_percentiles(&s.clients, &p), 0);
	assert_true(p.p50_ns == 500 && p.p99_ns == 990 && p.p999_ns == 999 && p.max_ns == 1001);
	stop(&s);
}

static void clients_get_the_pus_that_are_left_or_share_all(void **state)
{
	(void)state;
	struct pu_set all = {{0}}, used = {{0}}, rest;
	all.word[0] = 0xf;
	all.word[3] = 1;
	used.word[0] = 0x3;
	pu_set_rest(&rest, &all, &used);
	assert_true(rest.word[0] == 0xc && rest.word[3] == 1);
	assert_int_equal(pu_set_count(&rest), 3);
	pu_set_add(&used, &rest);
	pu_set_rest(&rest, &all, &used);
	assert_int_equal(pu_set_count(&rest), 5);
	assert_int_equal(pu_set_get(&rest, 0), 0);
	assert_int_equal(pu_set_apply_thread(&rest, pthread_self()), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_is_answered_once),
		cmocka_unit_test(one_and_five_hundred_connections_work),
		cmocka_unit_test(who_thinks_asks_less_often),
		cmocka_unit_test(what_is_not_answered_once_and_rightly_is_told),
		cmocka_unit_test(percentiles_are_nearest_ranks_of_this_window_alone),
		cmocka_unit_test(clients_get_the_pus_that_are_left_or_share_all),
	};
	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
