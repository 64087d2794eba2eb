// SPDX-License-Identifier: BSD-2-Clause
// The interpreter as its users know it: interpreter.h.
#include "interpreter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "kernels/futex.h"

const char *const interpreter_mode_name[INTERPRETER_MODES] = {
	"sequential", "gil-2", "gil-2-cond", "gil-3", "free-threaded-atomic", "free-threaded"};

int interpreter_mode_find(const char *name)
{
	for (int m = 0; m < INTERPRETER_MODES; m++)
		if (!strcmp(name, interpreter_mode_name[m]))
			return m;
	return -1;
}

/* The lock */

void thread_acquire(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	switch (i->settings.mode) {
	case INTERPRETER_GIL_2:
		gil_2_acquire(&i->lock.two, &t->node);
		break;
	case INTERPRETER_GIL_2_COND:
		gil_2_cond_acquire(&i->lock.two_cond, &t->node);
		break;
	case INTERPRETER_GIL_3:
		gil_3_acquire(&i->lock.three, &t->node);
		break;
	default:
		break;
	}
}

void thread_release(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	switch (i->settings.mode) {
	case INTERPRETER_GIL_2:
		gil_2_release(&i->lock.two, &t->node);
		break;
	case INTERPRETER_GIL_2_COND:
		gil_2_cond_release(&i->lock.two_cond, &t->node);
		break;
	case INTERPRETER_GIL_3:
		gil_3_release(&i->lock.three, &t->node);
		break;
	default:
		break;
	}
}

int thread_wait(
	struct interpreter_thread *t, atomic_uint *word, unsigned value, uint64_t timeout_ns)
{
	enum { SLICE_NS = 20000000 }; // after which a request to end is seen
	uint64_t until = timeout_ns ? futex_now_ns() + timeout_ns : UINT64_MAX, now;
	int rc = 0;
	thread_release(t);
	/* acquire: what its writer did before happens before what we do next */
	while (load(word, acquire) == value && !rc) {
		now = timeout_ns ? futex_now_ns() : 0;
		if (now >= until)
			rc = ETIMEDOUT;
		else if (load(&t->interpreter->stop, relaxed)) /* relaxed: a flag, alone */
			rc = ECANCELED;
		else
			futex_wait(word, value, until - now < SLICE_NS ? until - now : SLICE_NS);
	}
	thread_acquire(t);
	return rc;
}

static int lock_init(struct interpreter *i)
{
	const struct interpreter_settings *s = &i->settings;
	int rc = 0;
	if (s->mode == INTERPRETER_GIL_2) {
		rc = gil_2_init(&i->lock.two, NULL);
		i->lock.two.interval = (int)s->check_interval;
	} else if (s->mode == INTERPRETER_GIL_2_COND) {
		rc = gil_2_cond_init(&i->lock.two_cond, NULL);
		i->lock.two_cond.interval = (int)s->check_interval;
	} else if (s->mode == INTERPRETER_GIL_3) {
		rc = gil_3_init(&i->lock.three, NULL);
		i->lock.three.interval_us = s->switch_interval_us;
	}
	return rc;
}

static void lock_fini(struct interpreter *i)
{
	if (i->settings.mode == INTERPRETER_GIL_2)
		gil_2_fini(&i->lock.two);
	else if (i->settings.mode == INTERPRETER_GIL_2_COND)
		gil_2_cond_fini(&i->lock.two_cond);
	else if (i->settings.mode == INTERPRETER_GIL_3)
		gil_3_fini(&i->lock.three);
}

/* Names */

static uint64_t name_hash(const char *text, size_t length)
{
	uint64_t h = 5381;
	for (size_t n = 0; n < length; n++)
		h = h * 33 + (unsigned char)text[n];
	return h ^ h >> 17;
}

static struct name *name_create(struct interpreter_thread *t, const char *text, size_t length)
{
	struct name *n = calloc(1, sizeof *n);
	struct object *s = n ? string_new(t, text, length) : NULL;
	if (!s) {
		free(n);
		return raise_memory(t);
	}
	n->text = (struct string *)s;
	n->text->name = n;
	byte_lock_init(&n->guard.lock);
	return n;
}

struct name *name_find(struct interpreter_thread *t, const char *text, size_t length)
{
	struct interpreter *i = t->interpreter;
	struct name **at = &i->bucket[name_hash(text, length) % NAME_BUCKETS], *n;
	pthread_mutex_lock(&i->mutex);
	for (n = *at; n && (n->text->length != length || memcmp(n->text->text, text, length));
		n = n->next)
		;
	if (!n && (n = name_create(t, text, length))) {
		n->next = *at;
		*at = n;
	}
	pthread_mutex_unlock(&i->mutex);
	if (n)
		object_immortalise(t, &n->text->head);
	return n;
}

/* Creating */

static void constants_init(struct interpreter *i)
{
	/* Their owner does not matter: biased, they are not counted. */
	struct counts_thread *anybody = i->counting == COUNTS_BIASED ? i->team.thread : NULL;
	struct object *all[3 + SMALL_MOST - SMALL_LEAST + 1];
	size_t count = 0;
	for (int64_t v = SMALL_LEAST; v <= SMALL_MOST; v++) {
		struct integer *x = &i->small[v - SMALL_LEAST];
		x->value = v;
		x->head.count.type = TYPE_INT;
		all[count++] = &x->head;
	}
	for (int v = 0; v < 2; v++) {
		i->truth[v].value = v;
		i->truth[v].head.count.type = TYPE_BOOL;
		all[count++] = &i->truth[v].head;
	}
	i->none.count.type = TYPE_NONE;
	all[count++] = &i->none;
	for (size_t n = 0; n < count; n++) {
		if (i->counting == COUNTS_PLAIN)
			counted_init(&all[n]->count, NULL, COUNTS_PLAIN);
		else if (i->counting == COUNTS_ATOMIC)
			counted_init(&all[n]->count, NULL, COUNTS_ATOMIC);
		else {
			counted_init(&all[n]->count, anybody, COUNTS_BIASED);
			counted_immortalise(&all[n]->count);
		}
	}
}

enum { DEFERRED_MOST = 4096 };

static int parts_init(struct interpreter *i)
{
	int rc = pthread_mutex_init(&i->mutex, NULL);
	if (rc)
		return rc;
	if ((rc = heap_pool_init(&i->pool)))
		goto no_pool;
	if ((rc = lock_init(i)))
		goto no_lock;
	if (i->counting == COUNTS_BIASED &&
		(rc = counts_team_init(&i->team, THREADS_MOST,
			 i->settings.sharing == INTERPRETER_DEFERRED ? DEFERRED_MOST : 0)))
		goto no_team;
	return 0;
no_team:
	lock_fini(i);
no_lock:
	heap_pool_fini(&i->pool);
no_pool:
	pthread_mutex_destroy(&i->mutex);
	return rc;
}

static void parts_fini(struct interpreter *i)
{
	if (i->counting == COUNTS_BIASED)
		counts_team_fini(&i->team);
	lock_fini(i);
	heap_pool_fini(&i->pool);
	pthread_mutex_destroy(&i->mutex);
}

int interpreter_create(struct interpreter **made, const struct interpreter_settings *s)
{
	bool locked = s->mode == INTERPRETER_GIL_2 || s->mode == INTERPRETER_GIL_2_COND ||
		      s->mode == INTERPRETER_GIL_3;
	if ((unsigned)s->mode >= INTERPRETER_MODES || (s->trace && !locked))
		return EINVAL;
	struct interpreter *i = aligned_alloc(LINE_PAIR, sizeof *i);
	if (!i)
		return ENOMEM;
	memset(i, 0, sizeof *i);
	i->settings = *s;
	i->settings.check_interval = s->check_interval ? s->check_interval : GIL_2_CHECK_INTERVAL;
	i->settings.switch_interval_us =
		s->switch_interval_us ? s->switch_interval_us : GIL_3_INTERVAL_US;
	i->settings.depth = s->depth ? s->depth : 1000;
	i->counting = s->mode == INTERPRETER_FREE_THREADED_ATOMIC ? COUNTS_ATOMIC
		      : s->mode == INTERPRETER_FREE_THREADED      ? COUNTS_BIASED
								  : COUNTS_PLAIN;
	i->eval = eval_find(s);
	int rc = parts_init(i);
	if (rc) {
		free(i);
		return rc;
	}
	i->shared_heap = i->counting == COUNTS_PLAIN;
	heap_init(&i->heap, &i->pool, true);
	constants_init(i);
	struct interpreter_thread *t = interpreter_enter(i, index_take(i));
	rc = t ? modules_init(t) : ENOMEM;
	if (t)
		interpreter_leave(t);
	if (rc)
		interpreter_destroy(i);
	else
		*made = i;
	return rc;
}

/* Threads */

static void index_mark(struct interpreter *i, unsigned index, bool taken)
{
	uint64_t bit = UINT64_C(1) << index % 64;
	if (taken)
		i->taken[index / 64] |= bit;
	else
		i->taken[index / 64] &= ~bit;
}

unsigned index_take(struct interpreter *i)
{
	unsigned index = THREADS_MOST;
	pthread_mutex_lock(&i->mutex);
	// From the end: users number theirs from 0.
	for (unsigned n = THREADS_MOST; n-- && index == THREADS_MOST;)
		if (!(i->taken[n / 64] & UINT64_C(1) << n % 64)) {
			index = n;
			index_mark(i, index, true);
		}
	pthread_mutex_unlock(&i->mutex);
	return index;
}

static void thread_free(struct interpreter_thread *t)
{
	for (struct segment *s = t->first, *next; s; s = next) {
		next = s->next;
		free(s);
	}
	free(t->frames);
	free(t->later);
	free(t->ring);
	free(t);
}

struct interpreter_thread *interpreter_enter(struct interpreter *i, unsigned index)
{
	if (index >= THREADS_MOST)
		return NULL;
	struct interpreter_thread *t = aligned_alloc(LINE_PAIR, sizeof *t);
	if (!t)
		return NULL;
	memset(t, 0, sizeof *t);
	t->interpreter = i;
	t->counting = i->counting;
	t->index = t->node.worker = index;
	t->depth_most = i->settings.depth;
	t->frames = t->frame = malloc((t->depth_most + 2) * sizeof *t->frames);
	t->ring = i->settings.trace ? calloc(TRACE_RING, sizeof *t->ring) : NULL;
	heap_init(&t->own_heap, &i->pool, false);
	t->heap = i->shared_heap ? &i->heap : &t->own_heap;
	if (i->counting == COUNTS_BIASED)
		t->counts = counts_join(&i->team, index);
	if (!t->frames || (i->settings.trace && !t->ring) ||
		(i->counting == COUNTS_BIASED && !t->counts)) {
		if (t->counts)
			interpreter_leave(t);
		else
			thread_free(t);
		return NULL;
	}
	pthread_mutex_lock(&i->mutex);
	index_mark(i, index, true);
	t->next = i->threads;
	i->threads = t;
	pthread_mutex_unlock(&i->mutex);
	return t;
}

static void leave_dead(void *context, struct counted *o)
{
	object_free(context, (struct object *)o);
}

void interpreter_leave(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	if (t->counts)
		counts_leave(t->counts, leave_dead, t);
	heap_fini(&t->own_heap);
	pthread_mutex_lock(&i->mutex);
	struct interpreter_thread **at = &i->threads;
	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
	index_mark(i, t->index, false);
	if (t->ring) { // what it did last may be what another's store loses
		struct trace_step **ring = &i->left[i->left_count++ % TRACE_LEFT];
		free(*ring);
		*ring = t->ring;
		t->ring = NULL;
	}
	pthread_mutex_unlock(&i->mutex);
	thread_free(t);
}

void interpreter_stop(struct interpreter *i)
{
	store(&i->stop, true, relaxed); /* relaxed: a flag that is looked at again and again */
}

/* Programs */

static void unit_free(struct interpreter_thread *t, struct unit *u)
{
	for (unsigned n = 0; u->constant && n < u->program->constant_count; n++)
		if (u->constant[n])
			object_drop(t, u->constant[n]);
	if (u->own)
		program_free(u->program);
	free(u->constant);
	free(u->name);
	free(u->code);
	free(u);
}

static struct object *string_constant(struct interpreter_thread *t, const char *text, size_t length)
{
	enum { INTERNED_MOST = 32 };
	if (length <= INTERNED_MOST) {
		struct name *n = name_find(t, text, length);
		return n ? object_taken(t, &n->text->head) : NULL;
	}
	struct object *o = string_new(t, text, length);
	if (o)
		object_immortalise(t, o);
	return o;
}

static struct object *names_constant(struct interpreter_thread *t, const struct constant *c)
{
	struct object **item = calloc(c->count + 1, sizeof(*item));
	size_t n = 0;
	for (; item && n < c->count; n++)
		if (!(item[n] = string_constant(t, c->names[n], strlen(c->names[n]))))
			break;
	if (!item || n < c->count) {
		while (n)
			object_drop(t, item[--n]);
		free(item);
		return raise_memory(t);
	}
	struct object *o = tuple_new(t, item, c->count);
	free(item);
	return o;
}

static struct object *constant_new(struct interpreter_thread *t, const struct constant *c)
{
	struct object *o;
	switch (c->kind) {
	case CONSTANT_NONE:
		return none(t);
	case CONSTANT_FALSE:
	case CONSTANT_TRUE:
		return truth(t, c->kind == CONSTANT_TRUE);
	case CONSTANT_INTEGER:
		o = integer_new(t, c->integer);
		break;
	case CONSTANT_FLOAT:
		o = real_new(t, c->real);
		break;
	case CONSTANT_STRING:
		return string_constant(t, c->string, c->length);
	default:
		o = names_constant(t, c);
	}
	if (o)
		object_immortalise(t, o);
	return o;
}

// With the lock held.
static struct unit *unit_create(struct interpreter_thread *t, struct program *p, bool own)
{
	struct unit *u = calloc(1, sizeof *u);
	if (!u) {
		if (own)
			program_free(p);
		return raise_memory(t);
	}
	u->program = p;
	u->own = own;
	u->constant = calloc(p->constant_count + 1, sizeof(*u->constant));
	u->name = calloc(p->name_count + 1, sizeof(*u->name));
	u->code = calloc(p->code_count + 1, sizeof *u->code);
	bool good = u->constant && u->name && u->code;
	for (unsigned n = 0; good && n < p->constant_count; n++)
		good = (u->constant[n] = constant_new(t, &p->constants[n]));
	for (unsigned n = 0; good && n < p->name_count; n++)
		good = (u->name[n] = name_find(t, p->names[n], strlen(p->names[n])));
	for (unsigned n = 0; good && n < p->code_count; n++) {
		const struct code *c = &p->codes[n];
		u->code[n] = (struct function_code){
			c, u, c->instructions, c->parameters, c->locals, c->locals + c->stack};
	}
	if (!good) {
		unit_free(t, u);
		return raise_memory(t);
	}
	pthread_mutex_lock(&t->interpreter->mutex);
	u->next = t->interpreter->units;
	t->interpreter->units = u;
	pthread_mutex_unlock(&t->interpreter->mutex);
	return u;
}

static int status_give(struct interpreter_thread *t, struct interpreter_error *e)
{
	if (t->status && e)
		*e = t->error;
	return t->status;
}

int interpreter_run_program(
	struct interpreter_thread *t, struct program *p, bool own, struct interpreter_error *e)
{
	struct interpreter *i = t->interpreter;
	thread_acquire(t);
	t->status = 0;
	struct unit *u = unit_create(t, p, own);
	struct function main_program = {.code = u ? u->code : NULL};
	struct object *o = u ? object_allocate(t, TYPE_FUNCTION, sizeof main_program) : NULL;
	if (o) {
		((struct function *)o)->code = u->code;
		if (!thread_call(t, o, NULL, 0))
			object_drop(t, t->result);
	}
	thread_release(t);
	started_join(i, false);
	thread_acquire(t);
	sharing_settle(t);
	thread_release(t);
	FILE *out = i->settings.out ? i->settings.out : stdout;
	fflush(out);
	return status_give(t, e);
}

int interpreter_run(struct interpreter_thread *t, const char *name, const char *text,
	struct interpreter_error *e)
{
	struct program *p;
	int rc = program_compile(&p, name, text, e);
	return rc ? rc : interpreter_run_program(t, p, true, e);
}

const struct interpreter_function *interpreter_function(struct interpreter *i, const char *name)
{
	const struct interpreter_function *found = NULL;
	struct interpreter_thread *t = interpreter_enter(i, index_take(i));
	if (!t)
		return NULL;
	thread_acquire(t);
	struct name *n = name_find(t, name, strlen(name));
	struct object *o = n ? global_get(t, n) : NULL;
	struct object **more = realloc(i->kept, (i->kept_count + 1) * sizeof(*more));
	if (more)
		i->kept = more;
	if (o && more && object_type(o) == TYPE_FUNCTION) {
		i->kept[i->kept_count++] = o;
		found = (const struct interpreter_function *)o;
	} else if (o)
		object_drop(t, o);
	thread_release(t);
	interpreter_leave(t);
	return found;
}

int interpreter_call(struct interpreter_thread *t, const struct interpreter_function *f,
	unsigned count, const int64_t *arguments, int64_t *result, struct interpreter_error *e)
{
	struct object *argument[32], *function = (struct object *)(uintptr_t)f;
	unsigned made = 0;
	if (count > sizeof argument / sizeof *argument)
		return EINVAL;
	thread_acquire(t);
	t->status = 0;
	while (made < count && (argument[made] = integer_new(t, arguments[made])))
		made++;
	if (made == count)
		thread_call(t, object_taken(t, function), argument, count);
	else
		while (made)
			object_drop(t, argument[--made]);
	if (!t->status) {
		bool integral =
			object_type(t->result) == TYPE_INT || object_type(t->result) == TYPE_BOOL;
		*result = integral ? ((struct integer *)t->result)->value : 0;
		object_drop(t, t->result);
	}
	thread_release(t);
	return status_give(t, e);
}

int interpreter_disassemble(
	const char *name, const char *text, FILE *out, struct interpreter_error *e)
{
	struct program *p;
	int rc = program_compile(&p, name, text, e);
	if (rc)
		return rc;
	program_disassemble(p, out);
	program_free(p);
	return 0;
}

/* Counts */

void interpreter_counts(const struct interpreter *i, struct interpreter_counts *c)
{
	*c = (struct interpreter_counts){.instructions = i->trace_order};
	if (i->settings.mode == INTERPRETER_GIL_2) {
		const struct gil_2_lock *l = &i->lock.two;
		c->releases = l->releases;
		c->failed_acquires = l->failed_acquires;
		c->switches = l->switches;
		c->futex_calls = l->futex_calls;
	} else if (i->settings.mode == INTERPRETER_GIL_2_COND) {
		const struct gil_2_cond_lock *l = &i->lock.two_cond;
		c->releases = l->releases;
		c->failed_acquires = l->failed_acquires;
		c->switches = l->switches;
		c->futex_calls = l->futex_calls;
	} else if (i->settings.mode == INTERPRETER_GIL_3) {
		const struct gil_3_lock *l = &i->lock.three;
		c->releases = l->releases;
		c->failed_acquires = l->failed_acquires;
		c->switches =
			l->switch_number ? l->switch_number - 1 : 0; // the first had none before
		c->drop_requests = l->drop_requests;
		c->futex_calls = l->futex_calls + l->switch_futex_calls;
	}
	for (unsigned n = 0; i->counting == COUNTS_BIASED && n < i->team.threads; n++)
		c->merges += i->team.thread[n].merges;
}

size_t interpreter_objects(const struct interpreter *i)
{
	struct interpreter *own = (struct interpreter *)(uintptr_t)i; // to lock it
	pthread_mutex_lock(&own->mutex);
	size_t used = i->pool.blocks - i->pool.free_blocks - heap_free_blocks(&i->heap);
	for (const struct interpreter_thread *t = i->threads; t; t = t->next)
		used -= heap_free_blocks(&t->own_heap);
	pthread_mutex_unlock(&own->mutex);
	return used;
}

/* The end */

static void names_clear(struct interpreter_thread *t)
{
	for (size_t b = 0; b < NAME_BUCKETS; b++)
		for (struct name *n = t->interpreter->bucket[b]; n; n = n->next) {
			struct object *o = load(&n->global, relaxed); /* relaxed: alone */
			store(&n->global, NULL, relaxed);
			if (o)
				object_drop(t, o);
			if (n->builtin)
				object_drop(t, n->builtin);
			n->builtin = NULL;
		}
}

static void names_free(struct interpreter_thread *t)
{
	for (size_t b = 0; b < NAME_BUCKETS; b++)
		for (struct name *n = t->interpreter->bucket[b], *next; n; n = next) {
			next = n->next;
			object_drop(t, &n->text->head);
			free(n);
		}
}

static void immortals_free(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	for (size_t n = 0; n < i->immortal_count; n++)
		object_clear(t, i->immortal[n]);
	for (size_t n = 0; n < i->immortal_count; n++)
		object_release(t, i->immortal[n], object_bytes(i->immortal[n]));
	free(i->immortal);
}

static void objects_free(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	for (size_t n = 0; n < i->kept_count; n++)
		object_drop(t, i->kept[n]);
	free(i->kept);
	names_clear(t);
	if (t->counts)
		counts_undefer(t->counts, leave_dead, t);
	for (struct unit *u = i->units, *next; u; u = next) {
		next = u->next;
		unit_free(t, u);
	}
	modules_fini(t);
	names_free(t);
	if (t->counts)
		counts_settle(t->counts, leave_dead, t);
	immortals_free(t);
}

// Small integers, True, False and None are there once; what else refers to them was lost.
static size_t constants_leaked(struct interpreter *i)
{
	size_t leaked = 0;
	if (i->counting == COUNTS_BIASED)
		return 0;
	for (int n = 0; n <= SMALL_MOST - SMALL_LEAST; n++)
		leaked += counted_value(&i->small[n].head.count) != 1;
	leaked += counted_value(&i->truth[0].head.count) != 1;
	leaked += counted_value(&i->truth[1].head.count) != 1;
	return leaked + (counted_value(&i->none.count) != 1);
}

size_t interpreter_destroy(struct interpreter *i)
{
	interpreter_stop(i);
	started_join(i, true);
	struct interpreter_thread *t = interpreter_enter(i, index_take(i));
	size_t leaked = 0;
	if (t) {
		objects_free(t);
		interpreter_leave(t);
		leaked = interpreter_objects(i) + constants_leaked(i);
	}
	for (struct native *n = i->natives, *next; n; n = next) {
		next = n->next;
		free(n->name);
		free(n);
	}
	for (unsigned n = 0; n < TRACE_LEFT; n++)
		free(i->left[n]);
	free(i->lost);
	parts_fini(i);
	free(i);
	return leaked;
}
