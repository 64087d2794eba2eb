// SPDX-License-Identifier: BSD-2-Clause
// What the main program made and its globals reach is what threads share: it becomes immortal or
// deferred, as the settings ask, before a second thread looks at it. CPython 3.13 does the first
// to functions and modules when the first thread starts; later versions the second.
#include <stdlib.h>

#include "object.h"

struct pile {
	struct object **o;
	size_t count, room;
};

static void pile_add(struct pile *p, struct object *o)
{
	if (p->count == p->room) {
		size_t room = p->room ? 2 * p->room : 256;
		struct object **more = realloc(p->o, room * sizeof(*more));
		if (!more)
			return; // it stays biased: slower, not wrong
		p->o = more;
		p->room = room;
	}
	p->o[p->count++] = o;
}

static bool uncounted(struct object *o)
{
	return load(&o->count.local, relaxed) >= COUNTED_DEFERRED; /* relaxed: no one else counts */
}

/* relaxed, all: no other thread runs */
static void pile_map(struct pile *p, struct map *m)
{
	struct table *x = load(&m->table, relaxed);
	for (size_t n = 0; x && n < x->used; n++) {
		struct object *value = load(&x->entry[n].value, relaxed);
		if (value)
			pile_add(p, value);
		pile_add(p, load(&x->entry[n].key, relaxed));
	}
}

static void pile_reached(struct pile *p, struct object *o)
{
	if (object_type(o) == TYPE_LIST) {
		struct list *l = (struct list *)o;
		for (size_t n = 0; n < load(&l->count, relaxed); n++)
			pile_add(p, load(&load(&l->items, relaxed)->item[n], relaxed));
	} else if (object_type(o) == TYPE_TUPLE) {
		for (size_t n = 0; n < ((struct tuple *)o)->count; n++)
			pile_add(p, ((struct tuple *)o)->item[n]);
	} else if (object_type(o) == TYPE_DICT)
		pile_map(p, &((struct dict *)o)->map);
	else if (object_type(o) == TYPE_INSTANCE)
		pile_map(p, &((struct instance *)o)->attributes);
}

void sharing_settle(struct interpreter_thread *t)
{
	struct interpreter *i = t->interpreter;
	if (t->counting != COUNTS_BIASED || i->settings.sharing == INTERPRETER_BIASED)
		return;
	pthread_mutex_lock(&i->mutex);
	bool alone = !i->started;
	pthread_mutex_unlock(&i->mutex);
	if (!alone)
		return;
	struct pile pile = {0};
	for (size_t b = 0; b < NAME_BUCKETS; b++)
		for (struct name *n = i->bucket[b]; n; n = n->next) {
			struct object *o = load(&n->global, relaxed);
			if (o)
				pile_add(&pile, o);
		}
	while (pile.count) {
		struct object *o = pile.o[--pile.count];
		if (uncounted(o))
			continue;
		if (i->settings.sharing == INTERPRETER_DEFERRED)
			counted_defer(&o->count, t->counts);
		else
			object_immortalise(t, o);
		if (uncounted(o))
			pile_reached(&pile, o);
	}
	free(pile.o);
}
