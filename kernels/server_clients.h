// SPDX-License-Identifier: BSD-2-Clause
// The clients of kernel `server`: connections over the loopback device, and a few threads
// (generators) that send a request on each, wait for its answer, look whether it is right, and send
// the next: a closed loop (Schroeder, Wierman & Harchol-Balter 2006), with a pause (think time)
// between answer and request where asked for. What each request took is recorded as the client saw
// it, from before the send to after the receive.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "atomic.h"

enum {
	CONNECTIONS_MOST = 500,
	GENERATORS_MOST = 4,
	PUS_MOST = 8192,
	TIMES_KEPT_MOST = 1 << 20, // by each generator, exact up to there; beyond a uniform sample
	REQUEST_BITS = 30,
};
#define REQUEST_MASK ((UINT64_C(1) << REQUEST_BITS) - 1)

// PUs by the system's numbers, as sched_setaffinity takes them.
struct pu_set {
	unsigned long word[PUS_MOST / (8 * sizeof(unsigned long))];
};
// Of a thread or process (0: the caller). Returns 0 or a positive errno.
int pu_set_get(struct pu_set *set, pid_t pid);
int pu_set_apply(const struct pu_set *set, pid_t pid);
int pu_set_apply_thread(const struct pu_set *set, pthread_t thread);
unsigned pu_set_count(const struct pu_set *set);
void pu_set_add(struct pu_set *set, const struct pu_set *more);
// What of `all` is not in `used`; all of it if that is nothing.
void pu_set_rest(struct pu_set *set, const struct pu_set *all, const struct pu_set *used);

// What a request is answered with: (request * factor + summand) mod 2^30, where the request is such
// a number too.
struct answer_rule {
	uint64_t factor, summand;
};

// A request or an answer as it travels.
struct message {
	uint64_t number;
};

// Both ends of a connection. May lie in memory that several processes share.
struct connection {
	LINE_ALIGNED int client, server; // sockets; -1: none
	/* Its generator's; others read them while clients rest. */
	uint64_t sent, answered; // requests, answers
	uint64_t wrong;          // answers that were not the right one, connections that broke
	uint64_t sent_ns;        // the last request
	uint64_t due_ns;         // the next, after thinking
	uint64_t request;        // the last
	bool waiting;            // for its answer
	bool broken;             // neither sends nor receives any more
	/* Whoever answers: how often, and how often it began to wait for a request. */
	LINE_ALIGNED _Atomic uint64_t served;
	_Atomic uint64_t awaited;
};

struct clients;

// What one generator recorded of the window.
struct request_times {
	uint64_t *ns; // the first `kept` of TIMES_KEPT_MOST
	uint64_t kept, seen, longest;
};

struct generator {
	LINE_ALIGNED struct clients *clients;
	pthread_t thread;
	bool started;
	unsigned index, window;
	int epoll, kick; // kick: an eventfd, by which it is told to look at the orders
	unsigned in_flight;
	unsigned thinking[CONNECTIONS_MOST], first, thinkers; // a ring, in the order of due_ns
	struct request_times times;
	LINE_ALIGNED _Atomic uint64_t answered; // in all windows
};

// Filled in by the caller down to the blank line, the rest zeroed.
struct clients {
	struct connection *connection; // `count` of them, zeroed
	unsigned count;                // 1..CONNECTIONS_MOST
	unsigned generators;           // 1..GENERATORS_MOST, not more than connections
	uint64_t think_ns;
	uint64_t patience_ns; // how long they wait at a window's end while no answer comes
	struct answer_rule rule;

	bool ready; // mutex and condition are made
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned window;     // under mutex, as the next two
	unsigned rested;     // generators that have nothing under way
	bool leave;          // for good
	atomic_bool sending; // else only what is under way is received
	atomic_bool given_up;
	struct generator generator[GENERATORS_MOST];
};

// Makes the connections: c->connection[].client and .server. Returns 0 or a positive errno; after
// either clients_close gives back what there is.
int clients_open(struct clients *c);
// Starts the generators, at rest. As above.
int clients_start(struct clients *c);
// Where the generators run.
void clients_pin(struct clients *c, const struct pu_set *pus);
// By one thread: all rest; starts a window: forgets the times of the last one.
void clients_begin(struct clients *c);
// From any thread: no more requests are sent.
void clients_end(struct clients *c);
// From any thread: sleeps until every request has its answer, or patience is over.
void clients_rest(struct clients *c);
// Answers so far, in all windows; at any time. Never falls.
uint64_t clients_answered(const struct clients *c);
// At rest: how many requests were not answered once and rightly.
uint64_t clients_lost(const struct clients *c);

// Of the window's requests, at rest: nearest ranks; all 0 where there were none.
struct request_percentiles {
	double p50_ns, p99_ns, p999_ns, max_ns;
};
// Returns 0 or ENOMEM.
int clients_percentiles(const struct clients *c, struct request_percentiles *p);

// Ends the generators and closes the clients' ends, so that whoever serves finds an end of file (or
// a reset: nothing is left in TIME_WAIT).
void clients_stop(struct clients *c);
// After it, with nobody serving any more: closes the other ends.
void clients_close(struct clients *c);
