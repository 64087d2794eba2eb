// SPDX-License-Identifier: BSD-2-Clause
// lockscale list: what can be measured.
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "command.h"

enum { KEY_JSON = 0x100, LOCKS_MOST = 256 };

static const struct argp_option options[] = {
	{"json", KEY_JSON, NULL, 0, "Machine-readable", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key == KEY_JSON)
		*(bool *)state->input = true;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "'%s' is one too many: list takes no arguments", arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp parser = {options, parse, NULL,
	"List kernels with their strategies, and locks with their guarantees and sources.", NULL,
	NULL, NULL};

// Each lock that any variant uses, once.
static size_t all_locks(const struct lock_class **locks)
{
	size_t kernels, count = 0;
	const struct kernel *const *k = catalog_kernels(&kernels);
	for (size_t i = 0; i < kernels; i++)
		for (size_t j = 0; j < k[i]->variant_count; j++) {
			const struct lock_class *lock = k[i]->variants[j].lock;
			size_t known = 0;
			while (lock && known < count && strcmp(locks[known]->name, lock->name) != 0)
				known++;
			if (lock && known == count && count < LOCKS_MOST)
				locks[count++] = lock;
		}
	return count;
}

// Whether an earlier variant of the kernel has the same strategy (with another lock).
static bool seen(const struct kernel *k, size_t j)
{
	for (size_t i = 0; i < j; i++)
		if (strcmp(k->variants[i].strategy, k->variants[j].strategy) == 0)
			return true;
	return false;
}

static const char *kind(const struct kernel *k)
{
	return k->kind == KERNEL_MAKESPAN ? "makespan" : "throughput";
}

static void print_kernel(const struct kernel *k)
{
	printf("%-12s %s\n", k->name, k->summary);
	printf("%-12s shared: %s; %s in %s%s\n", "", k->shared, kind(k), k->unit,
		k->extra ? "; extra: measured only where named" : "");
	printf("%-12s", "");
	for (size_t j = 0; j < k->variant_count; j++)
		if (!seen(k, j))
			printf(" %s%s", k->variants[j].strategy, k->variants[j].lock ? "/*" : "");
	putchar('\n');
	for (const struct param *p = k->params; p && p->name; p++)
		printf("%-12s --param %s.%s=%s  %s; %s\n", "", k->name, p->name, p->value, p->help,
			p->accepts);
}

static void print_text(void)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	const struct lock_class *locks[LOCKS_MOST];
	puts("Kernels (strategies; /* stands for each lock below)\n");
	for (size_t i = 0; i < count; i++)
		print_kernel(k[i]);
	puts("\nLocks (source)\n");
	count = all_locks(locks);
	for (size_t i = 0; i < count; i++)
		printf("%-12s %s (%s)\n", locks[i]->name, locks[i]->summary, locks[i]->source);
	puts("\nA variant is KERNEL/STRATEGY or KERNEL/STRATEGY/LOCK: "
	     "lockscale run 'histogram/*' '*/global-lock/mcs'");
}

static json_t *kernel_json(const struct kernel *k)
{
	json_t *variants = json_array(), *params = json_array();
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
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "name", k->name, "summary",
		k->summary, "shared", k->shared, "unit", k->unit, "kind", kind(k), "extra",
		k->extra, "variants", variants, "params", params);
}

static void print_json(void)
{
	size_t count;
	const struct kernel *const *k = catalog_kernels(&count);
	const struct lock_class *locks[LOCKS_MOST];
	json_t *kernels = json_array(), *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(kernels, kernel_json(k[i]));
	count = all_locks(locks);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:b}", "name", locks[i]->name, "summary",
				      locks[i]->summary, "source", locks[i]->source, "fifo",
				      locks[i]->fifo));
	json_t *all = json_pack("{s:o, s:o}", "kernels", kernels, "locks", list);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

int cmd_list(int argc, char **argv)
{
	bool json = false;
	argp_parse(&parser, argc, argv, 0, NULL, &json);
	if (json)
		print_json();
	else
		print_text();
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : 0;
}
