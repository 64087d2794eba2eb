// SPDX-License-Identifier: BSD-2-Clause
// Text to tokens, after chapter 2 of the Python Language Reference: indentation, lines that go on,
// numbers, strings. The first error ends the tokens, so that errors before it are reported first.
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "syntax.h"

struct lexer {
	struct compiler *c;
	const char *at;
	unsigned line;
	size_t room; // of c->tokens
	size_t open[NESTING_MOST];
	unsigned open_count; // brackets
	// Columns of the blocks around, with tabs at multiples of eight and, to notice text that
	// means something else with other tabs, of one.
	unsigned column[NESTING_MOST + 1], narrow[NESTING_MOST + 1];
	unsigned blocks;
};

static const struct {
	char text[4];
	uint8_t length;
	uint8_t kind;
} operators[] = {
#define OPERATOR(name, text) {text, sizeof text - 1, T_##name},
	FOR_EACH_OPERATOR(OPERATOR)
#undef OPERATOR
};

static struct token *token_add(struct lexer *l, enum token_kind kind)
{
	struct compiler *c = l->c;
	c->tokens = array_grow(c, c->tokens, c->token_count, &l->room, sizeof *c->tokens);
	struct token *t = &c->tokens[c->token_count++];
	*t = (struct token){.kind = (uint8_t)kind, .line = l->line};
	return t;
}

// Ends the tokens here. Returns false.
__attribute__((format(printf, 4, 5))) static bool lexical_error(
	struct lexer *l, unsigned line, const char *kind, const char *format, ...)
{
	struct compiler *c = l->c;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(c->lexical_error.text, sizeof c->lexical_error.text, format, arguments);
	va_end(arguments);
	c->lexical_error.line = line;
	c->lexical_error.kind = kind;
	token_add(l, T_ERROR)->line = line;
	return false;
}

#define SYNTAX "SyntaxError"

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool is_name(char ch)
{
	return is_digit(ch) || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

// Past one end of line in any of its three forms; whether there was one.
static bool take_newline(struct lexer *l)
{
	if (*l->at != '\n' && *l->at != '\r')
		return false;
	l->at += l->at[0] == '\r' && l->at[1] == '\n' ? 2 : 1;
	l->line++;
	return true;
}

// Blanks, comments, lines joined by a backslash and, inside brackets, ends of lines.
static bool skip_blanks(struct lexer *l)
{
	for (;;) {
		if (*l->at == ' ' || *l->at == '\t' || *l->at == '\f') {
			l->at++;
		} else if (*l->at == '#') {
			l->at += strcspn(l->at, "\r\n");
		} else if (*l->at == '\\') {
			l->at++;
			if (!take_newline(l))
				return lexical_error(
					l, l->line, SYNTAX, "a backslash in the middle of a line");
			if (!*l->at)
				return lexical_error(
					l, l->line, SYNTAX, "the text ends after a backslash");
		} else if (!l->open_count || !take_newline(l)) {
			return true;
		}
	}
}

/* The beginning of a line. */

static bool indent(struct lexer *l, unsigned column, unsigned narrow)
{
	unsigned *was = &l->column[l->blocks], *was_narrow = &l->narrow[l->blocks];
	if ((column > *was) != (narrow > *was_narrow) || (column < *was) != (narrow < *was_narrow))
		return lexical_error(
			l, l->line, SYNTAX, "tabs and blanks are mixed in the indentation");
	if (column > *was) {
		if (l->blocks == NESTING_MOST)
			return lexical_error(l, l->line, SYNTAX,
				"blocks are nested more than %d deep", NESTING_MOST);
		l->blocks++;
		l->column[l->blocks] = column;
		l->narrow[l->blocks] = narrow;
		token_add(l, T_INDENT);
	}
	while (column < l->column[l->blocks]) {
		l->blocks--;
		token_add(l, T_DEDENT);
	}
	if (column != l->column[l->blocks])
		return lexical_error(
			l, l->line, SYNTAX, "the indentation matches that of no block around it");
	if (narrow != l->narrow[l->blocks])
		return lexical_error(
			l, l->line, SYNTAX, "tabs and blanks are mixed in the indentation");
	return true;
}

// Lines without a token have no indentation.
static bool begin_line(struct lexer *l)
{
	for (;;) {
		unsigned column = 0, narrow = 0;
		for (;; l->at++) {
			if (*l->at == ' ') {
				column++;
				narrow++;
			} else if (*l->at == '\t') {
				column = (column / 8 + 1) * 8;
				narrow++;
			} else if (*l->at == '\f') {
				column = narrow = 0;
			} else {
				break;
			}
		}
		if (*l->at == '#')
			l->at += strcspn(l->at, "\r\n");
		if (take_newline(l))
			continue;
		if (!*l->at)
			return true;
		// A backslash: the line goes on with the next one's first token, its indentation is
		// this one's.
		return indent(l, column, narrow);
	}
}

/* Numbers. */

static int digit_value(char ch)
{
	if (is_digit(ch))
		return ch - '0';
	if (ch >= 'a' && ch <= 'z')
		return ch - 'a' + 10;
	return ch >= 'A' && ch <= 'Z' ? ch - 'A' + 10 : 36;
}

static bool not_a_number(struct lexer *l, const char *from, const char *why)
{
	while (is_name(*l->at))
		l->at++;
	return lexical_error(l, l->line, SYNTAX, "'%.*s': %s",
		(int)(l->at - from > 60 ? 60 : l->at - from), from, why);
}

static bool take_integer(struct lexer *l, const char *from, int base)
{
	uint64_t value = 0;
	bool fits = true, digit = base == 10;
	const char *why = base == 10 ? "not a number" : "not a number of this base";
	for (; is_name(*l->at); l->at++) {
		if (*l->at == '_') {
			// Between digits or after the base.
			if (!is_name(l->at[1]) || l->at[1] == '_')
				return not_a_number(l, from, why);
			continue;
		}
		int d = digit_value(*l->at);
		if (d >= base)
			break;
		digit = true;
		fits = fits && !__builtin_mul_overflow(value, (uint64_t)base, &value) &&
		       !__builtin_add_overflow(value, (uint64_t)d, &value);
	}
	if (*l->at == 'j' || *l->at == 'J')
		return not_a_number(l, from, "complex numbers are outside the subset");
	if (*l->at == 'l' || *l->at == 'L')
		return not_a_number(l, from, "numbers marked as long are outside the subset");
	if (is_name(*l->at) || !digit)
		return not_a_number(l, from, why);
	if (base == 10 && *from == '0' && value)
		return not_a_number(l, from, "octal numbers are written as 0o17");
	if (!fits || value > UINT64_C(1) << 63) {
		int length = (int)(l->at - from > 40 ? 40 : l->at - from);
		return lexical_error(l, l->line, "OverflowError", "%.*s%s does not fit 64 bits",
			length, from, l->at - from > length ? "..." : "");
	}
	token_add(l, T_INTEGER)->integer = value;
	return true;
}

// The end of digits with single underscores between.
static const char *digits_end(const char *at)
{
	while (is_digit(*at) || (*at == '_' && is_digit(at[-1]) && is_digit(at[1])))
		at++;
	return at;
}

static bool take_float(struct lexer *l, const char *from, const char *end)
{
	char *text = arena_take(l->c, &l->c->scratch, (size_t)(end - from) + 1), *to = text;
	for (const char *at = from; at < end; at++) {
		if (*at != '_')
			*to++ = *at;
	}
	l->at = end;
	if (*end == 'j' || *end == 'J')
		return not_a_number(l, from, "complex numbers are outside the subset");
	if (is_name(*end))
		return not_a_number(l, from, "not a number");
	token_add(l, T_FLOAT)->real = strtod(text, NULL);
	return true;
}

static bool take_number(struct lexer *l)
{
	const char *from = l->at;
	if (*from == '0' && from[1] && strchr("xXoObB", from[1])) {
		l->at += 2;
		return take_integer(l, from,
			strchr("xX", from[1])   ? 16
			: strchr("oO", from[1]) ? 8
						: 2);
	}
	const char *end = is_digit(*from) ? digits_end(from) : from;
	bool real = *end == '.';
	if (real)
		end = is_digit(end[1]) ? digits_end(end + 1) : end + 1;
	if (*end == 'e' || *end == 'E') {
		const char *power = end + 1 + (end[1] == '+' || end[1] == '-');
		if (is_digit(*power)) {
			real = true;
			end = digits_end(power);
		}
	}
	return real ? take_float(l, from, end) : take_integer(l, from, 10);
}

/* Strings. */

static char *put_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
	unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	*to++ = (char)(lead[more] | code >> (6 * more));
	while (more--)
		*to++ = (char)(0x80 | (code >> (6 * more) & 0x3f));
	return to;
}

// After "\x", "\u" or "\U".
static bool take_hexadecimal(struct lexer *l, unsigned digits, char **to)
{
	uint32_t code = 0;
	for (unsigned i = 0; i < digits; i++, l->at++) {
		if (digit_value(*l->at) >= 16)
			return lexical_error(l, l->line, SYNTAX,
				"an escape in a string wants %u hexadecimal digits", digits);
		code = code << 4 | (uint32_t)digit_value(*l->at);
	}
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return lexical_error(l, l->line, SYNTAX, "U+%04X is not a character", code);
	*to = put_utf8(*to, code);
	return true;
}

// After a backslash. What is not an escape stands for itself. An escape is never shorter than what
// it stands for.
static bool take_escape(struct lexer *l, char **to)
{
	static const char escapes[] = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";
	if (take_newline(l))
		return true;
	char ch = *l->at;
	if (ch >= '0' && ch <= '7') {
		uint32_t code = 0;
		for (int i = 0; i < 3 && *l->at >= '0' && *l->at <= '7'; i++)
			code = code * 8 + (uint32_t)(*l->at++ - '0');
		*to = put_utf8(*to, code);
		return true;
	}
	if (ch == 'N')
		return lexical_error(
			l, l->line, SYNTAX, "'\\N': characters by name are outside the subset");
	if (ch == 'x' || ch == 'u' || ch == 'U') {
		l->at++;
		return take_hexadecimal(l, ch == 'x' ? 2 : ch == 'u' ? 4 : 8, to);
	}
	for (const char *e = escapes; *e; e += 2) {
		if (ch == *e) {
			*(*to)++ = e[1];
			l->at++;
			return true;
		}
	}
	*(*to)++ = '\\';
	return true;
}

// The string's quote is next.
static bool take_string(struct lexer *l, bool raw)
{
	unsigned line = l->line;
	char quote = *l->at;
	bool triple = l->at[1] == quote && l->at[2] == quote;
	l->at += triple ? 3 : 1;
	// It ends at the latest with the third quote of those that are not escaped.
	size_t length = 0;
	for (unsigned quotes = 0; l->at[length] && quotes < (triple ? 3u : 1u); length++) {
		quotes = l->at[length] == quote ? quotes + 1 : 0;
		if (l->at[length] == '\\' && l->at[length + 1])
			length++;
	}
	char *text = arena_take(l->c, &l->c->scratch, length + 1), *to = text;
	for (;;) {
		if (!*l->at || (!triple && (*l->at == '\n' || *l->at == '\r')))
			return lexical_error(
				l, line, SYNTAX, "a string begins here and does not end");
		if (*l->at == quote && (!triple || (l->at[1] == quote && l->at[2] == quote)))
			break;
		if (take_newline(l)) {
			*to++ = '\n';
		} else if (*l->at != '\\') {
			*to++ = *l->at++;
		} else if (!raw) {
			l->at++;
			if (!take_escape(l, &to))
				return false;
		} else {
			*to++ = *l->at++;
			if (*l->at && *l->at != '\n' && *l->at != '\r')
				*to++ = *l->at++;
			else if (take_newline(l))
				*to++ = '\n';
		}
	}
	l->at += triple ? 3 : 1;
	struct token *t = token_add(l, T_STRING);
	t->line = line;
	t->symbol = symbol_of(l->c, text, (size_t)(to - text));
	return true;
}

/* The rest. */

// A name, a keyword or a string's prefix.
static bool take_name(struct lexer *l)
{
	const char *from = l->at;
	while (is_name(*l->at))
		l->at++;
	size_t length = (size_t)(l->at - from);
	if (*l->at == '\'' || *l->at == '"') {
		bool one = length == 1;
		if (one && strchr("rRuU", *from))
			return take_string(l, *from == 'r' || *from == 'R');
		if (length <= 2 && strspn(from, "rRuUbBfFtT") >= length)
			return lexical_error(l, l->line, SYNTAX,
				"strings that begin with %.*s%c are outside the subset",
				(int)length, from, *l->at);
	}
	const struct symbol *s = symbol_of(l->c, from, length);
	token_add(l, s->keyword ? s->keyword : T_NAME)->symbol = s;
	return true;
}

// In its place among the tokens, not after it.
static bool wrong_bracket(struct lexer *l, struct token close, const struct token *open)
{
	char text[2][64];
	token_text(&close, text[0], sizeof text[0]);
	l->c->token_count--;
	if (!open)
		return lexical_error(l, l->line, SYNTAX, "%s closes nothing", text[0]);
	return lexical_error(l, l->line, SYNTAX, "%s does not close the %s of line %u", text[0],
		token_text(open, text[1], sizeof text[1]), open->line);
}

static bool take_bracket(struct lexer *l, struct token *t)
{
	struct compiler *c = l->c;
	if (t->kind == T_OPEN_ROUND || t->kind == T_OPEN_SQUARE || t->kind == T_OPEN_CURLY) {
		if (l->open_count == NESTING_MOST)
			return lexical_error(l, l->line, SYNTAX,
				"brackets are nested more than %d deep", NESTING_MOST);
		l->open[l->open_count++] = c->token_count - 1;
	} else if (t->kind == T_CLOSE_ROUND || t->kind == T_CLOSE_SQUARE ||
		   t->kind == T_CLOSE_CURLY) {
		struct token *open = l->open_count ? &c->tokens[l->open[l->open_count - 1]] : NULL;
		if (!open || open->kind != t->kind - 1)
			return wrong_bracket(l, *t, open);
		l->open_count--;
		open->match = c->token_count - 1;
	}
	return true;
}

static bool take_operator(struct lexer *l)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		if (!strncmp(l->at, operators[i].text, operators[i].length)) {
			l->at += operators[i].length;
			return take_bracket(l, token_add(l, operators[i].kind));
		}
	}
	unsigned char ch = (unsigned char)*l->at;
	if (ch > ' ' && ch < 0x7f)
		return lexical_error(l, l->line, SYNTAX, "'%c' means nothing here", ch);
	return lexical_error(l, l->line, SYNTAX, "the byte 0x%02x outside of a string", ch);
}

static bool take_token(struct lexer *l)
{
	if (is_digit(*l->at) || (*l->at == '.' && is_digit(l->at[1])))
		return take_number(l);
	if (is_name(*l->at))
		return take_name(l);
	if (*l->at == '\'' || *l->at == '"')
		return take_string(l, false);
	return take_operator(l);
}

static void take_end(struct lexer *l)
{
	if (l->open_count) {
		const struct token *open = &l->c->tokens[l->open[l->open_count - 1]];
		char text[64];
		lexical_error(l, open->line, SYNTAX, "%s is not closed",
			token_text(open, text, sizeof text));
		return;
	}
	if (l->c->token_count && l->c->tokens[l->c->token_count - 1].kind != T_NEWLINE &&
		l->c->tokens[l->c->token_count - 1].kind != T_DEDENT)
		token_add(l, T_NEWLINE);
	while (l->blocks--)
		token_add(l, T_DEDENT);
	token_add(l, T_END);
}

// Sequences as Unicode allows them, table 3-7.
static bool is_utf8(const char *text, unsigned *line)
{
	const unsigned char *at = (const unsigned char *)text;
	for (*line = 1; *at; at++) {
		if (*at == '\n')
			++*line;
		if (*at < 0x80)
			continue;
		unsigned more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : 1;
		unsigned least = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80;
		unsigned most = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;
		if (*at < 0xc2 || *at > 0xf4 || at[1] < least || at[1] > most)
			return false;
		for (unsigned i = 2; i <= more; i++) {
			if ((at[i] & 0xc0) != 0x80)
				return false;
		}
		at += more;
	}
	return true;
}

void lex(struct compiler *c, const char *text)
{
	struct lexer l = {.c = c, .at = text, .line = 1};
	unsigned line;
	if (!is_utf8(text, &line)) {
		lexical_error(&l, line, SYNTAX, "a text that is not UTF-8");
		return;
	}
	if (!strncmp(l.at, "\xef\xbb\xbf", 3))
		l.at += 3;
	if (!begin_line(&l))
		return;
	for (;;) {
		if (!skip_blanks(&l))
			return;
		if (!*l.at)
			break;
		unsigned before = l.line;
		if (*l.at == '\n' || *l.at == '\r') {
			// A line that a backslash joined to an empty one has no token.
			if (c->token_count && c->tokens[c->token_count - 1].kind > T_DEDENT)
				token_add(&l, T_NEWLINE)->line = before;
			take_newline(&l);
			if (!begin_line(&l))
				return;
		} else if (!take_token(&l)) {
			return;
		}
	}
	take_end(&l);
}

const char *token_text(const struct token *t, char *buf, size_t size)
{
	static const char *const texts[TOKEN_KINDS] = {[T_END] = "the end of the text",
		[T_ERROR] = "an error",
		[T_NEWLINE] = "the end of the line",
		[T_INDENT] = "an indented line",
		[T_DEDENT] = "the end of the block",
		[T_INTEGER] = "a number",
		[T_FLOAT] = "a number",
		[T_STRING] = "a string",
#define TEXT(name, text) [T_##name] = "'" text "'",
		FOR_EACH_OPERATOR(TEXT) FOR_EACH_KEYWORD(TEXT)
#undef TEXT
	};
	if (t->kind == T_NAME || t->kind == T_REFUSED)
		snprintf(buf, size, "'%.40s'", t->symbol->text);
	else
		snprintf(buf, size, "%s", texts[t->kind]);
	return buf;
}
