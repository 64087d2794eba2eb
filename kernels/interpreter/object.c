// SPDX-License-Identifier: BSD-2-Clause
// Objects: their making and freeing, counting where the mode is not known when this is compiled,
// and what operators do beyond the fast ways of the evaluation loops.
#include "object.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const type_name[TYPES] = {"free", "int", "float", "bool", "NoneType", "str", "tuple",
	"list", "dict", "range", "range_iterator", "list_iterator", "function",
	"builtin_function_or_method", "method", "type", "object", "module", "lock"};

/* Errors */

void *raise_error(struct interpreter_thread *t, const char *kind, const char *format, ...)
{
	va_list v;
	char text[200];
	va_start(v, format);
	vsnprintf(text, sizeof text, format, v);
	va_end(v);
	t->status = EINVAL;
	snprintf(t->error.text, sizeof t->error.text, "%s: %s", kind, text);
	return NULL;
}

void *raise_memory(struct interpreter_thread *t)
{
	raise_error(t, "MemoryError", "out of memory");
	t->status = ENOMEM;
	return NULL;
}

const char *object_type_name(const struct object *o)
{
	if (object_type(o) == TYPE_INSTANCE) {
		const struct class *c = ((const struct instance *)o)->class;
		return ((const struct string *)c->name)->text;
	}
	return type_name[object_type(o)];
}

/* Counting */

void object_take(struct interpreter_thread *t, struct object *o)
{
	if (t->counting == COUNTS_PLAIN)
		counted_take(&o->count, NULL, COUNTS_PLAIN);
	else if (t->counting == COUNTS_ATOMIC)
		counted_take(&o->count, NULL, COUNTS_ATOMIC);
	else
		counted_take(&o->count, t->counts, COUNTS_BIASED);
}

void object_drop(struct interpreter_thread *t, struct object *o)
{
	bool dead;
	if (t->counting == COUNTS_PLAIN)
		dead = counted_drop(&o->count, NULL, COUNTS_PLAIN);
	else if (t->counting == COUNTS_ATOMIC)
		dead = counted_drop(&o->count, NULL, COUNTS_ATOMIC);
	else
		dead = counted_drop(&o->count, t->counts, COUNTS_BIASED);
	if (dead)
		object_free(t, o);
}

bool object_try_take(struct interpreter_thread *t, struct object *o)
{
	if (t->counting == COUNTS_PLAIN)
		return counted_try_take(&o->count, NULL, COUNTS_PLAIN);
	if (t->counting == COUNTS_ATOMIC)
		return counted_try_take(&o->count, NULL, COUNTS_ATOMIC);
	return counted_try_take(&o->count, t->counts, COUNTS_BIASED);
}

void object_share(struct interpreter_thread *t, struct object *o)
{
	if (t->counting == COUNTS_BIASED)
		counted_share(&o->count, t->counts, COUNTS_BIASED);
	else
		object_take(t, o);
}

void object_immortalise(struct interpreter_thread *t, struct object *o)
{
	struct interpreter *i = t->interpreter;
	if (t->counting != COUNTS_BIASED || counted_is_immortal(&o->count))
		return;
	pthread_mutex_lock(&i->mutex);
	if (i->immortal_count == i->immortal_room) {
		size_t room = i->immortal_room ? 2 * i->immortal_room : 64;
		struct object **more = realloc(i->immortal, room * sizeof(*more));
		if (more) {
			i->immortal = more;
			i->immortal_room = room;
		}
	}
	/* Without room for it, it stays as mortal as the rest. */
	if (i->immortal_count < i->immortal_room) {
		i->immortal[i->immortal_count++] = o;
		counted_immortalise(&o->count);
	}
	pthread_mutex_unlock(&i->mutex);
}

/* Making */

void *object_allocate(struct interpreter_thread *t, enum type type, size_t size)
{
	struct object *o = heap_take(t->heap, size);
	if (!o)
		return raise_memory(t);
	if (t->counting == COUNTS_PLAIN)
		counted_init(&o->count, NULL, COUNTS_PLAIN);
	else if (t->counting == COUNTS_ATOMIC)
		counted_init(&o->count, NULL, COUNTS_ATOMIC);
	else
		counted_init(&o->count, t->counts, COUNTS_BIASED);
	o->count.type = (uint8_t)type;
	return o;
}

struct object *integer_new(struct interpreter_thread *t, int64_t value)
{
	if (value >= SMALL_LEAST && value <= SMALL_MOST)
		return object_taken(t, &t->interpreter->small[value - SMALL_LEAST].head);
	struct integer *x = object_allocate(t, TYPE_INT, sizeof *x);
	if (x)
		x->value = value;
	return x ? &x->head : NULL;
}

struct object *real_new(struct interpreter_thread *t, double value)
{
	struct real *x = object_allocate(t, TYPE_FLOAT, sizeof *x);
	if (x)
		x->value = value;
	return x ? &x->head : NULL;
}

static uint64_t text_hash(const char *text, size_t length)
{
	uint64_t h = 14695981039346656037u; // Fowler, Noll and Vo's, 1a
	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211u;
	return h ^ h >> 29;
}

// Its text is to be filled in, then its hash.
static struct string *string_room(struct interpreter_thread *t, size_t length)
{
	bool here = sizeof(struct string) + length + 1 <= HEAP_MOST;
	char *beside = here ? NULL : malloc(length + 1);
	if (!here && !beside)
		return raise_memory(t);
	struct string *s =
		object_allocate(t, TYPE_STR, here ? sizeof *s + length + 1 : sizeof(struct string));
	if (!s) {
		free(beside);
		return NULL;
	}
	s->length = length;
	s->name = NULL;
	s->text = here ? s->here : beside;
	((char *)s->text)[length] = 0;
	return s;
}

struct object *string_new(struct interpreter_thread *t, const char *text, size_t length)
{
	struct string *s = string_room(t, length);
	if (!s)
		return NULL;
	memcpy((char *)s->text, text, length);
	s->hash = text_hash(text, length);
	return &s->head;
}

struct object *tuple_new(struct interpreter_thread *t, struct object **item, size_t count)
{
	bool here = sizeof(struct tuple) + count * sizeof *item <= HEAP_MOST;
	struct object **beside = here ? NULL : malloc(count * sizeof *item);
	struct tuple *x =
		!here && !beside
			? raise_memory(t)
			: object_allocate(t, TYPE_TUPLE,
				  sizeof(struct tuple) + (here ? count * sizeof *item : 0));
	if (!x) {
		for (size_t i = 0; i < count; i++)
			object_drop(t, item[i]);
		free(beside);
		return NULL;
	}
	x->count = count;
	x->item = here ? x->here : beside;
	if (count)
		memcpy(x->item, item, count * sizeof *item);
	return &x->head;
}

static struct items *items_create(size_t room)
{
	struct items *x = calloc(1, sizeof *x + room * sizeof *x->item);
	if (x)
		x->room = room;
	return x;
}

struct object *list_new(struct interpreter_thread *t, struct object **item, size_t count)
{
	struct items *items = count ? items_create(count) : NULL;
	struct list *x = count && !items ? raise_memory(t)
					 : object_allocate(t, TYPE_LIST, sizeof(struct list));
	if (!x) {
		for (size_t i = 0; i < count; i++)
			object_drop(t, item[i]);
		free(items);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		atomic_init(&items->item[i], item[i]);
	atomic_init(&x->items, items);
	atomic_init(&x->count, count);
	return &x->head;
}

struct object *dict_new(struct interpreter_thread *t)
{
	struct dict *x = object_allocate(t, TYPE_DICT, sizeof *x);
	if (!x)
		return NULL;
	atomic_init(&x->map.table, NULL);
	atomic_init(&x->map.count, 0);
	return &x->head;
}

struct object *method_new(
	struct interpreter_thread *t, struct object *function, struct object *self)
{
	struct method *x = object_allocate(t, TYPE_METHOD, sizeof *x);
	if (!x)
		return NULL;
	x->function = object_taken(t, function);
	x->self = object_taken(t, self);
	return &x->head;
}

struct object *builtin_new(struct interpreter_thread *t, const struct builtin *like)
{
	struct builtin *x = object_allocate(t, TYPE_BUILTIN, sizeof *x);
	if (!x)
		return NULL;
	struct object head = x->head;
	*x = *like;
	x->head = head;
	object_immortalise(t, &x->head);
	return &x->head;
}

struct object *instance_new(struct interpreter_thread *t, struct class *c)
{
	struct instance *x = object_allocate(t, TYPE_INSTANCE, sizeof *x);
	if (!x)
		return NULL;
	x->class = (struct class *)object_taken(t, &c->head);
	x->native = NULL;
	atomic_init(&x->attributes.table, NULL);
	atomic_init(&x->attributes.count, 0);
	return &x->head;
}

/* Freeing */

static void list_fini(struct interpreter_thread *t, struct list *l)
{
	struct items *x = load(&l->items, relaxed), *next; /* relaxed, all: nobody else has it */
	size_t count = load(&l->count, relaxed);
	for (size_t i = 0; i < count; i++)
		object_drop(t, load(&x->item[i], relaxed));
	for (; x; x = next) {
		next = x->outgrown;
		free(x);
	}
	store(&l->items, NULL, relaxed);
	store(&l->count, 0, relaxed);
}

// Drops what the object refers to; of an immortal one, when the interpreter goes.
void object_clear(struct interpreter_thread *t, struct object *o)
{
	switch (object_type(o)) {
	case TYPE_TUPLE: {
		struct tuple *x = (struct tuple *)o;
		for (size_t i = 0; i < x->count; i++)
			object_drop(t, x->item[i]);
		break;
	}
	case TYPE_LIST:
		list_fini(t, (struct list *)o);
		break;
	case TYPE_DICT:
		map_fini(t, &((struct dict *)o)->map);
		break;
	case TYPE_LIST_ITERATOR:
		object_drop(t, ((struct list_iterator *)o)->of);
		break;
	case TYPE_METHOD:
		object_drop(t, ((struct method *)o)->function);
		object_drop(t, ((struct method *)o)->self);
		break;
	case TYPE_CLASS: {
		struct class *c = (struct class *)o;
		map_fini(t, &c->attributes);
		if (c->base)
			object_drop(t, &c->base->head);
		object_drop(t, c->name);
		break;
	}
	case TYPE_INSTANCE: {
		struct instance *x = (struct instance *)o;
		instance_native_fini(t, x);
		map_fini(t, &x->attributes);
		object_drop(t, &x->class->head);
		break;
	}
	case TYPE_MODULE:
		map_fini(t, &((struct module *)o)->attributes);
		break;
	default:
		break;
	}
}

static size_t object_size(const struct object *o)
{
	static const unsigned char size[TYPES] = {[TYPE_INT] = sizeof(struct integer),
		[TYPE_FLOAT] = sizeof(struct real),
		[TYPE_BOOL] = sizeof(struct integer),
		[TYPE_NONE] = sizeof(struct integer),
		[TYPE_LIST] = sizeof(struct list),
		[TYPE_DICT] = sizeof(struct dict),
		[TYPE_RANGE] = sizeof(struct range),
		[TYPE_RANGE_ITERATOR] = sizeof(struct range_iterator),
		[TYPE_LIST_ITERATOR] = sizeof(struct list_iterator),
		[TYPE_FUNCTION] = sizeof(struct function),
		[TYPE_BUILTIN] = sizeof(struct builtin),
		[TYPE_METHOD] = sizeof(struct method),
		[TYPE_CLASS] = sizeof(struct class),
		[TYPE_INSTANCE] = sizeof(struct instance),
		[TYPE_MODULE] = sizeof(struct module),
		[TYPE_LOCK] = sizeof(struct lock_object)};
	if (object_type(o) == TYPE_STR) {
		const struct string *s = (const struct string *)o;
		return sizeof *s + (s->text == s->here ? s->length + 1 : 0);
	}
	if (object_type(o) == TYPE_TUPLE) {
		const struct tuple *x = (const struct tuple *)o;
		return sizeof *x + (x->item == x->here ? x->count * sizeof *x->item : 0);
	}
	return size[object_type(o)];
}

void object_release(struct interpreter_thread *t, struct object *o, size_t size)
{
	if (object_type(o) == TYPE_STR && ((struct string *)o)->text != ((struct string *)o)->here)
		free((char *)((struct string *)o)->text);
	if (object_type(o) == TYPE_TUPLE && ((struct tuple *)o)->item != ((struct tuple *)o)->here)
		free(((struct tuple *)o)->item);
	o->count.type = TYPE_FREE;
	heap_give(t->heap, o, size);
}

static void object_destroy(struct interpreter_thread *t, struct object *o)
{
	size_t size = object_size(o);
	object_clear(t, o);
	object_release(t, o, size);
}

size_t object_bytes(const struct object *o)
{
	return object_size(o);
}

// What lies deep in other objects waits until those are done: no stack is deep enough for a list
// of lists of lists.
static bool object_put_off(struct interpreter_thread *t, struct object *o)
{
	if (t->later_count == t->later_room) {
		size_t room = t->later_room ? 2 * t->later_room : 64;
		struct object **more = realloc(t->later, room * sizeof(*more));
		if (!more)
			return false;
		t->later = more;
		t->later_room = room;
	}
	t->later[t->later_count++] = o;
	return true;
}

void object_free(struct interpreter_thread *t, struct object *o)
{
	enum { NESTING_MOST = 64 };
	if (t->freeing >= NESTING_MOST && object_put_off(t, o))
		return;
	t->freeing++;
	object_destroy(t, o);
	t->freeing--;
	while (!t->freeing && t->later_count) {
		t->freeing++;
		object_destroy(t, t->later[--t->later_count]);
		t->freeing--;
	}
}

/* Text */

void text_add(struct text *x, const char *s, size_t length)
{
	if (x->length + length + 1 > x->room) {
		size_t room = 2 * (x->length + length + 1) + 64;
		char *more = realloc(x->text, room);
		if (!more) {
			x->failed = true;
			return;
		}
		x->text = more;
		x->room = room;
	}
	memcpy(x->text + x->length, s, length);
	x->length += length;
	x->text[x->length] = 0;
}

void text_print(struct text *x, const char *format, ...)
{
	char text[400];
	va_list v;
	va_start(v, format);
	int length = vsnprintf(text, sizeof text, format, v);
	va_end(v);
	text_add(x, text, length < (int)sizeof text ? (size_t)length : sizeof text - 1);
}

// The shortest text that is read back as the same number.
static void text_real(struct text *x, double value)
{
	char text[40];
	if (isnan(value) || isinf(value)) {
		text_print(x, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
		return;
	}
	int digits = 1;
	for (; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*e", digits - 1, value);
		if (strtod(text, NULL) == value)
			break;
	}
	int exponent = atoi(strchr(text, 'e') + 1);
	if (exponent < -4 || exponent >= 16)
		snprintf(text, sizeof text, "%.*e", digits - 1, value);
	else {
		int decimals = digits - 1 - exponent;
		snprintf(text, sizeof text, "%.*f", decimals > 1 ? decimals : 1, value);
	}
	text_add(x, text, strlen(text));
}

static void text_quoted(struct text *x, const struct string *s)
{
	char quote =
		memchr(s->text, '\'', s->length) && !memchr(s->text, '"', s->length) ? '"' : '\'';
	text_add(x, &quote, 1);
	for (size_t i = 0; i < s->length; i++) {
		unsigned char c = (unsigned char)s->text[i];
		if (c == (unsigned char)quote || c == '\\')
			text_print(x, "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			text_print(x, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
		else if (c < ' ' || c == 127)
			text_print(x, "\\x%02x", c);
		else
			text_add(x, (const char *)&c, 1);
	}
	text_add(x, &quote, 1);
}

static void text_list(struct interpreter_thread *t, struct text *x, struct list *l, unsigned depth)
{
	text_add(x, "[", 1);
	struct object *o;
	for (size_t i = 0; (o = list_get(t, l, i)); i++) {
		if (i)
			text_add(x, ", ", 2);
		text_object(t, x, o, true, depth + 1);
		object_drop(t, o);
	}
	text_add(x, "]", 1);
}

static void text_tuple(
	struct interpreter_thread *t, struct text *x, struct tuple *o, unsigned depth)
{
	text_add(x, "(", 1);
	for (size_t i = 0; i < o->count; i++) {
		if (i)
			text_add(x, ", ", 2);
		text_object(t, x, o->item[i], true, depth + 1);
	}
	text_add(x, ",)", o->count == 1 ? 2 : 0);
	if (o->count != 1)
		text_add(x, ")", 1);
}

static void text_dict(
	struct interpreter_thread *t, struct text *x, struct object *o, unsigned depth)
{
	struct object *key, *value;
	size_t position = 0;
	const char *between = "{";
	while (map_next(t, o, &((struct dict *)o)->map, &position, &key, &value)) {
		text_print(x, "%s", between);
		text_object(t, x, key, true, depth + 1);
		text_add(x, ": ", 2);
		text_object(t, x, value, true, depth + 1);
		object_drop(t, key);
		object_drop(t, value);
		between = ", ";
	}
	text_print(x, "%s}", *between == '{' ? "{" : "");
}

void text_object(
	struct interpreter_thread *t, struct text *x, struct object *o, bool repr, unsigned depth)
{
	enum { DEPTH_MOST = 50 };
	enum type type = object_type(o);
	if (depth > DEPTH_MOST && (type == TYPE_LIST || type == TYPE_TUPLE || type == TYPE_DICT)) {
		text_add(x, "...", 3);
		return;
	}
	switch (type) {
	case TYPE_INT:
		text_print(x, "%lld", (long long)((struct integer *)o)->value);
		break;
	case TYPE_BOOL:
		text_print(x, "%s", ((struct integer *)o)->value ? "True" : "False");
		break;
	case TYPE_NONE:
		text_add(x, "None", 4);
		break;
	case TYPE_FLOAT:
		text_real(x, ((struct real *)o)->value);
		break;
	case TYPE_STR:
		if (repr)
			text_quoted(x, (struct string *)o);
		else
			text_add(x, ((struct string *)o)->text, ((struct string *)o)->length);
		break;
	case TYPE_TUPLE:
		text_tuple(t, x, (struct tuple *)o, depth);
		break;
	case TYPE_LIST:
		text_list(t, x, (struct list *)o, depth);
		break;
	case TYPE_DICT:
		text_dict(t, x, o, depth);
		break;
	case TYPE_RANGE: {
		struct range *r = (struct range *)o;
		text_print(x, "range(%lld, %lld", (long long)r->start,
			(long long)(r->start + (int64_t)r->count * r->step));
		text_print(x, r->step == 1 ? ")" : ", %lld)", (long long)r->step);
		break;
	}
	case TYPE_FUNCTION:
		text_print(x, "<function %s at %p>", ((struct function *)o)->code->code->name,
			(void *)o);
		break;
	case TYPE_BUILTIN:
		text_print(x, "<built-in function %s>", ((struct builtin *)o)->name);
		break;
	case TYPE_CLASS:
		text_print(x, "<class '%s'>", ((struct string *)((struct class *)o)->name)->text);
		break;
	case TYPE_MODULE:
		text_print(x, "<module '%s'>", ((struct module *)o)->name);
		break;
	default:
		text_print(x, "<%s object at %p>", object_type_name(o), (void *)o);
	}
}

/* Numbers */

static bool integral(const struct object *o)
{
	return object_type(o) == TYPE_INT || object_type(o) == TYPE_BOOL;
}

static bool numeric(const struct object *o)
{
	return integral(o) || object_type(o) == TYPE_FLOAT;
}

static int64_t integer_value(const struct object *o)
{
	return ((const struct integer *)o)->value;
}

static double real_value(const struct object *o)
{
	return integral(o) ? (double)integer_value(o) : ((const struct real *)o)->value;
}

static const char *const operator_text[OPCODES] = {[BINARY_ADD] = "+",
	[BINARY_SUBTRACT] = "-",
	[BINARY_MULTIPLY] = "*",
	[BINARY_DIVIDE] = "/",
	[BINARY_FLOOR_DIVIDE] = "//",
	[BINARY_MODULO] = "%",
	[BINARY_POWER] = "** or pow()",
	[BINARY_AND] = "&",
	[BINARY_OR] = "|",
	[BINARY_XOR] = "^",
	[BINARY_LSHIFT] = "<<",
	[BINARY_RSHIFT] = ">>"};

static struct object *raise_overflow(struct interpreter_thread *t, enum opcode op)
{
	return raise_error(
		t, "OverflowError", "the result of %.2s does not fit 64 bits", operator_text[op]);
}

static struct object *raise_zero(struct interpreter_thread *t, const char *what)
{
	return raise_error(t, "ZeroDivisionError", "%s", what);
}

// Rounded down, as Python does; the rest has the sign of b.
static struct object *integer_divide(
	struct interpreter_thread *t, enum opcode op, int64_t a, int64_t b)
{
	if (!b)
		return raise_zero(t, "integer division or modulo by zero");
	if (b == -1) {
		if (op == BINARY_MODULO)
			return integer_new(t, 0);
		if (a == INT64_MIN)
			return raise_overflow(t, op);
		return integer_new(t, -a);
	}
	int64_t quotient = a / b, rest = a % b;
	if (rest && (rest < 0) != (b < 0)) {
		quotient--;
		rest += b;
	}
	return integer_new(t, op == BINARY_MODULO ? rest : quotient);
}

static struct object *integer_power(struct interpreter_thread *t, int64_t a, int64_t b)
{
	if (b < 0) {
		if (!a)
			return raise_zero(t, "0.0 cannot be raised to a negative power");
		return real_new(t, pow((double)a, (double)b));
	}
	int64_t result = 1;
	for (;;) {
		if (b & 1 && __builtin_mul_overflow(result, a, &result))
			return raise_overflow(t, BINARY_POWER);
		b >>= 1;
		if (!b)
			return integer_new(t, result);
		if (__builtin_mul_overflow(a, a, &a))
			return raise_overflow(t, BINARY_POWER);
	}
}

static struct object *integer_shift(
	struct interpreter_thread *t, enum opcode op, int64_t a, int64_t b)
{
	if (b < 0)
		return raise_error(t, "ValueError", "negative shift count");
	if (op == BINARY_RSHIFT)
		return integer_new(t, a >> (b < 63 ? b : 63));
	int64_t result;
	if (a && (b > 62 || __builtin_mul_overflow(a, (int64_t)1 << b, &result)))
		return raise_overflow(t, op);
	return integer_new(t, a ? result : 0);
}

static struct object *integer_binary(
	struct interpreter_thread *t, enum opcode op, int64_t a, int64_t b)
{
	int64_t r;
	bool over;
	switch (op) {
	case BINARY_ADD:
		over = __builtin_add_overflow(a, b, &r);
		break;
	case BINARY_SUBTRACT:
		over = __builtin_sub_overflow(a, b, &r);
		break;
	case BINARY_MULTIPLY:
		over = __builtin_mul_overflow(a, b, &r);
		break;
	case BINARY_DIVIDE:
		return b ? real_new(t, (double)a / (double)b) : raise_zero(t, "division by zero");
	case BINARY_FLOOR_DIVIDE:
	case BINARY_MODULO:
		return integer_divide(t, op, a, b);
	case BINARY_POWER:
		return integer_power(t, a, b);
	case BINARY_LSHIFT:
	case BINARY_RSHIFT:
		return integer_shift(t, op, a, b);
	default:
		return integer_new(t, op == BINARY_AND ? a & b : op == BINARY_OR ? a | b : a ^ b);
	}
	return over ? raise_overflow(t, op) : integer_new(t, r);
}

static struct object *real_binary(struct interpreter_thread *t, enum opcode op, double a, double b)
{
	switch (op) {
	case BINARY_ADD:
		return real_new(t, a + b);
	case BINARY_SUBTRACT:
		return real_new(t, a - b);
	case BINARY_MULTIPLY:
		return real_new(t, a * b);
	case BINARY_POWER:
		if (a == 0 && b < 0)
			return raise_zero(t, "0.0 cannot be raised to a negative power");
		return real_new(t, pow(a, b));
	case BINARY_DIVIDE:
		return b != 0 ? real_new(t, a / b) : raise_zero(t, "float division by zero");
	default:
		break;
	}
	if (b == 0)
		return raise_zero(t, "float modulo or floor division by zero");
	double rest = fmod(a, b);
	if (rest != 0 && (rest < 0) != (b < 0))
		rest += b;
	if (op == BINARY_MODULO) // a rest of zero has the divisor's sign
		return real_new(t, rest == 0 ? copysign(0, b) : rest);
	double whole = floor((a - rest) / b + 0.5);
	return real_new(t, whole == 0 ? copysign(0, a / b) : whole);
}

/* Strings, lists, tuples under operators */

// One directive of a format: everything from the % on is at `from`, of `length` bytes.
static bool format_one(struct interpreter_thread *t, struct text *x, const char *from,
	size_t length, struct object *o)
{
	char spec[40], conversion = from[length - 1];
	if (length > 24) {
		raise_error(t, "ValueError", "a format of %zu characters", length);
		return false;
	}
	memcpy(spec, from, length - 1);
	if (strchr("diu", conversion)) {
		if (!numeric(o))
			goto wanted;
		int64_t v = integral(o) ? integer_value(o) : (int64_t)real_value(o);
		memcpy(spec + length - 1, "lld", 4);
		text_print(x, spec, (long long)v);
	} else if (strchr("xXo", conversion)) {
		if (!integral(o))
			goto wanted;
		snprintf(spec + length - 1, 8, "ll%c", conversion);
		text_print(x, spec, (long long)integer_value(o));
	} else if (strchr("fFeEgG", conversion)) {
		if (!numeric(o))
			goto wanted;
		snprintf(spec + length - 1, 8, "%c", conversion);
		text_print(x, spec, real_value(o));
	} else {
		struct text s = {0};
		text_object(t, &s, o, conversion == 'r', 0);
		char *digits, *end = spec + length - 1;
		*end = 0;
		bool left = false;
		for (digits = spec + 1; *digits && strchr("-+ 0#", *digits); digits++)
			left |= *digits == '-';
		size_t width = strtoul(digits, &end, 10);
		size_t most = *end == '.' ? strtoul(end + 1, NULL, 10) : s.length;
		size_t shown = s.length < most ? s.length : most;
		for (size_t i = shown; !left && i < width; i++)
			text_add(x, " ", 1);
		if (shown)
			text_add(x, s.text, shown);
		for (size_t i = shown; left && i < width; i++)
			text_add(x, " ", 1);
		x->failed |= s.failed;
		free(s.text);
	}
	return true;
wanted:
	raise_error(t, "TypeError", "%%%c format: a number is required, not %s", conversion,
		object_type_name(o));
	return false;
}

static struct object *text_finish(struct interpreter_thread *t, struct text *x)
{
	struct object *o =
		x->failed ? raise_memory(t) : string_new(t, x->text ? x->text : "", x->length);
	free(x->text);
	return o;
}

static struct object *string_format(
	struct interpreter_thread *t, const struct string *f, struct object *arguments)
{
	struct object *one[1] = {arguments}, **argument = one;
	size_t count = 1, used = 0;
	if (object_type(arguments) == TYPE_TUPLE) {
		argument = ((struct tuple *)arguments)->item;
		count = ((struct tuple *)arguments)->count;
	}
	struct text x = {0};
	const char *p = f->text, *end = p + f->length;
	while (p < end) {
		const char *percent = memchr(p, '%', (size_t)(end - p));
		text_add(&x, p, (size_t)((percent ? percent : end) - p));
		if (!percent)
			break;
		p = percent + 1;
		p += strspn(p, "-+ 0#");
		p += strspn(p, "0123456789");
		if (*p == '.')
			p += 1 + strspn(p + 1, "0123456789");
		if (p < end && *p == '%') {
			text_add(&x, p++, 1);
			continue;
		}
		if (p >= end || !strchr("diuxXofFeEgGsr", *p)) {
			raise_error(t, "ValueError", "%s",
				p >= end ? "incomplete format" : "unsupported format character");
			goto failed;
		}
		p++;
		if (used == count) {
			raise_error(t, "TypeError", "not enough arguments for format string");
			goto failed;
		}
		if (!format_one(t, &x, percent, (size_t)(p - percent), argument[used++]))
			goto failed;
	}
	if (used < count && argument != one) {
		raise_error(t, "TypeError", "not all arguments converted during string formatting");
		goto failed;
	}
	return text_finish(t, &x);
failed:
	free(x.text);
	return NULL;
}

// What a sequence that is multiplied may have; more is taken for a mistake.
enum { ITEMS_MOST = 1 << 27 };

static struct object *tuple_repeat(struct interpreter_thread *t, struct tuple *x, size_t times)
{
	size_t count;
	if (__builtin_mul_overflow(x->count, times, &count) || count > ITEMS_MOST)
		return raise_memory(t);
	struct object **item = malloc((count + 1) * sizeof(*item));
	if (!item)
		return raise_memory(t);
	for (size_t i = 0; i < count; i++)
		item[i] = object_taken(t, x->item[i % x->count]);
	struct object *made = tuple_new(t, item, count);
	free(item);
	return made;
}

static bool repeatable(enum type x)
{
	return x == TYPE_STR || x == TYPE_LIST || x == TYPE_TUPLE;
}

static struct object *sequence_repeat(struct interpreter_thread *t, struct object *a, int64_t times)
{
	struct object *made = NULL;
	times = times > 0 ? times : 0;
	if (object_type(a) == TYPE_STR) {
		struct string *s = (struct string *)a;
		size_t length;
		if (__builtin_mul_overflow(s->length, (size_t)times, &length) || length > 1u << 30)
			return raise_memory(t);
		struct string *r = string_room(t, length);
		for (int64_t i = 0; r && i < times; i++)
			memcpy((char *)r->text + (size_t)i * s->length, s->text, s->length);
		if (r)
			r->hash = text_hash(r->text, length);
		return r ? &r->head : NULL;
	}
	if (object_type(a) == TYPE_TUPLE)
		return tuple_repeat(t, (struct tuple *)a, (size_t)times);
	struct list *from = (struct list *)a;
	size_t count = load(&from->count, relaxed); /* relaxed: list_get looks again */
	size_t all;
	if (__builtin_mul_overflow(count, (size_t)times, &all) || all > ITEMS_MOST)
		return raise_memory(t);
	made = list_new(t, NULL, 0);
	for (int64_t n = 0; made && count && n < times; n++)
		for (size_t i = 0; i < count; i++) {
			struct object *o = list_get(t, from, i);
			if (o && !list_append(t, (struct list *)made, o)) {
				object_drop(t, made);
				return NULL;
			}
		}
	return made;
}

static struct object *sequence_join(
	struct interpreter_thread *t, struct object *a, struct object *b)
{
	if (object_type(a) == TYPE_STR) {
		struct string *x = (struct string *)a, *y = (struct string *)b;
		struct string *r = string_room(t, x->length + y->length);
		if (!r)
			return NULL;
		memcpy((char *)r->text, x->text, x->length);
		memcpy((char *)r->text + x->length, y->text, y->length);
		r->hash = text_hash(r->text, r->length);
		return &r->head;
	}
	if (object_type(a) == TYPE_TUPLE) {
		struct tuple *x = (struct tuple *)a, *y = (struct tuple *)b;
		size_t count = x->count + y->count;
		struct object **item = malloc((count + 1) * sizeof(*item));
		if (!item)
			return raise_memory(t);
		for (size_t i = 0; i < count; i++)
			item[i] =
				object_taken(t, i < x->count ? x->item[i] : y->item[i - x->count]);
		struct object *made = tuple_new(t, item, count);
		free(item);
		return made;
	}
	struct object *made = list_new(t, NULL, 0), *o;
	for (unsigned which = 0; made && which < 2; which++)
		for (size_t i = 0; (o = list_get(t, (struct list *)(which ? b : a), i)); i++)
			if (!list_append(t, (struct list *)made, o)) {
				object_drop(t, made);
				return NULL;
			}
	return made;
}

struct object *object_binary(
	struct interpreter_thread *t, enum opcode op, struct object *a, struct object *b)
{
	enum type x = object_type(a), y = object_type(b);
	if (integral(a) && integral(b)) {
		if (x == TYPE_BOOL && y == TYPE_BOOL &&
			(op == BINARY_AND || op == BINARY_OR || op == BINARY_XOR)) {
			bool p = integer_value(a), q = integer_value(b);
			return truth(t, op == BINARY_AND ? p & q : op == BINARY_OR ? p | q : p ^ q);
		}
		return integer_binary(t, op, integer_value(a), integer_value(b));
	}
	if (numeric(a) && numeric(b) && op <= BINARY_POWER)
		return real_binary(t, op, real_value(a), real_value(b));
	if (op == BINARY_MODULO && x == TYPE_STR)
		return string_format(t, (struct string *)a, b);
	if (op == BINARY_ADD && x == y && (x == TYPE_STR || x == TYPE_LIST || x == TYPE_TUPLE))
		return sequence_join(t, a, b);
	if (op == BINARY_MULTIPLY && repeatable(x) && integral(b))
		return sequence_repeat(t, a, integer_value(b));
	if (op == BINARY_MULTIPLY && repeatable(y) && integral(a))
		return sequence_repeat(t, b, integer_value(a));
	return raise_error(t, "TypeError", "unsupported operand type(s) for %s: '%s' and '%s'",
		operator_text[op], object_type_name(a), object_type_name(b));
}

struct object *object_negative(struct interpreter_thread *t, struct object *a)
{
	if (integral(a)) {
		int64_t r;
		if (__builtin_sub_overflow((int64_t)0, integer_value(a), &r))
			return raise_overflow(t, BINARY_SUBTRACT);
		return integer_new(t, r);
	}
	if (object_type(a) == TYPE_FLOAT)
		return real_new(t, -real_value(a));
	return raise_error(
		t, "TypeError", "bad operand type for unary -: '%s'", object_type_name(a));
}

/* Comparing */

enum { COMPARE_DEPTH_MOST = 200 };

// -1, 0, 1; 2: unequal, and there is no order (nor is an order asked for if that is so).
static int order_of(
	struct interpreter_thread *t, struct object *a, struct object *b, unsigned depth);

static int order_of_items(
	struct interpreter_thread *t, struct object *a, struct object *b, unsigned depth)
{
	bool tuples = object_type(a) == TYPE_TUPLE;
	for (size_t i = 0;; i++) {
		struct object *x, *y;
		if (tuples) {
			struct tuple *p = (struct tuple *)a, *q = (struct tuple *)b;
			x = i < p->count ? object_taken(t, p->item[i]) : NULL;
			y = i < q->count ? object_taken(t, q->item[i]) : NULL;
		} else {
			x = list_get(t, (struct list *)a, i);
			y = list_get(t, (struct list *)b, i);
		}
		int order = !x || !y ? (x != NULL) - (y != NULL) : order_of(t, x, y, depth + 1);
		bool end = !x || !y;
		if (x)
			object_drop(t, x);
		if (y)
			object_drop(t, y);
		if (end || order)
			return order;
	}
}

static bool dict_equal(
	struct interpreter_thread *t, struct object *a, struct object *b, unsigned depth)
{
	struct map *x = &((struct dict *)a)->map, *y = &((struct dict *)b)->map;
	/* relaxed, both: racing changes may be seen or not */
	if (load(&x->count, relaxed) != load(&y->count, relaxed))
		return false;
	struct object *key, *value;
	bool equal = true;
	for (size_t position = 0; equal && map_next(t, a, x, &position, &key, &value);) {
		uint64_t hash = 0;
		object_hash(t, key, &hash);
		struct object *other = map_get(t, b, y, key, hash);
		equal = other && order_of(t, value, other, depth + 1) == 0;
		if (other)
			object_drop(t, other);
		object_drop(t, key);
		object_drop(t, value);
	}
	return equal;
}

static int order_of(
	struct interpreter_thread *t, struct object *a, struct object *b, unsigned depth)
{
	enum type x = object_type(a), y = object_type(b);
	if (integral(a) && integral(b))
		return (integer_value(a) > integer_value(b)) -
		       (integer_value(a) < integer_value(b));
	if (numeric(a) && numeric(b)) {
		double p = real_value(a), q = real_value(b);
		return isnan(p) || isnan(q) ? 2 : (p > q) - (p < q);
	}
	if (a == b || depth > COMPARE_DEPTH_MOST)
		return a == b ? 0 : 2;
	if (x != y)
		return 2;
	if (x == TYPE_STR) {
		struct string *p = (struct string *)a, *q = (struct string *)b;
		size_t least = p->length < q->length ? p->length : q->length;
		int order = memcmp(p->text, q->text, least);
		return order ? (order > 0) - (order < 0)
			     : (p->length > q->length) - (p->length < q->length);
	}
	if (x == TYPE_TUPLE || x == TYPE_LIST)
		return order_of_items(t, a, b, depth);
	if (x == TYPE_DICT)
		return dict_equal(t, a, b, depth) ? 0 : 2;
	return 2;
}

bool object_equal(struct interpreter_thread *t, struct object *a, struct object *b)
{
	if (object_type(a) == TYPE_STR && object_type(b) == TYPE_STR) {
		struct string *p = (struct string *)a, *q = (struct string *)b;
		return p == q || (p->length == q->length && !memcmp(p->text, q->text, p->length));
	}
	return order_of(t, a, b, 0) == 0;
}

static bool ordered(const struct object *a, const struct object *b)
{
	enum type x = object_type(a), y = object_type(b);
	return (numeric(a) && numeric(b)) ||
	       (x == y && (x == TYPE_STR || x == TYPE_TUPLE || x == TYPE_LIST));
}

// -1: raised.
static int contains(struct interpreter_thread *t, struct object *container, struct object *o)
{
	if (object_type(container) == TYPE_DICT) {
		uint64_t hash;
		if (!object_hash(t, o, &hash))
			return -1;
		struct object *v = map_get(t, container, &((struct dict *)container)->map, o, hash);
		if (v)
			object_drop(t, v);
		return v != NULL;
	}
	if (object_type(container) == TYPE_STR && object_type(o) == TYPE_STR) {
		struct string *s = (struct string *)container, *part = (struct string *)o;
		return memmem(s->text, s->length, part->text, part->length) != NULL;
	}
	struct object *iterator = object_iterator(t, container), *item;
	if (!iterator)
		return -1;
	int found = 0;
	while (!found && (item = object_next(t, iterator))) {
		found = item == o || object_equal(t, item, o);
		object_drop(t, item);
	}
	object_drop(t, iterator);
	return t->status ? -1 : found;
}

struct object *object_compare(
	struct interpreter_thread *t, enum comparison c, struct object *a, struct object *b)
{
	if (c == COMPARE_IS || c == COMPARE_IS_NOT)
		return truth(t, (a == b) == (c == COMPARE_IS));
	if (c == COMPARE_IN || c == COMPARE_NOT_IN) {
		int found = contains(t, b, a);
		return found < 0 ? NULL : truth(t, found == (c == COMPARE_IN));
	}
	int order = order_of(t, a, b, 0);
	if (c == COMPARE_EQUAL || c == COMPARE_NOT_EQUAL)
		return truth(t, (order == 0) == (c == COMPARE_EQUAL));
	if (!ordered(a, b))
		return raise_error(t, "TypeError",
			"'%s' not supported between instances of '%s' and '%s'", comparison_text[c],
			object_type_name(a), object_type_name(b));
	if (order == 2)
		return truth(t, false);
	return truth(t, c == COMPARE_LESS         ? order < 0
			: c == COMPARE_LESS_EQUAL ? order <= 0
			: c == COMPARE_GREATER    ? order > 0
						  : order >= 0);
}

bool object_true(struct object *o)
{
	switch (object_type(o)) {
	case TYPE_INT:
	case TYPE_BOOL:
		return integer_value(o) != 0;
	case TYPE_FLOAT:
		return real_value(o) != 0;
	case TYPE_NONE:
		return false;
	case TYPE_STR:
		return ((struct string *)o)->length != 0;
	case TYPE_TUPLE:
		return ((struct tuple *)o)->count != 0;
	case TYPE_LIST: /* relaxed, both: a racing change may be seen or not */
		return load(&((struct list *)o)->count, relaxed) != 0;
	case TYPE_DICT:
		return load(&((struct dict *)o)->map.count, relaxed) != 0;
	case TYPE_RANGE:
		return ((struct range *)o)->count != 0;
	default:
		return true;
	}
}

static uint64_t mixed(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
	return x ^ x >> 29;
}

bool object_hash(struct interpreter_thread *t, struct object *o, uint64_t *hash)
{
	switch (object_type(o)) {
	case TYPE_INT:
	case TYPE_BOOL:
		*hash = (uint64_t)integer_value(o); // dense keys, dense table: as CPython
		return true;
	case TYPE_FLOAT: {
		double v = real_value(o);
		uint64_t bits;
		memcpy(&bits, &v, sizeof bits);
		// Equal to an integer: the same hash.
		bool whole = v >= -9e18 && v <= 9e18 && v == (double)(int64_t)v;
		*hash = whole ? (uint64_t)(int64_t)v : mixed(bits);
		return true;
	}
	case TYPE_STR:
		*hash = ((struct string *)o)->hash;
		return true;
	case TYPE_TUPLE: {
		struct tuple *x = (struct tuple *)o;
		uint64_t sum = 0x345678, part;
		for (size_t i = 0; i < x->count; i++) {
			if (!object_hash(t, x->item[i], &part))
				return false;
			sum = mixed(sum ^ part);
		}
		*hash = sum;
		return true;
	}
	case TYPE_LIST:
	case TYPE_DICT:
		raise_error(t, "TypeError", "unhashable type: '%s'", object_type_name(o));
		return false;
	default:
		*hash = mixed((uintptr_t)o >> 4);
		return true;
	}
}

/* Items */

struct object *list_get(struct interpreter_thread *t, struct list *l, size_t index)
{
	struct items *x = load(&l->items, acquire); /* A0: acquire; pairs with A1 */
	if (index >= load(&l->count, acquire) || index >= x->room)
		return NULL;
	struct object *o = load(&x->item[index], acquire); /* B0: acquire; pairs with B1 */
	if (!free_threaded(t))
		return object_taken(t, o);
	if (o && object_try_take(t, o)) {
		/* B2, A2: acquire: not before the taking, see entry_try of dict.c */
		if (load(&x->item[index], acquire) == o && load(&l->items, acquire) == x)
			return o;
		object_drop(t, o);
	}
	byte_lock_acquire(&l->head.count.lock);
	/* relaxed, all: under the lock */
	o = index < load(&l->count, relaxed) ? load(&load(&l->items, relaxed)->item[index], relaxed)
					     : NULL;
	if (o)
		object_share(t, o);
	byte_lock_release(&l->head.count.lock);
	return o;
}

static void list_lock(struct interpreter_thread *t, struct list *l)
{
	if (free_threaded(t))
		byte_lock_acquire(&l->head.count.lock);
}

static void list_unlock(struct interpreter_thread *t, struct list *l)
{
	if (free_threaded(t))
		byte_lock_release(&l->head.count.lock);
}

bool list_append(struct interpreter_thread *t, struct list *l, struct object *o)
{
	list_lock(t, l);
	/* relaxed, all: nobody else writes */
	struct items *x = load(&l->items, relaxed);
	size_t count = load(&l->count, relaxed), room = x ? x->room : 0;
	if (count == room) {
		struct items *more = items_create(room ? 2 * room : 4);
		if (!more) {
			list_unlock(t, l);
			object_drop(t, o);
			raise_memory(t);
			return false;
		}
		for (size_t i = 0; i < count; i++)
			atomic_init(&more->item[i], load(&x->item[i], relaxed));
		if (free_threaded(t))
			more->outgrown = x;
		else
			free(x);
		x = more;
		store(&l->items, x, release); /* A1: release; pairs with A0 */
	}
	store(&x->item[count], o, release);   /* B1: release; pairs with B0 */
	store(&l->count, count + 1, release); /* A1: as above: not before the array */
	list_unlock(t, l);
	return true;
}

struct object *list_pop(struct interpreter_thread *t, struct list *l, int64_t index)
{
	struct object *o = NULL;
	list_lock(t, l);
	/* relaxed, all: nobody else writes; a reader looks again */
	struct items *x = load(&l->items, relaxed);
	int64_t count = (int64_t)load(&l->count, relaxed);
	index += index < 0 ? count : 0;
	if (index >= 0 && index < count) {
		o = load(&x->item[index], relaxed);
		for (int64_t i = index; i + 1 < count; i++)
			store(&x->item[i], load(&x->item[i + 1], relaxed), release);
		store(&x->item[count - 1], NULL, relaxed);
		store(&l->count, (size_t)count - 1, relaxed);
	}
	list_unlock(t, l);
	if (!o)
		raise_error(
			t, "IndexError", count ? "pop index out of range" : "pop from empty list");
	return o;
}

// Null: an error was raised. count: of the sequence.
static bool index_of(struct interpreter_thread *t, struct object *index, size_t count, size_t *at,
	const char *of)
{
	if (!integral(index)) {
		raise_error(t, "TypeError", "%s indices must be integers, not %s", of,
			object_type_name(index));
		return false;
	}
	int64_t i = integer_value(index);
	i += i < 0 ? (int64_t)count : 0;
	if (i < 0 || i >= (int64_t)count) {
		raise_error(t, "IndexError", "%s index out of range", of);
		return false;
	}
	*at = (size_t)i;
	return true;
}

static void *raise_key(struct interpreter_thread *t, struct object *key)
{
	struct text x = {0};
	text_object(t, &x, key, true, 0);
	raise_error(t, "KeyError", "%.150s", x.text ? x.text : "?");
	free(x.text);
	return NULL;
}

struct object *object_item(struct interpreter_thread *t, struct object *o, struct object *index)
{
	size_t at;
	switch (object_type(o)) {
	case TYPE_LIST: {
		struct list *l = (struct list *)o;
		/* relaxed: list_get looks again */
		if (!index_of(t, index, load(&l->count, relaxed), &at, "list"))
			return NULL;
		struct object *item = list_get(t, l, at);
		return item ? item : raise_error(t, "IndexError", "list index out of range");
	}
	case TYPE_DICT: {
		uint64_t hash;
		if (!object_hash(t, index, &hash))
			return NULL;
		struct object *v = map_get(t, o, &((struct dict *)o)->map, index, hash);
		return v ? v : raise_key(t, index);
	}
	case TYPE_TUPLE: {
		struct tuple *x = (struct tuple *)o;
		return index_of(t, index, x->count, &at, "tuple") ? object_taken(t, x->item[at])
								  : NULL;
	}
	case TYPE_STR: {
		struct string *s = (struct string *)o;
		return index_of(t, index, s->length, &at, "string") ? string_new(t, s->text + at, 1)
								    : NULL;
	}
	case TYPE_RANGE: {
		struct range *r = (struct range *)o;
		return index_of(t, index, r->count, &at, "range")
			       ? integer_new(t, r->start + (int64_t)at * r->step)
			       : NULL;
	}
	default:
		return raise_error(
			t, "TypeError", "'%s' object is not subscriptable", object_type_name(o));
	}
}

bool object_set_item(
	struct interpreter_thread *t, struct object *o, struct object *index, struct object *value)
{
	if (object_type(o) == TYPE_DICT) {
		uint64_t hash;
		if (!object_hash(t, index, &hash))
			return false;
		if (map_set(t, o, &((struct dict *)o)->map, index, hash, value))
			raise_memory(t);
		return !t->status;
	}
	if (object_type(o) != TYPE_LIST) {
		raise_error(t, "TypeError", "'%s' object does not support item assignment",
			object_type_name(o));
		return false;
	}
	struct list *l = (struct list *)o;
	struct object *was = NULL;
	size_t at;
	list_lock(t, l);
	/* relaxed, all: nobody else writes */
	if (index_of(t, index, load(&l->count, relaxed), &at, "list assignment")) {
		struct items *x = load(&l->items, relaxed);
		was = load(&x->item[at], relaxed);
		store(&x->item[at], object_taken(t, value), release); /* B1: pairs with B0 */
	}
	list_unlock(t, l);
	if (was)
		object_drop(t, was);
	return was;
}

/* Attributes */

struct object *class_get(struct interpreter_thread *t, struct class *c, struct name *n)
{
	for (; c; c = c->base) {
		struct object *o =
			map_get(t, &c->head, &c->attributes, &n->text->head, n->text->hash);
		if (o)
			return o;
	}
	return NULL;
}

static void *raise_attribute(struct interpreter_thread *t, struct object *o, struct name *n)
{
	if (object_type(o) == TYPE_MODULE)
		return raise_error(t, "AttributeError", "module '%s' has no attribute '%s'",
			((struct module *)o)->name, n->text->text);
	if (object_type(o) == TYPE_CLASS)
		return raise_error(t, "AttributeError", "type object '%s' has no attribute '%s'",
			((struct string *)((struct class *)o)->name)->text, n->text->text);
	return raise_error(t, "AttributeError", "'%s' object has no attribute '%s'",
		object_type_name(o), n->text->text);
}

static bool callable_in_class(const struct object *o)
{
	return object_type(o) == TYPE_FUNCTION || object_type(o) == TYPE_BUILTIN;
}

bool object_method(struct interpreter_thread *t, struct object *o, struct name *n,
	struct object **function, struct object **self)
{
	struct object *found = NULL;
	*function = *self = NULL;
	if (object_type(o) == TYPE_INSTANCE) {
		struct instance *x = (struct instance *)o;
		*self = map_get(t, o, &x->attributes, &n->text->head, n->text->hash);
		if (*self)
			return true;
		found = class_get(t, x->class, n);
	} else if (object_type(o) == TYPE_MODULE)
		*self = map_get(
			t, o, &((struct module *)o)->attributes, &n->text->head, n->text->hash);
	else if (object_type(o) == TYPE_CLASS)
		*self = class_get(t, (struct class *)o, n);
	else {
		found = type_method(t, object_type(o), n);
		if (found)
			object_take(t, found);
	}
	if (found && callable_in_class(found)) {
		*function = found;
		*self = object_taken(t, o);
	} else if (found)
		*self = found;
	else if (!*self)
		raise_attribute(t, o, n);
	return *self;
}

struct object *object_attribute(struct interpreter_thread *t, struct object *o, struct name *n)
{
	struct object *function, *self;
	if (!object_method(t, o, n, &function, &self))
		return NULL;
	if (!function)
		return self;
	struct object *m = method_new(t, function, self);
	object_drop(t, function);
	object_drop(t, self);
	return m;
}

bool object_set_attribute(
	struct interpreter_thread *t, struct object *o, struct name *n, struct object *value)
{
	struct map *m = object_type(o) == TYPE_INSTANCE ? &((struct instance *)o)->attributes
			: object_type(o) == TYPE_CLASS  ? &((struct class *)o)->attributes
			: object_type(o) == TYPE_MODULE ? &((struct module *)o)->attributes
							: NULL;
	if (!m) {
		raise_error(t, "AttributeError", "'%s' object has no attribute '%s'",
			object_type_name(o), n->text->text);
		return false;
	}
	if (map_set(t, o, m, &n->text->head, n->text->hash, value)) {
		raise_memory(t);
		return false;
	}
	return true;
}

/* Iterating */

struct object *object_iterator(struct interpreter_thread *t, struct object *o)
{
	switch (object_type(o)) {
	case TYPE_RANGE: {
		struct range *r = (struct range *)o;
		struct range_iterator *x = object_allocate(t, TYPE_RANGE_ITERATOR, sizeof *x);
		if (!x)
			return NULL;
		x->next = r->start;
		x->step = r->step;
		atomic_init(&x->left, r->count);
		return &x->head;
	}
	case TYPE_DICT: {
		struct object *keys = list_new(t, NULL, 0), *key, *value;
		for (size_t at = 0;
			keys && map_next(t, o, &((struct dict *)o)->map, &at, &key, &value);) {
			object_drop(t, value);
			if (!list_append(t, (struct list *)keys, key)) {
				object_drop(t, keys);
				keys = NULL;
			}
		}
		struct object *x = keys ? object_iterator(t, keys) : NULL;
		if (keys)
			object_drop(t, keys);
		return x;
	}
	case TYPE_LIST:
	case TYPE_TUPLE:
	case TYPE_STR: {
		struct list_iterator *x = object_allocate(t, TYPE_LIST_ITERATOR, sizeof *x);
		if (!x)
			return NULL;
		x->of = object_taken(t, o);
		atomic_init(&x->next, 0);
		return &x->head;
	}
	case TYPE_RANGE_ITERATOR:
	case TYPE_LIST_ITERATOR:
		return object_taken(t, o);
	default:
		return raise_error(
			t, "TypeError", "'%s' object is not iterable", object_type_name(o));
	}
}

struct object *object_next(struct interpreter_thread *t, struct object *o)
{
	/* relaxed, all: an iterator that two threads share may give them the same */
	if (object_type(o) == TYPE_RANGE_ITERATOR) {
		struct range_iterator *x = (struct range_iterator *)o;
		uint64_t left = load(&x->left, relaxed);
		if (!left)
			return NULL;
		store(&x->left, left - 1, relaxed);
		int64_t value = load(&x->next, relaxed);
		/* wraps after the last, unseen */
		store(&x->next, (int64_t)((uint64_t)value + (uint64_t)x->step), relaxed);
		return integer_new(t, value);
	}
	if (object_type(o) != TYPE_LIST_ITERATOR)
		return raise_error(
			t, "TypeError", "'%s' object is not an iterator", object_type_name(o));
	struct list_iterator *x = (struct list_iterator *)o;
	size_t at = load(&x->next, relaxed);
	store(&x->next, at + 1, relaxed);
	if (object_type(x->of) == TYPE_LIST)
		return list_get(t, (struct list *)x->of, at);
	if (object_type(x->of) == TYPE_TUPLE) {
		struct tuple *tuple = (struct tuple *)x->of;
		return at < tuple->count ? object_taken(t, tuple->item[at]) : NULL;
	}
	struct string *s = (struct string *)x->of;
	return at < s->length ? string_new(t, s->text + at, 1) : NULL;
}
