// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "catalog.h"
#include "foreign.h"
#include "indirect.h"
#include "plan.h"

enum { COUNTS_MOST = 4096, NAMES_TEXT = 384 };

static bool among(const char *name, char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool names_nothing(const struct selection *s)
{
	return !s->pattern_count && !s->strategy_count && !s->lock_count && !s->all_locks;
}

// Whether a run that names nothing measures it.
static bool standard(const struct kernel *k, const struct lock_class *lock)
{
	bool belongs = lock && (lock->family != LOCK_READER_WRITER || k->reads);
	return !lock || k->locks || (lock->standard && belongs);
}

static bool listed(const char *list, const char *name)
{
	size_t size = strlen(name);
	for (const char *s = list; (s = strstr(s, name)); s += size)
		if ((s == list || s[-1] == ' ') && (s[size] == ' ' || s[size] == '\0'))
			return true;
	return false;
}

// Where a kernel has many variants its own choice of locks stands for them, unless others are
// named: in --locks, or by a pattern's third part.
static bool kernels_own(const struct selection *s, const struct kernel *k, const char *pattern,
	const struct lock_class *lock)
{
	const char *part = pattern ? strchr(pattern, '/') : NULL;
	bool named = part && strchr(part + 1, '/');
	return !lock || !k->locks || s->all_locks || s->lock_count || named ||
	       listed(k->locks, lock->name);
}

// A kernel under the name it is to be measured under: its own, or that of an instance.
struct called {
	const struct kernel *kernel;
	const char *name;
};

// What is called for an instance is called for by its kernel's name too.
static bool matches(const char *pattern, const struct called *k, const struct variant *v)
{
	char name[3 * NAME_LEN], instance[4 * NAME_LEN];
	catalog_name(k->kernel, v, name, sizeof name);
	snprintf(instance, sizeof instance, "%s%s", k->name, name + strlen(k->kernel->name));
	return catalog_match(pattern, name) || catalog_match(pattern, instance);
}

static bool chosen(const struct selection *s, const struct called *k, const struct variant *v)
{
	bool match = s->pattern_count == 0 && !k->kernel->extra &&
		     (k->kernel->standard || !s->standard_only) &&
		     kernels_own(s, k->kernel, NULL, v->lock);
	if (v->lock ? strcmp(v->lock->name, INDIRECT_LOCK) == 0 : s->locked_only)
		return false;
	for (size_t i = 0; i < s->pattern_count && !match; i++)
		match = matches(s->patterns[i], k, v) &&
			kernels_own(s, k->kernel, s->patterns[i], v->lock);
	if (s->strategy_count)
		match = match && among(v->strategy, s->strategies, s->strategy_count);
	if (s->lock_count && v->lock)
		match = match && among(v->lock->name, s->locks, s->lock_count);
	return match && (!names_nothing(s) || standard(k->kernel, v->lock));
}

// The names of a kernel, one after the other: its instances where there are any. False at the end.
static bool next_called(const struct selection *s, struct called *k, size_t *next)
{
	bool instances = false;
	for (size_t i = 0; i < s->instance_count; i++) {
		if (catalog_kernel(s->instances[i]) != k->kernel)
			continue;
		instances = true;
		if (i < *next)
			continue;
		k->name = s->instances[i];
		*next = i + 1;
		return true;
	}
	k->name = k->kernel->name;
	return !instances && !(*next)++;
}

static int add_point(struct plan *p, const struct called *k, const struct variant *v,
	enum placement placement, unsigned threads)
{
	struct point *more = realloc(p->points, (p->point_count + 1) * sizeof *more);
	if (!more)
		return -ENOMEM;
	p->points = more;
	struct point *point = &more[p->point_count++];
	memset(point, 0, sizeof *point);
	snprintf(point->kernel, sizeof point->kernel, "%s", k->name);
	snprintf(point->strategy, sizeof point->strategy, "%s", v->strategy);
	snprintf(point->lock, sizeof point->lock, "%s", v->lock ? v->lock->name : "");
	snprintf(point->placement, sizeof point->placement, "%s", placement_name(placement));
	point->threads = threads;
	return 0;
}

static bool sequential(const struct variant *v)
{
	return STRATEGY_IS(v, "sequential");
}

// The control kernel belongs to every run, the sequential baseline to every kernel chosen.
static bool wanted(const struct selection *s, const struct called *k, const struct variant *v)
{
	const struct kernel *kernel = k->kernel;
	if (strcmp(kernel->name, "control") == 0 || chosen(s, k, v))
		return true;
	if (!sequential(v))
		return false;
	for (size_t i = 0; i < kernel->variant_count; i++)
		if (chosen(s, k, &kernel->variants[i]))
			return true;
	return false;
}

static int add_variant(struct plan *p, const struct called *k, const struct variant *v,
	enum placement placement, const unsigned *counts, size_t count)
{
	int rc = 0;
	if (sequential(v))
		return add_point(p, k, v, placement, 1);
	for (size_t i = 0; i < count && !rc; i++)
		rc = add_point(p, k, v, placement, counts[i]);
	return rc;
}

// The smallest critical section, once by inlined code and once through pointers.
static int add_indirect_cost(struct plan *p, enum placement placement)
{
	static const char *const locks[] = {INLINED_LOCK, INDIRECT_LOCK};
	const struct kernel *k = catalog_kernel("counter");
	struct called as = {k, k->name};
	for (size_t i = 0; i < 2; i++) {
		const struct variant *v = catalog_variant(k, "global-lock", locks[i]);
		int rc = v ? add_point(p, &as, v, placement, 1) : 0;
		bool twice = v && !rc &&
			     plan_find(p, &p->points[p->point_count - 1]) < (int)p->point_count - 1;
		p->point_count -= twice;
		if (rc)
			return rc;
	}
	return 0;
}

static int add_kernel(struct plan *p, const struct selection *s, const struct kernel *kernel,
	enum placement placement, const unsigned *counts, size_t count)
{
	struct called k = {.kernel = kernel};
	int rc = 0;
	for (size_t next = 0; !rc && next_called(s, &k, &next);)
		for (size_t i = 0; i < kernel->variant_count && !rc; i++)
			if (wanted(s, &k, &kernel->variants[i]))
				rc = add_variant(
					p, &k, &kernel->variants[i], placement, counts, count);
	return rc;
}

static bool anything_chosen(const struct selection *s)
{
	size_t kernels;
	const struct kernel *const *k = catalog_kernels(&kernels);
	for (size_t i = 0; i < kernels; i++) {
		struct called as = {.kernel = k[i]};
		for (size_t next = 0; next_called(s, &as, &next);)
			for (size_t j = 0; j < k[i]->variant_count; j++)
				if (chosen(s, &as, &k[i]->variants[j]))
					return true;
	}
	return false;
}

static void join(char *text, size_t size, char **names, size_t count)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", names[i]);
}

static int nothing_matches(const struct selection *s, struct error *e)
{
	char names[NAMES_TEXT];
	if (s->pattern_count)
		join(names, sizeof names, s->patterns, s->pattern_count);
	else if (s->lock_count)
		join(names, sizeof names, s->locks, s->lock_count);
	else
		join(names, sizeof names, s->strategies, s->strategy_count);
	return error_set(e, ENOENT,
		"nothing matches '%s': a pattern is KERNEL, KERNEL/STRATEGY or "
		"KERNEL/STRATEGY/LOCK and may hold * (see 'lockscale list')",
		names);
}

static bool pattern_matches_something(const struct selection *s, const char *pattern)
{
	struct selection one = {.patterns = (char *[]){(char *)pattern},
		.pattern_count = 1,
		.instances = s->instances,
		.instance_count = s->instance_count};
	return anything_chosen(&one);
}

static int check_patterns(const struct selection *s, struct error *e)
{
	for (size_t i = 0; i < s->pattern_count; i++) {
		struct selection one = {.patterns = &s->patterns[i], .pattern_count = 1};
		if (!pattern_matches_something(s, s->patterns[i]))
			return nothing_matches(&one, e);
	}
	return anything_chosen(s) ? 0 : nothing_matches(s, e);
}

static int check_threads(const struct selection *s, const struct machine *m, struct error *e)
{
	for (size_t i = 0; i < s->thread_count; i++)
		if (s->threads[i] > m->allowed_pus && !s->oversubscribe)
			return error_set(e, EINVAL,
				"--threads %u: only %u PUs are allowed here; 1 to %u are accepted "
				"(more with --oversubscribe)",
				s->threads[i], m->allowed_pus, m->allowed_pus);
	return 0;
}

// Of the default counts those that say most: 1, 2, half of the cores, all cores, all PUs.
static size_t keep_few(unsigned *counts, size_t count, const struct machine *m)
{
	const unsigned few[] = {1, 2, m->allowed_cores / 2, m->allowed_cores, m->allowed_pus};
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sizeof few / sizeof *few; j++)
			if (counts[i] == few[j]) {
				counts[kept++] = counts[i];
				break;
			}
	return kept;
}

// Beyond the machine: what becomes of locks whose holder may not be running.
static size_t add_oversubscribed(unsigned *counts, size_t count, const struct machine *m)
{
	for (unsigned times = 2; times <= 4 && count < COUNTS_MOST; times *= 2)
		counts[count++] = times * m->allowed_pus;
	return count;
}

static int plan_flags(struct plan *p)
{
	p->failed = calloc(p->point_count + 1, sizeof *p->failed);
	p->settled = calloc(p->point_count + 1, sizeof *p->settled);
	return p->failed && p->settled ? 0 : -ENOMEM;
}

int plan_points(struct plan *p, const struct selection *s, const struct machine *m, struct error *e)
{
	size_t kernels;
	const struct kernel *const *k = catalog_kernels(&kernels);
	unsigned defaults[COUNTS_MOST];
	int rc = check_patterns(s, e);
	if (!rc)
		rc = check_threads(s, m, e);
	for (size_t l = 0; l < s->placement_count && !rc; l++) {
		const unsigned *counts = s->threads;
		size_t count = s->thread_count;
		if (!count) {
			count = placement_counts(m, s->placements[l], defaults, COUNTS_MOST);
			if (s->few_counts)
				count = keep_few(defaults, count, m);
			if (s->oversubscribe)
				count = add_oversubscribed(defaults, count, m);
			counts = defaults;
		}
		for (size_t i = 0; i < kernels && !rc; i++)
			rc = add_kernel(p, s, k[i], s->placements[l], counts, count);
	}
	if (!rc && s->indirect_cost)
		rc = add_indirect_cost(p, s->placements[0]);
	if (rc == -ENOMEM || (!rc && plan_flags(p)))
		return error_set(e, ENOMEM, "no memory for the list of points");
	return rc;
}

void plan_free(struct plan *p)
{
	free(p->points);
	free(p->failed);
	free(p->settled);
	json_decref(p->params);
	json_decref(p->plugins);
	json_decref(p->preload);
	*p = (struct plan){0};
}

bool plan_interposed(const struct plan *p, const struct visit *v)
{
	return strcmp(p->points[v->point].lock, INTERPOSED_LOCK) == 0;
}

bool plan_foreign(const struct plan *p, unsigned point)
{
	char name[NAME_LEN];
	size_t i;
	json_t *path;
	json_array_foreach (p->plugins, i, path) {
		foreign_name(json_string_value(path), name, sizeof name);
		if (strcmp(name, p->points[point].lock) == 0)
			return true;
	}
	return false;
}

// Of locks, and of the operations of structures.
static bool has_latency(const struct plan *p, size_t point)
{
	const struct point *of = &p->points[point];
	if (!p->latency || *of->lock)
		return p->latency;
	const struct kernel *k = catalog_kernel(of->kernel);
	const struct variant *v = k ? catalog_variant(k, of->strategy, of->lock) : NULL;
	return v && v->model != MODEL_NONE;
}

uint64_t plan_latency_window_ns(const struct plan *p)
{
	return p->window_ns / 2;
}

size_t plan_latency_points(const struct plan *p)
{
	size_t count = 0;
	for (size_t i = 0; i < p->point_count; i++)
		count += has_latency(p, i);
	return count;
}

size_t plan_visits(const struct plan *p, unsigned process,
	bool (*done)(void *, const struct visit *), void *arg, struct visit **visits)
{
	/* Numbers from point_count on are the points' latency samples. */
	size_t kinds = p->point_count * (p->latency ? 2 : 1);
	unsigned *order = calloc(kinds + 1, sizeof *order);
	*visits = calloc(kinds * p->samples + 1, sizeof **visits);
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t count = 0;
	if (!order || !*visits || !rng)
		abort(); /* a few kilobytes at the start of a run */
	/* Far apart, so that no process of this seed has the order of one of the next. */
	gsl_rng_set(rng, (unsigned long)(p->seed + process * 0x9e3779b97f4a7c15u));
	for (unsigned i = 0; i < kinds; i++)
		order[i] = i;
	for (unsigned sample = 0; sample < p->samples; sample++) {
		gsl_ran_shuffle(rng, order, kinds, sizeof *order);
		for (size_t i = 0; i < kinds; i++) {
			bool latency = order[i] >= p->point_count;
			unsigned point = order[i] - (latency ? (unsigned)p->point_count : 0);
			struct visit v = {point, process, sample, latency};
			/* The limit leaves out the last samples of the last processes. */
			bool beyond = p->limit && sample * p->processes + process >= p->limit;
			bool over = beyond || p->failed[v.point] || p->settled[v.point] ||
				    (latency && !has_latency(p, point));
			if (!over && !done(arg, &v))
				(*visits)[count++] = v;
		}
	}
	gsl_rng_free(rng);
	free(order);
	return count;
}

void point_to_json(json_t *o, const struct point *p)
{
	json_object_set_new(o, "kernel", json_string(p->kernel));
	json_object_set_new(o, "strategy", json_string(p->strategy));
	json_object_set_new(o, "lock", json_string(p->lock));
	json_object_set_new(o, "placement", json_string(p->placement));
	json_object_set_new(o, "threads", json_integer(p->threads));
}

int point_from_json(struct point *p, const json_t *o)
{
	const char *kernel, *strategy, *lock, *placement;
	int threads;
	if (json_unpack((json_t *)o, "{s:s, s:s, s:s, s:s, s:i}", "kernel", &kernel, "strategy",
		    &strategy, "lock", &lock, "placement", &placement, "threads", &threads) < 0 ||
		threads < 1)
		return -EINVAL;
	memset(p, 0, sizeof *p);
	snprintf(p->kernel, sizeof p->kernel, "%s", kernel);
	snprintf(p->strategy, sizeof p->strategy, "%s", strategy);
	snprintf(p->lock, sizeof p->lock, "%s", lock);
	snprintf(p->placement, sizeof p->placement, "%s", placement);
	p->threads = (unsigned)threads;
	return 0;
}

json_t *plan_to_json(const struct plan *p)
{
	json_t *points = json_array();
	for (size_t i = 0; i < p->point_count; i++) {
		json_t *point = json_object();
		point_to_json(point, &p->points[i]);
		json_array_append_new(points, point);
	}
	json_t *o = json_pack("{s:o, s:i, s:i, s:i, s:I, s:I, s:I, s:i, s:b, s:O}", "points",
		points, "processes", (int)p->processes, "limit", (int)p->limit, "samples",
		(int)p->samples, "seed", (json_int_t)p->seed, "window_ns", (json_int_t)p->window_ns,
		"warm_up_ns", (json_int_t)p->warm_up_ns, "retries", (int)p->retries, "latency",
		p->latency, "params", p->params);
	if (p->plugins)
		json_object_set(o, "plugins", p->plugins);
	if (p->preload)
		json_object_set(o, "preload", p->preload);
	return o;
}

// Absent, or of the right types.
static bool foreign_is_readable(const json_t *plugins, const json_t *preload)
{
	size_t i;
	json_t *path;
	bool good = (!plugins || json_is_array(plugins)) && (!preload || json_is_string(preload));
	json_array_foreach (plugins, i, path)
		good = good && json_is_string(path);
	return good;
}

int plan_from_json(struct plan *p, const json_t *o, struct error *e)
{
	int processes, limit, samples, retries, latency = 0;
	json_int_t seed, window, warm_up;
	json_t *points, *params;
	if (json_unpack((json_t *)o, "{s:o, s:i, s:i, s:i, s:I, s:I, s:I, s:i, s?b, s:o}", "points",
		    &points, "processes", &processes, "limit", &limit, "samples", &samples, "seed",
		    &seed, "window_ns", &window, "warm_up_ns", &warm_up, "retries", &retries,
		    "latency", &latency, "params", &params) < 0)
		return error_set(e, EINVAL, "the plan of the run cannot be read");
	if (!foreign_is_readable(json_object_get(o, "plugins"), json_object_get(o, "preload")))
		return error_set(e, EINVAL, "the plugins of the plan cannot be read");
	*p = (struct plan){.processes = (unsigned)processes,
		.samples = (unsigned)samples,
		.limit = (unsigned)limit,
		.seed = (uint64_t)seed,
		.window_ns = (uint64_t)window,
		.warm_up_ns = (uint64_t)warm_up,
		.retries = (unsigned)retries,
		.latency = latency != 0,
		.params = json_incref(params),
		.plugins = json_incref(json_object_get(o, "plugins")),
		.preload = json_incref(json_object_get(o, "preload")),
		.point_count = json_array_size(points)};
	p->points = calloc(p->point_count + 1, sizeof *p->points);
	if (!p->points || plan_flags(p))
		return error_set(e, ENOMEM, "no memory for the list of points");
	for (size_t i = 0; i < p->point_count; i++)
		if (point_from_json(&p->points[i], json_array_get(points, i)) < 0)
			return error_set(e, EINVAL, "point %zu of the plan cannot be read", i);
	return 0;
}

int plan_find(const struct plan *p, const struct point *point)
{
	for (size_t i = 0; i < p->point_count; i++)
		if (same_point(&p->points[i], point))
			return (int)i;
	return -1;
}
