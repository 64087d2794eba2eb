// SPDX-License-Identifier: BSD-2-Clause
// The miniature interpreter: the same answers in every mode, with counts that balance; what its
// locks count; errors with their line; an end when it is asked for; the race found in the trace.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernels/atomic.h"
#include "kernels/interpreter/interpreter.h"
#include "kernels/interpreter/object.h"

#define COUNTDOWN                                                                                  \
	"def countdown(n):\n"                                                                      \
	"    while n > 0:\n"                                                                       \
	"        n -= 1\n"                                                                         \
	"    return n\n"

// Every way to share, also gil-3 as it was to 3.9, and what is shared made immortal or deferred.
static const struct interpreter_settings ways[] = {
	{.mode = INTERPRETER_SEQUENTIAL},
	{.mode = INTERPRETER_GIL_2},
	{.mode = INTERPRETER_GIL_2, .trace = true},
	{.mode = INTERPRETER_GIL_2_COND},
	{.mode = INTERPRETER_GIL_3},
	{.mode = INTERPRETER_GIL_3, .check_every_instruction = true},
	{.mode = INTERPRETER_GIL_3, .check_every_instruction = true, .trace = true},
	{.mode = INTERPRETER_FREE_THREADED_ATOMIC},
	{.mode = INTERPRETER_FREE_THREADED},
	{.mode = INTERPRETER_FREE_THREADED, .sharing = INTERPRETER_IMMORTAL},
	{.mode = INTERPRETER_FREE_THREADED, .sharing = INTERPRETER_DEFERRED},
};
enum { WAYS = sizeof ways / sizeof *ways };

static bool threads_are_real(const struct interpreter_settings *s)
{
	return s->mode != INTERPRETER_SEQUENTIAL;
}

// Runs a program in a new interpreter. out: what it printed, to be freed. Returns the run's errno.
static int run(const struct interpreter_settings *way, const char *text, char **out,
	struct interpreter_error *e, struct interpreter_counts *counts)
{
	struct interpreter_settings s = *way;
	struct interpreter *i;
	size_t length;
	s.out = open_memstream(out, &length);
	assert_non_null(s.out);
	assert_int_equal(interpreter_create(&i, &s), 0);
	struct interpreter_thread *t = interpreter_enter(i, 0);
	assert_non_null(t);
	int rc = interpreter_run(t, "test.py", text, e);
	if (counts)
		interpreter_counts(i, counts);
	interpreter_leave(t);
	assert_int_equal(interpreter_destroy(i), 0);
	fclose(s.out);
	return rc;
}

static void assert_prints(const struct interpreter_settings *way, const char *text, const char *out)
{
	struct interpreter_error e = {""};
	char *printed;
	int rc = run(way, text, &printed, &e, NULL);
	if (rc)
		fail_msg("%s: %s", interpreter_mode_name[way->mode], e.text);
	assert_string_equal(printed, out);
	free(printed);
}

static void programs_mean_the_same_in_every_mode(void **state)
{
	static const struct {
		const char *text, *out;
	} programs[] = {
		{COUNTDOWN "print(countdown(1000))\n", "0\n"},
		{"def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - "
		 "2)\n"
		 "print(fib(15))\n",
			"610\n"},
		{"d = {}\nfor i in range(1000):\n    d[i * 7] = i * 1000\n"
		 "    d[str(i)] = d[i * 7] + 1\n"
		 "s = 0\nfor k in d:\n    s = s + d[k]\nprint(len(d), s, d['999'], 5 in d)\n"
		 "d.pop('999')\nprint(len(d), d.get('999'), d.get('999', 3))\n",
			"2000 999001000 999001 False\n1999 None 3\n"},
		{"class A:\n    def __init__(self, v):\n        self.v = v\n"
		 "    def add(self, n):\n        self.v += n\n        return self\n"
		 "class B(A):\n    def get(self):\n        return self.v\n"
		 "b = B(1000)\nf = b.add\nf(5).add(n=7)\nprint(b.get(), isinstance(b, A))\n",
			"1012 True\n"},
		{"l = [3, 1, 2]\nl.append(1000)\nl.extend([4, 5])\nl.sort()\nprint(l, l.pop(), "
		 "l[-1])\n"
		 "a, b = 1, [2]\na, b = b, a\nprint(a, b, (1,), [] == [], (1, 2) < (1, 3))\n",
			"[1, 2, 3, 4, 5] 1000 5\n[2] 1 (1,) True True\n"},
		{"print('%d of %5.2f %s|%-4s|%r' % (7, 2.5, 'x', 'y', 'z'), 'a' + 'b' * 3)\n"
		 "print('b' in 'abc', ' '.join(['a', 'b']), 'A b'.split(), 1e16, 0.1, 3.0)\n",
			"7 of  2.50 x|y   |'z' abbb\nTrue a b ['A', 'b'] 1e+16 0.1 3.0\n"},
		{"print(-7 // 2, -7 % 3, 7 % -3, 7 // -2, 2 ** 62, -1 >> 70, 7 / 2, True + 1)\n",
			"-4 2 -2 -4 4611686018427387904 -1 3.5 2\n"},
	};
	(void)state;
	for (size_t w = 0; w < WAYS; w++)
		for (size_t p = 0; p < sizeof programs / sizeof *programs; p++)
			assert_prints(&ways[w], programs[p].text, programs[p].out);
}

static void threads_share_what_they_should(void **state)
{
	(void)state;
	for (size_t w = 0; w < WAYS; w++)
		if (threads_are_real(&ways[w]))
			assert_prints(&ways[w],
				"import threading, time\n"
				"lock = threading.Lock()\ntotal = 0\nd = {}\nl = [1000000]\n"
				"def work(k, n):\n"
				"    global total\n"
				"    for i in range(n):\n"
				"        d[k * n + i] = l[0] + i\n"
				"        with lock:\n"
				"            total = total + l[0]\n"
				"class Mine(threading.Thread):\n"
				"    def __init__(self, k):\n"
				"        threading.Thread.__init__(self)\n"
				"        self.k = k\n"
				"    def run(self):\n"
				"        work(self.k, 500)\n"
				"ts = [Mine(0), Mine(1), threading.Thread(target=work, args=(2, "
				"500))]\n"
				"for t in ts:\n    t.start()\n"
				"for t in ts:\n    t.join()\n"
				"print(total, len(d), d[999], ts[0].is_alive())\n"
				"never = threading.Thread(target=time.sleep, args=(0.01,))\n"
				"never.daemon = True\nnever.start()\n",
				"1500000000 1500 1000499 False\n");
}

static void races_of_programs_do_not_break_the_interpreter(void **state)
{
	(void)state;
	for (size_t w = 0; w < WAYS; w++) {
		if (!threads_are_real(&ways[w]))
			continue;
		char *out;
		struct interpreter_error e = {""};
		assert_int_equal(
			run(&ways[w],
				"import threading\n"
				"class Box:\n    def __init__(self, v):\n        self.v = v\n"
				"x = 1000\nl = [1000, 2000, 3000]\nd = {}\nbox = Box(1000)\n"
				"def work(k):\n    global x, box\n"
				"    for i in range(1000):\n"
				"        x = x + l[i % 3] + box.v\n"
				"        l[i % 3] = i * 1000\n        d[i % 40] = str(i)\n"
				"        l.append(i * 999)\n        d.get((i + 9) % 40)\n"
				"        box.v = i * 1000\n"
				"        if i % 7 == 0:\n            box = Box(i)\n"
				"        if i % 5 == 0:\n            l.pop()\n"
				"ts = []\nfor k in range(3):\n"
				"    ts.append(threading.Thread(target=work, args=(k,)))\n"
				"for t in ts:\n    t.start()\nfor t in ts:\n    t.join()\n",
				&out, &e, NULL),
			0);
		free(out);
	}
}

static void errors_name_file_line_and_kind(void **state)
{
	static const struct {
		const char *text, *error;
	} faults[] = {
		{"x = 1\nprint(y)\n", "test.py:2: NameError: name 'y' is not defined"},
		{"def f(n):\n    return f(n + 1)\nf(0)\n",
			"test.py:2: RecursionError: maximum recursion depth exceeded"},
		{"x = 9223372036854775807\nx = x + 1\n", "test.py:2: OverflowError: "},
		{"print(1 // 0)\n", "test.py:1: ZeroDivisionError: "},
		{"print([1] < 2)\n", "test.py:1: TypeError: '<' not supported between instances of "
				     "'list' and 'int'"},
		{"print(1 + 'a')\n",
			"test.py:1: TypeError: unsupported operand type(s) for +: 'int' "
			"and 'str'"},
		{"class A:\n    pass\na = A()\na.b\n",
			"test.py:4: AttributeError: 'A' object has no attribute 'b'"},
		{"l = [1]\nl[1]\n", "test.py:2: IndexError: list index out of range"},
		{"d = {}\nd['a']\n", "test.py:2: KeyError: 'a'"},
		{"def f(a):\n    return a\nf(1, 2)\n",
			"test.py:3: TypeError: f() takes 1 positional"},
		{"a, b = [1, 2, 3]\n", "test.py:1: ValueError: too many values to unpack"},
		{"import os\n", "test.py:1: ImportError: No module named 'os'"},
		{"1()\n", "test.py:1: TypeError: 'int' object is not callable"},
		{"x = [1000]\nfor i in range(3):\n    def g(a):\n        return [a, x, [][i]]\n"
		 "    g(x)\n",
			"test.py:4: IndexError: "},
	};
	(void)state;
	for (size_t w = 0; w < WAYS; w++)
		for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
			struct interpreter_error e = {""};
			char *out;
			assert_int_equal(run(&ways[w], faults[f].text, &out, &e, NULL), EINVAL);
			e.text[strlen(faults[f].error)] = 0;
			assert_string_equal(e.text, faults[f].error);
			free(out);
		}
}

static void deep_objects_are_freed_without_a_deep_stack(void **state)
{
	(void)state;
	for (size_t w = 0; w < WAYS; w++)
		assert_prints(&ways[w],
			"l = []\nfor i in range(200000):\n    l = [l]\nprint(len(l))\n", "1\n");
}

static void a_lost_reference_is_noticed(void **state)
{
	(void)state;
	for (size_t w = 0; w < WAYS; w++) {
		if (ways[w].sharing)
			continue;
		struct interpreter *i;
		assert_int_equal(interpreter_create(&i, &ways[w]), 0);
		struct interpreter_thread *t = interpreter_enter(i, 0);
		struct interpreter_error e;
		assert_int_equal(interpreter_run(t, "test.py", "x = 123456 + 0\nn = 7\n", &e), 0);
		// What a forgotten drop leaves: one reference more than there are pointers.
		object_take(t, global_get(t, name_find(t, "x", 1)));
		interpreter_leave(t);
		assert_true(interpreter_destroy(i) > 0);
	}
}

static int64_t doubled(void *context, const int64_t *arguments)
{
	atomic_uint *inside = context;
	fetch_add(inside, 1, relaxed);
	return 2 * arguments[0];
}

static void functions_in_c_release_the_lock_if_they_say_so(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 4; how++) {
		struct interpreter_settings s = {
			.mode = INTERPRETER_GIL_3, .native_keeps_lock = how & 2};
		atomic_uint calls = 0;
		struct interpreter *i;
		assert_int_equal(interpreter_create(&i, &s), 0);
		assert_int_equal(interpreter_native(i, "doubled", 1, how & 1, doubled, &calls), 0);
		assert_int_equal(
			interpreter_native(i, "doubled", 1, true, doubled, &calls), EEXIST);
		struct interpreter_thread *t = interpreter_enter(i, 0);
		struct interpreter_error e;
		assert_int_equal(interpreter_run(t, "test.py",
					 "def f(n):\n    for i in range(n):\n        doubled(i)\n"
					 "    return doubled(n)\n",
					 &e),
			0);
		const struct interpreter_function *f = interpreter_function(i, "f");
		assert_non_null(f);
		assert_null(interpreter_function(i, "g"));
		struct interpreter_counts before, after;
		int64_t n = 99, result = 0;
		interpreter_counts(i, &before);
		assert_int_equal(interpreter_call(t, f, 1, &n, &result, &e), 0);
		interpreter_counts(i, &after);
		assert_int_equal(result, 198);
		assert_int_equal(load(&calls, relaxed), 100);
		assert_int_equal(after.releases - before.releases, how == 1 ? 101 : 1);
		interpreter_leave(t);
		assert_int_equal(interpreter_destroy(i), 0);
	}
}

static void the_old_lock_is_released_every_101_ticks(void **state)
{
	(void)state;
	for (size_t w = 1; w < WAYS; w++) {
		if (ways[w].mode != INTERPRETER_GIL_2 && ways[w].mode != INTERPRETER_GIL_2_COND)
			continue;
		struct interpreter_counts c;
		char *out;
		struct interpreter_error e = {""};
		assert_int_equal(run(&ways[w], COUNTDOWN "countdown(336600)\n", &out, &e, &c), 0);
		free(out);
		assert_in_range(c.releases, 9800, 10200); // 3 ticks an iteration
		assert_int_equal(c.failed_acquires, 0);
		assert_int_equal(c.futex_calls, 0);
	}
}

struct caller {
	struct interpreter *i;
	const struct interpreter_function *f;
	unsigned index;
	int rc;
};

static void *call_for_long(void *argument)
{
	struct caller *c = argument;
	struct interpreter_thread *t = interpreter_enter(c->i, c->index);
	struct interpreter_error e;
	int64_t n = INT64_MAX, result;
	c->rc = interpreter_call(t, c->f, 1, &n, &result, &e);
	interpreter_leave(t);
	return NULL;
}

static void all_threads_end_when_they_are_asked_to(void **state)
{
	(void)state;
	for (size_t w = 1; w < WAYS; w++) {
		struct interpreter *i;
		assert_int_equal(interpreter_create(&i, &ways[w]), 0);
		struct interpreter_thread *t = interpreter_enter(i, 2);
		struct interpreter_error e;
		assert_int_equal(interpreter_run(t, "test.py",
					 COUNTDOWN "import time, threading\n"
						   "lock = threading.Lock()\nlock.acquire()\n"
						   "def waits():\n    lock.acquire()\n"
						   "def sleeps():\n    time.sleep(100000)\n"
						   "for f in [waits, sleeps]:\n"
						   "    t = threading.Thread(target=f)\n"
						   "    t.daemon = True\n    t.start()\n",
					 &e),
			0);
		struct caller callers[2];
		pthread_t thread[2];
		for (unsigned n = 0; n < 2; n++) {
			callers[n] = (struct caller){i, interpreter_function(i, "countdown"), n, 0};
			pthread_create(&thread[n], NULL, call_for_long, &callers[n]);
		}
		interpreter_stop(i);
		for (unsigned n = 0; n < 2; n++) {
			pthread_join(thread[n], NULL);
			assert_int_equal(callers[n].rc, ECANCELED);
		}
		interpreter_leave(t);
		assert_int_equal(interpreter_destroy(i), 0);
	}
}

#define RACE(VALUE)                                                                                \
	"import threading\nx = 0\n"                                                                \
	"def one():\n    return 1\n"                                                               \
	"def add():\n    global x\n    for i in range(%u):\n        x = x + " VALUE "\n"           \
	"def sub():\n    global x\n    for i in range(%u):\n        x = x - " VALUE "\n"           \
	"ts = [threading.Thread(target=add), threading.Thread(target=sub)]\n"                      \
	"for t in ts:\n    t.start()\nfor t in ts:\n    t.join()\n"

// Whether an update was lost in one of some runs; what was seen of it is checked.
static bool loses_updates(const struct interpreter_settings *s, const char *format, unsigned tries)
{
	enum { UPDATES = 100000 };
	char text[600];
	size_t events = 0;
	snprintf(text, sizeof text, format, UPDATES, UPDATES);
	for (unsigned n = 0; n < tries && !events; n++) {
		struct interpreter *i;
		struct interpreter_error e;
		struct interpreter_trace_event event[INTERPRETER_TRACE_MOST];
		size_t left_out;
		assert_int_equal(interpreter_create(&i, s), 0);
		struct interpreter_thread *t = interpreter_enter(i, 0);
		assert_int_equal(interpreter_run(t, "race.py", text, &e), 0);
		events = interpreter_lost_update(i, event, &left_out);
		if (events) {
			assert_string_equal(event[0].text, "LOAD_GLOBAL x");
			assert_string_equal(event[events - 1].text, "STORE_GLOBAL x");
			assert_true(event[events - 1].stale);
			assert_int_equal(event[events - 1].thread, event[0].thread);
			bool other = false;
			for (size_t k = 0; k < events; k++)
				other |= event[k].thread != event[0].thread;
			assert_true(other);
		}
		interpreter_leave(t);
		assert_int_equal(interpreter_destroy(i), 0);
	}
	return events;
}

static void lost_updates_are_found_in_the_trace(void **state)
{
	struct interpreter_settings old = {.mode = INTERPRETER_GIL_2, .trace = true};
	struct interpreter_settings every = {.mode = INTERPRETER_GIL_3,
		.switch_interval_us = 100,
		.check_every_instruction = true,
		.trace = true};
	struct interpreter_settings jumps = every;
	jumps.check_every_instruction = false;
	(void)state;
	assert_true(loses_updates(&old, RACE("1"), 50));
	assert_true(loses_updates(&every, RACE("1"), 50));
	assert_true(loses_updates(&jumps, RACE("one()"), 50));
	assert_false(loses_updates(&jumps, RACE("1"), 3));
}

static void an_interpreter_refuses_what_it_cannot_do(void **state)
{
	struct interpreter *i;
	struct interpreter_settings s = {.mode = INTERPRETER_MODES};
	(void)state;
	assert_int_equal(interpreter_create(&i, &s), EINVAL);
	s = (struct interpreter_settings){.mode = INTERPRETER_FREE_THREADED, .trace = true};
	assert_int_equal(interpreter_create(&i, &s), EINVAL);
	assert_int_equal(interpreter_mode_find("gil-3"), INTERPRETER_GIL_3);
	assert_int_equal(interpreter_mode_find("gil"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_mean_the_same_in_every_mode),
		cmocka_unit_test(threads_share_what_they_should),
		cmocka_unit_test(races_of_programs_do_not_break_the_interpreter),
		cmocka_unit_test(errors_name_file_line_and_kind),
		cmocka_unit_test(deep_objects_are_freed_without_a_deep_stack),
		cmocka_unit_test(a_lost_reference_is_noticed),
		cmocka_unit_test(functions_in_c_release_the_lock_if_they_say_so),
		cmocka_unit_test(the_old_lock_is_released_every_101_ticks),
		cmocka_unit_test(all_threads_end_when_they_are_asked_to),
		cmocka_unit_test(lost_updates_are_found_in_the_trace),
		cmocka_unit_test(an_interpreter_refuses_what_it_cannot_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
