// SPDX-License-Identifier: BSD-2-Clause
// A lost update, explained: each thread keeps its last instructions, and which loads of globals
// what lies on its stack was computed from. A store whose value comes from a load of the same
// global that another thread has stored to since loses that thread's update.
// Runs with the interpreter lock held, which gives the instructions of all threads one order.
#include <stdlib.h>
#include <string.h>

#include "object.h"

static void step_value(struct trace_step *s, struct object *o)
{
	s->has_value = o && (object_type(o) == TYPE_INT || object_type(o) == TYPE_BOOL);
	s->value = s->has_value ? ((struct integer *)o)->value : 0;
}

static bool makes_a_value(enum opcode op)
{
	return (op >= UNARY_NEGATIVE && op <= BINARY_RSHIFT) || op == CALL || op == CALL_METHOD ||
	       op == CALL_KEYWORDS || op == COMPARE;
}

// What the last instruction took from the stack is gone, or is in what it left there.
static void loads_follow(struct interpreter_thread *t, enum opcode last, struct object **sp)
{
	unsigned left = 0;
	for (unsigned n = 0; n < t->load_count; n++) {
		struct trace_load l = t->loads[n];
		if (l.slot >= sp - 1 && makes_a_value(last))
			l.slot = sp - 1;
		if (l.slot < sp)
			t->loads[left++] = l;
	}
	t->load_count = left;
}

static int by_order(const void *a, const void *b)
{
	const struct trace_step *x = a, *y = b;
	return (x->order > y->order) - (x->order < y->order);
}

static void event_make(struct interpreter_trace_event *e, const struct trace_step *s)
{
	memset(e, 0, sizeof *e);
	e->thread = s->thread;
	program_instruction_text(
		s->code->unit->program, s->code->code, s->instruction, e->text, sizeof e->text);
	e->value = s->value;
	e->has_value = s->has_value;
	e->stale = s->stale;
	e->line = s->code->code->line[s->instruction];
}

static size_t ring_add(const struct trace_step *ring, uint64_t from, uint64_t to,
	struct trace_step *all, size_t count)
{
	for (size_t n = 0; ring && n < TRACE_RING; n++)
		if (ring[n].order >= from && ring[n].order <= to)
			all[count++] = ring[n];
	return count;
}

// The instructions of all threads from the load on, shortened in the middle.
static void lost_record(struct interpreter *i, uint64_t from, uint64_t to)
{
	size_t room = TRACE_LEFT * TRACE_RING, count = 0;
	pthread_mutex_lock(&i->mutex);
	for (struct interpreter_thread *t = i->threads; t; t = t->next)
		room += TRACE_RING;
	struct trace_step *all = malloc(room * sizeof *all);
	for (struct interpreter_thread *t = i->threads; all && t; t = t->next)
		count = ring_add(t->ring, from, to, all, count);
	for (unsigned n = 0; all && n < TRACE_LEFT; n++)
		count = ring_add(i->left[n], from, to, all, count);
	pthread_mutex_unlock(&i->mutex);
	struct interpreter_trace_event *event = calloc(INTERPRETER_TRACE_MOST, sizeof *event);
	if (!all || !event) {
		free(all);
		free(event);
		return;
	}
	qsort(all, count, sizeof *all, by_order);
	size_t shown = count < INTERPRETER_TRACE_MOST ? count : INTERPRETER_TRACE_MOST;
	for (size_t n = 0; n < shown; n++)
		event_make(&event[n], &all[n < shown / 2 ? n : count - shown + n]);
	i->lost_left_out = (size_t)(to - from + 1) - shown;
	i->lost_count = shown;
	i->lost = event;
	free(all);
}

static void global_loaded(struct interpreter_thread *t, struct name *n, struct object **sp)
{
	if (t->load_count == TRACE_LOADS) {
		memmove(t->loads, t->loads + 1, (TRACE_LOADS - 1) * sizeof *t->loads);
		t->load_count--;
	}
	t->loads[t->load_count++] =
		(struct trace_load){n, sp, load(&n->version, relaxed), t->interpreter->trace_order};
}

static void global_stored(
	struct interpreter_thread *t, struct name *n, struct object **sp, struct trace_step *s)
{
	/* relaxed, all: under the interpreter lock */
	uint64_t version = load(&n->version, relaxed), from = 0;
	for (unsigned k = 0; k < t->load_count; k++)
		if (t->loads[k].name == n && t->loads[k].slot == sp - 1 &&
			t->loads[k].version != version && !from)
			from = t->loads[k].order;
	store(&n->version, version + 1, relaxed);
	s->stale = from != 0;
	if (from && !t->interpreter->lost)
		lost_record(t->interpreter, from, s->order);
}

void trace_step(struct interpreter_thread *t, const struct frame *f, const instruction *ip,
	struct object **sp)
{
	struct trace_step *last = &t->ring[t->steps % TRACE_RING];
	if (last->order) {
		const struct function_code *c = last->code;
		enum opcode op = instruction_opcode(c->instructions[last->instruction]);
		if (op != STORE_GLOBAL && op != STORE_FAST)
			step_value(last, sp > f->locals + f->code->locals ? sp[-1] : NULL);
		loads_follow(t, op, sp);
	}
	struct trace_step *s = &t->ring[++t->steps % TRACE_RING];
	*s = (struct trace_step){.order = ++t->interpreter->trace_order,
		.code = f->code,
		.instruction = (unsigned)(ip - f->code->instructions),
		.thread = t->index};
	enum opcode op = instruction_opcode(*ip);
	if (op == STORE_GLOBAL || op == STORE_FAST)
		step_value(s, sp[-1]);
	struct name *n = op == STORE_GLOBAL || op == LOAD_GLOBAL
				 ? f->code->unit->name[instruction_operand(*ip)]
				 : NULL;
	if (op == LOAD_GLOBAL)
		global_loaded(t, n, sp);
	else if (op == STORE_GLOBAL)
		global_stored(t, n, sp, s);
}

size_t interpreter_lost_update(const struct interpreter *i,
	struct interpreter_trace_event event[INTERPRETER_TRACE_MOST], size_t *left_out)
{
	if (i->lost_count)
		memcpy(event, i->lost, i->lost_count * sizeof *event);
	if (left_out)
		*left_out = i->lost_left_out;
	return i->lost_count;
}
