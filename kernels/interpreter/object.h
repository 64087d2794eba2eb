// SPDX-License-Identifier: BSD-2-Clause
// The objects of the miniature interpreter, its threads, and what the parts of the runtime share.
// Private to kernels/interpreter.
//
// Who may touch what: an object's header is atomic and stays one for ever (heap.h). What is behind
// it belongs to those who hold a reference; what changes there while others may look (slots of
// lists, of maps, of globals) is atomic, written under the interpreter lock or, without one, under
// the object's byte lock.
#pragma once

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code.h"
#include "counts.h"
#include "byte_lock.h"
#include "dict.h"
#include "heap.h"
#include "interpreter.h"
#include "kernels/locks/gil-2.h"
#include "kernels/locks/gil-2-cond.h"
#include "kernels/locks/gil-3.h"

enum type {
	TYPE_FREE, // a block that no object is in
	TYPE_INT,
	TYPE_FLOAT,
	TYPE_BOOL,
	TYPE_NONE,
	TYPE_STR,
	TYPE_TUPLE,
	TYPE_LIST,
	TYPE_DICT,
	TYPE_RANGE,
	TYPE_RANGE_ITERATOR,
	TYPE_LIST_ITERATOR,
	TYPE_FUNCTION,
	TYPE_BUILTIN,
	TYPE_METHOD,
	TYPE_CLASS,
	TYPE_INSTANCE,
	TYPE_MODULE,
	TYPE_LOCK,
	TYPES
};
extern const char *const type_name[TYPES];

struct object {
	struct counted count; // its `type` is an enum type
};

struct integer { // and booleans
	struct object head;
	int64_t value;
};

struct real {
	struct object head;
	double value;
};

struct string {
	struct object head;
	uint64_t hash;
	size_t length;
	const char *text;  // here or, where it is long, beside it; ended by a null
	struct name *name; // not null: interned, the only one with this text
	char here[];
};

struct tuple {
	struct object head;
	size_t count;
	struct object **item; // here or beside it
	struct object *here[];
};

// A list's array. Outgrown ones stay until the list dies: a reader may look at them.
struct items {
	struct items *outgrown;
	size_t room;
	_Atomic(struct object *) item[];
};

struct list {
	struct object head;
	_Atomic(struct items *) items; // null: no room yet
	atomic_size_t count;
};

struct dict {
	struct object head;
	struct map map;
};

struct range {
	struct object head;
	int64_t start, step;
	uint64_t count;
};

struct range_iterator {
	struct object head;
	_Atomic int64_t next;
	int64_t step;
	_Atomic uint64_t left;
};

struct list_iterator { // of lists, tuples, strings
	struct object head;
	struct object *of;
	atomic_size_t next;
};

struct function {
	struct object head;
	const struct function_code *code;
};

enum { BUILTIN_ARGUMENTS = 8 };

struct builtin {
	struct object head;
	const char *name;
	unsigned least, most; // arguments; of a method with its object
	// Borrowed arguments; a new reference, or null with an error raised.
	struct object *(*call)(struct interpreter_thread *t, const struct builtin *b,
		struct object **argument, unsigned count);
	const struct native *native;
	const char *const *keywords; // null: none are taken. names of arguments, ended by a null
};

struct method { // a function with its first argument
	struct object head;
	struct object *function, *self;
};

// What instances of a class have beside attributes.
enum native_base { NATIVE_NONE, NATIVE_THREAD };

struct class
{
	struct object head;
	struct object *name;
	struct class *base; // or null
	enum native_base native;
	struct map attributes;
};

struct instance {
	struct object head;
	struct class *class;
	struct map attributes;
	void *native; // a struct started, of threads
};

struct module {
	struct object head;
	const char *name;
	struct map attributes;
};

enum lock_kind { LOCK_KIND_LOCK, LOCK_KIND_RLOCK, LOCK_KIND_SEMAPHORE };

struct lock_object {
	struct object head;
	enum lock_kind kind;
	atomic_uint permits;  // that are left
	atomic_uint sleepers; // who wait for one
	atomic_uint owner;    // of a re-entrant one: thread index + 1
	unsigned depth;       // the owner's
};

// A name of globals, attributes, modules: interned once in an interpreter. The globals dictionary
// is made of these: code that names a variable knows its entry.
struct name {
	struct string *text;
	_Atomic(struct object *) global; // under `lock` where there is no interpreter lock
	struct object *builtin;          // never written while threads run
	struct counted guard;            // its byte lock
	_Atomic uint64_t version;        // how often global was stored to; with trace
	struct name *next;               // in its bucket
};

struct function_code {
	const struct code *code;
	struct unit *unit;
	const instruction *instructions;
	unsigned parameters, locals;
	unsigned need; // slots: locals and stack
};

// A program as an interpreter knows it.
struct unit {
	struct unit *next;
	struct program *program;
	bool own; // program_free is ours
	struct object **constant;
	struct name **name;
	struct function_code *code;
};

struct frame {
	const struct function_code *code;
	const instruction *ip;   // behind the call that it waits for
	struct object **locals;  // and then its stack
	struct object **result;  // the caller's slots from here on are replaced by the result
	unsigned below;          // how many of them are not arguments
	bool entry;              // returning leaves the loop
	struct object *instance; // whose __init__ this is, else null
	struct object *keep;     // that __init__
	struct segment *segment; // of the caller's stack
};

// A piece of a thread's stack.
struct segment {
	struct segment *next;
	struct object **limit;
	struct object *slot[];
};

enum { THREADS_MOST = 1024, SMALL_LEAST = -5, SMALL_MOST = 256 };

enum { TRACE_RING = 128, TRACE_LEFT = 8 };
struct trace_step {
	uint64_t order; // 0: none
	const struct function_code *code;
	unsigned instruction, thread;
	int64_t value;
	bool has_value, stale;
};

// What a thread knows of a global that it loaded and has not stored since.
struct trace_load {
	struct name *name;
	struct object **slot; // of the stack: what was computed from it
	uint64_t version, order;
};
enum { TRACE_LOADS = 16 };

struct interpreter_thread {
	LINE_ALIGNED struct interpreter *interpreter;
	struct heap *heap;
	enum counting counting;
	struct counts_thread *counts; // null but where counts are biased
	struct frame *frames, *frame; // frame: the running one
	size_t depth_most;            // of frames
	struct segment *first, *segment;
	struct object *result; // of what eval ran
	int status;            // why it ended, else 0
	struct interpreter_error error;
	unsigned freeing;      // nesting of object_free
	struct object **later; // to be freed when it is over
	size_t later_count, later_room;
	struct heap own_heap;
	struct lock_node node;
	unsigned index;
	struct object *self; // its Thread object, else null
	struct interpreter_thread *next;
	struct trace_load loads[TRACE_LOADS];
	unsigned load_count;
	struct trace_step *ring; // its last instructions; with trace
	uint64_t steps;
};

// A thread that a program started. Its object and the thread itself hold it.
struct started {
	struct interpreter *interpreter;
	struct object *function, *arguments,
		*instance; // what it runs; the instance's run() or function
	struct started *next;
	pthread_t thread;
	unsigned index;
	struct interpreter_thread *entered; // it, made by who started it
	atomic_uint references;
	atomic_uint done; // 1: it has ended; who waits sleeps on it
	bool daemon;
};

struct native {
	struct native *next;
	char *name;
	unsigned arguments;
	bool releases;
	int64_t (*function)(void *context, const int64_t *arguments);
	void *context;
};

enum { NAME_BUCKETS = 1024, MODULES = 6 };

struct method_entry {
	struct name *name;
	struct object *builtin;
};

struct interpreter {
	/* Read by all in their loops, written hardly ever. */
	struct interpreter_settings settings;
	atomic_bool stop;
	int (*eval)(struct interpreter_thread *t);
	enum counting counting;
	bool shared_heap;
	struct integer small[SMALL_MOST - SMALL_LEAST + 1];
	struct integer truth[2];
	struct object none;
	struct name *init, *run; // "__init__", "run"

	/* The interpreter lock and what it guards. */
	LINE_ALIGNED union {
		struct gil_2_lock two;
		struct gil_2_cond_lock two_cond;
		struct gil_3_lock three;
	} lock;
	LINE_ALIGNED struct heap heap;
	struct heap_pool pool;
	struct counts_team team;
	atomic_bool line_open; // `print x,` was the last: a blank comes before the next value
	uint64_t trace_order;  // of instructions; under the lock
	struct trace_step *left[TRACE_LEFT]; // rings of threads that left, the last ones
	unsigned left_count;                 // ever
	struct interpreter_trace_event *lost;
	size_t lost_count, lost_left_out;

	/* The rest under mutex. */
	LINE_ALIGNED pthread_mutex_t mutex;
	struct interpreter_thread *threads;
	struct name *bucket[NAME_BUCKETS];
	struct unit *units;
	struct native *natives;
	struct started *started;  // all that were not waited for
	struct object **immortal; // what is freed with the interpreter
	size_t immortal_count, immortal_room;
	struct object **kept; // interpreter_function's
	size_t kept_count;
	struct object *module[MODULES];
	struct class *thread_class;
	struct method_entry *method[TYPES]; // built-in methods, ended by a null name
	uint64_t taken[THREADS_MOST / 64];  // indices in use
};

/* Counting where the mode is known only when the program runs. */

void object_take(struct interpreter_thread *t, struct object *o);
void object_drop(struct interpreter_thread *t, struct object *o);
// Of a slot that others may write: a new reference, or null: it was empty or has changed.
bool object_try_take(struct interpreter_thread *t, struct object *o);
// As object_take, by who holds the lock of the container that it is in.
void object_share(struct interpreter_thread *t, struct object *o);
// What has no reference any more.
void object_free(struct interpreter_thread *t, struct object *o);
static ALWAYS_INLINE struct object *object_taken(struct interpreter_thread *t, struct object *o)
{
	object_take(t, o);
	return o;
}
static ALWAYS_INLINE enum type object_type(const struct object *o)
{
	return (enum type)o->count.type;
}
// Objects change hands between threads that hold no interpreter lock.
static ALWAYS_INLINE bool free_threaded(const struct interpreter_thread *t)
{
	return t->counting != COUNTS_PLAIN;
}
// Drops what it refers to; gives its memory back. Both: object_free. Of immortal objects apart.
void object_clear(struct interpreter_thread *t, struct object *o);
size_t object_bytes(const struct object *o);
void object_release(struct interpreter_thread *t, struct object *o, size_t bytes);
// What lives as long as the interpreter, under biased counts; else nothing changes.
void object_immortalise(struct interpreter_thread *t, struct object *o);
// Of a global's slot.
struct object *global_get(struct interpreter_thread *t, struct name *n);
void global_set(struct interpreter_thread *t, struct name *n, struct object *value); // takes over

/* Making objects: a new reference, or null with "MemoryError" raised. */

struct object *integer_new(struct interpreter_thread *t, int64_t value);
struct object *real_new(struct interpreter_thread *t, double value);
struct object *string_new(struct interpreter_thread *t, const char *text, size_t length);
struct object *tuple_new(struct interpreter_thread *t, struct object **item, size_t count); // takes
struct object *list_new(struct interpreter_thread *t, struct object **item, size_t count);  // over
struct object *dict_new(struct interpreter_thread *t);
struct object *method_new(
	struct interpreter_thread *t, struct object *function, struct object *self);
struct object *builtin_new(struct interpreter_thread *t, const struct builtin *like);
void *object_allocate(struct interpreter_thread *t, enum type type, size_t size);
static ALWAYS_INLINE struct object *truth(struct interpreter_thread *t, bool value)
{
	return object_taken(t, &t->interpreter->truth[value].head);
}
static ALWAYS_INLINE struct object *none(struct interpreter_thread *t)
{
	return object_taken(t, &t->interpreter->none);
}

/* What operators and built-ins do. Arguments are borrowed; a new reference or null: raised. */

struct object *object_binary(
	struct interpreter_thread *t, enum opcode op, struct object *a, struct object *b);
struct object *object_compare(
	struct interpreter_thread *t, enum comparison c, struct object *a, struct object *b);
struct object *object_negative(struct interpreter_thread *t, struct object *a);
bool object_true(struct object *o);
bool object_equal(struct interpreter_thread *t, struct object *a, struct object *b);
// Returns false with an error raised where it has none.
bool object_hash(struct interpreter_thread *t, struct object *o, uint64_t *hash);
struct object *object_item(struct interpreter_thread *t, struct object *o, struct object *index);
bool object_set_item(
	struct interpreter_thread *t, struct object *o, struct object *index, struct object *value);
struct object *object_attribute(struct interpreter_thread *t, struct object *o, struct name *n);
bool object_set_attribute(
	struct interpreter_thread *t, struct object *o, struct name *n, struct object *value);
// As LOAD_METHOD: *function and *self, or *function null and *self the callable.
bool object_method(struct interpreter_thread *t, struct object *o, struct name *n,
	struct object **function, struct object **self);
struct object *object_iterator(struct interpreter_thread *t, struct object *o);
// Null without an error at the end.
struct object *object_next(struct interpreter_thread *t, struct object *iterator);
// Slots of a list: new references.
struct object *list_get(struct interpreter_thread *t, struct list *l, size_t index);
bool list_append(struct interpreter_thread *t, struct list *l, struct object *o); // takes over
struct object *list_pop(struct interpreter_thread *t, struct list *l, int64_t index);
// Looks a name up in a class and its bases.
struct object *class_get(struct interpreter_thread *t, struct class *c, struct name *n);

// A text that grows.
struct text {
	char *text;
	size_t length, room;
	bool failed; // memory was short
};
void text_add(struct text *x, const char *s, size_t length);
void text_print(struct text *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
// As str() and repr() do.
void text_object(
	struct interpreter_thread *t, struct text *x, struct object *o, bool repr, unsigned depth);

/* Errors */

// Sets what went wrong, without the line. Returns null.
void *raise_error(struct interpreter_thread *t, const char *kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void *raise_memory(struct interpreter_thread *t);
const char *object_type_name(const struct object *o);

/* Calls */

// Calls anything from outside of a running loop, with the lock held. Takes the references over.
// Returns 0 with a new reference in t->result, or an errno with t->error.
int thread_call(struct interpreter_thread *t, struct object *callable, struct object **argument,
	unsigned count);
struct object *builtin_call(struct interpreter_thread *t, const struct builtin *b,
	struct object **argument, unsigned count);
// Gives arguments by name their place. Returns how many there are now, -1: raised.
int builtin_arguments(struct interpreter_thread *t, const struct builtin *b,
	struct object **argument, unsigned count, const struct tuple *names,
	struct object *placed[static BUILTIN_ARGUMENTS]);
struct object *instance_new(struct interpreter_thread *t, struct class *c);
void instance_native_fini(struct interpreter_thread *t, struct instance *o);
void started_forget(struct started *s);

/* The lock */

void thread_acquire(struct interpreter_thread *t);
void thread_release(struct interpreter_thread *t);
// Sleeps while *word is value, without the lock; returns ECANCELED if all are to end, ETIMEDOUT
// after timeout_ns (0: no limit), else 0. Look again.
int thread_wait(
	struct interpreter_thread *t, atomic_uint *word, unsigned value, uint64_t timeout_ns);

// What the main program made is counted as settings.sharing says from now on (free-threaded).
void sharing_settle(struct interpreter_thread *t);

/* Evaluation loops (eval.c), one for each way to share. */

int (*eval_find(const struct interpreter_settings *s))(struct interpreter_thread *t);

// Merges the counts of objects that others queued for this thread.
void thread_settle(struct interpreter_thread *t);

/* Names, modules */

struct name *name_find(struct interpreter_thread *t, const char *text, size_t length);
int modules_init(struct interpreter_thread *t);
void modules_fini(struct interpreter_thread *t);
// All started threads that are to be waited for, or have ended.
void started_join(struct interpreter *i, bool daemons);
unsigned index_take(struct interpreter *i); // free and now in use; THREADS_MOST: there is none
struct object *module_import(struct interpreter_thread *t, struct name *n); // new or null: raised
// Built-in methods of an object's type. Borrowed, null: there is none.
struct object *type_method(struct interpreter_thread *t, enum type type, struct name *n);

/* Trace */

// Before an instruction, with the lock held.
void trace_step(struct interpreter_thread *t, const struct frame *f, const instruction *ip,
	struct object **sp);

int interpreter_run_program(
	struct interpreter_thread *t, struct program *p, bool own, struct interpreter_error *e);
