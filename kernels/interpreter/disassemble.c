// SPDX-License-Identifier: BSD-2-Clause
// Bytecode as text, in the columns of Python's module dis: line, index, instruction, operand and
// what the operand means. An index that a jump goes to bears >>.
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"

const char *const opcode_name[OPCODES] = {
#define NAME(name, ticks, checks) #name,
	FOR_EACH_OPCODE(NAME)
#undef NAME
};

const char *const comparison_text[COMPARISONS] = {
	[COMPARE_LESS] = "<",
	[COMPARE_LESS_EQUAL] = "<=",
	[COMPARE_EQUAL] = "==",
	[COMPARE_NOT_EQUAL] = "!=",
	[COMPARE_GREATER] = ">",
	[COMPARE_GREATER_EQUAL] = ">=",
	[COMPARE_IN] = "in",
	[COMPARE_NOT_IN] = "not in",
	[COMPARE_IS] = "is",
	[COMPARE_IS_NOT] = "is not",
};

enum operand {
	OPERAND_NONE,
	OPERAND_CONSTANT,
	OPERAND_LOCAL,
	OPERAND_NAME,
	OPERAND_NUMBER,
	OPERAND_TARGET,
	OPERAND_CODE,
	OPERAND_COMPARISON,
	OPERAND_PRINT
};

static enum operand operand_of(enum opcode op)
{
	switch (op) {
	case LOAD_CONST:
		return OPERAND_CONSTANT;
	case LOAD_FAST:
	case STORE_FAST:
		return OPERAND_LOCAL;
	case LOAD_GLOBAL:
	case STORE_GLOBAL:
	case LOAD_ATTR:
	case STORE_ATTR:
	case LOAD_METHOD:
	case IMPORT_NAME:
		return OPERAND_NAME;
	case JUMP:
	case JUMP_BACK:
	case POP_JUMP_IF_FALSE:
	case POP_JUMP_IF_TRUE:
	case JUMP_IF_FALSE_OR_POP:
	case JUMP_IF_TRUE_OR_POP:
	case FOR_ITER:
		return OPERAND_TARGET;
	case BUILD_LIST:
	case BUILD_TUPLE:
	case BUILD_MAP:
	case UNPACK_SEQUENCE:
	case CALL:
	case CALL_KEYWORDS:
	case CALL_METHOD:
	case MAKE_CLASS:
		return OPERAND_NUMBER;
	case MAKE_FUNCTION:
		return OPERAND_CODE;
	case COMPARE:
		return OPERAND_COMPARISON;
	case PRINT:
		return OPERAND_PRINT;
	default:
		return OPERAND_NONE;
	}
}

// What does not fit is cut.
struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(t->at, t->left, format, arguments);
	va_end(arguments);
	size_t taken = length < 0 || !t->left     ? 0
		       : (size_t)length < t->left ? (size_t)length
						  : t->left - 1;
	t->at += taken;
	t->left -= taken;
}

// The shortest that is read back as the same, always with a point or an exponent.
static void put_float(struct text *t, double real)
{
	char digits[40];
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(digits, sizeof digits, "%.*g", precision, real);
		if (strtod(digits, NULL) == real)
			break;
	}
	put(t, "%s%s", digits, !isfinite(real) || strpbrk(digits, ".e") ? "" : ".0");
}

static void put_string(struct text *t, const char *string, size_t length)
{
	put(t, "'");
	for (size_t i = 0; i < length; i++) {
		unsigned char ch = (unsigned char)string[i];
		if (ch == '\'' || ch == '\\')
			put(t, "\\%c", ch);
		else if (ch == '\n')
			put(t, "\\n");
		else if (ch < ' ' || ch == 0x7f)
			put(t, "\\x%02x", ch);
		else
			put(t, "%c", ch);
	}
	put(t, "'");
}

static void put_constant(struct text *t, const struct constant *k)
{
	static const char *const words[] = {
		[CONSTANT_NONE] = "None",
		[CONSTANT_FALSE] = "False",
		[CONSTANT_TRUE] = "True",
	};
	switch (k->kind) {
	case CONSTANT_INTEGER:
		put(t, "%lld", (long long)k->integer);
		break;
	case CONSTANT_FLOAT:
		put_float(t, k->real);
		break;
	case CONSTANT_STRING:
		put_string(t, k->string, k->length);
		break;
	case CONSTANT_NAMES:
		put(t, "(");
		for (size_t i = 0; i < k->count; i++)
			put(t, "%s'%s'", i ? ", " : "", k->names[i]);
		put(t, ")");
		break;
	default:
		put(t, "%s", words[k->kind]);
	}
}

// The operand in a reader's words.
static void put_meaning(
	struct text *t, const struct program *p, const struct code *c, instruction i)
{
	uint32_t operand = instruction_operand(i);
	switch (operand_of(instruction_opcode(i))) {
	case OPERAND_CONSTANT:
		put_constant(t, &p->constants[operand]);
		break;
	case OPERAND_LOCAL:
		put(t, "%s", c->local_name[operand]);
		break;
	case OPERAND_NAME:
		put(t, "%s", p->names[operand]);
		break;
	case OPERAND_CODE:
		put(t, "%s", p->codes[operand].name);
		break;
	case OPERAND_COMPARISON:
		put(t, "%s", comparison_text[operand]);
		break;
	case OPERAND_PRINT:
		put(t, "%u%s", operand & (PRINT_KEEPS_LINE - 1),
			operand & PRINT_KEEPS_LINE ? " and stay in the line" : "");
		break;
	case OPERAND_TARGET:
		put(t, "to %u", operand);
		break;
	case OPERAND_NUMBER:
		put(t, "%u", operand);
		break;
	case OPERAND_NONE:
		break;
	}
}

char *program_instruction_text(
	const struct program *p, const struct code *c, unsigned index, char *buf, size_t size)
{
	instruction i = c->instructions[index];
	struct text t = {buf, size};
	put(&t, "%s", opcode_name[instruction_opcode(i)]);
	if (operand_of(instruction_opcode(i)) == OPERAND_TARGET) {
		put(&t, " %u", instruction_operand(i));
	} else if (operand_of(instruction_opcode(i)) != OPERAND_NONE) {
		put(&t, " ");
		put_meaning(&t, p, c, i);
	}
	return buf;
}

static bool is_target(const struct code *c, unsigned index)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (operand_of(instruction_opcode(c->instructions[i])) == OPERAND_TARGET &&
			instruction_operand(c->instructions[i]) == index)
			return true;
	}
	return false;
}

static void disassemble_code(const struct program *p, const struct code *c, FILE *out)
{
	fprintf(out, "%s(", c->name);
	for (unsigned i = 0; i < c->parameters; i++)
		fprintf(out, "%s%s", i ? ", " : "", c->local_name[i]);
	fprintf(out, "): %u locals, %u values on the stack\n", c->locals, c->stack);
	unsigned line = 0;
	for (unsigned i = 0; i < c->count; i++) {
		instruction now = c->instructions[i];
		char number[16] = "", meaning[120];
		struct text t = {meaning, sizeof meaning};
		meaning[0] = '\0';
		if (c->line[i] != line)
			snprintf(number, sizeof number, "%u", c->line[i]);
		line = c->line[i];
		put_meaning(&t, p, c, now);
		fprintf(out, "%5s %2s %5u ", number, is_target(c, i) ? ">>" : "", i);
		if (*meaning)
			fprintf(out, "%-22s %5u (%s)\n", opcode_name[instruction_opcode(now)],
				instruction_operand(now), meaning);
		else
			fprintf(out, "%s\n", opcode_name[instruction_opcode(now)]);
	}
}

void program_disassemble(const struct program *p, FILE *out)
{
	for (unsigned i = 0; i < p->code_count; i++) {
		if (i)
			fputc('\n', out);
		disassemble_code(p, &p->codes[i], out);
	}
}
