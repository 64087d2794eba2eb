// SPDX-License-Identifier: BSD-2-Clause
// Every kernel in every variant does each operation exactly once, with one worker, with two and
// with more than there are PUs. Built with the sanitizers this is also where they look for races
// and bad accesses in kernels and locks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "measure.h"
#include "placement.h"
#include "trial.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

// A worker that waits for ever ends the program by SIGALRM.
enum { HANG_S = 250, WORKERS_MOST = 4, PARAMS_MOST = 32 };
#ifdef CHECKING // slow: more workers than PUs are for the others
enum { WORKERS_TRIED = 2 };
#else
enum { WORKERS_TRIED = WORKERS_MOST };
#endif

static struct machine machine;
static struct team *teams[WORKERS_MOST + 1]; // by number of workers: 1, 2, 4
static struct probe *probe;

static int set_up(void **state)
{
	(void)state;
	struct error e;
	if (machine_load(&machine, NULL, &e))
		return -1;
	unsigned order[machine.allowed_pus];
	placement_order(&machine, PLACEMENT_COMPACT, order);
	probe = probe_create(WORKERS_MOST);
	/* Four workers on at most three PUs: some share one. */
	unsigned few = machine.allowed_pus < 3 ? machine.allowed_pus : 3;
	for (unsigned workers = 1; workers <= WORKERS_MOST; workers *= 2) {
		unsigned pus = workers == WORKERS_MOST ? few : machine.allowed_pus;
		if (team_create(&teams[workers], &machine, order, pus, workers, true, &e))
			return -1;
	}
	return probe ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= WORKERS_MOST; workers *= 2)
		team_destroy(teams[workers]);
	probe_destroy(probe);
	machine_unload(&machine);
	return 0;
}

/* A kernel's input: its defaults, but for what a test sets. */

struct setting {
	const char *name, *value;
};

struct prepared {
	struct input input;
	const char *values[PARAMS_MOST];
};

static int prepare(
	struct prepared *p, const struct kernel *k, const struct setting *set, size_t count)
{
	memset(p, 0, sizeof *p);
	p->input.params = k->params;
	p->input.values = p->values;
	for (size_t i = 0; k->params && k->params[i].name; i++) {
		p->values[i] = k->params[i].value;
		for (size_t j = 0; j < count; j++)
			if (strcmp(set[j].name, k->params[i].name) == 0)
				p->values[i] = set[j].value;
	}
	return k->prepare ? k->prepare(&p->input) : 0;
}

static void unprepare(struct prepared *p, const struct kernel *k)
{
	if (k->unprepare)
		k->unprepare(&p->input);
}

static void measure(struct observation *o, const struct kernel *k, const struct variant *v,
	const struct input *in, unsigned workers)
{
	static struct worker_record records[WORKERS_MOST];
	/* Tiny: spinning workers that share a PU may need a time slice for each hand-over, so the
	 * window will grow by itself where it must. */
	struct trial_settings settings = {.window_ns = 400000, .warm_up_ns = 400000, .retries = 0};
	struct trial t = {.settings = &settings,
		.kernel = k,
		.variant = v,
		.input = in,
		.workers = workers,
		.team = teams[workers],
		.probe = probe};
	struct error e;
	*o = (struct observation){.worker = records};
	if (trial_run(&t, o, &e) != 0)
		fail_msg("%s", e.text);
}

static void check_variant(
	const struct kernel *k, const struct variant *v, const struct input *in, unsigned workers)
{
	struct observation o;
	char name[256];
	measure(&o, k, v, in, workers);
	catalog_name(k, v, name, sizeof name);
	bool may_lose = STRATEGY_IS(v, "unsynchronized") && workers > 1;
	if (o.lost_updates != 0 && !may_lose)
		fail_msg("%s with %u workers: %lld lost updates", name, workers,
			(long long)o.lost_updates);
	if (!(o.operations_per_second > 0))
		fail_msg("%s with %u workers: %g operations/s", name, workers,
			o.operations_per_second);
}

// The thread sanitizer's build holds broken twins too; tests/cli/twins.bats knows them.
static bool broken_on_purpose(const struct kernel *k, const struct variant *v)
{
	return strncmp(k->name, "twin", 4) == 0 ||
	       (v->lock && strncmp(v->lock->name, "twin", 4) == 0);
}

// Where workers share a PU a lock that is granted in turn costs a time slice an operation; seconds
// a variant on a busy machine. Two kernels are enough to see that it works.
static unsigned most_workers_of(const struct kernel *k, const struct variant *v, unsigned most)
{
	bool patient = strcmp(k->name, "counter") == 0 || strcmp(k->name, "mandelbrot") == 0;
	if (STRATEGY_IS(v, "sequential"))
		return 1;
	return v->lock && v->lock->fifo && !patient && most > 2 ? 2 : most;
}

// Where a kernel has a choice of locks of its own these stand for all: locks are tested in the
// others. And one that runs sections for others, which is another way to call them.
static bool stands_for_others(const struct kernel *k, const struct variant *v)
{
	return !v->lock || !k->locks || strstr(k->locks, v->lock->name) ||
	       strcmp(v->lock->name, "combining") == 0;
}

// All variants of a kernel; one worker for the sequential ones.
static void check_kernel(
	const struct kernel *k, const struct setting *set, size_t count, unsigned most_workers)
{
	struct prepared p;
	if (prepare(&p, k, set, count) != 0)
		fail_msg("%s: %s", k->name, p.input.error);
	for (size_t i = 0; i < k->variant_count; i++) {
		const struct variant *v = &k->variants[i];
		unsigned most = most_workers_of(k, v, most_workers);
		if (broken_on_purpose(k, v) || !stands_for_others(k, v))
			continue;
		for (unsigned workers = 1; workers <= most; workers *= 2)
			check_variant(k, v, &p.input, workers);
	}
	unprepare(&p, k);
}

static void write_file(char *path, const void *bytes, size_t size)
{
	strcpy(path, "/tmp/test_kernels.XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static char few_words[64]; // path of a file

// Fixed amounts of work, made small.
static const struct {
	const char *kernel;
	size_t count;
	struct setting set[3];
} small[] = {
	{"mandelbrot", 3, {{"width", "16"}, {"height", "16"}, {"iterations", "50"}}},
	{"wordcount", 2, {{"input", few_words}, {"megabytes", "0"}}},
	{"graph", 2, {{"scale", "7"}, {"degree", "8"}}},
	{"python", 1, {{"work", "20000"}}},
};

static void no_variant_of_any_kernel_loses_an_operation(void **state)
{
	(void)state;
	static const char text[] = "the end of the first line\nunconstitutionally the last.\n";
	size_t kernels;
	const struct kernel *const *k = catalog_kernels(&kernels);
	assert_true(kernels >= 5);
	write_file(few_words, text, sizeof text - 1);
	for (size_t i = 0; i < kernels; i++) {
		size_t s = 0;
		while (s < COUNT(small) && strcmp(k[i]->name, small[s].kernel) != 0)
			s++;
		if (s < COUNT(small))
			check_kernel(k[i], small[s].set, small[s].count, WORKERS_TRIED);
		else
			check_kernel(k[i], NULL, 0, WORKERS_TRIED);
	}
	unlink(few_words);
}

// What the check is worth: of a race on one word two workers lose updates. Without that the test
// above would prove nothing.
static void an_unsynchronized_counter_does_lose_updates(void **state)
{
	(void)state;
	if (machine.allowed_pus < 2) {
		print_message("needs two PUs\n");
		skip();
	}
	static const char *const names[] = {"counter", "histogram", "bank", "readmostly", "random"};
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct kernel *k = catalog_kernel(names[i]);
		const struct variant *v = catalog_variant(k, "unsynchronized", "");
		struct prepared p;
		int64_t lost = 0;
		assert_int_equal(prepare(&p, k, NULL, 0), 0);
		for (int try = 0; try < 200 && lost == 0; try++) {
			struct observation o;
			measure(&o, k, v, &p.input, 2);
			lost = o.lost_updates;
		}
		unprepare(&p, k);
		if (lost == 0)
			fail_msg("%s: no update was lost in 200 windows", names[i]);
	}
}

/* Parameters. */

static void a_histogram_counts_any_file(void **state)
{
	(void)state;
	unsigned char bytes[10007];
	char path[64];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * i);
	for (size_t i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	/* shorter than there are workers; each value once; a length that divides by nothing */
	static const size_t sizes[] = {1, 2, 3, 256, 10007};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct setting input = {"input", path};
		write_file(path, bytes, sizes[i]);
		check_kernel(catalog_kernel("histogram"), &input, 1, i == 0 ? 4 : 2);
		unlink(path);
	}
}

static void two_accounts_are_enough_for_a_bank(void **state)
{
	(void)state;
	static const struct setting two[] = {{"accounts", "2"}, {"theta", "0"}};
	static const struct setting skewed[] = {{"accounts", "2"}, {"theta", "5"}};
	static const struct setting many[] = {{"accounts", "65535"}};
	check_kernel(catalog_kernel("bank"), two, 2, 4);
	check_kernel(catalog_kernel("bank"), skewed, 2, 1);
	check_kernel(catalog_kernel("bank"), many, 1, 1);
}

static void contention_keeps_count_on_all_of_its_lines(void **state)
{
	(void)state;
	static const struct setting shapes[][3] = {{{"cs", "0"}, {"work", "0"}, {"lines", "64"}},
		{{"cs", "0"}, {"work", "0"}, {"lines", "0"}},
		{{"cs", "5000"}, {"work", "20000"}, {"lines", "3"}}};
	for (size_t i = 0; i < COUNT(shapes); i++)
		check_kernel(catalog_kernel("contention"), shapes[i], 3, 2);
}

// The best of some windows: other work only makes it less.
static double best_rate(const struct setting *set, size_t count)
{
	const struct kernel *k = catalog_kernel("contention");
	struct prepared p;
	double best = 0;
	assert_int_equal(prepare(&p, k, set, count), 0);
	assert_non_null(strstr(p.input.note, "steps per ns"));
	for (int try = 0; try < 20; try++) {
		struct observation o;
		measure(&o, k, catalog_variant(k, "sequential", ""), &p.input, 1);
		best = o.operations_per_second > best ? o.operations_per_second : best;
	}
	unprepare(&p, k);
	return best;
}

static void contention_takes_as_long_as_it_is_told_and_says_how(void **state)
{
	(void)state;
	static const struct setting brief[] = {{"cs", "1000"}, {"work", "4000"}};
	static const struct setting inside[] = {{"cs", "16000"}, {"work", "4000"}};
	static const struct setting outside[] = {{"cs", "1000"}, {"work", "19000"}};
	double rate = best_rate(brief, COUNT(brief));
	double more[] = {best_rate(inside, COUNT(inside)), best_rate(outside, COUNT(outside))};
	for (size_t i = 0; i < COUNT(more); i++)
		if (rate / more[i] < 3 || rate / more[i] > 5)
			fail_msg(
				"four times the arithmetic takes %g times as long", rate / more[i]);
}

static void a_record_stays_whole_however_often_it_is_changed(void **state)
{
	(void)state;
	static const struct setting half = {"read-percent", "50"}, rare = {"read-percent", "99.9"};
	check_kernel(catalog_kernel("readmostly"), &half, 1, 2);
	check_kernel(catalog_kernel("readmostly"), &rare, 1, 2);
}

static void a_pool_of_one_or_of_many_items_lends_each_to_one_worker(void **state)
{
	(void)state;
	static const struct setting one[] = {{"permits", "1"}, {"use", "0"}};
	static const struct setting many[] = {{"permits", "64"}, {"use", "100"}};
	check_kernel(catalog_kernel("pool"), one, 2, 2);
	check_kernel(catalog_kernel("pool"), many, 2, 2);
}

static void objects_die_once_however_few_and_however_often_replaced(void **state)
{
	(void)state;
	static const struct setting one[] = {
		{"objects", "1"}, {"held", "32"}, {"replace-percent", "50"}, {"own-percent", "0"}};
	static const struct setting many[] = {
		{"objects", "1024"}, {"held", "1"}, {"theta", "0"}, {"own-percent", "100"}};
	check_kernel(catalog_kernel("refcount"), one, COUNT(one), 2);
	check_kernel(catalog_kernel("refcount"), many, COUNT(many), 2);
}

static void a_queue_loses_nothing_empty_or_full_with_any_scheme_of_reclamation(void **state)
{
	(void)state;
	static const struct setting split[] = {{"items", "0"}, {"role", "split"}};
	static const struct setting hazard[] = {{"items", "5000"}, {"reclamation", "hazard"}};
	static const struct setting qsbr[] = {
		{"items", "1"}, {"role", "split"}, {"reclamation", "qsbr"}};
	check_kernel(catalog_kernel("queue"), split, 2, 2);
	check_kernel(catalog_kernel("queue"), hazard, 2, 2);
	check_kernel(catalog_kernel("queue"), qsbr, 3, 4);
}

static void a_stack_keeps_each_value_once_full_or_empty_in_any_rhythm(void **state)
{
	(void)state;
	static const struct setting shapes[][3] = {
		{{"items", "0"}, {"burst", "1"}, {"reclamation", "hazard"}},
		{{"items", "0"}, {"burst", "4096"}, {"reclamation", "qsbr"}},
		{{"items", "100000"}, {"burst", "7"}, {"reclamation", "epoch"}}};
	for (size_t i = 0; i < COUNT(shapes); i++)
		check_kernel(catalog_kernel("stack"), shapes[i], 3, 2);
}

static void a_cache_of_any_size_holds_each_key_once(void **state)
{
	(void)state;
	static const struct setting shapes[][3] = {
		{{"capacity", "64"}, {"keys", "4194304"}, {"theta", "0"}},
		{{"capacity", "65"}, {"keys", "80"}, {"theta", "0"}},
		{{"capacity", "1048576"}, {"keys", "1"}, {"theta", "5"}}};
	for (size_t i = 0; i < COUNT(shapes); i++)
		check_kernel(catalog_kernel("lru"), shapes[i], 3, 2);
}

static void pictures_of_any_shape_are_computed_whole(void **state)
{
	(void)state;
	static const struct setting shapes[][3] = {
		{{"width", "16"}, {"height", "17"}, {"iterations", "1"}},
		{{"width", "1000"}, {"height", "16"}, {"iterations", "3"}},
		{{"width", "16"}, {"height", "100"}, {"iterations", "65535"}}};
	for (size_t i = 0; i < COUNT(shapes) - 1; i++)
		check_kernel(catalog_kernel("mandelbrot"), shapes[i], 3, 4);
	check_kernel(catalog_kernel("mandelbrot"), shapes[2], 3, 1);
}

static void components_are_found_by_every_strategy(void **state)
{
	(void)state;
	static const struct setting set[] = {
		{"algorithm", "components"}, {"scale", "9"}, {"degree", "1"}};
	check_kernel(catalog_kernel("graph"), set, COUNT(set), 2);
}

static void blocks_of_all_sizes_may_change_hands_all_the_time(void **state)
{
	(void)state;
	static const struct setting few[] = {
		{"remote-percent", "100"}, {"blocks", "1"}, {"largest", "16"}};
	static const struct setting many[] = {
		{"remote-percent", "50"}, {"blocks", "300"}, {"largest", "8192"}};
	check_kernel(catalog_kernel("alloc"), few, COUNT(few), 2);
	check_kernel(catalog_kernel("alloc"), many, COUNT(many), 2);
}

static void a_server_answers_one_client_or_many_beside_threads_that_compute(void **state)
{
	(void)state;
	static const struct setting one[] = {
		{"connections", "1"}, {"cpu", "0"}, {"background", "2"}, {"switch-us", "500"}};
	static const struct setting many[] = {{"connections", "100"}, {"think-us", "100"}};
	check_kernel(catalog_kernel("server"), one, COUNT(one), 2);
	check_kernel(catalog_kernel("server"), many, COUNT(many), 2);
}

static void bad_values_are_refused_with_what_is_accepted(void **state)
{
	(void)state;
	static const struct {
		const char *text, *names;
	} bad[] = {
		{"bank.accounts=1", "2..65535"},
		{"bank.accounts=65536", "2..65535"},
		{"server.connections=501", "1..500"},
		{"server.cpu=ages", "ages"},
		{"bank.accounts=", "2..65535"},
		{"bank.accounts=many", "many"},
		{"bank.accounts=10x", "10x"},
		{"bank.accounts=nan", "2..65535"},
		{"bank.accounts=-5", "-5"},
		{"bank.theta=-1", "0..5"},
		{"bank.theta=inf", "0..5"},
		{"mandelbrot.width=15", "16..16384"},
		{"mandelbrot.height=1e9", "16..16384"},
		{"mandelbrot.iterations=0", "1..65535"},
		{"readmostly.read-percent=49", "50..99.9"},
		{"readmostly.read-percent=100", "50..99.9"},
		{"pool.permits=0", "1..64"},
		{"pool.permits=65", "1..64"},
		{"pool.use=-1", "0..1000000"},
		{"histogram.input=/no/such/file", "/no/such/file"},
		{"histogram.input=/dev/null", "empty"},
		{"histogram.input=/tmp", "/tmp"},
		{"contention.cs=1000001", "0..1000000"},
		{"contention.cs=-1", "0..1000000"},
		{"contention.work=1.5", "0..1000000"},
		{"contention.lines=65", "0..64"},
		{"refcount.objects=0", "1..1024"},
		{"refcount.objects=1025", "1..1024"},
		{"refcount.held=0", "1..32"},
		{"refcount.held=33", "1..32"},
		{"refcount.theta=-1", "0..5"},
		{"refcount.own-percent=101", "0..100"},
		{"refcount.replace-percent=51", "0..50"},
		{"queue.items=-1", "0..1048576"},
		{"queue.items=1048577", "0..1048576"},
		{"queue.items=few", "few"},
		{"queue.role=both", "mixed|split"},
		{"queue.role=", "mixed|split"},
		{"queue.reclamation=none", "epoch|hazard"},
		{"stack.items=-1", "0..1048576"},
		{"stack.items=1048577", "0..1048576"},
		{"stack.burst=0", "1..4096"},
		{"stack.burst=4097", "1..4096"},
		{"stack.reclamation=none", "epoch|hazard|qsbr"},
		{"lru.capacity=63", "64..1048576"},
		{"lru.capacity=1048577", "64..1048576"},
		{"lru.keys=0", "1..4194304"},
		{"lru.keys=4194305", "1..4194304"},
		{"lru.theta=5.1", "0..5"},
		{"hashmap.keys=3", "4..1048576"},
		{"hashmap.keys=1048577", "4..1048576"},
		{"hashmap.mix=90/9", "90/9/1"},
		{"hashmap.mix=90/9/2", "100 together"},
		{"hashmap.mix=90/10/0", "removals"},
		{"hashmap.distribution=normal", "uniform|zipf"},
		{"hashmap.reclamation=never", "epoch|hazard|qsbr"},
		{"contention@cs=1.work=2", "KERNEL.NAME=VALUE"},
		{"wordcount.input=/no/such/file", "/no/such/file"},
		{"wordcount.input=/dev/null", "/dev/null"},
		{"wordcount.megabytes=1025", "0..1024"},
		{"graph.algorithm=dfs", "bfs|components"},
		{"graph.input=/no/such/file", "/no/such/file"},
		{"graph.input=/dev/null", "no edge"},
		{"graph.input=/tmp", "/tmp"},
		{"graph.scale=2", "3..24"},
		{"graph.degree=65", "1..64"},
		{"alloc.blocks=0", "1..65536"},
		{"alloc.largest=15", "16..8192"},
		{"alloc.remote-percent=101", "0..100"},
		{"bank.colour=red", "bank.accounts"},
		{"bnak.accounts=2", "bank.accounts"},
		{"accounts=2", "KERNEL.NAME=VALUE"},
		{"bank.accounts", "KERNEL.NAME=VALUE"},
		{"", "KERNEL.NAME=VALUE"},
		{".=", "KERNEL.NAME=VALUE"},
		{"counter.accounts=2", "no such parameter"},
		{"set.keys=3", "4..65536"},
		{"set.keys=65537", "4..65536"},
		{"set.mix=90/10/0", "90/9/1"},
		{"set.reclamation=none", "epoch|hazard|qsbr"},
		{"skiplist.keys=1048577", "4..1048576"},
		{"skiplist.distribution=normal", "uniform|zipf"},
		{"skiplist.reclamation=", "epoch|hazard|qsbr"},
		{"pqueue.items=1048577", "0..1048576"},
		{"pqueue.items=-1", "0..1048576"},
		{"pqueue.reclamation=rcu2", "epoch|hazard|qsbr"},
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error e = {0};
		json_t *params = json_object();
		if (measure_check_param(bad[i].text, params, &e) == 0)
			fail_msg("%s was accepted", bad[i].text);
		if (!strstr(e.text, bad[i].text) || !strstr(e.text, bad[i].names))
			fail_msg("%s: '%s' does not name %s", bad[i].text, e.text, bad[i].names);
		json_decref(params);
	}
}

static void good_values_are_taken_as_they_are(void **state)
{
	(void)state;
	struct error e = {0};
	json_t *params = json_object();
	assert_int_equal(measure_check_param("bank.accounts=2", params, &e), 0);
	assert_int_equal(measure_check_param("bank.theta=0.5", params, &e), 0);
	assert_int_equal(measure_check_param("mandelbrot.width=16", params, &e), 0);
	assert_int_equal(measure_check_param("bank.accounts=3", params, &e), 0); /* the last wins */
	assert_string_equal(json_string_value(json_object_get(params, "bank.accounts")), "3");
	assert_string_equal(json_string_value(json_object_get(params, "bank.theta")), "0.5");
	assert_int_equal(json_object_size(params), 3);
	json_decref(params);
}

// As the processes that measure: with room for libraries that are loaded late (see measure.c).
static void make_room_for_libraries(char **argv)
{
	if (setenv("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384", 0) == 0 &&
		!getenv("TEST_KERNELS_AGAIN") && setenv("TEST_KERNELS_AGAIN", "1", 1) == 0)
		execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	(void)argc;
	make_room_for_libraries(argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_variant_of_any_kernel_loses_an_operation),
		cmocka_unit_test(an_unsynchronized_counter_does_lose_updates),
		cmocka_unit_test(a_histogram_counts_any_file),
		cmocka_unit_test(two_accounts_are_enough_for_a_bank),
		cmocka_unit_test(contention_keeps_count_on_all_of_its_lines),
		cmocka_unit_test(contention_takes_as_long_as_it_is_told_and_says_how),
		cmocka_unit_test(a_record_stays_whole_however_often_it_is_changed),
		cmocka_unit_test(a_pool_of_one_or_of_many_items_lends_each_to_one_worker),
		cmocka_unit_test(objects_die_once_however_few_and_however_often_replaced),
		cmocka_unit_test(
			a_queue_loses_nothing_empty_or_full_with_any_scheme_of_reclamation),
		cmocka_unit_test(a_stack_keeps_each_value_once_full_or_empty_in_any_rhythm),
		cmocka_unit_test(a_cache_of_any_size_holds_each_key_once),
		cmocka_unit_test(pictures_of_any_shape_are_computed_whole),
		cmocka_unit_test(components_are_found_by_every_strategy),
		cmocka_unit_test(blocks_of_all_sizes_may_change_hands_all_the_time),
		cmocka_unit_test(a_server_answers_one_client_or_many_beside_threads_that_compute),
		cmocka_unit_test(bad_values_are_refused_with_what_is_accepted),
		cmocka_unit_test(good_values_are_taken_as_they_are),
	};
	alarm(HANG_S);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
