// SPDX-License-Identifier: BSD-2-Clause
// The miniature Python's compiler: the bytecode of the programs that matter, what is refused and in
// which words, and that no text makes it crash or write bytecode that a second opinion, the check
// of every path below, does not agree with.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interpreter/code.h"
#include "xoshiro.h"

/* A second opinion on bytecode. */

// What an instruction takes from the stack and leaves there, and so much more for each of n.
static const struct effect {
	bool known;
	unsigned takes, leaves, takes_each, leaves_each;
} effects[OPCODES] = {
	[LOAD_CONST] = {true, 0, 1, 0, 0},
	[LOAD_FAST] = {true, 0, 1, 0, 0},
	[STORE_FAST] = {true, 1, 0, 0, 0},
	[LOAD_GLOBAL] = {true, 0, 1, 0, 0},
	[STORE_GLOBAL] = {true, 1, 0, 0, 0},
	[LOAD_ATTR] = {true, 1, 1, 0, 0},
	[STORE_ATTR] = {true, 2, 0, 0, 0},
	[LOAD_ITEM] = {true, 2, 1, 0, 0},
	[STORE_ITEM] = {true, 3, 0, 0, 0},
	[POP_TOP] = {true, 1, 0, 0, 0},
	[DUP_TOP] = {true, 1, 2, 0, 0},
	[DUP_TOP_TWO] = {true, 2, 4, 0, 0},
	[ROT_TWO] = {true, 2, 2, 0, 0},
	[ROT_THREE] = {true, 3, 3, 0, 0},
	[UNARY_NEGATIVE] = {true, 1, 1, 0, 0},
	[UNARY_NOT] = {true, 1, 1, 0, 0},
	[BINARY_ADD] = {true, 2, 1, 0, 0},
	[BINARY_SUBTRACT] = {true, 2, 1, 0, 0},
	[BINARY_MULTIPLY] = {true, 2, 1, 0, 0},
	[BINARY_DIVIDE] = {true, 2, 1, 0, 0},
	[BINARY_FLOOR_DIVIDE] = {true, 2, 1, 0, 0},
	[BINARY_MODULO] = {true, 2, 1, 0, 0},
	[BINARY_POWER] = {true, 2, 1, 0, 0},
	[BINARY_AND] = {true, 2, 1, 0, 0},
	[BINARY_OR] = {true, 2, 1, 0, 0},
	[BINARY_XOR] = {true, 2, 1, 0, 0},
	[BINARY_LSHIFT] = {true, 2, 1, 0, 0},
	[BINARY_RSHIFT] = {true, 2, 1, 0, 0},
	[COMPARE] = {true, 2, 1, 0, 0},
	[JUMP] = {true, 0, 0, 0, 0},
	[JUMP_BACK] = {true, 0, 0, 0, 0},
	[POP_JUMP_IF_FALSE] = {true, 1, 0, 0, 0},
	[POP_JUMP_IF_TRUE] = {true, 1, 0, 0, 0},
	[JUMP_IF_FALSE_OR_POP] = {true, 1, 0, 0, 0},
	[JUMP_IF_TRUE_OR_POP] = {true, 1, 0, 0, 0},
	[GET_ITER] = {true, 1, 1, 0, 0},
	[FOR_ITER] = {true, 1, 2, 0, 0},
	[BUILD_LIST] = {true, 0, 1, 1, 0},
	[BUILD_TUPLE] = {true, 0, 1, 1, 0},
	[BUILD_MAP] = {true, 0, 1, 2, 0},
	[UNPACK_SEQUENCE] = {true, 1, 0, 0, 1},
	[CALL] = {true, 1, 1, 1, 0},
	[CALL_KEYWORDS] = {true, 2, 1, 1, 0},
	[LOAD_METHOD] = {true, 1, 2, 0, 0},
	[CALL_METHOD] = {true, 2, 1, 1, 0},
	[RETURN] = {true, 1, 0, 0, 0},
	[MAKE_FUNCTION] = {true, 0, 1, 0, 0},
	[MAKE_CLASS] = {true, 2, 1, 2, 0},
	[IMPORT_NAME] = {true, 0, 1, 0, 0},
	[PRINT] = {true, 0, 0, 1, 0},
};

static bool jumps(enum opcode op)
{
	return op == JUMP || op == JUMP_BACK || op == POP_JUMP_IF_FALSE || op == POP_JUMP_IF_TRUE ||
	       op == JUMP_IF_FALSE_OR_POP || op == JUMP_IF_TRUE_OR_POP || op == FOR_ITER;
}

// How many things there are of the kind that the operand counts; 0: the operand is no index.
static unsigned operand_limit(const struct program *p, const struct code *c, enum opcode op)
{
	switch (op) {
	case LOAD_CONST:
		return p->constant_count;
	case LOAD_FAST:
	case STORE_FAST:
		return c->locals;
	case LOAD_GLOBAL:
	case STORE_GLOBAL:
	case LOAD_ATTR:
	case STORE_ATTR:
	case LOAD_METHOD:
	case IMPORT_NAME:
		return p->name_count;
	case MAKE_FUNCTION:
		return p->code_count;
	case COMPARE:
		return COMPARISONS;
	default:
		return jumps(op) ? c->count : 0;
	}
}

static bool has_limit(enum opcode op)
{
	static const struct program some = {.constant_count = 1, .name_count = 1, .code_count = 1};
	static const struct code code = {.locals = 1, .count = 1};
	return operand_limit(&some, &code, op) != 0;
}

// What is wrong with it, or null: operands that exist, jumps in their direction, a stack that is
// the same on every path to an instruction, never below its bottom, and at its deepest as deep as
// said; one value at RETURN; no instruction without a path to it.
static const char *flaw(const struct program *p, const struct code *c)
{
	int depth[c->count];
	unsigned todo[c->count], waiting = 1, most = 0, reached = 0;
	memset(depth, 0xff, sizeof depth);
	depth[0] = 0;
	todo[0] = 0;
	while (waiting) {
		unsigned at = todo[--waiting];
		enum opcode op = instruction_opcode(c->instructions[at]);
		uint32_t operand = instruction_operand(c->instructions[at]);
		reached++;
		if (op >= OPCODES || !effects[op].known)
			return "unknown opcode";
		if (has_limit(op) && operand >= operand_limit(p, c, op))
			return "operand out of range";
		if (!c->line[at])
			return "no line";
		const struct effect *e = &effects[op];
		unsigned n = op == PRINT ? operand & ~(unsigned)PRINT_KEEPS_LINE : operand;
		unsigned takes = e->takes + e->takes_each * n, now = (unsigned)depth[at];
		if (now < takes)
			return "stack below its bottom";
		if (op == RETURN && now != 1)
			return "values left at return";
		unsigned after = now - takes + e->leaves + e->leaves_each * n;
		most = now > most ? now : most;
		most = after > most ? after : most;
		unsigned next[2], depths[2], ways = 0;
		if (op != RETURN && op != JUMP && op != JUMP_BACK) {
			next[ways] = at + 1;
			depths[ways++] = after;
		}
		if (jumps(op)) {
			if ((op == JUMP_BACK) != (operand <= at))
				return "a jump in the wrong direction";
			bool keeps = op == JUMP_IF_FALSE_OR_POP || op == JUMP_IF_TRUE_OR_POP;
			next[ways] = operand;
			depths[ways++] = keeps ? now : op == FOR_ITER ? now - 1 : after;
		}
		while (ways--) {
			if (next[ways] >= c->count)
				return "runs off its end";
			if (depth[next[ways]] < 0) {
				depth[next[ways]] = (int)depths[ways];
				todo[waiting++] = next[ways];
			} else if (depth[next[ways]] != (int)depths[ways]) {
				return "two depths at one instruction";
			}
		}
	}
	if (reached != c->count)
		return "an instruction that nothing reaches";
	return most == c->stack ? NULL : "another depth of the stack";
}

static void check(const struct program *p, const char *text)
{
	for (unsigned i = 0; i < p->code_count; i++) {
		const char *what = flaw(p, &p->codes[i]);
		if (what)
			fail_msg("%s in %s of:\n%s", what, p->codes[i].name, text);
	}
}

/* Helpers. */

static struct program *compiled(const char *text)
{
	struct program *p = NULL;
	struct interpreter_error e = {""};
	if (program_compile(&p, "test.py", text, &e))
		fail_msg("%s in:\n%s", e.text, text);
	check(p, text);
	return p;
}

static const struct code *function(const struct program *p, const char *name)
{
	for (unsigned i = 0; i < p->code_count; i++) {
		if (!strcmp(p->codes[i].name, name))
			return &p->codes[i];
	}
	fail_msg("no function %s", name);
	return NULL;
}

// The instructions of one function of the text are these, separated by "; ".
static void expect(const char *text, const char *name, const char *wanted)
{
	struct program *p = compiled(text);
	const struct code *c = function(p, name);
	char found[4000] = "", one[100];
	for (unsigned i = 0; i < c->count; i++) {
		if (i)
			strcat(found, "; ");
		strcat(found, program_instruction_text(p, c, i, one, sizeof one));
	}
	assert_string_equal(found, wanted);
	program_free(p);
}

// The text is refused in these words.
static void refuse(const char *text, const char *wanted)
{
	struct program *p = NULL;
	struct interpreter_error e = {""};
	if (!program_compile(&p, "test.py", text, &e))
		fail_msg("compiled: %s", text);
	if (!strstr(e.text, wanted))
		fail_msg("'%s' where '%s' is wanted, of:\n%s", e.text, wanted, text);
}

// The only constant of the program `x = TEXT` but None.
static void constant_is(const char *text, struct constant wanted)
{
	char line[300];
	snprintf(line, sizeof line, "x = %s\n", text);
	struct program *p = compiled(line);
	const struct constant *k = &p->constants[0];
	assert_int_equal(k->kind, wanted.kind);
	if (k->kind == CONSTANT_INTEGER)
		assert_true(k->integer == wanted.integer);
	if (k->kind == CONSTANT_FLOAT)
		assert_memory_equal(&k->real, &wanted.real, sizeof k->real);
	if (k->kind == CONSTANT_STRING) {
		assert_int_equal(k->length, wanted.length);
		assert_memory_equal(k->string, wanted.string, wanted.length + 1);
	}
	assert_int_equal(p->constant_count, 2);
	program_free(p);
}

static void integer_is(const char *text, int64_t value)
{
	constant_is(text, (struct constant){.kind = CONSTANT_INTEGER, .integer = value});
}

static void float_is(const char *text, double value)
{
	constant_is(text, (struct constant){.kind = CONSTANT_FLOAT, .real = value});
}

static void string_is(const char *text, const char *value, size_t length)
{
	constant_is(text,
		(struct constant){.kind = CONSTANT_STRING, .string = value, .length = length});
}

/* Bytecode. */

static void countdown_is_the_nine_instructions_of_the_original(void **state)
{
	(void)state;
	const char *text = "def countdown(n):\n"
			   "    while n > 0:\n"
			   "        n -= 1\n";
	expect(text, "countdown",
		"LOAD_FAST n; LOAD_CONST 0; COMPARE >; POP_JUMP_IF_FALSE 9; LOAD_FAST n; "
		"LOAD_CONST 1; BINARY_SUBTRACT; STORE_FAST n; JUMP_BACK 0; LOAD_CONST None; "
		"RETURN");
	expect(text, "<module>",
		"MAKE_FUNCTION countdown; STORE_GLOBAL countdown; LOAD_CONST None; RETURN");
}

static void three_instructions_of_the_countdown_tick(void **state)
{
	(void)state;
	static const bool ticks[] = {
#define TICKS(name, ticks, checks) ticks,
		FOR_EACH_OPCODE(TICKS)
#undef TICKS
	};
	struct program *p = compiled("def countdown(n):\n\twhile n > 0:\n\t\tn -= 1\n");
	const struct code *c = function(p, "countdown");
	unsigned count = 0;
	for (unsigned i = 0; i < 9; i++)
		count += ticks[instruction_opcode(c->instructions[i])];
	assert_int_equal(count, 3);
	assert_int_equal(c->stack, 2);
	assert_int_equal(c->locals, 1);
	assert_int_equal(c->parameters, 1);
	program_free(p);
}

static void the_race_is_load_add_store_of_a_global(void **state)
{
	(void)state;
	expect("x = 0\ndef foo():\n global x\n for i in range(1000000): x = x + 1\n", "foo",
		"LOAD_GLOBAL range; LOAD_CONST 1000000; CALL 1; GET_ITER; FOR_ITER 11; "
		"STORE_FAST i; LOAD_GLOBAL x; LOAD_CONST 1; BINARY_ADD; STORE_GLOBAL x; "
		"JUMP_BACK 4; LOAD_CONST None; RETURN");
	expect("def foo():\n global x\n x = x + one()\n", "foo",
		"LOAD_GLOBAL x; LOAD_GLOBAL one; CALL 0; BINARY_ADD; STORE_GLOBAL x; "
		"LOAD_CONST None; RETURN");
}

static void calls_take_positions_names_and_methods(void **state)
{
	(void)state;
	expect("f(1, g(2))\n", "<module>",
		"LOAD_GLOBAL f; LOAD_CONST 1; LOAD_GLOBAL g; LOAD_CONST 2; CALL 1; CALL 2; "
		"POP_TOP; LOAD_CONST None; RETURN");
	expect("t = Thread(f, target=g, args=(1,))\n", "<module>",
		"LOAD_GLOBAL Thread; LOAD_GLOBAL f; LOAD_GLOBAL g; LOAD_CONST 1; BUILD_TUPLE 1; "
		"LOAD_CONST ('target', 'args'); CALL_KEYWORDS 3; STORE_GLOBAL t; LOAD_CONST None; "
		"RETURN");
	expect("l.append(1)\n", "<module>",
		"LOAD_GLOBAL l; LOAD_METHOD append; LOAD_CONST 1; CALL_METHOD 1; POP_TOP; "
		"LOAD_CONST None; RETURN");
}

static void assignments_evaluate_the_right_side_first(void **state)
{
	(void)state;
	expect("a = b = 0\n", "<module>",
		"LOAD_CONST 0; DUP_TOP; STORE_GLOBAL a; STORE_GLOBAL b; LOAD_CONST None; RETURN");
	expect("a, b = b, a\n", "<module>",
		"LOAD_GLOBAL b; LOAD_GLOBAL a; ROT_TWO; STORE_GLOBAL a; STORE_GLOBAL b; "
		"LOAD_CONST None; RETURN");
	expect("a, b, c = c, b, a\n", "<module>",
		"LOAD_GLOBAL c; LOAD_GLOBAL b; LOAD_GLOBAL a; ROT_THREE; ROT_TWO; STORE_GLOBAL a; "
		"STORE_GLOBAL b; STORE_GLOBAL c; LOAD_CONST None; RETURN");
	expect("a, (b, c) = x\n", "<module>",
		"LOAD_GLOBAL x; UNPACK_SEQUENCE 2; STORE_GLOBAL a; UNPACK_SEQUENCE 2; STORE_GLOBAL "
		"b; "
		"STORE_GLOBAL c; LOAD_CONST None; RETURN");
	expect("o.n += 1\n", "<module>",
		"LOAD_GLOBAL o; DUP_TOP; LOAD_ATTR n; LOAD_CONST 1; BINARY_ADD; ROT_TWO; "
		"STORE_ATTR n; "
		"LOAD_CONST None; RETURN");
	expect("d[k] += 1\n", "<module>",
		"LOAD_GLOBAL d; LOAD_GLOBAL k; DUP_TOP_TWO; LOAD_ITEM; LOAD_CONST 1; BINARY_ADD; "
		"ROT_THREE; STORE_ITEM; LOAD_CONST None; RETURN");
	expect("d[k] = o.n = 1\n", "<module>",
		"LOAD_CONST 1; DUP_TOP; LOAD_GLOBAL d; LOAD_GLOBAL k; STORE_ITEM; LOAD_GLOBAL o; "
		"STORE_ATTR n; LOAD_CONST None; RETURN");
}

static void conditions_jump_without_making_a_value(void **state)
{
	(void)state;
	expect("if a and not b or c: d\n", "<module>",
		"LOAD_GLOBAL a; POP_JUMP_IF_FALSE 4; LOAD_GLOBAL b; POP_JUMP_IF_FALSE 6; "
		"LOAD_GLOBAL c; "
		"POP_JUMP_IF_FALSE 8; LOAD_GLOBAL d; POP_TOP; LOAD_CONST None; RETURN");
	expect("x = a and b or c\n", "<module>",
		"LOAD_GLOBAL a; JUMP_IF_FALSE_OR_POP 3; LOAD_GLOBAL b; JUMP_IF_TRUE_OR_POP 5; "
		"LOAD_GLOBAL c; STORE_GLOBAL x; LOAD_CONST None; RETURN");
	expect("x = a < b <= c\n", "<module>",
		"LOAD_GLOBAL a; LOAD_GLOBAL b; DUP_TOP; ROT_THREE; COMPARE <; JUMP_IF_FALSE_OR_POP "
		"9; "
		"LOAD_GLOBAL c; COMPARE <=; JUMP 11; ROT_TWO; POP_TOP; STORE_GLOBAL x; "
		"LOAD_CONST None; RETURN");
	expect("def f(a):\n return 1 if a else 2\n", "f",
		"LOAD_FAST a; POP_JUMP_IF_FALSE 4; LOAD_CONST 1; RETURN; LOAD_CONST 2; RETURN");
	expect("x = a not in b is not c\nx = a in b\n", "<module>",
		"LOAD_GLOBAL a; LOAD_GLOBAL b; DUP_TOP; ROT_THREE; COMPARE not in; "
		"JUMP_IF_FALSE_OR_POP 9; LOAD_GLOBAL c; COMPARE is not; JUMP 11; ROT_TWO; POP_TOP; "
		"STORE_GLOBAL x; LOAD_GLOBAL a; LOAD_GLOBAL b; COMPARE in; STORE_GLOBAL x; "
		"LOAD_CONST None; RETURN");
}

static void loops_that_never_end_have_no_test(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		expect(i ? "def f():\n while 1: g()\n" : "def f():\n while True: g()\n", "f",
			"LOAD_GLOBAL g; CALL 0; POP_TOP; JUMP_BACK 0");
	expect("while 0: f()\nelse: g()\nif False: h()\n", "<module>",
		"LOAD_GLOBAL g; CALL 0; POP_TOP; LOAD_CONST None; RETURN");
}

static void a_jump_to_a_loop_of_nothing_goes_forwards(void **state)
{
	(void)state;
	expect("if a: b\nelse: c\nwhile 1: pass\n", "<module>",
		"LOAD_GLOBAL a; POP_JUMP_IF_FALSE 5; LOAD_GLOBAL b; POP_TOP; JUMP 7; LOAD_GLOBAL "
		"c; "
		"POP_TOP; JUMP_BACK 7");
}

static void every_loop_has_an_instruction_that_checks(void **state)
{
	(void)state;
	// The jump over the inner branch goes to the end of the loop, not past it to the head.
	expect("def f(a):\n while a:\n  if a: continue\n  a = 1\n", "f",
		"LOAD_FAST a; POP_JUMP_IF_FALSE 8; LOAD_FAST a; POP_JUMP_IF_FALSE 5; JUMP_BACK 0; "
		"LOAD_CONST 1; STORE_FAST a; JUMP_BACK 0; LOAD_CONST None; RETURN");
}

static void leaving_a_loop_drops_its_iterator(void **state)
{
	(void)state;
	expect("def f(l):\n for x in l:\n  if x: break\n  return x\n else: g()\n", "f",
		"LOAD_FAST l; GET_ITER; FOR_ITER 12; STORE_FAST x; LOAD_FAST x; POP_JUMP_IF_FALSE "
		"8; "
		"POP_TOP; JUMP 15; LOAD_FAST x; ROT_TWO; POP_TOP; RETURN; LOAD_GLOBAL g; CALL 0; "
		"POP_TOP; LOAD_CONST None; RETURN");
}

static void with_releases_on_every_way_out(void **state)
{
	(void)state;
	expect("with lock: f()\n", "<module>",
		"LOAD_GLOBAL lock; DUP_TOP; LOAD_METHOD acquire; CALL_METHOD 0; POP_TOP; "
		"LOAD_GLOBAL f; "
		"CALL 0; POP_TOP; LOAD_METHOD release; CALL_METHOD 0; POP_TOP; LOAD_CONST None; "
		"RETURN");
	expect("def f(l):\n while l:\n  with l: break\n", "f",
		"LOAD_FAST l; POP_JUMP_IF_FALSE 10; LOAD_FAST l; DUP_TOP; LOAD_METHOD acquire; "
		"CALL_METHOD 0; POP_TOP; LOAD_METHOD release; CALL_METHOD 0; POP_TOP; "
		"LOAD_CONST None; RETURN");
	expect("def f(l):\n with l: return 1\n", "f",
		"LOAD_FAST l; DUP_TOP; LOAD_METHOD acquire; CALL_METHOD 0; POP_TOP; LOAD_CONST 1; "
		"ROT_TWO; LOAD_METHOD release; CALL_METHOD 0; POP_TOP; RETURN");
}

static void classes_take_a_base_methods_and_constants(void **state)
{
	(void)state;
	expect("class A(B):\n 'text'\n n = 0\n def f(self): pass\n", "<module>",
		"LOAD_CONST 'A'; LOAD_GLOBAL B; LOAD_CONST 'n'; LOAD_CONST 0; LOAD_CONST 'f'; "
		"MAKE_FUNCTION f; MAKE_CLASS 2; STORE_GLOBAL A; LOAD_CONST None; RETURN");
	expect("class A(object): pass\n", "<module>",
		"LOAD_CONST 'A'; LOAD_CONST None; MAKE_CLASS 0; STORE_GLOBAL A; LOAD_CONST None; "
		"RETURN");
}

static void modules_are_imported_whole_or_in_part(void **state)
{
	(void)state;
	expect("import threading, time as t\n", "<module>",
		"IMPORT_NAME threading; STORE_GLOBAL threading; IMPORT_NAME time; STORE_GLOBAL t; "
		"LOAD_CONST None; RETURN");
	expect("from threading import Thread\n", "<module>",
		"IMPORT_NAME threading; LOAD_ATTR Thread; STORE_GLOBAL Thread; LOAD_CONST None; "
		"RETURN");
	expect("from threading import (Thread, Lock as L)\n", "<module>",
		"IMPORT_NAME threading; DUP_TOP; LOAD_ATTR Thread; STORE_GLOBAL Thread; LOAD_ATTR "
		"Lock; "
		"STORE_GLOBAL L; LOAD_CONST None; RETURN");
	expect("from __future__ import print_function\n", "<module>", "LOAD_CONST None; RETURN");
}

static void print_is_a_statement_or_a_function(void **state)
{
	(void)state;
	expect("print a, b\n", "<module>",
		"LOAD_GLOBAL a; LOAD_GLOBAL b; PRINT 2; LOAD_CONST None; RETURN");
	expect("print(a, b)\nprint()\nprint\n", "<module>",
		"LOAD_GLOBAL a; LOAD_GLOBAL b; PRINT 2; PRINT 0; PRINT 0; LOAD_CONST None; RETURN");
	expect("print (a) + b; print 'x %d' % a\n", "<module>",
		"LOAD_GLOBAL a; LOAD_GLOBAL b; BINARY_ADD; PRINT 1; LOAD_CONST 'x %d'; LOAD_GLOBAL "
		"a; "
		"BINARY_MODULO; PRINT 1; LOAD_CONST None; RETURN");
	expect("print a,\n", "<module>",
		"LOAD_GLOBAL a; PRINT 1 and stay in the line; LOAD_CONST None; RETURN");
}

static void operators_bind_as_in_python(void **state)
{
	(void)state;
	expect("x = 1 | 2 ^ 3 & 4 << 5 + 6 * -7 ** 8\n", "<module>",
		"LOAD_CONST 1; LOAD_CONST 2; LOAD_CONST 3; LOAD_CONST 4; LOAD_CONST 5; LOAD_CONST "
		"6; "
		"LOAD_CONST 7; LOAD_CONST 8; BINARY_POWER; UNARY_NEGATIVE; BINARY_MULTIPLY; "
		"BINARY_ADD; "
		"BINARY_LSHIFT; BINARY_AND; BINARY_XOR; BINARY_OR; STORE_GLOBAL x; LOAD_CONST "
		"None; "
		"RETURN");
	expect("x = a - b - c\nx = a ** b ** c\n", "<module>",
		"LOAD_GLOBAL a; LOAD_GLOBAL b; BINARY_SUBTRACT; LOAD_GLOBAL c; BINARY_SUBTRACT; "
		"STORE_GLOBAL x; LOAD_GLOBAL a; LOAD_GLOBAL b; LOAD_GLOBAL c; BINARY_POWER; "
		"BINARY_POWER; "
		"STORE_GLOBAL x; LOAD_CONST None; RETURN");
}

static void each_instruction_knows_its_line(void **state)
{
	(void)state;
	struct program *p = compiled("def f(a):\n"
				     "    # nothing\n"
				     "    b = (a +\n"
				     "         g(1))\n"
				     "\n"
				     "    return b\n");
	const struct code *c = function(p, "f");
	static const unsigned lines[] = {3, 4, 4, 4, 3, 3, 6, 6};
	assert_int_equal(c->count, sizeof lines / sizeof *lines);
	for (unsigned i = 0; i < c->count; i++)
		assert_int_equal(c->line[i], lines[i]);
	program_free(p);
}

static void equal_constants_and_names_exist_once(void **state)
{
	(void)state;
	struct program *p = compiled("a = 1 + 1 + True + 1.0 + 0.0 + -0.0\n"
				     "a.a(a, 'a', 'a', 'b' 'c', 'bc')\n"
				     "f(x=1); f(x=2); f(y=2)\n");
	unsigned kinds[8] = {0};
	for (unsigned i = 0; i < p->constant_count; i++)
		kinds[p->constants[i].kind]++;
	assert_int_equal(kinds[CONSTANT_INTEGER], 2);
	assert_int_equal(kinds[CONSTANT_TRUE], 1);
	assert_int_equal(kinds[CONSTANT_FLOAT], 3);
	assert_int_equal(kinds[CONSTANT_STRING], 2);
	assert_int_equal(kinds[CONSTANT_NAMES], 2);
	assert_int_equal(p->name_count, 2);
	program_free(p);
}

/* Text. */

static void integers_have_64_bits_and_four_bases(void **state)
{
	(void)state;
	integer_is("1_000_000", 1000000);
	integer_is("0xFf_ff", 65535);
	integer_is("0o17", 15);
	integer_is("0b_101", 5);
	integer_is("00", 0);
	integer_is("9223372036854775807", INT64_MAX);
	integer_is("-9223372036854775808", INT64_MIN);
	integer_is("- -5", 5);
	integer_is("-0x8000000000000000", INT64_MIN);
	refuse("x = 1\ny = 9223372036854775808\n",
		"test.py:2: OverflowError: 9223372036854775808 does not fit 64 bits");
	refuse("x = -9223372036854775809\n", "test.py:1: OverflowError: 9223372036854775809 does");
	refuse("x = -9223372036854775808 ** 2\n", "OverflowError");
	refuse("x = 0x10000000000000000\n",
		"OverflowError: 0x10000000000000000 does not fit 64 bits");
	refuse("x = 0777\n", "test.py:1: SyntaxError: '0777': octal");
	refuse("x = 1__0\n", "'1__0'");
	refuse("x = 0b12\n", "'0b12'");
	refuse("x = 12ab\n", "'12ab'");
	refuse("x = 0x\n", "'0x'");
}

static void floats_are_read_as_in_c(void **state)
{
	(void)state;
	float_is("1.5", 1.5);
	float_is(".5", 0.5);
	float_is("1.", 1.0);
	float_is("1e3", 1000.0);
	float_is("1_0.2_5E-1_0", 10.25e-10);
	float_is("-0.0", -0.0);
	float_is("1e999", INFINITY);
}

static void strings_have_pythons_quotes_and_escapes(void **state)
{
	(void)state;
	string_is("'a\"b'", "a\"b", 3);
	string_is("\"a'b\"", "a'b", 3);
	string_is("''", "", 0);
	string_is("'''a\n'b''c'''", "a\n'b''c", 7);
	string_is("\"\"\"\"a\\\"\"\"\"", "\"a\"", 3);
	string_is("'\\n\\t\\\\\\'\\x41\\101\\0\\d'", "\n\t\\'AA\0\\d", 9);
	string_is("'\\u20ac\\xe9\\U0001f40d'", "\xe2\x82\xac\xc3\xa9\xf0\x9f\x90\x8d", 9);
	string_is("'\xe2\x82\xac'", "\xe2\x82\xac", 3);
	string_is("r'\\n\\''", "\\n\\'", 4);
	string_is("u'a'", "a", 1);
	string_is("'a' \"b\"", "ab", 2);
	string_is("'a\\\nb'", "ab", 2);
	string_is("'''a\r\nb'''", "a\nb", 3);
	refuse("\nx = 'abc\n", "test.py:2: SyntaxError: a string begins here");
	refuse("x = 'abc\\", "a string begins here");
	refuse("'''abc\n\n", "test.py:1: SyntaxError: a string begins here");
	refuse("'\\x4'", "2 hexadecimal digits");
	refuse("'\\ud800'", "U+D800 is not a character");
	refuse("'\\U00110000'", "U+110000 is not a character");
	refuse("'\\N{DASH}'", "outside the subset");
}

static void indentation_is_pythons(void **state)
{
	(void)state;
	const char *wanted = "LOAD_GLOBAL a; POP_JUMP_IF_FALSE 6; LOAD_GLOBAL b; POP_TOP; "
			     "LOAD_GLOBAL c; POP_TOP; LOAD_CONST None; RETURN";
	expect("if a:\n  b\n  c\n", "<module>", wanted);
	expect("if a: b; c\n", "<module>", wanted);
	expect("if a:\r\n\tb # x\r\n\r\n# y\r\n\tc", "<module>", wanted);
	expect("if a:\n\n   # deeper\n b\n# less\n c;\n", "<module>", wanted);
	expect("\xef\xbb\xbfif (a\n):\n b\n \\\nc\n", "<module>", wanted);
	expect("if \\\n a:\n \t b\n \t c\n", "<module>", wanted);
	refuse("  x\n", "test.py:1: SyntaxError: an indented line is not expected");
	refuse("if a:\nb\n", "test.py:2: SyntaxError: an indented line is wanted, not 'b'");
	refuse("if a:\n  b\n c\n", "test.py:3: SyntaxError: the indentation matches that of no");
	refuse("if a:\n\tb\n        c\n", "test.py:3: SyntaxError: tabs and blanks");
	refuse("x = (1,\n", "test.py:1: SyntaxError: '(' is not closed");
	refuse("x = (1,\n]\n", "test.py:2: SyntaxError: ']' does not close the '(' of line 1");
	refuse("x \\ y\n", "a backslash in the middle");
	refuse("x\n\xff\n", "test.py:2: SyntaxError: a text that is not UTF-8");
	refuse("x = \xc3\xa9\n", "the byte 0xc3 outside of a string");
	refuse("x = $\n", "'$'");
}

static void what_is_outside_the_subset_is_refused_by_name(void **state)
{
	(void)state;
	static const char *const refused[][2] = {
		{"\n\ntry:\n f()\nexcept: pass\n",
			"test.py:3: SyntaxError: 'try' is outside the subset"},
		{"x = lambda: 1", "'lambda' is outside the subset"},
		{"def f():\n yield 1\n", "test.py:2: SyntaxError: 'yield' is outside the subset"},
		{"raise X", "'raise' is outside the subset"},
		{"del x", "'del' is outside the subset"},
		{"async def f(): pass", "'async' is outside the subset"},
		{"def f():\n nonlocal x\n", "'nonlocal' is outside the subset"},
		{"@f\ndef g(): pass\n", "a decorator is outside the subset"},
		{"x = [i for i in y]", "a list comprehension is outside the subset"},
		{"x = (i for i in y)", "a generator expression is outside the subset"},
		{"f(i for i in y)", "a generator expression is outside the subset"},
		{"print(i for i in y)", "a generator expression is outside the subset"},
		{"x = {i: i for i in y}", "a dictionary comprehension is outside the subset"},
		{"x = {i for i in y}", "outside the subset"},
		{"x = {1, 2}", "a set in curly brackets is outside the subset"},
		{"a[1:2]", "a slice is outside the subset"},
		{"a[:2]", "a slice is outside the subset"},
		{"a[1, :]", "a slice is outside the subset"},
		{"f'x'", "outside the subset"},
		{"b'x'", "outside the subset"},
		{"x = 1j", "complex numbers are outside the subset"},
		{"x = 1L", "outside the subset"},
		{"a <> b", "'<>' (write '!=') is outside the subset"},
		{"x = `a`", "'`' is outside the subset"},
		{"x = ...", "'...' is outside the subset"},
		{"a @ b", "'@' is outside the subset"},
		{"x: int = 1", "an annotation is outside the subset"},
		{"def f(a: int): pass", "an annotation is outside the subset"},
		{"def f(a) -> int: pass", "an annotation is outside the subset"},
		{"if x := 1: pass", "':=' is outside the subset"},
		{"def f(a=1): pass", "a parameter's default value is outside the subset"},
		{"def f(*a): pass", "a parameter marked with '*'"},
		{"f(*a)", "an argument list made with '*' is outside the subset"},
		{"f(**a)", "an argument list made with '*' is outside the subset"},
		{"*a, b = c", "'*' before an element is outside the subset"},
		{"import a.b", "a module inside of a package is outside the subset"},
		{"from a import *", "'import *' is outside the subset"},
		{"from . import a", "a relative import is outside the subset"},
		{"from __future__ import braces", "'braces' of __future__ is outside the subset"},
		{"with a as b: pass", "'as' after 'with' is outside the subset"},
		{"class A(B, C): pass", "more than one base class is outside the subset"},
		{"class A(metaclass=B): pass", "a class's keyword argument is outside the subset"},
		{"class A:\n x = f()\n", "test.py:2: SyntaxError: in a class,"},
		{"print >>f, x", "'print >>' is outside the subset"},
		{"print(x, end='')", "print's argument 'end' is outside the subset"},
		{"x = print", "'print' inside of an expression is outside the subset"},
		{"def f(n):\n def g():\n  return n\n",
			"test.py:3: SyntaxError: 'n' of the function 'f'"},
		{"def f():\n class A:\n  def g(self): return n\n n = 1\n",
			"'n' of the function 'f'"},
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		refuse(refused[i][0], refused[i][1]);
}

static void what_is_no_python_is_refused_with_what_was_found(void **state)
{
	(void)state;
	static const char *const refused[][2] = {
		{"x = 1 2", "the end of the line is wanted, not a number"},
		{"if x\n pass", "test.py:1: SyntaxError: ':' is wanted, not the end of the line"},
		{"x = )", "')'"},
		{"x = (1 +\n\n )", "test.py:3: SyntaxError: an expression is wanted, not ')'"},
		{"else: pass", "'else' is not expected here"},
		{"1 = x", "an assignment to a constant"},
		{"None = x", "an assignment to a constant"},
		{"f() = x", "an assignment to a call's result"},
		{"a + b = x", "an assignment to an expression"},
		{"a, b += 1", "an augmented assignment to"},
		{"() = x", "an assignment to nothing"},
		{"for 1 in x: pass", "an assignment to a constant"},
		{"return", "'return' outside of a function"},
		{"class A:\n return\n", "'return' outside of a function"},
		{"break", "'break' outside of a loop"},
		{"while 1:\n def f():\n  continue\n", "'continue' outside of a loop"},
		{"def f(a, a): pass", "two parameters have the name 'a'"},
		{"f(a=1, a=2)", "the argument 'a' is given twice"},
		{"f(a=1, 2)", "an argument without a name follows"},
		{"def f(a):\n global a\n", "'a' is used before it is declared global"},
		{"x = 'a\n1 +\n", "test.py:1: SyntaxError: a string begins here"},
		{"1 +\nx = 'a\n", "test.py:1: SyntaxError: an expression is wanted"},
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		refuse(refused[i][0], refused[i][1]);
}

// `before` and `after` so many times around `middle`.
static char *nested(const char *before, const char *middle, const char *after, unsigned times)
{
	size_t b = strlen(before), m = strlen(middle), a = strlen(after);
	char *text = malloc((b + a) * times + m + 1), *at = text;
	assert_non_null(text);
	for (unsigned i = 0; i < times; i++, at += b)
		memcpy(at, before, b);
	memcpy(at, middle, m);
	at += m;
	for (unsigned i = 0; i < times; i++, at += a)
		memcpy(at, after, a);
	*at = '\0';
	return text;
}

static void nesting_without_end_is_an_error_not_a_crash(void **state)
{
	(void)state;
	static const char *const around[][3] = {
		{"(", "1", ")"},
		{"[", "", "]"},
		{"{1:", "1", "}"},
		{"-", "1", ""},
		{"not ", "1", ""},
		{"1 if 1 else ", "1", ""},
		{"2 ** ", "2", ""},
		{"f(", "", ")"},
		{"a[", "1", "]"},
		{"1 + ", "1", ""},
		{"", "a", ".b"},
		{"", "f", "()"},
		{"1 < (", "1", ")"},
		{"a and (", "1", ")"},
		{"if a: ", "", ""},
		{"(", "", ""},
		{"", "a, ", ""},
	};
	for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
		for (unsigned times = 1; times <= 100000; times *= 10) {
			char *text = nested(around[i][0], around[i][1], around[i][2], times);
			struct program *p = NULL;
			struct interpreter_error e;
			int error = program_compile(&p, "test.py", text, &e);
			assert_true(!error || error == EINVAL);
			if (!error) {
				check(p, text);
				program_free(p);
			}
			free(text);
		}
	}
	char *text = nested("x = ", "(1)", "", 1);
	program_free(compiled(text));
	free(text);
	text = nested("(", "x", ")", 90);
	program_free(compiled(text));
	free(text);
	text = nested("(", "x", ")", 110);
	refuse(text, "test.py:1: SyntaxError: the text is nested more than 200 deep");
	free(text);
}

static void long_chains_of_branches_are_no_nesting(void **state)
{
	(void)state;
	char *text = nested("", "if a: b\n", "elif c: d\n", 5000);
	program_free(compiled(text));
	free(text);
}

static void disassembly_names_lines_targets_and_operands(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	struct program *p = compiled("x = 'a\\n'\ndef f(n):\n while n > 0:\n  n -= 1.5\n");
	program_disassemble(p, out);
	fclose(out);
	assert_string_equal(text, "<module>(): 0 locals, 1 values on the stack\n"
				  "    1        0 LOAD_CONST                 0 ('a\\n')\n"
				  "             1 STORE_GLOBAL               0 (x)\n"
				  "    2        2 MAKE_FUNCTION              1 (f)\n"
				  "             3 STORE_GLOBAL               1 (f)\n"
				  "             4 LOAD_CONST                 3 (None)\n"
				  "             5 RETURN\n"
				  "\n"
				  "f(n): 1 locals, 2 values on the stack\n"
				  "    3 >>     0 LOAD_FAST                  0 (n)\n"
				  "             1 LOAD_CONST                 1 (0)\n"
				  "             2 COMPARE                    4 (>)\n"
				  "             3 POP_JUMP_IF_FALSE          9 (to 9)\n"
				  "    4        4 LOAD_FAST                  0 (n)\n"
				  "             5 LOAD_CONST                 2 (1.5)\n"
				  "             6 BINARY_SUBTRACT\n"
				  "             7 STORE_FAST                 0 (n)\n"
				  "             8 JUMP_BACK                  0 (to 0)\n"
				  "      >>     9 LOAD_CONST                 3 (None)\n"
				  "            10 RETURN\n");
	free(text);
	char small[8];
	assert_string_equal(
		program_instruction_text(p, &p->codes[0], 0, small, sizeof small), "LOAD_CO");
	program_free(p);
}

/* Random texts. */

static const char whole[] =
	"import threading, time\n"
	"from threading import Thread as T, Lock\n"
	"x = y = 0; lock = threading.Lock()\n"
	"class Counter(object):\n"
	"    'counts'\n"
	"    step = 1\n"
	"    def __init__(self, start):\n"
	"        self.n = start\n"
	"    def add(self, k):\n"
	"        self.n += k * self.step\n"
	"        return self\n"
	"def fib(n):\n"
	"    if n < 2: return n\n"
	"    return fib(n - 1) + fib(n - 2)\n"
	"def work(a, b):\n"
	"    global x\n"
	"    for i, v in [(1, 2), (3, 4)]:\n"
	"        while a > 0 and not b:\n"
	"            a -= 1\n"
	"            if a % 7 == 3: continue\n"
	"            elif 1 < a <= 5 or v is None: break\n"
	"            else:\n"
	"                x = x + 1\n"
	"        else:\n"
	"            with lock:\n"
	"                if i in {1: 'a', 2: \"b\"}: return -x if x else +y\n"
	"                a, b = b, a\n"
	"    d = {}; d[a, 1] = [1, 2.5e3, 0x_ff, ~a][0]; d['k'] += a ** 2 // 3 >> 1 ^ 5 | 6 & 7\n"
	"    print 'a %d' % a, b,\n"
	"    print(a, b)\n"
	"    assert x != 3, '''three\n"
	"quotes'''\n"
	"t = T(target=work, args=(1, True))\n"
	"t.start(); t.join()\n"
	"if __name__ == '__main__':\n"
	"    Counter(3).add(fib(10)).add(\\\n"
	"        1)\n";

// Compiles what may be anything; whether it was a program.
static bool try_text(const char *text)
{
	struct program *p = NULL;
	struct interpreter_error e = {""};
	int error = program_compile(&p, "test.py", text, &e);
	if (error) {
		assert_int_equal(error, EINVAL);
		assert_true(strlen(e.text) < sizeof e.text);
		if (strncmp(e.text, "test.py:", 8) ||
			!(strstr(e.text, ": SyntaxError: ") || strstr(e.text, ": OverflowError: ")))
			fail_msg("'%s' of:\n%s", e.text, text);
		return false;
	}
	check(p, text);
	program_free(p);
	return true;
}

static void bytes_at_random_never_crash_it(void **state)
{
	(void)state;
	struct xoshiro random;
	xoshiro_seed(&random, 1);
	for (int i = 0; i < 20000; i++) {
		char text[64];
		size_t length = xoshiro_next(&random) % sizeof text;
		for (size_t j = 0; j < length; j++)
			text[j] = (char)xoshiro_next(&random);
		text[length] = '\0';
		try_text(text);
	}
}

// Words of the language in any order come further than bytes do.
static void words_at_random_never_crash_it(void **state)
{
	(void)state;
	static const char *const words[] = {"a", "b", "f(", ")", "(", "[", "]", "{", "}", ":", ",",
		"=", "+=", "-", "**", "1", "2.5", "'s'", "\n", "\n ", "\n  ", "\n\t", "if ", "else",
		"elif ", "while ", "for ", " in ", "def ", "class ", "return ", "print ", "with ",
		" and ", " or ", "not ", "break", "continue", "pass", "global ", "import ", "from ",
		"assert ", ".", ";", "<", "==", " is ", "\\\n", "#", "'''", "None", " as ",
		"lambda", "@"};
	struct xoshiro random;
	xoshiro_seed(&random, 2);
	for (int i = 0; i < 20000; i++) {
		char text[400] = "";
		for (unsigned n = xoshiro_next(&random) % 30; n; n--)
			strcat(text, words[xoshiro_next(&random) % (sizeof words / sizeof *words)]);
		try_text(text);
	}
}

static void mutations_of_a_program_never_crash_it(void **state)
{
	(void)state;
	struct xoshiro random;
	unsigned programs = 0;
	char text[2 * sizeof whole];
	xoshiro_seed(&random, 3);
	assert_true(try_text(whole));
	for (int i = 0; i < 20000; i++) {
		memcpy(text, whole, sizeof whole);
		for (unsigned n = 1 + xoshiro_next(&random) % 3; n; n--) {
			size_t length = strlen(text), at = xoshiro_next(&random) % length;
			size_t span = 1 + xoshiro_next(&random) % 20;
			size_t from = xoshiro_next(&random) % length;
			if (at + span > length || from + span > length)
				continue;
			switch (xoshiro_next(&random) % 4) {
			case 0:
				text[at] = (char)(xoshiro_next(&random) % 127 + 1);
				break;
			case 1:
				memmove(text + at, text + at + span, length - at - span + 1);
				break;
			case 2:
				memmove(text + at, text + from, span);
				break;
			default:
				text[at] = '\0';
			}
			if (!*text)
				break;
		}
		programs += try_text(text);
	}
	// Enough of them are programs that the checks of bytecode mean something.
	assert_in_range(programs, 500, 19500);
}

// Writes programs: what it writes always compiles.
struct writer {
	struct xoshiro random;
	char *at, *end;
	unsigned loops, functions;
};

static unsigned draw(struct writer *w, unsigned below)
{
	return (unsigned)(xoshiro_next(&w->random) % below);
}

__attribute__((format(printf, 2, 3))) static void say(struct writer *w, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	w->at += vsnprintf(w->at, (size_t)(w->end - w->at), format, arguments);
	va_end(arguments);
	assert_true(w->at < w->end);
}

static void write_expression(struct writer *w, unsigned deep)
{
	static const char *const between[] = {"+", "-", "*", "/", "//", "%", "**", "&", "|", "^",
		"<<", ">>", "<", "<=", "==", "!=", ">", "is", "is not", "in", "not in", "and",
		"or"};
	static const char *const atoms[] = {
		"a", "b", "x", "1", "0", "2.5", "'s'", "None", "True", "g()"};
	// {: an expression.
	static const char *const forms[] = {"f({, {)", "a.m({)", "f({, k={)", "[{, {, {]", "({,)",
		"{[{]", "({ if { else {)", "(not {)", "(-{)", "({).b", "d[{, {]",
		"({ < { <= { != {)"};
	if (!deep || !draw(w, 3)) {
		say(w, "%s", atoms[draw(w, sizeof atoms / sizeof *atoms)]);
		return;
	}
	if (draw(w, 2)) {
		say(w, "(");
		write_expression(w, deep - 1);
		say(w, " %s ", between[draw(w, sizeof between / sizeof *between)]);
		write_expression(w, deep - 1);
		say(w, ")");
		return;
	}
	for (const char *at = forms[draw(w, sizeof forms / sizeof *forms)]; *at; at++) {
		if (*at == '{')
			write_expression(w, deep - 1);
		else
			say(w, "%c", *at);
	}
}

static void write_block(struct writer *w, unsigned indent, unsigned deep);

// A line "WORD expression:" and its block.
static void write_compound(struct writer *w, unsigned indent, unsigned deep, const char *word)
{
	say(w, "%*s%s ", (int)indent, "", word);
	write_expression(w, 2);
	say(w, ":\n");
	write_block(w, indent + 1, deep - 1);
}

static void write_loop(struct writer *w, unsigned indent, unsigned deep)
{
	w->loops++;
	write_compound(w, indent, deep, draw(w, 2) ? "while" : "for i, d[1] in");
	w->loops--;
	if (!draw(w, 2))
		return;
	say(w, "%*selse:\n", (int)indent, "");
	write_block(w, indent + 1, deep - 1);
}

static void write_simple(struct writer *w, unsigned indent)
{
	static const char *const targets[] = {"a = ", "x += ", "a.b = ", "d[a] -= ", "a, b = ",
		"a = d[1] = ", "print ", "", "a, b, x = ", "(a, [b, x.y]) = "};
	say(w, "%*s", (int)indent, "");
	unsigned what = draw(w, 6);
	if (what == 0 && w->loops) {
		say(w, draw(w, 2) ? "break\n" : "continue\n");
		return;
	}
	if (what == 2) {
		say(w, "assert ");
		write_expression(w, 3);
		say(w, ", 's'\n");
		return;
	}
	if (what == 1 && w->functions)
		say(w, "return ");
	else
		say(w, "%s", targets[draw(w, sizeof targets / sizeof *targets)]);
	write_expression(w, 4);
	for (unsigned more = draw(w, 4); more == 3; more = draw(w, 4)) {
		say(w, ", ");
		write_expression(w, 2);
	}
	say(w, "\n");
}

static void write_block(struct writer *w, unsigned indent, unsigned deep)
{
	for (unsigned statements = 1 + draw(w, 4); statements; statements--) {
		switch (deep ? draw(w, 8) : 7) {
		case 0:
			write_loop(w, indent, deep);
			break;
		case 1:
			write_compound(w, indent, deep, "with");
			break;
		case 2:
			write_compound(w, indent, deep, "if");
			say(w, "%*selif x:\n", (int)indent, "");
			write_block(w, indent + 1, deep - 1);
			say(w, "%*selse:\n", (int)indent, "");
			write_block(w, indent + 1, deep - 1);
			break;
		case 3:
			write_compound(w, indent, deep, "if");
			break;
		default:
			write_simple(w, indent);
		}
	}
}

static void stack_depths_of_random_programs_hold_on_every_path(void **state)
{
	(void)state;
	static char text[1 << 18];
	struct writer w = {.end = text + sizeof text};
	xoshiro_seed(&w.random, 4);
	for (int i = 0; i < 2000; i++) {
		w.at = text;
		w.loops = 0;
		w.functions = 0;
		write_block(&w, 0, 3);
		w.functions = 1;
		say(&w, "def h(a, b):\n");
		write_block(&w, 1, 4);
		program_free(compiled(text));
	}
}

static void the_check_of_bytecode_notices_what_is_wrong(void **state)
{
	(void)state;
	struct program *p = compiled("def f(n):\n while n > 0:\n  n -= 1\n");
	const struct code *c = function(p, "f");
	instruction changed[11];
	struct code broken = *c;
	assert_int_equal(c->count, 11);
	assert_null(flaw(p, c));
	broken.stack = 1;
	assert_string_equal(flaw(p, &broken), "another depth of the stack");
	broken.stack = 3;
	assert_string_equal(flaw(p, &broken), "another depth of the stack");
	broken = *c;
	broken.instructions = changed;
	static const struct {
		unsigned at;
		enum opcode op;
		uint32_t operand;
		const char *what;
	} changes[] = {
		{0, LOAD_FAST, 1, "operand out of range"},
		{0, POP_TOP, 0, "stack below its bottom"},
		{3, POP_JUMP_IF_FALSE, 10, "stack below its bottom"},
		{3, POP_JUMP_IF_FALSE, 0, "a jump in the wrong direction"},
		{7, LOAD_FAST, 0, "two depths at one instruction"},
		{8, JUMP, 9, "another depth of the stack"},
		{3, POP_TOP, 0, "an instruction that nothing reaches"},
		{10, POP_TOP, 0, "runs off its end"},
	};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		memcpy(changed, c->instructions, sizeof changed);
		changed[changes[i].at] = instruction_make(changes[i].op, changes[i].operand);
		const char *what = flaw(p, &broken);
		if (i == 5)
			assert_null(what); // no loop any more, and nothing wrong with that
		else
			assert_string_equal(what, changes[i].what);
	}
	program_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(countdown_is_the_nine_instructions_of_the_original),
		cmocka_unit_test(three_instructions_of_the_countdown_tick),
		cmocka_unit_test(the_race_is_load_add_store_of_a_global),
		cmocka_unit_test(calls_take_positions_names_and_methods),
		cmocka_unit_test(assignments_evaluate_the_right_side_first),
		cmocka_unit_test(conditions_jump_without_making_a_value),
		cmocka_unit_test(loops_that_never_end_have_no_test),
		cmocka_unit_test(a_jump_to_a_loop_of_nothing_goes_forwards),
		cmocka_unit_test(every_loop_has_an_instruction_that_checks),
		cmocka_unit_test(leaving_a_loop_drops_its_iterator),
		cmocka_unit_test(with_releases_on_every_way_out),
		cmocka_unit_test(classes_take_a_base_methods_and_constants),
		cmocka_unit_test(modules_are_imported_whole_or_in_part),
		cmocka_unit_test(print_is_a_statement_or_a_function),
		cmocka_unit_test(operators_bind_as_in_python),
		cmocka_unit_test(each_instruction_knows_its_line),
		cmocka_unit_test(equal_constants_and_names_exist_once),
		cmocka_unit_test(integers_have_64_bits_and_four_bases),
		cmocka_unit_test(floats_are_read_as_in_c),
		cmocka_unit_test(strings_have_pythons_quotes_and_escapes),
		cmocka_unit_test(indentation_is_pythons),
		cmocka_unit_test(what_is_outside_the_subset_is_refused_by_name),
		cmocka_unit_test(what_is_no_python_is_refused_with_what_was_found),
		cmocka_unit_test(nesting_without_end_is_an_error_not_a_crash),
		cmocka_unit_test(long_chains_of_branches_are_no_nesting),
		cmocka_unit_test(disassembly_names_lines_targets_and_operands),
		cmocka_unit_test(bytes_at_random_never_crash_it),
		cmocka_unit_test(words_at_random_never_crash_it),
		cmocka_unit_test(mutations_of_a_program_never_crash_it),
		cmocka_unit_test(stack_depths_of_random_programs_hold_on_every_path),
		cmocka_unit_test(the_check_of_bytecode_notices_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
