// SPDX-License-Identifier: BSD-2-Clause
// What the programs compute, against answers known beforehand: words of a text, searches of a
// graph, blocks of an allocator. That all strategies compute the same is test_kernels' concern.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog.h"
#include "structures/graph.h"
#include "structures/slab.h"
#include "structures/words.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { PARAMS_MOST = 32, LONG_WORD = 100000 };

/* Words. */

struct times {
	const char *word;
	uint64_t times;
};

struct book {
	uint8_t folds[256];
	struct words_table table;
	uint64_t words;
};

// Piece by piece, every other word through the shared table's way.
static void read_book(struct book *b, const char *text, size_t size, size_t piece)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t begin = 0;
	words_fold(b->folds);
	b->words = 0;
	assert_int_equal(words_init(&b->table, 1000, bytes, b->folds), 0);
	words_clear(&b->table);
	for (size_t i = 1; begin < size; i++) {
		size_t end = words_piece(bytes, b->folds, size, piece, i, begin), at = begin;
		struct words_word word;
		while (words_next(bytes, b->folds, &at, end, &word))
			assert_true(b->words++ % 2 ? words_count(&b->table, &word)
						   : words_count_shared(&b->table, &word, 1));
		assert_true(end >= begin);
		begin = end;
	}
}

static uint64_t count_in(struct book *b, const char *word)
{
	/* The key of a long word points into the table's text: so look it up in one of its own. */
	struct words_table own = b->table;
	struct words_word found = {0};
	size_t at = 0;
	uint64_t times = 0;
	own.text = (const uint8_t *)word;
	assert_true(words_next(own.text, b->folds, &at, strlen(word), &found));
	for (size_t i = 0; i <= b->table.mask; i++) {
		uint64_t key = load(&b->table.entry[i].key, relaxed);
		const char *there = (const char *)b->table.text + (uint32_t)key;
		bool same = key >> 56 ? strncasecmp(there, word, strlen(word)) == 0 &&
						!b->folds[(uint8_t)there[strlen(word)]]
				      : key == found.key;
		if (key && same)
			times += load(&b->table.entry[i].count, relaxed);
	}
	return times;
}

static void expect_words(const char *text, const struct times *expected, size_t count)
{
	for (size_t piece = 1; piece < 40; piece++) {
		struct book b;
		uint64_t sum = 0;
		read_book(&b, text, strlen(text), piece);
		for (size_t i = 0; i < count; i++) {
			uint64_t times = count_in(&b, expected[i].word);
			if (times != expected[i].times)
				fail_msg("'%s' in pieces of %zu: '%s' %llu times", text, piece,
					expected[i].word, (unsigned long long)times);
			sum += times;
		}
		assert_int_equal(b.words, sum);
		words_fini(&b.table);
	}
}

static void words_end_at_what_is_no_letter_and_capitals_do_not_matter(void **state)
{
	(void)state;
	static const struct times few[] = {{"the", 3}, {"don", 1}, {"t", 1}, {"stop", 1},
		{"gap", 1}, {"x", 1}, {"e", 1}, {"mail", 1}};
	expect_words("The the, THE! (don't) stop-gap 42 x7e_mail", few, COUNT(few));
	expect_words("", NULL, 0);
	expect_words("12 + 30 = 42\n", NULL, 0);
}

static void words_beyond_ascii_stay_whole(void **state)
{
	(void)state;
	static const struct times few[] = {{"gr\xc3\xb6\xc3\x9f"
					    "e",
						   2},
		{"\xc5\xbdluť", 1}, {"日本語", 1}, {"na\xc3\xafve", 1}};
	expect_words("Gr\xc3\xb6\xc3\x9f"
		     "e gr\xc3\xb6\xc3\x9f"
		     "e. \xc5\xbdluť-日本語 na\xc3\xafve",
		few, COUNT(few));
}

static void long_words_differ_by_any_letter(void **state)
{
	(void)state;
	static const struct times few[] = {{"abcdefg", 2}, {"abcdefgh", 2}, {"abcdefgi", 1},
		{"abcdefghi", 1}, {"unconstitutionally", 3}, {"unconstitutional", 1}};
	expect_words("abcdefg abcdefgh ABCDEFGH abcdefgi Abcdefghi Abcdefg unconstitutionally "
		     "UNconstitutionally unconstitutional unConstitutionallY",
		few, COUNT(few));
}

static void one_word_may_be_as_long_as_the_text(void **state)
{
	(void)state;
	char *text = malloc(LONG_WORD + 1);
	assert_non_null(text);
	memset(text, 'w', LONG_WORD);
	text[LONG_WORD] = 0;
	static const size_t pieces[] = {1, 100, 4096, LONG_WORD, 2 * LONG_WORD};
	for (size_t i = 0; i < COUNT(pieces); i++) {
		struct book b;
		read_book(&b, text, LONG_WORD, pieces[i]);
		assert_int_equal(b.words, 1);
		assert_int_equal(count_in(&b, text), 1);
		words_fini(&b.table);
	}
	free(text);
}

static void a_full_table_refuses_words_instead_of_losing_them(void **state)
{
	(void)state;
	struct book b;
	struct words_word word;
	read_book(&b, "", 0, 1);
	words_fini(&b.table);
	assert_int_equal(words_init(&b.table, 0, (const uint8_t *)"", b.folds), 0);
	words_clear(&b.table);
	unsigned taken = 0;
	for (unsigned i = 1; i <= 2 * WORDS_TABLE_LEAST; i++) {
		word = (struct words_word){i, i * 0x9e3779b97f4a7c15u};
		taken += i % 2 ? words_count(&b.table, &word)
			       : words_count_shared(&b.table, &word, 1);
	}
	assert_int_equal(taken, WORDS_TABLE_LEAST);
	words_fini(&b.table);
}

/* A kernel by hand: its input, and all its work by one worker. */

struct setting {
	const char *name, *value;
};

struct prepared {
	const struct kernel *kernel;
	struct input input;
	const char *values[PARAMS_MOST];
	int rc;
};

static void prepare(struct prepared *p, const char *kernel, const struct setting *set, size_t count)
{
	const struct kernel *k = catalog_kernel(kernel);
	memset(p, 0, sizeof *p);
	p->kernel = k;
	p->input.params = k->params;
	p->input.values = p->values;
	for (size_t i = 0; k->params[i].name; i++) {
		p->values[i] = k->params[i].value;
		for (size_t j = 0; j < count; j++)
			if (strcmp(set[j].name, k->params[i].name) == 0)
				p->values[i] = set[j].value;
	}
	p->rc = k->prepare(&p->input);
}

static void unprepare(struct prepared *p)
{
	p->kernel->unprepare(&p->input);
}

struct hand {
	struct worker worker, *workers[1];
	struct lock_team team;
	struct run run;
	uint64_t done[1];
};

static void set_up(struct hand *h, struct prepared *p, const char *strategy)
{
	const struct kernel *k = p->kernel;
	memset(h, 0, sizeof *h);
	h->worker.count = 1;
	h->worker.own = aligned_alloc(LINE_PAIR, (k->own_size / LINE_PAIR + 1) * LINE_PAIR);
	memset(h->worker.own, 0, k->own_size);
	h->workers[0] = &h->worker;
	h->team = (struct lock_team){.workers = 1, .spare_pu = -1};
	h->run = (struct run){.kernel = k,
		.variant = catalog_variant(k, strategy, ""),
		.input = &p->input,
		.workers = h->workers,
		.count = 1,
		.team = &h->team,
		.state = aligned_alloc(LINE_PAIR, (k->state_size / LINE_PAIR + 1) * LINE_PAIR)};
	memset(h->run.state, 0, k->state_size);
	assert_int_equal(k->create(&h->run), 0);
	if (k->begin)
		k->begin(&h->run);
}

static void tear_down(struct hand *h)
{
	h->run.kernel->destroy(&h->run);
	free(h->run.state);
	free(h->worker.own);
}

static void work(struct hand *h)
{
	uint64_t now;
	while ((now = h->run.variant->batch(h->run.state, &h->worker, 1)))
		h->done[0] += now;
}

static void put_file(const char *folder, const char *name, const char *text, size_t size)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	fclose(f);
}

static void remove_folder(const char *folder)
{
	char command[300];
	snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void a_folder_is_read_whole_but_for_hidden_and_binary_files(void **state)
{
	(void)state;
	char folder[] = "/tmp/test_programs.XXXXXX", sub[64], hidden[64];
	assert_non_null(mkdtemp(folder));
	snprintf(sub, sizeof sub, "%s/sub", folder);
	snprintf(hidden, sizeof hidden, "%s/.git", folder);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(mkdir(hidden, 0700), 0);
	put_file(folder, "a", "one two", 7); /* no end of line: `two` and `three` stay two */
	put_file(sub, "b", "three one\n", 10);
	put_file(sub, ".c", "never", 5);
	put_file(hidden, "d", "never", 5);
	put_file(folder, "e", "binary\0words", 12);
	put_file(folder, "f", "", 0);
	struct setting set[] = {{"input", folder}, {"megabytes", "0"}};
	struct prepared p;
	prepare(&p, "wordcount", set, 2);
	assert_string_equal(p.input.error, "");
	assert_string_equal(p.input.note, "4 words, 3 different, in 20 bytes; 3 files, left out: 2 "
					  "hidden, 1 binary");
	unprepare(&p);
	remove_folder(folder);
}

static void a_folder_without_text_is_refused(void **state)
{
	(void)state;
	char folder[] = "/tmp/test_programs.XXXXXX";
	assert_non_null(mkdtemp(folder));
	struct setting set[] = {{"input", folder}};
	static const struct {
		const char *text;
		size_t size;
		const char *why;
	} contents[] = {{"", 0, "empty"}, {"\0\1", 2, "binary"}, {"42\n", 3, "not one letter"}};
	for (size_t i = 0; i < COUNT(contents); i++) {
		struct prepared p;
		put_file(folder, "file", contents[i].text, contents[i].size);
		prepare(&p, "wordcount", set, 1);
		assert_int_equal(p.rc, EINVAL);
		if (!strstr(p.input.error, folder) || !strstr(p.input.error, contents[i].why))
			fail_msg("'%s' does not say %s", p.input.error, contents[i].why);
		unprepare(&p);
	}
	remove_folder(folder);
}

static void a_text_is_repeated_whole_to_the_size_asked_for(void **state)
{
	(void)state;
	char folder[] = "/tmp/test_programs.XXXXXX";
	assert_non_null(mkdtemp(folder));
	put_file(folder, "a", "abc", 3);
	struct setting set[] = {{"input", folder}, {"megabytes", "1"}};
	struct prepared p;
	prepare(&p, "wordcount", set, 2);
	assert_string_equal(p.input.note, "262144 words, 1 different, in 1048576 bytes; 1 files, "
					  "left out: 0 hidden, 0 binary");
	unprepare(&p);
	remove_folder(folder);
}

static void a_merge_left_out_is_noticed(void **state)
{
	(void)state;
	struct setting set[] = {{"megabytes", "0"}};
	struct prepared p;
	struct hand h;
	prepare(&p, "wordcount", set, 1);
	set_up(&h, &p, "private");
	work(&h);
	assert_true(h.done[0] > 6000);
	assert_int_equal(p.kernel->check(&h.run, h.done), h.done[0]);
	p.kernel->finish(h.run.state, &h.worker);
	assert_int_equal(p.kernel->check(&h.run, h.done), 0);
	tear_down(&h);
	unprepare(&p);
}

/* Graphs. */

static int read_graph(struct graph *g, const char *text, size_t *line)
{
	struct graph_edges e = {0};
	FILE *f = fmemopen((char *)text, strlen(text), "r");
	assert_non_null(f);
	memset(g, 0, sizeof *g);
	int rc = graph_read(&e, f, line);
	if (!rc)
		rc = graph_number_vertices(g, &e);
	if (!rc)
		rc = graph_build(g, &e);
	graph_edges_fini(&e);
	fclose(f);
	return rc;
}

// Two parts; a loop, doubled edges, and one given from both ends.
static const char hand_made[] =
	"# made by hand\n1 2\n2 3\n1\t2\n2 1\n3 3\n10 20\r\n\n  5\t 1  \n7 7";

static void a_list_of_edges_becomes_the_graph_it_means(void **state)
{
	(void)state;
	struct graph g;
	size_t line;
	assert_int_equal(read_graph(&g, hand_made, &line), 0);
	static const uint64_t names[] = {1, 2, 3, 5, 7, 10, 20}, degrees[] = {2, 2, 1, 1, 0, 1, 1};
	assert_int_equal(g.vertices, COUNT(names));
	assert_int_equal(g.entries, 8);
	for (uint32_t v = 0; v < g.vertices; v++) {
		assert_int_equal(g.name[v], names[v]);
		assert_int_equal(graph_degree(&g, v), degrees[v]);
	}
	assert_true(graph_has_edge(&g, 0, 3) && graph_has_edge(&g, 3, 0));
	assert_false(graph_has_edge(&g, 0, 2) || graph_has_edge(&g, 2, 2));
	graph_fini(&g);
}

static void levels_and_components_are_those_of_the_graph(void **state)
{
	(void)state;
	static const uint32_t levels[] = {0, 1, 2, 1, GRAPH_NONE, GRAPH_NONE, GRAPH_NONE};
	static const uint32_t labels[] = {0, 0, 0, 0, 4, 5, 5};
	struct graph g;
	size_t line;
	uint32_t found[7], queue[7];
	assert_int_equal(read_graph(&g, hand_made, &line), 0);
	assert_int_equal(graph_levels(&g, 0, found, queue), 6);
	assert_memory_equal(found, levels, sizeof levels);
	graph_components(&g, found, queue);
	assert_memory_equal(found, labels, sizeof labels);
	graph_fini(&g);
}

static void any_wrong_parent_is_noticed(void **state)
{
	(void)state;
	static const uint32_t right[] = {0, 0, 1, 0, GRAPH_NONE, GRAPH_NONE, GRAPH_NONE};
	struct graph g;
	size_t line;
	uint32_t level[7], queue[7];
	_Atomic uint32_t parent[7];
	assert_int_equal(read_graph(&g, hand_made, &line), 0);
	graph_levels(&g, 0, level, queue);
	for (uint32_t v = 0; v < 7; v++)
		store(&parent[v], right[v], relaxed);
	assert_int_equal(graph_wrong_parents(&g, 0, level, parent), 0);
	for (uint32_t v = 0; v < 7; v++)
		for (uint32_t to = 0; to < 9; to++) {
			uint32_t other = to == 8 ? GRAPH_NONE : to;
			store(&parent[v], other, relaxed);
			assert_int_equal(
				graph_wrong_parents(&g, 0, level, parent), other != right[v]);
			store(&parent[v], right[v], relaxed);
		}
	graph_fini(&g);
}

static void a_line_that_is_no_edge_is_named(void **state)
{
	(void)state;
	char wide[600];
	memset(wide, ' ', sizeof wide);
	strcpy(wide, "1 2\n1 2");
	wide[7] = ' ';
	wide[sizeof wide - 1] = 0;
	const char *const bad[] = {"1 2\n1\n", "1 2\n1 two\n", "1 2\n1 2 3\n", "1 2\n-1 2",
		"1 2\n1,2\n", "# 1\n99999999999999999999 1\n", "1 2\nx\n", "1 2\n1 2#\n",
		"1 2\n1.5 2\n", wide};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct graph g;
		size_t line = 0;
		if (read_graph(&g, bad[i], &line) != EINVAL || line != 2)
			fail_msg("'%s' was accepted, or line %zu blamed", bad[i], line);
		graph_fini(&g);
	}
}

static void a_comment_may_be_longer_than_any_edge(void **state)
{
	(void)state;
	char text[2000];
	memset(text, '#', sizeof text);
	strcpy(text + sizeof text - 20, "\n1 2\n");
	struct graph g;
	size_t line;
	assert_int_equal(read_graph(&g, text, &line), 0);
	assert_int_equal(g.entries, 2);
	graph_fini(&g);
}

static void a_drawn_graph_is_symmetric_and_a_few_vertices_have_most_edges(void **state)
{
	(void)state;
	struct graph g = {.vertices = 1 << 10};
	struct graph_edges e = {0};
	assert_int_equal(graph_draw(&e, 10, 16), 0);
	assert_int_equal(e.count, 16 << 10);
	assert_int_equal(graph_build(&g, &e), 0);
	uint64_t busiest = graph_degree(&g, graph_busiest(&g));
	for (uint32_t v = 0; v < g.vertices; v++)
		for (uint64_t i = g.row[v]; i < g.row[v + 1]; i++) {
			assert_true(g.neighbour[i] != v && graph_has_edge(&g, g.neighbour[i], v));
			assert_true(i == g.row[v] || g.neighbour[i - 1] < g.neighbour[i]);
		}
	assert_true(busiest > 8 * g.entries / g.vertices);
	graph_edges_fini(&e);
	graph_fini(&g);
}

static void components_of_any_order_have_their_smallest_vertex_for_a_name(void **state)
{
	(void)state;
	/* A long path, given from its end, and its far end's neighbour first: deep trees. */
	char path[] = "/tmp/test_programs.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	assert_non_null(f);
	for (unsigned i = 5000; i > 1; i--)
		fprintf(f, "%u %u\n", i, i % 7 ? i - 1 : i + 1);
	fclose(f);
	struct setting set[] = {{"input", path}, {"algorithm", "components"}};
	struct prepared p;
	struct hand h;
	prepare(&p, "graph", set, 2);
	assert_string_equal(p.input.error, "");
	static const char *const strategies[] = {"sequential", "lock-free"};
	for (size_t i = 0; i < COUNT(strategies); i++) {
		set_up(&h, &p, strategies[i]);
		work(&h);
		assert_int_equal(p.kernel->check(&h.run, h.done), 0);
		h.done[0]--;
		assert_int_equal(p.kernel->check(&h.run, h.done), 1);
		tear_down(&h);
	}
	unprepare(&p);
	unlink(path);
}

static void a_file_without_edges_or_that_is_no_list_is_refused(void **state)
{
	(void)state;
	char folder[] = "/tmp/test_programs.XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/list", folder);
	struct setting set[] = {{"input", path}};
	static const struct {
		const char *text, *why;
	} contents[] = {{"", "no edge"}, {"3 3\n", "no edge"}, {"# 1\n1 2\n1 x\n", "line 3"}};
	for (size_t i = 0; i < COUNT(contents); i++) {
		struct prepared p;
		put_file(folder, "list", contents[i].text, strlen(contents[i].text));
		prepare(&p, "graph", set, 1);
		assert_int_equal(p.rc, EINVAL);
		if (!strstr(p.input.error, path) || !strstr(p.input.error, contents[i].why))
			fail_msg("'%s' does not say %s", p.input.error, contents[i].why);
		unprepare(&p);
	}
	remove_folder(folder);
}

/* Blocks. */

static void every_size_has_the_smallest_class_that_holds_it(void **state)
{
	(void)state;
	for (size_t size = 1; size <= SLAB_LARGEST; size++) {
		unsigned class = slab_class_of(size);
		assert_true(class < SLAB_CLASSES && slab_class_size(class) >= size);
		assert_true(class == 0 || slab_class_size(class - 1) < size);
		assert_int_equal(slab_class_size(class) % 16, 0);
	}
}

static unsigned slab_count(struct slabs *s)
{
	unsigned count = 0;
	for (struct slab *slab = load(&s->slabs, relaxed); slab; slab = slab->next)
		count++;
	return count;
}

// Fills blocks of all sizes with their numbers, frees them in another order, and again.
static void blocks_are_distinct(bool cached)
{
	enum { BLOCKS = 3000, ROUNDS = 5 };
	static unsigned char *block[BLOCKS];
	static struct slabs s;
	struct slab_cache cache = {0};
	unsigned slabs = 0;
	slab_init(&s);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < BLOCKS; i++) {
			size_t size = 1 + i * 7919u % 2000;
			block[i] = cached ? slab_cache_get(&s, &cache, size) : slab_get(&s, size);
			assert_non_null(block[i]);
			assert_int_equal((uintptr_t)block[i] % 16, 0);
			memset(block[i], (int)(i % 251), size);
		}
		for (unsigned n = 0; n < BLOCKS; n++) {
			unsigned i = (n * 1009u + round) % BLOCKS;
			for (size_t b = 0; b < 1 + i * 7919u % 2000; b++)
				assert_int_equal(block[i][b], i % 251);
			if (cached)
				slab_cache_put(&s, &cache, block[i]);
			else
				slab_put(&s, block[i]);
		}
		if (round == 0)
			slabs = slab_count(&s);
		assert_int_equal(slab_count(&s), slabs);
	}
	slab_fini(&s);
}

static void blocks_are_aligned_and_distinct_and_used_again(void **state)
{
	(void)state;
	blocks_are_distinct(false);
	blocks_are_distinct(true);
}

static void blocks_that_only_change_hands_go_round(void **state)
{
	(void)state;
	/* One gets, the other puts back: what the second has too many of the first must find. */
	static struct slabs s;
	struct slab_cache gives = {0}, takes = {0};
	slab_init(&s);
	for (unsigned i = 0; i < 200000; i++)
		slab_cache_put(&s, &takes, slab_cache_get(&s, &gives, 1000));
	assert_true(slab_count(&s) <= 2);
	slab_fini(&s);
}

static void a_block_written_over_or_handed_out_twice_is_noticed(void **state)
{
	(void)state;
	struct setting set[] = {{"blocks", "2"}, {"remote-percent", "0"}};
	struct prepared p;
	struct hand h;
	prepare(&p, "alloc", set, 2);
	set_up(&h, &p, "libc");
	h.done[0] = h.run.variant->batch(h.run.state, &h.worker, 100);
	assert_int_equal(h.done[0], 100);
	assert_int_equal(p.kernel->check(&h.run, h.done), 0);
	uint64_t **block = *(uint64_t ***)h.worker.own, *first = block[0];
	assert_non_null(first);
	first[0] ^= (uint64_t)1 << 40; /* another's first word */
	assert_int_equal(p.kernel->check(&h.run, h.done), 1);
	first[0] ^= (uint64_t)1 << 40;
	block[0] = block[1];
	assert_int_equal(p.kernel->check(&h.run, h.done), 1);
	block[0] = NULL; /* neither there nor freed */
	assert_int_equal(p.kernel->check(&h.run, h.done), 1);
	block[0] = first;
	assert_int_equal(p.kernel->check(&h.run, h.done), 0);
	tear_down(&h);
	unprepare(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_end_at_what_is_no_letter_and_capitals_do_not_matter),
		cmocka_unit_test(words_beyond_ascii_stay_whole),
		cmocka_unit_test(long_words_differ_by_any_letter),
		cmocka_unit_test(one_word_may_be_as_long_as_the_text),
		cmocka_unit_test(a_full_table_refuses_words_instead_of_losing_them),
		cmocka_unit_test(a_folder_is_read_whole_but_for_hidden_and_binary_files),
		cmocka_unit_test(a_folder_without_text_is_refused),
		cmocka_unit_test(a_text_is_repeated_whole_to_the_size_asked_for),
		cmocka_unit_test(a_merge_left_out_is_noticed),
		cmocka_unit_test(a_list_of_edges_becomes_the_graph_it_means),
		cmocka_unit_test(levels_and_components_are_those_of_the_graph),
		cmocka_unit_test(any_wrong_parent_is_noticed),
		cmocka_unit_test(a_line_that_is_no_edge_is_named),
		cmocka_unit_test(a_comment_may_be_longer_than_any_edge),
		cmocka_unit_test(a_drawn_graph_is_symmetric_and_a_few_vertices_have_most_edges),
		cmocka_unit_test(components_of_any_order_have_their_smallest_vertex_for_a_name),
		cmocka_unit_test(a_file_without_edges_or_that_is_no_list_is_refused),
		cmocka_unit_test(every_size_has_the_smallest_class_that_holds_it),
		cmocka_unit_test(blocks_are_aligned_and_distinct_and_used_again),
		cmocka_unit_test(blocks_that_only_change_hands_go_round),
		cmocka_unit_test(a_block_written_over_or_handed_out_twice_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
