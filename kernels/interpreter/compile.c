// SPDX-License-Identifier: BSD-2-Clause
// The tree to bytecode: what CPython 2.7 makes of the same text, instruction by instruction, where
// a loop's ticks depend on it (its blocks' set-up and clean-up, which do not tick, are left out).
// Jumps to jumps are shortened as there, what cannot be reached is dropped, and the depth of the
// stack is found by following every path.
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "syntax.h"

#define SYNTAX "SyntaxError"

/* Memory and symbols. */

struct chunk {
	struct chunk *next;
	max_align_t memory[];
};

void *arena_take(struct compiler *c, struct arena *a, size_t size)
{
	enum { CHUNK = 16384 };
	size_t unit = sizeof(max_align_t), wanted = (size + unit - 1) / unit * unit;
	if (!a->chunks || a->left < wanted) {
		size_t room = wanted > CHUNK ? wanted : CHUNK;
		struct chunk *chunk = calloc(1, sizeof *chunk + room);
		if (!chunk) {
			snprintf(c->error->text, sizeof c->error->text, "%.100s: out of memory",
				c->file);
			c->result = ENOMEM;
			longjmp(c->failed, 1);
		}
		chunk->next = a->chunks;
		a->chunks = chunk;
		a->left = room;
	}
	// From the end, so that what is left alone tells where.
	a->left -= wanted;
	return (char *)a->chunks->memory + a->left;
}

void arena_free(struct arena *a)
{
	for (struct chunk *next; a->chunks; a->chunks = next) {
		next = a->chunks->next;
		free(a->chunks);
	}
}

void *array_grow(struct compiler *c, void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	void *larger = arena_take(c, &c->scratch, *room * size);
	if (count)
		memcpy(larger, array, count * size);
	return larger;
}

static void *keep(struct compiler *c, const void *array, size_t size)
{
	void *kept = arena_take(c, &c->kept, size ? size : 1);
	if (size)
		memcpy(kept, array, size);
	return kept;
}

// FNV-1a.
static uint32_t hash_of(const void *bytes, size_t length)
{
	uint32_t hash = 2166136261u;
	for (const unsigned char *at = bytes; length; at++, length--)
		hash = (hash ^ *at) * 16777619u;
	return hash;
}

struct symbol *symbol_of(struct compiler *c, const char *text, size_t length)
{
	uint32_t hash = hash_of(text, length);
	struct symbol **bucket = &c->symbols[hash % SYMBOL_BUCKETS], *s;
	for (s = *bucket; s; s = s->next) {
		if (s->hash == hash && s->length == length && !memcmp(s->text, text, length))
			return s;
	}
	char *copy = arena_take(c, &c->kept, length + 1);
	memcpy(copy, text, length);
	s = arena_take(c, &c->scratch, sizeof *s);
	*s = (struct symbol){.next = *bucket, .text = copy, .length = length, .hash = hash};
	*bucket = s;
	return s;
}

void compile_fail(struct compiler *c, unsigned line, const char *kind, const char *format, ...)
{
	char why[200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	// The end of a long name of a file tells most.
	size_t length = strlen(c->file);
	const char *file = length > 100 ? c->file + length - 100 : c->file;
	// Cut where it is too long, never in the middle of the kind.
	if (snprintf(c->error->text, sizeof c->error->text, "%s:%u: %s: %s", file, line, kind,
		    why) >= (int)sizeof c->error->text)
		memcpy(c->error->text + sizeof c->error->text - 4, "...", 4);
	c->result = EINVAL;
	longjmp(c->failed, 1);
}

/* Constants and names. */

struct bucket {
	struct bucket *next;
	uint32_t index;
};

static bool same_constant(const struct constant *a, const struct constant *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case CONSTANT_INTEGER:
		return a->integer == b->integer;
	case CONSTANT_FLOAT: // 0.0 is not -0.0
		return !memcmp(&a->real, &b->real, sizeof a->real);
	case CONSTANT_STRING: // symbols
		return a->string == b->string;
	case CONSTANT_NAMES:
		return a->count == b->count &&
		       !memcmp(a->names, b->names, a->count * sizeof *a->names);
	default:
		return true;
	}
}

static uint32_t hash_constant(const struct constant *k)
{
	switch (k->kind) {
	case CONSTANT_INTEGER:
		return hash_of(&k->integer, sizeof k->integer);
	case CONSTANT_FLOAT:
		return hash_of(&k->real, sizeof k->real);
	case CONSTANT_STRING:
		return hash_of(k->string, k->length);
	case CONSTANT_NAMES:
		return hash_of(k->names, k->count * sizeof *k->names);
	default:
		return k->kind;
	}
}

static uint32_t constant_index(struct compiler *c, const struct constant *k)
{
	struct bucket **bucket = &c->constant_of[hash_constant(k) % CONSTANT_BUCKETS], *b;
	for (b = *bucket; b; b = b->next) {
		if (same_constant(&c->constants[b->index], k))
			return b->index;
	}
	b = arena_take(c, &c->scratch, sizeof *b);
	b->next = *bucket;
	*bucket = b;
	b->index = (uint32_t)c->constant_count;
	c->constants = array_grow(
		c, c->constants, c->constant_count, &c->constant_room, sizeof *c->constants);
	c->constants[c->constant_count++] = *k;
	return b->index;
}

static uint32_t string_index(struct compiler *c, const struct symbol *s)
{
	return constant_index(
		c, &(struct constant){
			   .kind = CONSTANT_STRING, .string = s->text, .length = s->length});
}

static uint32_t name_index(struct compiler *c, const struct symbol *symbol)
{
	// All symbols are the compiler's own.
	struct symbol *s = (struct symbol *)symbol;
	if (!s->name) {
		c->names = array_grow(c, c->names, c->name_count, &c->name_room, sizeof *c->names);
		c->names[c->name_count++] = s->text;
		s->name = (uint32_t)c->name_count;
	}
	return s->name - 1;
}

/* A function that is made. */

struct step {
	uint8_t op;
	uint32_t operand; // of a jump: a label, later an index
	unsigned line;
	int depth; // of the stack before it; -1: not reached
};

// What a jump out of it has to undo.
struct block {
	struct block *outer;
	enum {
		BLOCK_WHILE,
		BLOCK_FOR,
		BLOCK_WITH
	} kind;             // with its iterator or context on the stack
	uint32_t end, head; // labels
};

struct unit {
	struct compiler *c;
	const struct scope *scope;
	struct step *steps;
	size_t count, room;
	uint32_t *labels;
	size_t label_count, label_room;
	struct block *block;
	unsigned line;
};

static void emit(struct unit *u, enum opcode op, size_t operand)
{
	if (operand > OPERAND_MOST)
		compile_fail(u->c, u->line, SYNTAX, "a program that is too long");
	u->steps = array_grow(u->c, u->steps, u->count, &u->room, sizeof *u->steps);
	u->steps[u->count++] = (struct step){(uint8_t)op, (uint32_t)operand, u->line, -1};
}

static void emit_constant(struct unit *u, const struct constant *k)
{
	emit(u, LOAD_CONST, constant_index(u->c, k));
}

static void emit_integer(struct unit *u, int64_t integer)
{
	emit_constant(u, &(struct constant){.kind = CONSTANT_INTEGER, .integer = integer});
}

static void emit_none(struct unit *u)
{
	emit_constant(u, &(struct constant){.kind = CONSTANT_NONE});
}

static uint32_t label_new(struct unit *u)
{
	u->labels = array_grow(u->c, u->labels, u->label_count, &u->label_room, sizeof *u->labels);
	return (uint32_t)u->label_count++;
}

static void label_here(struct unit *u, uint32_t label)
{
	u->labels[label] = (uint32_t)u->count;
}

static uint32_t label_new_here(struct unit *u)
{
	uint32_t label = label_new(u);
	label_here(u, label);
	return label;
}

/* Names. */

static const struct local *local_of(const struct scope *s, const struct symbol *name)
{
	const struct local *l = s->locals;
	while (l && l->symbol != name)
		l = l->next;
	return l;
}

// The local it is, or null: a global.
static const struct local *resolve(struct unit *u, const struct symbol *name)
{
	const struct scope *s = u->scope;
	const struct local *l = local_of(s, name);
	if (l && l->meaning & NAME_GLOBAL)
		return NULL;
	if (l && l->meaning & NAME_LOCAL)
		return l;
	while ((s = s->outer)) {
		l = local_of(s, name);
		if (l && l->meaning & NAME_GLOBAL)
			return NULL;
		if (l && l->meaning & NAME_LOCAL)
			compile_fail(u->c, u->line, SYNTAX,
				"'%.40s' of the function '%.40s' around is outside the subset "
				"(closures)",
				name->text, s->name->text);
	}
	return NULL;
}

static void load_name(struct unit *u, const struct symbol *name)
{
	const struct local *l = resolve(u, name);
	emit(u, l ? LOAD_FAST : LOAD_GLOBAL, l ? l->index : name_index(u->c, name));
}

static void store_name(struct unit *u, const struct symbol *name)
{
	const struct local *l = resolve(u, name);
	emit(u, l ? STORE_FAST : STORE_GLOBAL, l ? l->index : name_index(u->c, name));
}

/* Expressions. */

static void compile_expression(struct unit *u, const struct node *n);

// Of a constant: 1 true, 0 false. -1: not a constant.
static int constant_truth(const struct node *n)
{
	if (n->kind != N_CONSTANT)
		return -1;
	switch (n->constant.kind) {
	case CONSTANT_TRUE:
		return 1;
	case CONSTANT_INTEGER:
		return n->constant.integer != 0;
	case CONSTANT_FLOAT:
		return n->constant.real != 0;
	case CONSTANT_STRING:
		return n->constant.length != 0;
	default:
		return 0;
	}
}

// Jumps to the label if the expression's truth is `when`, else goes on.
static void compile_jump_if(struct unit *u, const struct node *n, bool when, uint32_t label)
{
	int truth = constant_truth(n);
	if (truth >= 0) {
		if (truth == when)
			emit(u, JUMP, label);
	} else if (n->kind == N_NOT) {
		compile_jump_if(u, n->first, !when, label);
	} else if (n->kind == N_AND || n->kind == N_OR) {
		// The value that decides without looking at the others.
		bool decides = n->kind == N_OR;
		uint32_t others = label_new(u);
		const struct node *e = n->list;
		for (; e->next; e = e->next)
			compile_jump_if(u, e, decides, decides == when ? label : others);
		compile_jump_if(u, e, when, label);
		label_here(u, others);
	} else {
		compile_expression(u, n);
		u->line = n->line;
		emit(u, when ? POP_JUMP_IF_TRUE : POP_JUMP_IF_FALSE, label);
	}
}

static void compile_logical(struct unit *u, const struct node *n)
{
	uint32_t end = label_new(u);
	const struct node *e = n->list;
	for (; e->next; e = e->next) {
		compile_expression(u, e);
		emit(u, n->kind == N_AND ? JUMP_IF_FALSE_OR_POP : JUMP_IF_TRUE_OR_POP, end);
	}
	compile_expression(u, e);
	label_here(u, end);
}

static void compile_comparison(struct unit *u, const struct node *n)
{
	compile_expression(u, n->first);
	const struct node *e = n->list;
	if (!e->next) {
		compile_expression(u, e->first);
		u->line = n->line;
		emit(u, COMPARE, e->op);
		return;
	}
	// a < b < c: b stays below the first result.
	uint32_t clean = label_new(u), end = label_new(u);
	for (; e->next; e = e->next) {
		compile_expression(u, e->first);
		u->line = n->line;
		emit(u, DUP_TOP, 0);
		emit(u, ROT_THREE, 0);
		emit(u, COMPARE, e->op);
		emit(u, JUMP_IF_FALSE_OR_POP, clean);
	}
	compile_expression(u, e->first);
	u->line = n->line;
	emit(u, COMPARE, e->op);
	emit(u, JUMP, end);
	label_here(u, clean);
	emit(u, ROT_TWO, 0);
	emit(u, POP_TOP, 0);
	label_here(u, end);
}

static void compile_condition(struct unit *u, const struct node *n)
{
	uint32_t otherwise = label_new(u), end = label_new(u);
	compile_jump_if(u, n->first, false, otherwise);
	compile_expression(u, n->second);
	emit(u, JUMP, end);
	label_here(u, otherwise);
	compile_expression(u, n->third);
	label_here(u, end);
}

static void compile_elements(struct unit *u, const struct node *list)
{
	for (; list; list = list->next)
		compile_expression(u, list->kind == N_ARGUMENT ? list->first : list);
}

// The names of keyword arguments, as a constant.
static void emit_keywords(struct unit *u, const struct node *call)
{
	const struct node *a = call->list;
	unsigned count = 0;
	while (!a->symbol)
		a = a->next;
	const char **names = arena_take(u->c, &u->c->kept, call->count * sizeof *names);
	for (; a; a = a->next)
		names[count++] = a->symbol->text;
	emit_constant(
		u, &(struct constant){.kind = CONSTANT_NAMES, .names = names, .count = count});
}

static void compile_call(struct unit *u, const struct node *n)
{
	bool method = n->first->kind == N_ATTRIBUTE && !n->op;
	compile_expression(u, method ? n->first->first : n->first);
	u->line = n->line;
	if (method)
		emit(u, LOAD_METHOD, name_index(u->c, n->first->symbol));
	compile_elements(u, n->list);
	u->line = n->line;
	if (n->op)
		emit_keywords(u, n);
	emit(u, n->op ? CALL_KEYWORDS : method ? CALL_METHOD : CALL, n->count);
}

static void compile_expression(struct unit *u, const struct node *n)
{
	u->line = n->line;
	switch (n->kind) {
	case N_CONSTANT:
		emit_constant(u, &n->constant);
		break;
	case N_NAME:
		load_name(u, n->symbol);
		break;
	case N_NEGATIVE:
	case N_NOT:
		compile_expression(u, n->first);
		u->line = n->line;
		emit(u, n->kind == N_NOT ? UNARY_NOT : UNARY_NEGATIVE, 0);
		break;
	case N_PLUS: // x - 0 is what +x is, of numbers alone, -0.0 too
	case N_INVERT:
		compile_expression(u, n->first);
		u->line = n->line;
		emit_integer(u, n->kind == N_PLUS ? 0 : -1);
		emit(u, n->kind == N_PLUS ? BINARY_SUBTRACT : BINARY_XOR, 0);
		break;
	case N_BINARY:
		compile_expression(u, n->first);
		compile_expression(u, n->second);
		u->line = n->line;
		emit(u, n->op, 0);
		break;
	case N_COMPARE:
		compile_comparison(u, n);
		break;
	case N_AND:
	case N_OR:
		compile_logical(u, n);
		break;
	case N_CONDITION:
		compile_condition(u, n);
		break;
	case N_CALL:
		compile_call(u, n);
		break;
	case N_ATTRIBUTE:
		compile_expression(u, n->first);
		u->line = n->line;
		emit(u, LOAD_ATTR, name_index(u->c, n->symbol));
		break;
	case N_ITEM:
		compile_expression(u, n->first);
		compile_expression(u, n->second);
		u->line = n->line;
		emit(u, LOAD_ITEM, 0);
		break;
	case N_LIST:
	case N_TUPLE:
		compile_elements(u, n->list);
		u->line = n->line;
		emit(u, n->kind == N_LIST ? BUILD_LIST : BUILD_TUPLE, n->count);
		break;
	case N_DICTIONARY:
		compile_elements(u, n->list);
		u->line = n->line;
		emit(u, BUILD_MAP, n->count / 2);
		break;
	default:
		assert(!"an expression");
	}
}

/* Statements. */

static void compile_block(struct unit *u, const struct node *list);
static uint32_t compile_function(
	struct compiler *c, const struct scope *s, const char *name, const struct node *body);

// Gives the value on top of the stack to the target.
static void store_target(struct unit *u, const struct node *n)
{
	u->line = n->line;
	switch (n->kind) {
	case N_NAME:
		store_name(u, n->symbol);
		break;
	case N_ATTRIBUTE:
		compile_expression(u, n->first);
		u->line = n->line;
		emit(u, STORE_ATTR, name_index(u->c, n->symbol));
		break;
	case N_ITEM:
		compile_expression(u, n->first);
		compile_expression(u, n->second);
		u->line = n->line;
		emit(u, STORE_ITEM, 0);
		break;
	default:
		emit(u, UNPACK_SEQUENCE, n->count);
		for (const struct node *e = n->list; e; e = e->next)
			store_target(u, e);
	}
}

static bool is_sequence(const struct node *n)
{
	return n->kind == N_TUPLE || n->kind == N_LIST;
}

// `a, b = b, a` makes no tuple.
static bool compile_swap(struct unit *u, const struct node *n)
{
	const struct node *target = n->list, *value = n->first;
	if (n->count != 1 || !is_sequence(target) || value->kind != N_TUPLE ||
		target->count != value->count || value->count < 2 || value->count > 3)
		return false;
	compile_elements(u, value->list);
	if (value->count == 3)
		emit(u, ROT_THREE, 0);
	emit(u, ROT_TWO, 0);
	for (const struct node *e = target->list; e; e = e->next)
		store_target(u, e);
	return true;
}

static void compile_assignment(struct unit *u, const struct node *n)
{
	if (compile_swap(u, n))
		return;
	compile_expression(u, n->first);
	for (const struct node *target = n->list; target; target = target->next) {
		if (target->next)
			emit(u, DUP_TOP, 0);
		store_target(u, target);
	}
}

static void compile_augmented(struct unit *u, const struct node *n)
{
	const struct node *target = n->second;
	if (target->kind == N_NAME) {
		load_name(u, target->symbol);
	} else if (target->kind == N_ATTRIBUTE) {
		compile_expression(u, target->first);
		emit(u, DUP_TOP, 0);
		emit(u, LOAD_ATTR, name_index(u->c, target->symbol));
	} else {
		compile_expression(u, target->first);
		compile_expression(u, target->second);
		emit(u, DUP_TOP_TWO, 0);
		emit(u, LOAD_ITEM, 0);
	}
	compile_expression(u, n->first);
	u->line = n->line;
	emit(u, n->op, 0);
	if (target->kind == N_NAME) {
		store_name(u, target->symbol);
	} else if (target->kind == N_ATTRIBUTE) {
		emit(u, ROT_TWO, 0);
		emit(u, STORE_ATTR, name_index(u->c, target->symbol));
	} else {
		emit(u, ROT_THREE, 0);
		emit(u, STORE_ITEM, 0);
	}
}

static void compile_if(struct unit *u, const struct node *n)
{
	uint32_t end = label_new(u);
	for (const struct node *branch = n->list; branch; branch = branch->next) {
		uint32_t next = label_new(u);
		u->line = branch->line;
		if (branch->first)
			compile_jump_if(u, branch->first, false, next);
		compile_block(u, branch->list);
		// Not where nothing follows.
		if (branch->next && (branch->next->first || branch->next->list))
			emit(u, JUMP, end);
		label_here(u, next);
	}
	label_here(u, end);
}

static void compile_while(struct unit *u, const struct node *n)
{
	uint32_t otherwise = label_new(u);
	struct block b = {u->block, BLOCK_WHILE, label_new(u), label_new_here(u)};
	compile_jump_if(u, n->first, false, otherwise);
	u->block = &b;
	compile_block(u, n->list);
	u->block = b.outer;
	emit(u, JUMP_BACK, b.head);
	label_here(u, otherwise);
	compile_block(u, n->others);
	label_here(u, b.end);
}

static void compile_for(struct unit *u, const struct node *n)
{
	uint32_t otherwise = label_new(u);
	compile_expression(u, n->first);
	u->line = n->line;
	emit(u, GET_ITER, 0);
	struct block b = {u->block, BLOCK_FOR, label_new(u), label_new_here(u)};
	emit(u, FOR_ITER, otherwise);
	store_target(u, n->second);
	u->block = &b;
	compile_block(u, n->list);
	u->block = b.outer;
	emit(u, JUMP_BACK, b.head);
	label_here(u, otherwise);
	compile_block(u, n->others);
	label_here(u, b.end);
}

// Of the context on top of the stack, which it takes.
static void emit_release(struct unit *u)
{
	emit(u, LOAD_METHOD, name_index(u->c, symbol_of(u->c, "release", strlen("release"))));
	emit(u, CALL_METHOD, 0);
	emit(u, POP_TOP, 0);
}

static void compile_with(struct unit *u, const struct node *n)
{
	struct block b = {.outer = u->block, .kind = BLOCK_WITH};
	compile_expression(u, n->first);
	emit(u, DUP_TOP, 0);
	emit(u, LOAD_METHOD, name_index(u->c, symbol_of(u->c, "acquire", strlen("acquire"))));
	emit(u, CALL_METHOD, 0);
	emit(u, POP_TOP, 0);
	u->block = &b;
	compile_block(u, n->list);
	u->block = b.outer;
	u->line = n->line;
	emit_release(u);
}

static void compile_break(struct unit *u, const struct node *n)
{
	struct block *b = u->block;
	u->line = n->line;
	for (; b->kind == BLOCK_WITH; b = b->outer)
		emit_release(u);
	if (n->kind == N_CONTINUE) {
		emit(u, JUMP_BACK, b->head);
		return;
	}
	if (b->kind == BLOCK_FOR)
		emit(u, POP_TOP, 0);
	emit(u, JUMP, b->end);
}

// Leaves with nothing but the result on the stack.
static void compile_return(struct unit *u, const struct node *n)
{
	u->line = n->line;
	if (n->first)
		compile_expression(u, n->first);
	else
		emit_none(u);
	u->line = n->line;
	for (const struct block *b = u->block; b; b = b->outer) {
		if (b->kind == BLOCK_WHILE)
			continue;
		emit(u, ROT_TWO, 0);
		if (b->kind == BLOCK_WITH)
			emit_release(u);
		else
			emit(u, POP_TOP, 0);
	}
	emit(u, RETURN, 0);
}

static void compile_class(struct unit *u, const struct node *n)
{
	emit(u, LOAD_CONST, string_index(u->c, n->symbol));
	if (n->first)
		compile_expression(u, n->first);
	else
		emit_none(u);
	for (const struct node *member = n->list; member; member = member->next) {
		bool method = member->kind == N_DEF;
		u->line = member->line;
		emit(u, LOAD_CONST,
			string_index(u->c, method ? member->symbol : member->list->symbol));
		if (method)
			emit(u, MAKE_FUNCTION,
				compile_function(
					u->c, member->scope, member->symbol->text, member->list));
		else
			compile_expression(u, member->first);
	}
	u->line = n->line;
	emit(u, MAKE_CLASS, n->count);
	store_name(u, n->symbol);
}

static void compile_from(struct unit *u, const struct node *n)
{
	if (!n->list) // __future__
		return;
	emit(u, IMPORT_NAME, name_index(u->c, n->symbol));
	for (const struct node *one = n->list; one; one = one->next) {
		u->line = one->line;
		if (one->next)
			emit(u, DUP_TOP, 0);
		emit(u, LOAD_ATTR, name_index(u->c, one->symbol));
		store_name(u, one->name);
	}
}

// The runtime's built-in of this name, which no program can spell, raises the error.
static void compile_assert(struct unit *u, const struct node *n)
{
	uint32_t end = label_new(u);
	compile_jump_if(u, n->first, true, end);
	u->line = n->line;
	emit(u, LOAD_GLOBAL, name_index(u->c, symbol_of(u->c, "assert", strlen("assert"))));
	if (n->second)
		compile_expression(u, n->second);
	u->line = n->line;
	emit(u, CALL, n->second != NULL);
	emit(u, POP_TOP, 0);
	label_here(u, end);
}

static void compile_statement(struct unit *u, const struct node *n)
{
	u->line = n->line;
	switch (n->kind) {
	case N_EXPRESSION:
		if (n->first->kind == N_CONSTANT) // a function's description
			break;
		compile_expression(u, n->first);
		emit(u, POP_TOP, 0);
		break;
	case N_ASSIGN:
		compile_assignment(u, n);
		break;
	case N_AUGMENT:
		compile_augmented(u, n);
		break;
	case N_IF:
		compile_if(u, n);
		break;
	case N_WHILE:
		compile_while(u, n);
		break;
	case N_FOR:
		compile_for(u, n);
		break;
	case N_DEF:
		emit(u, MAKE_FUNCTION, compile_function(u->c, n->scope, n->symbol->text, n->list));
		store_name(u, n->symbol);
		break;
	case N_CLASS:
		compile_class(u, n);
		break;
	case N_RETURN:
		compile_return(u, n);
		break;
	case N_BREAK:
	case N_CONTINUE:
		compile_break(u, n);
		break;
	case N_IMPORT:
		emit(u, IMPORT_NAME, name_index(u->c, n->symbol));
		store_name(u, n->name);
		break;
	case N_FROM:
		compile_from(u, n);
		break;
	case N_PRINT:
		compile_elements(u, n->list);
		u->line = n->line;
		emit(u, PRINT, n->count | (n->op ? PRINT_KEEPS_LINE : 0));
		break;
	case N_WITH:
		compile_with(u, n);
		break;
	case N_ASSERT:
		compile_assert(u, n);
		break;
	default:
		assert(!"a statement");
	}
}

static void compile_block(struct unit *u, const struct node *list)
{
	for (; list; list = list->next)
		compile_statement(u, list);
}

/* Steps to instructions. */

static bool is_jump(enum opcode op)
{
	switch (op) {
	case JUMP:
	case JUMP_BACK:
	case POP_JUMP_IF_FALSE:
	case POP_JUMP_IF_TRUE:
	case JUMP_IF_FALSE_OR_POP:
	case JUMP_IF_TRUE_OR_POP:
	case FOR_ITER:
		return true;
	default:
		return false;
	}
}

// Labels to indices; a jump to a jump goes where that goes. Conditional jumps go forwards only: the
// end of every loop is an instruction that checks.
static void shorten_jumps(struct unit *u)
{
	for (size_t i = u->count; i--;) {
		struct step *s = &u->steps[i];
		if (!is_jump(s->op))
			continue;
		s->operand = u->labels[s->operand];
		// What lies ahead has been shortened; a loop there may begin with its end.
		const struct step *to = &u->steps[s->operand];
		if (s->op == JUMP_BACK)
			continue;
		if (to->op == JUMP)
			s->operand = to->operand;
		else if (s->op == JUMP && to->op == JUMP_BACK && to->operand <= i)
			*s = (struct step){JUMP_BACK, to->operand, s->line, -1};
		else if (s->op == JUMP && to->op == RETURN)
			*s = (struct step){RETURN, 0, s->line, -1};
	}
}

// By how much it changes the depth of the stack; where it jumps, `jumps`.
static long stack_effect(const struct step *s, bool jumps)
{
	long n = s->operand;
	switch ((enum opcode)s->op) {
	case LOAD_CONST:
	case LOAD_FAST:
	case LOAD_GLOBAL:
	case DUP_TOP:
	case LOAD_METHOD:
	case MAKE_FUNCTION:
	case IMPORT_NAME:
		return 1;
	case DUP_TOP_TWO:
		return 2;
	case STORE_FAST:
	case STORE_GLOBAL:
	case LOAD_ITEM:
	case POP_TOP:
	case BINARY_ADD:
	case BINARY_SUBTRACT:
	case BINARY_MULTIPLY:
	case BINARY_DIVIDE:
	case BINARY_FLOOR_DIVIDE:
	case BINARY_MODULO:
	case BINARY_POWER:
	case BINARY_AND:
	case BINARY_OR:
	case BINARY_XOR:
	case BINARY_LSHIFT:
	case BINARY_RSHIFT:
	case COMPARE:
	case POP_JUMP_IF_FALSE:
	case POP_JUMP_IF_TRUE:
	case RETURN:
		return -1;
	case STORE_ATTR:
		return -2;
	case STORE_ITEM:
		return -3;
	case JUMP_IF_FALSE_OR_POP:
	case JUMP_IF_TRUE_OR_POP:
		return jumps ? 0 : -1;
	case FOR_ITER:
		return jumps ? -1 : 1;
	case BUILD_LIST:
	case BUILD_TUPLE:
		return 1 - n;
	case BUILD_MAP:
		return 1 - 2 * n;
	case UNPACK_SEQUENCE:
		return n - 1;
	case CALL:
		return -n;
	case CALL_KEYWORDS:
	case CALL_METHOD:
		return -n - 1;
	case MAKE_CLASS:
		return -2 * n - 1;
	case PRINT:
		return -(n & (PRINT_KEEPS_LINE - 1));
	case LOAD_ATTR:
	case ROT_TWO:
	case ROT_THREE:
	case UNARY_NEGATIVE:
	case UNARY_NOT:
	case JUMP:
	case JUMP_BACK:
	case GET_ITER:
	case OPCODES:
		return 0;
	}
	return 0;
}

// What every path reaches, with the depth there. Returns the most.
static unsigned find_depths(struct unit *u)
{
	uint32_t *todo = arena_take(u->c, &u->c->scratch, (u->count + 1) * sizeof *todo);
	size_t count = 1;
	long most = 0;
	todo[0] = 0;
	u->steps[0].depth = 0;
	while (count) {
		uint32_t i = todo[--count];
		const struct step *s = &u->steps[i];
		bool jump = is_jump(s->op);
		for (int way = 0; way < 2; way++) {
			bool ends = s->op == RETURN || s->op == JUMP || s->op == JUMP_BACK;
			if (way ? !jump : ends)
				continue;
			uint32_t next = way ? s->operand : i + 1;
			long depth = s->depth + stack_effect(s, way);
			assert(next < u->count && depth >= 0);
			assert(u->steps[next].depth < 0 || u->steps[next].depth == depth);
			// While it moves, it needs no more than what it takes or leaves.
			if (depth > STACK_MOST)
				compile_fail(u->c, s->line, SYNTAX,
					"an expression of more than %d values at once", STACK_MOST);
			most = depth > most ? depth : most;
			if (u->steps[next].depth < 0) {
				u->steps[next].depth = (int)depth;
				todo[count++] = next;
			}
		}
	}
	return (unsigned)most;
}

// A jump over nothing but what is not reached.
static bool is_idle(const struct unit *u, size_t i)
{
	const struct step *s = &u->steps[i];
	if (s->op != JUMP)
		return false;
	for (i++; i < s->operand && u->steps[i].depth < 0;)
		i++;
	return i == s->operand;
}

// What is reached and does something, as instructions.
static void write_instructions(struct unit *u, struct code *code)
{
	struct compiler *c = u->c;
	uint32_t *moved = arena_take(c, &c->scratch, u->count * sizeof *moved), count = 0;
	for (size_t i = 0; i < u->count; i++) {
		moved[i] = count;
		if (u->steps[i].depth >= 0 && is_idle(u, i))
			u->steps[i].depth = -1;
		count += u->steps[i].depth >= 0;
	}
	instruction *instructions = arena_take(c, &c->kept, count * sizeof *instructions);
	unsigned *line = arena_take(c, &c->kept, count * sizeof *line);
	for (size_t i = 0; i < u->count; i++) {
		const struct step *s = &u->steps[i];
		if (s->depth < 0)
			continue;
		instructions[moved[i]] =
			instruction_make(s->op, is_jump(s->op) ? moved[s->operand] : s->operand);
		line[moved[i]] = s->line;
	}
	code->instructions = instructions;
	code->line = line;
	code->count = count;
}

// Returns its index among the codes. A main program has no name.
static uint32_t compile_function(
	struct compiler *c, const struct scope *s, const char *name, const struct node *body)
{
	c->codes = array_grow(c, c->codes, c->code_count, &c->code_room, sizeof *c->codes);
	uint32_t index = (uint32_t)c->code_count++;
	struct unit u = {.c = c, .scope = s, .line = 1};
	compile_block(&u, body);
	emit_none(&u);
	emit(&u, RETURN, 0);
	shorten_jumps(&u);
	struct code code = {.name = name, .parameters = s->parameters, .locals = s->local_count};
	code.stack = find_depths(&u);
	write_instructions(&u, &code);
	const char **names = arena_take(c, &c->kept, (s->local_count + 1) * sizeof *names);
	for (const struct local *l = s->locals; l; l = l->next) {
		if (l->meaning & NAME_LOCAL && !(l->meaning & NAME_GLOBAL))
			names[l->index] = l->symbol->text;
	}
	code.local_name = names;
	c->codes[index] = code;
	return index;
}

/* All of it. */

static void add_keywords(struct compiler *c)
{
	static const struct {
		const char *text;
		uint8_t kind;
	} keywords[] = {
#define KEYWORD(name, text) {text, T_##name},
		FOR_EACH_KEYWORD(KEYWORD)
#undef KEYWORD
#define REFUSED(text) {text, T_REFUSED},
			FOR_EACH_REFUSED(REFUSED)
#undef REFUSED
	};
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		symbol_of(c, keywords[i].text, strlen(keywords[i].text))->keyword =
			keywords[i].kind;
}

static struct program *compile(struct compiler *c, const char *text)
{
	add_keywords(c);
	lex(c, text);
	struct node *body = parse(c);
	compile_function(c, c->scope, "<module>", body);
	struct program *p = arena_take(c, &c->kept, sizeof *p);
	*p = (struct program){
		.file = keep(c, c->file, strlen(c->file) + 1),
		.codes = keep(c, c->codes, c->code_count * sizeof *c->codes),
		.code_count = (unsigned)c->code_count,
		.constants = keep(c, c->constants, c->constant_count * sizeof *c->constants),
		.constant_count = (unsigned)c->constant_count,
		.names = keep(c, c->names, c->name_count * sizeof *c->names),
		.name_count = (unsigned)c->name_count,
	};
	p->memory = c->kept.chunks;
	return p;
}

int program_compile(
	struct program **p, const char *name, const char *text, struct interpreter_error *e)
{
	struct compiler *c = calloc(1, sizeof *c);
	if (!c) {
		snprintf(e->text, sizeof e->text, "%.100s: out of memory", name);
		return ENOMEM;
	}
	c->file = name;
	c->error = e;
	// An error is found at any depth of three recursive parts, all memory is in the arenas: one
	// jump out of them is simpler, and tested in more ways, than a check after every call.
	if (!setjmp(c->failed))
		*p = compile(c, text);
	else
		arena_free(&c->kept);
	int result = c->result;
	arena_free(&c->scratch);
	free(c);
	return result;
}

void program_free(struct program *p)
{
	if (p)
		arena_free(&(struct arena){.chunks = p->memory});
}
