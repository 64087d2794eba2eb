// SPDX-License-Identifier: BSD-2-Clause
// Bytecode: what the compiler makes of a program's text and the evaluation loop executes. Plain
// data without objects, made once, never written again, so any number of threads and interpreters
// read the same.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "interpreter.h"

// X(NAME, ticks, checks): ticks: Python 2 and 3 up to 3.9 looked here whether another thread should
// have its turn (the exits of CPython 2.7's loop that do not take the fast path); checks: Python
// 3.10 and later do. Operands in brackets, stack before -> after.
#define FOR_EACH_OPCODE(X)                                                                         \
	X(LOAD_CONST, 0, 0)   /* [constant] -> value */                                            \
	X(LOAD_FAST, 0, 0)    /* [local] -> value; NameError where unset */                        \
	X(STORE_FAST, 0, 0)   /* [local] value -> */                                               \
	X(LOAD_GLOBAL, 1, 0)  /* [name] -> value, of globals, then of builtins */                  \
	X(STORE_GLOBAL, 1, 0) /* [name] value -> */                                                \
	X(LOAD_ATTR, 1, 0)    /* [name] object -> value */                                         \
	X(STORE_ATTR, 1, 0)   /* [name] value object -> */                                         \
	X(LOAD_ITEM, 1, 0)    /* object index -> value */                                          \
	X(STORE_ITEM, 1, 0)   /* value object index -> */                                          \
	X(POP_TOP, 0, 0)      /* value -> */                                                       \
	X(DUP_TOP, 0, 0)      /* a -> a a */                                                       \
	X(DUP_TOP_TWO, 0, 0)  /* a b -> a b a b */                                                 \
	X(ROT_TWO, 0, 0)      /* a b -> b a */                                                     \
	X(ROT_THREE, 0, 0)    /* a b c -> c a b */                                                 \
	X(UNARY_NEGATIVE, 1, 0)                                                                    \
	X(UNARY_NOT, 1, 0)                                                                         \
	X(BINARY_ADD, 1, 0) /* a b -> a + b, and so on */                                          \
	X(BINARY_SUBTRACT, 1, 0)                                                                   \
	X(BINARY_MULTIPLY, 1, 0)                                                                   \
	X(BINARY_DIVIDE, 1, 0) /* `/` of two integers is their quotient as a float */              \
	X(BINARY_FLOOR_DIVIDE, 1, 0)                                                               \
	X(BINARY_MODULO, 1, 0) /* of a string: formatting with %d %s %f %r %% */                   \
	X(BINARY_POWER, 1, 0)                                                                      \
	X(BINARY_AND, 1, 0)                                                                        \
	X(BINARY_OR, 1, 0)                                                                         \
	X(BINARY_XOR, 1, 0)                                                                        \
	X(BINARY_LSHIFT, 1, 0)                                                                     \
	X(BINARY_RSHIFT, 1, 0)                                                                     \
	X(COMPARE, 1, 0)              /* [enum comparison] a b -> bool */                          \
	X(JUMP, 1, 0)                 /* [target] forwards */                                      \
	X(JUMP_BACK, 1, 1)            /* [target] backwards: the end of a loop */                  \
	X(POP_JUMP_IF_FALSE, 0, 0)    /* [target] value -> */                                      \
	X(POP_JUMP_IF_TRUE, 0, 0)     /* [target] value -> */                                      \
	X(JUMP_IF_FALSE_OR_POP, 1, 0) /* [target] jumps with the value or drops it */              \
	X(JUMP_IF_TRUE_OR_POP, 1, 0)                                                               \
	X(GET_ITER, 1, 0)        /* object -> iterator */                                          \
	X(FOR_ITER, 1, 0)        /* [target at the end] iterator -> iterator value, or -> */       \
	X(BUILD_LIST, 1, 0)      /* [n] values -> list */                                          \
	X(BUILD_TUPLE, 1, 0)     /* [n] values -> tuple */                                         \
	X(BUILD_MAP, 1, 0)       /* [n] key value ... -> dictionary */                             \
	X(UNPACK_SEQUENCE, 1, 0) /* [n] sequence -> values, the first on top */                    \
	X(CALL, 1, 1)            /* [n] function arguments -> result */                            \
	X(CALL_KEYWORDS, 1, 1)   /* [n] function arguments names(tuple of str) -> result; the      \
				    names are of the last arguments */                             \
	X(LOAD_METHOD, 1, 0)     /* [name] object -> function self, or null callable */            \
	X(CALL_METHOD, 1, 1)     /* [n] (what LOAD_METHOD left) arguments -> result */             \
	X(RETURN, 0, 0)          /* value -> leaves the function */                                \
	X(MAKE_FUNCTION, 1, 0)   /* [code] -> function */                                          \
	X(MAKE_CLASS, 1, 0)      /* [n] name base-or-None (name function)*n -> class */            \
	X(IMPORT_NAME, 1, 0)     /* [name] -> module */                                            \
	X(PRINT, 1,                                                                                \
		0) /* [n, or n | PRINT_KEEPS_LINE] values -> ; blanks between, then a new line */

enum opcode {
#define OPCODE(NAME, ticks, checks) NAME,
	FOR_EACH_OPCODE(OPCODE)
#undef OPCODE
		OPCODES
};
extern const char *const opcode_name[OPCODES];

enum comparison {
	COMPARE_LESS,
	COMPARE_LESS_EQUAL,
	COMPARE_EQUAL,
	COMPARE_NOT_EQUAL,
	COMPARE_GREATER,
	COMPARE_GREATER_EQUAL,
	COMPARE_IN,
	COMPARE_NOT_IN,
	COMPARE_IS,
	COMPARE_IS_NOT,
	COMPARISONS
};
extern const char *const comparison_text[COMPARISONS];

// An instruction: what to do and one operand; a jump's is the index of an instruction.
typedef uint32_t instruction;
enum { OPERAND_MOST = (1 << 24) - 1 };
// In PRINT's operand: the line goes on with a blank at the next one (`print x,`).
enum { PRINT_KEEPS_LINE = 1 << 23 };
static inline instruction instruction_make(enum opcode op, uint32_t operand)
{
	return (uint32_t)op | operand << 8;
}
static inline enum opcode instruction_opcode(instruction i)
{
	return (enum opcode)(i & 0xff);
}
static inline uint32_t instruction_operand(instruction i)
{
	return i >> 8;
}

enum constant_kind {
	CONSTANT_NONE,
	CONSTANT_FALSE,
	CONSTANT_TRUE,
	CONSTANT_INTEGER,
	CONSTANT_FLOAT,
	CONSTANT_STRING,
	CONSTANT_NAMES, // a tuple of strings
};
struct constant {
	enum constant_kind kind;
	int64_t integer;
	double real;
	const char *string; // of `length` bytes, and a null
	size_t length;
	const char *const *names;
	size_t count;
};

// A function, a class's method or (number 0) the main program, whose locals are the globals.
struct code {
	const char *name;                // "countdown"; "<module>"
	unsigned parameters, locals;     // parameters are the first locals
	unsigned stack;                  // the most values on its stack at once
	unsigned count;                  // instructions
	const instruction *instructions; // ends in RETURN on every path
	const unsigned *line;            // of each instruction, from 1
	const char *const *local_name;
};

// A compiled program. The pools are shared by all its functions.
struct program {
	const char *file;
	const struct code *codes; // MAKE_FUNCTION's operand is an index here; 0: the main program
	unsigned code_count;
	const struct constant *constants; // equal ones once
	unsigned constant_count;
	const char *const *names; // of globals, attributes, methods, modules; each once
	unsigned name_count;
	void *memory; // the compiler's
};

// Compiles text (UTF-8, ended by a null). name is for messages, copied. Returns 0, or EINVAL with
// "NAME:LINE: SyntaxError: ..." that names what was found and, of Python outside the subset, that
// it is outside; or ENOMEM. Never crashes on any text. Thread-safe.
int program_compile(
	struct program **p, const char *name, const char *text, struct interpreter_error *e);
void program_free(struct program *p);
void program_disassemble(const struct program *p, FILE *out);
// One instruction as "LOAD_CONST 1", "COMPARE >", "CALL 1". Returns buf.
char *program_instruction_text(
	const struct program *p, const struct code *c, unsigned index, char *buf, size_t size);
