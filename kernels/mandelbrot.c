// SPDX-License-Identifier: BSD-2-Clause
// mandelbrot: workers compute one picture; rows are handed out by a shared ticket. A fixed
// amount of work: what counts is when the last worker is done (makespan). Rows differ in cost
// by two orders of magnitude, so a static split (`private`) leaves workers idle.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "locks.h"

struct picture {
	unsigned width, height, most; // most iterations
	uint64_t *row_sum;            // what each row must add up to
};

struct mandelbrot {
	struct any_lock lock;
	LINE_ALIGNED uint64_t next; // next row, under the lock
	LINE_ALIGNED _Atomic uint64_t atomic_next;
	LINE_ALIGNED const struct picture *picture;
	uint16_t *pixels;
	_Atomic uint8_t *times; // how often each row was computed
};

struct mandelbrot_own {
	uint64_t rows; // handed out to this worker since begin (static split)
};

static void compute_row(const struct picture *p, unsigned y, uint16_t *row)
{
	/* The classic view, x from -2.2 to 0.8, square pixels. */
	double step = 3.0 / p->width;
	double ci = ((double)y - p->height / 2.0 + 0.5) * step;
	for (unsigned x = 0; x < p->width; x++) {
		double cr = -2.2 + (x + 0.5) * step, r = 0, i = 0, rr = 0, ii = 0;
		unsigned n = 0;
		while (n < p->most && rr + ii <= 4) {
			i = 2 * r * i + ci;
			r = rr - ii + cr;
			rr = r * r;
			ii = i * i;
			n++;
		}
		row[x] = (uint16_t)n;
	}
}

static uint64_t row_sum(const uint16_t *row, unsigned width)
{
	uint64_t sum = 0; /* FNV-1a over the pixels, so that swapped ones show */
	for (unsigned x = 0; x < width; x++)
		sum = (sum ^ row[x]) * 1099511628211u;
	return sum;
}

static void unprepare(struct input *in)
{
	struct picture *p = in->data;
	if (p)
		free(p->row_sum);
	free(p);
}

static int prepare(struct input *in)
{
	unsigned width, height, most;
	int rc = input_whole(in, "width", 16, 16384, &width);
	if (!rc)
		rc = input_whole(in, "height", 16, 16384, &height);
	if (!rc)
		rc = input_whole(in, "iterations", 1, UINT16_MAX, &most);
	if (rc)
		return rc;
	struct picture *p = calloc(1, sizeof *p);
	in->data = p;
	if (!p)
		return ENOMEM;
	*p = (struct picture){width, height, most, NULL};
	uint16_t *row = malloc(p->width * sizeof *row);
	p->row_sum = calloc(p->height, sizeof *p->row_sum);
	for (unsigned y = 0; row && p->row_sum && y < p->height; y++) {
		compute_row(p, y, row);
		p->row_sum[y] = row_sum(row, p->width);
	}
	rc = row && p->row_sum ? 0 : ENOMEM;
	free(row);
	return rc;
}

static uint64_t do_row(struct mandelbrot *m, uint64_t y)
{
	if (y >= m->picture->height)
		return 0;
	compute_row(m->picture, (unsigned)y, m->pixels + y * m->picture->width);
	fetch_add(&m->times[y], 1, relaxed); /* relaxed: read when all are at rest */
	return 1;
}

static uint64_t sequential(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	(void)n;
	struct mandelbrot *m = state;
	return do_row(m, m->next++);
}

static ALWAYS_INLINE uint64_t global_lock(
	void *state, struct worker *w, uint64_t n, const struct lock_class *lock)
{
	(void)n;
	struct mandelbrot *m = state;
	lock->acquire(&m->lock, &w->node[0]);
	uint64_t mine = m->next++;
	lock->release(&m->lock, &w->node[0]);
	return do_row(m, mine);
}
LOCKED_BATCH(global_lock)

static uint64_t lock_free(void *state, struct worker *w, uint64_t n)
{
	(void)w;
	(void)n;
	struct mandelbrot *m = state;
	/* relaxed: a row depends on nothing but its number */
	return do_row(m, fetch_add(&m->atomic_next, 1, relaxed));
}

// The static split: each worker its own stretch of the picture.
static uint64_t private_batch(void *state, struct worker *w, uint64_t n)
{
	(void)n;
	struct mandelbrot *m = state;
	struct mandelbrot_own *own = w->own;
	uint64_t height = m->picture->height;
	uint64_t first = height * w->index / w->count, end = height * (w->index + 1) / w->count;
	return first + own->rows < end ? do_row(m, first + own->rows++) : 0;
}

static int create(struct run *r)
{
	struct mandelbrot *m = r->state;
	m->picture = r->input->data;
	m->pixels = calloc((size_t)m->picture->width * m->picture->height, sizeof *m->pixels);
	m->times = calloc(m->picture->height, sizeof *m->times);
	if (!m->pixels || !m->times)
		return ENOMEM;
	return r->variant->lock ? r->variant->lock->init(&m->lock, r->team) : 0;
}

static void destroy(struct run *r)
{
	struct mandelbrot *m = r->state;
	if (r->variant->lock)
		r->variant->lock->fini(&m->lock);
	free(m->pixels);
	free((void *)m->times);
}

static void begin(struct run *r)
{
	struct mandelbrot *m = r->state;
	m->next = 0;
	store(&m->atomic_next, 0, relaxed); /* relaxed: the common start publishes it */
	memset(m->pixels, 0, (size_t)m->picture->width * m->picture->height * sizeof *m->pixels);
	for (unsigned y = 0; y < m->picture->height; y++)
		store(&m->times[y], 0, relaxed);
	for (unsigned i = 0; i < r->count; i++)
		((struct mandelbrot_own *)r->workers[i]->own)->rows = 0;
}

static int64_t check(struct run *r, const uint64_t *done)
{
	struct mandelbrot *m = r->state;
	const struct picture *p = m->picture;
	int64_t wrong = 0;
	uint64_t rows = 0;
	for (unsigned i = 0; i < r->count; i++)
		rows += done[i];
	for (unsigned y = 0; y < p->height; y++)
		if (load(&m->times[y], relaxed) != 1 || /* relaxed: all at rest */
			row_sum(m->pixels + (size_t)y * p->width, p->width) != p->row_sum[y])
			wrong++;
	return wrong + llabs((int64_t)(rows - p->height));
}

static int picture(const struct run *r, void *out)
{
	const struct mandelbrot *m = r->state;
	const struct picture *p = m->picture;
	size_t pixels = (size_t)p->width * p->height;
	if (fprintf(out, "%u %u %u\n", p->width, p->height, p->most) < 0)
		return EIO;
	for (size_t i = 0; i < pixels; i++)
		if (putc(m->pixels[i] & 0xff, out) == EOF || putc(m->pixels[i] >> 8, out) == EOF)
			return EIO;
	return 0;
}

static const struct variant variants[] = {
	{.strategy = "sequential", .batch = sequential},
	LOCKED_VARIANTS("global-lock", global_lock){.strategy = "lock-free", .batch = lock_free},
	{.strategy = "private", .batch = private_batch},
};

static const struct param params[] = {
	{"width", "480", "pixels in a row", "16..16384"},
	{"height", "320", "rows", "16..16384"},
	{"iterations", "200", "iterations at most", "1..65535"},
	{0},
};

KERNEL(mandelbrot, .summary = "one picture, rows handed out by a shared ticket",
	.shared = "the number of the next row", .standard = true, .unit = "rows",
	.kind = KERNEL_MAKESPAN, .state_size = sizeof(struct mandelbrot),
	.own_size = sizeof(struct mandelbrot_own), .params = params, VARIANTS(variants),
	.prepare = prepare, .unprepare = unprepare, .create = create, .destroy = destroy,
	.begin = begin, .check = check, .picture = picture);
