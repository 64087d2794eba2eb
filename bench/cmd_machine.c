// SPDX-License-Identifier: BSD-2-Clause
// lockscale machine: what the machine is, in which order workers fill it, what would spoil a
// measurement on it, (--probe) whether the siblings it claims are the ones it has, and (--latency)
// how long a cache line takes from PU to PU.

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "core_to_core.h"
#include "counters.h"
#include "machine.h"
#include "placement.h"
#include "smt_probe.h"

enum { WARNINGS_MAX = 32, CACHES_MAX = 16, COLUMNS = 96, INDENT = 12, LISTED_MAX = 16 };

struct options {
	const char *topology;
	bool json, probe, latency;
};

static const struct argp_option option_list[] = {
	{"topology", 't', "FILE|SYNTHETIC", 0,
		"Describe the machine of an hwloc XML file, or a made-up one such as "
		"'pack:2 numa:2 l3:1 core:16 pu:2', instead of this machine",
		0},
	{"json", 'j', NULL, 0, "Print JSON", 0},
	{"probe", 'p', NULL, 0, "Find SMT siblings by measuring (a second or two of full load)", 0},
	{"latency", 'l', NULL, 0,
		"Measure how long a cache line takes from each PU to each other (8 ms a pair, some "
		"seconds at most; beyond 64 PUs a sample of the pairs)",
		0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 't':
		o->topology = arg;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'p':
		o->probe = true;
		return 0;
	case 'l':
		o->latency = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'; a topology is given with --topology",
			arg);
		return EINVAL;
	case ARGP_KEY_END:
		if (o->probe && o->topology)
			argp_error(state, "--probe measures this machine; it cannot be had with "
					  "--topology");
		if (o->latency && o->topology)
			argp_error(state, "--latency measures this machine; it cannot be had with "
					  "--topology");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

// All that is printed, gathered before the first character is.
struct report {
	struct machine m;
	struct warning warnings[WARNINGS_MAX];
	size_t n_warnings;
	struct machine_cache caches[CACHES_MAX];
	size_t n_caches;
	unsigned *order[PLACEMENTS]; // OS numbers
	struct boundary *boundaries[PLACEMENTS];
	size_t n_boundaries[PLACEMENTS];
	unsigned *counts[PLACEMENTS];
	size_t n_counts[PLACEMENTS];
	bool probed;
	unsigned rounds;
	struct smt_inference siblings;
	struct core_to_core latency; // no pairs: not measured
};

static bool gather_placement(struct report *r, enum placement p)
{
	const struct machine *m = &r->m;
	size_t n = m->allowed_pus;

	r->order[p] = calloc(n, sizeof *r->order[p]);
	r->boundaries[p] = calloc(n, sizeof *r->boundaries[p]);
	r->counts[p] = calloc(n, sizeof *r->counts[p]);
	if (!r->order[p] || !r->boundaries[p] || !r->counts[p])
		return false;
	placement_order(m, p, r->order[p]);
	for (size_t i = 0; i < n; i++)
		r->order[p][i] = m->pu[r->order[p][i]].os;
	r->n_boundaries[p] = placement_boundaries(m, p, r->boundaries[p], n);
	r->n_counts[p] = placement_counts(m, p, r->counts[p], n);
	return true;
}

static int probe(struct report *r, struct error *e)
{
	struct smt_rounds rounds;

	r->rounds = smt_default_rounds(r->m.allowed_pus);
	if (smt_rounds_init(&rounds, r->m.allowed_pus, r->rounds))
		return error_set(e, ENOMEM, "not enough memory for the probe");
	smt_rounds_design(&rounds, (uint64_t)time(NULL));
	int err = smt_measure(&r->m, &rounds, e);
	if (!err) {
		err = smt_infer(&rounds, &r->siblings);
		if (err)
			error_set(e, ENOMEM, "not enough memory for the probe");
	}
	r->probed = !err;
	smt_rounds_fini(&rounds);
	return err;
}

static int measure_latency(struct report *r, struct error *e)
{
	struct error why;
	uint64_t seed = (uint64_t)time(NULL);
	int err = core_to_core_choose(&r->latency, &r->m, seed, &why);

	if (!err)
		err = core_to_core_measure(&r->latency, &r->m, seed, &why);
	if (!err && !r->latency.count)
		err = error_set(
			&why, EAGAIN, "other work kept the PUs busy: stop it and try again");
	return err ? error_set(e, -err, "--latency: %s", why.text) : 0;
}

static int gather(struct report *r, const struct options *o, struct error *e)
{
	// Before the probe: its own load is no other work.
	r->n_warnings = machine_warnings(&r->m, r->warnings, WARNINGS_MAX);
	r->n_caches = machine_caches(&r->m, r->caches, CACHES_MAX);
	for (int p = 0; p < PLACEMENTS; p++)
		if (!gather_placement(r, (enum placement)p))
			return error_set(e, ENOMEM, "not enough memory");
	int err = o->probe ? probe(r, e) : 0;
	return !err && o->latency ? measure_latency(r, e) : err;
}

static void release(struct report *r)
{
	for (int p = 0; p < PLACEMENTS; p++) {
		free(r->order[p]);
		free(r->boundaries[p]);
		free(r->counts[p]);
	}
	smt_inference_fini(&r->siblings);
	core_to_core_fini(&r->latency);
	machine_unload(&r->m);
}

// What the system claims of the core of the i-th allowed PU, and what was measured.
static bool claimed(const struct report *r, unsigned i, unsigned j)
{
	return r->m.pu[i].core == r->m.pu[j].core;
}

static bool measured(const struct report *r, unsigned i, unsigned j)
{
	return r->siblings.group[i] == r->siblings.group[j];
}

// An undecided PU contradicts nobody, and nobody is contradicted about it.
static bool contradicts(const struct report *r, unsigned i, bool *hidden, bool *phantom)
{
	bool differs = false, unsure = false;

	for (unsigned j = 0; j < r->m.allowed_pus; j++) {
		bool claim = claimed(r, i, j), measure = measured(r, i, j);
		unsure |= (claim || measure) && r->siblings.state[j] == SMT_UNDECIDED;
		differs |= claim != measure;
	}
	if (unsure || !differs)
		return false;
	for (unsigned j = 0; j < r->m.allowed_pus; j++) {
		*hidden |= measured(r, i, j) && !claimed(r, i, j);
		*phantom |= claimed(r, i, j) && !measured(r, i, j);
	}
	return true;
}

static const char *meaning(bool hidden, bool phantom)
{
	if (hidden && phantom)
		return "the PUs are numbered otherwise than the system says: workers meant for "
		       "cores of "
		       "their own share some, and the boundary \"SMT\" is where no sibling begins; "
		       "pin by "
		       "hand with taskset -c until firmware or hypervisor tells the truth";
	if (hidden)
		return "PUs that look like cores of their own share a core (usual on virtual "
		       "machines): "
		       "no placement can keep workers apart beyond the measured cores, so judge "
		       "speedup "
		       "against those";
	return "PUs that the system calls siblings do not slow each other: the boundary \"SMT\" is "
	       "no boundary, or the hypervisor spreads its vCPUs as it likes; run it again to see "
	       "whether it stays so";
}

// ---- text: words, wrapped behind a margin that carries the line's title

struct text {
	int column;
};

static void title(struct text *t, const char *name)
{
	if (t->column)
		putchar('\n');
	printf("%-*s", INDENT, name);
	t->column = INDENT;
}

static void new_line(struct text *t)
{
	title(t, "");
}

__attribute__((format(printf, 2, 3))) static void word(struct text *t, const char *format, ...)
{
	char one[160];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(one, sizeof one, format, args);
	va_end(args);
	if (t->column > INDENT && t->column + 1 + n > COLUMNS)
		new_line(t);
	t->column += printf("%s%s", t->column > INDENT ? " " : "", one);
}

static void words(struct text *t, const char *sentence)
{
	while (*sentence) {
		size_t n = strcspn(sentence, " ");
		word(t, "%.*s", (int)n, sentence);
		sentence += n;
		sentence += strspn(sentence, " ");
	}
}

// 0,2,4,6,7,8,9 as "0-6:2 7-9", which taskset -c reads.
static void ranges(struct text *t, const unsigned *os, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t last = i;
		long stride = i + 1 < n ? (long)os[i + 1] - (long)os[i] : 0;
		while (stride > 0 && last + 1 < n && (long)os[last + 1] - (long)os[last] == stride)
			last++;
		if (last - i < 2)
			last = i;
		if (last == i)
			word(t, "%u", os[i]);
		else if (stride == 1)
			word(t, "%u-%u", os[i], os[last]);
		else
			word(t, "%u-%u:%ld", os[i], os[last], stride);
		i = last + 1;
	}
}

static void sized(char *to, size_t room, uint64_t bytes)
{
	if (!bytes)
		snprintf(to, room, "of unknown size");
	else if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
		snprintf(to, room, "%u MiB", (unsigned)(bytes >> 20));
	else
		snprintf(to, room, "%.4g KiB", (double)bytes / 1024);
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static void print_caches(struct text *t, const struct report *r)
{
	title(t, "Caches");
	for (size_t i = 0; i < r->n_caches; i++) {
		const struct machine_cache *c = &r->caches[i];
		char size[32];
		sized(size, sizeof size, c->size_bytes);
		if (i)
			new_line(t);
		word(t, "%u x L%u%s, %s, %u core%s each", c->count, c->level,
			c->level == 1 ? " data" : "", size, c->cores, plural(c->cores));
	}
	if (!r->n_caches)
		word(t, "unknown");
}

static void kind_name(const struct machine *m, int kind, char *name, size_t room)
{
	if (m->kinds == 2)
		snprintf(name, room, "%s", kind ? "P-cores" : "E-cores");
	else
		snprintf(name, room, "core kind %d", (int)m->kinds - kind);
}

// Cores and PUs of one kind among the allowed ones; os takes their numbers.
static unsigned pus_of_kind(const struct machine *m, int kind, unsigned *os, unsigned *cores)
{
	unsigned n = 0;

	*cores = 0;
	for (unsigned i = 0; i < m->allowed_pus; i++) {
		if (m->pu[i].kind != kind)
			continue;
		os[n++] = m->pu[i].os;
		*cores += m->pu[i].smt_rank == 0;
	}
	return n;
}

static void print_kinds(struct text *t, const struct report *r)
{
	unsigned *os = calloc(r->m.allowed_pus, sizeof *os), cores;
	char name[32];

	if (r->m.kinds < 2 || !os) {
		free(os);
		return;
	}
	title(t, "Core kinds");
	for (int kind = (int)r->m.kinds - 1; kind >= 0; kind--) {
		unsigned n = pus_of_kind(&r->m, kind, os, &cores);
		kind_name(&r->m, kind, name, sizeof name);
		if (kind < (int)r->m.kinds - 1)
			new_line(t);
		word(t, "%s: %u core%s, PU%s", name, cores, plural(cores), plural(n));
		ranges(t, os, n);
	}
	free(os);
}

static void print_machine(struct text *t, const struct report *r)
{
	const struct machine *m = &r->m;

	title(t, "Machine");
	words(t, m->this_machine || strcmp(m->cpu, "unknown") ? m->cpu : "CPU model unknown");
	if (!m->this_machine)
		word(t, "(a described machine, not this one)");
	new_line(t);
	word(t, "%u package%s,", m->packages, plural(m->packages));
	word(t, "%u NUMA node%s,", m->numa_nodes, plural(m->numa_nodes));
	word(t, "%u core%s,", m->cores, plural(m->cores));
	word(t, "%u PU%s", m->pus, plural(m->pus));
	words(t, m->pus > m->cores ? "(with SMT)" : "(no SMT)");
	title(t, "Allowed");
	word(t, "%u of %u PUs, on %u of %u cores", m->allowed_pus, m->pus, m->allowed_cores,
		m->cores);
	print_caches(t, r);
	print_kinds(t, r);
	if (m->this_machine) {
		char available[160];
		title(t, "Counters");
		words(t, counters_availability(available, sizeof available));
	}
	putchar('\n');
}

static void print_boundaries(struct text *t, const struct report *r, enum placement p)
{
	size_t n = r->n_boundaries[p];

	if (!n)
		return;
	new_line(t);
	words(t, "boundaries:");
	for (size_t i = 0; i < n && i < LISTED_MAX; i++)
		word(t, "%s after %u%s", r->boundaries[p][i].what, r->boundaries[p][i].after,
			i + 1 < n ? "," : "");
	if (n > LISTED_MAX)
		word(t, "and %zu more", n - LISTED_MAX);
}

// Ranges do not run across the beginning of slower cores or siblings.
static void print_order(struct text *t, const struct report *r, enum placement p)
{
	size_t begin = 0;

	for (size_t i = 0; i < r->n_boundaries[p]; i++) {
		const struct boundary *b = &r->boundaries[p][i];
		bool siblings = !strcmp(b->what, "SMT") && p != PLACEMENT_SMT;
		if (!siblings && !strstr(b->what, "core"))
			continue;
		ranges(t, r->order[p] + begin, b->after - begin);
		begin = b->after;
	}
	ranges(t, r->order[p] + begin, r->m.allowed_pus - begin);
}

static void print_placement(struct text *t, const struct report *r, enum placement p)
{
	title(t, placement_name(p));
	if (p == PLACEMENT_NONE)
		words(t, "unpinned: the scheduler decides");
	else
		print_order(t, r, p);
	print_boundaries(t, r, p);
	new_line(t);
	words(t, "worker counts:");
	for (size_t i = 0; i < r->n_counts[p]; i++)
		word(t, "%u", r->counts[p][i]);
}

static void print_warnings(struct text *t, const struct report *r)
{
	puts("\n");
	t->column = 0;
	title(t, "Warnings");
	if (!r->n_warnings)
		words(t, "none");
	for (size_t i = 0; i < r->n_warnings; i++) {
		if (i)
			new_line(t);
		words(t, r->warnings[i].text);
		new_line(t);
		printf("-> %s", r->warnings[i].remedy); // not wrapped: to be pasted
	}
	putchar('\n');
}

static void print_core(struct text *t, const struct report *r, unsigned i,
	bool (*together)(const struct report *, unsigned, unsigned))
{
	unsigned *os = calloc(r->m.allowed_pus, sizeof *os);
	size_t n = 0;

	for (unsigned j = 0; os && j < r->m.allowed_pus; j++)
		if (together(r, i, j))
			os[n++] = r->m.pu[j].os;
	if (n == 1)
		word(t, "no sibling");
	else
		ranges(t, os, n);
	free(os);
}

static void print_contradictions(struct text *t, const struct report *r)
{
	bool hidden = false, phantom = false;
	unsigned n = 0;

	for (unsigned i = 0; i < r->m.allowed_pus; i++) {
		if (!contradicts(r, i, &hidden, &phantom) || ++n > LISTED_MAX)
			continue;
		new_line(t);
		word(t, "PU %u: the system claims", r->m.pu[i].os);
		print_core(t, r, i, claimed);
		word(t, "- measured");
		print_core(t, r, i, measured);
	}
	if (!n && r->siblings.undecided == r->m.allowed_pus)
		return;
	new_line(t);
	if (n > LISTED_MAX) {
		word(t, "and %u PUs more", n - LISTED_MAX);
		new_line(t);
	}
	if (n)
		words(t, meaning(hidden, phantom));
	else
		words(t, "agrees with what the system claims");
}

static void print_groups(struct text *t, const struct report *r)
{
	unsigned groups = 0;

	new_line(t);
	words(t, "measured siblings:");
	for (unsigned i = 0; i < r->m.allowed_pus; i++) {
		if (r->siblings.state[i] != SMT_SHARED || r->siblings.group[i] != i)
			continue;
		if (++groups > LISTED_MAX)
			continue;
		word(t, "%s", groups > 1 ? "|" : "");
		print_core(t, r, i, measured);
	}
	if (groups > LISTED_MAX)
		word(t, "| and %u cores more", groups - LISTED_MAX);
	if (!groups)
		words(t, "none");
}

static void print_probe(struct text *t, const struct report *r)
{
	const struct smt_inference *s = &r->siblings;

	putchar('\n');
	t->column = 0;
	title(t, "SMT probe");
	word(t, "%u rounds of 5 ms, %.1f %% unexplained spread,", r->rounds, 100 * s->noise);
	word(t, "a sibling must slow a PU by %.0f %%", 100 * SMT_THRESHOLD);
	if (s->undecided) {
		new_line(t);
		word(t, "too noisy to tell for %u of %u PUs:", s->undecided, r->m.allowed_pus);
		words(t, "stop other work and run it again");
	}
	if (s->undecided < r->m.allowed_pus)
		print_groups(t, r);
	print_contradictions(t, r);
	putchar('\n');
}

static double one_way_ns(const struct core_to_core *c, unsigned a, unsigned b)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->pairs[i].from == (a < b ? a : b) && c->pairs[i].to == (a < b ? b : a))
			return c->pairs[i].one_way_ns;
	return 0;
}

static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return (x > y) - (x < y);
}

static void print_matrix(const struct report *r)
{
	unsigned n = r->m.allowed_pus, os[LISTED_MAX] = {0};

	for (unsigned i = 0; i < n; i++)
		os[i] = r->m.pu[i].os;
	qsort(os, n, sizeof *os, ascending);
	fputs("      ", stdout);
	for (unsigned j = 0; j < n; j++)
		printf("%6u", os[j]);
	for (unsigned i = 0; i < n; i++) {
		printf("\n%6u", os[i]);
		for (unsigned j = 0; j < n; j++) {
			double ns = one_way_ns(&r->latency, os[i], os[j]);
			if (ns > 0)
				printf("%6.*f", ns < 99.95, ns);
			else
				printf("%6s", i == j ? "-" : "?");
		}
	}
	putchar('\n');
}

static void print_latency(const struct report *r)
{
	const struct core_to_core *c = &r->latency;

	printf("\nCore to core  one-way ns of a cache line, compare-and-swap, %s%zu pair%s\n",
		c->sampled ? "a sample of " : "", c->count, c->count == 1 ? "" : "s");
	if (r->m.allowed_pus <= LISTED_MAX) {
		print_matrix(r);
		return;
	}
	printf("%-22s%8s%8s%8s%8s\n", "            sharing", "pairs", "least", "median", "most");
	for (int shared = 0; shared < SHARINGS; shared++) {
		struct core_summary s = core_to_core_summary(c, (enum core_sharing)shared);
		if (s.count)
			printf("%12s%-10s%8zu%8.1f%8.1f%8.1f\n", "",
				core_sharing_name((enum core_sharing)shared), s.count, s.least_ns,
				s.median_ns, s.most_ns);
	}
}

static void print_text(const struct report *r)
{
	struct text t = {0};

	print_machine(&t, r);
	puts("\nPlacement   the PUs in the order in which workers fill them");
	t.column = 0;
	for (int p = 0; p < PLACEMENTS; p++)
		print_placement(&t, r, (enum placement)p);
	print_warnings(&t, r);
	if (r->probed)
		print_probe(&t, r);
	if (r->latency.count)
		print_latency(r);
}

// ---- JSON: jansson's functions cope with a null that an earlier one returned, so memory is
// checked once, at the end

static json_t *json_numbers(const unsigned *x, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(x[i]));
	return list;
}

static void add_integer(json_t *o, const char *key, unsigned value)
{
	json_object_set_new(o, key, json_integer(value));
}

static json_t *json_caches(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_caches; i++) {
		const struct machine_cache *c = &r->caches[i];
		json_t *one = json_object();
		add_integer(one, "level", c->level);
		json_object_set_new(one, "type", json_string(c->type));
		json_object_set_new(one, "size_bytes", json_integer((json_int_t)c->size_bytes));
		add_integer(one, "count", c->count);
		add_integer(one, "cores", c->cores);
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *json_kinds(const struct report *r)
{
	json_t *list = json_array();
	unsigned *os = calloc(r->m.allowed_pus, sizeof *os), cores;
	char name[32] = "cores";

	for (int kind = (int)r->m.kinds - 1; os && kind >= 0; kind--) {
		json_t *one = json_object();
		unsigned n = pus_of_kind(&r->m, kind, os, &cores);
		if (r->m.kinds > 1)
			kind_name(&r->m, kind, name, sizeof name);
		json_object_set_new(one, "name", json_string(name));
		add_integer(one, "allowed_cores", cores);
		json_object_set_new(one, "pus", json_numbers(os, n));
		json_array_append_new(list, one);
	}
	free(os);
	return list;
}

static void add_placements(json_t *o, const struct report *r)
{
	json_t *orders = json_object(), *boundaries = json_object(), *counts = json_object();

	for (int p = 0; p < PLACEMENTS; p++) {
		const char *name = placement_name((enum placement)p);
		json_t *list = json_array();
		if (p != PLACEMENT_NONE)
			json_object_set_new(
				orders, name, json_numbers(r->order[p], r->m.allowed_pus));
		for (size_t i = 0; i < r->n_boundaries[p]; i++) {
			json_t *one = json_object();
			add_integer(one, "after", r->boundaries[p][i].after);
			json_object_set_new(one, "what", json_string(r->boundaries[p][i].what));
			json_array_append_new(list, one);
		}
		json_object_set_new(boundaries, name, list);
		json_object_set_new(counts, name, json_numbers(r->counts[p], r->n_counts[p]));
	}
	json_object_set_new(o, "placements", orders);
	json_object_set_new(o, "boundaries", boundaries);
	json_object_set_new(o, "counts", counts);
}

static json_t *json_warnings(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_warnings; i++) {
		json_t *one = json_object();
		json_object_set_new(one, "text", json_string(r->warnings[i].text));
		json_object_set_new(one, "remedy", json_string(r->warnings[i].remedy));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *json_core(const struct report *r, unsigned i,
	bool (*together)(const struct report *, unsigned, unsigned))
{
	json_t *list = json_array();

	for (unsigned j = 0; j < r->m.allowed_pus; j++)
		if (together(r, i, j))
			json_array_append_new(list, json_integer(r->m.pu[j].os));
	return list;
}

static json_t *json_probe(const struct report *r)
{
	json_t *o = json_object(), *siblings = json_array();
	json_t *contradictions = json_array(), *undecided = json_array();
	bool hidden = false, phantom = false;

	for (unsigned i = 0; i < r->m.allowed_pus; i++) {
		if (r->siblings.state[i] == SMT_SHARED && r->siblings.group[i] == i)
			json_array_append_new(siblings, json_core(r, i, measured));
		if (r->siblings.state[i] == SMT_UNDECIDED)
			json_array_append_new(undecided, json_integer(r->m.pu[i].os));
		if (!contradicts(r, i, &hidden, &phantom))
			continue;
		json_t *one = json_object();
		add_integer(one, "pu", r->m.pu[i].os);
		json_object_set_new(one, "claimed", json_core(r, i, claimed));
		json_object_set_new(one, "measured", json_core(r, i, measured));
		json_array_append_new(contradictions, one);
	}
	add_integer(o, "rounds", r->rounds);
	json_object_set_new(o, "noise", json_real(r->siblings.noise));
	json_object_set_new(o, "threshold", json_real(SMT_THRESHOLD));
	json_object_set_new(o, "siblings", siblings);
	json_object_set_new(o, "undecided", undecided);
	json_object_set_new(o, "contradictions", contradictions);
	if (hidden || phantom)
		json_object_set_new(o, "meaning", json_string(meaning(hidden, phantom)));
	return o;
}

static json_t *json_latency(const struct core_to_core *c)
{
	json_t *pairs = json_array(), *levels = json_array();

	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(
			pairs, json_pack("{s:i, s:i, s:f}", "from", (int)c->pairs[i].from, "to",
				       (int)c->pairs[i].to, "one_way_ns", c->pairs[i].one_way_ns));
	for (int shared = 0; shared < SHARINGS; shared++) {
		struct core_summary s = core_to_core_summary(c, (enum core_sharing)shared);
		if (s.count)
			json_array_append_new(
				levels, json_pack("{s:s, s:i, s:f, s:f, s:f}", "shared",
						core_sharing_name((enum core_sharing)shared),
						"pairs", (int)s.count, "least_ns", s.least_ns,
						"median_ns", s.median_ns, "most_ns", s.most_ns));
	}
	return json_pack(
		"{s:b, s:o, s:o}", "sampled", c->sampled, "pairs", pairs, "levels", levels);
}

// One line a key: short enough to read, and lists of 448 PUs stay on one line.
static int print_object(const json_t *o)
{
	const char *key, *separator = "{\n";
	json_t *value;

	json_object_foreach ((json_t *)o, key, value) {
		printf("%s  \"%s\": ", separator, key);
		if (json_dumpf(value, stdout, JSON_ENCODE_ANY))
			return -ENOMEM;
		separator = ",\n";
	}
	puts("\n}");
	return 0;
}

static int print_json(const struct report *r)
{
	json_t *o = json_object();
	const struct machine *m = &r->m;

	add_integer(o, "packages", m->packages);
	add_integer(o, "numa_nodes", m->numa_nodes);
	add_integer(o, "cores", m->cores);
	add_integer(o, "pus", m->pus);
	add_integer(o, "allowed_pus", m->allowed_pus);
	add_integer(o, "allowed_cores", m->allowed_cores);
	json_object_set_new(o, "this_machine", json_boolean(m->this_machine));
	json_object_set_new(o, "cpu", json_string(m->cpu));
	add_integer(o, "kinds", m->kinds);
	json_object_set_new(o, "core_kinds", json_kinds(r));
	json_object_set_new(o, "caches", json_caches(r));
	add_placements(o, r);
	if (m->this_machine) {
		char available[160];
		json_object_set_new(o, "hardware_counters",
			json_string(counters_availability(available, sizeof available)));
	}
	json_object_set_new(o, "warnings", json_warnings(r));
	if (r->probed)
		json_object_set_new(o, "probe", json_probe(r));
	if (r->latency.count)
		json_object_set_new(o, "core_to_core", json_latency(&r->latency));
	int err = o ? print_object(o) : -ENOMEM;
	json_decref(o);
	return err;
}

int cmd_machine(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse, NULL,
		"Describe this machine, or another one, and the order in which workers fill its "
		"PUs.",
		NULL, NULL, NULL};
	struct options o = {0};
	struct report r = {0};
	struct error e = {"not enough memory"};

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o))
		return EXIT_USAGE;
	if (machine_load(&r.m, o.topology, &e)) {
		fprintf(stderr, "%s: %s\n", argv[0], e.text);
		return o.topology ? EXIT_USAGE : EXIT_FAILED;
	}
	int err = gather(&r, &o, &e);
	if (!err && o.json)
		err = print_json(&r);
	else if (!err)
		print_text(&r);
	if (err)
		fprintf(stderr, "%s: %s\n", argv[0], e.text);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write the output: %s\n", argv[0], strerror(errno));
		err = -EIO;
	}
	release(&r);
	return err ? EXIT_FAILED : 0;
}
