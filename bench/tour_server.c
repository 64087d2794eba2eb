// SPDX-License-Identifier: BSD-2-Clause
// The tour's claim about network programs: kernel server, with hundreds of connections, and its
// answers to one client beside a thread that computes.
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "locality.h"
#include "team.h"
#include "tour.h"
#include "trial.h"

enum { PARAMS_MOST = 32, REPETITIONS_MOST = 9 };

// At least this share of what one thread with epoll and no lock answers; an answer within this time
// where there is hardly anything to do.
#define ENOUGH_OF_EPOLL 0.5
static const double prompt_ns = 1e6;

enum { EPOLL, THEN, NOW, NEXT, PROCESSES, STRATEGIES };
static const char *const strategies[STRATEGIES] = {
	"sequential", "gil-2", "gil-3", "free-threaded", "processes"};

struct setting {
	const char *param, *value;
};

// A place to measure at: the kernel under some settings, and workers.
struct stand {
	const struct kernel *kernel;
	struct input input;
	const char *values[PARAMS_MOST];
	unsigned workers;
	struct team *team;
	struct locality locality;
	struct probe *probe;
	struct trial_settings settings;
	struct worker_record record[TOUR_WORKERS_MOST];
};

static void set_values(struct stand *s, const struct setting *setting)
{
	const struct param *p = s->kernel->params;
	for (size_t i = 0; i < PARAMS_MOST && p[i].name; i++) {
		s->values[i] = p[i].value;
		for (const struct setting *to = setting; to->param; to++)
			if (strcmp(to->param, p[i].name) == 0)
				s->values[i] = to->value;
	}
	s->input = (struct input){.params = p, .values = s->values};
}

static int stand_prepare(struct stand *s, const struct setting *setting, struct error *e)
{
	set_values(s, setting);
	int rc = s->kernel->prepare(&s->input);
	if (!rc)
		return 0;
	s->kernel->unprepare(&s->input);
	return error_set(
		e, rc, "kernel server: %s", *s->input.error ? s->input.error : strerror(rc));
}

static void stand_unprepare(struct stand *s)
{
	s->kernel->unprepare(&s->input);
}

static int stand_init(struct stand *s, struct tour *t, unsigned workers, struct error *e)
{
	*s = (struct stand){.kernel = catalog_kernel("server"), .workers = workers};
	s->settings = (struct trial_settings){.window_ns = t->quick ? 40000000 : 100000000,
		.warm_up_ns = t->quick ? 20000000 : 50000000};
	if (!s->kernel)
		return error_set(e, ENOENT, "this lockscale was built without kernel server");
	if (locality_init(&s->locality, &t->machine, t->order, workers, true) < 0)
		return -ENOMEM;
	s->probe = probe_create(workers);
	int rc = s->probe ? team_create(&s->team, &t->machine, t->order, t->machine.allowed_pus,
				    workers, true, e)
			  : -ENOMEM;
	if (rc) {
		probe_destroy(s->probe);
		locality_fini(&s->locality);
	}
	return rc;
}

static void stand_fini(struct stand *s)
{
	team_destroy(s->team);
	probe_destroy(s->probe);
	locality_fini(&s->locality);
}

static int sample(struct stand *s, const char *strategy, struct observation *o, struct error *e)
{
	const struct variant *variant = catalog_variant(s->kernel, strategy, "");
	const struct trial trial = {.settings = &s->settings,
		.kernel = s->kernel,
		.variant = variant,
		.input = &s->input,
		.workers = s->workers,
		.team = s->team,
		.locality = &s->locality.team,
		.probe = s->probe};
	*o = (struct observation){.worker = s->record};
	if (!variant || (variant->available && !variant->available()))
		return error_set(e, ENOENT, "kernel server has no strategy %s here", strategy);
	int rc = trial_run(&trial, o, e);
	if (!rc && o->lost_updates)
		rc = error_set(e, EPROTO, "%s: %lld requests were not answered rightly", strategy,
			(long long)o->lost_updates);
	return rc;
}

// NaN where the kernel has none of that name.
static double level(const struct stand *s, const struct observation *o, const char *name)
{
	for (size_t i = 0; s->kernel->counts && s->kernel->counts[i].name; i++)
		if (strcmp(s->kernel->counts[i].name, name) == 0)
			return o->kernel_counts[i];
	return NAN;
}

/* Hundreds of connections. */

struct crowd {
	struct spread rate[STRATEGIES], of_epoll[STRATEGIES];
};

static int serve_crowd(struct tour *t, struct stand *s, struct crowd *c, struct error *e)
{
	unsigned repetitions = t->quick ? 5 : REPETITIONS_MOST;
	double rate[STRATEGIES][REPETITIONS_MOST], ratio[STRATEGIES][REPETITIONS_MOST];
	for (unsigned i = 0; i < repetitions; i++) {
		for (int k = 0; k < STRATEGIES; k++) {
			struct observation o;
			int rc = sample(s, strategies[k], &o, e);
			rc = rc ? rc : tour_continues(t, e);
			if (rc)
				return rc;
			rate[k][i] = o.operations_per_second;
			ratio[k][i] = rate[k][i] / rate[EPOLL][i];
		}
	}
	for (int k = 0; k < STRATEGIES; k++) {
		c->rate[k] = spread_of(rate[k], repetitions);
		c->of_epoll[k] = spread_of(ratio[k], repetitions);
	}
	return 0;
}

/* One client, and a thread that computes. */

struct convoy {
	struct spread p50[STRATEGIES];
};

static int serve_beside(struct tour *t, struct stand *s, struct convoy *c, struct error *e)
{
	unsigned repetitions = t->quick ? 5 : REPETITIONS_MOST;
	double p50[STRATEGIES][REPETITIONS_MOST];
	for (unsigned i = 0; i < repetitions; i++) {
		for (int k = THEN; k <= NEXT; k++) {
			struct observation o;
			int rc = sample(s, strategies[k], &o, e);
			rc = rc ? rc : tour_continues(t, e);
			if (rc)
				return rc;
			p50[k][i] = level(s, &o, "p50_ns");
			if (!isfinite(p50[k][i]))
				return error_set(e, ENOTSUP, "kernel server tells no p50_ns");
		}
	}
	for (int k = THEN; k <= NEXT; k++)
		c->p50[k] = spread_of(p50[k], repetitions);
	return 0;
}

static int measure(struct tour *t, struct stand *s, const struct setting *crowded,
	const struct setting *beside, struct crowd *crowd, struct convoy *convoy, struct error *e)
{
	int rc = stand_prepare(s, crowded, e);
	if (rc)
		return rc;
	rc = serve_crowd(t, s, crowd, e);
	stand_unprepare(s);
	if (!rc)
		rc = stand_prepare(s, beside, e);
	if (rc)
		return rc;
	rc = serve_beside(t, s, convoy, e);
	stand_unprepare(s);
	return rc;
}

static void report(struct finding *f, const struct crowd *crowd, const struct convoy *convoy)
{
	static const char *const alone[STRATEGIES] = {
		[THEN] = "then (gil-2)", [NOW] = "now (gil-3)", [NEXT] = "next (free-threaded)"};
	static const char *const beside[STRATEGIES] = {
		[THEN] = "then beside a thread that computes",
		[NOW] = "now beside a thread that computes",
		[NEXT] = "next beside a thread that computes"};
	char text[64];
	for (int k = 0; k < STRATEGIES; k++) {
		fprintf(f->result, "%s%s: %s thousand requests/s",
			k == EPOLL ? "one thread with epoll" : strategies[k],
			k == PROCESSES ? " with epoll" : "",
			spread_text(&crowd->rate[k], 1e-3, text, sizeof text));
		if (k != EPOLL)
			fprintf(f->result, ", %s of epoll's",
				spread_text(&crowd->of_epoll[k], 1, text, sizeof text));
		fputc('\n', f->result);
		finding_measure(
			f, &crowd->rate[k], "requests/s", "%s, all connections", strategies[k]);
	}
	fputs("half of all answers beside a thread that computes came within", f->result);
	for (int k = THEN; k <= NEXT; k++) {
		fprintf(f->result, "%s %s us (%s)", k > THEN ? "," : "",
			spread_text(&convoy->p50[k], 1e-3, text, sizeof text), strategies[k]);
		finding_measure(f, &convoy->p50[k], "ns",
			"%s, median answer beside a thread that "
			"computes",
			strategies[k]);
	}
	fputc('\n', f->result);
	for (int k = THEN; k <= NEXT; k++)
		finding_answer(
			f, alone[k], answer_above(crowd->of_epoll[k].interval, ENOUGH_OF_EPOLL));
	for (int k = THEN; k <= NEXT; k++)
		finding_answer(f, beside[k], answer_below(convoy->p50[k].interval, prompt_ns));
}

int tour_server(struct tour *t, struct finding *f, struct error *e)
{
	const char *connections = "200";
	const struct setting crowded[] = {{"connections", connections}, {NULL, NULL}};
	const struct setting beside[] = {
		{"connections", "1"}, {"cpu", "0"}, {"background", "1"}, {NULL, NULL}};
	struct crowd crowd;
	struct convoy convoy;
	char pus[128];
	/* So that the clients have PUs of their own. */
	unsigned workers = t->workers / 2 ? t->workers / 2 : 1;
	struct stand *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	fprintf(f->experiment,
		"Kernel server on %s, the clients on the others: %s connections, each served by a "
		"thread, 20 us of interpreted work a request; then 1 connection, no work, and a "
		"thread that computes. Well: at least half the requests of one thread with epoll "
		"and no lock; half of the answers beside a thread that computes within %g ms.",
		tour_pus(t, workers, pus, sizeof pus), connections, prompt_ns * 1e-6);
	struct meter meter;
	meter_start(&meter, t);
	int rc = stand_init(s, t, workers, e);
	if (!rc) {
		rc = measure(t, s, crowded, beside, &crowd, &convoy, e);
		stand_fini(s);
	}
	free(s);
	f->other_work = meter_share(&meter, t);
	if (!rc)
		report(f, &crowd, &convoy);
	return rc;
}
