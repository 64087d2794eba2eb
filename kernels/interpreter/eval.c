// SPDX-License-Identifier: BSD-2-Clause
// The evaluation loops: what a policy means, calls and frames, and one loop for each policy.
// Python's calls are not calls of C: frames lie in an array, their slots in segments, so that the
// depth of a recursion is a setting and not a crash.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

enum gil { GIL_NONE, GIL_TWO, GIL_TWO_COND, GIL_THREE };

struct policy {
	enum counting counting;
	enum gil gil;
	bool every; // gil-3: looks at the request behind each instruction that ticks
	bool trace;
};

enum {
#define FLAGS(NAME, ticks, checks) TICKS_##NAME = ticks, CHECKS_##NAME = checks,
	FOR_EACH_OPCODE(FLAGS)
#undef FLAGS
};

static ALWAYS_INLINE struct counts_thread *counts_of(
	const struct policy p, struct interpreter_thread *t)
{
	return p.counting == COUNTS_BIASED ? t->counts : NULL;
}

static ALWAYS_INLINE void take(const struct policy p, struct counts_thread *me, struct object *o)
{
	counted_take(&o->count, me, p.counting);
}

static ALWAYS_INLINE void drop(const struct policy p, struct interpreter_thread *t,
	struct counts_thread *me, struct object *o)
{
	if (!counted_drop(&o->count, me, p.counting))
		return;
	if (object_type(o) == TYPE_INT)
		heap_give(t->heap, o, sizeof(struct integer));
	else
		object_free(t, o);
}

static ALWAYS_INLINE struct object *integer_make(const struct policy p, struct interpreter *i,
	struct interpreter_thread *t, struct counts_thread *me, int64_t value)
{
	struct integer *x;
	if ((uint64_t)value - SMALL_LEAST <= SMALL_MOST - SMALL_LEAST) {
		x = &i->small[value - SMALL_LEAST];
		take(p, me, &x->head);
		return &x->head;
	}
	x = heap_take(t->heap, sizeof *x);
	if (__builtin_expect(!x, 0))
		return raise_memory(t);
	counted_init(&x->head.count, me, p.counting);
	x->head.count.type = TYPE_INT;
	x->value = value;
	return &x->head;
}

static ALWAYS_INLINE bool integer_compare(enum comparison c, int64_t a, int64_t b)
{
	switch (c) {
	case COMPARE_LESS:
		return a < b;
	case COMPARE_LESS_EQUAL:
		return a <= b;
	case COMPARE_EQUAL:
		return a == b;
	case COMPARE_NOT_EQUAL:
		return a != b;
	case COMPARE_GREATER:
		return a > b;
	default:
		return a >= b;
	}
}

// As __builtin_add_overflow; true also for what the slow way has more to say about.
static ALWAYS_INLINE bool floor_divide_overflow(int64_t a, int64_t b, int64_t *r)
{
	if (b <= 0)
		return true;
	*r = a / b - (a % b < 0);
	return false;
}

static ALWAYS_INLINE bool modulo_overflow(int64_t a, int64_t b, int64_t *r)
{
	if (b <= 0)
		return true;
	*r = a % b;
	*r += *r < 0 ? b : 0;
	return false;
}

static ALWAYS_INLINE struct object *range_next(const struct policy p, struct interpreter *i,
	struct interpreter_thread *t, struct counts_thread *me, struct range_iterator *x)
{
	uint64_t left = load(&x->left, relaxed); /* relaxed, all: as in object_next */
	if (!left)
		return NULL;
	store(&x->left, left - 1, relaxed);
	int64_t value = load(&x->next, relaxed);
	store(&x->next, (int64_t)((uint64_t)value + (uint64_t)x->step), relaxed);
	return integer_make(p, i, t, me, value);
}

/* Globals */

static __attribute__((noinline)) struct object *global_load_locked(
	struct interpreter_thread *t, struct name *n)
{
	byte_lock_acquire(&n->guard.lock);
	struct object *o = load(&n->global, relaxed); /* relaxed: under the lock */
	if (o)
		object_share(t, o);
	byte_lock_release(&n->guard.lock);
	return o;
}

static ALWAYS_INLINE struct object *global_load(const struct policy p, struct interpreter_thread *t,
	struct counts_thread *me, struct name *n)
{
	struct object *o = load(&n->global, acquire); /* A0: acquire; pairs with A1 */
	if (__builtin_expect(!o, 0)) {
		o = n->builtin;
		if (o)
			take(p, me, o);
		return o;
	}
	if (p.counting == COUNTS_PLAIN) {
		take(p, me, o);
		return o;
	}
	if (counted_try_take(&o->count, me, p.counting)) {
		/* A2: acquire: not before the taking, see entry_try of dict.c */
		if (load(&n->global, acquire) == o)
			return o;
		drop(p, t, me, o);
	}
	return global_load_locked(t, n);
}

static ALWAYS_INLINE void global_store(const struct policy p, struct interpreter_thread *t,
	struct counts_thread *me, struct name *n, struct object *o)
{
	struct object *was;
	if (p.counting == COUNTS_PLAIN) {
		/* relaxed, both: under the interpreter lock */
		was = load(&n->global, relaxed);
		store(&n->global, o, relaxed);
	} else {
		byte_lock_acquire(&n->guard.lock);
		was = load(&n->global, relaxed); /* relaxed: under the lock */
		store(&n->global, o, release);   /* A1: release; pairs with A0 */
		byte_lock_release(&n->guard.lock);
	}
	if (was)
		drop(p, t, me, was);
}

struct object *global_get(struct interpreter_thread *t, struct name *n)
{
	return global_load_locked(t, n);
}

void global_set(struct interpreter_thread *t, struct name *n, struct object *o)
{
	byte_lock_acquire(&n->guard.lock);
	struct object *was = load(&n->global, relaxed); /* relaxed: under the lock */
	store(&n->global, o, release);                  /* A1: release; pairs with A0 */
	byte_lock_release(&n->guard.lock);
	if (was)
		object_drop(t, was);
}

/* Who may run */

static ALWAYS_INLINE void tick(
	const struct policy p, struct interpreter *i, struct interpreter_thread *t)
{
	if (p.gil == GIL_TWO)
		gil_2_safepoint(&i->lock.two, &t->node);
	else if (p.gil == GIL_TWO_COND)
		gil_2_cond_safepoint(&i->lock.two_cond, &t->node);
	else if (p.gil == GIL_THREE && p.every)
		gil_3_safepoint(&i->lock.three, &t->node);
}

static void settle_dead(void *context, struct counted *o)
{
	object_free(context, (struct object *)o);
}

void thread_settle(struct interpreter_thread *t)
{
	counts_settle(t->counts, settle_dead, t);
}

// At jumps back and calls. True: all are to end.
static ALWAYS_INLINE bool check(
	const struct policy p, struct interpreter *i, struct interpreter_thread *t)
{
	if (p.gil == GIL_THREE && !p.every)
		gil_3_safepoint(&i->lock.three, &t->node);
	if (p.counting == COUNTS_BIASED && __builtin_expect(counts_pending(t->counts), 0))
		thread_settle(t);
	return __builtin_expect(load(&i->stop, relaxed), 0); /* relaxed: seen soon will do */
}

/* Calls */

struct call {
	struct object **result;    // the result's slot, below callable and arguments
	struct object **arguments; // the first
	unsigned below;            // slots between both
	unsigned count;            // of arguments
	struct object *keep;       // the __init__ that is called
	struct object *instance;   // for which
	struct object **sp;        // behind all
};

#define CALL_DONE ((struct object *)1) // no object: the result is call.instance

static bool segment_add(struct interpreter_thread *t, size_t need)
{
	enum { SEGMENT_LEAST = 1 << 14 };
	struct segment *s = t->segment, *next = s ? s->next : t->first;
	if (!next || next->slot + need > next->limit) {
		size_t slots = need > SEGMENT_LEAST ? need : SEGMENT_LEAST;
		struct segment *more = malloc(sizeof *more + slots * sizeof(*more->slot));
		if (!more)
			return false;
		more->limit = more->slot + slots;
		more->next = next;
		*(s ? &s->next : &t->first) = more;
		next = more;
	}
	t->segment = next;
	return true;
}

enum { SLACK = BUILTIN_ARGUMENTS + 2 }; // slots beyond what code says: calls add arguments

static void *raise_count(
	struct interpreter_thread *t, const struct function_code *c, unsigned given)
{
	return raise_error(t, "TypeError", "%s() takes %u positional argument%s but %u %s given",
		c->code->name, c->parameters, c->parameters == 1 ? "" : "s", given,
		given == 1 ? "was" : "were");
}

// The arguments become the new frame's first locals where they are.
static struct frame *frame_push(
	struct interpreter_thread *t, struct function *function, const struct call *call)
{
	const struct function_code *c = function->code;
	if (call->count != c->parameters)
		return raise_count(t, c, call->count);
	if (t->depth_most <= (size_t)(t->frame - t->frames))
		return raise_error(t, "RecursionError", "maximum recursion depth exceeded");
	struct frame *f = t->frame + 1;
	f->locals = call->arguments;
	f->segment = t->segment;
	if (__builtin_expect(f->locals + c->need + SLACK > t->segment->limit, 0)) {
		if (!segment_add(t, c->need + SLACK))
			return raise_memory(t);
		f->locals = t->segment->slot;
		memcpy(f->locals, call->arguments, call->count * sizeof(*f->locals));
	}
	for (unsigned n = c->parameters; n < c->locals; n++)
		f->locals[n] = NULL;
	f->code = c;
	f->ip = c->instructions;
	f->result = call->result;
	f->below = call->below;
	f->entry = false;
	f->instance = call->instance;
	f->keep = call->keep;
	t->frame = f;
	return f;
}

// The arguments of a bound method, or of a class's __init__, begin with the object.
static bool call_instance(struct interpreter_thread *t, struct class *c, struct call *call)
{
	struct object *o = instance_new(t, c);
	if (!o)
		return false;
	call->instance = o;
	call->keep = class_get(t, c, t->interpreter->init);
	if (!call->keep) {
		if (!call->count)
			return true;
		raise_error(t, "TypeError", "%s() takes no arguments",
			((struct string *)c->name)->text);
		object_drop(t, o);
		return false;
	}
	call->arguments--; // the class's own slot
	call->below--;
	call->count++;
	call->arguments[0] = object_taken(t, o);
	object_drop(t, &c->head);
	return true;
}

// What is to be entered or called instead of what is not a function; CALL_DONE; null: raised.
static __attribute__((noinline)) struct object *call_prepare(
	struct interpreter_thread *t, struct object *o, struct call *call)
{
	if (object_type(o) == TYPE_METHOD) {
		struct method *m = (struct method *)o;
		memmove(call->arguments + 1, call->arguments,
			call->count * sizeof(*call->arguments));
		call->arguments[0] = object_taken(t, m->self);
		call->count++;
		call->sp++;
		return m->function;
	}
	if (object_type(o) == TYPE_CLASS) {
		if (!call_instance(t, (struct class *)o, call))
			return NULL;
		return call->keep ? call->keep : CALL_DONE;
	}
	if (object_type(o) == TYPE_BUILTIN)
		return o;
	return raise_error(t, "TypeError", "'%s' object is not callable", object_type_name(o));
}

static int parameter_find(const struct function_code *c, const char *name)
{
	for (unsigned n = 0; n < c->parameters; n++)
		if (!strcmp(c->code->local_name[n], name))
			return (int)n;
	return -1;
}

// Puts arguments given by name where they belong. The places from call->arguments on.
static bool place_keywords(struct interpreter_thread *t, const struct function_code *c,
	const struct tuple *names, struct call *call)
{
	unsigned by_place = call->count - (unsigned)names->count;
	if (call->count != c->parameters) {
		raise_count(t, c, call->count);
		return false;
	}
	struct object **placed = calloc(call->count + 1, sizeof(*placed));
	if (!placed)
		return raise_memory(t);
	memcpy(placed, call->arguments, by_place * sizeof(*placed));
	for (unsigned n = 0; n < names->count; n++) {
		const char *name = ((struct string *)names->item[n])->text;
		int at = parameter_find(c, name);
		if (at < 0 || placed[at]) {
			raise_error(t, "TypeError",
				at < 0 ? "%s() got an unexpected keyword argument '%s'"
				       : "%s() got multiple values for argument '%s'",
				c->code->name, name);
			free(placed);
			return false;
		}
		placed[at] = call->arguments[by_place + n];
	}
	memcpy(call->arguments, placed, call->count * sizeof(*placed));
	free(placed);
	return true;
}

static bool place_builtin(struct interpreter_thread *t, const struct builtin *b,
	const struct tuple *names, struct call *call)
{
	struct object *placed[BUILTIN_ARGUMENTS];
	int count = builtin_arguments(t, b, call->arguments, call->count, names, placed);
	if (count < 0)
		return false;
	memcpy(call->arguments, placed, (size_t)count * sizeof(*placed));
	call->count = (unsigned)count;
	call->sp = call->arguments + count;
	return true;
}

// As call_prepare, for a call with arguments by name.
static __attribute__((noinline)) struct object *call_keywords(
	struct interpreter_thread *t, struct tuple *names, struct call *call)
{
	struct object *o = call->result[0];
	if (object_type(o) != TYPE_FUNCTION)
		o = call_prepare(t, o, call);
	if (!o)
		return NULL;
	if (o == CALL_DONE)
		raise_error(t, "TypeError", "%s() takes no arguments", "class");
	else if (object_type(o) == TYPE_FUNCTION
			 ? place_keywords(t, ((struct function *)o)->code, names, call)
			 : place_builtin(t, (struct builtin *)o, names, call))
		return o;
	if (call->keep)
		object_drop(t, call->keep);
	if (call->instance)
		object_drop(t, call->instance);
	return NULL;
}

// Where it failed goes before the message; then everything that the frames hold is dropped.
static __attribute__((noinline)) void frames_unwind(
	struct interpreter_thread *t, struct object **sp)
{
	struct frame *f = t->frame;
	char text[sizeof t->error.text];
	memcpy(text, t->error.text, sizeof text);
	snprintf(t->error.text, sizeof t->error.text, "%s:%u: %.180s", f->code->unit->program->file,
		f->code->code->line[f->ip - 1 - f->code->instructions], text);
	for (bool entry = false; !entry; f--) {
		entry = f->entry;
		while (sp > f->locals)
			if (*--sp)
				object_drop(t, *sp);
		if (f->instance) {
			object_drop(t, f->instance);
			object_drop(t, f->keep);
		}
		sp = f->result + f->below;
		t->segment = f->segment;
		if (entry)
			while (sp > f->result)
				if (*--sp)
					object_drop(t, *sp);
	}
	t->frame = f;
}

/* What instructions do out of line */

static struct object *function_new(struct interpreter_thread *t, const struct function_code *c)
{
	struct function *x = object_allocate(t, TYPE_FUNCTION, sizeof *x);
	if (!x)
		return NULL;
	x->code = c;
	object_immortalise(t, &x->head);
	return &x->head;
}

// slot: name, base, and count pairs.
static struct object *class_make(struct interpreter_thread *t, struct object **slot, uint32_t count)
{
	struct object *base = slot[1];
	if (object_type(base) != TYPE_NONE && object_type(base) != TYPE_CLASS)
		return raise_error(t, "TypeError", "a base of a class is '%s', not a class",
			object_type_name(base));
	struct class *c = object_allocate(t, TYPE_CLASS, sizeof *c);
	if (!c)
		return NULL;
	c->base = object_type(base) == TYPE_CLASS ? (struct class *)object_taken(t, base) : NULL;
	c->native = c->base ? c->base->native : NATIVE_NONE;
	c->name = object_taken(t, slot[0]);
	atomic_init(&c->attributes.table, NULL);
	atomic_init(&c->attributes.count, 0);
	for (uint32_t n = 0; n < count; n++) {
		struct string *name = (struct string *)slot[2 + 2 * n];
		if (map_set(t, &c->head, &c->attributes, &name->head, name->hash,
			    slot[3 + 2 * n])) {
			object_drop(t, &c->head);
			return raise_memory(t);
		}
	}
	object_immortalise(t, &c->head);
	return &c->head;
}

// The first on top: *to receives the last.
static bool unpack(
	struct interpreter_thread *t, struct object *o, uint32_t count, struct object **to)
{
	struct object *iterator = object_iterator(t, o), *item = NULL;
	if (!iterator)
		return false;
	uint32_t n = 0;
	while (n < count && (item = object_next(t, iterator)))
		to[count - 1 - n++] = item;
	struct object *more = n == count && !t->status ? object_next(t, iterator) : NULL;
	object_drop(t, iterator);
	if (n == count && !more)
		return true;
	if (!t->status)
		raise_error(t, "ValueError",
			more ? "too many values to unpack (expected %u)"
			     : "not enough values to unpack (expected %u)",
			count);
	if (more)
		object_drop(t, more);
	while (n)
		object_drop(t, to[count - n--]);
	to[0] = o; // still the stack's
	return false;
}

static bool print_values(
	struct interpreter_thread *t, struct object **o, uint32_t count, bool keeps_line)
{
	struct text x = {0};
	/* relaxed, both: threads that print at once mix their lines anyway */
	bool goes_on = load(&t->interpreter->line_open, relaxed);
	for (uint32_t n = 0; n < count; n++) {
		if (n || goes_on)
			text_add(&x, " ", 1);
		text_object(t, &x, o[n], false, 0);
	}
	if (!keeps_line)
		text_add(&x, "\n", 1);
	if (goes_on != keeps_line)
		store(&t->interpreter->line_open, keeps_line, relaxed);
	if (x.failed)
		raise_memory(t);
	else {
		FILE *out = t->interpreter->settings.out;
		fwrite(x.text, 1, x.length, out ? out : stdout);
	}
	free(x.text);
	return !t->status;
}

/* One loop for each policy */

#define EVAL eval_sequential
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_NONE, false, false                                               \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_2
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_TWO, false, false                                                \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_2_cond
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_TWO_COND, false, false                                           \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_3
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_THREE, false, false                                              \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_3_every
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_THREE, true, false                                               \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_atomic
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_ATOMIC, GIL_NONE, false, false                                              \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_biased
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_BIASED, GIL_NONE, false, false                                              \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_2_traced
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_TWO, false, true                                                 \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_2_cond_traced
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_TWO_COND, false, true                                            \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_3_traced
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_THREE, false, true                                               \
	}
#include "eval.h"
#undef EVAL
#undef POLICY
#define EVAL eval_gil_3_every_traced
#define POLICY                                                                                     \
	{                                                                                          \
		COUNTS_PLAIN, GIL_THREE, true, true                                                \
	}
#include "eval.h"
#undef EVAL
#undef POLICY

int (*eval_find(const struct interpreter_settings *s))(struct interpreter_thread *t)
{
	switch (s->mode) {
	case INTERPRETER_GIL_2:
		return s->trace ? eval_gil_2_traced : eval_gil_2;
	case INTERPRETER_GIL_2_COND:
		return s->trace ? eval_gil_2_cond_traced : eval_gil_2_cond;
	case INTERPRETER_GIL_3:
		if (s->check_every_instruction)
			return s->trace ? eval_gil_3_every_traced : eval_gil_3_every;
		return s->trace ? eval_gil_3_traced : eval_gil_3;
	case INTERPRETER_FREE_THREADED_ATOMIC:
		return eval_atomic;
	case INTERPRETER_FREE_THREADED:
		return eval_biased;
	default:
		return eval_sequential;
	}
}

int thread_call(struct interpreter_thread *t, struct object *callable, struct object **argument,
	unsigned count)
{
	t->status = 0;
	t->result = NULL;
	if (!t->segment && !segment_add(t, 64))
		return raise_memory(t), t->status;
	struct object **slot = t->segment->slot;
	slot[0] = callable;
	memcpy(slot + 1, argument, count * sizeof(*argument));
	struct call call = {slot, slot + 1, 1, count, NULL, NULL, slot + 1 + count};
	struct object *o = callable;
	if (object_type(o) != TYPE_FUNCTION)
		o = call_prepare(t, o, &call);
	if (o && o != CALL_DONE && object_type(o) == TYPE_FUNCTION) {
		struct frame *f = frame_push(t, (struct function *)o, &call);
		if (f) {
			f->entry = true;
			return t->interpreter->eval(t);
		}
	} else if (o && o != CALL_DONE)
		t->result = builtin_call(t, (struct builtin *)o, call.arguments, call.count);
	while (call.sp > slot)
		if (*--call.sp)
			object_drop(t, *call.sp);
	if (call.keep)
		object_drop(t, call.keep);
	if (call.instance) {
		if (t->result)
			object_drop(t, t->result);
		t->result = call.instance;
	}
	if (t->status && t->result) {
		object_drop(t, t->result);
		t->result = NULL;
	}
	return t->status;
}
