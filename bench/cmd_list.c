// SPDX-License-Identifier: BSD-2-Clause
// lockscale list: what can be measured.
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "command.h"

enum { KEY_JSON = 0x100, LOCKS_MOST = 256, COLUMNS = 100, NEAR = 2 };

struct list_options {
	bool json;
	char **names; // of kernels and locks; none: all
	int name_count;
};

static const struct argp_option options[] = {
	{"json", KEY_JSON, NULL, 0, "Machine-readable", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct list_options *o = state->input;
	(void)arg;
	if (key == KEY_JSON) {
		o->json = true;
	} else if (key == ARGP_KEY_ARGS) {
		o->names = state->argv + state->next;
		o->name_count = state->argc - state->next;
	} else {
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp parser = {options, parse, "[KERNEL|LOCK...]",
	"List kernels with their strategies, and locks with their guarantees; or all that is known "
	"of those named.",
	NULL, NULL, NULL};

/* Words. */

static const char *kind(const struct kernel *k)
{
	return k->kind == KERNEL_MAKESPAN ? "makespan" : "throughput";
}

static const char *family(const struct lock_class *lock)
{
	static const char *const names[] = {[LOCK_SPINNING] = "spinning",
		[LOCK_BLOCKING] = "blocking",
		[LOCK_NUMA_AWARE] = "NUMA-aware",
		[LOCK_READER_WRITER] = "reader-writer",
		[LOCK_DELEGATION] = "delegation",
		[LOCK_INTERPRETER] = "interpreter"};
	return names[lock->family];
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

/* The table. */

// Whether an earlier variant of the kernel has the same strategy (with another lock).
static bool seen(const struct kernel *k, size_t j)
{
	for (size_t i = 0; i < j; i++)
		if (strcmp(k->variants[i].strategy, k->variants[j].strategy) == 0)
			return true;
	return false;
}

static void print_kernel(const struct kernel *k)
{
	printf("%-12s %s\n", k->name, k->summary);
	printf("%-12s shared: %s; %s in %s%s\n", "", k->shared, kind(k), k->unit,
		k->extra      ? "; only where a pattern names it"
		: k->standard ? "; standard"
			      : "");
	printf("%-12s", "");
	for (size_t j = 0; j < k->variant_count; j++)
		if (!seen(k, j))
			printf(" %s%s", k->variants[j].strategy, k->variants[j].lock ? "/*" : "");
	putchar('\n');
	for (const struct param *p = k->params; p && p->name; p++)
		printf("%-12s --param %s.%s=%s  %s; %s\n", "", k->name, p->name, p->value, p->help,
			p->accepts);
}

// One line, cut at a word's end where it is too long: `lockscale list LOCK` has all of it.
static void print_lock(const struct lock_class *lock, int width)
{
	char also[8] = "";
	const char marks[] = {lock->standard ? '*' : ' ', lock->reentrant ? 'e' : ' ',
		lock->read_acquire ? 'r' : ' ', lock->peer ? 'p' : ' '};
	memcpy(also, marks, sizeof marks);
	int used = printf("  %-*s  %-5s  %-6s  %s  ", width, lock->name,
		lock->fifo ? "fifo" : "none", lock->sleeps ? "sleeps" : "spins", also);
	int room = COLUMNS - used, length = (int)strlen(lock->summary);
	if (length > room) {
		for (length = room - 3; length > 0 && lock->summary[length] != ' '; length--)
			;
		printf("%.*s...\n", length, lock->summary);
	} else {
		puts(lock->summary);
	}
}

static void print_locks(void)
{
	const struct lock_class *locks[LOCKS_MOST];
	size_t count = catalog_locks(locks, LOCKS_MOST);
	int width = 0;
	for (size_t i = 0; i < count; i++)
		if ((int)strlen(locks[i]->name) > width)
			width = (int)strlen(locks[i]->name);
	printf("\nLocks%*s order  waits   also  summary\n", width - 2, "");
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || locks[i]->family != locks[i - 1]->family)
			puts(family(locks[i]));
		print_lock(locks[i], width);
	}
	puts("\norder   fifo: first come, first served\n"
	     "waits   sleeps: works where workers outnumber PUs too; spins: made for a PU per "
	     "worker\n"
	     "also    * measured where a run names no pattern, strategy or lock; e re-entrant; "
	     "r read side;\n"
	     "        p another project's, to compare with");
}

static void print_text(void)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	puts("Kernels (strategies; /* stands for each lock below)\n");
	for (size_t i = 0; i < count; i++)
		print_kernel(k[i]);
	print_locks();
	puts("\nA variant is KERNEL/STRATEGY or KERNEL/STRATEGY/LOCK: "
	     "lockscale run 'histogram/*' '*/global-lock/mcs'\n"
	     "'lockscale list KERNEL' or 'lockscale list LOCK' tells all of one, its source too.");
}

/* All of one. */

// Of one kernel or of one lock, whose name that is.
static void print_variants(const char *of)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	const char *label = "variants";
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < k[i]->variant_count; j++) {
			char name[3 * NAME_LEN];
			const struct variant *v = &k[i]->variants[j];
			if (strcmp(k[i]->name, of) && (!v->lock || strcmp(v->lock->name, of)))
				continue;
			printf("  %-11s %s\n", label, catalog_name(k[i], v, name, sizeof name));
			label = "";
		}
}

static void print_field(const char *name, const char *value)
{
	printf("  %-11s %s\n", name, value);
}

static void detail_lock(const struct lock_class *lock)
{
	printf("%s\n  %s\n", lock->name, lock->summary);
	print_field("source", lock->source);
	print_field("family", family(lock));
	print_field("order", lock->fifo ? "first come, first served" : "none");
	print_field("waiting", lock->sleeps ? "sleeps; works where workers outnumber PUs too"
					    : "spins; made for a PU per worker");
	print_field("re-entrant", yes_no(lock->reentrant));
	print_field("read side", yes_no(lock->read_acquire));
	if (lock->execute)
		print_field("sections", "are run by the lock, maybe on another thread");
	if (lock->safepoint)
		print_field("safepoint", "its holder gives others their turn there");
	printf("  %-11s %zu bytes%s\n", "size", lock->size,
		lock->single ? "; too costly to have many of: no fine-lock variants" : "");
	if (lock->peer)
		print_field("peer", "another project's, to compare with");
	print_field("standard", lock->standard
					? "yes: measured where a run names nothing"
					: "no: measured where a run names it, or --locks all");
	print_variants(lock->name);
}

static void detail_kernel(const struct kernel *k)
{
	printf("%s\n  %s\n", k->name, k->summary);
	print_field("shared", k->shared);
	printf("  %-11s %s in %s\n", "measured", kind(k), k->unit);
	print_field("reads", k->reads ? "most critical sections only read" : "no");
	print_field("standard",
		k->extra      ? "no: measured where a pattern names it"
		: k->standard ? "yes: measured where a run names nothing, and by --standard"
			      : "no, but measured where a run names nothing");
	if (k->locks)
		print_field("locks", k->locks);
	for (const struct param *p = k->params; p && p->name; p++)
		printf("  %-11s --param %s.%s=%s  %s; %s\n", p == k->params ? "parameters" : "",
			k->name, p->name, p->value, p->help, p->accepts);
	for (const struct count *c = k->counts; c && c->name; c++)
		printf("  %-11s %s%s%s\n", c == k->counts ? "counts" : "", c->name,
			c->help ? "  " : "", c->help ? c->help : "");
	print_variants(k->name);
}

/* JSON. */

static json_t *kernel_json(const struct kernel *k)
{
	json_t *variants = json_array(), *params = json_array(), *counts = json_array();
	for (size_t j = 0; j < k->variant_count; j++) {
		char name[3 * NAME_LEN];
		const struct variant *v = &k->variants[j];
		json_array_append_new(variants,
			json_pack("{s:s, s:s, s:s?}", "name", catalog_name(k, v, name, sizeof name),
				"strategy", v->strategy, "lock", v->lock ? v->lock->name : NULL));
	}
	for (const struct param *p = k->params; p && p->name; p++)
		json_array_append_new(
			params, json_pack("{s:s, s:s, s:s, s:s}", "name", p->name, "default",
					p->value, "help", p->help, "accepts", p->accepts));
	for (const struct count *c = k->counts; c && c->name; c++)
		json_array_append_new(counts, json_pack("{s:s, s:s?, s:b}", "name", c->name, "help",
						      c->help, "level", c->level));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:s?, s:o, s:o, s:o}", "name",
		k->name, "summary", k->summary, "shared", k->shared, "unit", k->unit, "kind",
		kind(k), "reads", k->reads, "extra", k->extra, "standard", k->standard, "locks",
		k->locks, "variants", variants, "params", params, "counts", counts);
}

static json_t *lock_json(const struct lock_class *lock)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:i}",
		"name", lock->name, "summary", lock->summary, "source", lock->source, "family",
		family(lock), "fifo", lock->fifo, "reentrant", lock->reentrant, "sleeps",
		lock->sleeps, "peer", lock->peer, "standard", lock->standard, "single",
		lock->single, "reads", lock->read_acquire != NULL, "executes",
		lock->execute != NULL, "safepoint", lock->safepoint != NULL, "size",
		(int)lock->size);
}

static bool asked_for(const struct list_options *o, const char *name)
{
	bool found = o->name_count == 0;
	for (int i = 0; i < o->name_count; i++)
		found = found || strcmp(o->names[i], name) == 0;
	return found;
}

static void print_json(const struct list_options *o)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	const struct lock_class *locks[LOCKS_MOST];
	json_t *kernels = json_array(), *list = json_array();
	for (size_t i = 0; i < count; i++)
		if (asked_for(o, k[i]->name))
			json_array_append_new(kernels, kernel_json(k[i]));
	count = catalog_locks(locks, LOCKS_MOST);
	for (size_t i = 0; i < count; i++)
		if (asked_for(o, locks[i]->name))
			json_array_append_new(list, lock_json(locks[i]));
	json_t *all = json_pack("{s:o, s:o}", "kernels", kernels, "locks", list);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

/* Unknown names. */

// Edits that make b of a (Levenshtein 1966), or more than NAME_LEN where they are too long.
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_LEN + 1], length = strlen(b);
	if (length > NAME_LEN)
		return NAME_LEN + 1;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t best = diagonal + (a[i] != b[j]);
			diagonal = row[j + 1];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j + 1] = diagonal + 1 < best ? diagonal + 1 : best;
		}
	}
	return row[length];
}

static bool near(const char *name, const char *existing)
{
	return (strlen(name) > 1 && strstr(existing, name)) || distance(name, existing) <= NEAR;
}

// Those that are near, or else all there are.
static void name_others(const char *name, bool only_near)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	const struct lock_class *locks[LOCKS_MOST];
	for (size_t i = 0; i < count; i++)
		if (!only_near || near(name, k[i]->name))
			fprintf(stderr, " %s", k[i]->name);
	count = catalog_locks(locks, LOCKS_MOST);
	for (size_t i = 0; i < count; i++)
		if (!only_near || near(name, locks[i]->name))
			fprintf(stderr, " %s", locks[i]->name);
}

static bool any_near(const char *name)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	const struct lock_class *locks[LOCKS_MOST];
	bool found = false;
	for (size_t i = 0; i < count; i++)
		found = found || near(name, k[i]->name);
	count = catalog_locks(locks, LOCKS_MOST);
	for (size_t i = 0; i < count; i++)
		found = found || near(name, locks[i]->name);
	return found;
}

static int check_names(const struct list_options *o)
{
	int status = 0;
	for (int i = 0; i < o->name_count; i++) {
		const char *name = o->names[i];
		if (catalog_kernel(name) || catalog_lock(name))
			continue;
		bool similar = any_near(name);
		fprintf(stderr, "lockscale list: '%s' is no kernel and no lock; %s", name,
			similar ? "similar are" : "there are");
		name_others(name, similar);
		fputc('\n', stderr);
		status = EXIT_USAGE;
	}
	return status;
}

int cmd_list(int argc, char **argv)
{
	struct list_options o = {0};
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	int status = check_names(&o);
	if (status)
		return status;
	if (o.json)
		print_json(&o);
	else if (!o.name_count)
		print_text();
	for (int i = 0; i < o.name_count && !o.json; i++) {
		if (catalog_kernel(o.names[i]))
			detail_kernel(catalog_kernel(o.names[i]));
		if (catalog_lock(o.names[i]))
			detail_lock(catalog_lock(o.names[i]));
	}
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : 0;
}
