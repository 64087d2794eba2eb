// SPDX-License-Identifier: BSD-2-Clause
// The SMT probe: design of the rounds, inference, and the threads that do the work. The three
// parts only share struct smt_rounds.

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "smt_probe.h"

int smt_rounds_init(struct smt_rounds *r, unsigned pus, unsigned rounds)
{
	size_t cells = (size_t)pus * rounds;

	*r = (struct smt_rounds){.pus = pus, .rounds = rounds};
	r->active = calloc(cells ? cells : 1, sizeof *r->active);
	r->rate = calloc(cells ? cells : 1, sizeof *r->rate);
	if (r->active && r->rate)
		return 0;
	smt_rounds_fini(r);
	return -ENOMEM;
}

void smt_rounds_fini(struct smt_rounds *r)
{
	free(r->active);
	free(r->rate);
	*r = (struct smt_rounds){0};
}

// splitmix64, Steele, Lea & Flood, OOPSLA 2014.
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void smt_rounds_design(struct smt_rounds *r, uint64_t seed)
{
	for (unsigned i = 0; i < r->pus; i++) {
		for (unsigned k = 0; k < r->rounds; k++)
			r->active[(size_t)k * r->pus + i] = k < r->rounds / 2;
		for (unsigned k = r->rounds; k > 1; k--) {
			size_t a = (size_t)(k - 1) * r->pus + i;
			size_t b = (size_t)(next_random(&seed) % k) * r->pus + i;
			uint8_t swap = r->active[a];
			r->active[a] = r->active[b];
			r->active[b] = swap;
		}
	}
}

unsigned smt_default_rounds(unsigned pus)
{
	return pus <= 4 ? 64 : pus <= 64 ? 128 : 192;
}

// The rounds in which one PU was busy: which, and what of its rate is still unexplained.
struct view {
	const struct smt_rounds *r;
	unsigned *round;
	double *rate; // relative to the PU's median rate
	double *rest; // what of it is still unexplained
	unsigned n;
};

enum { SIBLINGS_MAX = 7 }; // SMT-8 is the widest there is

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *x, unsigned n)
{
	qsort(x, n, sizeof *x, ascending);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

// False where the PU hardly ran.
static bool view_pu(struct view *v, unsigned i, double *scratch)
{
	const struct smt_rounds *r = v->r;

	v->n = 0;
	for (unsigned k = 0; k < r->rounds; k++) {
		if (!r->active[(size_t)k * r->pus + i])
			continue;
		v->round[v->n] = k;
		v->rate[v->n] = scratch[v->n] = (double)r->rate[(size_t)k * r->pus + i];
		v->n++;
	}
	double middle = v->n >= 8 ? median(scratch, v->n) : 0;
	if (!(middle > 0))
		return false;
	for (unsigned k = 0; k < v->n; k++)
		v->rest[k] = v->rate[k] /= middle;
	return true;
}

static bool busy(const struct view *v, unsigned k, unsigned j)
{
	return v->r->active[(size_t)v->round[k] * v->r->pus + j];
}

// How much slower the PU was while j was busy, and with which standard error.
static double slowdown(const struct view *v, unsigned j, double *error)
{
	double sum[2] = {0}, squares[2] = {0}, n[2] = {0};

	for (unsigned k = 0; k < v->n; k++) {
		int b = busy(v, k, j);
		n[b]++;
		sum[b] += v->rest[k];
		squares[b] += v->rest[k] * v->rest[k];
	}
	*error = INFINITY;
	if (n[0] < 3 || n[1] < 3)
		return 0;
	double within = squares[0] - sum[0] * sum[0] / n[0] + squares[1] - sum[1] * sum[1] / n[1];
	double variance = fmax(within, 0) / (n[0] + n[1] - 2);
	*error = sqrt(variance * (1 / n[0] + 1 / n[1]));
	return sum[0] / n[0] - sum[1] / n[1];
}

// What remains of the rates once it is known how many of these siblings were busy: siblings are
// alike, and the second slows a PU less than the first.
static void explain(struct view *v, const unsigned *sibling, unsigned siblings)
{
	double sum[SIBLINGS_MAX + 1] = {0};
	unsigned n[SIBLINGS_MAX + 1] = {0};

	for (int pass = 0; pass < 2; pass++) {
		for (unsigned k = 0; k < v->n; k++) {
			unsigned b = 0;
			for (unsigned s = 0; s < siblings; s++)
				b += busy(v, k, sibling[s]);
			if (pass)
				v->rest[k] = v->rate[k] - sum[b] / n[b];
			sum[b] += pass ? 0 : v->rate[k];
			n[b] += !pass;
		}
	}
}

// Takes the PU that explains most of what is left, again and again, until none explains enough:
// a strong sibling would otherwise lend its effect to PUs that happened to be busy with it. Fills
// sibling and returns how many.
static unsigned explain_pu(struct view *v, unsigned i, unsigned *sibling)
{
	unsigned found = 0;

	while (found < SIBLINGS_MAX) {
		double best = 0, best_error = INFINITY, error;
		unsigned best_j = i;
		for (unsigned j = 0; j < v->r->pus; j++) {
			double effect = j == i ? 0 : slowdown(v, j, &error);
			if (effect > best) {
				best = effect;
				best_error = error;
				best_j = j;
			}
		}
		if (best < SMT_THRESHOLD || best < 3 * best_error)
			break;
		sibling[found++] = best_j;
		explain(v, sibling, found);
	}
	return found;
}

// The standard deviation as the median distance from the median tells it (Hampel 1974): a few
// rounds in which something else had the core do not make a PU unreadable.
static double spread_of_rest(const struct view *v, double *scratch)
{
	memcpy(scratch, v->rest, v->n * sizeof *scratch);
	double middle = median(scratch, v->n);
	for (unsigned k = 0; k < v->n; k++)
		scratch[k] = fabs(v->rest[k] - middle);
	return 1.4826 * median(scratch, v->n);
}

// Each PU's siblings as it sees them, before anybody has agreed.
struct opinions {
	unsigned *sibling; // SIBLINGS_MAX per PU
	unsigned *count;
	double *noise;
};

static bool names(const struct opinions *o, unsigned i, unsigned j)
{
	for (unsigned k = 0; k < o->count[i]; k++)
		if (o->sibling[(size_t)i * SIBLINGS_MAX + k] == j)
			return true;
	return false;
}

// A PU can only be judged where an effect as large as the threshold would stand out.
static void form_opinion(
	struct view *v, unsigned i, struct opinions *o, struct smt_inference *out, double *scratch)
{
	o->noise[i] = INFINITY;
	out->state[i] = SMT_UNDECIDED;
	out->group[i] = i;
	if (!view_pu(v, i, scratch))
		return;
	o->count[i] = explain_pu(v, i, o->sibling + (size_t)i * SIBLINGS_MAX);
	o->noise[i] = spread_of_rest(v, scratch);
	if (4 * o->noise[i] * sqrt(4.0 / v->n) <= SMT_THRESHOLD)
		out->state[i] = SMT_ALONE;
}

// Siblings must name each other, and all on a core the same ones. A claim that only one side
// makes, or that does not fit the others of the core, leaves those involved undecided.
static void agree(const struct smt_rounds *r, const struct opinions *o, struct smt_inference *out)
{
	for (unsigned i = 0; i < r->pus; i++) {
		for (unsigned k = 0; k < o->count[i]; k++) {
			unsigned j = o->sibling[(size_t)i * SIBLINGS_MAX + k];
			bool same = names(o, j, i) && o->count[i] == o->count[j];
			for (unsigned l = 0; same && l < o->count[i]; l++) {
				unsigned other = o->sibling[(size_t)i * SIBLINGS_MAX + l];
				same = other == j || names(o, j, other);
			}
			if (!same)
				out->state[i] = SMT_UNDECIDED;
			else if (j < out->group[i])
				out->group[i] = j;
		}
		if (o->count[i] && out->state[i] == SMT_ALONE)
			out->state[i] = SMT_SHARED;
		if (out->state[i] == SMT_UNDECIDED) {
			out->group[i] = i;
			out->undecided++;
		}
	}
}

int smt_infer(const struct smt_rounds *r, struct smt_inference *out)
{
	struct view v = {.r = r};
	struct opinions o = {0};
	double *scratch = calloc(r->rounds + 1, sizeof *scratch);

	*out = (struct smt_inference){0};
	v.round = calloc(r->rounds + 1, sizeof *v.round);
	v.rate = calloc(r->rounds + 1, sizeof *v.rate);
	v.rest = calloc(r->rounds + 1, sizeof *v.rest);
	o.sibling = calloc((size_t)r->pus * SIBLINGS_MAX + 1, sizeof *o.sibling);
	o.count = calloc(r->pus + 1, sizeof *o.count);
	o.noise = calloc(r->pus + 1, sizeof *o.noise);
	out->state = calloc(r->pus + 1, sizeof *out->state);
	out->group = calloc(r->pus + 1, sizeof *out->group);
	bool ok = scratch && v.round && v.rate && v.rest && o.sibling && o.count && o.noise &&
		  out->state && out->group;
	if (ok) {
		for (unsigned i = 0; i < r->pus; i++)
			form_opinion(&v, i, &o, out, scratch);
		agree(r, &o, out);
		out->noise = r->pus ? median(o.noise, r->pus) : 0;
	} else {
		smt_inference_fini(out);
	}
	free(scratch);
	free(v.round);
	free(v.rate);
	free(v.rest);
	free(o.sibling);
	free(o.count);
	free(o.noise);
	return ok ? 0 : -ENOMEM;
}

void smt_inference_fini(struct smt_inference *out)
{
	free(out->state);
	free(out->group);
	*out = (struct smt_inference){0};
}

// The measurement. A coordinator and one thread per PU meet at a barrier before and after each
// round; it writes what a round is while the others wait there.
struct bench {
	const struct machine *m;
	struct smt_rounds *r;
	sem_t admit;
	pthread_barrier_t gate;
	bool stop; // the semaphore and the barrier order these three
	unsigned round;
	uint64_t start_ns;
	atomic_int failed; // errno of a thread that could not be pinned
};

struct prober {
	struct bench *b;
	unsigned index;
	pthread_t thread;
};

enum { WORK_NS = 5 * 1000 * 1000, BATCH = 2000, WARM_UP_ROUNDS = 4 };

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

// Eight integer and four floating-point chains, independent of each other: more than one core's
// ports can issue in a cycle, so a second thread on the core must take from the first. The empty
// assembly keeps each addition where it is and the compiler from joining them.
static void burn(void)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
	double w = 1, x = 2, y = 3, z = 4;

	for (unsigned i = 0; i < BATCH; i++) {
		a += i, b += i, c += i, d += i, e += i, f += i, g += i, h += i;
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
		__asm__ volatile("" : "+r"(e), "+r"(f), "+r"(g), "+r"(h));
		w += 1.5, x += 1.5, y += 1.5, z += 1.5;
#if defined(__x86_64__)
		__asm__ volatile("" : "+x"(w), "+x"(x), "+x"(y), "+x"(z));
#elif defined(__aarch64__)
		__asm__ volatile("" : "+w"(w), "+w"(x), "+w"(y), "+w"(z));
#endif
	}
}

// Work per second of the thread's own CPU time: being preempted by other work does not count, as
// that tells nothing of siblings.
static float probe_round(uint64_t start_ns)
{
	uint64_t batches = 0, now;

	while (clock_ns(CLOCK_MONOTONIC) < start_ns)
		;
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	do {
		burn();
		batches++;
		now = clock_ns(CLOCK_MONOTONIC);
	} while (now < start_ns + WORK_NS);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	return cpu ? (float)((double)batches / (double)cpu) : 0;
}

static void *prober_main(void *arg)
{
	struct prober *p = arg;
	struct bench *b = p->b;
	size_t pus = b->r->pus;

	while (sem_wait(&b->admit))
		;
	if (b->stop)
		return NULL;
	int err = machine_pin(b->m, b->m->pu[p->index].os);
	if (err)
		atomic_store(&b->failed, -err);
	for (;;) {
		pthread_barrier_wait(&b->gate);
		if (b->stop)
			return NULL;
		size_t cell = b->round * pus + p->index;
		if (b->r->active[cell])
			b->r->rate[cell] = probe_round(b->start_ns);
		pthread_barrier_wait(&b->gate);
	}
}

// The first rounds are done twice: clocks must rise before they count.
static void run_rounds(struct bench *b)
{
	for (unsigned k = 0; k < b->r->rounds + WARM_UP_ROUNDS; k++) {
		b->round = k < WARM_UP_ROUNDS ? k : k - WARM_UP_ROUNDS;
		// Threads need about 5 us each to wake up; who comes late works a shorter time.
		b->start_ns = clock_ns(CLOCK_MONOTONIC) + 500000 + 5000 * (uint64_t)b->r->pus;
		pthread_barrier_wait(&b->gate);
		pthread_barrier_wait(&b->gate);
		if (atomic_load(&b->failed))
			break;
	}
	b->stop = true;
	pthread_barrier_wait(&b->gate);
}

// Starts one thread per PU. Nobody passes `admit` before all exist, since the gate counts them.
static unsigned start_probers(struct bench *b, struct prober *probers)
{
	pthread_attr_t attr;
	unsigned n = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	for (; n < b->r->pus; n++) {
		probers[n].b = b;
		probers[n].index = n;
		if (pthread_create(&probers[n].thread, &attr, prober_main, &probers[n]))
			break;
	}
	pthread_attr_destroy(&attr);
	b->stop = n < b->r->pus;
	for (unsigned i = 0; i < n; i++)
		sem_post(&b->admit);
	return n;
}

int smt_measure(const struct machine *m, struct smt_rounds *r, struct error *e)
{
	struct bench b = {.m = m, .r = r};
	struct prober *probers = calloc(r->pus, sizeof *probers);

	if (!m->this_machine || r->pus != m->allowed_pus || r->rounds < WARM_UP_ROUNDS ||
		!probers) {
		free(probers);
		return error_set(e, EINVAL, "only this machine's allowed PUs can be probed");
	}
	pthread_barrier_init(&b.gate, NULL, r->pus + 1);
	sem_init(&b.admit, 0, 0);
	unsigned started = start_probers(&b, probers);
	if (started == r->pus)
		run_rounds(&b);
	for (unsigned i = 0; i < started; i++)
		pthread_join(probers[i].thread, NULL);
	sem_destroy(&b.admit);
	pthread_barrier_destroy(&b.gate);
	free(probers);

	int failed = atomic_load(&b.failed);
	if (failed)
		return error_set(e, failed, "cannot pin a probing thread: %s", strerror(failed));
	if (started < r->pus)
		return error_set(
			e, EAGAIN, "cannot start %u probing threads, only %u", r->pus, started);
	return 0;
}
