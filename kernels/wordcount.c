// SPDX-License-Identifier: BSD-2-Clause
// wordcount: workers count the words of a text that lies in memory, piece by piece; pieces end
// between words and are handed out by a shared ticket, in every strategy. A fixed amount of work:
// what counts is when the last worker is done (makespan), a merge of private tables included.
// Without an input it is wordcount.txt, from works in the public domain: the Declaration of
// Independence (1776), most of the Constitution of the United States (1787, 1791), addresses of
// Lincoln (1863, 1865) and sonnets of Shakespeare (1609).
#define FEW_LOCKS_WHERE_CHECKING /* read by locks.h */
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "locks.h"
#include "structures/words.h"

enum { PIECE = 1 << 14, SHARDS = 64, BINARY_LOOK = 8192, MEGABYTES_MOST = 1024 };

// The assembler puts the file into the program; the path is the build's, from its top folder.
__asm__(".pushsection .rodata\n"
	"wordcount_text:\n"
	".incbin \"kernels/wordcount.txt\"\n"
	"wordcount_text_end:\n"
	".byte 0\n"
	".popsection\n");
extern const uint8_t wordcount_text[], wordcount_text_end[];

struct text {
	size_t size, room;
	uint8_t *bytes; // bytes[size] is 0
	uint8_t folds[256];
	size_t pieces;
	size_t *begin;             // of each piece, and the text's end
	struct words_table counts; // of the whole text
	uint64_t words;
	size_t different;
	unsigned files, hidden, binary; // read; left out
};

struct shard {
	LINE_ALIGNED struct words_table table;
	LINE_ALIGNED unsigned char lock[LOCK_SIZE];
};

struct wordcount {
	struct any_lock lock;
	LINE_ALIGNED _Atomic uint64_t next_piece;
	LINE_ALIGNED const struct text *text;
	struct words_table table; // of all but fine-lock
	struct shard *shard;      // SHARDS of them: fine-lock
};

struct wordcount_own {
	struct words_table table; // private
	bool cleared;             // by this worker, near which it is to be
};

/* The text. */

static int refuse(struct input *in, const char *what, const char *path, const char *why)
{
	snprintf(in->error, sizeof in->error, "%s '%s'%s%s", what, path, *why ? ": " : "", why);
	return EINVAL;
}

// At least `more` bytes behind the text, and the one that ends it.
static int make_room(struct text *t, size_t more)
{
	size_t room = t->room;
	while (room < t->size + more + 1)
		room = room ? 2 * room : 1 << 16;
	uint8_t *bytes = room > t->room ? realloc(t->bytes, room) : t->bytes;
	if (!bytes)
		return ENOMEM;
	t->bytes = bytes;
	t->room = room;
	return 0;
}

// A file's content, and an end of line so that its last word ends there. What holds a zero byte
// near its beginning is binary, and left out where it was found in a folder.
static int read_file(struct input *in, struct text *t, const char *path, bool found)
{
	FILE *f = fopen(path, "rb");
	size_t got, start = t->size;
	if (!f)
		return refuse(in, "cannot read", path, strerror(errno));
	int rc = 0;
	do {
		rc = make_room(t, BINARY_LOOK + 1);
		got = rc ? 0 : fread(t->bytes + t->size, 1, BINARY_LOOK, f);
		t->size += got;
		if (t->size > WORDS_TEXT_MOST)
			rc = refuse(in, "more than 1024 MB of text with", path, "");
		if (found && got && t->size == start + got && memchr(t->bytes + start, 0, got)) {
			t->size = start;
			t->binary++;
			fclose(f);
			return 0;
		}
	} while (!rc && got > 0);
	if (!rc && ferror(f))
		rc = refuse(in, "cannot read", path, strerror(errno));
	fclose(f);
	if (rc)
		return rc;
	t->bytes[t->size++] = '\n';
	t->files++;
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

// All regular files below, in the order of their names' bytes in each folder; no links are followed
// but `path` itself.
static int read_folder(struct input *in, struct text *t, const char *path)
{
	char *const paths[] = {(char *)path, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	FTSENT *entry = NULL;
	int rc = walk ? 0 : refuse(in, "cannot read", path, strerror(errno));
	while (!rc && (entry = fts_read(walk))) {
		bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
		if (hidden && entry->fts_info != FTS_DP) {
			fts_set(walk, entry, FTS_SKIP);
			t->hidden++;
		} else if (entry->fts_info == FTS_F) {
			rc = read_file(in, t, entry->fts_path, entry->fts_level > 0);
		} else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
			   entry->fts_info == FTS_NS) {
			rc = refuse(in, "cannot read", entry->fts_path, strerror(entry->fts_errno));
		} else if (entry->fts_level == 0 && entry->fts_info == FTS_DEFAULT) {
			rc = refuse(in, "neither a file nor a folder:", path, "");
		}
	}
	if (walk)
		fts_close(walk);
	return rc;
}

static int read_shipped(struct text *t)
{
	/* cppcheck-suppress comparePointers ; both are ends of the same text */
	size_t size = (size_t)(wordcount_text_end - wordcount_text);
	if (make_room(t, size))
		return ENOMEM;
	memcpy(t->bytes, wordcount_text, size);
	t->size = size;
	return 0;
}

// Whole, as often as needed.
static int repeat(struct text *t, size_t size)
{
	size_t once = t->size;
	if (size > once && make_room(t, size + once))
		return ENOMEM;
	while (t->size < size) {
		memcpy(t->bytes + t->size, t->bytes, once);
		t->size += once;
	}
	t->bytes[t->size] = 0;
	return 0;
}

static int divide(struct text *t)
{
	t->pieces = t->size / PIECE + 1;
	t->begin = calloc(t->pieces + 1, sizeof *t->begin);
	if (!t->begin)
		return ENOMEM;
	for (size_t i = 1; i < t->pieces; i++)
		t->begin[i] = words_piece(t->bytes, t->folds, t->size, PIECE, i, t->begin[i - 1]);
	t->begin[t->pieces] = t->size;
	return 0;
}

// Twice as large as soon as it is half full.
static int grow(struct text *t)
{
	struct words_table *old = &t->counts, larger;
	if (words_init(&larger, 2 * t->different, t->bytes, t->folds))
		return ENOMEM;
	words_clear(&larger);
	for (size_t i = 0; i <= old->mask; i++) {
		uint64_t key = load(&old->entry[i].key, relaxed); /* relaxed: one thread */
		struct words_word word = words_word_of(old, key);
		if (key)
			store(&words_find(&larger, &word)->count,
				load(&old->entry[i].count, relaxed), relaxed);
	}
	words_fini(old);
	*old = larger;
	return 0;
}

static int count(struct text *t)
{
	struct words_word word;
	int rc = words_init(&t->counts, 0, t->bytes, t->folds);
	if (rc)
		return rc;
	words_clear(&t->counts);
	for (size_t at = 0; !rc && words_next(t->bytes, t->folds, &at, t->size, &word);) {
		_Atomic uint64_t *times = &words_find(&t->counts, &word)->count;
		uint64_t before = load(times, relaxed); /* relaxed: one thread */
		store(times, before + 1, relaxed);
		t->words++;
		if (before == 0 && 2 * ++t->different > t->counts.mask)
			rc = grow(t);
	}
	return rc;
}

static void unprepare(struct input *in)
{
	struct text *t = in->data;
	if (!t)
		return;
	words_fini(&t->counts);
	free(t->begin);
	free(t->bytes);
	free(t);
}

static int prepare(struct input *in)
{
	const char *path = input_text(in, "input");
	unsigned megabytes;
	struct text *t = calloc(1, sizeof *t);
	in->data = t;
	if (!t)
		return ENOMEM;
	words_fold(t->folds);
	int rc = input_whole(in, "megabytes", 0, MEGABYTES_MOST, &megabytes);
	if (!rc)
		rc = *path ? read_folder(in, t, path) : read_shipped(t);
	if (rc)
		return rc;
	if (t->size <= t->files) /* nothing but the ends of lines put behind each */
		return refuse(in, "no text in", path, t->binary ? "only binary files" : "empty");
	rc = repeat(t, (size_t)megabytes << 20);
	if (!rc)
		rc = divide(t);
	if (!rc)
		rc = count(t);
	if (!rc && t->words == 0)
		return refuse(in, "no text in", path, "not one letter");
	snprintf(in->note, sizeof in->note,
		"%llu words, %zu different, in %zu bytes; %u files, left out: %u hidden, %u binary",
		(unsigned long long)t->words, t->different, t->size, t->files, t->hidden,
		t->binary);
	return rc;
}

/* Counting. */

static ALWAYS_INLINE bool take_piece(struct wordcount *c, size_t *at, size_t *end)
{
	/* relaxed: a piece depends on nothing but its number */
	uint64_t mine = fetch_add(&c->next_piece, 1, relaxed);
	if (mine >= c->text->pieces)
		return false;
	*at = c->text->begin[mine];
	*end = c->text->begin[mine + 1];
	return true;
}

// The next piece that has words, each given to put(c, w, lock, word). Where a word is lost (there
// is room for each, so none is), the check finds it missing.
static ALWAYS_INLINE uint64_t count_piece(struct wordcount *c, struct worker *w,
	const struct lock_class *lock,
	void (*put)(struct wordcount *, struct worker *, const struct lock_class *,
		struct words_word *))
{
	const uint8_t *text = c->text->bytes, *folds = c->text->folds;
	uint64_t words = 0;
	size_t at, end;
	while (words == 0 && take_piece(c, &at, &end)) {
		struct words_word word;
		while (words_next(text, folds, &at, end, &word)) {
			put(c, w, lock, &word);
			words++;
		}
	}
	return words;
}

static ALWAYS_INLINE void put_sequential(struct wordcount *c, struct worker *w,
	const struct lock_class *lock, struct words_word *word)
{
	(void)w;
	(void)lock;
	words_count(&c->table, word);
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	(void)n;
	return count_piece(state, w, NULL, put_sequential);
}

static inline void count_one(void *table, void *word)
{
	words_count(table, word);
}

static ALWAYS_INLINE void put_global(struct wordcount *c, struct worker *w,
	const struct lock_class *lock, struct words_word *word)
{
	lock_execute(lock, &c->lock, &w->node[0], count_one, &c->table, word);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	(void)n;
	return count_piece(state, w, lock, put_global);
}
LOCKED_BATCH(global_lock)

// From bits of the hash that choose no place within the shard.
static ALWAYS_INLINE unsigned shard_of(const struct words_word *word)
{
	return (unsigned)(word->hash >> 20) % SHARDS;
}

static ALWAYS_INLINE void put_fine(struct wordcount *c, struct worker *w,
	const struct lock_class *lock, struct words_word *word)
{
	struct shard *shard = &c->shard[shard_of(word)];
	lock_execute(lock, &shard->lock, &w->node[0], count_one, &shard->table, word);
}

static ALWAYS_INLINE uint64_t fine_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	(void)n;
	return count_piece(state, w, lock, put_fine);
}
LOCKED_BATCH(fine_lock)

static ALWAYS_INLINE void put_lock_free(struct wordcount *c, struct worker *w,
	const struct lock_class *lock, struct words_word *word)
{
	(void)w;
	(void)lock;
	words_count_shared(&c->table, word, 1);
}

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	(void)n;
	return count_piece(state, w, NULL, put_lock_free);
}

static ALWAYS_INLINE void put_private(struct wordcount *c, struct worker *w,
	const struct lock_class *lock, struct words_word *word)
{
	(void)c;
	(void)lock;
	words_count(&((struct wordcount_own *)w->own)->table, word);
}

static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	(void)n;
	struct wordcount_own *own = w->own;
	if (!own->cleared)
		words_clear(&own->table);
	own->cleared = true;
	return count_piece(state, w, NULL, put_private);
}

// The merge that private counting owes, within the measured time; leaves the own table empty.
static void finish(void *state, struct worker *w)
{
	struct wordcount *c = state;
	struct words_table *own = &((struct wordcount_own *)w->own)->table;
	for (size_t i = 0; own->entry && i <= own->mask; i++) {
		struct words_entry *e = &own->entry[i];
		uint64_t key = load(&e->key, relaxed); /* relaxed: the worker's own */
		if (!key)
			continue;
		struct words_word word = words_word_of(own, key);
		words_count_shared(&c->table, &word, load(&e->count, relaxed));
		store(&e->key, 0, relaxed);
		store(&e->count, 0, relaxed);
	}
}

/* The state. */

static bool is_fine(const struct run *r)
{
	return STRATEGY_IS(r->variant, "fine-lock");
}

static int create_shards(struct run *r, struct wordcount *c)
{
	const struct words_table *counts = &c->text->counts;
	size_t room[SHARDS] = {0};
	for (size_t i = 0; i <= counts->mask; i++) {
		uint64_t key = load(&counts->entry[i].key, relaxed); /* relaxed: never changes */
		struct words_word word = words_word_of(counts, key);
		room[shard_of(&word)] += key != 0;
	}
	c->shard = aligned_alloc(LINE_PAIR, SHARDS * sizeof *c->shard);
	if (!c->shard)
		return ENOMEM;
	memset(c->shard, 0, SHARDS * sizeof *c->shard);
	int rc = 0;
	for (unsigned i = 0; i < SHARDS && !rc; i++) {
		struct shard *s = &c->shard[i];
		rc = r->variant->lock->init(&s->lock, r->team);
		if (!rc)
			rc = words_init(&s->table, room[i], c->text->bytes, c->text->folds);
	}
	return rc;
}

static int create(struct run *r)
{
	struct wordcount *c = r->state;
	const struct text *t = c->text = r->input->data;
	if (is_fine(r))
		return create_shards(r, c);
	int rc = words_init(&c->table, t->different, t->bytes, t->folds);
	for (unsigned i = 0; STRATEGY_IS(r->variant, "private") && i < r->count && !rc; i++) {
		struct wordcount_own *own = r->workers[i]->own;
		rc = words_init(&own->table, t->different, t->bytes, t->folds);
	}
	return !rc && r->variant->lock ? r->variant->lock->init(&c->lock, r->team) : rc;
}

static void destroy(struct run *r)
{
	struct wordcount *c = r->state;
	for (unsigned i = 0; c->shard && i < SHARDS; i++) {
		r->variant->lock->fini(&c->shard[i].lock);
		words_fini(&c->shard[i].table);
	}
	if (r->variant->lock && !is_fine(r))
		r->variant->lock->fini(&c->lock);
	free(c->shard);
	words_fini(&c->table);
	for (unsigned i = 0; i < r->count; i++)
		words_fini(&((struct wordcount_own *)r->workers[i]->own)->table);
}

static void begin(struct run *r)
{
	struct wordcount *c = r->state;
	store(&c->next_piece, 0, relaxed); /* relaxed: the common start publishes it */
	for (unsigned i = 0; c->shard && i < SHARDS; i++)
		words_clear(&c->shard[i].table);
	if (c->table.entry)
		words_clear(&c->table);
}

// How many words the counts are off, both ways: those of the text that were counted too often or
// too seldom; and as many words in all, so that there are no others.
static int64_t check(struct run *r, const uint64_t *done)
{
	struct wordcount *c = r->state;
	const struct words_table *right = &c->text->counts;
	int64_t off = 0, words = 0;
	for (size_t i = 0; i <= right->mask; i++) {
		uint64_t key = load(&right->entry[i].key, relaxed); /* relaxed: all at rest */
		struct words_word word = words_word_of(right, key);
		if (!key)
			continue;
		uint64_t counted =
			words_lookup(c->shard ? &c->shard[shard_of(&word)].table : &c->table, key);
		off += llabs((int64_t)(counted - load(&right->entry[i].count, relaxed)));
	}
	for (unsigned i = 0; i < r->count; i++)
		words += (int64_t)done[i];
	return off + llabs(words - (int64_t)c->text->words);
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	LOCKED_VARIANTS("global-lock", global_lock) LOCKED_VARIANTS("fine-lock", fine_lock){
		.strategy = "lock-free", .batch = lock_free},
	{.strategy = "private", .batch = private_batch},
};

static const struct param params[] = {
	{"input", "", "file or folder with text (default: old American and English texts)",
		"a readable file, or a folder: its files below, but for hidden and binary ones"},
	{"megabytes", "16", "the text is repeated until it is at least as large", "0..1024"},
	{0},
};

KERNEL(wordcount, .summary = "counts how often each word occurs in a text",
	.shared = "the table of words", .unit = "words", .kind = KERNEL_MAKESPAN,
	.locks = "mutex ttas mcs", .state_size = sizeof(struct wordcount),
	.own_size = sizeof(struct wordcount_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.begin = begin, .finish = finish, .check = check);
