// SPDX-License-Identifier: BSD-2-Clause
// The verdict: a header with the question, a block per kernel, notes, and the answer.
#include "verdict.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "counts_table.h"
#include "indirect.h"
#include "operations_table.h"
#include "waiting.h"

enum { COLUMNS = 100, KERNEL_MAX = 16, VARIANT_MAX = 26, NOTE_MIN = 20 };

// Blocks print in this order.
enum kind { CORRECT, UNKNOWN, RACY, FAILED };

struct line {
	const struct row *row;
	enum kind kind;
	bool aside; // a failed point other than the one the block is about
};

// Text that is wrapped when it is complete.
struct text {
	char buf[2048];
	size_t used;
};

enum { INSTANCES_SHOWN = 4 };
static const double worth_saying = 0.2; // of all tries, that had nothing to do

struct verdict {
	FILE *out;
	const struct result *r;
	const struct table *t;
	double yes_at;
	bool colour;
	const char *placement;
	unsigned threads;   // the worker count the question is about
	const char *cores;  // what to call them: "cores" or "workers"
	struct line *lines; // of all kernels, in the order of printing
	size_t count;
	size_t instances; // settings of kernels ("contention@cs=100") that got no line
	int kernel_width, variant_width, number_width;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->buf + t->used, sizeof t->buf - t->used, format, args);
	va_end(args);
	t->used += (size_t)(n > 0 ? n : 0);
	if (t->used >= sizeof t->buf)
		t->used = sizeof t->buf - 1;
}

// The next clause of a note.
static struct text *also(struct text *t)
{
	if (t->used)
		say(t, "; ");
	return t;
}

// Prints words up to the last column; `column` is where the cursor is, `indent` where further
// lines begin. Words too long for a line are broken.
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
	while (*text) {
		int word = (int)strcspn(text, " ");
		if (column > indent && column + 1 + word > COLUMNS) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		if (word > COLUMNS - column)
			word = COLUMNS - column;
		fprintf(out, "%.*s", word, text);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_paragraph(FILE *out, const char *text)
{
	print_wrapped(out, text, 0, 0);
}

// Three or so digits that say something.
static const char *number(double x, char buf[16])
{
	int decimals = x >= 99.95 ? 0 : x >= 9.995 ? 1 : x >= 0.0995 || x == 0 ? 2 : 3;
	snprintf(buf, 16, "%.*f", decimals, x);
	return buf;
}

static void say_speedup(struct text *t, double speedup)
{
	char buf[16];
	say(t, "%sx", number(speedup, buf));
}

static void say_slower(struct text *t, double speedup)
{
	if (!(speedup > 0))
		say(t, "does no work at all");
	else if (1 / speedup >= 9.95)
		say(t, "%.0fx SLOWER", 1 / speedup);
	else if (1 / speedup >= 1.1)
		say(t, "%.1fx SLOWER", 1 / speedup);
	else
		say(t, "%.0f %% SLOWER", 100 * (1 - speedup));
}

static bool is_sequential(const struct row *row)
{
	return !strcmp(row->point.strategy, "sequential");
}

static bool is_control(const struct row *row)
{
	return !strcmp(row->point.kernel, "control");
}

static bool in_main(const struct verdict *v, const struct row *row)
{
	return !strcmp(row->point.placement, v->placement);
}

static bool is_racy(const struct row *row)
{
	return row->point.threads > 1 && !strcmp(row->point.strategy, "unsynchronized");
}

static bool is_yes(const struct verdict *v, const struct row *row)
{
	return row->gain.lo >= v->yes_at * row->point.threads;
}

// What the verdict is about

static void choose_placement(struct verdict *v)
{
	size_t most = 0;
	v->placement = "";
	for (size_t i = 0; i < v->t->count; i++) {
		const char *placement = v->t->rows[i].point.placement;
		if (!strcmp(placement, v->placement))
			continue;
		size_t count = 0;
		for (size_t j = i; j < v->t->count; j++)
			count += !strcmp(placement, v->t->rows[j].point.placement);
		if (!strcmp(placement, "compact"))
			count = SIZE_MAX;
		if (count > most) {
			most = count;
			v->placement = placement;
		}
		if (count == SIZE_MAX)
			return;
	}
}

static void choose_threads(struct verdict *v)
{
	unsigned below = 0, least_above = 0;
	for (size_t i = 0; i < v->t->count; i++) {
		const struct row *row = &v->t->rows[i];
		unsigned threads = row->point.threads;
		if (!in_main(v, row))
			continue;
		if (threads <= v->r->allowed_cores && threads > below)
			below = threads;
		if (threads > v->r->allowed_cores && (!least_above || threads < least_above))
			least_above = threads;
	}
	v->threads = below ? below : least_above;
	bool siblings = !strcmp(v->placement, "smt") && v->r->pus > v->r->cores;
	v->cores = v->threads > v->r->allowed_cores || siblings ? "workers" : "cores";
}

// Of one variant the row at v->threads, else the nearest below, else above.
static bool closer(const struct verdict *v, const struct row *row, const struct row *than)
{
	unsigned a = row->point.threads, b = than->point.threads;
	if ((a <= v->threads) != (b <= v->threads))
		return a <= v->threads;
	return a <= v->threads ? a > b : a < b;
}

static enum kind kind_of(const struct row *row)
{
	if (row->failed)
		return FAILED;
	if (!isfinite(row->speedup) || !isfinite(row->gain.lo) || !isfinite(row->gain.hi))
		return UNKNOWN;
	return is_racy(row) ? RACY : CORRECT;
}

static int by_merit(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = strcmp(x->row->point.kernel, y->row->point.kernel);
	if (order) // control last: it is the yardstick, not a result
		return is_control(x->row) != is_control(y->row) ? (is_control(x->row) ? 1 : -1)
								: order;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind != FAILED && x->row->speedup != y->row->speedup && isfinite(x->row->speedup))
		return x->row->speedup > y->row->speedup ? -1 : 1;
	return x->aside != y->aside ? x->aside - y->aside
				    : point_compare(&x->row->point, &y->row->point);
}

static bool belongs(const struct verdict *v, const struct row *row)
{
	return in_main(v, row) && !is_sequential(row) &&
	       !(v->threads > 1 && indirect_yardstick(v->t, row));
}

static void choose_lines(struct verdict *v)
{
	const struct row *rows = v->t->rows;
	for (size_t start = 0, end; start < v->t->count; start = end) {
		const struct row *best = NULL;
		for (end = start; end < v->t->count; end++) {
			if (!same_variant(&rows[end].point, &rows[start].point))
				break;
			if (belongs(v, &rows[end]) && (!best || closer(v, &rows[end], best)))
				best = &rows[end];
		}
		if (best)
			v->lines[v->count++] = (struct line){best, kind_of(best), false};
		for (size_t i = start; i < end; i++) {
			if (rows[i].failed && &rows[i] != best)
				v->lines[v->count++] = (struct line){&rows[i], FAILED, true};
		}
	}
	qsort(v->lines, v->count, sizeof *v->lines, by_merit);
}

static bool is_instance(const struct row *row)
{
	return strchr(row->point.kernel, '@') != NULL;
}

static size_t count_instances(const struct verdict *v)
{
	size_t count = 0;
	for (size_t i = 0; i < v->count; i++)
		count += is_instance(v->lines[i].row) &&
			 (!i || strcmp(v->lines[i].row->point.kernel,
					v->lines[i - 1].row->point.kernel));
	return count;
}

// Of a kernel under a setting the best line with a lock, or without where there is none, and what
// failed; of more settings than a person reads only that.
static void shorten_instances(struct verdict *v)
{
	size_t kept = 0, instances = count_instances(v);
	for (size_t i = 0; i < v->count; i++) {
		const struct line *line = &v->lines[i];
		const struct line *last = kept ? &v->lines[kept - 1] : NULL;
		bool begun = last && !strcmp(last->row->point.kernel, line->row->point.kernel);
		if (!is_instance(line->row) || line->kind == FAILED)
			v->lines[kept++] = *line;
		else if (instances > INSTANCES_SHOWN)
			continue;
		else if (!begun)
			v->lines[kept++] = *line;
		else if (!*last->row->point.lock && *line->row->point.lock)
			v->lines[kept - 1] = *line;
	}
	v->count = kept;
	v->instances = instances > INSTANCES_SHOWN ? instances : 0;
}

static const char *variant_of(const struct row *row, char *buf, size_t size)
{
	const struct point *p = &row->point;
	snprintf(buf, size, "%s%s%s", p->strategy, *p->lock ? "/" : "", p->lock);
	return buf;
}

static void widen(int *width, size_t length, int max)
{
	if ((int)length > *width && (int)length <= max)
		*width = (int)length;
}

static void choose_widths(struct verdict *v)
{
	v->kernel_width = 8;
	v->variant_width = 12;
	v->number_width = 4;
	for (size_t i = 0; i < v->count; i++) {
		const struct row *row = v->lines[i].row;
		char buf[2 * NAME_LEN + 2], digits[16];
		widen(&v->kernel_width, strlen(row->point.kernel), KERNEL_MAX);
		widen(&v->variant_width, strlen(variant_of(row, buf, sizeof buf)), VARIANT_MAX);
		if (v->lines[i].kind != CORRECT && v->lines[i].kind != RACY)
			continue;
		const double shown[] = {row->speedup, row->gain.lo, row->gain.hi};
		for (int j = 0; j < 3; j++)
			widen(&v->number_width, strlen(number(shown[j], digits)), 7);
	}
}

// Notes

static void note_cost(const struct verdict *v, const struct row *row, struct text *t)
{
	unsigned cost = table_cost(v->t, row);
	bool slower = row->gain.hi < 1;
	if (!cost) {
		say(also(t), "never beats one thread");
		if (slower) {
			say(t, ": ");
			say_slower(t, row->speedup);
		}
	} else if (cost == 1) {
		say(also(t), "beats sequential with 1 worker already (COST 1)");
	} else if (row->gain.lo > 1) {
		say(also(t), "beats one thread from %u %s (COST %u)", cost, v->cores, cost);
	} else {
		say(also(t), "beat one thread at %u %s (COST %u), ", cost, v->cores, cost);
		if (slower)
			say_slower(t, row->speedup);
		else
			say(t, "no longer does");
		say(t, " here");
	}
}

static void note_lost(const struct row *row, struct text *t)
{
	double percent = 100 * row->lost_share;
	if (row->lost < 0)
		say(also(t), "has %lld updates too many", -(long long)row->lost);
	else if (!row->lost)
		say(also(t), "lost no update this time: it got lucky");
	else if (!isfinite(percent))
		say(also(t), "loses updates: %lld", (long long)row->lost);
	else if (percent >= 0.995)
		say(also(t), "loses %.0f %% of its updates", percent);
	else
		say(also(t), "loses %.2g %% of its updates", percent);
}

static void note_modes(const struct row *row, struct text *t)
{
	unsigned all = 0;
	for (int m = 0; m < row->mode_count; m++)
		all += row->modes[m].samples;
	for (int m = 0; m < row->mode_count; m++) {
		const struct table_mode *mode = &row->modes[m];
		if (m == row->mode || !isfinite(mode->speedup))
			continue;
		say(also(t), "also seen: ");
		say_speedup(t, mode->speedup);
		say(t, " at %.0f ns line transfer, %u of %u samples", mode->line_ns, mode->samples,
			all);
	}
}

static void note_rate(const struct verdict *v, const struct row *row, struct text *t)
{
	static const char *const prefix[] = {"", "k", "M", "G", "T"};
	double rate = row->ops_per_second;
	size_t i = 0;
	for (; rate >= 1000 && i < 4; i++)
		rate /= 1000;
	char buf[16];
	say(also(t), "%s %s%s%s/s, no sequential baseline", number(rate, buf), prefix[i],
		i ? " " : "", result_unit(v->r, row->point.kernel));
}

static void note_where(const struct verdict *v, const struct line *line, struct text *t)
{
	const struct point *p = &line->row->point;
	if (line->kind == FAILED && (line->aside || p->threads != v->threads)) {
		say(also(t), "at %u %s", p->threads, p->threads == 1 ? "worker" : v->cores);
		if (!in_main(v, line->row))
			say(t, ", %s", p->placement);
		say(t, ": ");
	} else if (p->threads != v->threads) {
		say(also(t), "measured at %u %s only", p->threads,
			p->threads == 1 ? "worker" : v->cores);
	}
}

static void note_correct(const struct verdict *v, const struct row *row, struct text *t)
{
	if (is_control(row))
		say(also(t), "nothing shared: the attainable");
	else if (row->point.threads == 1 && row->gain.hi < 1)
		say_slower(also(t), row->speedup);
	else if (row->point.threads > 1 && !is_yes(v, row))
		note_cost(v, row, t);
	if (row->point.threads > 1 && !is_yes(v, row) &&
		row->speedup >= v->yes_at * row->point.threads)
		say(also(t), "too uncertain for a yes");
}

static void note(const struct verdict *v, const struct line *line, struct text *t)
{
	const struct row *row = line->row;
	note_where(v, line, t);
	if (line->kind == FAILED) {
		say(t, "%s", row->why);
		return;
	}
	if (line->kind == CORRECT)
		note_correct(v, row, t);
	else if (line->kind == UNKNOWN)
		note_rate(v, row, t);
	if (is_racy(row))
		note_lost(row, t);
	double failed = operations_failed_share(row);
	if (failed >= worth_saying)
		say(also(t), "%.0f %% of the tries had nothing to do", 100 * failed);
	note_modes(row, t);
	const struct table_mode *mode = &row->modes[row->mode];
	if (2 * mode->disturbed > mode->samples)
		say(also(t), "%u of %u samples disturbed", mode->disturbed, mode->samples);
}

// Blocks

static const char *word_of(const struct verdict *v, const struct line *line)
{
	switch (line->kind) {
	case FAILED:
		return "FAILED";
	case RACY:
		return "WRONG";
	case CORRECT:
		return line->row->point.threads == 1 ? "-" : is_yes(v, line->row) ? "yes" : "no";
	default:
		return "-";
	}
}

static const char *colour_of(const struct verdict *v, const char *word)
{
	if (!v->colour)
		return "";
	if (!strcmp(word, "yes"))
		return "\033[32m";
	return strcmp(word, "no") && strcmp(word, "-") ? "\033[1;31m" : "";
}

// A name in its column; one that is too long takes a line of its own.
static void print_name(FILE *out, const char *name, int width, int indent)
{
	int room = COLUMNS - indent;
	if ((int)strlen(name) <= width)
		fprintf(out, "%-*s  ", width, name);
	else if ((int)strlen(name) <= room)
		fprintf(out, "%s\n%*s", name, indent + width + 2, "");
	else
		fprintf(out, "%.*s...\n%*s", room - 3, name, indent + width + 2, "");
}

static void print_numbers(const struct verdict *v, const struct line *line)
{
	int w = v->number_width;
	if (line->kind != CORRECT && line->kind != RACY) {
		fprintf(v->out, "%*s", 3 * w + 6, "");
		return;
	}
	char a[16], b[16], c[16];
	const struct row *row = line->row;
	fprintf(v->out, "%*sx [%*s, %*s]", w, number(row->speedup, a), w, number(row->gain.lo, b),
		w, number(row->gain.hi, c));
}

static void print_line(const struct verdict *v, const struct line *line, bool first)
{
	char variant[2 * NAME_LEN + 2];
	variant_of(line->row, variant, sizeof variant);
	print_name(v->out, first ? line->row->point.kernel : "", v->kernel_width, 0);
	print_name(v->out, variant, v->variant_width, v->kernel_width + 2);
	print_numbers(v, line);
	const char *word = word_of(v, line), *colour = colour_of(v, word);
	struct text t = {0};
	note(v, line, &t);
	int column = v->kernel_width + v->variant_width + 3 * v->number_width + 12;
	fprintf(v->out, "  %s%s%s", colour, word, *colour ? "\033[0m" : "");
	column += (int)strlen(word);
	if (!t.used) {
		fputc('\n', v->out);
		return;
	}
	int indent = v->kernel_width + v->variant_width + 3 * v->number_width + 20;
	fprintf(v->out, "%*s", indent - column, "");
	print_wrapped(v->out, t.buf, indent, indent);
}

// Below a kernel's lines: what it counted, which explains them.
static void print_counts(const struct verdict *v, size_t first, size_t end)
{
	bool any = false;
	for (size_t i = first; i < end; i++) {
		const struct row *row = v->lines[i].row;
		char variant[2 * NAME_LEN + 2], text[1024];
		variant_of(row, variant, sizeof variant);
		counts_sentence(
			row, variant, result_unit(v->r, row->point.kernel), text, sizeof text);
		if (v->lines[i].kind == FAILED || !*text)
			continue;
		if (!any)
			fputc('\n', v->out);
		any = true;
		fputs("  ", v->out);
		print_wrapped(v->out, text, 2, 2);
	}
}

static void print_blocks(const struct verdict *v)
{
	size_t begin = 0;
	for (size_t i = 0; i < v->count; i++) {
		const char *kernel = v->lines[i].row->point.kernel;
		bool first = !i || strcmp(kernel, v->lines[i - 1].row->point.kernel);
		if (first)
			fputc('\n', v->out);
		begin = first ? i : begin;
		print_line(v, &v->lines[i], first);
		if (i + 1 == v->count || strcmp(kernel, v->lines[i + 1].row->point.kernel))
			print_counts(v, begin, i + 1);
	}
}

// Around the blocks

static void print_header(const struct verdict *v)
{
	struct text question = {0}, where = {0};
	if (v->threads > 1)
		say(&question, "Does it run %ux faster %s %u %s?", v->threads,
			strcmp(v->cores, "cores") ? "with" : "on", v->threads, v->cores);
	else
		say(&question, "Does it run faster on more cores? One worker cannot tell.");
	if (v->threads < v->r->allowed_cores)
		say(&where, "%u of ", v->threads);
	say(&where, "%u core%s, %s; sequential = 1.00x", v->r->allowed_cores,
		v->r->allowed_cores == 1 ? "" : "s", v->placement);
	int room = COLUMNS - (int)question.used - (int)where.used - 6;
	int cpu = (int)strlen(v->r->cpu);
	fprintf(v->out, "%s%s%s    ", v->colour ? "\033[1m" : "", question.buf,
		v->colour ? "\033[0m" : "");
	if (room < 8)
		fprintf(v->out, "\n%.*s%s", COLUMNS - (int)where.used - 2, v->r->cpu,
			cpu ? ", " : "");
	else if (cpu > room)
		fprintf(v->out, "%.*s..., ", room - 3, v->r->cpu);
	else if (cpu)
		fprintf(v->out, "%s, ", v->r->cpu);
	fprintf(v->out, "%s\n", where.buf);
	const struct row *control = table_attainable(v->t, v->placement, v->threads);
	if (!control || v->threads < 2)
		return;
	char buf[16];
	fprintf(v->out, "attainable here: %sx (control, nothing shared)\n",
		number(control->speedup, buf));
}

struct counts {
	unsigned shown, disturbed, samples, mostly_disturbed, few, failed;
};

static struct counts count_lines(const struct verdict *v)
{
	struct counts n = {0};
	for (size_t i = 0; i < v->count; i++) {
		const struct row *row = v->lines[i].row;
		n.failed += v->lines[i].kind == FAILED;
		if (v->lines[i].kind == FAILED)
			continue;
		const struct table_mode *m = &row->modes[row->mode];
		n.shown++;
		n.samples += m->samples;
		n.disturbed += m->disturbed;
		n.mostly_disturbed += 2 * m->disturbed > m->samples;
		n.few += row->ops.coverage < 0.95;
	}
	return n;
}

// What else the directory holds, which the blocks do not show.
static void note_rest(const struct verdict *v, struct text *t)
{
	const char *seen[16];
	size_t count = 0;
	for (size_t i = 0; i < v->t->count && count < 16; i++) {
		const char *placement = v->t->rows[i].point.placement;
		bool known = !strcmp(placement, v->placement);
		for (size_t j = 0; j < count && !known; j++)
			known = !strcmp(placement, seen[j]);
		if (known)
			continue;
		say(t, "%s%s", count ? ", " : " Also measured, see speedup.tsv: placement ",
			placement);
		seen[count++] = placement;
	}
	if (count)
		say(t, ".");
}

static void note_indirect(const struct verdict *v, struct text *t)
{
	double ns;
	struct interval i;
	if (indirect_cost(v->t, &ns, &i))
		say(t,
			" indirect call: %.2f ns per acquire and release [%.2f, %.2f] (%s through "
			"pointers against inlined).",
			ns, i.lo, i.hi, INLINED_LOCK);
}

static void print_notes(const struct verdict *v)
{
	struct counts n = count_lines(v);
	struct text t = {0};
	if (v->threads > 1)
		say(&t,
			"yes: the lower end of the 95 %% interval reaches %.2f x %s used "
			"(--yes-at). "
			"COST: fewest %s that beat one thread.",
			v->yes_at, v->cores, v->cores);
	if (n.few)
		say(&t,
			" %u of %u lines rest on fewer than 6 samples: their intervals are too "
			"narrow.",
			n.few, n.shown);
	if (n.disturbed)
		say(&t,
			" %u of %u samples were disturbed by other work; %u line%s mostly such "
			"ones.",
			n.disturbed, n.samples, n.mostly_disturbed,
			n.mostly_disturbed == 1 ? " rests on" : "s rest on");
	note_indirect(v, &t);
	note_rest(v, &t);
	if (v->instances)
		say(&t, " Not shown: contention under %zu settings, see contention.tsv.",
			v->instances);
	if (t.used) {
		fputc('\n', v->out);
		print_paragraph(v->out, t.buf);
	}
}

// The answer

struct answer {
	unsigned kernels, yes, failed;
	bool unsure;             // some interval reaches below, though its speedup does not
	const struct row *best;  // among those that do not reach it, of any kernel
	const struct row *worst; // slower than one thread for certain
};

static bool counts_for_answer(const struct verdict *v, const struct line *line)
{
	return !is_control(line->row) && line->row->point.threads == v->threads;
}

// Whether this line is its kernel's best: lines come sorted.
static bool leads(const struct verdict *v, size_t i)
{
	const char *kernel = v->lines[i].row->point.kernel;
	for (size_t j = i; j--;) {
		if (strcmp(kernel, v->lines[j].row->point.kernel))
			return true;
		if (counts_for_answer(v, &v->lines[j]))
			return false;
	}
	return true;
}

static struct answer find_answer(const struct verdict *v)
{
	struct answer a = {0};
	for (size_t i = 0; i < v->count; i++) {
		const struct row *row = v->lines[i].row;
		a.failed += v->lines[i].kind == FAILED;
		if (!counts_for_answer(v, &v->lines[i]))
			continue;
		bool correct = v->lines[i].kind == CORRECT, lead = leads(v, i);
		a.kernels += lead;
		if (!correct)
			continue;
		if (row->gain.hi < 1 && (!a.worst || row->speedup < a.worst->speedup))
			a.worst = row;
		a.unsure |= row->speedup >= v->yes_at * v->threads && !is_yes(v, row);
		if (lead && is_yes(v, row))
			a.yes++;
		else if (lead && (!a.best || row->speedup > a.best->speedup))
			a.best = row;
	}
	return a;
}

static void say_yes_list(const struct verdict *v, struct text *t)
{
	unsigned named = 0, all = 0;
	for (size_t i = 0; i < v->count; i++) {
		const struct line *line = &v->lines[i];
		bool yes = counts_for_answer(v, line) && line->kind == CORRECT && leads(v, i) &&
			   is_yes(v, line->row);
		all += yes;
		if (!yes || named == 6)
			continue;
		char name[3 * NAME_LEN];
		say(t, "%s%s", named++ ? ", " : "",
			variant_name(&line->row->point, name, sizeof name));
	}
	if (all > named)
		say(t, " and %u more", all - named);
}

static void say_best(const struct verdict *v, const struct answer *a, struct text *t)
{
	char name[3 * NAME_LEN];
	if (!a->yes && a->best && a->best->gain.hi < 1) {
		say(t, "; even the best, %s, is ",
			variant_name(&a->best->point, name, sizeof name));
		say_slower(t, a->best->speedup);
		say(t, " than one thread");
		return;
	}
	if (a->best) {
		say(t, "%s%s reaches ", a->yes ? "; of the others " : "; at best ",
			variant_name(&a->best->point, name, sizeof name));
		say_speedup(t, a->best->speedup);
		if (a->best->speedup >= v->yes_at * v->threads)
			say(t, ", but not for certain");
	}
	const struct row *control = table_attainable(v->t, v->placement, v->threads);
	if (!a->yes && control && control->speedup < v->yes_at * v->threads) {
		say(t, ", and even control, which shares nothing, ");
		say_speedup(t, control->speedup);
	}
	if (a->worst && a->worst != a->best) {
		say(t, "; %s is ", variant_name(&a->worst->point, name, sizeof name));
		say_slower(t, a->worst->speedup);
		say(t, " than one thread");
	}
}

static void print_answer(const struct verdict *v)
{
	struct answer a = find_answer(v);
	struct text t = {0};
	char at[16];
	number(v->yes_at * v->threads, at);
	if (v->threads < 2) {
		say(&t,
			"Cannot be answered: nothing was measured with more than one worker; "
			"%s.",
			v->r->allowed_cores > 1 ? "measure with more (--threads)"
						: "allow more cores (taskset, cpuset, container)");
	} else if (!a.kernels && v->instances) {
		say(&t, "It depends on the setting: see contention.tsv and crossover.tsv.");
	} else if (!a.kernels) {
		say(&t, "Cannot be answered: no kernel but the control was measured on %u %s.",
			v->threads, v->cores);
	} else {
		if (a.yes == a.kernels && a.kernels == 1)
			say(&t, "Yes: it reaches %sx on %u %s with ", at, v->threads, v->cores);
		else if (a.yes == a.kernels)
			say(&t, "Yes: all %u kernels reach %sx on %u %s with ", a.kernels, at,
				v->threads, v->cores);
		else if (a.yes)
			say(&t, "Only %u of %u kernels %s %sx on %u %s: ", a.yes, a.kernels,
				a.yes == 1 ? "reaches" : "reach", at, v->threads, v->cores);
		else
			say(&t, "No: nothing %s %sx on %u %s",
				a.unsure ? "is sure to reach" : "reaches", at, v->threads,
				v->cores);
		say_yes_list(v, &t);
		say_best(v, &a, &t);
		say(&t, ".");
	}
	if (a.failed)
		say(&t, " %u %s FAILED: do not trust this build before that is understood.",
			a.failed, a.failed == 1 ? "point" : "points");
	fputc('\n', v->out);
	print_paragraph(v->out, t.buf);
}

int verdict_print(
	FILE *out, const struct result *r, const struct table *t, double yes_at, bool colour)
{
	struct verdict v = {.out = out, .r = r, .t = t, .yes_at = yes_at, .colour = colour};
	int rc = 0;
	v.lines = calloc(t->count + 1, sizeof *v.lines);
	if (!v.lines)
		return -ENOMEM;
	if (t->count) {
		choose_placement(&v);
		choose_threads(&v);
		choose_lines(&v);
		shorten_instances(&v);
		choose_widths(&v);
		print_header(&v);
		print_blocks(&v);
		print_notes(&v);
		rc = waiting_print_latency(out, t, r, v.placement);
		print_answer(&v);
	} else {
		fputs("Nothing was measured.\n", out);
	}
	free(v.lines);
	return rc ? rc : ferror(out) ? -EIO : 0;
}
