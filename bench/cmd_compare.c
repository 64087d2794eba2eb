// SPDX-License-Identifier: BSD-2-Clause
// lockscale compare: two results, point by point and mode by mode, like with like.
#include <argp.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "result.h"
#include "stats.h"
#include "table.h"

int cmd_compare(int argc, char **argv);

static const double level = 0.95; // of all intervals together

enum { ENOUGH = 3 }; // samples that a second pair of modes must have on both sides
enum { NEW_SIDE = 1 };

struct options {
	double threshold; // share of the old throughput that may be lost
	bool json;
	char *path[2]; // OLD, NEW; borrowed from argv
};

static const struct argp_option argp_options[] = {
	{"threshold", 't', "PCT", 0, "Ignore changes up to PCT percent (5)", 0},
	{"json", 'j', NULL, 0, "Write JSON", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;
	switch (key) {
	case 't':
		o->threshold = strtod(arg, &end) / 100;
		end += *end == '%';
		if (end == arg || *end || !(o->threshold >= 0 && o->threshold < 1))
			argp_error(state, "--threshold %s: expected a percentage, 0 to below 100",
				arg);
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num >= 2)
			argp_error(state, "%s: expected two results, OLD and NEW", arg);
		o->path[state->arg_num] = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "expected two results, OLD and NEW: result directories "
					  "or benchmark.json files");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

// Pairs

enum outcome { SAME, SLIGHTLY_SLOWER, SLIGHTLY_FASTER, FASTER, SLOWER };

static const char *const outcome_words[] = {
	"-", "slower, within threshold", "faster, within threshold", "faster", "SLOWER"};

// A mode of a point in OLD and the mode of NEW that it is compared with.
struct match {
	const struct row *row[2];
	int mode[2];
	enum outcome outcome;
};

struct compare {
	const struct options *options;
	struct table table[2];
	struct match *matches; // those of a point are neighbours
	struct stats_pair *pairs;
	size_t count;
	unsigned points, slower, faster, failed, assumed;
	const struct match *worst;
};

static const struct table_mode *mode_of(const struct match *m, int side)
{
	return &m->row[side]->modes[m->mode[side]];
}

// How far apart in log2; infinite where they cannot be the same mode.
static double distance(const struct table_mode *a, const struct table_mode *b)
{
	if (a->line_ns <= 0 || b->line_ns <= 0)
		return a->line_ns <= 0 && b->line_ns <= 0 ? 0 : INFINITY;
	double apart = fabs(log2(a->line_ns / b->line_ns));
	return apart <= STATS_MODE_GAP ? apart : INFINITY;
}

// The mode of `in` that is nearest to `to`; -1 if it has no counterpart.
static int nearest_mode(const struct table_mode *to, const struct row *in)
{
	int nearest = -1;
	double least = INFINITY;
	for (int m = 0; m < in->mode_count; m++) {
		double apart = distance(to, &in->modes[m]);
		if (apart < least) {
			least = apart;
			nearest = m;
		}
	}
	return nearest;
}

static size_t evidence(const struct match *m)
{
	size_t a = mode_of(m, 0)->used.count, b = mode_of(m, NEW_SIDE)->used.count;
	return a < b ? a : b;
}

// All pairs of modes with enough samples, and the best pair in any case.
static void match_point(struct compare *c, const struct row *old, const struct row *new)
{
	size_t first = c->count;
	struct match best = {0};
	for (int m = 0; m < old->mode_count; m++) {
		struct match match = {{old, new}, {m, nearest_mode(&old->modes[m], new)}, SAME};
		if (match.mode[1] < 0)
			continue;
		if (!best.row[0] || evidence(&match) > evidence(&best))
			best = match;
		if (evidence(&match) >= ENOUGH)
			c->matches[c->count++] = match;
	}
	if (c->count == first && best.row[0])
		c->matches[c->count++] = best;
	c->points += c->count > first;
}

static bool comparable(const struct row *row)
{
	return row->has_samples && !row->failed;
}

static void match_all(struct compare *c)
{
	for (size_t i = 0; i < c->table[0].count; i++) {
		const struct row *old = &c->table[0].rows[i];
		const struct row *new = table_find(&c->table[1], &old->point);
		if (!new)
			continue;
		if (comparable(old) && comparable(new))
			match_point(c, old, new);
		c->failed += new->failed && !old->failed;
	}
}

static void judge(struct compare *c, size_t i)
{
	const struct stats_pair *p = &c->pairs[i];
	double threshold = c->options->threshold;
	enum outcome outcome = SAME;
	if (p->interval.hi < 1)
		outcome = p->ratio < 1 - threshold ? SLOWER : SLIGHTLY_SLOWER;
	else if (p->interval.lo > 1)
		outcome = p->ratio > 1 + threshold ? FASTER : SLIGHTLY_FASTER;
	c->matches[i].outcome = outcome;
	c->assumed += p->assumed;
	if (outcome == SLOWER && (!c->worst || p->ratio < c->pairs[c->worst - c->matches].ratio))
		c->worst = &c->matches[i];
}

// The matches of one point: from i up to what is returned; *outcome is the gravest.
static size_t end_of_point(const struct compare *c, size_t i, enum outcome *outcome)
{
	size_t end = i;
	*outcome = SAME;
	for (; end < c->count && c->matches[end].row[0] == c->matches[i].row[0]; end++) {
		if (c->matches[end].outcome > *outcome)
			*outcome = c->matches[end].outcome;
	}
	return end;
}

static int judge_all(struct compare *c)
{
	for (size_t i = 0; i < c->count; i++) {
		c->pairs[i].before = mode_of(&c->matches[i], 0)->used;
		c->pairs[i].after = mode_of(&c->matches[i], NEW_SIDE)->used;
	}
	int rc = stats_compare(c->pairs, c->count, level);
	for (size_t i = 0; i < c->count && !rc; i++)
		judge(c, i);
	enum outcome outcome;
	for (size_t i = 0; i < c->count; i = end_of_point(c, i, &outcome)) {
		end_of_point(c, i, &outcome);
		c->slower += outcome == SLOWER;
		c->faster += outcome == FASTER;
	}
	return rc;
}

static size_t count_modes(const struct table *t)
{
	size_t modes = 0;
	for (size_t i = 0; i < t->count; i++)
		modes += (size_t)t->rows[i].mode_count;
	return modes;
}

static int compare_init(struct compare *c, const struct options *o, struct error *e)
{
	*c = (struct compare){.options = o};
	for (int side = 0; side < 2; side++) {
		struct result r;
		int rc = result_load(&r, o->path[side], e);
		if (rc)
			return rc;
		rc = table_points(&c->table[side], &r, e);
		result_free(&r);
		if (rc)
			return rc;
	}
	size_t most = count_modes(&c->table[0]) + 1;
	c->matches = calloc(most, sizeof *c->matches);
	c->pairs = calloc(most, sizeof *c->pairs);
	int rc = c->matches && c->pairs ? 0 : -ENOMEM;
	if (!rc) {
		match_all(c);
		rc = judge_all(c);
	}
	return rc ? error_set(e, -rc, "comparing: %s", strerror(-rc)) : 0;
}

static void compare_fini(struct compare *c)
{
	table_fini(&c->table[0]);
	table_fini(&c->table[1]);
	free(c->matches);
	free(c->pairs);
}

// The table

static const char *rate(double x, char buf[16])
{
	static const char prefix[] = " kMGT";
	size_t i = 0;
	for (; x >= 999.5 && i < 4; i++)
		x /= 1000;
	snprintf(buf, 16, "%.*f %c/s", x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2, x, prefix[i]);
	return buf;
}

static const char *line_text(double line_ns, char buf[16])
{
	if (line_ns > 0)
		snprintf(buf, 16, "%.0f ns", line_ns);
	else
		strcpy(buf, "-");
	return buf;
}

// Ratios beyond reason (one side 0) are shown as such and do not widen the column.
static const char *ratio(double x, char buf[16])
{
	if (x > 999)
		strcpy(buf, ">999");
	else
		snprintf(buf, 16, "%.*f", x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2, x);
	return buf;
}

static void widths(const struct compare *c, int *variant, int *placement)
{
	char name[4 * NAME_LEN];
	*variant = 12;
	*placement = 9;
	for (size_t i = 0; i < c->count; i++) {
		const struct point *p = &c->matches[i].row[0]->point;
		int n = (int)strlen(variant_name(p, name, sizeof name));
		*variant = n > *variant ? n : *variant;
		n = (int)strlen(p->placement);
		*placement = n > *placement ? n : *placement;
	}
}

static void print_match(const struct compare *c, size_t i, int variant, int placement)
{
	const struct match *m = &c->matches[i];
	const struct point *p = &m->row[0]->point;
	const struct stats_pair *pair = &c->pairs[i];
	char name[4 * NAME_LEN], line[16], old[16], new[16], at[16], lo[16], hi[16];
	printf("%-*s  %-*s  %7u  %7s  %10s  %10s  %5sx [%4s, %4s]  %s\n", variant,
		variant_name(p, name, sizeof name), placement, p->placement, p->threads,
		line_text(mode_of(m, 0)->line_ns, line), rate(mode_of(m, 0)->ops_per_second, old),
		rate(mode_of(m, 1)->ops_per_second, new), ratio(pair->ratio, at),
		ratio(pair->interval.lo, lo), ratio(pair->interval.hi, hi),
		outcome_words[m->outcome]);
}

static void print_matches(const struct compare *c)
{
	int variant, placement;
	if (!c->count)
		return;
	widths(c, &variant, &placement);
	printf("%-*s  %-*s  workers     line  %10s  %10s  NEW / OLD\n", variant, "variant",
		placement, "placement", "OLD", "NEW");
	for (size_t i = 0; i < c->count; i++)
		print_match(c, i, variant, placement);
	putchar('\n');
}

// What has no counterpart

static unsigned print_only(const struct compare *c, int side)
{
	unsigned count = 0;
	for (size_t i = 0; i < c->table[side].count; i++) {
		const struct point *p = &c->table[side].rows[i].point;
		char name[5 * NAME_LEN];
		if (table_find(&c->table[!side], p))
			continue;
		printf("only in %s: %s\n", side ? "NEW" : "OLD", point_name(p, name, sizeof name));
		count++;
	}
	return count;
}

static void print_lonely_modes(const struct row *row, const struct row *other, const char *where)
{
	char name[5 * NAME_LEN];
	for (int m = 0; m < row->mode_count; m++) {
		const struct table_mode *mode = &row->modes[m];
		if (nearest_mode(mode, other) >= 0)
			continue;
		printf("only in %s: %s at ", where, point_name(&row->point, name, sizeof name));
		if (mode->line_ns > 0)
			printf("%.0f ns line transfer (%u samples)\n", mode->line_ns,
				mode->samples);
		else
			printf("an unknown line transfer (%u samples)\n", mode->samples);
	}
}

static void print_unlike(const struct compare *c)
{
	char name[5 * NAME_LEN];
	for (size_t i = 0; i < c->table[0].count; i++) {
		const struct row *old = &c->table[0].rows[i];
		const struct row *new = table_find(&c->table[1], &old->point);
		if (!new)
			continue;
		point_name(&old->point, name, sizeof name);
		if (new->failed)
			printf("FAILED in %s: %s: %s\n", old->failed ? "both" : "NEW", name,
				new->why);
		else if (old->failed)
			printf("FAILED in OLD only: %s: %s\n", name, old->why);
		if (!comparable(old) || !comparable(new))
			continue;
		print_lonely_modes(old, new, "OLD");
		print_lonely_modes(new, old, "NEW");
	}
}

// The smallest loss that would show where the variation between processes is assumed.
static double least_visible(const struct compare *c)
{
	double least = 1;
	for (size_t i = 0; i < c->count; i++) {
		const struct stats_pair *p = &c->pairs[i];
		if (p->assumed && p->ratio > 0)
			least = fmin(least, 1 - p->ratio / p->interval.hi);
	}
	return least;
}

// Why intervals may be wide.
static void print_disturbed(const struct compare *c)
{
	unsigned disturbed = 0, samples = 0;
	for (size_t i = 0; i < 2 * c->count; i++) {
		disturbed += mode_of(&c->matches[i / 2], i % 2)->disturbed;
		samples += mode_of(&c->matches[i / 2], i % 2)->samples;
	}
	if (disturbed)
		printf("%u of %u samples were disturbed by other work\n", disturbed, samples);
}

static void print_method(const struct compare *c)
{
	if (c->count)
		printf("intervals: 95 %% for all %zu comparisons together (Bonferroni); \"-\": no "
		       "difference that these samples can show\n",
			c->count);
	print_disturbed(c);
	if (c->assumed)
		printf("%u of %zu comparisons have one process a side, whose run-to-run variation "
		       "cannot be seen: what is lost shows from about %.0f %% on; measure with 3 "
		       "processes\n",
			c->assumed, c->count, 100 * least_visible(c));
}

static void print_summary(const struct compare *c)
{
	printf("%u of %u points slower, %u faster", c->slower, c->points, c->faster);
	if (c->failed)
		printf(", %u newly FAILED", c->failed);
	if (c->worst) {
		const struct stats_pair *p = &c->pairs[c->worst - c->matches];
		char name[5 * NAME_LEN], at[16], lo[16], hi[16];
		printf("; worst: %s %sx [%s, %s]",
			point_name(&c->worst->row[0]->point, name, sizeof name),
			ratio(p->ratio, at), ratio(p->interval.lo, lo), ratio(p->interval.hi, hi));
	}
	putchar('\n');
}

static void print_text(const struct compare *c)
{
	print_matches(c);
	unsigned only_old = print_only(c, 0), only_new = print_only(c, NEW_SIDE);
	print_unlike(c);
	print_method(c);
	if (only_old || only_new)
		printf("%u points only in OLD, %u only in NEW\n", only_old, only_new);
	print_summary(c);
}

// JSON

static json_t *number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static json_t *json_point(const struct point *p)
{
	return json_pack("{ss ss ss ss si}", "kernel", p->kernel, "strategy", p->strategy, "lock",
		p->lock, "placement", p->placement, "threads", (int)p->threads);
}

static json_t *json_match(const struct compare *c, size_t i)
{
	static const char *const words[] = {
		"same", "slower-within-threshold", "faster-within-threshold", "faster", "slower"};
	const struct match *m = &c->matches[i];
	const struct stats_pair *p = &c->pairs[i];
	json_t *o = json_point(&m->row[0]->point);
	json_object_set_new(o, "line_ns_old", number(mode_of(m, 0)->line_ns));
	json_object_set_new(o, "line_ns_new", number(mode_of(m, 1)->line_ns));
	json_object_set_new(o, "old", number(mode_of(m, 0)->ops_per_second));
	json_object_set_new(o, "new", number(mode_of(m, 1)->ops_per_second));
	json_object_set_new(o, "ratio", number(p->ratio));
	json_object_set_new(o, "lo", number(p->interval.lo));
	json_object_set_new(o, "hi", number(p->interval.hi));
	json_object_set_new(o, "outcome", json_string(words[m->outcome]));
	return o;
}

static json_t *json_only(const struct compare *c, int side)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->table[side].count; i++) {
		const struct point *p = &c->table[side].rows[i].point;
		if (!table_find(&c->table[!side], p))
			json_array_append_new(list, json_point(p));
	}
	return list;
}

static json_t *json_failed(const struct compare *c)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->table[0].count; i++) {
		const struct row *old = &c->table[0].rows[i];
		const struct row *new = table_find(&c->table[1], &old->point);
		if (!new || !new->failed || old->failed)
			continue;
		json_t *o = json_point(&new->point);
		json_object_set_new(o, "why", json_string(new->why));
		json_array_append_new(list, o);
	}
	return list;
}

static int print_json(const struct compare *c)
{
	json_t *points = json_array();
	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(points, json_match(c, i));
	json_t *root = json_pack("{sf sf so so so so s{si si si si}}", "threshold",
		c->options->threshold, "level", level, "comparisons", points, "only_old",
		json_only(c, 0), "only_new", json_only(c, NEW_SIDE), "newly_failed", json_failed(c),
		"summary", "points", (int)c->points, "slower", (int)c->slower, "faster",
		(int)c->faster, "newly_failed", (int)c->failed);
	int rc = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;
	putchar('\n');
	json_decref(root);
	return rc;
}

// The command

static int print_all(const struct compare *c)
{
	int rc = 0;
	if (c->options->json)
		rc = print_json(c);
	else
		print_text(c);
	if (rc || fflush(stdout) || ferror(stdout)) {
		fputs("lockscale compare: standard output cannot be written\n", stderr);
		return 2;
	}
	return c->slower || c->failed ? 1 : 0;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse,
		.args_doc = "OLD NEW",
		.doc = "Compare two results (directories or benchmark.json files), point by "
		       "point.\v"
		       "Exit status: 1 where a point is significantly slower by more than the "
		       "threshold or fails now, 0 where none is, 2 where they cannot be compared.",
	};
	struct options options = {.threshold = 0.05};
	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return 2;
	struct compare c;
	struct error e;
	int rc = compare_init(&c, &options, &e);
	if (rc) {
		fprintf(stderr, "lockscale compare: %s\n", e.text);
		rc = 2;
	} else if (!c.points && !c.failed) {
		fprintf(stderr, "lockscale compare: %s and %s have no measured point in common\n",
			options.path[0], options.path[1]);
		rc = 2;
	} else {
		rc = print_all(&c);
	}
	compare_fini(&c);
	return rc;
}
