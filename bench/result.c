// SPDX-License-Identifier: BSD-2-Clause
// Reads benchmark.json into a struct result: Google Benchmark's schema with lockscale's fields.
// Files come from other machines and from hands, so every type is checked before it is used, and
// a message names file, entry and field.
#include "result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

enum { PATH_LEN = 4096, MAX_WORKERS = 1 << 20 };

// An object being read, and how to name it in a message.
struct object {
	const json_t *json;
	const char *file;
	char name[160]; // "benchmarks[3] (counter/private/...)", "context.lockscale"
	struct error *error;
};

static int wrong(const struct object *o, const char *field, const char *what)
{
	return error_set(
		o->error, EINVAL, "%.220s: %s: field \"%s\" %s", o->file, o->name, field, what);
}

// Fields. All return 0 or a negative errno with the message set; an absent or null field that is
// not required leaves *out as it is.

static int get_number(const struct object *o, const char *field, bool required, double *out)
{
	const json_t *v = json_object_get(o->json, field);
	if (!v || json_is_null(v))
		return required ? wrong(o, field, "is missing") : 0;
	if (!json_is_number(v))
		return wrong(o, field, "is not a number");
	double number = json_number_value(v);
	if (!isfinite(number) || number < 0)
		return wrong(o, field, "is negative or not finite");
	*out = number;
	return 0;
}

static int get_count(
	const struct object *o, const char *field, bool required, uint64_t max, uint64_t *out)
{
	const json_t *v = json_object_get(o->json, field);
	if (json_is_integer(v) && json_integer_value(v) >= 0 &&
		(uint64_t)json_integer_value(v) <= max) {
		*out = (uint64_t)json_integer_value(v);
		return 0;
	}
	// Google Benchmark writes its counters as reals.
	double number = (double)*out;
	int rc = get_number(o, field, required, &number);
	if (rc)
		return rc;
	if (number != floor(number) || number > (double)max)
		return wrong(o, field, "is not a whole number, or out of range");
	if (v && !json_is_null(v))
		*out = (uint64_t)number;
	return 0;
}

static int get_unsigned(const struct object *o, const char *field, bool required, unsigned *out)
{
	uint64_t count = *out;
	int rc = get_count(o, field, required, UINT32_MAX, &count);
	*out = (unsigned)count;
	return rc;
}

static int get_flag(const struct object *o, const char *field, bool *out)
{
	const json_t *v = json_object_get(o->json, field);
	if (json_is_boolean(v)) {
		*out = json_is_true(v);
		return 0;
	}
	uint64_t flag = *out;
	if (get_count(o, field, false, 1, &flag))
		return wrong(o, field, "is neither true nor false");
	*out = flag;
	return 0;
}

// Texts for people: cut at size (not within a UTF-8 character), control characters blanked.
static int get_text(const struct object *o, const char *field, char *out, size_t size)
{
	const json_t *v = json_object_get(o->json, field);
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return wrong(o, field, "is not a string");
	const char *text = json_string_value(v);
	size_t n = strlen(text);
	if (n >= size) {
		n = size - 1;
		while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? ' ' : text[i];
	out[n] = '\0';
	return 0;
}

static const char *name_flaw(const char *text)
{
	if (strlen(text) >= NAME_LEN)
		return "is too long (47 characters at most)";
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 127 || *c == '/')
			return "has a blank, a slash or a control character";
	}
	return NULL;
}

// Names that end up in file names and table columns: never cut, no blanks, no slashes.
static int get_name(const struct object *o, const char *field, bool required, char *out)
{
	const json_t *v = json_object_get(o->json, field);
	if (!v || json_is_null(v))
		return required ? wrong(o, field, "is missing") : 0;
	if (!json_is_string(v))
		return wrong(o, field, "is not a string");
	const char *text = json_string_value(v);
	if (required && !*text)
		return wrong(o, field, "is empty");
	const char *flaw = name_flaw(text);
	if (flaw)
		return wrong(o, field, flaw);
	strcpy(out, text);
	return 0;
}

// Entries

static int read_point(const struct object *o, struct point *p)
{
	int rc = get_name(o, "kernel", true, p->kernel);
	if (!rc)
		rc = get_name(o, "strategy", true, p->strategy);
	if (!rc)
		rc = get_name(o, "lock", false, p->lock);
	if (!rc)
		rc = get_name(o, "placement", true, p->placement);
	uint64_t threads = 0;
	if (!rc)
		rc = get_count(o, "threads", true, MAX_WORKERS, &threads);
	if (!rc && !threads)
		rc = wrong(o, "threads", "is 0");
	p->threads = (unsigned)threads;
	return rc;
}

static int read_lost_updates(const struct object *o, int64_t *out)
{
	const json_t *v = json_object_get(o->json, "lost_updates");
	if (json_is_integer(v)) { // may be negative: updates that took effect twice
		*out = json_integer_value(v);
		return 0;
	}
	double number = json_is_real(v) ? json_real_value(v) : 0;
	if (v && !json_is_null(v) && !json_is_real(v))
		return wrong(o, "lost_updates", "is not a number");
	if (number != floor(number) || fabs(number) > 9e18)
		return wrong(o, "lost_updates", "is not a whole number, or out of range");
	*out = (int64_t)number;
	return 0;
}

static int read_measures(const struct object *o, struct sample *s)
{
	const struct {
		const char *field;
		bool required;
		double *out;
	} number[] = {
		{"ops_per_second", true, &s->ops_per_second},
		{"start_skew_ns", false, &s->start_skew_ns},
		{"line_ns", false, &s->line_ns},
		{"ops_min", false, &s->ops_min},
		{"ops_max", false, &s->ops_max},
		{"seconds", false, &s->seconds},
		{"foreign_ns", false, &s->foreign_ns},
		{"cycles", false, &s->cycles},
		{"instructions", false, &s->instructions},
		{"cache_misses", false, &s->cache_misses},
		{"stolen_ns", false, &s->stolen_ns},
		{"failed_per_second", false, &s->failed_per_second},
		{"memory_bytes", false, &s->memory_bytes},
	};
	for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
		int rc = get_number(o, number[i].field, number[i].required, number[i].out);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_counts(const struct object *o, struct sample *s)
{
	const struct {
		const char *field;
		uint64_t *out;
	} count[] = {
		{"involuntary_switches", &s->involuntary_switches},
		{"voluntary_switches", &s->voluntary_switches},
		{"page_faults", &s->page_faults},
		{"migrations", &s->migrations},
	};
	for (size_t i = 0; i < sizeof count / sizeof *count; i++) {
		int rc = get_count(o, count[i].field, false, INT64_MAX, count[i].out);
		if (rc)
			return rc;
	}
	unsigned mode = 0;
	int rc = get_unsigned(o, "process", false, &s->process);
	if (!rc)
		rc = get_unsigned(o, "sample", false, &s->sample);
	if (!rc)
		rc = get_unsigned(o, "tries", false, &s->tries);
	if (!rc)
		rc = get_unsigned(o, "mode", false, &mode);
	s->mode = mode < MAX_WORKERS ? (int)mode : 0;
	return rc;
}

static int read_worker_ops(const struct object *o, struct sample *s)
{
	const json_t *list = json_object_get(o->json, "worker_ops"), *v;
	size_t i;
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) != s->point.threads)
		return wrong(o, "worker_ops", "is not a list with one number per worker");
	s->worker_ops = calloc(s->point.threads, sizeof *s->worker_ops);
	if (!s->worker_ops)
		return error_set(o->error, ENOMEM, "%.220s: out of memory", o->file);
	json_array_foreach (list, i, v) {
		s->worker_ops[i] = json_number_value(v);
		if (!json_is_number(v) || !(s->worker_ops[i] >= 0))
			return wrong(o, "worker_ops", "holds something other than numbers");
	}
	return 0;
}

// In the order of the file, which is the kernel's.
static int read_kernel_counts(
	const struct object *o, const char *field, bool level, struct sample *s)
{
	json_t *all = json_object_get(o->json, field), *value;
	const char *name;
	if (!all || json_is_null(all))
		return 0;
	if (!json_is_object(all))
		return wrong(o, field, "is not an object");
	size_t room = s->count_count + json_object_size(all);
	struct result_count *more = realloc(s->counts, (room + 1) * sizeof *more);
	if (!more)
		return error_set(o->error, ENOMEM, "%.220s: out of memory", o->file);
	s->counts = more;
	json_object_foreach (all, name, value) {
		struct result_count *c = &s->counts[s->count_count];
		*c = (struct result_count){.value = json_number_value(value), .level = level};
		if (!*name || name_flaw(name))
			return wrong(o, field, "holds an impossible name");
		if (!json_is_number(value) || !isfinite(c->value) || c->value < 0)
			return wrong(o, field, "holds something other than numbers from 0");
		strcpy(c->name, name);
		s->count_count++;
	}
	return 0;
}

static int read_sample(const struct object *o, struct sample *s)
{
	*s = (struct sample){0};
	int rc = read_point(o, &s->point);
	if (!rc)
		rc = read_measures(o, s);
	if (!rc)
		rc = read_counts(o, s);
	if (!rc)
		rc = get_flag(o, "disturbed", &s->disturbed);
	if (!rc)
		rc = read_lost_updates(o, &s->lost_updates);
	if (!rc)
		rc = read_worker_ops(o, s);
	if (!rc)
		rc = read_kernel_counts(o, "counts", false, s);
	if (!rc)
		rc = read_kernel_counts(o, "levels", true, s);
	return rc;
}

static int read_failure(const struct object *o, struct failure *f)
{
	*f = (struct failure){0};
	int rc = read_point(o, &f->point);
	if (!rc)
		rc = get_text(o, "error_message", f->why, sizeof f->why);
	if (!rc && !*f->why)
		strcpy(f->why, "no reason recorded");
	return rc;
}

static const struct result_unit *find_unit(const struct result *r, const char *kernel)
{
	for (size_t i = r->unit_count; i--;) { // entries of a kernel mostly come together
		if (!strcmp(r->units[i].kernel, kernel))
			return &r->units[i];
	}
	return NULL;
}

static int read_unit(const struct object *o, const char *kernel, struct result *r)
{
	struct result_unit unit = {0};
	int rc = get_text(o, "unit", unit.unit, sizeof unit.unit);
	if (rc || !*unit.unit || find_unit(r, kernel))
		return rc;
	strcpy(unit.kernel, kernel);
	struct result_unit *more = realloc(r->units, (r->unit_count + 1) * sizeof *more);
	if (!more)
		return error_set(o->error, ENOMEM, "%.220s: out of memory", o->file);
	r->units = more;
	r->units[r->unit_count++] = unit;
	return 0;
}

static int read_entry(struct object *o, struct result *r)
{
	char run_type[32] = "iteration"; // Google Benchmark before 1.5 did not say
	int rc = get_text(o, "run_type", run_type, sizeof run_type);
	if (rc || strcmp(run_type, "iteration"))
		return rc;
	bool failed = false;
	rc = get_flag(o, "error_occurred", &failed);
	if (rc)
		return rc;
	if (failed) {
		rc = read_failure(o, &r->failures[r->failure_count]);
		r->failure_count += !rc;
		return rc;
	}
	struct sample *s = &r->samples[r->sample_count];
	rc = read_sample(o, s);
	if (rc) {
		free(s->worker_ops);
		free(s->counts);
	}
	if (!rc)
		rc = read_unit(o, s->point.kernel, r);
	r->sample_count += !rc;
	return rc;
}

static int read_benchmarks(const json_t *root, const char *file, struct result *r, struct error *e)
{
	const json_t *list = json_object_get(root, "benchmarks");
	if (!list)
		return error_set(e, EINVAL, "%.220s: field \"benchmarks\" is missing", file);
	if (!json_is_array(list))
		return error_set(e, EINVAL, "%.220s: field \"benchmarks\" is not a list", file);
	size_t n = json_array_size(list);
	r->samples = calloc(n + 1, sizeof *r->samples);
	r->failures = calloc(n + 1, sizeof *r->failures);
	if (!r->samples || !r->failures)
		return error_set(e, ENOMEM, "%.220s: out of memory for %zu entries", file, n);
	for (size_t i = 0; i < n; i++) {
		struct object o = {.json = json_array_get(list, i), .file = file, .error = e};
		const char *name = json_string_value(json_object_get(o.json, "name"));
		snprintf(o.name, sizeof o.name, "benchmarks[%zu]%s%.120s%s", i, name ? " (" : "",
			name ? name : "", name ? ")" : "");
		if (!json_is_object(o.json))
			return error_set(e, EINVAL, "%.220s: %s is not an object", file, o.name);
		int rc = read_entry(&o, r);
		if (rc)
			return rc;
	}
	return 0;
}

// Context

static int read_boundary(const struct object *o, const char *placement, struct result *r)
{
	struct result_boundary b = {0};
	if (!json_is_object(o->json))
		return error_set(o->error, EINVAL, "%.220s: %s is not an object", o->file, o->name);
	int rc = get_unsigned(o, "after", true, &b.after);
	if (!rc)
		rc = get_text(o, "what", b.what, sizeof b.what);
	if (rc)
		return rc;
	snprintf(b.placement, sizeof b.placement, "%s", placement);
	struct result_boundary *more =
		realloc(r->boundaries, (r->boundary_count + 1) * sizeof *more);
	if (!more)
		return error_set(o->error, ENOMEM, "%.220s: out of memory", o->file);
	r->boundaries = more;
	r->boundaries[r->boundary_count++] = b;
	return 0;
}

static int read_boundaries(const struct object *context, struct result *r)
{
	json_t *all = json_object_get(context->json, "boundaries");
	if (all && !json_is_object(all) && !json_is_null(all))
		return wrong(context, "boundaries", "is not an object");
	const char *placement;
	json_t *list;
	json_object_foreach (all, placement, list) {
		if (!json_is_array(list))
			return wrong(context, "boundaries", "holds something other than lists");
		if (name_flaw(placement))
			return wrong(context, "boundaries", "names an impossible placement");
		for (size_t i = 0; i < json_array_size(list); i++) {
			struct object o = *context;
			o.json = json_array_get(list, i);
			snprintf(o.name, sizeof o.name, "context.lockscale.boundaries.%.60s[%zu]",
				placement, i);
			int rc = read_boundary(&o, placement, r);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int read_params(const struct object *context, struct result *r)
{
	struct object o = *context;
	const char *name;
	json_t *value;
	o.json = json_object_get(context->json, "params");
	if (o.json && !json_is_object(o.json) && !json_is_null(o.json))
		return wrong(context, "params", "is not an object");
	r->params = calloc(json_object_size(o.json) + 1, sizeof *r->params);
	if (!r->params)
		return error_set(o.error, ENOMEM, "%.220s: out of memory", o.file);
	snprintf(o.name, sizeof o.name, "context.lockscale.params");
	json_object_foreach ((json_t *)o.json, name, value) {
		struct result_param *p = &r->params[r->param_count++];
		snprintf(p->name, sizeof p->name, "%s", name);
		int rc = get_text(&o, name, p->value, sizeof p->value);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_locks(const struct object *context, struct result *r)
{
	json_t *all = json_object_get(context->json, "locks"), *lock;
	const char *name;
	if (!all || json_is_null(all))
		return 0;
	if (!json_is_object(all))
		return wrong(context, "locks", "is not an object");
	r->locks = calloc(json_object_size(all) + 1, sizeof *r->locks);
	if (!r->locks)
		return error_set(context->error, ENOMEM, "%.220s: out of memory", context->file);
	json_object_foreach (all, name, lock) {
		struct object o = *context;
		struct result_lock *l = &r->locks[r->lock_count];
		o.json = lock;
		snprintf(o.name, sizeof o.name, "context.lockscale.locks.%.60s", name);
		if (!json_is_object(lock) || !*name || name_flaw(name))
			return wrong(context, "locks", "holds something other than named objects");
		int rc = get_flag(&o, "fifo", &l->fifo);
		if (rc)
			return rc;
		strcpy(l->name, name);
		r->lock_count++;
	}
	return 0;
}

static int read_texts(const struct object *o, struct result *r)
{
	int rc = get_text(o, "name", r->name, sizeof r->name);
	if (!rc)
		rc = get_text(o, "host", r->host, sizeof r->host);
	if (!rc)
		rc = get_text(o, "cpu", r->cpu, sizeof r->cpu);
	if (!rc)
		rc = get_text(o, "date", r->date, sizeof r->date);
	if (!rc)
		rc = get_text(o, "version", r->version, sizeof r->version);
	if (!rc)
		rc = get_count(o, "seed", false, INT64_MAX, &r->seed);
	if (!rc)
		rc = get_number(o, "window_ms", false, &r->window_ms);
	return rc;
}

static int read_machine(const struct object *o, struct result *r)
{
	const struct {
		const char *field;
		unsigned *out;
	} count[] = {
		{"packages", &r->packages},
		{"numa_nodes", &r->numa_nodes},
		{"cores", &r->cores},
		{"pus", &r->pus},
		{"allowed_cores", &r->allowed_cores},
		{"allowed_pus", &r->allowed_pus},
	};
	for (size_t i = 0; i < sizeof count / sizeof *count; i++) {
		int rc = get_unsigned(o, count[i].field, false, count[i].out);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_context(const json_t *root, const char *file, struct result *r, struct error *e)
{
	struct object google = {json_object_get(root, "context"), file, "context", e};
	struct object ours = {
		json_object_get(google.json, "lockscale"), file, "context.lockscale", e};
	if (google.json && !json_is_object(google.json))
		return error_set(e, EINVAL, "%.220s: field \"context\" is not an object", file);
	if (ours.json && !json_is_object(ours.json))
		return wrong(&google, "lockscale", "is not an object");
	// Google's own fields first, so that ours win.
	int rc = get_text(&google, "host_name", r->host, sizeof r->host);
	if (!rc)
		rc = get_text(&google, "date", r->date, sizeof r->date);
	if (!rc)
		rc = read_texts(&ours, r);
	if (!rc)
		rc = read_machine(&ours, r);
	if (!rc)
		rc = read_boundaries(&ours, r);
	if (!rc)
		rc = read_params(&ours, r);
	if (!rc)
		rc = read_locks(&ours, r);
	return rc;
}

// Latency samples

static int read_buckets(const struct object *o, struct latency_sample *l)
{
	const json_t *list = json_object_get(o->json, "buckets"), *v;
	size_t i;
	uint64_t sum = 0;
	if (!json_is_array(list))
		return wrong(o, "buckets", "is not a list");
	l->buckets = calloc(json_array_size(list) + 1, sizeof *l->buckets);
	if (!l->buckets)
		return error_set(o->error, ENOMEM, "%.220s: out of memory", o->file);
	json_array_foreach (list, i, v) {
		json_int_t ns, count;
		if (json_unpack((json_t *)v, "[I, I]", &ns, &count) < 0 || ns < 0 || count < 0)
			return wrong(o, "buckets", "holds something other than pairs of counts");
		l->buckets[l->bucket_count++] =
			(struct latency_bucket){(uint64_t)ns, (uint64_t)count};
		sum += (uint64_t)count;
	}
	return sum == l->acquisitions ? 0 : wrong(o, "buckets", "does not add up to count");
}

static int read_latency(const struct object *o, struct latency_sample *l)
{
	int rc = read_point(o, &l->point);
	if (!rc)
		rc = get_unsigned(o, "process", false, &l->process);
	if (!rc)
		rc = get_unsigned(o, "sample", false, &l->sample);
	if (!rc)
		rc = get_count(o, "count", true, INT64_MAX, &l->acquisitions);
	if (!rc)
		rc = get_count(o, "max", true, INT64_MAX, &l->max_ns);
	if (!rc)
		rc = get_number(o, "clock_ns", false, &l->clock_ns);
	if (!rc)
		rc = get_number(o, "line_ns", false, &l->line_ns);
	if (!rc)
		rc = get_flag(o, "disturbed", &l->disturbed);
	strcpy(l->what, "acquire"); /* what older files hold */
	if (!rc)
		rc = get_text(o, "what", l->what, sizeof l->what);
	return rc ? rc : read_buckets(o, l);
}

static int add_latency(const char *text, struct object *o, struct result *r)
{
	json_error_t why;
	json_t *line = json_loads(text, 0, &why);
	struct latency_sample *more = realloc(r->latencies, (r->latency_count + 1) * sizeof *more);
	if (more)
		r->latencies = more;
	if (!line || !more) {
		json_decref(line);
		return error_set(o->error, line ? ENOMEM : EINVAL, "%.220s: %s: %s", o->file,
			o->name, line ? "out of memory" : why.text);
	}
	r->latencies[r->latency_count] = (struct latency_sample){0};
	o->json = line;
	int rc = read_latency(o, &r->latencies[r->latency_count++]);
	json_decref(line);
	return rc;
}

// Beside benchmark.json; where there is none the run had no latency samples.
static int read_latencies(const char *file, struct result *r, struct error *e)
{
	char path[PATH_LEN], *text = NULL;
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	size_t room = 0;
	int rc = 0;
	if ((size_t)snprintf(path, sizeof path, "%.*slatency.jsonl", (int)(name - file), file) >=
			sizeof path ||
		strcmp(name, "benchmark.json"))
		return 0;
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	for (unsigned number = 1; !rc && getline(&text, &room, f) > 0; number++) {
		struct object o = {.file = path, .error = e};
		snprintf(o.name, sizeof o.name, "line %u", number);
		rc = add_latency(text, &o, r);
	}
	free(text);
	fclose(f);
	return rc;
}

// What nobody told is taken from what was measured.
static void fill_gaps(struct result *r)
{
	unsigned most = 1;
	for (size_t i = 0; i < r->sample_count; i++) {
		if (r->samples[i].point.threads > most)
			most = r->samples[i].point.threads;
	}
	if (!r->allowed_cores)
		r->allowed_cores = r->cores ? r->cores : most;
	if (!r->cores)
		r->cores = r->allowed_cores;
	if (!r->allowed_pus)
		r->allowed_pus = r->pus > r->allowed_cores ? r->pus : r->allowed_cores;
	if (!r->pus)
		r->pus = r->allowed_pus > r->cores ? r->allowed_pus : r->cores;
	if (!r->packages)
		r->packages = 1;
	if (!r->numa_nodes)
		r->numa_nodes = 1;
	for (size_t i = 0; i < r->sample_count; i++) {
		struct sample *s = &r->samples[i];
		if (!s->tries)
			s->tries = 1;
		if (!s->seconds)
			s->seconds = r->window_ms / 1000;
	}
}

// Files

static bool newer(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

// The file to read for `dir`, after bringing it up to date with the journal beside it.
static int locate(const char *dir, char *file, size_t size, struct error *e)
{
	struct stat st, json, journal;
	if (stat(dir, &st))
		return error_set(e, errno,
			"%.220s: %s; expected a result directory or a "
			"benchmark.json",
			dir, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		snprintf(file, size, "%s", dir);
		return 0;
	}
	char log[PATH_LEN];
	if ((size_t)snprintf(file, size, "%s/benchmark.json", dir) >= size ||
		(size_t)snprintf(log, sizeof log, "%s/journal.jsonl", dir) >= sizeof log)
		return error_set(e, ENAMETOOLONG, "%.220s...: path too long", dir);
	bool has_json = !stat(file, &json), has_journal = !stat(log, &journal);
	if (!has_json && !has_journal)
		return error_set(e, ENOENT,
			"%.220s: not a result directory: it has neither "
			"benchmark.json nor journal.jsonl (`lockscale run` writes both)",
			dir);
	if (has_journal && (!has_json || newer(&journal, &json)))
		return journal_to_result_file(dir, e);
	return 0;
}

static void name_from_path(struct result *r, const char *dir)
{
	size_t n = strlen(dir);
	while (n > 1 && dir[n - 1] == '/')
		n--;
	size_t start = n;
	while (start && dir[start - 1] != '/')
		start--;
	snprintf(r->name, sizeof r->name, "%.*s", (int)(n - start), dir + start);
}

static int read_root(const json_t *root, const char *file, struct result *r, struct error *e)
{
	if (!json_is_object(root))
		return error_set(e, EINVAL, "%.220s: not an object", file);
	int rc = read_context(root, file, r, e);
	if (!rc)
		rc = read_benchmarks(root, file, r, e);
	return rc;
}

int result_load(struct result *r, const char *dir, struct error *e)
{
	*r = (struct result){0};
	char file[PATH_LEN];
	int rc = locate(dir, file, sizeof file, e);
	if (rc)
		return rc;
	json_error_t why;
	json_t *root = json_load_file(file, 0, &why);
	if (!root) {
		int code = json_error_code(&why) == json_error_cannot_open_file ? EIO : EINVAL;
		return error_set(e, code, "%.220s:%d:%d: %s", file, why.line, why.column, why.text);
	}
	name_from_path(r, dir);
	rc = read_root(root, file, r, e);
	json_decref(root);
	if (!rc)
		rc = read_latencies(file, r, e);
	if (rc)
		result_free(r);
	else
		fill_gaps(r);
	return rc;
}

void result_free(struct result *r)
{
	for (size_t i = 0; i < r->sample_count; i++) {
		free(r->samples[i].worker_ops);
		free(r->samples[i].counts);
	}
	for (size_t i = 0; i < r->latency_count; i++)
		free(r->latencies[i].buckets);
	free(r->latencies);
	free(r->locks);
	free(r->samples);
	free(r->failures);
	free(r->boundaries);
	free(r->units);
	free(r->params);
	*r = (struct result){0};
}

// Names and order

const char *result_unit(const struct result *r, const char *kernel)
{
	const struct result_unit *unit = find_unit(r, kernel);
	return unit ? unit->unit : "operations";
}

const char *result_param(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->param_count; i++)
		if (!strcmp(r->params[i].name, name))
			return r->params[i].value;
	return NULL;
}

bool same_variant(const struct point *a, const struct point *b)
{
	return !strcmp(a->kernel, b->kernel) && !strcmp(a->strategy, b->strategy) &&
	       !strcmp(a->lock, b->lock);
}

bool same_point(const struct point *a, const struct point *b)
{
	return !point_compare(a, b);
}

int point_compare(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	int order = strcmp(x->kernel, y->kernel);
	if (!order)
		order = strcmp(x->strategy, y->strategy);
	if (!order)
		order = strcmp(x->lock, y->lock);
	if (!order)
		order = strcmp(x->placement, y->placement);
	if (!order)
		order = (x->threads > y->threads) - (x->threads < y->threads);
	return order;
}

char *variant_name(const struct point *p, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s%s%s", p->kernel, p->strategy, *p->lock ? "/" : "", p->lock);
	return buf;
}

char *point_name(const struct point *p, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s%s%s/placement:%s/threads:%u", p->kernel, p->strategy,
		*p->lock ? "/" : "", p->lock, p->placement, p->threads);
	return buf;
}
