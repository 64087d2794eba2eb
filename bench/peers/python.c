// SPDX-License-Identifier: BSD-2-Clause
// The miniature interpreter's figures against their targets, beside real interpreters where they
// are installed: everything measured in turn, round by round, so that what disturbs one disturbs
// the other.
#include <glob.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog.h"
#include "interpreter/interpreter.h"
#include "peers.h"

enum {
	PYTHON_ROUNDS = 9,
	PARAMS_MOST = 32,
	CROWD = 8,            // workers on two PUs
	SHORT_WORK = 3000000, // iterations: where a switch costs little time
	LONG_WORK = 10000000, // where what happens every 5 ms must happen often
	RACES = 10,
	RACE_WORK = 3000000,
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Ours: points of a kernel, measured in this process. */

struct setting {
	const char *name, *value;
};

// A point that is measured once a round.
struct subject {
	const char *kernel, *strategy;
	unsigned workers, pus; // that many workers on so many PUs
	struct setting set[4];
	/* Made ready once. */
	const struct kernel *k;
	const struct variant *variant;
	struct input input;
	const char *values[PARAMS_MOST];
	struct team *team;
	/* Measured. */
	double rate[PYTHON_ROUNDS];
	double count[PYTHON_ROUNDS]; // the kernel's first count per operation; of a server p50_ns
	size_t rounds;
};

static void give_up(const char *what)
{
	fprintf(stderr, "bench-peers: %s\n", what);
	exit(1);
}

static void make_ready(struct bench *b, struct subject *s)
{
	struct error e;
	s->k = catalog_kernel(s->kernel);
	s->variant = s->k ? catalog_variant(s->k, s->strategy, "") : NULL;
	if (!s->variant || (s->variant->available && !s->variant->available()))
		return;
	for (size_t i = 0; s->k->params[i].name; i++) {
		s->values[i] = s->k->params[i].value;
		for (size_t j = 0; j < COUNT(s->set) && s->set[j].name; j++)
			if (strcmp(s->set[j].name, s->k->params[i].name) == 0)
				s->values[i] = s->set[j].value;
	}
	s->input = (struct input){.params = s->k->params, .values = s->values};
	if (s->k->prepare(&s->input))
		give_up(s->input.error);
	if (team_create(&s->team, &b->machine, b->order, s->pus, s->workers, true, &e))
		give_up(e.text);
}

static void put_away(struct subject *s)
{
	if (!s->team)
		return;
	team_destroy(s->team);
	s->k->unprepare(&s->input);
}

// The kernel's first total per operation, or the level named p50_ns.
static double explaining_count(const struct subject *s, const struct observation *o)
{
	const struct count *c = s->k->counts;
	double operations = o->operations_per_second * o->seconds;
	for (size_t i = 0; c && c[i].name; i++)
		if (c[i].level && !strcmp(c[i].name, "p50_ns"))
			return o->kernel_counts[i];
	return c && !c[0].level ? o->kernel_counts[0] / operations : NAN;
}

static void measure(struct subject *s, struct probe *probe)
{
	struct worker_record record[CROWD];
	struct observation o = {.worker = record};
	bool server = s->k && s->k->kind == KERNEL_THROUGHPUT;
	/* A makespan warms up once; a server is measured for as long as 200 intervals. */
	struct trial_settings settings = {server ? 1000000000 : 1, 1, 0};
	struct error e;
	struct trial t = {.settings = &settings,
		.kernel = s->k,
		.variant = s->variant,
		.input = &s->input,
		.workers = s->workers,
		.team = s->team,
		.probe = probe};
	if (!s->team)
		return;
	if (trial_run(&t, &o, &e) < 0)
		give_up(e.text);
	if (o.lost_updates)
		give_up("an interpreter's result is wrong");
	s->rate[s->rounds] = o.operations_per_second;
	s->count[s->rounds++] = explaining_count(s, &o);
}

/* Real interpreters. */

// Counts down n, all at once and then split over k threads, each pinned as workers are; tells the
// speedup and the time of one iteration alone, in ns.
static const char countdown_program[] =
	"import sys, time, threading, ctypes\n"
	"n, k, interval = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])\n"
	"pus = [int(x) for x in sys.argv[4].split(',')]\n"
	"if interval and hasattr(sys, 'setcheckinterval') and sys.version_info[0] == 2:\n"
	"    sys.setcheckinterval(interval)\n"
	"clock = getattr(time, 'perf_counter', time.time)\n"
	"libc = ctypes.CDLL(None)\n"
	"def pin(i):\n"
	"    pu = pus[i % len(pus)]\n"
	"    mask = (ctypes.c_ulong * 128)()\n"
	"    mask[pu // 64] = 1 << pu % 64\n"
	"    libc.sched_setaffinity(0, ctypes.sizeof(mask), mask)\n"
	"def work(n):\n"
	"    while n > 0:\n"
	"        n -= 1\n"
	"def pinned(i, n):\n"
	"    pin(i)\n"
	"    work(n)\n"
	"pin(0)\n"
	"for i in range(2000): work(50)\n" // what specialises by calls has done so
	"work(n // 10)\n"
	"t = clock(); work(n); alone = clock() - t\n"
	"threads = [threading.Thread(target=pinned, args=(i, n // k)) for i in range(k)]\n"
	"t = clock()\n"
	"[x.start() for x in threads]\n"
	"[x.join() for x in threads]\n"
	"print('%r %r' % (alone / (clock() - t), alone / n * 1e9))\n";

struct real {
	const char *version;
	char path[512]; // "": not installed
};

static bool executable(struct real *r, const char *path)
{
	if (access(path, X_OK) == 0)
		snprintf(r->path, sizeof r->path, "%s", path);
	return *r->path;
}

static void find_in_path(struct real *r)
{
	char *path = strdup(getenv("PATH") ? getenv("PATH") : ""), *rest = path, *dir;
	while (path && (dir = strsep(&rest, ":")) && !*r->path) {
		char file[512];
		snprintf(file, sizeof file, "%s/python%s", dir, r->version);
		/* pyenv's own are scripts that find out every time which one is meant. */
		if (!strstr(dir, "/shims"))
			executable(r, file);
	}
	free(path);
}

static void find_in_pyenv(struct real *r)
{
	const char *root = getenv("PYENV_ROOT"), *home = getenv("HOME");
	char pattern[512];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s%s/versions/%s.*/bin/python",
		root   ? root
		: home ? home
		       : "",
		root ? "" : "/.pyenv", r->version);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = found.gl_pathc; i-- && !executable(r, found.gl_pathv[i]);)
			;
	globfree(&found);
}

static struct real find_real(const char *version)
{
	struct real r = {.version = version};
	find_in_path(&r);
	if (!*r.path)
		find_in_pyenv(&r);
	return r;
}

// Runs a program in it; the numbers it prints. Returns how many there were.
static int ask(
	const struct real *r, const char *program, char *const *arguments, double *a, double *b)
{
	int ends[2], status = 0, numbers = 0;
	const char *argv[8] = {r->path, "-c", program};
	for (int i = 0; i < 4 && arguments[i]; i++)
		argv[3 + i] = arguments[i];
	if (!*r->path || pipe(ends) < 0)
		return 0;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execv(r->path, (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	FILE *f = fdopen(ends[0], "r");
	if (f) {
		numbers = fscanf(f, "%lf %lf", a, b);
		fclose(f);
	}
	waitpid(pid, &status, 0);
	return status == 0 ? numbers : 0;
}

// The same points of a real interpreter.
struct real_subject {
	const struct real *real;
	unsigned threads, pus, interval, work;
	double speedup[PYTHON_ROUNDS], rate[PYTHON_ROUNDS];
	size_t rounds;
};

static void measure_real(struct bench *b, struct real_subject *s)
{
	char work[16], threads[16], interval[16], pus[64];
	double speedup, ns;
	snprintf(work, sizeof work, "%u", s->work);
	snprintf(threads, sizeof threads, "%u", s->threads);
	snprintf(interval, sizeof interval, "%u", s->interval);
	snprintf(pus, sizeof pus, s->pus > 1 ? "%u,%u" : "%u", b->machine.pu[b->order[0]].os,
		s->pus > 1 ? b->machine.pu[b->order[1]].os : 0);
	char *const arguments[] = {work, threads, interval, pus, NULL};
	if (ask(s->real, countdown_program, arguments, &speedup, &ns) < 2)
		return;
	s->speedup[s->rounds] = speedup;
	s->rate[s->rounds++] = 1e9 / ns;
}

/* Lines. */

static void skip(struct bench *b, const char *figure, const char *why)
{
	printf("%-54s skipped: %s\n", figure, why);
	fflush(stdout);
	fprintf(b->tsv, "%s\tNA\tNA\tNA\tNA\tNA\t%s\tskipped\n", figure, why);
}

static double median(const double *v, size_t n)
{
	double sorted[PYTHON_ROUNDS];
	memcpy(sorted, v, n * sizeof *v);
	stats_sort(sorted, n);
	return stats_median(sorted, n);
}

// Of one round's rates, round by round. Returns how many.
static size_t ratios(const double *a, const double *b, size_t n, double *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = a[i] / b[i];
	return n;
}

static size_t speedups(const struct subject *many, const struct subject *one, double *out)
{
	return ratios(many->rate, one->rate,
		many->rounds < one->rounds ? many->rounds : one->rounds, out);
}

// A ratio of ours alone, with the interval of its rounds' median.
static void own_line(struct bench *b, const char *figure, const struct subject *x,
	const struct subject *y, const char *target, double least, double most)
{
	double ratio[PYTHON_ROUNDS];
	size_t n = speedups(x, y, ratio);
	if (!n) {
		skip(b, figure, "not measured");
		return;
	}
	stats_sort(ratio, n);
	struct interval i = stats_median_interval(ratio, n, 0.95);
	double r = stats_median(ratio, n);
	line(b, figure, median(x->rate, n) * 1e-6, median(y->rate, n) * 1e-6, r, i.lo, i.hi, target,
		r >= least && r <= most);
}

// Our speedup against a real interpreter's.
static void speedup_line(struct bench *b, const char *figure, const struct subject *many,
	const struct subject *one, const struct real_subject *real, const char *target,
	double least, double most)
{
	double ours[PYTHON_ROUNDS], theirs[PYTHON_ROUNDS];
	size_t n = speedups(many, one, ours);
	if (!n || real->rounds < n) {
		char why[64];
		snprintf(why, sizeof why, "python%s is not installed", real->real->version);
		skip(b, figure, n ? why : "not measured");
		return;
	}
	memcpy(theirs, real->speedup, n * sizeof *theirs);
	ratio_line(b, figure, ours, theirs, n, target, least, most);
}

/* The countdown. */

enum { INTERVALS = 5 };
static const char *const interval_text[INTERVALS] = {"1", "10", "100", "1000", "100000"};
static const unsigned interval_ticks[INTERVALS] = {1, 10, 100, 1000, 100000};

// All of it. Rates of one worker are measured in each round too.
struct points {
	struct subject sequential, gil_2_alone, gil_2[INTERVALS], gil_2_one_pu, gil_2_crowd;
	struct subject gil_3_alone, gil_3, free_alone, free_all;
	struct subject item_alone[3], item[3], attribute_alone[2], attribute[2];
	struct subject server[3];
	struct real_subject real_2[INTERVALS], real_2_one_pu, real_2_crowd, real_3;
	struct real version_2, version_3;
};

static struct real_subject real_countdown(
	const struct real *real, unsigned threads, unsigned pus, unsigned interval, unsigned work)
{
	return (struct real_subject){
		.real = real, .threads = threads, .pus = pus, .interval = interval, .work = work};
}

static struct subject countdown(
	const char *strategy, unsigned workers, unsigned pus, unsigned work, const char *interval)
{
	struct subject s = {.kernel = "python",
		.strategy = strategy,
		.workers = workers,
		.pus = pus,
		.set = {{"work", work == SHORT_WORK ? "3000000" : "10000000"},
			{"interval", interval}}};
	return s;
}

static struct subject shared_object(
	const char *program, const char *strategy, unsigned workers, const char *sharing)
{
	struct subject s = {.kernel = "python",
		.strategy = strategy,
		.workers = workers,
		.pus = workers,
		.set = {{"work", "10000000"}, {"program", program}, {"sharing", sharing}}};
	return s;
}

// Response time of one client beside one CPU-bound thread.
static struct subject ping(const char *strategy)
{
	struct subject s = {.kernel = "server",
		.strategy = strategy,
		.workers = 2,
		.pus = 2,
		.set = {{"connections", "1"}, {"cpu", "0"}, {"background", "1"}}};
	return s;
}

static void list_points(struct points *p)
{
	static const char *const sharing[] = {"biased", "deferred", "immortal"};
	static const char *const serving[] = {"gil-3", "gil-2", "free-threaded"};
	p->version_2 = find_real("2.7");
	p->version_3 = find_real("3.11");
	p->sequential = countdown("sequential", 1, 1, LONG_WORK, "100");
	p->gil_2_alone = countdown("gil-2", 1, 1, SHORT_WORK, "100");
	p->gil_2_one_pu = countdown("gil-2", 2, 1, SHORT_WORK, "100");
	p->gil_2_crowd = countdown("gil-2", CROWD, 2, SHORT_WORK, "100");
	p->gil_3_alone = countdown("gil-3", 1, 1, LONG_WORK, "100");
	p->gil_3 = countdown("gil-3", 2, 2, LONG_WORK, "100");
	p->free_alone = countdown("free-threaded", 1, 1, LONG_WORK, "100");
	p->free_all = countdown("free-threaded", 2, 2, LONG_WORK, "100");
	p->real_2_one_pu = real_countdown(&p->version_2, 2, 1, 100, SHORT_WORK);
	p->real_2_crowd = real_countdown(&p->version_2, CROWD, 2, 100, SHORT_WORK);
	p->real_3 = real_countdown(&p->version_3, 2, 2, 0, LONG_WORK);
	for (int i = 0; i < INTERVALS; i++) {
		p->gil_2[i] = countdown("gil-2", 2, 2, SHORT_WORK, interval_text[i]);
		p->real_2[i] = real_countdown(&p->version_2, 2, 2, interval_ticks[i], SHORT_WORK);
	}
	for (int i = 0; i < 3; i++) {
		p->item_alone[i] = shared_object("item", "free-threaded", 1, sharing[i]);
		p->item[i] = shared_object("item", "free-threaded", 2, sharing[i]);
		p->server[i] = ping(serving[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		const char *strategy = i ? "free-threaded" : "free-threaded-atomic";
		p->attribute_alone[i] = shared_object("attribute", strategy, 1, sharing[0]);
		p->attribute[i] = shared_object("attribute", strategy, 2, sharing[0]);
	}
}

// Calls f for each of ours.
static void for_each(struct points *p, void (*f)(void *context, struct subject *s), void *context)
{
	struct subject *const single[] = {&p->sequential, &p->gil_2_alone, &p->gil_2_one_pu,
		&p->gil_2_crowd, &p->gil_3_alone, &p->gil_3, &p->free_alone, &p->free_all};
	for (size_t i = 0; i < COUNT(single); i++)
		f(context, single[i]);
	for (int i = 0; i < INTERVALS; i++)
		f(context, &p->gil_2[i]);
	for (int i = 0; i < 3; i++) {
		f(context, &p->item_alone[i]);
		f(context, &p->item[i]);
		f(context, &p->server[i]);
	}
	for (int i = 0; i < 2; i++) {
		f(context, &p->attribute_alone[i]);
		f(context, &p->attribute[i]);
	}
}

static void ready_one(void *bench, struct subject *s)
{
	make_ready(bench, s);
}

static void measure_one(void *probe, struct subject *s)
{
	measure(s, probe);
}

static void put_away_one(void *nothing, struct subject *s)
{
	(void)nothing;
	put_away(s);
}

static void measure_rounds(struct bench *b, struct points *p, struct probe *probe)
{
	for (unsigned round = 0; round < PYTHON_ROUNDS; round++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\rround %u of %d ", round + 1, PYTHON_ROUNDS);
		for_each(p, measure_one, probe);
		for (int i = 0; i < INTERVALS; i++)
			measure_real(b, &p->real_2[i]);
		measure_real(b, &p->real_2_one_pu);
		measure_real(b, &p->real_2_crowd);
		measure_real(b, &p->real_3);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r                  \r", stderr);
}

/* The race: what two threads make of one global variable. */

// Formatted with the statements of the two, and with x as it is read at the end.
static const char race_program[] = "import threading\n"
				   "x = 0\n"
				   "def one():\n"
				   "    return 1\n"
				   "def plus():\n"
				   "    global x\n"
				   "    for i in range(%d):\n"
				   "        x = x + %s\n"
				   "def minus():\n"
				   "    global x\n"
				   "    for i in range(%d):\n"
				   "        x = x - %s\n"
				   "def result():\n"
				   "    return x\n"
				   "a = threading.Thread(target=plus)\n"
				   "b = threading.Thread(target=minus)\n"
				   "a.start()\n"
				   "b.start()\n"
				   "a.join()\n"
				   "b.join()\n";

// Whether an update was lost; an interpreter that cannot run it ends the program.
static bool lost(enum interpreter_mode mode, bool every_instruction, const char *program)
{
	struct interpreter_settings s = {
		.mode = mode, .check_every_instruction = every_instruction};
	struct interpreter *i;
	struct interpreter_error e = {.text = "no memory"};
	int64_t x = 0;
	if (interpreter_create(&i, &s))
		give_up(e.text);
	struct interpreter_thread *t = interpreter_enter(i, 0);
	if (!t || interpreter_run(t, "race", program, &e) ||
		interpreter_call(t, interpreter_function(i, "result"), 0, NULL, &x, &e))
		give_up(e.text);
	interpreter_leave(t);
	interpreter_destroy(i);
	return x != 0;
}

static void race_line(struct bench *b, const char *figure, bool every_instruction,
	const char *operand, const struct real *real, bool loses)
{
	char program[1024], real_program[1200], name[128], target[32];
	unsigned ours = 0, theirs = 0, tried = 0;
	snprintf(program, sizeof program, race_program, RACE_WORK, operand, RACE_WORK, operand);
	snprintf(real_program, sizeof real_program, "%sprint('%%d 0' %% x)\n", program);
	for (int i = 0; i < RACES; i++) {
		double x, unused;
		ours += lost(INTERPRETER_GIL_3, every_instruction, program);
		if (ask(real, real_program, (char *const[]){NULL}, &x, &unused) == 2) {
			theirs += x != 0;
			tried++;
		}
	}
	snprintf(name, sizeof name, "%s: runs of %d that lose", figure, RACES);
	snprintf(target, sizeof target, "%d", loses ? RACES : 0);
	double reference = tried ? (double)theirs * RACES / tried : NAN;
	line(b, name, ours, reference, tried && theirs ? ours / reference : NAN, NAN, NAN, target,
		ours == (loses ? RACES : 0));
}

static void race_figures(struct bench *b)
{
	struct real old = find_real("3.9"), new = find_real("3.11");
	race_line(b, "x = x + 1, check at every instruction (3.9)", true, "1", &old, true);
	race_line(b, "x = x + 1, check at jumps and calls (3.11)", false, "1", &new, false);
	race_line(b, "x = x + one(), every instruction (3.9)", true, "one()", &old, true);
	race_line(b, "x = x + one(), jumps and calls (3.11)", false, "one()", &new, true);
}

/* The figures. */

// 1: more, -1: less, 0: no difference that a busy virtual machine lets one see.
static int order(double ratio)
{
	return ratio > 1.25 ? 1 : ratio < 0.8 ? -1 : 0;
}

static void gil_2_figures(struct bench *b, const struct points *p)
{
	char figure[96];
	double ours[INTERVALS], theirs[INTERVALS], ratio[PYTHON_ROUNDS] = {0};
	speedup_line(b, "gil-2, 2 workers over 1, against python2.7", &p->gil_2[2], &p->gil_2_alone,
		&p->real_2[2], "0.85..1.15", 0.85, 1.15);
	speedup_line(b, "gil-2, 2 workers on one PU", &p->gil_2_one_pu, &p->gil_2_alone,
		&p->real_2_one_pu, "0.85..1.15", 0.85, 1.15);
	speedup_line(b, "gil-2, 8 workers on two PUs", &p->gil_2_crowd, &p->gil_2_alone,
		&p->real_2_crowd, "0.85..1.15", 0.85, 1.15);
	for (int i = 0; i < INTERVALS; i++) {
		size_t n = speedups(&p->gil_2[i], &p->gil_2_alone, ratio);
		ours[i] = median(ratio, n);
		theirs[i] = p->real_2[i].rounds ? median(p->real_2[i].speedup, p->real_2[i].rounds)
						: NAN;
	}
	/* The longer the interval, the less is lost: here, and there. */
	for (int i = 1; i < INTERVALS; i++) {
		snprintf(figure, sizeof figure, "gil-2: interval %s over %s, speedups",
			interval_text[i], interval_text[i - 1]);
		double ratio_ours = ours[i] / ours[i - 1], ratio_theirs = theirs[i] / theirs[i - 1];
		line(b, figure, ratio_ours, ratio_theirs, ratio_ours / ratio_theirs, NAN, NAN,
			"same order",
			isnan(ratio_theirs) || order(ratio_ours) == order(ratio_theirs) ||
				(ratio_ours > 1) == (ratio_theirs > 1));
	}
	double releases =
		p->gil_2_alone.rounds ? median(p->gil_2_alone.count, p->gil_2_alone.rounds) : NAN;
	line(b, "gil-2: iterations per release", 1 / releases, 101 / 3.0, 3 / (101 * releases), NAN,
		NAN, "0.98..1.02", fabs(3 / (101 * releases) - 1) <= 0.02);
}

static void free_threaded_figures(struct bench *b, const struct points *p)
{
	static const char *const cure[] = {"biased", "deferred", "immortal"};
	char figure[96];
	own_line(b, "free-threaded, 2 workers over 1 (M/s)", &p->free_all, &p->free_alone,
		"at least 1.9", 1.9, INFINITY);
	own_line(b, "free-threaded over gil-3, 1 worker (M/s)", &p->free_alone, &p->gil_3_alone,
		"at least 0.85", 0.85, INFINITY);
	for (int i = 0; i < 3; i++) {
		snprintf(figure, sizeof figure, "shared list item, %s, 2 workers over 1", cure[i]);
		own_line(b, figure, &p->item[i], &p->item_alone[i],
			i ? "at least 1.6" : "at most 0.8", i ? 1.6 : 0, i ? INFINITY : 0.8);
	}
	own_line(b, "shared attribute, atomic counts, 2 workers over 1", &p->attribute[0],
		&p->attribute_alone[0], "at most 0.8", 0, 0.8);
	own_line(b, "shared attribute, biased counts, 2 workers over 1", &p->attribute[1],
		&p->attribute_alone[1], "at most 0.8", 0, 0.8);
}

static void server_figures(struct bench *b, const struct points *p)
{
	for (int i = 0; i < 3; i++) {
		const struct subject *s = &p->server[i];
		char figure[96];
		snprintf(figure, sizeof figure, "ping beside one CPU-bound thread, %s: p50 (ms)",
			s->strategy);
		double ms = s->rounds ? median(s->count, s->rounds) * 1e-6 : NAN;
		if (!s->rounds)
			skip(b, figure, "not measured");
		else if (i == 0)
			line(b, figure, ms, 5, ms / 5, NAN, NAN, "0.8..1.3",
				ms / 5 >= 0.8 && ms / 5 <= 1.3);
		else
			line(b, figure, ms, 0.5, ms / 0.5, NAN, NAN, "below 1", ms < 0.5);
	}
}

static void speed_figure(struct bench *b, const struct points *p)
{
	double ours[PYTHON_ROUNDS], theirs[PYTHON_ROUNDS];
	size_t n = p->sequential.rounds;
	const char *figure = "sequential countdown against python3.11 (M/s)";
	if (!p->real_3.rounds || p->real_3.rounds < n) {
		skip(b, figure, "python3.11 is not installed");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		ours[i] = p->sequential.rate[i] * 1e-6;
		theirs[i] = p->real_3.rate[i] * 1e-6;
	}
	ratio_line(b, figure, ours, theirs, n, "at least 1", 1, INFINITY);
}

void python_figures(struct bench *b)
{
	static struct points p;
	struct probe *probe = probe_create(CROWD);
	if (!probe || b->machine.allowed_pus < 2) {
		fputs("bench-peers: the interpreters' figures need two PUs\n", stderr);
		return;
	}
	list_points(&p);
	for_each(&p, ready_one, b);
	measure_rounds(b, &p, probe);
	speed_figure(b, &p);
	gil_2_figures(b, &p);
	speedup_line(b, "gil-3, 2 workers over 1, against python3.11", &p.gil_3, &p.gil_3_alone,
		&p.real_3, "0.8..1.2", 0.8, 1.2);
	free_threaded_figures(b, &p);
	server_figures(b, &p);
	race_figures(b);
	for_each(&p, put_away_one, NULL);
	probe_destroy(probe);
}
