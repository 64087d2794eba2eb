// SPDX-License-Identifier: BSD-2-Clause
// One row per point, from samples; the findings in words; and the tables on disk.
#include "table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contention_table.h"
#include "counts_table.h"
#include "operations_table.h"
#include "journal.h"

static const double level = 0.95; // of every interval in a table

// Rows and modes

static int by_point(const void *a, const void *b)
{
	const struct sample *x = *(const struct sample *const *)a;
	const struct sample *y = *(const struct sample *const *)b;
	int order = point_compare(&x->point, &y->point);
	if (!order) // so that a table does not depend on the order of the file
		order = (x->process > y->process) - (x->process < y->process);
	if (!order)
		order = (x->sample > y->sample) - (x->sample < y->sample);
	return order;
}

static int by_row(const void *a, const void *b)
{
	return point_compare(&((const struct row *)a)->point, &((const struct row *)b)->point);
}

// Scratch for one point's samples, as long as the largest point.
struct scratch {
	double *number;
	bool *disturbed;
	int *mode;
};

static int scratch_init(struct scratch *s, size_t n)
{
	*s = (struct scratch){
		.number = calloc(n + 1, sizeof *s->number),
		.disturbed = calloc(n + 1, sizeof *s->disturbed),
		.mode = calloc(n + 1, sizeof *s->mode),
	};
	return s->number && s->disturbed && s->mode ? 0 : -ENOMEM;
}

static void scratch_fini(struct scratch *s)
{
	free(s->number);
	free(s->disturbed);
	free(s->mode);
}

// The samples being turned into rows, in the order of by_point, and how far the table is filled.
struct filling {
	const struct sample **sample;
	size_t count, values, modes;
	struct scratch scratch;
};

static bool is_used(const struct table_mode *m, const struct sample *s)
{
	return !s->disturbed || 2 * m->disturbed > m->samples;
}

static void fill_mode(
	struct table *t, struct filling *f, const struct sample **s, size_t n, int mode)
{
	struct table_mode *m = &t->modes[f->modes++];
	*m = (struct table_mode){.speedup = NAN};
	for (size_t i = 0; i < n; i++) {
		if (f->scratch.mode[i] != mode)
			continue;
		f->scratch.number[m->samples++] = s[i]->line_ns;
		m->disturbed += s[i]->disturbed;
	}
	stats_sort(f->scratch.number, m->samples);
	m->line_ns = stats_median(f->scratch.number, m->samples);
	m->used.value = t->values + f->values;
	m->used.process = t->processes + f->values;
	for (size_t i = 0; i < n; i++) {
		if (f->scratch.mode[i] != mode || !is_used(m, s[i]))
			continue;
		f->scratch.number[m->used.count++] = s[i]->ops_per_second;
		t->values[f->values] = s[i]->ops_per_second;
		t->processes[f->values++] = s[i]->process;
	}
	stats_sort(f->scratch.number, m->used.count);
	m->ops_per_second = stats_median(f->scratch.number, m->used.count);
}

// A property of one sample, of one of its workers where it asks which; NaN where unknown.
typedef double property(const struct sample *s, unsigned worker);

static double fewest_over_most(const struct sample *s, unsigned worker)
{
	(void)worker;
	return s->ops_max > 0 ? s->ops_min / s->ops_max : NAN;
}

static double jain(const struct sample *s, unsigned worker)
{
	(void)worker;
	return s->worker_ops ? stats_jain(s->worker_ops, s->point.threads) : NAN;
}

static double operations(const struct sample *s)
{
	double sum = 0;
	for (unsigned i = 0; s->worker_ops && i < s->point.threads; i++)
		sum += s->worker_ops[i];
	return sum > 0 ? sum : NAN;
}

static double share(const struct sample *s, unsigned worker)
{
	return s->worker_ops ? s->worker_ops[worker] / operations(s) : NAN;
}

static double cycles(const struct sample *s, unsigned worker)
{
	(void)worker;
	return s->cycles > 0 ? s->cycles / operations(s) : NAN;
}

static double instructions(const struct sample *s, unsigned worker)
{
	(void)worker;
	return s->cycles > 0 ? s->instructions / operations(s) : NAN;
}

static double cache_misses(const struct sample *s, unsigned worker)
{
	(void)worker;
	return s->cycles > 0 ? s->cache_misses / operations(s) : NAN;
}

static double failed_operations(const struct sample *s, unsigned worker)
{
	(void)worker;
	return s->failed_per_second;
}

static double memory_bytes(const struct sample *s, unsigned worker)
{
	(void)worker;
	return s->memory_bytes > 0 ? s->memory_bytes : NAN;
}

static double own_count(const struct sample *s, unsigned which)
{
	return which < s->count_count ? s->counts[which].value : NAN;
}

static double own_count_per_second(const struct sample *s, unsigned which)
{
	return s->seconds > 0 ? own_count(s, which) / s->seconds : NAN;
}

static double own_count_per_operation(const struct sample *s, unsigned which)
{
	return own_count(s, which) / operations(s);
}

static double involuntary_switches(const struct sample *s, unsigned which)
{
	(void)which;
	return s->seconds > 0 ? (double)s->involuntary_switches / s->seconds : NAN;
}

static double voluntary_switches(const struct sample *s, unsigned which)
{
	(void)which;
	return s->seconds > 0 ? (double)s->voluntary_switches / s->seconds : NAN;
}

static double involuntary_per_operation(const struct sample *s, unsigned which)
{
	(void)which;
	return (double)s->involuntary_switches / operations(s);
}

static double voluntary_per_operation(const struct sample *s, unsigned which)
{
	(void)which;
	return (double)s->voluntary_switches / operations(s);
}

// Over the main mode's samples that are used and have it.
static double median_of(property *of, unsigned worker, const struct row *row, struct filling *f,
	const struct sample **s, size_t n)
{
	size_t known = 0;
	for (size_t i = 0; i < n; i++) {
		bool used =
			f->scratch.mode[i] == row->mode && is_used(&row->modes[row->mode], s[i]);
		double value = used ? of(s[i], worker) : NAN;
		if (!isnan(value))
			f->scratch.number[known++] = value;
	}
	stats_sort(f->scratch.number, known);
	return stats_median(f->scratch.number, known);
}

// The largest, and the sum, over the same samples; NaN where none has it.
static double most_of(property *of, unsigned which, const struct row *row, struct filling *f,
	const struct sample **s, size_t n, double *sum)
{
	double most = NAN;
	*sum = NAN;
	for (size_t i = 0; i < n; i++) {
		bool used =
			f->scratch.mode[i] == row->mode && is_used(&row->modes[row->mode], s[i]);
		double value = used ? of(s[i], which) : NAN;
		if (isnan(value))
			continue;
		most = isnan(most) || value > most ? value : most;
		*sum = isnan(*sum) ? value : *sum + value;
	}
	return most;
}

static double all_operations(const struct sample *s, unsigned worker)
{
	(void)worker;
	return operations(s);
}

// What the kernel counted, and what the system counted of the same workers. A point's samples come
// from one kernel: their counts are the same ones in the same order.
static int fill_counts(struct row *row, struct filling *f, const struct sample **s, size_t n)
{
	static const struct {
		const char *name;
		property *per_second, *per_operation;
	} system[] = {
		{"voluntary-switches", voluntary_switches, voluntary_per_operation},
		{"involuntary-switches", involuntary_switches, involuntary_per_operation},
	};
	unsigned own = s[0]->count_count, also = sizeof system / sizeof *system;
	double ignored;
	most_of(all_operations, 0, row, f, s, n, &row->operations);
	if (!own)
		return 0;
	row->counts = calloc(own + also, sizeof *row->counts);
	if (!row->counts)
		return -ENOMEM;
	for (unsigned i = 0; i < own; i++) {
		struct table_count *c = &row->counts[row->count_count++];
		strcpy(c->name, s[0]->counts[i].name);
		c->level = s[0]->counts[i].level;
		property *per_second = c->level ? own_count : own_count_per_second;
		c->value = median_of(per_second, i, row, f, s, n);
		c->per_operation =
			c->level ? NAN : median_of(own_count_per_operation, i, row, f, s, n);
		c->most = most_of(own_count, i, row, f, s, n, &ignored);
	}
	for (unsigned i = 0; i < also; i++) {
		struct table_count *c = &row->counts[row->count_count++];
		strcpy(c->name, system[i].name);
		c->value = median_of(system[i].per_second, 0, row, f, s, n);
		c->per_operation = median_of(system[i].per_operation, 0, row, f, s, n);
	}
	return 0;
}

static int fill_sharing(struct row *row, struct filling *f, const struct sample **s, size_t n)
{
	unsigned workers = row->point.threads;
	row->fairness = median_of(fewest_over_most, 0, row, f, s, n);
	row->jain = median_of(jain, 0, row, f, s, n);
	row->cycles = median_of(cycles, 0, row, f, s, n);
	row->instructions = median_of(instructions, 0, row, f, s, n);
	row->cache_misses = median_of(cache_misses, 0, row, f, s, n);
	row->failed_per_second = median_of(failed_operations, 0, row, f, s, n);
	row->memory_bytes = median_of(memory_bytes, 0, row, f, s, n);
	if (isnan(row->jain))
		return 0;
	if (workers > TABLE_SHARES_MOST)
		workers = TABLE_SHARES_MOST;
	row->shares = calloc(workers, sizeof *row->shares);
	for (unsigned i = 0; row->shares && i < workers; i++)
		row->shares[i] = median_of(share, i, row, f, s, n);
	return row->shares ? 0 : -ENOMEM;
}

static void count_lost(struct row *row, const struct sample **s, size_t n)
{
	double updates = 0;
	for (size_t i = 0; i < n; i++) {
		row->lost += s[i]->lost_updates;
		updates += s[i]->ops_per_second * s[i]->seconds;
	}
	row->lost_share = updates > 0 ? fmin((double)row->lost / updates, 1) : NAN;
	if (row->lost && strcmp(row->point.strategy, "unsynchronized")) {
		row->failed = true;
		snprintf(row->why, sizeof row->why, "check failed: %lld updates lost",
			(long long)row->lost);
	}
}

static void row_clear(struct row *row, const struct point *p)
{
	struct interval none = {NAN, NAN, 0};
	*row = (struct row){
		.point = *p,
		.ops_per_second = NAN,
		.ops = none,
		.speedup = NAN,
		.gain = none,
		.efficiency = NAN,
		.self_speedup = NAN,
		.fairness = NAN,
		.jain = NAN,
		.cycles = NAN,
		.instructions = NAN,
		.cache_misses = NAN,
		.failed_per_second = NAN,
		.memory_bytes = NAN,
		.operations = NAN,
		.lost_share = NAN,
	};
}

static int fill_row(struct table *t, struct filling *f, const struct sample **s, size_t n)
{
	struct row *row = &t->rows[t->count++];
	row_clear(row, &s[0]->point);
	row->has_samples = true;
	row->modes = t->modes + f->modes;
	for (size_t i = 0; i < n; i++) {
		f->scratch.number[i] = s[i]->line_ns;
		f->scratch.disturbed[i] = s[i]->disturbed;
	}
	int modes = stats_modes(f->scratch.number, f->scratch.disturbed, n, f->scratch.mode);
	if (modes < 0)
		return modes;
	row->mode_count = modes;
	row->mode = stats_main_mode(f->scratch.mode, n, modes);
	for (int m = 0; m < modes; m++) {
		fill_mode(t, f, s, n, m);
		if (m == row->mode) // what fill_mode leaves in number: the used values, sorted
			row->ops = stats_median_interval(
				f->scratch.number, row->modes[m].used.count, level);
	}
	row->ops_per_second = row->modes[row->mode].ops_per_second;
	count_lost(row, s, n);
	int rc = fill_counts(row, f, s, n);
	return rc ? rc : fill_sharing(row, f, s, n);
}

static void add_failures(struct table *t, const struct result *r)
{
	size_t with_samples = t->count;
	for (size_t i = 0; i < r->failure_count; i++) {
		struct row key = {.point = r->failures[i].point};
		struct row *row = bsearch(&key, t->rows, with_samples, sizeof key, by_row);
		for (size_t j = with_samples; !row && j < t->count; j++) {
			if (same_point(&t->rows[j].point, &key.point))
				row = &t->rows[j];
		}
		if (!row) {
			row = &t->rows[t->count++];
			row_clear(row, &key.point);
		}
		if (!row->failed || !*row->why)
			snprintf(row->why, sizeof row->why, "%s", r->failures[i].why);
		row->failed = true;
	}
	qsort(t->rows, t->count, sizeof *t->rows, by_row);
}

static int fill_rows(struct table *t, struct filling *f)
{
	for (size_t start = 0, end; start < f->count; start = end) {
		const struct point *p = &f->sample[start]->point;
		for (end = start + 1; end < f->count; end++) {
			if (!same_point(p, &f->sample[end]->point))
				break;
		}
		int rc = fill_row(t, f, f->sample + start, end - start);
		if (rc)
			return rc;
	}
	return 0;
}

static size_t count_points(const struct filling *f)
{
	size_t points = 0;
	for (size_t i = 0; i < f->count; i++)
		points += !i || !same_point(&f->sample[i - 1]->point, &f->sample[i]->point);
	return points;
}

static int allocate(struct table *t, const struct filling *f, const struct result *r)
{
	size_t n = f->count + 1;
	t->rows = calloc(count_points(f) + r->failure_count + 1, sizeof *t->rows);
	t->values = calloc(n, sizeof *t->values);
	t->processes = calloc(n, sizeof *t->processes);
	t->modes = calloc(n, sizeof *t->modes);
	return t->rows && t->values && t->processes && t->modes ? 0 : -ENOMEM;
}

int table_points(struct table *t, const struct result *r, struct error *e)
{
	*t = (struct table){0};
	struct filling f = {.count = r->sample_count};
	f.sample = calloc(f.count + 1, sizeof *f.sample);
	int rc = f.sample ? scratch_init(&f.scratch, f.count) : -ENOMEM;
	if (!rc) {
		for (size_t i = 0; i < f.count; i++)
			f.sample[i] = &r->samples[i];
		qsort(f.sample, f.count, sizeof *f.sample, by_point);
		rc = allocate(t, &f, r);
	}
	if (!rc)
		rc = fill_rows(t, &f);
	if (!rc)
		add_failures(t, r);
	scratch_fini(&f.scratch);
	free(f.sample);
	if (!rc)
		return 0;
	table_fini(t);
	return error_set(e, -rc, "out of memory for a table of %zu samples", r->sample_count);
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->rows[i].shares);
		free(t->rows[i].counts);
	}
	free(t->rows);
	free(t->values);
	free(t->processes);
	free(t->modes);
	*t = (struct table){0};
}

// Finding rows

const struct row *table_find(const struct table *t, const struct point *p)
{
	struct row key = {.point = *p};
	return t->count ? bsearch(&key, t->rows, t->count, sizeof key, by_row) : NULL;
}

// The rows of one kernel.
struct span {
	const struct row *begin, *end;
};

static struct span kernel_span(const struct table *t, const char *kernel)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(t->rows[middle].point.kernel, kernel) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (high < t->count && !strcmp(t->rows[high].point.kernel, kernel))
		high++;
	return (struct span){t->rows + low, t->rows + high};
}

static bool is_locked(const struct point *p)
{
	return !strcmp(p->strategy, "global-lock") ||
	       !strncmp(p->strategy, "fine-lock", strlen("fine-lock"));
}

static bool is_control(const struct point *p)
{
	return !strcmp(p->kernel, "control");
}

static bool is_sequential(const struct point *p)
{
	return !strcmp(p->strategy, "sequential");
}

static bool usable(const struct row *row)
{
	return row->has_samples && !row->failed && row->ops_per_second > 0;
}

// How well a row serves as the baseline of that placement; 0: not at all.
static int baseline_rank(const struct row *row, const char *placement)
{
	const struct point *p = &row->point;
	if (p->threads != 1 || !usable(row) || (!is_sequential(p) && !is_control(p)))
		return 0;
	int rank = is_sequential(p) ? 4 : 1; // control may have no strategy of that name
	if (!strcmp(p->placement, placement))
		return rank + 2;
	return rank + !strcmp(p->placement, "compact");
}

static const struct row *find_baseline(struct span kernel, const char *placement)
{
	const struct row *best = NULL;
	int rank = 0;
	for (const struct row *row = kernel.begin; row < kernel.end; row++) {
		int other = baseline_rank(row, placement);
		if (other > rank) {
			rank = other;
			best = row;
		}
	}
	return best;
}

const struct row *table_baseline(const struct table *t, const struct row *row)
{
	return find_baseline(kernel_span(t, row->point.kernel), row->point.placement);
}

const struct row *table_attainable(const struct table *t, const char *placement, unsigned threads)
{
	const struct row *best = NULL;
	struct span control = kernel_span(t, "control");
	for (const struct row *row = control.begin; row < control.end; row++) {
		const struct point *p = &row->point;
		if (p->threads != threads || strcmp(p->placement, placement) || row->failed)
			continue;
		if (isfinite(row->speedup) && (!best || row->speedup > best->speedup))
			best = row;
	}
	return best;
}

static bool beats_one(const struct row *row)
{
	return !row->failed && row->gain.lo > 1;
}

unsigned table_cost(const struct table *t, const struct row *row)
{
	struct span kernel = kernel_span(t, row->point.kernel);
	for (const struct row *r = kernel.begin; r < kernel.end; r++) { // threads ascend
		if (same_variant(&r->point, &row->point) &&
			!strcmp(r->point.placement, row->point.placement) && beats_one(r))
			return r->point.threads;
	}
	return 0;
}

// Speedups

// Resampled medians of the baseline used last: neighbouring rows mostly share it.
struct baseline {
	const struct row *row;
	double medians[STATS_RESAMPLES], others[STATS_RESAMPLES];
};

static const struct stats_group *main_group(const struct row *row)
{
	return &row->modes[row->mode].used;
}

static int speedup_against(struct row *row, const struct row *base, struct baseline *b)
{
	int rc = 0;
	if (b->row != base)
		rc = stats_resample(main_group(base), STATS_SEED + 1, b->medians, STATS_RESAMPLES);
	if (rc)
		return rc;
	b->row = base;
	row->speedup = row->ops_per_second / base->ops_per_second;
	row->efficiency = row->speedup / row->point.threads;
	for (int m = 0; m < row->mode_count; m++)
		row->modes[m].speedup = row->modes[m].ops_per_second / base->ops_per_second;
	if (row == base) {
		row->gain = (struct interval){1, 1, 1}; // by definition
		return 0;
	}
	rc = stats_resample(main_group(row), STATS_SEED, b->others, STATS_RESAMPLES);
	if (!rc)
		rc = stats_ratio_of_resamples(
			b->others, b->medians, STATS_RESAMPLES, level, &row->gain);
	return rc;
}

static int row_speedup(
	const struct table *t, struct row *row, struct span kernel, struct baseline *b)
{
	if (!usable(row))
		return 0;
	struct point one = row->point;
	one.threads = 1;
	const struct row *alone = table_find(t, &one);
	if (alone && usable(alone))
		row->self_speedup = row->ops_per_second / alone->ops_per_second;
	const struct row *base = find_baseline(kernel, row->point.placement);
	return base ? speedup_against(row, base, b) : 0;
}

int table_init(struct table *t, const struct result *r, struct error *e)
{
	int rc = table_points(t, r, e);
	if (rc)
		return rc;
	struct baseline *b = calloc(1, sizeof *b);
	rc = b ? 0 : -ENOMEM;
	struct span kernel = {0};
	for (size_t i = 0; i < t->count && !rc; i++) {
		if (&t->rows[i] >= kernel.end)
			kernel = kernel_span(t, t->rows[i].point.kernel);
		rc = row_speedup(t, &t->rows[i], kernel, b);
	}
	free(b);
	if (!rc)
		return 0;
	table_fini(t);
	return error_set(e, -rc, "speedups: %s", strerror(-rc));
}

// Findings

// What a strategy is called in a title. Its verb: "scale" or "scales".
struct term {
	const char *strategy, *words;
	bool plural;
};

static struct term term_for(const char *strategy)
{
	static const struct term terms[] = {
		{"private", "private state", false},
		{"lock-free", "atomics", true},
		{"global-lock", "a global lock", false},
		{"fine-lock", "fine locks", true},
		{"rcu", "RCU", false},
		{"message-passing", "message passing", false},
	};
	for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
		if (!strcmp(terms[i].strategy, strategy))
			return terms[i];
	}
	return (struct term){strategy, strategy, false};
}

// The rows that a finding is about: one kernel and placement, correct strategies only, without
// the regime beyond one worker a core where there is one below it.
struct scope {
	struct span kernel;
	const char *placement;
	unsigned threads;  // the most workers in the scope
	const char *cores; // what to call them
	double yes_at;
};

static bool in_scope(const struct scope *s, const struct row *row)
{
	const struct point *p = &row->point;
	return !strcmp(p->placement, s->placement) && !row->failed && !is_sequential(p) &&
	       strcmp(p->strategy, "unsynchronized") && isfinite(row->speedup) &&
	       (!s->threads || p->threads <= s->threads);
}

static void scope_limit(struct scope *s, const struct result *r)
{
	unsigned on_cores = 0, most = 0;
	for (const struct row *row = s->kernel.begin; row < s->kernel.end; row++) {
		unsigned threads = row->point.threads;
		if (!in_scope(s, row))
			continue;
		if (threads > most)
			most = threads;
		if (threads > on_cores && threads <= r->allowed_cores)
			on_cores = threads;
	}
	s->threads = on_cores > 1 ? on_cores : most;
	bool shared = !strcmp(s->placement, "smt") && r->pus > r->cores;
	s->cores = s->threads > r->allowed_cores || shared ? "workers" : "cores";
}

// The best row of a strategy at the scope's full width; null where it was not measured there.
static const struct row *best_at_full(const struct scope *s, const char *strategy)
{
	const struct row *best = NULL;
	for (const struct row *row = s->kernel.begin; row < s->kernel.end; row++) {
		if (in_scope(s, row) && row->point.threads == s->threads &&
			!strcmp(row->point.strategy, strategy) &&
			(!best || row->speedup > best->speedup))
			best = row;
	}
	return best;
}

// The highest row above one worker, of any strategy, that beats one thread for certain.
static const struct row *highest(const struct scope *s)
{
	const struct row *best = NULL;
	for (const struct row *row = s->kernel.begin; row < s->kernel.end; row++) {
		if (in_scope(s, row) && row->point.threads > 1 && beats_one(row) &&
			(!best || row->speedup > best->speedup))
			best = row;
	}
	return best;
}

static bool scales(const struct scope *s, const struct row *row)
{
	return row->gain.lo >= s->yes_at * s->threads;
}

struct tally {
	unsigned strategies, scaling; // measured at full width; of them, scaling
	unsigned variants, slower;    // rows at full width; of them, slower than one thread
	unsigned locks, slow_locks;   // the same of variants with a lock
	unsigned failed;              // points in kernel and placement
	const char *scales[3];        // the first of them
};

static void tally_strategy(const struct scope *s, const char *strategy, struct tally *n)
{
	const struct row *best = best_at_full(s, strategy);
	if (!best)
		return;
	n->strategies++;
	if (!scales(s, best))
		return;
	if (n->scaling < 3)
		n->scales[n->scaling] = strategy;
	n->scaling++;
}

static void tally_row(const struct scope *s, const struct row *row, struct tally *n)
{
	if (row->failed && !strcmp(row->point.placement, s->placement))
		n->failed++;
	if (!in_scope(s, row) || row->point.threads != s->threads)
		return;
	bool slower = row->gain.hi < 1;
	n->variants++;
	n->slower += slower;
	if (is_locked(&row->point)) {
		n->locks++;
		n->slow_locks += slower;
	}
}

static struct tally tally(const struct scope *s)
{
	struct tally n = {0};
	const char *last = "";
	for (const struct row *row = s->kernel.begin; row < s->kernel.end; row++) {
		tally_row(s, row, &n);
		if (strcmp(last, row->point.strategy)) // sorted: each strategy comes once
			tally_strategy(s, row->point.strategy, &n);
		last = row->point.strategy;
	}
	return n;
}

// A title grows clause by clause; what does not fit is cut.
struct title {
	char *buf;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct title *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->buf + t->used, t->size - t->used, format, args);
	va_end(args);
	t->used += (size_t)(n > 0 ? n : 0);
	if (t->used >= t->size)
		t->used = t->size - 1;
}

static void say_scaling(struct title *t, const struct scope *s, const struct tally *n)
{
	struct term first = term_for(n->scales[0]);
	const char *verb = n->scaling > 1 || first.plural ? "scale" : "scales";
	if (n->scaling == n->strategies && n->scaling > 1)
		say(t, "every strategy scales");
	else if (n->scaling == 1)
		say(t, "%s%s %s", n->strategies > 1 ? "only " : "", first.words, verb);
	else if (n->scaling == 2)
		say(t, "%s and %s scale", first.words, term_for(n->scales[1]).words);
	else if (n->scaling == 3)
		say(t, "%s, %s and %s scale", first.words, term_for(n->scales[1]).words,
			term_for(n->scales[2]).words);
	else
		say(t, "%u of %u strategies scale", n->scaling, n->strategies);
	say(t, " to %u %s", s->threads, s->cores);
}

static void say_locks(struct title *t, const struct scope *s, const struct tally *n)
{
	if (!n->slow_locks)
		return;
	if (n->slow_locks == n->locks)
		say(t, "; %s makes %u %s slower than 1", n->locks == 1 ? "a lock" : "any lock",
			s->threads, s->cores);
	else
		say(t, "; %u of %u locks %s %u %s slower than 1", n->slow_locks, n->locks,
			n->slow_locks == 1 ? "makes" : "make", s->threads, s->cores);
}

static void say_best(struct title *t, const struct scope *s, const struct tally *n)
{
	const struct row *best = highest(s);
	if (!best) {
		if (n->variants && n->slower == n->variants)
			say(t, "whatever the strategy, %u %s are slower than 1", s->threads,
				s->cores);
		else
			say(t, "nothing beats one thread on up to %u %s", s->threads, s->cores);
		return;
	}
	struct term term = term_for(best->point.strategy);
	if (best->point.threads < s->threads)
		say(t, "%s %s at %u %s (%.2fx)", term.words, term.plural ? "stop" : "stops",
			best->point.threads, s->cores, best->speedup);
	else
		say(t, "at best %.2fx on %u %s, by %s", best->speedup, s->threads, s->cores,
			term.words);
	say_locks(t, s, n);
}

static void say_nothing_measured(struct title *t, const struct scope *s, const struct tally *n)
{
	bool any = false;
	for (const struct row *row = s->kernel.begin; row < s->kernel.end; row++)
		any |= !strcmp(row->point.placement, s->placement) && usable(row);
	if (any && s->threads != 1 && !find_baseline(s->kernel, s->placement))
		say(t, "no sequential baseline to compare with");
	else if (any)
		say(t, "measured with 1 worker only");
	else
		say(t, n->failed ? "no valid measurement" : "not measured");
}

char *table_finding(const struct table *t, const struct result *r, const char *kernel,
	const char *placement, double yes_at, char *buf, size_t size)
{
	struct scope s = {kernel_span(t, kernel), placement, 0, "cores", yes_at};
	scope_limit(&s, r);
	struct tally n = tally(&s);
	struct title title = {buf, size, 0};
	say(&title, "%s: ", kernel);
	const struct row *control = table_attainable(t, placement, s.threads);
	if (s.threads < 2) {
		say_nothing_measured(&title, &s, &n);
	} else if (!strcmp(kernel, "control") && control) {
		say(&title, "%.2fx attainable on %u %s, nothing shared", control->speedup,
			s.threads, s.cores);
	} else if (n.scaling) {
		say_scaling(&title, &s, &n);
		say_locks(&title, &s, &n);
	} else {
		say_best(&title, &s, &n);
	}
	if (n.failed)
		say(&title, "; %u %s FAILED", n.failed, n.failed == 1 ? "point" : "points");
	return buf;
}

// Files

struct writing {
	const struct table *table;
	const struct result *result;
	double yes_at;
};

static void put_number(FILE *out, double number, int digits)
{
	if (isfinite(number))
		fprintf(out, "\t%.*g", digits, number);
	else
		fputs("\tNA", out);
}

static void put_row(FILE *out, const struct row *row)
{
	const struct point *p = &row->point;
	const struct table_mode *m = &row->modes[row->mode];
	fprintf(out, "%s\t%s\t%s\t%s\t%u", p->kernel, p->strategy, *p->lock ? p->lock : "-",
		p->placement, p->threads);
	put_number(out, row->ops_per_second, 10);
	put_number(out, row->ops.lo, 10);
	put_number(out, row->ops.hi, 10);
	const double rest[] = {row->speedup, row->gain.lo, row->gain.hi, row->efficiency,
		row->self_speedup, row->fairness};
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		put_number(out, rest[i], 6);
	fprintf(out, "\t%u\t%u\t%d", m->samples, m->disturbed, row->mode);
	put_number(out, m->line_ns, 6);
	fputc('\n', out);
}

static int write_speedup(FILE *out, void *data)
{
	const struct writing *w = data;
	fputs("kernel\tstrategy\tlock\tplacement\tthreads\tops_per_second\tlo\thi\tspeedup\t"
	      "speedup_lo\tspeedup_hi\tefficiency\tself_speedup\tfairness\tsamples\tdisturbed\t"
	      "mode\tline_ns\n",
		out);
	for (size_t i = 0; i < w->table->count; i++) {
		const struct row *row = &w->table->rows[i];
		if (row->has_samples && !row->failed)
			put_row(out, row);
	}
	return 0;
}

static int write_boundaries(FILE *out, void *data)
{
	const struct result *r = ((const struct writing *)data)->result;
	fputs("placement\tafter\twhat\n", out);
	for (size_t i = 0; i < r->boundary_count; i++)
		fprintf(out, "%s\t%u\t%s\n", r->boundaries[i].placement, r->boundaries[i].after,
			r->boundaries[i].what);
	return 0;
}

static bool first_of_placement(const struct row *begin, const struct row *row)
{
	for (const struct row *r = begin; r < row; r++) {
		if (!strcmp(r->point.placement, row->point.placement))
			return false;
	}
	return true;
}

static int write_findings(FILE *out, void *data)
{
	const struct writing *w = data;
	struct span kernel = {0};
	fputs("kernel\tplacement\tunit\ttitle\n", out);
	for (const struct row *row = w->table->rows; row < w->table->rows + w->table->count;
		row++) {
		if (row >= kernel.end)
			kernel = kernel_span(w->table, row->point.kernel);
		if (!first_of_placement(kernel.begin, row))
			continue;
		char title[256];
		table_finding(w->table, w->result, row->point.kernel, row->point.placement,
			w->yes_at, title, sizeof title);
		fprintf(out, "%s\t%s\t%s\t%s\n", row->point.kernel, row->point.placement,
			result_unit(w->result, row->point.kernel), title);
	}
	return 0;
}

int table_write(const struct table *t, const struct result *r, const char *dir, double yes_at,
	struct error *e)
{
	struct writing w = {t, r, yes_at};
	int rc = table_replace_file(dir, "speedup.tsv", write_speedup, &w, e);
	if (!rc)
		rc = table_replace_file(dir, "boundaries.tsv", write_boundaries, &w, e);
	if (!rc)
		rc = table_replace_file(dir, "findings.tsv", write_findings, &w, e);
	if (!rc)
		rc = contention_write(t, r, dir, e);
	if (!rc)
		rc = operations_write(t, dir, e);
	if (!rc)
		rc = counts_write(t, dir, e);
	return rc;
}

int table_replace_file(const char *dir, const char *name, int (*write)(FILE *out, void *data),
	void *data, struct error *e)
{
	char path[4096], *text = NULL;
	size_t size = 0;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
		return error_set(e, ENAMETOOLONG, "%.220s...: path too long", dir);
	FILE *out = open_memstream(&text, &size);
	int rc = out ? write(out, data) : -ENOMEM;
	if (out && fclose(out) && !rc)
		rc = -ENOMEM;
	if (rc)
		rc = error_set(e, -rc, "%.220s: %s", path, strerror(-rc));
	else
		rc = write_file_atomically(path, text, size, e);
	free(text);
	return rc;
}
