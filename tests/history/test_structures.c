// SPDX-License-Identifier: BSD-2-Clause
// Every variant of every kernel that promises a model keeps it: random operations of real workers,
// and for each history an order that explains it. Each variant in a process of its own, which a
// timer ends. Prints TAP. Variants may be named, by shell patterns; LOCKSCALE_HISTORY_OPERATIONS,
// _SEED and _WORKERS set how much, which, and by how many.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog.h"
#include "placement.h"
#include "recording.h"

#if defined __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER 0
#endif

// One build looks long; what others add, their checks or their compiler, shows soon.
#if defined __SANITIZE_ADDRESS__ || defined __clang__ || THREAD_SANITIZER
enum { OPERATIONS = 6000 };
#else
enum { OPERATIONS = 100000 };
#endif

enum {
	HANGS_AFTER_S = 60, // unless the user asks for more operations
	SECONDS_MOST = 2,   // of a variant; it counts what was done till then
	WORKERS_MOST = 4,
	PARAMS_MOST = 32,
	LOCKED_SHARE = 3, // one lock is like another: fewer operations on each
	OVERLAP_LEAST = 1 // percent of operations; else nothing was tried
};

static struct machine machine;

// A variant under one choice of reclamation.
struct subject {
	const struct kernel *kernel;
	const struct variant *variant;
	char scheme[32]; // empty: as it is by default
	char name[160];
};

/* Parameters: a small structure, empty at first if it can be, whose keys are few. */

static const struct {
	const char *name, *value;
} small[] = {{"keys", "4"}, {"items", "0"}, {"capacity", "4"}, {"mix", "50/25/25"}};

struct prepared {
	struct input input;
	const char *values[PARAMS_MOST];
};

static int prepare(struct prepared *p, const struct subject *s)
{
	const struct kernel *k = s->kernel;
	memset(p, 0, sizeof *p);
	p->input.params = k->params;
	p->input.values = p->values;
	for (size_t i = 0; k->params && k->params[i].name; i++) {
		p->values[i] = k->params[i].value;
		for (size_t j = 0; j < sizeof small / sizeof *small; j++)
			if (strcmp(small[j].name, k->params[i].name) == 0)
				p->values[i] = small[j].value;
		if (s->scheme[0] && strcmp(k->params[i].name, "reclamation") == 0)
			p->values[i] = s->scheme;
	}
	return k->prepare ? k->prepare(&p->input) : 0;
}

/* Which variants. */

static bool is_broken(const struct kernel *k, const struct variant *v)
{
	return strncmp(k->name, "twin", 4) == 0 ||
	       (v->lock && strncmp(v->lock->name, "twin", 4) == 0);
}

static bool is_among(const char *words, const char *word)
{
	size_t size = strlen(word);
	for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') && (at[size] == ' ' || !at[size]))
			return true;
	return false;
}

// Of the locks, which have tests of their own, a spinning one, a queue and one that sleeps.
static bool is_wanted(const struct subject *s, int argc, char **argv)
{
	const struct variant *v = s->variant;
	for (int i = 1; i < argc; i++)
		if (catalog_match(argv[i], s->name))
			return true;
	return argc < 2 && !is_broken(s->kernel, v) &&
	       (!v->lock || is_among("mutex ttas mcs", v->lock->name)) &&
	       !(THREAD_SANITIZER && v->lock && v->lock->peer);
}

static const char *schemes_of(const struct kernel *k, const struct variant *v)
{
	for (const struct param *p = k->params; p && p->name; p++)
		if (strcmp(p->name, "reclamation") == 0 && strstr(v->strategy, "lock-free"))
			return p->accepts;
	return "";
}

// One subject per scheme that the variant can be asked for. Returns how many there are in all.
static size_t list_subjects(struct subject *list, size_t most, int argc, char **argv)
{
	size_t kernels, count = 0;
	const struct kernel *const *k = catalog_kernels(&kernels);
	for (size_t i = 0; i < kernels; i++)
		for (size_t j = 0; j < k[i]->variant_count; j++) {
			const struct variant *v = &k[i]->variants[j];
			const char *scheme = schemes_of(k[i], v);
			do {
				struct subject s = {.kernel = k[i], .variant = v};
				size_t size = strcspn(scheme, "|");
				snprintf(s.scheme, sizeof s.scheme, "%.*s", (int)size, scheme);
				scheme += size + (scheme[size] == '|');
				catalog_name(k[i], v, s.name, sizeof s.name);
				if (v->model != MODEL_NONE && v->operate &&
					is_wanted(&s, argc, argv) && count < most)
					list[count++] = s;
			} while (*scheme);
		}
	return count;
}

/* One variant. */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);
	return text ? strtoull(text, NULL, 10) : otherwise;
}

static int record(struct recording_plan *plan, unsigned workers)
{
	struct recording_result r;
	struct error e;
	unsigned order[machine.allowed_pus];
	placement_order(&machine, PLACEMENT_COMPACT, order);
	plan->workers = workers;
	if (team_create(&plan->team, &machine, order, machine.allowed_pus, workers, true, &e)) {
		printf("# %s\n", e.text);
		return 1;
	}
	int rc = recording_run(plan, &r);
	team_destroy(plan->team);
	if (rc) {
		printf("# cannot be set up: %s\n", strerror(rc));
		return 1;
	}
	unsigned share = r.operations ? (unsigned)(100 * r.overlapping / r.operations) : 0;
	bool idle = share < OVERLAP_LEAST && workers > 1 && machine.allowed_pus > 1;
	printf("# %u workers: %" PRIu64 " operations in %" PRIu64
	       " histories, %u %% overlapped another's, %" PRIu64 " failed",
		workers, r.operations, r.histories, share, r.failed);
	if (r.capacity)
		printf(", room for %u", r.capacity);
	puts("");
	if (r.impossible)
		recording_print(plan, &r, "# ", stdout);
	if (r.undecided)
		printf("# %" PRIu64 " histories had too many orders to try\n", r.undecided);
	if (idle && !r.impossible)
		puts("# too few overlapped to prove anything");
	recording_free(&r);
	return r.impossible || r.undecided || idle;
}

static int try_subject(const struct subject *s)
{
	struct prepared p;
	const struct variant *v = s->variant;
	if (!getenv("LOCKSCALE_HISTORY_OPERATIONS"))
		alarm(HANGS_AFTER_S);
	if (prepare(&p, s) != 0) {
		printf("# %s\n", p.input.error);
		return 1;
	}
	uint64_t operations = number_from("LOCKSCALE_HISTORY_OPERATIONS", OPERATIONS);
	struct recording_plan plan = {.kernel = s->kernel,
		.variant = v,
		.input = &p.input,
		.seed = number_from("LOCKSCALE_HISTORY_SEED", 1),
		.operations = v->lock ? operations / LOCKED_SHARE : operations};
	/* Where spinning workers share a PU a lock that is granted in turn costs time slices. */
	unsigned most = STRATEGY_IS(v, "sequential")  ? 1
			: v->lock && !v->lock->sleeps ? 2
						      : WORKERS_MOST;
	unsigned least = most < 2 ? 1 : 2;
	unsigned named = (unsigned)number_from("LOCKSCALE_HISTORY_WORKERS", 0);
	if (named)
		least = most = named;
	plan.operations /= most - least + 1;
	if (!getenv("LOCKSCALE_HISTORY_OPERATIONS"))
		plan.time_most_ns = (uint64_t)SECONDS_MOST * 1000000000u / (most - least + 1);
	int wrong = 0;
	for (unsigned workers = least; workers <= most && !wrong; workers++)
		wrong = record(&plan, workers);
	if (s->kernel->unprepare)
		s->kernel->unprepare(&p.input);
	return wrong;
}

static bool keeps_its_model(const struct subject *s)
{
	int status;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		exit(try_subject(s));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("# hangs\n");
	else if (WIFSIGNALED(status))
		printf("# died of signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		printf("# exit status %d, from a sanitizer\n", WEXITSTATUS(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	static struct subject list[1024];
	static const char *const promised[] = {
		"nothing", "a map", "a queue", "a stack", "a priority queue", "a bag"};
	struct error e;
	bool failed = false;
	if (machine_load(&machine, NULL, &e)) {
		printf("Bail out! %s\n", e.text);
		return 1;
	}
	size_t count = list_subjects(list, sizeof list / sizeof *list, argc, argv);
	printf("1..%zu%s\n", count, count ? "" : " # skip no variant promises a model");
	for (size_t i = 0; i < count; i++) {
		const struct subject *s = &list[i];
		bool good = keeps_its_model(s);
		failed |= !good;
		printf("%sok %zu - %s%s%s is %s\n", good ? "" : "not ", i + 1, s->name,
			s->scheme[0] ? " with reclamation=" : "", s->scheme,
			promised[s->variant->model]);
	}
	machine_unload(&machine);
	return failed;
}
