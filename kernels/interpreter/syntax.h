// SPDX-License-Identifier: BSD-2-Clause
// The compiler's own: text -> tokens (lex.c) -> tree (parse.c) -> bytecode (compile.c). One compile
// has one struct compiler; nothing is shared, so compiles may run beside each other.
#pragma once

#include <setjmp.h>

#include "code.h"

enum {
	NESTING_MOST = 200, // of blocks and brackets: what bounds the parser's recursion
	DEPTH_MOST = 1000,  // of an expression's tree: what bounds the code generator's
	STACK_MOST = 65535, // values at once
	SYMBOL_BUCKETS = 1024,
	CONSTANT_BUCKETS = 256,
};

// Memory that is given back all at once.
struct arena {
	struct chunk *chunks;
	size_t left; // in the newest chunk
};

// A name or the content of a string; equal ones are the same symbol.
struct symbol {
	struct symbol *next; // in its bucket
	const char *text;    // of `length` bytes, and a null
	size_t length;
	uint32_t hash;
	uint32_t name;   // in the program's names, from 1; 0: not there yet
	uint8_t keyword; // enum token_kind; 0: none
};

// X(kind, text): longer ones first where one begins another.
#define FOR_EACH_OPERATOR(X)                                                                       \
	X(POWER_IS, "**=")                                                                         \
	X(FLOOR_IS, "//=")                                                                         \
	X(LSHIFT_IS, "<<=")                                                                        \
	X(RSHIFT_IS, ">>=")                                                                        \
	X(ELLIPSIS, "...")                                                                         \
	X(POWER, "**")                                                                             \
	X(FLOOR, "//")                                                                             \
	X(LSHIFT, "<<")                                                                            \
	X(RSHIFT, ">>")                                                                            \
	X(LESS_EQUAL, "<=")                                                                        \
	X(GREATER_EQUAL, ">=")                                                                     \
	X(EQUAL, "==")                                                                             \
	X(NOT_EQUAL, "!=")                                                                         \
	X(OLD_NOT_EQUAL, "<>")                                                                     \
	X(ARROW, "->")                                                                             \
	X(WALRUS, ":=")                                                                            \
	X(PLUS_IS, "+=")                                                                           \
	X(MINUS_IS, "-=")                                                                          \
	X(TIMES_IS, "*=")                                                                          \
	X(DIVIDE_IS, "/=")                                                                         \
	X(MODULO_IS, "%=")                                                                         \
	X(AND_IS, "&=")                                                                            \
	X(OR_IS, "|=")                                                                             \
	X(XOR_IS, "^=")                                                                            \
	X(AT_IS, "@=")                                                                             \
	X(PLUS, "+")                                                                               \
	X(MINUS, "-")                                                                              \
	X(TIMES, "*")                                                                              \
	X(DIVIDE, "/")                                                                             \
	X(MODULO, "%")                                                                             \
	X(BIT_AND, "&")                                                                            \
	X(BIT_OR, "|")                                                                             \
	X(BIT_XOR, "^")                                                                            \
	X(BIT_NOT, "~")                                                                            \
	X(LESS, "<")                                                                               \
	X(GREATER, ">")                                                                            \
	X(OPEN_ROUND, "(")                                                                         \
	X(CLOSE_ROUND, ")")                                                                        \
	X(OPEN_SQUARE, "[")                                                                        \
	X(CLOSE_SQUARE, "]")                                                                       \
	X(OPEN_CURLY, "{")                                                                         \
	X(CLOSE_CURLY, "}")                                                                        \
	X(COMMA, ",")                                                                              \
	X(COLON, ":")                                                                              \
	X(DOT, ".")                                                                                \
	X(SEMICOLON, ";")                                                                          \
	X(IS, "=")                                                                                 \
	X(AT, "@")                                                                                 \
	X(BACKTICK, "`")

#define FOR_EACH_KEYWORD(X)                                                                        \
	X(NONE, "None")                                                                            \
	X(FALSE, "False")                                                                          \
	X(TRUE, "True")                                                                            \
	X(AND, "and")                                                                              \
	X(AS, "as")                                                                                \
	X(ASSERT, "assert")                                                                        \
	X(BREAK, "break")                                                                          \
	X(CLASS, "class")                                                                          \
	X(CONTINUE, "continue")                                                                    \
	X(DEF, "def")                                                                              \
	X(ELIF, "elif")                                                                            \
	X(ELSE, "else")                                                                            \
	X(FOR, "for")                                                                              \
	X(FROM, "from")                                                                            \
	X(GLOBAL, "global")                                                                        \
	X(IF, "if")                                                                                \
	X(IMPORT, "import")                                                                        \
	X(IN, "in")                                                                                \
	X(KEYWORD_IS, "is")                                                                        \
	X(NOT, "not")                                                                              \
	X(OR, "or")                                                                                \
	X(PASS, "pass")                                                                            \
	X(PRINT_WORD, "print")                                                                     \
	X(RETURN_WORD, "return")                                                                   \
	X(WHILE, "while")                                                                          \
	X(WITH, "with")

// Of Python, outside the subset: refused by name.
#define FOR_EACH_REFUSED(X)                                                                        \
	X("async")                                                                                 \
	X("await")                                                                                 \
	X("del")                                                                                   \
	X("except")                                                                                \
	X("finally")                                                                               \
	X("lambda")                                                                                \
	X("nonlocal")                                                                              \
	X("raise")                                                                                 \
	X("try")                                                                                   \
	X("yield")

enum token_kind {
	T_NOTHING,
	T_END,     // of the text
	T_ERROR,   // no further tokens: c->lexical_error says why
	T_NEWLINE, // of a statement's line
	T_INDENT,
	T_DEDENT,
	T_NAME,
	T_INTEGER,
	T_FLOAT,
	T_STRING,
	T_REFUSED,
#define KIND(name, text) T_##name,
	FOR_EACH_OPERATOR(KIND) FOR_EACH_KEYWORD(KIND)
#undef KIND
		TOKEN_KINDS
};

struct token {
	uint8_t kind;
	unsigned line;
	union {
		const struct symbol *symbol; // T_NAME, T_STRING, keywords
		uint64_t integer;            // up to 2^63, which only `-` makes one of 64 bits
		double real;
		size_t match; // of an opening bracket: the closing one's index
	};
};

enum node_kind {
	// Expressions.
	N_CONSTANT,
	N_NAME,
	N_NEGATIVE,   // first
	N_PLUS,       // first
	N_INVERT,     // first
	N_NOT,        // first
	N_BINARY,     // first op second
	N_COMPARE,    // first, then in its list the others, each with its comparison in `op`
	N_AND,        // list
	N_OR,         // list
	N_CONDITION,  // second if first else third
	N_CALL,       // first(list); those with a symbol are keyword arguments, which come last
	N_ARGUMENT,   // symbol = first
	N_OPERAND,    // of a comparison: op first
	N_ATTRIBUTE,  // first.symbol
	N_ITEM,       // first[second]
	N_LIST,       // list
	N_TUPLE,      // list
	N_DICTIONARY, // list of key, value, key, ...
	// Statements.
	N_EXPRESSION, // first
	N_ASSIGN,     // list of targets = first
	N_AUGMENT,    // first op= second
	N_IF,         // list of N_BRANCH
	N_BRANCH,     // if first: list; no first: else
	N_WHILE,      // while first: list else: others
	N_FOR,        // for second in first: list else: others
	N_DEF,        // symbol, scope, list
	N_CLASS,      // symbol, first: base or null, list of N_DEF and N_ASSIGN
	N_RETURN,     // first or null
	N_BREAK,
	N_CONTINUE,
	N_IMPORT, // symbol as name
	N_FROM,   // from symbol import list of N_IMPORT
	N_PRINT,  // list; op: ends without a new line
	N_WITH,   // with first: list
	N_ASSERT, // first, second or null
};

struct node {
	uint8_t kind;
	uint8_t op;     // enum opcode or enum comparison
	uint16_t depth; // of the expression's tree
	unsigned line;
	unsigned count; // of list
	struct node *next;
	struct node *first, *second, *third, *list, *others;
	const struct symbol *symbol, *name;
	struct constant constant;
	struct scope *scope;
};

// What a name means in a function.
enum { NAME_LOCAL = 1, NAME_GLOBAL = 2, NAME_USED = 4 };
struct local {
	struct local *next;
	const struct symbol *symbol;
	unsigned meaning; // NAME_*
	unsigned index;   // of a local
};

enum scope_kind { SCOPE_MODULE, SCOPE_CLASS, SCOPE_FUNCTION };
struct scope {
	struct scope *outer;
	enum scope_kind kind;
	const struct symbol *name;
	unsigned parameters, local_count;
	struct local *locals, **last; // of functions alone; parameters first
	unsigned loops;               // around the statement that is parsed
};

struct compiler {
	const char *file;
	struct interpreter_error *error;
	jmp_buf failed; // out of any depth: nothing but arenas is held
	int result;
	struct arena kept, scratch; // the program's; gone at the end of the compile
	struct symbol *symbols[SYMBOL_BUCKETS];

	// lex.c
	struct token *tokens;
	size_t token_count;
	struct {
		unsigned line;
		const char *kind;
		char text[160];
	} lexical_error;

	// parse.c
	const struct token *now;
	unsigned nesting;
	struct scope *scope;

	// compile.c
	struct code *codes;
	size_t code_count, code_room;
	struct constant *constants;
	size_t constant_count, constant_room;
	struct bucket *constant_of[CONSTANT_BUCKETS];
	const char **names;
	size_t name_count, name_room;
};

// Ends the compile with "FILE:LINE: KIND: ...".
_Noreturn void compile_fail(struct compiler *c, unsigned line, const char *kind, const char *format,
	...) __attribute__((format(printf, 4, 5)));

// Zeroed, aligned for anything. Does not return where memory is short.
void *arena_take(struct compiler *c, struct arena *a, size_t size);
void arena_free(struct arena *a);

// Room for one more element of `size` bytes: the array, moved where it was full.
void *array_grow(struct compiler *c, void *array, size_t count, size_t *room, size_t size);

struct symbol *symbol_of(struct compiler *c, const char *text, size_t length);

// c->tokens of the text; the last is T_END or T_ERROR.
void lex(struct compiler *c, const char *text);
// "'while'", "the end of the line": for messages. Returns buf.
const char *token_text(const struct token *t, char *buf, size_t size);

// The program's statements, a list; c->scope is the module's.
struct node *parse(struct compiler *c);
