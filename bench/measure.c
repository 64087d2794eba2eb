// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog.h"
#include "foreign.h"
#include "locality.h"
#include "measure.h"
#include "trial.h"

enum { KERNELS_MOST = 256, PARAMS_MOST = 32, NO_MEMORY = 3, SPARE_TRIES = 60 };
// Where the measuring process speaks: stdout is for what a plugin may print, and leads to stderr.
enum { LINES_FD = 9 };

/* The run's end. */

// How to start this program again: a wrapper may have to set up its libraries first.
static const char *own_program(void)
{
	const char *wrapper = getenv("LOCKSCALE_EXE");
	return wrapper && *wrapper ? wrapper : "/proc/self/exe";
}

static json_t *orders(const struct plan *p, const struct visit *visits, size_t count,
	bool interposed, const char *pictures)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
			json_pack("[i, i, i, b]", (int)visits[i].point, (int)visits[i].process,
				(int)visits[i].sample, visits[i].latency));
	return json_pack("{s:o, s:o, s:b, s:s?}", "plan", plan_to_json(p), "visits", list,
		"interposed", interposed, "pictures", pictures);
}

// Without the library also where this process was started with it: the two are compared.
static void set_preload(const struct plan *p, bool interposed)
{
	if (interposed)
		setenv("LD_PRELOAD", json_string_value(p->preload), 1);
	else if (p->preload)
		unsetenv("LD_PRELOAD");
}

// Some allocators that a kernel loads have more static thread-local memory than the C library keeps
// for what is loaded late, unless it is told before a process starts.
static void make_room_for_libraries(void)
{
	char text[4096];
	const char *given = getenv("GLIBC_TUNABLES");
	snprintf(text, sizeof text, "glibc.rtld.optional_static_tls=16384%s%s", given ? ":" : "",
		given ? given : ""); /* what is given comes last, and wins */
	setenv("GLIBC_TUNABLES", text, 1);
}

static void become_measuring_process(int in, int out, const struct plan *p, bool interposed)
{
	/* It must not outlive a run that is killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	/* Ctrl-C reaches the whole group; what to do about it is the run's to say. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	set_preload(p, interposed);
	make_room_for_libraries();
	execl(own_program(), "lockscale", "_measure", (char *)NULL);
	_exit(127);
}

static int send_orders(int fd, json_t *orders)
{
	int rc = json_dumpfd(orders, fd, JSON_COMPACT);
	json_decref(orders);
	return rc;
}

static int start(struct measuring *m, const struct plan *p, const struct visit *visits,
	size_t count, bool interposed, const char *pictures, struct error *e)
{
	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC) < 0)
		return error_set(e, errno, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return error_set(e, EMFILE, "cannot make a pipe: too many open files");
	}
	m->pid = fork();
	if (m->pid == 0)
		become_measuring_process(in[0], out[1], p, interposed);
	close(in[0]);
	close(out[1]);
	m->from = out[0];
	int rc = m->pid < 0 ? -errno
			    : send_orders(in[1], orders(p, visits, count, interposed, pictures));
	close(in[1]);
	if (m->pid < 0) {
		close(out[0]);
		return error_set(e, -rc, "cannot start a measuring process: %s", strerror(-rc));
	}
	return 0; /* if it did not take its orders it has ended, which the run will notice */
}

int measure_start(struct measuring *m, const struct plan *p, const struct visit *visits,
	size_t count, const char *pictures, struct error *e)
{
	bool interposed = count > 0 && plan_interposed(p, visits);
	return start(m, p, visits, count, interposed, pictures, e);
}

int measure_try_preload(const struct plan *p, struct error *e)
{
	struct measuring m;
	const char *preload = json_string_value(p->preload);
	/* The process may end before it has taken its orders. */
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	int status = 0, rc = start(&m, p, NULL, 0, true, NULL, e);
	signal(SIGPIPE, before);
	if (rc)
		return rc;
	while (waitpid(m.pid, &status, 0) < 0 && errno == EINTR)
		;
	close(m.from);
	if (WIFSIGNALED(status))
		return error_set(e, EINVAL,
			"--interpose %s: a process that it is preloaded into is killed by signal "
			"%d (%s)",
			preload, WTERMSIG(status), strsignal(WTERMSIG(status)));
	return !WEXITSTATUS(status)
		       ? 0
		       : error_set(e, EINVAL, "--interpose %s: nothing can be measured with it",
				 preload);
}

/* The measuring process's end. */

// What a kernel, or an instance of it, made ready.
struct prepared {
	struct prepared *next;
	const struct kernel *kernel;
	char name[NAME_LEN]; // the instance's
	struct input input;
	const char *values[PARAMS_MOST];
	char settings[PARAMS_MOST][NAME_LEN]; // values that are the instance's own
};

// Everything it keeps from visit to visit.
struct desk {
	struct machine machine;
	struct plan plan;
	struct trial_settings settings;
	unsigned spare_tries; // for disturbed samples: on a busy machine a run must end too
	unsigned workers_most;
	const char *pictures;          // folder or null
	struct team *team[PLACEMENTS]; // made when first needed
	unsigned *order[PLACEMENTS];   // its PUs
	struct probe *probe;
	struct prepared *prepared; // inputs, made when first needed
	bool drawn[KERNELS_MOST];  // by position in the catalog
	struct worker_record *record;
	struct latency_log *latency; // one per worker, where the plan has latency samples
	struct latency_clock clock;
};

static void say(json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(12));
	if (!text)
		exit(NO_MEMORY);
	size_t size = strlen(text);
	text[size] = '\n';
	/* If nobody listens any more there is nothing left to do: SIGPIPE ends the process. */
	for (size_t at = 0; at <= size;) {
		ssize_t n = write(LINES_FD, text + at, size + 1 - at);
		if (n > 0)
			at += (size_t)n;
		else if (errno != EINTR)
			exit(1);
	}
	free(text);
	json_decref(line);
}

static void alive(void *desk)
{
	(void)desk;
	say(json_pack("{s:s}", "type", "alive"));
}

// The instance's own setting, else the user's, else the default.
static void fill_values(struct prepared *to, const json_t *params)
{
	const struct kernel *k = to->kernel;
	const char **values = to->values;
	char name[128];
	for (size_t i = 0; k->params && k->params[i].name; i++) {
		snprintf(name, sizeof name, "%s.%s", k->name, k->params[i].name);
		const char *given = json_string_value(json_object_get(params, name));
		values[i] = given ? given : k->params[i].value;
		if (catalog_setting(to->name, k->params[i].name, to->settings[i], NAME_LEN))
			values[i] = to->settings[i];
	}
}

static int prepare(struct prepared *to, const struct kernel *k, const char *instance,
	const json_t *params, struct error *e)
{
	struct input *in = &to->input;
	*to = (struct prepared){.kernel = k};
	snprintf(to->name, sizeof to->name, "%s", instance);
	fill_values(to, params);
	*in = (struct input){.params = k->params, .values = to->values};
	int rc = k->prepare ? k->prepare(in) : 0;
	if (!rc)
		return 0;
	if (k->unprepare)
		k->unprepare(in);
	return error_set(e, rc, "%s: %s", instance, *in->error ? in->error : strerror(rc));
}

static size_t position(const struct kernel *k)
{
	size_t count, i = 0;
	const struct kernel *const *all = catalog_kernels(&count);
	while (all[i] != k)
		i++;
	return i;
}

static void say_note(const struct prepared *of, unsigned process)
{
	if (*of->input.note)
		say(json_pack("{s:s, s:s, s:i, s:s}", "type", "note", "kernel", of->name, "process",
			(int)process, "text", of->input.note));
}

static int get_input(struct desk *d, const struct kernel *k, const char *instance, unsigned process,
	struct input **in, struct error *e)
{
	struct prepared *have = d->prepared;
	while (have && strcmp(have->name, instance) != 0)
		have = have->next;
	if (!have) {
		have = malloc(sizeof *have);
		int rc = have ? prepare(have, k, instance, d->plan.params, e)
			      : error_set(e, ENOMEM, "no memory for the input of %s", instance);
		if (rc) {
			free(have);
			return rc;
		}
		have->next = d->prepared;
		d->prepared = have;
		say_note(have, process);
	}
	*in = &have->input;
	return 0;
}

static int get_team(struct desk *d, enum placement p, struct team **team, struct error *e)
{
	int rc = 0;
	if (!d->team[p]) {
		free(d->order[p]);
		d->order[p] = calloc(d->machine.allowed_pus, sizeof *d->order[p]);
		if (!d->order[p])
			return error_set(e, ENOMEM, "no memory for the order of PUs");
		placement_order(&d->machine, p, d->order[p]);
		rc = team_create(&d->team[p], &d->machine, d->order[p], d->machine.allowed_pus,
			d->workers_most, p != PLACEMENT_NONE, e);
	}
	*team = d->team[p];
	return rc;
}

static void add_counts(json_t *line, const struct counts *counts)
{
	static const char *const name[COUNTERS] = {"cycles", "instructions", "cache_misses"};
	for (int i = 0; counts->known && i < COUNTERS; i++)
		json_object_set_new(line, name[i], json_integer((json_int_t)counts->value[i]));
}

// What the kernel counted: totals of the window, and states after it.
static void add_kernel_counts(json_t *line, const struct kernel *k, const double *value)
{
	json_t *counts = json_object(), *levels = json_object();
	for (size_t i = 0; k->count && k->counts[i].name; i++)
		if (isfinite(value[i]))
			json_object_set_new(k->counts[i].level ? levels : counts, k->counts[i].name,
				json_real(value[i]));
	if (json_object_size(counts))
		json_object_set(line, "counts", counts);
	if (json_object_size(levels))
		json_object_set(line, "levels", levels);
	json_decref(counts);
	json_decref(levels);
}

static json_t *sample_json(const struct point *p, const struct visit *v, const struct kernel *k,
	const struct observation *o)
{
	json_t *line = json_pack("{s:s}", "type", "sample");
	json_t *operations = json_array(), *ns = json_array();
	double fewest = INFINITY, most = 0;
	for (unsigned i = 0; i < p->threads; i++) {
		const struct worker_record *w = &o->worker[i];
		fewest = fmin(fewest, (double)w->operations);
		most = fmax(most, (double)w->operations);
		json_array_append_new(operations, json_integer((json_int_t)w->operations));
		json_array_append_new(ns, json_integer((json_int_t)(w->end_ns - w->start_ns)));
	}
	point_to_json(line, p);
	json_t *numbers = json_pack("{s:i, s:i, s:f, s:f, s:b, s:f, s:I, s:f, s:f, s:s, s:f, s:f, "
				    "s:f, s:f, s:I, s:I, s:I, "
				    "s:I, s:i, s:f, s:b, s:o, s:o}",
		"process", (int)v->process, "sample", (int)v->sample, "ops_per_second",
		o->operations_per_second, "start_skew_ns", o->start_skew_ns, "disturbed",
		o->disturbed, "line_ns", o->line_ns, "lost_updates", (json_int_t)o->lost_updates,
		"ops_min", fewest, "ops_max", most, "unit", k->unit, "seconds", o->seconds,
		"cpu_seconds", o->cpu_seconds, "foreign_ns", o->foreign_ns, "stolen_ns",
		o->stolen_ns, "voluntary_switches", (json_int_t)o->voluntary_switches,
		"involuntary_switches", (json_int_t)o->involuntary_switches, "page_faults",
		(json_int_t)o->page_faults, "migrations", (json_int_t)o->migrations, "tries",
		(int)o->tries, "warm_up_seconds", o->warm_up_seconds, "steady", o->steady,
		"worker_ops", operations, "worker_ns", ns);
	json_object_update(line, numbers);
	json_decref(numbers);
	add_counts(line, &o->counts);
	if (o->failed_per_second > 0)
		json_object_set_new(line, "failed_per_second", json_real(o->failed_per_second));
	if (o->memory_bytes > 0)
		json_object_set_new(line, "memory_bytes", json_real(o->memory_bytes));
	add_kernel_counts(line, k, o->kernel_counts);
	return line;
}

// A histogram's filled buckets: [largest value, how many].
static json_t *buckets_json(const struct histogram *h)
{
	json_t *buckets = json_array();
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (h->bucket[i])
			json_array_append_new(
				buckets, json_pack("[I, I]", (json_int_t)histogram_upper(i),
						 (json_int_t)h->bucket[i]));
	return buckets;
}

static json_int_t percentile(const struct histogram *h, double p)
{
	return (json_int_t)histogram_percentile(h, p);
}

// What the workers recorded goes into the first one's log. Times are in ns.
static json_t *latency_json(const struct point *p, const struct visit *v, bool operations,
	const struct observation *o, struct latency_log *log, const struct latency_clock *clock)
{
	struct histogram *all = &log[0].histogram;
	json_t *line = json_pack("{s:s}", "type", "latency"), *longest = json_array();
	for (unsigned i = 0; i < p->threads; i++) {
		json_array_append_new(longest, json_integer((json_int_t)log[i].histogram.max));
		if (i > 0)
			histogram_merge(all, &log[i].histogram);
	}
	point_to_json(line, p);
	json_t *numbers = json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:f, s:s, s:f, s:b, s:f, "
				    "s:i, s:I, s:o, s:o}",
		"process", (int)v->process, "sample", (int)v->sample, "count",
		(json_int_t)all->count, "p50", percentile(all, 0.5), "p99", percentile(all, 0.99),
		"p999", percentile(all, 0.999), "max", (json_int_t)all->max, "clock_ns",
		clock->cost_ns, "clock", latency_clock_name(clock), "line_ns", o->line_ns,
		"disturbed", o->disturbed, "seconds", o->seconds, "tries", (int)o->tries,
		"lost_updates", (json_int_t)o->lost_updates, "worker_longest", longest, "buckets",
		buckets_json(all));
	json_object_update(line, numbers);
	json_decref(numbers);
	json_object_set_new(line, "what", json_string(operations ? "operation" : "acquire"));
	return line;
}

static void say_failure(const struct point *p, const char *why)
{
	json_t *line = json_pack("{s:s, s:s}", "type", "failure", "why", why);
	point_to_json(line, p);
	say(line);
}

// The kernel's picture of its result, once per kernel, whole or not at all.
static FILE *open_picture(struct desk *d, const struct kernel *k, char *path, size_t size)
{
	if (!d->pictures || !k->picture || d->drawn[position(k)])
		return NULL;
	snprintf(path, size, "%s/%s.bin.tmp", d->pictures, k->name);
	return fopen(path, "we");
}

static void close_picture(struct desk *d, const struct kernel *k, FILE *f, const char *path)
{
	char final[4200];
	snprintf(final, sizeof final, "%.*s", (int)(strlen(path) - strlen(".tmp")), path);
	bool whole = !ferror(f);
	if (fclose(f) == 0 && whole && rename(path, final) == 0)
		d->drawn[position(k)] = true;
	else
		unlink(path);
}

static void judge(struct desk *d, const struct visit *v, const struct variant *variant,
	const struct observation *o)
{
	char why[256];
	if (o->lost_updates == 0 || STRATEGY_IS(variant, "unsynchronized"))
		return;
	snprintf(why, sizeof why, "%lld %s: every operation must take effect exactly once",
		llabs((long long)o->lost_updates),
		o->lost_updates > 0 ? "updates were lost or wrong" : "updates too many");
	say_failure(&d->plan.points[v->point], why);
	d->plan.failed[v->point] = true;
}

static int take_sample(struct desk *d, const struct visit *v, struct error *e)
{
	const struct point *p = &d->plan.points[v->point];
	const struct kernel *k = catalog_kernel(p->kernel);
	const struct variant *variant = k ? catalog_variant(k, p->strategy, p->lock) : NULL;
	enum placement placement = PLACEMENT_COMPACT;
	struct input *in = NULL;
	struct team *team = NULL;
	if (!variant || (v->latency && !variant->indirect && variant->model == MODEL_NONE))
		return error_set(e, ENOENT, "this lockscale has no such variant");
	int rc = placement_parse(p->placement, &placement, e);
	if (!rc)
		rc = get_input(d, k, p->kernel, v->process, &in, e);
	if (!rc)
		rc = get_team(d, placement, &team, e);
	if (rc)
		return rc;
	struct locality locality;
	if (locality_init(&locality, &d->machine, d->order[placement], p->threads,
		    placement != PLACEMENT_NONE) < 0)
		return error_set(e, ENOMEM, "no memory for the workers' groups");
	char path[4200];
	FILE *picture = open_picture(d, k, path, sizeof path);
	struct observation o = {.worker = d->record};
	struct trial t = {.settings = &d->settings,
		.kernel = k,
		.variant = variant,
		.input = in,
		.workers = p->threads,
		.team = team,
		.locality = &locality.team,
		.probe = d->probe,
		.alive = alive,
		.context = d,
		.picture = picture,
		.latency = v->latency ? d->latency : NULL,
		.clock = &d->clock};
	d->settings.window_ns = v->latency ? plan_latency_window_ns(&d->plan) : d->plan.window_ns;
	d->settings.retries = d->spare_tries < d->plan.retries ? d->spare_tries : d->plan.retries;
	rc = trial_run(&t, &o, e);
	locality_fini(&locality);
	d->spare_tries -= o.tries - 1;
	if (picture)
		close_picture(d, k, picture, path);
	if (rc)
		return rc;
	say(v->latency ? latency_json(p, v, variant->model != MODEL_NONE, &o, d->latency, &d->clock)
		       : sample_json(p, v, k, &o));
	judge(d, v, variant, &o);
	return 0;
}

static void visit(struct desk *d, const struct visit *v)
{
	struct error e = {0};
	if (v->point >= d->plan.point_count || d->plan.failed[v->point])
		return;
	say(json_pack("{s:s, s:i}", "type", "begin", "point", (int)v->point));
	if (take_sample(d, v, &e) < 0) {
		say_failure(&d->plan.points[v->point], e.text);
		d->plan.failed[v->point] = true;
	}
}

static int sit_down(struct desk *d, const json_t *orders, struct error *e)
{
	bool interposed = json_is_true(json_object_get(orders, "interposed"));
	int rc = plan_from_json(&d->plan, json_object_get(orders, "plan"), e);
	if (!rc)
		rc = foreign_add(d->plan.plugins, d->plan.preload != NULL, e);
	if (!rc && interposed)
		rc = foreign_check_interposed(json_string_value(d->plan.preload), e);
	if (!rc)
		rc = machine_load(&d->machine, NULL, e);
	if (rc)
		return rc;
	d->settings =
		(struct trial_settings){d->plan.window_ns, d->plan.warm_up_ns, d->plan.retries};
	d->pictures = json_string_value(json_object_get(orders, "pictures"));
	for (size_t i = 0; i < d->plan.point_count; i++)
		if (d->plan.points[i].threads > d->workers_most)
			d->workers_most = d->plan.points[i].threads;
	d->probe = probe_create(d->workers_most);
	d->record = calloc(d->workers_most, sizeof *d->record);
	if (d->plan.latency) {
		latency_clock_init(&d->clock);
		d->latency = aligned_alloc(LINE_PAIR, d->workers_most * sizeof *d->latency);
	}
	return d->probe && d->record && (d->latency || !d->plan.latency)
		       ? 0
		       : error_set(e, ENOMEM, "no memory for the workers");
}

static void get_up(struct desk *d)
{
	for (struct prepared *next, *p = d->prepared; p; p = next) {
		next = p->next;
		if (p->kernel->unprepare)
			p->kernel->unprepare(&p->input);
		free(p);
	}
	for (unsigned i = 0; i < PLACEMENTS; i++) {
		team_destroy(d->team[i]);
		free(d->order[i]);
	}
	probe_destroy(d->probe);
	free(d->record);
	free(d->latency);
	plan_free(&d->plan);
	machine_unload(&d->machine);
}

int cmd_measure(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	struct error e = {0};
	struct desk *d = calloc(1, sizeof *d);
	json_t *orders = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL), *visits, *v;
	size_t i;
	dup2(STDOUT_FILENO, LINES_FD);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (!d || !orders || sit_down(d, orders, &e) < 0) {
		fprintf(stderr, "lockscale: the measuring process: %s\n",
			*e.text ? e.text : "no orders (it is started by 'lockscale run')");
		return 2;
	}
	visits = json_object_get(orders, "visits");
	d->spare_tries = SPARE_TRIES + (unsigned)json_array_size(visits) / 2;
	json_array_foreach (visits, i, v) {
		int point, process, sample, latency;
		if (json_unpack(v, "[i, i, i, b]", &point, &process, &sample, &latency) == 0)
			visit(d, &(struct visit){(unsigned)point, (unsigned)process,
					 (unsigned)sample, latency != 0});
	}
	get_up(d);
	say(json_pack("{s:s}", "type", "end"));
	free(d);
	json_decref(orders);
	return 0;
}

/* Parameters. */

static int no_such_param(const char *text, const struct kernel *k, struct error *e)
{
	char known[256] = "";
	size_t used = 0, count = 1;
	const struct kernel *const one[] = {k};
	const struct kernel *const *all = k ? one : catalog_kernels(&count);
	for (size_t i = 0; i < count; i++)
		for (const struct param *p = all[i]->params; p && p->name; p++)
			if (used < sizeof known)
				used += (size_t)snprintf(known + used, sizeof known - used,
					" %s.%s", all[i]->name, p->name);
	return error_set(e, EINVAL, "--param %s: %s; accepted: KERNEL.NAME=VALUE with%s", text,
		k ? "no such parameter" : "no such kernel or no '.' and '=' in it", known);
}

static int try_out(const char *text, const struct kernel *k, const struct param *p, json_t *params,
	struct error *e)
{
	struct prepared tried;
	struct error why = {0};
	int rc = prepare(&tried, k, k->name, params, &why);
	if (rc)
		return error_set(
			e, EINVAL, "--param %s: %s; accepted: %s", text, why.text, p->accepts);
	if (k->unprepare)
		k->unprepare(&tried.input);
	return 0;
}

int measure_check_param(const char *text, json_t *params, struct error *e)
{
	char kernel[NAME_LEN] = "", name[NAME_LEN] = "";
	int value_at = 0;
	if (sscanf(text, "%47[^.=].%47[^=]=%n", kernel, name, &value_at) != 2 || !value_at)
		return no_such_param(text, NULL, e);
	const struct kernel *k = catalog_kernel(kernel);
	if (!k || strchr(kernel, '@'))
		return no_such_param(text, NULL, e);
	for (const struct param *p = k->params; p && p->name; p++) {
		char key[128];
		if (strcmp(p->name, name) != 0)
			continue;
		snprintf(key, sizeof key, "%s.%s", kernel, name);
		json_object_set_new(params, key, json_string(text + value_at));
		return try_out(text, k, p, params, e);
	}
	return no_such_param(text, k, e);
}
