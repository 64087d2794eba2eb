// SPDX-License-Identifier: BSD-2-Clause
// Tokens to a tree, by recursive descent after the grammar of the Python Language Reference; binary
// operators by precedence climbing (Richards, 1979). Notes what each function's names mean on the
// way. Its recursion is bounded by NESTING_MOST, its trees by DEPTH_MOST.
#include <string.h>

#include "syntax.h"

#define SYNTAX "SyntaxError"

// A list of nodes that grows at its end.
struct list {
	struct node *first, **last;
	unsigned count, depth;
};

/* Tokens. */

// A token that cannot be here. What the lexer had to say comes before anything else.
static _Noreturn void unexpected(struct compiler *c, const char *wanted)
{
	const struct token *t = c->now;
	char text[64];
	if (t->kind == T_ERROR)
		compile_fail(c, c->lexical_error.line, c->lexical_error.kind, "%s",
			c->lexical_error.text);
	token_text(t, text, sizeof text);
	if (t->kind == T_REFUSED)
		compile_fail(c, t->line, SYNTAX, "%s is outside the subset", text);
	if (wanted)
		compile_fail(c, t->line, SYNTAX, "%s is wanted, not %s", wanted, text);
	compile_fail(c, t->line, SYNTAX, "%s is not expected here", text);
}

static _Noreturn void outside(struct compiler *c, const char *what)
{
	compile_fail(c, c->now->line, SYNTAX, "%s outside the subset", what);
}

static bool take(struct compiler *c, enum token_kind kind)
{
	if (c->now->kind != kind)
		return false;
	c->now++;
	return true;
}

// Past a token that is known; its line.
static unsigned skip(struct compiler *c)
{
	unsigned line = c->now->line;
	c->now++;
	return line;
}

static void want(struct compiler *c, enum token_kind kind)
{
	const struct token wanted = {.kind = (uint8_t)kind};
	char text[64];
	if (!take(c, kind))
		unexpected(c, token_text(&wanted, text, sizeof text));
}

static const struct symbol *want_name(struct compiler *c)
{
	if (c->now->kind != T_NAME)
		unexpected(c, "a name");
	const struct symbol *name = c->now->symbol;
	c->now++;
	return name;
}

static void enter(struct compiler *c)
{
	if (c->nesting++ == NESTING_MOST)
		compile_fail(c, c->now->line, SYNTAX, "the text is nested more than %d deep",
			NESTING_MOST);
}

static void leave(struct compiler *c)
{
	c->nesting--;
}

/* Nodes. */

static struct node *node(struct compiler *c, enum node_kind kind, unsigned line)
{
	struct node *n = arena_take(c, &c->scratch, sizeof *n);
	n->kind = (uint8_t)kind;
	n->line = line;
	return n;
}

static void deepen(struct compiler *c, struct node *n, unsigned depth)
{
	if (depth >= DEPTH_MOST)
		compile_fail(c, n->line, SYNTAX,
			"an expression of more than %d operations in a row", DEPTH_MOST);
	if (n->depth <= depth)
		n->depth = (uint16_t)(depth + 1);
}

// With up to two parts.
static struct node *expression(struct compiler *c, enum node_kind kind, unsigned line,
	struct node *first, struct node *second)
{
	struct node *n = node(c, kind, line);
	n->first = first;
	n->second = second;
	if (first)
		deepen(c, n, first->depth);
	if (second)
		deepen(c, n, second->depth);
	return n;
}

static void list_add(struct list *l, struct node *n)
{
	if (!l->last)
		l->last = &l->first;
	*l->last = n;
	l->last = &n->next;
	l->count++;
	if (n->depth > l->depth)
		l->depth = n->depth;
}

static struct node *with_list(struct compiler *c, struct node *n, const struct list *l)
{
	n->list = l->first;
	n->count = l->count;
	deepen(c, n, l->depth);
	return n;
}

/* Names. */

static struct local *scope_find(const struct scope *s, const struct symbol *name)
{
	struct local *l = s->locals;
	while (l && l->symbol != name)
		l = l->next;
	return l;
}

// Only functions have locals: elsewhere names are globals or a class's attributes.
static struct local *scope_note(struct compiler *c, const struct symbol *name, unsigned meaning)
{
	struct scope *s = c->scope;
	if (s->kind != SCOPE_FUNCTION)
		return NULL;
	struct local *l = scope_find(s, name);
	if (!l) {
		l = arena_take(c, &c->scratch, sizeof *l);
		l->symbol = name;
		*s->last = l;
		s->last = &l->next;
	}
	if (meaning == NAME_LOCAL && !(l->meaning & (NAME_LOCAL | NAME_GLOBAL)))
		l->index = s->local_count++;
	if (meaning != NAME_LOCAL || !(l->meaning & NAME_GLOBAL))
		l->meaning |= meaning;
	return l;
}

static void bind(struct compiler *c, const struct symbol *name)
{
	scope_note(c, name, NAME_LOCAL);
}

static struct scope *scope_enter(
	struct compiler *c, enum scope_kind kind, const struct symbol *name)
{
	struct scope *s = arena_take(c, &c->scratch, sizeof *s);
	s->outer = c->scope;
	s->kind = kind;
	s->name = name;
	s->last = &s->locals;
	c->scope = s;
	return s;
}

/* Expressions. */

static struct node *parse_test(struct compiler *c);

static struct node *constant(struct compiler *c, unsigned line, enum constant_kind kind)
{
	struct node *n = node(c, N_CONSTANT, line);
	n->constant.kind = kind;
	return n;
}

static struct node *parse_integer(struct compiler *c)
{
	const struct token *t = c->now++;
	if (t->integer > INT64_MAX)
		compile_fail(c, t->line, "OverflowError", "%llu does not fit 64 bits",
			(unsigned long long)t->integer);
	struct node *n = constant(c, t->line, CONSTANT_INTEGER);
	n->constant.integer = (int64_t)t->integer;
	return n;
}

// Adjacent ones are one.
static struct node *parse_string(struct compiler *c)
{
	struct node *n = constant(c, c->now->line, CONSTANT_STRING);
	const struct symbol *whole = c->now->symbol;
	size_t length = 0;
	for (const struct token *t = c->now; t->kind == T_STRING; t++)
		length += t->symbol->length;
	if (c->now[1].kind == T_STRING) {
		char *text = arena_take(c, &c->scratch, length + 1), *to = text;
		for (; c->now->kind == T_STRING; c->now++) {
			memcpy(to, c->now->symbol->text, c->now->symbol->length);
			to += c->now->symbol->length;
		}
		whole = symbol_of(c, text, length);
	} else {
		c->now++;
	}
	n->constant.string = whole->text;
	n->constant.length = whole->length;
	return n;
}

static void refuse_comprehension(struct compiler *c, const char *what)
{
	if (c->now->kind == T_FOR)
		outside(c, what);
	if (c->now->kind == T_WALRUS)
		outside(c, "':=' is");
}

static bool begins_expression(const struct compiler *c)
{
	switch (c->now->kind) {
	case T_NAME:
	case T_INTEGER:
	case T_FLOAT:
	case T_STRING:
	case T_NONE:
	case T_TRUE:
	case T_FALSE:
	case T_NOT:
	case T_MINUS:
	case T_PLUS:
	case T_BIT_NOT:
	case T_OPEN_ROUND:
	case T_OPEN_SQUARE:
	case T_OPEN_CURLY:
	case T_REFUSED:
	case T_ERROR:
		return true;
	default:
		return false;
	}
}

// Expressions with commas between up to the closing token, which is taken.
static void parse_elements(
	struct compiler *c, struct list *l, enum token_kind close, const char *comprehension)
{
	while (!take(c, close)) {
		if (c->now->kind == T_TIMES)
			outside(c, "'*' before an element is");
		list_add(l, parse_test(c));
		refuse_comprehension(c, comprehension);
		if (!take(c, T_COMMA)) {
			want(c, close);
			return;
		}
	}
}

static struct node *parse_round(struct compiler *c)
{
	unsigned line = skip(c);
	struct list l = {0};
	if (!take(c, T_CLOSE_ROUND)) {
		struct node *one = parse_test(c);
		refuse_comprehension(c, "a generator expression is");
		if (take(c, T_CLOSE_ROUND))
			return one;
		want(c, T_COMMA);
		list_add(&l, one);
		parse_elements(c, &l, T_CLOSE_ROUND, "a generator expression is");
	}
	return with_list(c, node(c, N_TUPLE, line), &l);
}

static struct node *parse_dictionary(struct compiler *c)
{
	unsigned line = skip(c);
	struct list l = {0};
	while (!take(c, T_CLOSE_CURLY)) {
		if (c->now->kind == T_POWER)
			outside(c, "'**' in a dictionary is");
		list_add(&l, parse_test(c));
		if (c->now->kind == T_COMMA || c->now->kind == T_CLOSE_CURLY)
			outside(c, "a set in curly brackets is");
		refuse_comprehension(c, "a set comprehension is");
		want(c, T_COLON);
		list_add(&l, parse_test(c));
		refuse_comprehension(c, "a dictionary comprehension is");
		if (!take(c, T_COMMA)) {
			want(c, T_CLOSE_CURLY);
			break;
		}
	}
	return with_list(c, node(c, N_DICTIONARY, line), &l);
}

static struct node *parse_atom(struct compiler *c)
{
	const struct token *t = c->now;
	struct node *n;
	struct list l = {0};
	switch (t->kind) {
	case T_NAME:
		c->now++;
		n = node(c, N_NAME, t->line);
		n->symbol = t->symbol;
		scope_note(c, t->symbol, NAME_USED);
		return n;
	case T_INTEGER:
		return parse_integer(c);
	case T_FLOAT:
		c->now++;
		n = constant(c, t->line, CONSTANT_FLOAT);
		n->constant.real = t->real;
		return n;
	case T_STRING:
		return parse_string(c);
	case T_NONE:
		c->now++;
		return constant(c, t->line, CONSTANT_NONE);
	case T_TRUE:
		c->now++;
		return constant(c, t->line, CONSTANT_TRUE);
	case T_FALSE:
		c->now++;
		return constant(c, t->line, CONSTANT_FALSE);
	case T_OPEN_ROUND:
		return parse_round(c);
	case T_OPEN_SQUARE:
		c->now++;
		parse_elements(c, &l, T_CLOSE_SQUARE, "a list comprehension is");
		return with_list(c, node(c, N_LIST, t->line), &l);
	case T_OPEN_CURLY:
		return parse_dictionary(c);
	case T_PRINT_WORD:
		compile_fail(c, t->line, SYNTAX,
			"'print' inside of an expression is outside the subset");
	case T_BACKTICK:
		outside(c, "'`' is");
	case T_ELLIPSIS:
		outside(c, "'...' is");
	default:
		unexpected(c, "an expression");
	}
}

static struct node *parse_argument(struct compiler *c, const struct list *before, bool *keywords)
{
	if (c->now->kind == T_TIMES || c->now->kind == T_POWER)
		outside(c, "an argument list made with '*' is");
	unsigned line = c->now->line;
	const struct symbol *name = NULL;
	if (c->now->kind == T_NAME && c->now[1].kind == T_IS) {
		name = c->now->symbol;
		c->now += 2;
		for (const struct node *n = before->first; n; n = n->next) {
			if (n->symbol == name)
				compile_fail(c, line, SYNTAX, "the argument '%s' is given twice",
					name->text);
		}
		*keywords = true;
	} else if (*keywords) {
		compile_fail(c, line, SYNTAX, "an argument without a name follows one with a name");
	}
	struct node *n = expression(c, N_ARGUMENT, line, parse_test(c), NULL);
	n->symbol = name;
	refuse_comprehension(c, "a generator expression is");
	return n;
}

static struct node *parse_call(struct compiler *c, struct node *function)
{
	struct node *n = expression(c, N_CALL, function->line, function, NULL);
	struct list l = {0};
	bool keywords = false;
	want(c, T_OPEN_ROUND);
	while (!take(c, T_CLOSE_ROUND)) {
		list_add(&l, parse_argument(c, &l, &keywords));
		if (!take(c, T_COMMA)) {
			want(c, T_CLOSE_ROUND);
			break;
		}
	}
	n->op = keywords;
	return with_list(c, n, &l);
}

static struct node *parse_item(struct compiler *c, struct node *object)
{
	want(c, T_OPEN_SQUARE);
	if (c->now->kind == T_COLON)
		outside(c, "a slice is");
	struct node *index = parse_test(c);
	if (c->now->kind == T_COMMA) {
		struct list l = {0};
		list_add(&l, index);
		while (take(c, T_COMMA) && c->now->kind != T_CLOSE_SQUARE) {
			if (c->now->kind == T_COLON)
				break;
			list_add(&l, parse_test(c));
		}
		index = with_list(c, node(c, N_TUPLE, object->line), &l);
	}
	if (c->now->kind == T_COLON)
		outside(c, "a slice is");
	want(c, T_CLOSE_SQUARE);
	return expression(c, N_ITEM, object->line, object, index);
}

static struct node *parse_primary(struct compiler *c)
{
	struct node *n = parse_atom(c);
	for (;;) {
		if (c->now->kind == T_OPEN_ROUND) {
			n = parse_call(c, n);
		} else if (c->now->kind == T_OPEN_SQUARE) {
			n = parse_item(c, n);
		} else if (take(c, T_DOT)) {
			n = expression(c, N_ATTRIBUTE, n->line, n, NULL);
			n->symbol = want_name(c);
		} else {
			return n;
		}
	}
}

static struct node *parse_unary(struct compiler *c);

static struct node *binary(
	struct compiler *c, enum opcode op, struct node *first, struct node *second)
{
	struct node *n = expression(c, N_BINARY, first->line, first, second);
	n->op = (uint8_t)op;
	return n;
}

static struct node *parse_power(struct compiler *c)
{
	struct node *n = parse_primary(c);
	return take(c, T_POWER) ? binary(c, BINARY_POWER, n, parse_unary(c)) : n;
}

// A number with a minus is a constant, and 2**63 is one with a minus alone.
static struct node *parse_negative(struct compiler *c)
{
	const struct token *t = c->now++;
	if (c->now->kind == T_INTEGER && c->now->integer > INT64_MAX && c->now[1].kind != T_POWER) {
		c->now++;
		struct node *n = constant(c, t->line, CONSTANT_INTEGER);
		n->constant.integer = INT64_MIN;
		return n;
	}
	struct node *n = parse_unary(c);
	if (n->kind == N_CONSTANT && n->constant.kind == CONSTANT_INTEGER &&
		n->constant.integer != INT64_MIN)
		n->constant.integer = -n->constant.integer;
	else if (n->kind == N_CONSTANT && n->constant.kind == CONSTANT_FLOAT)
		n->constant.real = -n->constant.real;
	else
		n = expression(c, N_NEGATIVE, t->line, n, NULL);
	return n;
}

static struct node *parse_unary(struct compiler *c)
{
	unsigned line = c->now->line;
	struct node *n;
	enter(c);
	if (c->now->kind == T_MINUS)
		n = parse_negative(c);
	else if (take(c, T_PLUS))
		n = expression(c, N_PLUS, line, parse_unary(c), NULL);
	else if (take(c, T_BIT_NOT))
		n = expression(c, N_INVERT, line, parse_unary(c), NULL);
	else
		n = parse_power(c);
	leave(c);
	return n;
}

// How tightly it binds; 0: not a binary operator.
static unsigned precedence(enum token_kind kind, enum opcode *op)
{
	switch (kind) {
	case T_BIT_OR:
		*op = BINARY_OR;
		return 1;
	case T_BIT_XOR:
		*op = BINARY_XOR;
		return 2;
	case T_BIT_AND:
		*op = BINARY_AND;
		return 3;
	case T_LSHIFT:
		*op = BINARY_LSHIFT;
		return 4;
	case T_RSHIFT:
		*op = BINARY_RSHIFT;
		return 4;
	case T_PLUS:
		*op = BINARY_ADD;
		return 5;
	case T_MINUS:
		*op = BINARY_SUBTRACT;
		return 5;
	case T_TIMES:
		*op = BINARY_MULTIPLY;
		return 6;
	case T_DIVIDE:
		*op = BINARY_DIVIDE;
		return 6;
	case T_FLOOR:
		*op = BINARY_FLOOR_DIVIDE;
		return 6;
	case T_MODULO:
		*op = BINARY_MODULO;
		return 6;
	default:
		return 0;
	}
}

static struct node *parse_binary(struct compiler *c, unsigned least)
{
	struct node *n = parse_unary(c);
	for (;;) {
		enum opcode op;
		unsigned p = precedence(c->now->kind, &op);
		if (c->now->kind == T_AT)
			outside(c, "'@' is");
		if (!p || p < least)
			return n;
		c->now++;
		n = binary(c, op, n, parse_binary(c, p + 1));
	}
}

// Takes a comparison's operator; COMPARISONS: there is none.
static enum comparison take_comparison(struct compiler *c)
{
	switch (c->now->kind) {
	case T_LESS:
		return c->now++, COMPARE_LESS;
	case T_LESS_EQUAL:
		return c->now++, COMPARE_LESS_EQUAL;
	case T_EQUAL:
		return c->now++, COMPARE_EQUAL;
	case T_NOT_EQUAL:
		return c->now++, COMPARE_NOT_EQUAL;
	case T_GREATER:
		return c->now++, COMPARE_GREATER;
	case T_GREATER_EQUAL:
		return c->now++, COMPARE_GREATER_EQUAL;
	case T_IN:
		return c->now++, COMPARE_IN;
	case T_NOT:
		if (c->now[1].kind != T_IN)
			return COMPARISONS;
		c->now += 2;
		return COMPARE_NOT_IN;
	case T_KEYWORD_IS:
		c->now++;
		return take(c, T_NOT) ? COMPARE_IS_NOT : COMPARE_IS;
	case T_OLD_NOT_EQUAL:
		outside(c, "'<>' (write '!=') is");
	default:
		return COMPARISONS;
	}
}

static struct node *parse_comparison(struct compiler *c)
{
	struct node *n = parse_binary(c, 1);
	struct list l = {0};
	enum comparison how;
	while ((how = take_comparison(c)) != COMPARISONS) {
		struct node *operand = parse_binary(c, 1);
		operand = expression(c, N_OPERAND, operand->line, operand, NULL);
		operand->op = (uint8_t)how;
		list_add(&l, operand);
	}
	return l.count ? with_list(c, expression(c, N_COMPARE, n->line, n, NULL), &l) : n;
}

static struct node *parse_not(struct compiler *c)
{
	unsigned line = c->now->line;
	if (!take(c, T_NOT))
		return parse_comparison(c);
	enter(c);
	struct node *n = expression(c, N_NOT, line, parse_not(c), NULL);
	leave(c);
	return n;
}

static struct node *parse_and(struct compiler *c)
{
	struct node *n = parse_not(c);
	if (c->now->kind != T_AND)
		return n;
	struct list l = {0};
	unsigned line = n->line;
	list_add(&l, n);
	while (take(c, T_AND))
		list_add(&l, parse_not(c));
	return with_list(c, node(c, N_AND, line), &l);
}

static struct node *parse_or(struct compiler *c)
{
	struct node *n = parse_and(c);
	if (c->now->kind != T_OR)
		return n;
	struct list l = {0};
	unsigned line = n->line;
	list_add(&l, n);
	while (take(c, T_OR))
		list_add(&l, parse_and(c));
	return with_list(c, node(c, N_OR, line), &l);
}

static struct node *parse_test(struct compiler *c)
{
	enter(c);
	struct node *n = parse_or(c);
	if (take(c, T_IF)) {
		struct node *if_true = n, *condition = parse_or(c);
		want(c, T_ELSE);
		n = expression(c, N_CONDITION, if_true->line, condition, if_true);
		n->third = parse_test(c);
		deepen(c, n, n->third->depth);
	}
	leave(c);
	return n;
}

// One expression, or a tuple where there are commas.
static struct node *parse_tests(struct compiler *c)
{
	if (c->now->kind == T_TIMES)
		outside(c, "'*' before an element is");
	struct node *n = parse_test(c);
	if (c->now->kind != T_COMMA)
		return n;
	struct list l = {0};
	unsigned line = n->line;
	list_add(&l, n);
	while (take(c, T_COMMA) && (begins_expression(c) || c->now->kind == T_TIMES)) {
		if (c->now->kind == T_TIMES)
			outside(c, "'*' before an element is");
		list_add(&l, parse_test(c));
	}
	return with_list(c, node(c, N_TUPLE, line), &l);
}

/* Statements. */

static void parse_statement(struct compiler *c, struct list *l);

// Binds the names that an assignment to the expression gives a value.
static void make_target(struct compiler *c, const struct node *n)
{
	switch (n->kind) {
	case N_NAME:
		bind(c, n->symbol);
		return;
	case N_ATTRIBUTE:
	case N_ITEM:
		return;
	case N_TUPLE:
	case N_LIST:
		if (!n->count)
			compile_fail(c, n->line, SYNTAX, "an assignment to nothing");
		for (const struct node *e = n->list; e; e = e->next)
			make_target(c, e);
		return;
	case N_CONSTANT:
		compile_fail(c, n->line, SYNTAX, "an assignment to a constant");
	case N_CALL:
		compile_fail(c, n->line, SYNTAX, "an assignment to a call's result");
	default:
		compile_fail(c, n->line, SYNTAX, "an assignment to an expression");
	}
}

static enum opcode augmented(enum token_kind kind)
{
	switch (kind) {
	case T_PLUS_IS:
		return BINARY_ADD;
	case T_MINUS_IS:
		return BINARY_SUBTRACT;
	case T_TIMES_IS:
		return BINARY_MULTIPLY;
	case T_DIVIDE_IS:
		return BINARY_DIVIDE;
	case T_FLOOR_IS:
		return BINARY_FLOOR_DIVIDE;
	case T_MODULO_IS:
		return BINARY_MODULO;
	case T_POWER_IS:
		return BINARY_POWER;
	case T_AND_IS:
		return BINARY_AND;
	case T_OR_IS:
		return BINARY_OR;
	case T_XOR_IS:
		return BINARY_XOR;
	case T_LSHIFT_IS:
		return BINARY_LSHIFT;
	case T_RSHIFT_IS:
		return BINARY_RSHIFT;
	default:
		return OPCODES;
	}
}

static struct node *parse_augmented(struct compiler *c, struct node *target, enum opcode op)
{
	if (target->kind != N_NAME && target->kind != N_ATTRIBUTE && target->kind != N_ITEM)
		compile_fail(c, target->line, SYNTAX,
			"an augmented assignment to what is no name, attribute or item");
	make_target(c, target);
	c->now++;
	struct node *n = expression(c, N_AUGMENT, target->line, parse_tests(c), target);
	n->op = (uint8_t)op;
	return n;
}

// An expression, or an assignment of any kind.
static struct node *parse_expression_statement(struct compiler *c)
{
	struct node *value = parse_tests(c);
	enum opcode op = augmented(c->now->kind);
	if (op != OPCODES)
		return parse_augmented(c, value, op);
	if (c->now->kind == T_COLON)
		outside(c, "an annotation is");
	if (c->now->kind == T_WALRUS)
		outside(c, "':=' is");
	if (c->now->kind == T_AT_IS)
		outside(c, "'@=' is");
	struct list targets = {0};
	unsigned line = value->line;
	while (take(c, T_IS)) {
		make_target(c, value);
		list_add(&targets, value);
		value = parse_tests(c);
	}
	struct node *n = expression(c, targets.count ? N_ASSIGN : N_EXPRESSION, line, value, NULL);
	return with_list(c, n, &targets);
}

// Of what follows `print`: all of it in one pair of brackets, as a call of Python 3's function.
static bool is_print_call(const struct compiler *c)
{
	if (c->now->kind != T_OPEN_ROUND || !c->now->match)
		return false;
	switch (c->tokens[c->now->match + 1].kind) {
	case T_NEWLINE:
	case T_SEMICOLON:
		return true;
	default:
		return false;
	}
}

static struct node *parse_print(struct compiler *c)
{
	struct node *n = node(c, N_PRINT, skip(c));
	struct list l = {0};
	if (is_print_call(c)) {
		c->now++;
		while (!take(c, T_CLOSE_ROUND)) {
			if (c->now->kind == T_NAME && c->now[1].kind == T_IS)
				compile_fail(c, c->now->line, SYNTAX,
					"print's argument '%s' is outside the subset",
					c->now->symbol->text);
			if (c->now->kind == T_TIMES || c->now->kind == T_POWER)
				outside(c, "an argument list made with '*' is");
			list_add(&l, parse_test(c));
			refuse_comprehension(c, "a generator expression is");
			if (!take(c, T_COMMA)) {
				want(c, T_CLOSE_ROUND);
				break;
			}
		}
		return with_list(c, n, &l);
	}
	if (c->now->kind == T_RSHIFT)
		outside(c, "'print >>' is");
	while (begins_expression(c)) {
		list_add(&l, parse_test(c));
		n->op = c->now->kind == T_COMMA;
		if (!take(c, T_COMMA))
			break;
	}
	return with_list(c, n, &l);
}

static struct node *parse_import(struct compiler *c, struct list *l)
{
	unsigned line = skip(c);
	for (;;) {
		struct node *n = node(c, N_IMPORT, line);
		n->symbol = n->name = want_name(c);
		if (c->now->kind == T_DOT)
			outside(c, "a module inside of a package is");
		if (take(c, T_AS))
			n->name = want_name(c);
		bind(c, n->name);
		if (!take(c, T_COMMA))
			return n;
		list_add(l, n);
	}
}

// What a text for both Pythons may ask for, and has here.
static bool is_known_future(const struct symbol *s)
{
	return !strcmp(s->text, "print_function") || !strcmp(s->text, "division") ||
	       !strcmp(s->text, "absolute_import") || !strcmp(s->text, "unicode_literals");
}

static struct node *parse_from(struct compiler *c)
{
	struct node *n = node(c, N_FROM, skip(c));
	struct list l = {0};
	if (c->now->kind == T_DOT || c->now->kind == T_ELLIPSIS)
		outside(c, "a relative import is");
	n->symbol = want_name(c);
	if (c->now->kind == T_DOT)
		outside(c, "a module inside of a package is");
	want(c, T_IMPORT);
	if (c->now->kind == T_TIMES)
		outside(c, "'import *' is");
	bool future = !strcmp(n->symbol->text, "__future__");
	bool brackets = take(c, T_OPEN_ROUND);
	do {
		struct node *one = node(c, N_IMPORT, c->now->line);
		one->symbol = one->name = want_name(c);
		if (future && !is_known_future(one->symbol))
			compile_fail(c, one->line, SYNTAX,
				"'%s' of __future__ is outside the subset", one->symbol->text);
		if (take(c, T_AS))
			one->name = want_name(c);
		if (future)
			continue;
		bind(c, one->name);
		list_add(&l, one);
	} while (take(c, T_COMMA) && !(brackets && c->now->kind == T_CLOSE_ROUND));
	if (brackets)
		want(c, T_CLOSE_ROUND);
	return with_list(c, n, &l);
}

static void parse_global(struct compiler *c)
{
	c->now++;
	if (c->scope->kind == SCOPE_CLASS)
		outside(c, "'global' in a class is");
	do {
		unsigned line = c->now->line;
		const struct symbol *name = want_name(c);
		if (c->scope->kind != SCOPE_FUNCTION)
			continue;
		const struct local *was = scope_find(c->scope, name);
		if (was && !(was->meaning & NAME_GLOBAL))
			compile_fail(c, line, SYNTAX, "'%s' is used before it is declared global",
				name->text);
		scope_note(c, name, NAME_GLOBAL);
	} while (take(c, T_COMMA));
}

static struct node *parse_return(struct compiler *c)
{
	struct node *n = node(c, N_RETURN, c->now->line);
	if (c->scope->kind != SCOPE_FUNCTION)
		compile_fail(c, c->now->line, SYNTAX, "'return' outside of a function");
	c->now++;
	if (begins_expression(c))
		n->first = parse_tests(c);
	return n;
}

static struct node *parse_jump(struct compiler *c, enum node_kind kind)
{
	char text[64];
	if (!c->scope->loops)
		compile_fail(c, c->now->line, SYNTAX, "%s outside of a loop",
			token_text(c->now, text, sizeof text));
	return node(c, kind, skip(c));
}

static struct node *parse_assert(struct compiler *c)
{
	unsigned line = skip(c);
	struct node *n = expression(c, N_ASSERT, line, parse_test(c), NULL);
	if (take(c, T_COMMA))
		n->second = parse_test(c);
	return n;
}

// A statement without a block; null where it does nothing.
static struct node *parse_simple(struct compiler *c, struct list *l)
{
	switch (c->now->kind) {
	case T_PASS:
		c->now++;
		return NULL;
	case T_GLOBAL:
		parse_global(c);
		return NULL;
	case T_PRINT_WORD:
		return parse_print(c);
	case T_IMPORT:
		return parse_import(c, l);
	case T_FROM:
		return parse_from(c);
	case T_RETURN_WORD:
		return parse_return(c);
	case T_BREAK:
		return parse_jump(c, N_BREAK);
	case T_CONTINUE:
		return parse_jump(c, N_CONTINUE);
	case T_ASSERT:
		return parse_assert(c);
	default:
		if (!begins_expression(c) && c->now->kind != T_TIMES)
			unexpected(c, NULL);
		return parse_expression_statement(c);
	}
}

// A line of simple statements.
static void parse_line(struct compiler *c, struct list *l)
{
	do {
		struct node *n = parse_simple(c, l);
		if (n)
			list_add(l, n);
	} while (take(c, T_SEMICOLON) && c->now->kind != T_NEWLINE);
	if (!take(c, T_NEWLINE))
		unexpected(c, "the end of the line");
}

// What follows a colon: the rest of the line, or an indented block.
static struct node *parse_block(struct compiler *c)
{
	struct list l = {0};
	if (c->now->kind == T_ARROW)
		outside(c, "an annotation is");
	want(c, T_COLON);
	enter(c);
	if (take(c, T_NEWLINE)) {
		want(c, T_INDENT);
		while (!take(c, T_DEDENT))
			parse_statement(c, &l);
	} else {
		parse_line(c, &l);
	}
	leave(c);
	return l.first;
}

static struct node *parse_if(struct compiler *c)
{
	struct node *n = node(c, N_IF, c->now->line);
	struct list l = {0};
	do {
		struct node *branch = node(c, N_BRANCH, skip(c));
		branch->first = parse_test(c);
		refuse_comprehension(c, "");
		branch->list = parse_block(c);
		list_add(&l, branch);
	} while (c->now->kind == T_ELIF);
	if (c->now->kind == T_ELSE) {
		struct node *branch = node(c, N_BRANCH, skip(c));
		branch->list = parse_block(c);
		list_add(&l, branch);
	}
	return with_list(c, n, &l);
}

static struct node *parse_loop(struct compiler *c, struct node *n)
{
	c->scope->loops++;
	n->list = parse_block(c);
	c->scope->loops--;
	if (take(c, T_ELSE))
		n->others = parse_block(c);
	return n;
}

static struct node *parse_while(struct compiler *c)
{
	struct node *n = node(c, N_WHILE, skip(c));
	n->first = parse_test(c);
	return parse_loop(c, n);
}

// `x`, or `i, x`: what may be assigned to, up to the `in` that is none of its operators.
static struct node *parse_for_target(struct compiler *c)
{
	struct list l = {0};
	unsigned line = c->now->line;
	bool tuple = false;
	do {
		if (c->now->kind == T_IN)
			break;
		list_add(&l, parse_unary(c));
	} while (take(c, T_COMMA) && (tuple = true));
	if (!l.count)
		unexpected(c, "a name");
	struct node *n = tuple ? with_list(c, node(c, N_TUPLE, line), &l) : l.first;
	make_target(c, n);
	return n;
}

static struct node *parse_for(struct compiler *c)
{
	struct node *n = node(c, N_FOR, skip(c));
	n->second = parse_for_target(c);
	want(c, T_IN);
	n->first = parse_tests(c);
	return parse_loop(c, n);
}

static void parse_parameters(struct compiler *c, struct scope *s)
{
	want(c, T_OPEN_ROUND);
	while (!take(c, T_CLOSE_ROUND)) {
		unsigned line = c->now->line;
		if (c->now->kind == T_TIMES || c->now->kind == T_POWER || c->now->kind == T_DIVIDE)
			outside(c, "a parameter marked with '*', '**' or '/' is");
		if (c->now->kind == T_OPEN_ROUND)
			outside(c, "a tuple as parameter is");
		const struct symbol *name = want_name(c);
		if (c->now->kind == T_IS)
			outside(c, "a parameter's default value is");
		if (c->now->kind == T_COLON)
			outside(c, "an annotation is");
		if (scope_find(s, name))
			compile_fail(
				c, line, SYNTAX, "two parameters have the name '%s'", name->text);
		bind(c, name);
		s->parameters++;
		if (!take(c, T_COMMA)) {
			want(c, T_CLOSE_ROUND);
			break;
		}
	}
}

static struct node *parse_def(struct compiler *c)
{
	struct node *n = node(c, N_DEF, skip(c));
	n->symbol = want_name(c);
	bind(c, n->symbol);
	struct scope *outer = c->scope;
	n->scope = scope_enter(c, SCOPE_FUNCTION, n->symbol);
	parse_parameters(c, n->scope);
	n->list = parse_block(c);
	c->scope = outer;
	return n;
}

static bool is_literal(const struct node *n)
{
	switch (n->kind) {
	case N_CONSTANT:
		return true;
	case N_LIST:
	case N_TUPLE:
	case N_DICTIONARY:
		for (const struct node *e = n->list; e; e = e->next) {
			if (!is_literal(e))
				return false;
		}
		return true;
	default:
		return false;
	}
}

// A class has methods, names with constants, and nothing that would have to be executed.
static void check_class(struct compiler *c, struct node *n, struct node *body)
{
	struct list l = {0};
	for (struct node *next; body; body = next) {
		next = body->next;
		body->next = NULL;
		if (body->kind == N_EXPRESSION && body->first->kind == N_CONSTANT)
			continue;
		bool value = body->kind == N_ASSIGN && body->count == 1 &&
			     body->list->kind == N_NAME && is_literal(body->first);
		if (body->kind != N_DEF && !value)
			compile_fail(c, body->line, SYNTAX,
				"in a class, what is neither a method nor a name with a constant "
				"is outside the subset");
		list_add(&l, body);
	}
	with_list(c, n, &l);
}

static struct node *parse_class(struct compiler *c)
{
	struct node *n = node(c, N_CLASS, skip(c));
	n->symbol = want_name(c);
	bind(c, n->symbol);
	if (take(c, T_OPEN_ROUND) && !take(c, T_CLOSE_ROUND)) {
		if (c->now->kind == T_NAME && c->now[1].kind == T_IS)
			outside(c, "a class's keyword argument is");
		n->first = parse_test(c);
		if (take(c, T_COMMA) && c->now->kind != T_CLOSE_ROUND)
			outside(c, "more than one base class is");
		want(c, T_CLOSE_ROUND);
		// In Python 2 it tells classes from those of old; here all are alike.
		if (n->first->kind == N_NAME && !strcmp(n->first->symbol->text, "object"))
			n->first = NULL;
	}
	struct scope *outer = c->scope;
	scope_enter(c, SCOPE_CLASS, n->symbol);
	struct node *body = parse_block(c);
	c->scope = outer;
	check_class(c, n, body);
	return n;
}

// `with a, b:` is one inside of the other.
static struct node *parse_with(struct compiler *c)
{
	struct node *outermost = NULL, **to = &outermost, *innermost;
	unsigned line = c->now->line, entered = 0;
	do {
		c->now++;
		enter(c);
		entered++;
		*to = innermost = expression(c, N_WITH, line, parse_test(c), NULL);
		if (c->now->kind == T_AS)
			outside(c, "'as' after 'with' is");
		to = &innermost->list;
	} while (c->now->kind == T_COMMA);
	innermost->list = parse_block(c);
	c->nesting -= entered;
	return outermost;
}

static void parse_statement(struct compiler *c, struct list *l)
{
	switch (c->now->kind) {
	case T_IF:
		list_add(l, parse_if(c));
		break;
	case T_WHILE:
		list_add(l, parse_while(c));
		break;
	case T_FOR:
		list_add(l, parse_for(c));
		break;
	case T_DEF:
		list_add(l, parse_def(c));
		break;
	case T_CLASS:
		list_add(l, parse_class(c));
		break;
	case T_WITH:
		list_add(l, parse_with(c));
		break;
	case T_AT:
		outside(c, "a decorator is");
	default:
		parse_line(c, l);
	}
}

struct node *parse(struct compiler *c)
{
	struct list l = {0};
	c->now = c->tokens;
	scope_enter(c, SCOPE_MODULE, NULL);
	while (c->now->kind != T_END)
		parse_statement(c, &l);
	return l.first;
}
