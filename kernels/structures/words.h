// SPDX-License-Identifier: BSD-2-Clause
// Words of a text and how often each occurs. A word is a maximal run of letters, where every byte
// from 0x80 on counts as a letter (so UTF-8 words stay whole) and A to Z as a to z.
// A table is open addressing with linear probing over entries of 16 bytes. One 64-bit key says all
// of a word: up to 7 letters are the key themselves; of longer ones it holds 24 bits of the hash
// and where in the text the word occurs. So a single compare-and-swap inserts a word.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "atomic.h"

enum { WORDS_WITHIN = 7, WORDS_LONG = 0xff, WORDS_TEXT_MOST = 1 << 30, WORDS_TABLE_LEAST = 64 };

struct words_entry {
	_Atomic uint64_t key; // 0: none yet
	_Atomic uint64_t count;
};

struct words_table {
	struct words_entry *entry;
	unsigned shift;       // a hash shifted by it is a place
	size_t mask;          // places - 1
	const uint8_t *text;  // where long words are looked up
	const uint8_t *folds; // words_fold's table
};

struct words_word {
	uint64_t key;
	uint64_t hash;
};

// Fills 256 bytes: a letter's lower case, or 0 for what is no letter.
static inline void words_fold(uint8_t *folds)
{
	for (unsigned c = 0; c < 256; c++)
		folds[c] = c >= 'A' && c <= 'Z'                  ? (uint8_t)(c | 0x20)
			   : (c >= 'a' && c <= 'z') || c >= 0x80 ? (uint8_t)c
								 : 0;
}

// The next word from *at on; false if there is none before `end`. text[end] must be no letter.
static ALWAYS_INLINE bool words_next(
	const uint8_t *text, const uint8_t *folds, size_t *at, size_t end, struct words_word *word)
{
	size_t i = *at;
	uint64_t letter = 0, key = 0;
	while (i < end && !(letter = folds[text[i]]))
		i++;
	if (i >= end)
		return false;
	size_t start = i;
	unsigned shift = 0;
	do {
		key |= letter << shift;
		shift += 8;
		letter = folds[text[++i]];
	} while (letter && shift < 8 * WORDS_WITHIN);
	if (!letter) {
		*word = (struct words_word){key, key * 0x9e3779b97f4a7c15u};
		*at = i;
		return true;
	}
	uint64_t hash = key * 0x9e3779b97f4a7c15u;
	do
		hash = (hash ^ hash >> 32 ^ letter) * 0x9e3779b97f4a7c15u;
	while ((letter = folds[text[++i]]));
	*word = (struct words_word){
		(uint64_t)WORDS_LONG << 56 | (hash >> 40 << 32) | (uint32_t)start, hash};
	*at = i;
	return true;
}

// Whether the two long words are the same, letter by letter.
static __attribute__((noinline, unused)) bool words_same_long(
	const struct words_table *t, uint64_t a, uint64_t b)
{
	const uint8_t *x = t->text + (uint32_t)a, *y = t->text + (uint32_t)b;
	if (a >> 32 != b >> 32)
		return false;
	for (; t->folds[*x] == t->folds[*y]; x++, y++)
		if (!t->folds[*x])
			return true;
	return false;
}

// The top byte of a key of up to 7 letters is 0.
static ALWAYS_INLINE bool words_same(const struct words_table *t, uint64_t a, uint64_t b)
{
	return a == b || (a >> 56 && b >> 56 && words_same_long(t, a, b));
}

// A table with room for `words` different ones, half of it empty. Its entries are undefined until
// words_clear: whoever is to have them near clears them. Returns 0 or ENOMEM.
static inline int words_init(
	struct words_table *t, size_t words, const uint8_t *text, const uint8_t *folds)
{
	size_t places = WORDS_TABLE_LEAST;
	unsigned bits = (unsigned)__builtin_ctzll(places);
	for (; places < 2 * words; places *= 2)
		bits++;
	*t = (struct words_table){aligned_alloc(LINE_PAIR, places * sizeof *t->entry), 64 - bits,
		places - 1, text, folds};
	return t->entry ? 0 : 12; /* ENOMEM */
}

static inline void words_clear(struct words_table *t)
{
	memset((void *)t->entry, 0, (t->mask + 1) * sizeof *t->entry);
}

static inline void words_fini(struct words_table *t)
{
	free((void *)t->entry);
	t->entry = NULL;
}

// By one worker at a time: the entry of the word, put in where it is new; null where the table is
// full. All accesses relaxed, that is plain: the table is the worker's own, or under a lock.
static ALWAYS_INLINE struct words_entry *words_find(
	struct words_table *t, const struct words_word *word)
{
	for (size_t i = word->hash >> t->shift, tries = 0; tries <= t->mask; i++, tries++) {
		struct words_entry *e = &t->entry[i & t->mask];
		uint64_t key = load(&e->key, relaxed);
		if (key == 0) {
			store(&e->key, word->key, relaxed);
			return e;
		}
		if (words_same(t, key, word->key))
			return e;
	}
	return NULL;
}

static ALWAYS_INLINE bool words_count(struct words_table *t, const struct words_word *word)
{
	struct words_entry *e = words_find(t, word);
	if (e)
		store(&e->count, load(&e->count, relaxed) + 1, relaxed);
	return e;
}

// By any number of workers at once. All relaxed: a key says all by itself, with a text that never
// changes, and a count publishes nothing else; who reads all counts waits for the workers first.
static ALWAYS_INLINE bool words_count_shared(
	struct words_table *t, const struct words_word *word, uint64_t times)
{
	for (size_t i = word->hash >> t->shift, tries = 0; tries <= t->mask; i++, tries++) {
		struct words_entry *e = &t->entry[i & t->mask];
		uint64_t key = load(&e->key, relaxed);
		if (key == 0 && compare_exchange(&e->key, &key, word->key, relaxed, relaxed))
			key = word->key;
		if (words_same(t, key, word->key)) {
			fetch_add(&e->count, times, relaxed);
			return true;
		}
	}
	return false;
}

// The word that a key stands for, as words_next found it.
static inline struct words_word words_word_of(const struct words_table *t, uint64_t key)
{
	struct words_word word = {key, key * 0x9e3779b97f4a7c15u};
	if (key >> 56) {
		size_t at = (uint32_t)key;
		words_next(t->text, t->folds, &at, at + 1, &word);
	}
	return word;
}

// How often a word of this table occurs in the other.
static inline uint64_t words_lookup(const struct words_table *t, uint64_t key)
{
	struct words_word word = words_word_of(t, key);
	for (size_t i = word.hash >> t->shift, tries = 0; tries <= t->mask; i++, tries++) {
		const struct words_entry *e = &t->entry[i & t->mask];
		uint64_t found = load(&e->key, relaxed); /* relaxed: all at rest */
		if (found == 0)
			return 0;
		if (words_same(t, found, key))
			return load(&e->count, relaxed);
	}
	return 0;
}

// Where piece i of about `size` bytes begins: nowhere within a word. `from` is where the one before
// begins, so that all of them together are found in one walk over the text.
static inline size_t words_piece(
	const uint8_t *text, const uint8_t *folds, size_t end, size_t size, size_t i, size_t from)
{
	size_t at = i * size;
	if (at == 0)
		return 0;
	if (at <= from)
		return from; /* the word that reaches into this piece ends there */
	while (at < end && folds[text[at - 1]] && folds[text[at]])
		at++;
	return at < end ? at : end;
}
