// SPDX-License-Identifier: BSD-2-Clause
// The journal's samples, through Google Benchmark into its reports; with our fields added that
// is the result file.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>

#include "environment.h"
#include "google.h"
#include "journal.h"
#include "result.h"
#include "stats.h"

static const char *const point_fields[] = {"kernel", "strategy", "lock", "placement", "threads"};
// Of numbers, which aggregates aggregate too. The rest of a sample's fields is copied.
static const char *const number_fields[] = {"ops_per_second", "start_skew_ns", "line_ns",
	"lost_updates", "ops_min", "ops_max", "seconds", "cpu_seconds", "foreign_ns", "stolen_ns",
	"voluntary_switches", "involuntary_switches", "page_faults", "migrations", "tries",
	"warm_up_seconds"};
static const char *const other_fields[] = {
	"process", "sample", "disturbed", "mode", "unit", "steady"};

// Only in entries of samples, and only where the sample has them.
static const char *const optional_fields[] = {"worker_ops", "cycles", "instructions",
	"cache_misses", "failed_per_second", "memory_bytes", "counts", "levels"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct group { // the samples of one point
	char *name;
	json_t *point;    // borrowed: any of its lines
	json_t **samples; // borrowed
	size_t count;
	const char *failure; // borrowed
	double *seconds, *cpu_seconds;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static double number_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_boolean(v) ? json_is_true(v) : json_number_value(v);
}

static char *name_of_point(const json_t *o)
{
	char *name;
	const char *lock = text_of(o, "lock");
	if (asprintf(&name, "%s/%s%s%s/placement:%s/threads:%d", text_of(o, "kernel"),
		    text_of(o, "strategy"), *lock ? "/" : "", lock, text_of(o, "placement"),
		    (int)number_of(o, "threads")) < 0)
		return NULL;
	return name;
}

struct groups {
	struct group *group;
	size_t count;
	json_t *index; // name -> position
};

static struct group *group_of(struct groups *g, json_t *line)
{
	char *name = name_of_point(line);
	json_t *at = name ? json_object_get(g->index, name) : NULL;
	if (at || !name) {
		free(name);
		return at ? &g->group[json_integer_value(at)] : NULL;
	}
	struct group *more = realloc(g->group, (g->count + 1) * sizeof *more);
	if (!more) {
		free(name);
		return NULL;
	}
	g->group = more;
	json_object_set_new(g->index, name, json_integer((json_int_t)g->count));
	g->group[g->count] = (struct group){.name = name, .point = line};
	return &g->group[g->count++];
}

static void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->group[i].name);
		free(g->group[i].samples);
		free(g->group[i].seconds);
		free(g->group[i].cpu_seconds);
	}
	free(g->group);
	json_decref(g->index);
}

static int add_sample(struct group *p, json_t *sample)
{
	size_t n = p->count + 1;
	void *more = realloc(p->samples, n * sizeof *p->samples);
	if (!more)
		return ENOMEM;
	p->samples = more;
	more = realloc(p->seconds, n * sizeof *p->seconds);
	if (!more)
		return ENOMEM;
	p->seconds = more;
	more = realloc(p->cpu_seconds, n * sizeof *p->cpu_seconds);
	if (!more)
		return ENOMEM;
	p->cpu_seconds = more;
	double rate = number_of(sample, "ops_per_second"), window = number_of(sample, "seconds");
	p->samples[p->count] = sample;
	p->seconds[p->count] = 1 / rate;
	p->cpu_seconds[p->count] =
		window > 0 ? number_of(sample, "cpu_seconds") / (rate * window) : 0;
	p->count = n;
	return 0;
}

// Sets `mode` in each of the point's samples: which group of line transfers it belongs to.
static int set_modes(struct group *p)
{
	double *line = calloc(p->count + 1, sizeof *line);
	bool *disturbed = calloc(p->count + 1, sizeof *disturbed);
	int *mode = calloc(p->count + 1, sizeof *mode), modes = -ENOMEM;
	if (line && disturbed && mode) {
		for (size_t i = 0; i < p->count; i++) {
			line[i] = number_of(p->samples[i], "line_ns");
			disturbed[i] = number_of(p->samples[i], "disturbed") != 0;
		}
		modes = stats_modes(line, disturbed, p->count, mode);
		for (size_t i = 0; i < p->count && modes >= 0; i++)
			json_object_set_new(p->samples[i], "mode", json_integer(mode[i]));
	}
	free(line);
	free(disturbed);
	free(mode);
	return modes < 0 ? -modes : 0;
}

// Points of the plan that have nothing yet.
static void drop_empty(struct groups *g)
{
	size_t kept = 0;
	json_object_clear(g->index);
	for (size_t i = 0; i < g->count; i++) {
		struct group *p = &g->group[i];
		if (p->count == 0 && !p->failure) {
			free(p->name);
			continue;
		}
		json_object_set_new(g->index, p->name, json_integer((json_int_t)kept));
		g->group[kept++] = *p;
	}
	g->count = kept;
}

// In the plan's order, so that reports read alike whatever the order of measuring.
static int group_all(struct groups *g, const struct journal_content *c)
{
	size_t i;
	json_t *line;
	*g = (struct groups){.index = json_object()};
	if (json_array_size(c->notes) > 0) /* into the context of every report */
		json_object_set(json_object_get(c->header, "context"), "notes", c->notes);
	json_array_foreach (json_object_get(json_object_get(c->header, "plan"), "points"), i, line)
		if (!group_of(g, line))
			return ENOMEM;
	json_array_foreach (c->samples, i, line) {
		struct group *p = group_of(g, line);
		if (!p || add_sample(p, line))
			return ENOMEM;
	}
	json_array_foreach (c->failures, i, line) {
		struct group *p = group_of(g, line);
		if (!p)
			return ENOMEM;
		p->failure = p->failure ? p->failure : text_of(line, "why");
	}
	drop_empty(g);
	int rc = 0;
	for (size_t k = 0; k < g->count && !rc; k++)
		rc = set_modes(&g->group[k]);
	return rc;
}

static double aggregate_of(const struct group *p, const char *field, const char *aggregate)
{
	double *v = malloc(p->count * sizeof *v), result;
	if (!v)
		return 0;
	for (size_t i = 0; i < p->count; i++)
		v[i] = number_of(p->samples[i], field);
	double mean = gsl_stats_mean(v, 1, p->count);
	double deviation = p->count > 1 ? gsl_stats_sd_m(v, 1, p->count, mean) : 0;
	gsl_sort(v, 1, p->count);
	if (strcmp(aggregate, "median") == 0)
		result = gsl_stats_median_from_sorted_data(v, 1, p->count);
	else if (strcmp(aggregate, "stddev") == 0)
		result = deviation;
	else if (strcmp(aggregate, "cv") == 0)
		result = mean != 0 ? deviation / mean : 0;
	else
		result = mean;
	free(v);
	return result;
}

static void copy_fields(json_t *to, const json_t *from, const char *const *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(from, fields[i]);
		if (value)
			json_object_set(to, fields[i], value);
	}
}

// Every entry has every field; null where there is no such thing, as the process of a mean.
static void fill_up(json_t *entry, const char *const *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!json_object_get(entry, fields[i]))
			json_object_set_new(entry, fields[i], json_null());
}

// Our fields into one of Google's entries.
static void annotate(json_t *entry, const struct groups *g)
{
	char name[512];
	snprintf(name, sizeof name, "%s", text_of(entry, "run_name"));
	char *suffix = strstr(name, "/manual_time");
	if (suffix)
		*suffix = '\0';
	json_t *at = json_object_get(g->index, name);
	if (!at)
		return;
	const struct group *p = &g->group[json_integer_value(at)];
	size_t repetition = (size_t)number_of(entry, "repetition_index");
	copy_fields(entry, p->point, point_fields, COUNT(point_fields));
	if (strcmp(text_of(entry, "run_type"), "aggregate") == 0) {
		const char *aggregate = text_of(entry, "aggregate_name");
		for (size_t i = 0; i < COUNT(number_fields); i++)
			json_object_set_new(entry, number_fields[i],
				json_real(aggregate_of(p, number_fields[i], aggregate)));
		copy_fields(entry, p->samples[0], (const char *const[]){"unit"}, 1);
	} else if (repetition < p->count) {
		copy_fields(entry, p->samples[repetition], number_fields, COUNT(number_fields));
		copy_fields(entry, p->samples[repetition], other_fields, COUNT(other_fields));
		copy_fields(entry, p->samples[repetition], optional_fields, COUNT(optional_fields));
	}
	fill_up(entry, number_fields, COUNT(number_fields));
	fill_up(entry, other_fields, COUNT(other_fields));
}

static struct shim_point *shim_points(const struct groups *g)
{
	struct shim_point *points = calloc(g->count + 1, sizeof *points);
	for (size_t i = 0; points && i < g->count; i++) {
		const struct group *p = &g->group[i];
		points[i] = (struct shim_point){p->name, (unsigned)number_of(p->point, "threads"),
			p->count, p->seconds, p->cpu_seconds, p->failure};
	}
	return points;
}

// Where and when the samples were measured is what counts, not where the report is written.
static void set_context(json_t *report, const json_t *header)
{
	json_t *context = json_object_get(report, "context");
	json_t *ours = json_object_get(header, "context");
	if (!context || !ours)
		return;
	json_object_set(context, "lockscale", ours);
	if (json_object_get(ours, "date"))
		json_object_set(context, "date", json_object_get(ours, "date"));
	if (json_object_get(ours, "host"))
		json_object_set(context, "host_name", json_object_get(ours, "host"));
	if (json_object_get(ours, "pus"))
		json_object_set(context, "num_cpus", json_object_get(ours, "pus"));
}

// Google's JSON report with our fields, and with this header's context; the caller frees it.
static char *report_text(const struct groups *g, const struct shim_point *points, size_t count,
	const json_t *header, bool everything, struct error *e)
{
	char *google = shim_report(points, count, SHIM_JSON, everything);
	json_error_t where;
	/* Without a single point Google prints no report at all; an empty one is right. */
	json_t *report = count == 0 ? json_pack("{s:{}, s:[]}", "context", "benchmarks")
			 : google   ? json_loads(google, 0, &where)
				    : NULL;
	free(google);
	if (!report) {
		error_set(e, EINVAL, "Google Benchmark's report cannot be read back");
		return NULL;
	}
	size_t i;
	json_t *entry;
	json_array_foreach (json_object_get(report, "benchmarks"), i, entry)
		annotate(entry, g);
	set_context(report, header);
	char *text = json_dumps(report, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
	json_decref(report);
	return text;
}

// DIR/latency.jsonl: the journal's latency samples as they are; no file where there are none.
static int write_latencies(const struct journal_content *c, const char *dir, struct error *e)
{
	char path[4200], *text = NULL;
	size_t size = 0, i;
	json_t *line;
	if (json_array_size(c->latencies) == 0)
		return 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return error_set(e, ENOMEM, "no memory for the latency samples");
	json_array_foreach (c->latencies, i, line) {
		json_dumpf(line, out, JSON_COMPACT | JSON_REAL_PRECISION(12));
		fputc('\n', out);
	}
	bool whole = !ferror(out);
	snprintf(path, sizeof path, "%s/latency.jsonl", dir);
	int rc = fclose(out) || !whole ? error_set(e, ENOMEM, "no memory for the latency samples")
				       : write_file_atomically(path, text, size, e);
	free(text);
	return rc;
}

int journal_to_result_file(const char *dir, struct error *e)
{
	struct journal_content c;
	struct groups g;
	char path[4200];
	int rc = journal_read(&c, dir, e);
	if (rc)
		return rc;
	struct shim_point *points = group_all(&g, &c) ? NULL : shim_points(&g);
	char *text = points ? report_text(&g, points, g.count, c.header, true, e) : NULL;
	snprintf(path, sizeof path, "%s/benchmark.json", dir);
	/* The result file comes last: from it one sees that all is up to date. */
	rc = text ? write_latencies(&c, dir, e) : -EINVAL;
	if (!rc)
		rc = write_file_atomically(path, text, strlen(text), e);
	free(text);
	free(points);
	groups_free(&g);
	journal_content_free(&c);
	return rc;
}

/* Flags. */

static int flag_number(
	const char *flag, const char *text, double low, double *value, struct error *e)
{
	char *end;
	*value = strtod(text, &end);
	if (end == text || (*end && strcmp(end, "s") != 0) || !(*value >= low && *value <= 1e6))
		return error_set(e, EINVAL, "%s%s: expected a number from %g up", flag, text, low);
	return 0;
}

static int flag_format(
	const char *flag, const char *text, enum shim_format *format, struct error *e)
{
	if (strcmp(text, "console") == 0)
		*format = SHIM_CONSOLE;
	else if (strcmp(text, "json") == 0)
		*format = SHIM_JSON;
	else if (strcmp(text, "csv") == 0)
		*format = SHIM_CSV;
	else
		return error_set(e, EINVAL, "%s%s: expected console, json or csv", flag, text);
	return 0;
}

static const char *value_of(const char *arg, const char *flag)
{
	size_t size = strlen(flag);
	return strncmp(arg, flag, size) == 0 ? arg + size : NULL;
}

// Flags that are the run's to carry out, not the library's. 1: taken; 0: Google's; or an error.
static int take_own(struct google *g, const char *arg, struct error *e)
{
	const char *v;
	double number;
	int rc = 0;
	if ((v = value_of(arg, "--benchmark_repetitions="))) {
		rc = flag_number("--benchmark_repetitions=", v, 1, &number, e);
		if (!rc && number != floor(number))
			rc = error_set(e, EINVAL, "%s: expected a whole number", arg);
		g->repetitions = rc ? 0 : (unsigned)number;
	} else if ((v = value_of(arg, "--benchmark_min_time="))) {
		rc = flag_number("--benchmark_min_time=", v, 0.001, &g->min_time_s, e);
	} else if ((v = value_of(arg, "--benchmark_out="))) {
		g->out = v;
	} else if ((v = value_of(arg, "--benchmark_out_format="))) {
		rc = flag_format("--benchmark_out_format=", v, &g->out_format, e);
	} else if (!value_of(arg, "--benchmark_enable_random_interleaving")) {
		return 0; /* the order is random in any case */
	}
	return rc ? rc : 1;
}

static int look_at(struct google *g, const char *arg, struct error *e)
{
	const char *v;
	g->filter = g->filter || value_of(arg, "--benchmark_filter=");
	if ((v = value_of(arg, "--benchmark_list_tests")))
		g->list_tests = strcmp(v, "=false") != 0 && strcmp(v, "=0") != 0;
	else if (!value_of(arg, "--benchmark_filter="))
		g->display = true;
	if ((v = value_of(arg, "--benchmark_format=")))
		return flag_format("--benchmark_format=", v, &g->format, e);
	return 0;
}

int google_take_flags(struct google *g, int *argc, char **argv, struct error *e)
{
	char **theirs = calloc((size_t)*argc + 2, sizeof *theirs);
	int ours = 1, count = 1, rc = 0;
	*g = (struct google){.format = SHIM_CONSOLE, .out_format = SHIM_JSON};
	if (!theirs)
		return error_set(e, ENOMEM, "no memory");
	theirs[0] = argv[0];
	for (int i = 1; i < *argc && rc >= 0; i++) {
		if (!value_of(argv[i], "--benchmark_")) {
			argv[ours++] = argv[i];
			continue;
		}
		rc = take_own(g, argv[i], e);
		if (rc == 0)
			rc = look_at(g, argv[i], e);
		else
			continue;
		theirs[count++] = argv[i];
	}
	if (rc >= 0) {
		argv[ours] = NULL;
		*argc = ours;
		shim_initialize(&count, theirs);
		/* Google's own line tells how its library was built. */
		shim_context("lockscale_build", environment_build());
		rc = count > 1 ? error_set(e, EINVAL,
					 "%s: Google Benchmark does not know this flag or value",
					 theirs[1])
			       : 0;
	}
	free(theirs);
	return rc;
}

bool google_wants_output(const struct google *g)
{
	return g->display || g->out;
}

static struct shim_point *named_points(const struct plan *p)
{
	struct shim_point *points = calloc(p->point_count + 1, sizeof *points);
	char name[512];
	for (size_t i = 0; points && i < p->point_count; i++) {
		points[i].name = strdup(point_name(&p->points[i], name, sizeof name));
		points[i].threads = p->points[i].threads;
	}
	return points;
}

static void free_named(struct shim_point *points, size_t count)
{
	for (size_t i = 0; points && i < count; i++)
		free((char *)points[i].name);
	free(points);
}

static bool needed(const struct plan *p, const bool *selected, size_t i)
{
	const struct point *point = &p->points[i];
	if (selected[i] || strcmp(point->kernel, "control") == 0)
		return true;
	if (strcmp(point->strategy, "sequential") != 0)
		return false;
	for (size_t j = 0; j < p->point_count; j++)
		if (selected[j] && strcmp(p->points[j].kernel, point->kernel) == 0)
			return true;
	return false;
}

int google_filter(struct plan *p, struct error *e)
{
	struct shim_point *points = named_points(p);
	bool *selected = calloc(p->point_count + 1, sizeof *selected);
	size_t kept = 0, matching = 0;
	if (points && selected)
		matching = shim_select(points, p->point_count, selected);
	for (size_t i = 0; i < p->point_count && matching; i++)
		if (needed(p, selected, i)) {
			/* behind it only points not looked at yet need `selected` as it was */
			selected[kept] = selected[i];
			p->points[kept++] = p->points[i];
		}
	free_named(points, p->point_count);
	free(selected);
	p->point_count = kept;
	return matching ? 0
			: error_set(e, ENOENT,
				  "--benchmark_filter matches no point; "
				  "--benchmark_list_tests lists them all");
}

void google_list(const struct plan *p)
{
	struct shim_point *points = named_points(p);
	if (points)
		shim_list(points, p->point_count);
	free_named(points, p->point_count);
}

// Of all points measured those that --benchmark_filter selects: the others are there for
// comparison. Returns how many; they come first in points.
static size_t keep_selected(struct shim_point *points, size_t count)
{
	bool *selected = calloc(count + 1, sizeof *selected);
	size_t kept = 0;
	if (selected)
		shim_select(points, count, selected);
	for (size_t i = 0; selected && i < count; i++)
		if (selected[i])
			points[kept++] = points[i];
	free(selected);
	return kept;
}

static char *output_text(const struct groups *g, const struct shim_point *points, size_t count,
	const json_t *header, enum shim_format format, struct error *e)
{
	return format == SHIM_JSON ? report_text(g, points, count, header, false, e)
				   : shim_report(points, count, format, false);
}

static int write_output(const struct google *g, const struct groups *groups,
	const struct shim_point *points, size_t count, const json_t *header, struct error *e)
{
	char *text;
	int rc = 0;
	if (g->display && g->format == SHIM_JSON) {
		text = output_text(groups, points, count, header, SHIM_JSON, e);
		if (!text || puts(text) < 0)
			rc = -EIO;
		free(text);
	} else if (g->display) {
		shim_display(points, count); /* knows about colours and columns */
	}
	if (!rc && g->out) {
		text = output_text(groups, points, count, header, g->out_format, e);
		rc = text ? write_file_atomically(g->out, text, strlen(text), e) : -EIO;
		free(text);
	}
	return rc;
}

int google_output(const struct google *g, const char *dir, struct error *e)
{
	struct journal_content c;
	struct groups groups;
	int rc = journal_read(&c, dir, e);
	if (rc)
		return rc;
	struct shim_point *points = group_all(&groups, &c) ? NULL : shim_points(&groups);
	if (points)
		rc = write_output(
			g, &groups, points, keep_selected(points, groups.count), c.header, e);
	else
		rc = error_set(e, ENOMEM, "no memory for the report");
	free(points);
	groups_free(&groups);
	journal_content_free(&c);
	return rc;
}
