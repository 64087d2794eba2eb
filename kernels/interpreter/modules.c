// SPDX-License-Identifier: BSD-2-Clause
// Built-in functions, methods of built-in types, and the modules threading, thread (_thread), time
// and sys. Whatever waits gives the interpreter lock away meanwhile.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "kernels/futex.h"

static int64_t integer_of(const struct object *o)
{
	return ((const struct integer *)o)->value;
}

static bool is_integer(const struct object *o)
{
	return object_type(o) == TYPE_INT || object_type(o) == TYPE_BOOL;
}

static bool is_none(const struct object *o)
{
	return object_type(o) == TYPE_NONE;
}

static bool real_of(struct interpreter_thread *t, const struct object *o, double *value)
{
	*value = 0;
	if (is_integer(o))
		*value = (double)integer_of(o);
	else if (object_type(o) == TYPE_FLOAT)
		*value = ((const struct real *)o)->value;
	else
		raise_error(t, "TypeError", "must be a number, not %s", object_type_name(o));
	return !t->status;
}

static bool want_integer(struct interpreter_thread *t, const struct object *o)
{
	if (!is_integer(o))
		raise_error(t, "TypeError", "'%s' object cannot be interpreted as an integer",
			object_type_name(o));
	return !t->status;
}

/* Calling */

struct object *builtin_call(struct interpreter_thread *t, const struct builtin *b,
	struct object **argument, unsigned count)
{
	if (count < b->least || count > b->most)
		return raise_error(t, "TypeError", "%s() takes %s %u argument%s (%u given)",
			b->name, count < b->least ? "at least" : "at most",
			count < b->least ? b->least : b->most,
			(count < b->least ? b->least : b->most) == 1 ? "" : "s", count);
	return b->call(t, b, argument, count);
}

int builtin_arguments(struct interpreter_thread *t, const struct builtin *b,
	struct object **argument, unsigned count, const struct tuple *names,
	struct object *placed[static BUILTIN_ARGUMENTS])
{
	unsigned by_place = count - (unsigned)names->count, most = by_place;
	memset(placed, 0, BUILTIN_ARGUMENTS * sizeof(*placed));
	if (!b->keywords || by_place > BUILTIN_ARGUMENTS) {
		raise_error(t, "TypeError", "%s() takes no keyword arguments", b->name);
		return -1;
	}
	memcpy(placed, argument, by_place * sizeof(*placed));
	for (unsigned n = 0; n < names->count; n++) {
		const char *name = ((struct string *)names->item[n])->text;
		unsigned at = 0;
		while (b->keywords[at] && strcmp(b->keywords[at], name))
			at++;
		if (!b->keywords[at] || placed[at]) {
			raise_error(t, "TypeError", "%s() got an unexpected keyword argument '%s'",
				b->name, name);
			return -1;
		}
		placed[at] = argument[by_place + n];
		most = at + 1 > most ? at + 1 : most;
	}
	for (unsigned n = 0; n < most; n++)
		if (!placed[n])
			placed[n] = none(t);
	return (int)most;
}

#define CALL_ARGUMENTS                                                                             \
	struct interpreter_thread *t, const struct builtin *b, struct object **a, unsigned count

/* Built-in functions */

static struct object *call_len(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	/* relaxed, all: a racing change may be seen or not */
	switch (object_type(a[0])) {
	case TYPE_LIST:
		return integer_new(t, (int64_t)load(&((struct list *)a[0])->count, relaxed));
	case TYPE_DICT:
		return integer_new(t, (int64_t)load(&((struct dict *)a[0])->map.count, relaxed));
	case TYPE_TUPLE:
		return integer_new(t, (int64_t)((struct tuple *)a[0])->count);
	case TYPE_STR:
		return integer_new(t, (int64_t)((struct string *)a[0])->length);
	case TYPE_RANGE:
		return integer_new(t, (int64_t)((struct range *)a[0])->count);
	default:
		return raise_error(
			t, "TypeError", "object of type '%s' has no len()", object_type_name(a[0]));
	}
}

static struct object *call_range(CALL_ARGUMENTS)
{
	(void)b;
	for (unsigned n = 0; n < count; n++)
		if (!want_integer(t, a[n]))
			return NULL;
	int64_t start = count > 1 ? integer_of(a[0]) : 0;
	int64_t stop = integer_of(a[count > 1]), step = count > 2 ? integer_of(a[2]) : 1;
	if (!step)
		return raise_error(t, "ValueError", "range() arg 3 must not be zero");
	struct range *r = object_allocate(t, TYPE_RANGE, sizeof *r);
	if (!r)
		return NULL;
	r->start = start;
	r->step = step;
	r->count = 0;
	if (step > 0 && stop > start)
		r->count = ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1;
	else if (step < 0 && stop < start)
		r->count = ((uint64_t)start - (uint64_t)stop - 1) / (0 - (uint64_t)step) + 1;
	return &r->head;
}

static struct object *text_give(struct interpreter_thread *t, struct text *x)
{
	struct object *o =
		x->failed ? raise_memory(t) : string_new(t, x->text ? x->text : "", x->length);
	free(x->text);
	return o;
}

static struct object *call_str(CALL_ARGUMENTS)
{
	if (!count)
		return string_new(t, "", 0);
	bool repr = !strcmp(b->name, "repr");
	if (object_type(a[0]) == TYPE_STR && !repr)
		return object_taken(t, a[0]);
	struct text x = {0};
	text_object(t, &x, a[0], repr, 0);
	return text_give(t, &x);
}

static struct object *call_print(CALL_ARGUMENTS)
{
	(void)b;
	struct text x = {0};
	for (unsigned n = 0; n < count; n++) {
		if (n)
			text_add(&x, " ", 1);
		text_object(t, &x, a[n], false, 0);
	}
	text_add(&x, "\n", 1);
	FILE *out = t->interpreter->settings.out;
	if (x.failed)
		raise_memory(t);
	else
		fwrite(x.text, 1, x.length, out ? out : stdout);
	free(x.text);
	return t->status ? NULL : none(t);
}

static struct object *number_of_text(
	struct interpreter_thread *t, const struct string *s, bool real)
{
	char *end;
	errno = 0;
	const char *from = s->text + strspn(s->text, " \t\n\r");
	double value = real ? strtod(from, &end) : 0;
	long long whole = real ? 0 : strtoll(from, &end, 10);
	if (errno == ERANGE && !real)
		return raise_error(t, "OverflowError", "%.40s does not fit 64 bits", from);
	if (end == from || end[strspn(end, " \t\n\r")])
		return raise_error(t, "ValueError", "%s: '%.60s'",
			real ? "could not convert string to float"
			     : "invalid literal for int() with base 10",
			s->text);
	return real ? real_new(t, value) : integer_new(t, whole);
}

static struct object *call_int(CALL_ARGUMENTS)
{
	(void)b;
	if (!count)
		return integer_new(t, 0);
	if (is_integer(a[0]))
		return integer_new(t, integer_of(a[0]));
	if (object_type(a[0]) == TYPE_STR)
		return number_of_text(t, (struct string *)a[0], false);
	double value;
	if (!real_of(t, a[0], &value))
		return NULL;
	if (!(value > -9.2233720368547758e18 && value < 9.2233720368547758e18))
		return raise_error(t, "OverflowError", "%g does not fit 64 bits", value);
	return integer_new(t, (int64_t)value);
}

static struct object *call_float(CALL_ARGUMENTS)
{
	(void)b;
	double value = 0;
	if (count && object_type(a[0]) == TYPE_STR)
		return number_of_text(t, (struct string *)a[0], true);
	return !count || real_of(t, a[0], &value) ? real_new(t, value) : NULL;
}

static struct object *call_bool(CALL_ARGUMENTS)
{
	(void)b;
	return truth(t, count && object_true(a[0]));
}

static struct object *call_abs(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	double value;
	if (is_integer(a[0]))
		return integer_of(a[0]) < 0 ? object_negative(t, a[0])
					    : integer_new(t, integer_of(a[0]));
	if (!real_of(t, a[0], &value))
		return NULL;
	return real_new(t, value < 0 ? -value : value);
}

// Of the values of one iterable or of the arguments.
static struct object *call_extreme(CALL_ARGUMENTS)
{
	enum comparison better = !strcmp(b->name, "min") ? COMPARE_LESS : COMPARE_GREATER;
	struct object *all = count == 1 ? object_taken(t, a[0]) : NULL, *best = NULL, *o;
	if (!all) {
		for (unsigned n = 0; n < count; n++)
			object_take(t, a[n]);
		all = tuple_new(t, a, count);
	}
	struct object *iterator = all ? object_iterator(t, all) : NULL;
	while (iterator && (o = object_next(t, iterator))) {
		struct object *is = best ? object_compare(t, better, o, best) : NULL;
		bool change = !best || (is && object_true(is));
		if (is)
			object_drop(t, is);
		if (change && best)
			object_drop(t, best);
		if (change)
			best = o;
		else
			object_drop(t, o);
		if (t->status)
			break;
	}
	if (all)
		object_drop(t, all);
	if (iterator)
		object_drop(t, iterator);
	if (!best && !t->status)
		raise_error(t, "ValueError", "%s() arg is an empty sequence", b->name);
	if (best && t->status) {
		object_drop(t, best);
		best = NULL;
	}
	return best;
}

static struct object *call_sum(CALL_ARGUMENTS)
{
	(void)b;
	struct object *sum = count > 1 ? object_taken(t, a[1]) : integer_new(t, 0), *o;
	struct object *iterator = object_iterator(t, a[0]);
	while (iterator && sum && (o = object_next(t, iterator))) {
		struct object *more = object_binary(t, BINARY_ADD, sum, o);
		object_drop(t, sum);
		object_drop(t, o);
		sum = more;
	}
	if (iterator)
		object_drop(t, iterator);
	if (t->status && sum) {
		object_drop(t, sum);
		sum = NULL;
	}
	return sum;
}

static struct object *call_list(CALL_ARGUMENTS)
{
	(void)b;
	struct object *made = list_new(t, NULL, 0), *o;
	struct object *iterator = made && count ? object_iterator(t, a[0]) : NULL;
	while (iterator && (o = object_next(t, iterator)))
		if (!list_append(t, (struct list *)made, o))
			break;
	if (iterator)
		object_drop(t, iterator);
	if (t->status && made) {
		object_drop(t, made);
		made = NULL;
	}
	return made;
}

static struct object *call_tuple(CALL_ARGUMENTS)
{
	struct object *list = call_list(t, b, a, count);
	if (!list)
		return NULL;
	struct list *l = (struct list *)list;
	size_t n = 0, most = load(&l->count, relaxed); /* relaxed: nobody else has it */
	struct object **item = calloc(most + 1, sizeof(*item));
	for (; item && n < most; n++)
		item[n] = list_get(t, l, n);
	object_drop(t, list);
	struct object *made = item ? tuple_new(t, item, n) : raise_memory(t);
	free(item);
	return made;
}

static struct object *call_dict(CALL_ARGUMENTS)
{
	(void)a, (void)b, (void)count;
	return dict_new(t);
}

static bool in_order(struct interpreter_thread *t, struct object *x, struct object *y)
{
	struct object *is = object_compare(t, COMPARE_LESS, y, x);
	bool order = !is || !object_true(is);
	if (is)
		object_drop(t, is);
	return order;
}

// Stable: merges halves. from and to hold the same at the beginning; to is sorted at the end.
static void merge_sort(
	struct interpreter_thread *t, struct object **from, struct object **to, size_t count)
{
	if (count < 2)
		return;
	size_t half = count / 2, x = 0, y = half;
	merge_sort(t, to, from, half);
	merge_sort(t, to + half, from + half, count - half);
	for (size_t n = 0; n < count; n++)
		to[n] = y == count || (x < half && in_order(t, from[x], from[y])) ? from[x++]
										  : from[y++];
}

static struct object *call_sorted(CALL_ARGUMENTS)
{
	struct object *list = call_tuple(t, b, a, count);
	if (!list)
		return NULL;
	struct tuple *x = (struct tuple *)list;
	struct object **copy = malloc((x->count + 1) * sizeof(*copy)), *made = NULL;
	if (copy) {
		memcpy(copy, x->item, x->count * sizeof(*copy));
		merge_sort(t, copy, x->item, x->count);
		for (size_t n = 0; n < x->count; n++)
			object_take(t, x->item[n]);
		made = list_new(t, x->item, x->count);
	} else
		raise_memory(t);
	free(copy);
	object_drop(t, list);
	if (t->status && made) {
		object_drop(t, made);
		made = NULL;
	}
	return made;
}

static struct object *call_isinstance(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	if (object_type(a[1]) == TYPE_BUILTIN) // int, str and so on are functions here
		return truth(t, !strcmp(((struct builtin *)a[1])->name, object_type_name(a[0])) ||
					(!strcmp(((struct builtin *)a[1])->name, "int") &&
						is_integer(a[0])));
	if (object_type(a[1]) != TYPE_CLASS)
		return raise_error(t, "TypeError", "isinstance() arg 2 must be a type");
	struct class *c =
		object_type(a[0]) == TYPE_INSTANCE ? ((struct instance *)a[0])->class : NULL;
	while (c && &c->head != a[1])
		c = c->base;
	return truth(t, c);
}

static struct object *call_ord(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	if (object_type(a[0]) != TYPE_STR || ((struct string *)a[0])->length != 1)
		return raise_error(t, "TypeError", "ord() expected a character");
	return integer_new(t, (unsigned char)((struct string *)a[0])->text[0]);
}

static struct object *call_chr(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	if (!want_integer(t, a[0]))
		return NULL;
	if (integer_of(a[0]) < 0 || integer_of(a[0]) > 127)
		return raise_error(t, "ValueError", "chr() arg not in range(128)");
	char c = (char)integer_of(a[0]);
	return string_new(t, &c, 1);
}

static struct object *call_id(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	return integer_new(t, (int64_t)(uintptr_t)a[0]);
}

static struct object *call_native(CALL_ARGUMENTS)
{
	const struct native *n = b->native;
	int64_t value[BUILTIN_ARGUMENTS];
	for (unsigned k = 0; k < count; k++) {
		if (!want_integer(t, a[k]))
			return NULL;
		value[k] = integer_of(a[k]);
	}
	bool releases = n->releases && !t->interpreter->settings.native_keeps_lock;
	if (releases)
		thread_release(t);
	int64_t result = n->function(n->context, value);
	if (releases)
		thread_acquire(t);
	return integer_new(t, result);
}

// What the compiler calls where an assertion does not hold.
static struct object *call_assert(CALL_ARGUMENTS)
{
	(void)b;
	struct text x = {0};
	if (count)
		text_object(t, &x, a[0], false, 0);
	else
		text_add(&x, "no reason", strlen("no reason"));
	if (x.failed)
		raise_memory(t);
	else
		raise_error(
			t, "AssertionError", "%.*s", x.length > 200 ? 200 : (int)x.length, x.text);
	free(x.text);
	return NULL;
}

static const struct builtin functions[] = {
	{.name = "assert", .most = 1, .call = call_assert},
	{.name = "len", .least = 1, .most = 1, .call = call_len},
	{.name = "range", .least = 1, .most = 3, .call = call_range},
	{.name = "xrange", .least = 1, .most = 3, .call = call_range},
	{.name = "str", .most = 1, .call = call_str},
	{.name = "repr", .least = 1, .most = 1, .call = call_str},
	{.name = "print", .most = 255, .call = call_print},
	{.name = "int", .most = 1, .call = call_int},
	{.name = "float", .most = 1, .call = call_float},
	{.name = "bool", .most = 1, .call = call_bool},
	{.name = "abs", .least = 1, .most = 1, .call = call_abs},
	{.name = "min", .least = 1, .most = 255, .call = call_extreme},
	{.name = "max", .least = 1, .most = 255, .call = call_extreme},
	{.name = "sum", .least = 1, .most = 2, .call = call_sum},
	{.name = "list", .most = 1, .call = call_list},
	{.name = "tuple", .most = 1, .call = call_tuple},
	{.name = "dict", .call = call_dict},
	{.name = "sorted", .least = 1, .most = 1, .call = call_sorted},
	{.name = "isinstance", .least = 2, .most = 2, .call = call_isinstance},
	{.name = "ord", .least = 1, .most = 1, .call = call_ord},
	{.name = "chr", .least = 1, .most = 1, .call = call_chr},
	{.name = "id", .least = 1, .most = 1, .call = call_id},
	{.name = NULL},
};

/* Methods of lists, dictionaries, strings. a[0] is the object. */

static struct object *list_method_append(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	return list_append(t, (struct list *)a[0], object_taken(t, a[1])) ? none(t) : NULL;
}

static struct object *list_method_pop(CALL_ARGUMENTS)
{
	(void)b;
	if (count > 1 && !want_integer(t, a[1]))
		return NULL;
	return list_pop(t, (struct list *)a[0], count > 1 ? integer_of(a[1]) : -1);
}

static struct object *list_method_extend(CALL_ARGUMENTS)
{
	(void)count;
	struct object *more = call_list(t, b, a + 1, 1), *o; // a copy: it may be the list itself
	for (size_t n = 0; more && (o = list_get(t, (struct list *)more, n)); n++)
		if (!list_append(t, (struct list *)a[0], o))
			break;
	if (more)
		object_drop(t, more);
	return t->status ? NULL : none(t);
}

// Puts the items of `sorted` in the place of the list's, which are as many if nobody raced.
static struct object *list_method_sort(CALL_ARGUMENTS)
{
	bool reverse = !strcmp(b->name, "reverse");
	struct object *made = reverse ? call_list(t, b, a, 1) : call_sorted(t, b, a, 1), *o;
	(void)count;
	/* relaxed: nobody else has it */
	size_t most = made ? load(&((struct list *)made)->count, relaxed) : 0;
	for (size_t n = 0; n < most && (o = list_get(t, (struct list *)made, n)); n++) {
		struct object *at = integer_new(t, (int64_t)(reverse ? most - 1 - n : n));
		if (at) {
			object_set_item(t, a[0], at, o);
			object_drop(t, at);
		}
		object_drop(t, o);
	}
	if (made)
		object_drop(t, made);
	return t->status ? NULL : none(t);
}

static struct object *dict_method_get(CALL_ARGUMENTS)
{
	(void)b;
	uint64_t hash;
	if (!object_hash(t, a[1], &hash))
		return NULL;
	struct object *o = map_get(t, a[0], &((struct dict *)a[0])->map, a[1], hash);
	return o ? o : count > 2 ? object_taken(t, a[2]) : none(t);
}

static struct object *dict_method_pop(CALL_ARGUMENTS)
{
	(void)b;
	uint64_t hash;
	if (!object_hash(t, a[1], &hash))
		return NULL;
	struct object *o = map_remove(t, a[0], &((struct dict *)a[0])->map, a[1], hash);
	if (o || count > 2)
		return o ? o : object_taken(t, a[2]);
	return object_item(t, a[0], a[1]); // raises KeyError
}

// keys, values and items: lists, as in Python 2.
static struct object *dict_method_list(CALL_ARGUMENTS)
{
	(void)count;
	struct object *made = list_new(t, NULL, 0), *pair[2];
	size_t at = 0;
	while (made && map_next(t, a[0], &((struct dict *)a[0])->map, &at, &pair[0], &pair[1])) {
		struct object *o;
		if (!strcmp(b->name, "items"))
			o = tuple_new(t, pair, 2);
		else {
			bool keys = !strcmp(b->name, "keys");
			o = pair[!keys];
			object_drop(t, pair[keys]);
		}
		if (!o || !list_append(t, (struct list *)made, o)) {
			object_drop(t, made);
			made = NULL;
		}
	}
	return made;
}

static struct object *string_method_join(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	struct string *between = (struct string *)a[0];
	struct text x = {0};
	struct object *iterator = object_iterator(t, a[1]), *o;
	for (size_t n = 0; iterator && (o = object_next(t, iterator)); n++) {
		if (object_type(o) != TYPE_STR)
			raise_error(t, "TypeError",
				"sequence item %zu: expected str instance, %s found", n,
				object_type_name(o));
		else {
			if (n)
				text_add(&x, between->text, between->length);
			text_add(&x, ((struct string *)o)->text, ((struct string *)o)->length);
		}
		object_drop(t, o);
		if (t->status)
			break;
	}
	if (iterator)
		object_drop(t, iterator);
	if (t->status) {
		free(x.text);
		return NULL;
	}
	return text_give(t, &x);
}

static bool list_add_text(
	struct interpreter_thread *t, struct object *list, const char *text, size_t length)
{
	struct object *o = string_new(t, text, length);
	return o && list_append(t, (struct list *)list, o);
}

static struct object *string_method_split(CALL_ARGUMENTS)
{
	(void)b;
	struct string *s = (struct string *)a[0], *by = count > 1 ? (struct string *)a[1] : NULL;
	if (by && (object_type(&by->head) != TYPE_STR || !by->length))
		return raise_error(t, "ValueError", "split() wants a separator that is not empty");
	struct object *made = list_new(t, NULL, 0);
	const char *p = s->text, *end = p + s->length;
	while (made && !t->status) {
		p += by ? 0 : strspn(p, " \t\n\r");
		if (!by && p >= end)
			break;
		const char *stop = by ? memmem(p, (size_t)(end - p), by->text, by->length)
				      : p + strcspn(p, " \t\n\r");
		list_add_text(t, made, p, (size_t)((stop ? stop : end) - p));
		if (!stop)
			break;
		p = stop + (by ? by->length : 0);
	}
	if (made && t->status) {
		object_drop(t, made);
		made = NULL;
	}
	return made;
}

static struct object *string_method_case(CALL_ARGUMENTS)
{
	(void)count;
	struct string *s = (struct string *)a[0];
	char from = !strcmp(b->name, "upper") ? 'a' : 'A', *copy = malloc(s->length + 1);
	if (!copy)
		return raise_memory(t);
	for (size_t n = 0; n < s->length; n++) {
		char c = s->text[n];
		copy[n] = c >= from && c < from + 26 ? (char)(c ^ 0x20) : c;
	}
	struct object *made = string_new(t, copy, s->length);
	free(copy);
	return made;
}

static struct object *string_method_with(CALL_ARGUMENTS)
{
	(void)count;
	struct string *s = (struct string *)a[0], *part = (struct string *)a[1];
	if (object_type(a[1]) != TYPE_STR)
		return raise_error(t, "TypeError", "%s() wants a str", b->name);
	if (part->length > s->length)
		return truth(t, false);
	const char *at = s->text + (*b->name == 's' ? 0 : s->length - part->length);
	return truth(t, !memcmp(at, part->text, part->length));
}

static struct object *string_method_strip(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	struct string *s = (struct string *)a[0];
	size_t from = strspn(s->text, " \t\n\r"), end = s->length;
	while (end > from && strchr(" \t\n\r", s->text[end - 1]))
		end--;
	return string_new(t, s->text + from, end - from);
}

/* Locks */

static struct object *lock_new(struct interpreter_thread *t, enum lock_kind kind, unsigned permits)
{
	struct lock_object *l = object_allocate(t, TYPE_LOCK, sizeof *l);
	if (!l)
		return NULL;
	l->kind = kind;
	atomic_init(&l->permits, permits);
	atomic_init(&l->sleepers, 0);
	atomic_init(&l->owner, 0);
	l->depth = 0;
	return &l->head;
}

static struct object *call_lock(CALL_ARGUMENTS)
{
	(void)a, (void)count;
	return lock_new(t, *b->name == 'R' ? LOCK_KIND_RLOCK : LOCK_KIND_LOCK, 1);
}

static struct object *call_semaphore(CALL_ARGUMENTS)
{
	(void)b;
	if (count && !want_integer(t, a[0]))
		return NULL;
	int64_t permits = count ? integer_of(a[0]) : 1;
	if (permits < 0 || permits > UINT32_MAX / 2)
		return raise_error(t, "ValueError", "semaphore initial value must be >= 0");
	return lock_new(t, LOCK_KIND_SEMAPHORE, (unsigned)permits);
}

static bool lock_try(struct lock_object *l)
{
	unsigned seen = load(&l->permits, relaxed); /* relaxed: the exchange orders */
	while (seen)
		/* L0: acquire; pairs with L1 */
		if (compare_exchange_weak(&l->permits, &seen, seen - 1, acquire, relaxed))
			return true;
	return false;
}

static struct object *lock_taken(struct interpreter_thread *t, struct lock_object *l)
{
	store(&l->owner, t->index + 1, relaxed); /* relaxed: each finds only itself there */
	l->depth = 1;
	return truth(t, true);
}

static struct object *lock_method_acquire(CALL_ARGUMENTS)
{
	(void)b;
	struct lock_object *l = (struct lock_object *)a[0];
	bool wait = count < 2 || is_none(a[1]) || object_true(a[1]);
	double timeout = -1;
	if (count > 2 && !is_none(a[2]) && !real_of(t, a[2], &timeout))
		return NULL;
	if (l->kind == LOCK_KIND_RLOCK && load(&l->owner, relaxed) == t->index + 1) {
		l->depth++;
		return truth(t, true);
	}
	uint64_t until = timeout >= 0 ? futex_now_ns() + (uint64_t)(timeout * 1e9) : 0;
	while (!lock_try(l)) {
		uint64_t now = until ? futex_now_ns() : 0;
		if (!wait || (until && now >= until))
			return truth(t, false);
		fetch_add(&l->sleepers, 1, seq_cst); /* L2: seq_cst; pairs with L3: one sees the
							other's change */
		int rc = thread_wait(t, &l->permits, 0, until ? until - now : 0);
		fetch_sub(&l->sleepers, 1, relaxed); /* relaxed: too many wake-ups do no harm */
		if (rc == ECANCELED) {
			raise_error(t, "Stopped", "the interpreter was asked to end");
			t->status = ECANCELED;
			return NULL;
		}
	}
	return lock_taken(t, l);
}

static struct object *lock_method_release(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	struct lock_object *l = (struct lock_object *)a[0];
	bool owned = load(&l->owner, relaxed) == t->index + 1; /* relaxed: as in lock_taken */
	if (l->kind == LOCK_KIND_RLOCK && !owned)
		return raise_error(t, "RuntimeError", "cannot release un-acquired lock");
	if (l->kind == LOCK_KIND_LOCK && load(&l->permits, relaxed))
		return raise_error(t, "RuntimeError", "release unlocked lock");
	if (l->kind == LOCK_KIND_RLOCK && --l->depth)
		return none(t);
	store(&l->owner, 0, relaxed);
	/* L1: release, pairs with L0; L3: seq_cst, pairs with L2 */
	fetch_add(&l->permits, 1, seq_cst);
	if (load(&l->sleepers, seq_cst))
		futex_wake(&l->permits, 1);
	return none(t);
}

static struct object *lock_method_locked(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	/* relaxed: it may change at once */
	return truth(t, !load(&((struct lock_object *)a[0])->permits, relaxed));
}

/* Threads */

void started_forget(struct started *s)
{
	/* acq_rel: pairs with itself: the last one frees what the others wrote */
	if (fetch_sub(&s->references, 1, acq_rel) == 1)
		free(s);
}

void instance_native_fini(struct interpreter_thread *t, struct instance *o)
{
	(void)t;
	if (o->native)
		started_forget(o->native);
	o->native = NULL;
}

static void started_run(struct interpreter_thread *t, struct started *s)
{
	struct tuple *x = (struct tuple *)s->arguments;
	struct object *argument[BUILTIN_ARGUMENTS + 24];
	unsigned count = (unsigned)x->count;
	t->self = s->instance;
	for (unsigned n = 0; n < count; n++)
		argument[n] = object_taken(t, x->item[n]);
	object_drop(t, s->arguments);
	if (!thread_call(t, s->function, argument, count))
		object_drop(t, t->result);
	else if (t->status != ECANCELED)
		fprintf(stderr, "%s\n", t->error.text);
	t->self = NULL;
	if (s->instance)
		object_drop(t, s->instance);
}

static void *started_main(void *argument)
{
	struct started *s = argument;
	struct interpreter_thread *t = s->entered;
	thread_acquire(t);
	started_run(t, s);
	thread_release(t);
	interpreter_leave(t);
	store(&s->done, 1, release); /* D0: release; pairs with thread_wait's and started_reap's */
	futex_wake(&s->done, INT32_MAX);
	started_forget(s);
	return NULL;
}

// Takes those that have ended off the list. all: waits for them; with daemons or without.
static void started_reap(struct interpreter *i, bool all, bool daemons)
{
	for (;;) {
		struct started *found = NULL;
		pthread_mutex_lock(&i->mutex);
		struct started **at = &i->started;
		while (*at && !(all && (daemons || !(*at)->daemon)) &&
			!load(&(*at)->done, acquire)) /* acquire: pairs with D0 */
			at = &(*at)->next;
		found = *at;
		if (found)
			*at = found->next;
		pthread_mutex_unlock(&i->mutex);
		if (!found)
			return;
		pthread_join(found->thread, NULL);
		started_forget(found);
	}
}

void started_join(struct interpreter *i, bool daemons)
{
	started_reap(i, true, daemons);
}

// Takes the references over. Returns the thread's number + 1, 0: raised.
static unsigned thread_start(struct interpreter_thread *t, struct object *function,
	struct object *arguments, struct object *instance, bool daemon)
{
	struct interpreter *i = t->interpreter;
	enum { STACK = 256 << 10 };
	bool alone = i->settings.mode == INTERPRETER_SEQUENTIAL;
	started_reap(i, false, false);
	struct started *s = alone ? NULL : calloc(1, sizeof *s);
	unsigned index = s ? index_take(i) : THREADS_MOST;
	struct interpreter_thread *made = index < THREADS_MOST ? interpreter_enter(i, index) : NULL;
	int rc = !s ? ENOMEM : !made ? EAGAIN : 0;
	pthread_attr_t attributes;
	if (!rc) {
		*s = (struct started){.interpreter = i,
			.function = function,
			.arguments = arguments,
			.instance = instance,
			.index = index,
			.entered = made,
			.daemon = daemon};
		atomic_init(&s->references, instance ? 3 : 2);
		atomic_init(&s->done, 0);
		sharing_settle(t);
		pthread_attr_init(&attributes);
		pthread_attr_setstacksize(&attributes, STACK);
		pthread_mutex_lock(&i->mutex);
		rc = pthread_create(&s->thread, &attributes, started_main, s);
		if (!rc) {
			s->next = i->started;
			i->started = s;
		}
		pthread_mutex_unlock(&i->mutex);
		pthread_attr_destroy(&attributes);
	}
	if (!rc) {
		if (instance)
			((struct instance *)instance)->native = s;
		return index + 1;
	}
	if (made)
		interpreter_leave(made);
	free(s);
	object_drop(t, function);
	object_drop(t, arguments);
	if (instance)
		object_drop(t, instance);
	raise_error(t, "RuntimeError", "can't start new thread: %s",
		alone ? "strategy sequential has one" : strerror(rc));
	return 0;
}

static struct object *attribute_get(
	struct interpreter_thread *t, struct object *o, const char *text)
{
	struct name *n = name_find(t, text, strlen(text));
	return n ? map_get(t, o, &((struct instance *)o)->attributes, &n->text->head, n->text->hash)
		 : NULL;
}

static bool attribute_set(
	struct interpreter_thread *t, struct object *o, const char *text, struct object *value)
{
	struct name *n = name_find(t, text, strlen(text));
	return n && object_set_attribute(t, o, n, value);
}

static bool want_thread(struct interpreter_thread *t, const struct object *o)
{
	if (object_type(o) != TYPE_INSTANCE ||
		((const struct instance *)o)->class->native != NATIVE_THREAD)
		raise_error(t, "TypeError", "a Thread is wanted, not '%s'", object_type_name(o));
	return !t->status;
}

// Thread(group, target, name, args, kwargs, daemon)
enum { SELF, GROUP, TARGET, NAME, ARGS, KWARGS, DAEMON, THREAD_ARGUMENTS };
static const char *const thread_keywords[] = {
	"self", "group", "target", "name", "args", "kwargs", "daemon", NULL};

static struct object *thread_method_init(CALL_ARGUMENTS)
{
	(void)b;
	struct object *given[THREAD_ARGUMENTS], *nothing = &t->interpreter->none;
	if (!want_thread(t, a[0]))
		return NULL;
	for (unsigned n = 0; n < THREAD_ARGUMENTS; n++)
		given[n] = n < count ? a[n] : nothing;
	if (!is_none(given[KWARGS]) && object_true(given[KWARGS]))
		return raise_error(t, "TypeError", "Thread(kwargs=...) is outside the subset");
	struct object *args = given[ARGS];
	struct object *list = object_type(args) == TYPE_LIST ? call_tuple(t, b, &args, 1)
			      : is_none(args)                ? tuple_new(t, NULL, 0)
							     : object_taken(t, args);
	if (list && object_type(list) != TYPE_TUPLE)
		raise_error(t, "TypeError", "args must be a tuple, not %s", object_type_name(args));
	struct object *daemon = &t->interpreter->truth[object_true(given[DAEMON])].head;
	struct object *name =
		is_none(given[NAME]) ? string_new(t, "Thread", 6) : object_taken(t, given[NAME]);
	bool good = list && name && !t->status &&
		    attribute_set(t, a[0], "_target", given[TARGET]) &&
		    attribute_set(t, a[0], "_args", list) && attribute_set(t, a[0], "name", name) &&
		    attribute_set(t, a[0], "daemon", daemon);
	if (list)
		object_drop(t, list);
	if (name)
		object_drop(t, name);
	return good ? none(t) : NULL;
}

// What a started thread is to call: its class's own run with the object, else its target.
static struct object *thread_task(
	struct interpreter_thread *t, struct object *self, struct object **arguments)
{
	struct object *run = class_get(t, ((struct instance *)self)->class, t->interpreter->run);
	if (run && object_type(run) == TYPE_FUNCTION) {
		struct object *one[1] = {object_taken(t, self)};
		*arguments = tuple_new(t, one, 1);
		return run;
	}
	struct object *target = attribute_get(t, self, "_target");
	*arguments = attribute_get(t, self, "_args");
	if (target && is_none(target)) { // run() of a thread without a target does nothing
		object_drop(t, target);
		return run;
	}
	if (run)
		object_drop(t, run);
	return target;
}

static struct object *thread_method_start(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	if (!want_thread(t, a[0]))
		return NULL;
	if (((struct instance *)a[0])->native)
		return raise_error(t, "RuntimeError", "threads can only be started once");
	struct object *arguments = NULL, *task = thread_task(t, a[0], &arguments);
	if (!task || !arguments) {
		if (task)
			object_drop(t, task);
		if (arguments)
			object_drop(t, arguments);
		return raise_error(t, "RuntimeError", "thread.__init__() not called");
	}
	struct object *daemon = attribute_get(t, a[0], "daemon");
	bool is_daemon = daemon && object_true(daemon);
	if (daemon)
		object_drop(t, daemon);
	return thread_start(t, task, arguments, object_taken(t, a[0]), is_daemon) ? none(t) : NULL;
}

static struct object *thread_method_run(CALL_ARGUMENTS)
{
	(void)a, (void)b, (void)count;
	return none(t);
}

static struct object *thread_method_join(CALL_ARGUMENTS)
{
	(void)b;
	double timeout = -1;
	if (!want_thread(t, a[0]) || (count > 1 && !is_none(a[1]) && !real_of(t, a[1], &timeout)))
		return NULL;
	struct started *s = ((struct instance *)a[0])->native;
	if (!s)
		return raise_error(t, "RuntimeError", "cannot join thread before it is started");
	if (s->index == t->index && !load(&s->done, relaxed)) /* relaxed: our own */
		return raise_error(t, "RuntimeError", "cannot join current thread");
	uint64_t ns = timeout < 0 ? 0 : timeout * 1e9 < 1 ? 1 : (uint64_t)(timeout * 1e9);
	if (thread_wait(t, &s->done, 0, ns) == ECANCELED) {
		raise_error(t, "Stopped", "the interpreter was asked to end");
		t->status = ECANCELED;
		return NULL;
	}
	return none(t);
}

static struct object *thread_method_alive(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	if (!want_thread(t, a[0]))
		return NULL;
	struct started *s = ((struct instance *)a[0])->native;
	return truth(t, s && !load(&s->done, acquire)); /* acquire: pairs with D0 */
}

static struct object *thread_method_daemon(CALL_ARGUMENTS)
{
	(void)count;
	bool name = !strcmp(b->name, "setName");
	return attribute_set(t, a[0], name ? "name" : "daemon", a[1]) ? none(t) : NULL;
}

static struct object *thread_method_name(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	return attribute_get(t, a[0], "name");
}

static struct object *call_start_new_thread(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	if (object_type(a[1]) != TYPE_TUPLE || ((struct tuple *)a[1])->count > 24)
		return raise_error(t, "TypeError", "2nd arg must be a tuple");
	unsigned number = thread_start(t, object_taken(t, a[0]), object_taken(t, a[1]), NULL, true);
	return number ? integer_new(t, number) : NULL;
}

static struct object *call_get_ident(CALL_ARGUMENTS)
{
	(void)a, (void)b, (void)count;
	return integer_new(t, (int64_t)t->index + 1);
}

static struct object *call_current_thread(CALL_ARGUMENTS)
{
	(void)a, (void)b, (void)count;
	if (t->self)
		return object_taken(t, t->self);
	struct object *o = instance_new(t, t->interpreter->thread_class);
	struct object *name = o ? string_new(t, "MainThread", 10) : NULL;
	if (!name || !attribute_set(t, o, "name", name) ||
		!attribute_set(t, o, "daemon", &t->interpreter->truth[0].head)) {
		if (o)
			object_drop(t, o);
		o = NULL;
	}
	if (name)
		object_drop(t, name);
	return o;
}

/* time and sys */

static struct object *call_time(CALL_ARGUMENTS)
{
	(void)a, (void)count;
	struct timespec now;
	clock_gettime(strcmp(b->name, "time") ? CLOCK_MONOTONIC : CLOCK_REALTIME, &now);
	return real_new(t, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
}

static struct object *call_sleep(CALL_ARGUMENTS)
{
	(void)b, (void)count;
	double seconds;
	if (!real_of(t, a[0], &seconds))
		return NULL;
	if (!(seconds >= 0 && seconds < 1e9))
		return raise_error(t, "ValueError", "sleep length must be non-negative");
	atomic_uint never = 0;
	uint64_t ns = (uint64_t)(seconds * 1e9);
	if (thread_wait(t, &never, 0, ns ? ns : 1) == ECANCELED) {
		raise_error(t, "Stopped", "the interpreter was asked to end");
		t->status = ECANCELED;
		return NULL;
	}
	return none(t);
}

static int *check_interval(struct interpreter *i)
{
	return i->settings.mode == INTERPRETER_GIL_2_COND ? &i->lock.two_cond.interval
	       : i->settings.mode == INTERPRETER_GIL_2    ? &i->lock.two.interval
							  : NULL;
}

static struct object *call_check_interval(CALL_ARGUMENTS)
{
	(void)b;
	int *at = check_interval(t->interpreter); // under the lock, which we hold
	if (!count)
		return integer_new(t, at ? *at : GIL_2_CHECK_INTERVAL);
	if (!want_integer(t, a[0]))
		return NULL;
	int64_t ticks = integer_of(a[0]);
	if (at)
		*at = (int)(ticks < 0 ? 0 : ticks > INT32_MAX ? INT32_MAX : ticks);
	return none(t);
}

static struct object *call_switch_interval(CALL_ARGUMENTS)
{
	(void)b;
	struct gil_3_lock *l = t->interpreter->settings.mode == INTERPRETER_GIL_3
				       ? &t->interpreter->lock.three
				       : NULL;
	double seconds;
	if (!count) // we alone write, as the lock's holder: waiters only read
		return real_new(t, (l ? l->interval_us : GIL_3_INTERVAL_US) * 1e-6);
	if (!real_of(t, a[0], &seconds))
		return NULL;
	if (!(seconds > 0 && seconds < 4000))
		return raise_error(t, "ValueError", "switch interval must be strictly positive");
	if (l) {
		pthread_mutex_lock(&l->freed.mutex);
		l->interval_us = seconds * 1e6 < 1 ? 1 : (unsigned)(seconds * 1e6);
		pthread_mutex_unlock(&l->freed.mutex);
	}
	return none(t);
}

/* Tables */

static const struct builtin list_methods[] = {
	{.name = "append", .least = 2, .most = 2, .call = list_method_append},
	{.name = "pop", .least = 1, .most = 2, .call = list_method_pop},
	{.name = "extend", .least = 2, .most = 2, .call = list_method_extend},
	{.name = "sort", .least = 1, .most = 1, .call = list_method_sort},
	{.name = "reverse", .least = 1, .most = 1, .call = list_method_sort},
	{.name = NULL},
};

static const struct builtin dict_methods[] = {
	{.name = "get", .least = 2, .most = 3, .call = dict_method_get},
	{.name = "pop", .least = 2, .most = 3, .call = dict_method_pop},
	{.name = "keys", .least = 1, .most = 1, .call = dict_method_list},
	{.name = "values", .least = 1, .most = 1, .call = dict_method_list},
	{.name = "items", .least = 1, .most = 1, .call = dict_method_list},
	{.name = NULL},
};

static const struct builtin string_methods[] = {
	{.name = "join", .least = 2, .most = 2, .call = string_method_join},
	{.name = "split", .least = 1, .most = 2, .call = string_method_split},
	{.name = "upper", .least = 1, .most = 1, .call = string_method_case},
	{.name = "lower", .least = 1, .most = 1, .call = string_method_case},
	{.name = "startswith", .least = 2, .most = 2, .call = string_method_with},
	{.name = "endswith", .least = 2, .most = 2, .call = string_method_with},
	{.name = "strip", .least = 1, .most = 1, .call = string_method_strip},
	{.name = NULL},
};

static const char *const acquire_keywords[] = {"self", "blocking", "timeout", NULL};
static const struct builtin lock_methods[] = {
	{.name = "acquire",
		.least = 1,
		.most = 3,
		.call = lock_method_acquire,
		.keywords = acquire_keywords},
	{.name = "release", .least = 1, .most = 1, .call = lock_method_release},
	{.name = "__enter__", .least = 1, .most = 1, .call = lock_method_acquire},
	{.name = "__exit__", .least = 1, .most = 4, .call = lock_method_release},
	{.name = "locked", .least = 1, .most = 1, .call = lock_method_locked},
	{.name = NULL},
};

static const char *const join_keywords[] = {"self", "timeout", NULL};
static const struct builtin thread_methods[] = {
	{.name = "__init__",
		.least = 1,
		.most = THREAD_ARGUMENTS,
		.call = thread_method_init,
		.keywords = thread_keywords},
	{.name = "start", .least = 1, .most = 1, .call = thread_method_start},
	{.name = "run", .least = 1, .most = 1, .call = thread_method_run},
	{.name = "join",
		.least = 1,
		.most = 2,
		.call = thread_method_join,
		.keywords = join_keywords},
	{.name = "is_alive", .least = 1, .most = 1, .call = thread_method_alive},
	{.name = "isAlive", .least = 1, .most = 1, .call = thread_method_alive},
	{.name = "setDaemon", .least = 2, .most = 2, .call = thread_method_daemon},
	{.name = "setName", .least = 2, .most = 2, .call = thread_method_daemon},
	{.name = "getName", .least = 1, .most = 1, .call = thread_method_name},
	{.name = NULL},
};

static const char *const semaphore_keywords[] = {"value", NULL};
static const struct builtin threading_functions[] = {
	{.name = "Lock", .call = call_lock},
	{.name = "RLock", .call = call_lock},
	{.name = "Semaphore", .most = 1, .call = call_semaphore, .keywords = semaphore_keywords},
	{.name = "BoundedSemaphore",
		.most = 1,
		.call = call_semaphore,
		.keywords = semaphore_keywords},
	{.name = "current_thread", .call = call_current_thread},
	{.name = "currentThread", .call = call_current_thread},
	{.name = "get_ident", .call = call_get_ident},
	{.name = NULL},
};

static const struct builtin thread_functions[] = {
	{.name = "start_new_thread", .least = 2, .most = 2, .call = call_start_new_thread},
	{.name = "start_new", .least = 2, .most = 2, .call = call_start_new_thread},
	{.name = "allocate_lock", .call = call_lock},
	{.name = "get_ident", .call = call_get_ident},
	{.name = NULL},
};

static const struct builtin time_functions[] = {
	{.name = "time", .call = call_time},
	{.name = "perf_counter", .call = call_time},
	{.name = "monotonic", .call = call_time},
	{.name = "sleep", .least = 1, .most = 1, .call = call_sleep},
	{.name = NULL},
};

static const struct builtin sys_functions[] = {
	{.name = "setcheckinterval", .least = 1, .most = 1, .call = call_check_interval},
	{.name = "getcheckinterval", .call = call_check_interval},
	{.name = "setswitchinterval", .least = 1, .most = 1, .call = call_switch_interval},
	{.name = "getswitchinterval", .call = call_switch_interval},
	{.name = NULL},
};

static const struct {
	const char *name;
	const struct builtin *function;
} modules[MODULES] = {
	{"threading", threading_functions},
	{"thread", thread_functions},
	{"_thread", thread_functions},
	{"time", time_functions},
	{"sys", sys_functions},
};

/* Setting up */

static bool map_fill(
	struct interpreter_thread *t, struct object *owner, struct map *m, const struct builtin *b)
{
	for (; b->name; b++) {
		struct name *n = name_find(t, b->name, strlen(b->name));
		struct object *o = n ? builtin_new(t, b) : NULL;
		if (!o || map_set(t, owner, m, &n->text->head, n->text->hash, o))
			return false;
		object_drop(t, o);
	}
	return true;
}

static struct class *thread_class_new(struct interpreter_thread *t)
{
	struct class *c = object_allocate(t, TYPE_CLASS, sizeof *c);
	struct name *n = c ? name_find(t, "Thread", 6) : NULL;
	if (!n)
		return NULL;
	c->base = NULL;
	c->native = NATIVE_THREAD;
	c->name = object_taken(t, &n->text->head);
	atomic_init(&c->attributes.table, NULL);
	atomic_init(&c->attributes.count, 0);
	object_immortalise(t, &c->head);
	return map_fill(t, &c->head, &c->attributes, thread_methods) ? c : NULL;
}

static bool module_new(struct interpreter_thread *t, unsigned which)
{
	struct module *m = object_allocate(t, TYPE_MODULE, sizeof *m);
	if (!m)
		return false;
	m->name = modules[which].name;
	atomic_init(&m->attributes.table, NULL);
	atomic_init(&m->attributes.count, 0);
	object_immortalise(t, &m->head);
	t->interpreter->module[which] = &m->head;
	if (!map_fill(t, &m->head, &m->attributes, modules[which].function))
		return false;
	if (which)
		return true;
	struct name *n = name_find(t, "Thread", 6);
	return n && !map_set(t, &m->head, &m->attributes, &n->text->head, n->text->hash,
			    &t->interpreter->thread_class->head);
}

static bool methods_new(struct interpreter_thread *t, enum type type, const struct builtin *b)
{
	size_t count = 0;
	while (b[count].name)
		count++;
	struct method_entry *e = calloc(count + 1, sizeof *e);
	t->interpreter->method[type] = e;
	for (size_t n = 0; e && n < count; n++) {
		e[n].name = name_find(t, b[n].name, strlen(b[n].name));
		e[n].builtin = e[n].name ? builtin_new(t, &b[n]) : NULL;
		if (!e[n].builtin)
			return false;
	}
	return e;
}

int modules_init(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	i->init = name_find(t, "__init__", 8);
	i->run = name_find(t, "run", 3);
	struct name *own = name_find(t, "__name__", 8);
	i->thread_class = thread_class_new(t);
	bool good = i->init && i->run && own && i->thread_class &&
		    (own->builtin = string_new(t, "__main__", 8)) &&
		    methods_new(t, TYPE_LIST, list_methods) &&
		    methods_new(t, TYPE_DICT, dict_methods) &&
		    methods_new(t, TYPE_STR, string_methods) &&
		    methods_new(t, TYPE_LOCK, lock_methods);
	if (good)
		object_immortalise(t, own->builtin);
	for (const struct builtin *b = functions; good && b->name; b++) {
		struct name *n = name_find(t, b->name, strlen(b->name));
		good = n && (n->builtin = builtin_new(t, b));
	}
	for (unsigned n = 0; good && n < MODULES && modules[n].name; n++)
		good = module_new(t, n);
	return good ? 0 : ENOMEM;
}

void modules_fini(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	for (unsigned n = 0; n < MODULES; n++)
		if (i->module[n])
			object_drop(t, i->module[n]);
	if (i->thread_class)
		object_drop(t, &i->thread_class->head);
	for (unsigned type = 0; type < TYPES; type++) {
		for (struct method_entry *e = i->method[type]; e && e->name; e++)
			if (e->builtin)
				object_drop(t, e->builtin);
		free(i->method[type]);
	}
}

struct object *type_method(struct interpreter_thread *t, enum type type, struct name *n)
{
	struct method_entry *e = t->interpreter->method[type];
	while (e && e->name && e->name != n)
		e++;
	return e && e->name ? e->builtin : NULL;
}

struct object *module_import(struct interpreter_thread *t, struct name *n)
{
	for (unsigned m = 0; m < MODULES && modules[m].name; m++)
		if (!strcmp(modules[m].name, n->text->text))
			return object_taken(t, t->interpreter->module[m]);
	return raise_error(t, "ImportError", "No module named '%s'", n->text->text);
}

int interpreter_native(struct interpreter *i, const char *name, unsigned arguments, bool releases,
	int64_t (*function)(void *context, const int64_t *arguments), void *context)
{
	if (arguments > BUILTIN_ARGUMENTS)
		return EINVAL;
	struct native *made = calloc(1, sizeof *made);
	struct interpreter_thread *t = made ? interpreter_enter(i, index_take(i)) : NULL;
	if (!t) {
		free(made);
		return ENOMEM;
	}
	*made = (struct native){i->natives, strdup(name), arguments, releases, function, context};
	thread_acquire(t);
	struct name *n = made->name ? name_find(t, name, strlen(name)) : NULL;
	bool exists = n && n->builtin;
	if (n && !exists)
		n->builtin = builtin_new(t, &(struct builtin){.name = made->name,
						    .least = arguments,
						    .most = arguments,
						    .call = call_native,
						    .native = made});
	bool good = n && n->builtin && !exists;
	thread_release(t);
	interpreter_leave(t);
	if (good)
		i->natives = made;
	else {
		free(made->name);
		free(made);
	}
	return good ? 0 : exists ? EEXIST : ENOMEM;
}
