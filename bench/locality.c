// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "locality.h"

static unsigned cache_of(const struct machine_pu *pu)
{
	return pu->cache;
}

static unsigned numa_of(const struct machine_pu *pu)
{
	return pu->numa;
}

static unsigned package_of(const struct machine_pu *pu)
{
	return pu->package;
}

static unsigned (*const level_of[LOCK_LEVELS_MOST])(const struct machine_pu *) = {
	cache_of, numa_of, package_of};

static bool same_groups(const unsigned *a, const unsigned *b, unsigned workers)
{
	for (unsigned i = 0; i < workers; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

// Whether each group of the inner level lies within one of the outer.
static bool nested(const unsigned *inner, const unsigned *outer, unsigned workers)
{
	for (unsigned i = 0; i < workers; i++)
		for (unsigned j = 0; j < i; j++)
			if (inner[i] == inner[j] && outer[i] != outer[j])
				return false;
	return true;
}

// Numbers the groups in the order in which workers meet them. Returns how many.
static unsigned number_groups(unsigned *group, unsigned workers, const struct machine *m,
	const unsigned *order, unsigned (*of)(const struct machine_pu *))
{
	unsigned groups = 0;
	for (unsigned i = 0; i < workers; i++) {
		unsigned mine = of(&m->pu[order[i % m->allowed_pus]]), known = 0;
		while (known < i && of(&m->pu[order[known % m->allowed_pus]]) != mine)
			known++;
		group[i] = known < i ? group[known] : groups++;
	}
	return groups;
}

int locality_init(struct locality *l, const struct machine *m, const unsigned *order,
	unsigned workers, bool pinned)
{
	*l = (struct locality){.team = {.workers = workers, .spare_pu = -1}};
	l->groups = calloc((size_t)workers * LOCK_LEVELS_MOST, sizeof *l->groups);
	if (!l->groups)
		return -ENOMEM;
	if (!pinned)
		return 0;
	if (workers < m->allowed_pus)
		l->team.spare_pu = (int)m->pu[order[workers]].os;
	for (unsigned i = 0; i < LOCK_LEVELS_MOST; i++) {
		struct lock_team *t = &l->team;
		unsigned *group = l->groups + (size_t)t->levels * workers;
		unsigned groups = number_groups(group, workers, m, order, level_of[i]);
		bool told = groups > 1 && groups < workers;
		const unsigned *inner = t->levels ? t->level[t->levels - 1].group : NULL;
		bool further = !inner || (!same_groups(inner, group, workers) &&
						 nested(inner, group, workers));
		if (told && further)
			t->level[t->levels++] = (struct lock_level){groups, group};
	}
	return 0;
}

void locality_fini(struct locality *l)
{
	free(l->groups);
}
