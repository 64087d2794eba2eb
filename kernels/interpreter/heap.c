// SPDX-License-Identifier: BSD-2-Clause
// The slow side of heap.h: chunks, and the pool between the threads' heaps.
#include "heap.h"

#include <stdlib.h>
#include <string.h>

static size_t class_size(unsigned class)
{
	return HEAP_LEAST + (size_t) class * HEAP_GRAIN;
}

int heap_pool_init(struct heap_pool *p)
{
	memset(p, 0, sizeof *p);
	return pthread_mutex_init(&p->mutex, NULL);
}

void heap_pool_fini(struct heap_pool *p)
{
	for (struct heap_chunk *c = p->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	pthread_mutex_destroy(&p->mutex);
}

void heap_init(struct heap *h, struct heap_pool *p, bool alone)
{
	memset(h, 0, sizeof *h);
	h->pool = p;
	h->bound = alone ? SIZE_MAX : 2 * (size_t)HEAP_BATCH;
}

// Under the pool's mutex.
static void pool_give(struct heap_pool *p, unsigned class, void *block)
{
	*heap_link(block) = p->free[class];
	p->free[class] = block;
	p->free_blocks++;
}

void heap_fini(struct heap *h)
{
	struct heap_pool *p = h->pool;
	pthread_mutex_lock(&p->mutex);
	for (unsigned c = 0; c < HEAP_CLASSES; c++) {
		struct heap_list *l = &h->list[c];
		while (l->free) {
			void *block = l->free;
			l->free = *heap_link(block);
			pool_give(p, c, block);
		}
		for (; l->carve < l->limit; l->carve += class_size(c))
			pool_give(p, c, l->carve);
	}
	pthread_mutex_unlock(&p->mutex);
	memset(h->list, 0, sizeof h->list);
}

size_t heap_free_blocks(const struct heap *h)
{
	size_t sum = 0;
	for (unsigned c = 0; c < HEAP_CLASSES; c++) {
		const struct heap_list *l = &h->list[c];
		sum += l->count + (size_t)(l->limit - l->carve) / class_size(c);
	}
	return sum;
}

static bool chunk_add(struct heap *h, unsigned class)
{
	struct heap_pool *p = h->pool;
	struct heap_chunk *c = aligned_alloc(LINE_PAIR, HEAP_CHUNK);
	if (!c)
		return false;
	memset(c, 0, HEAP_CHUNK);
	size_t blocks = (HEAP_CHUNK - sizeof *c) / class_size(class);
	c->class = class;
	h->list[class].carve = c->block;
	h->list[class].limit = c->block + blocks * class_size(class);
	pthread_mutex_lock(&p->mutex);
	c->next = p->chunks;
	p->chunks = c;
	p->blocks += blocks;
	pthread_mutex_unlock(&p->mutex);
	return true;
}

void *heap_refill(struct heap *h, unsigned class)
{
	struct heap_pool *p = h->pool;
	struct heap_list *l = &h->list[class];
	if (l->carve == l->limit) {
		pthread_mutex_lock(&p->mutex);
		while (p->free[class] && l->count < HEAP_BATCH) {
			void *block = p->free[class];
			p->free[class] = *heap_link(block);
			p->free_blocks--;
			*heap_link(block) = l->free;
			l->free = block;
			l->count++;
		}
		pthread_mutex_unlock(&p->mutex);
		if (l->free)
			return heap_take(h, class_size(class));
		if (!chunk_add(h, class))
			return NULL;
	}
	void *block = l->carve;
	l->carve += class_size(class);
	return block;
}

void heap_spill(struct heap *h, unsigned class)
{
	struct heap_pool *p = h->pool;
	struct heap_list *l = &h->list[class];
	pthread_mutex_lock(&p->mutex);
	for (unsigned n = 0; n < HEAP_BATCH; n++) {
		void *block = l->free;
		l->free = *heap_link(block);
		pool_give(p, class, block);
	}
	pthread_mutex_unlock(&p->mutex);
	l->count -= HEAP_BATCH;
}
