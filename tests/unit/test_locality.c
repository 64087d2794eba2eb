// SPDX-License-Identifier: BSD-2-Clause
// Who shares what, as locks are told: levels that tell workers apart and put some together.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "locality.h"
#include "placement.h"

struct place {
	struct machine machine;
	unsigned *order;
	struct locality locality;
};

static void open_place(struct place *p, const char *topology, enum placement placement,
	unsigned workers, bool pinned)
{
	struct error e;
	if (machine_load(&p->machine, topology, &e) < 0)
		fail_msg("%s", e.text);
	p->order = calloc(p->machine.allowed_pus, sizeof *p->order);
	placement_order(&p->machine, placement, p->order);
	assert_int_equal(locality_init(&p->locality, &p->machine, p->order, workers, pinned), 0);
	assert_int_equal(p->locality.team.workers, workers);
}

static void close_place(struct place *p)
{
	locality_fini(&p->locality);
	machine_unload(&p->machine);
	free(p->order);
}

static const char *const server = "pack:2 numa:2 l3:2 core:4 pu:2";

static void a_desktop_is_flat(void **state)
{
	(void)state;
	struct place p;
	open_place(&p, "pack:1 l3:1 core:8 pu:2", PLACEMENT_COMPACT, 8, true);
	assert_int_equal(p.locality.team.levels, 0);
	assert_int_equal(p.locality.team.spare_pu, p.machine.pu[p.order[8]].os);
	close_place(&p);
}

static void a_server_has_caches_nodes_and_packages(void **state)
{
	(void)state;
	struct place p;
	open_place(&p, server, PLACEMENT_COMPACT, 32, true);
	const struct lock_team *t = &p.locality.team;
	static const unsigned groups[] = {8, 4, 2};
	assert_int_equal(t->levels, 3);
	for (unsigned l = 0; l < 3; l++) {
		assert_int_equal(t->level[l].groups, groups[l]);
		for (unsigned i = 0; i < 32; i++)
			assert_int_equal(t->level[l].group[i], i / (32 / groups[l]));
	}
	assert_true(t->spare_pu >= 0);
	close_place(&p);
}

static void spread_workers_alternate_between_packages(void **state)
{
	(void)state;
	struct place p;
	open_place(&p, "pack:2 l3:1 core:8 pu:1", PLACEMENT_SPREAD, 16, true);
	const struct lock_team *t = &p.locality.team;
	assert_int_equal(t->levels, 1);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(t->level[0].group[i], i % 2);
	assert_int_equal(t->spare_pu, -1);
	close_place(&p);
}

static void workers_within_one_group_know_of_no_level(void **state)
{
	(void)state;
	struct place p;
	open_place(&p, server, PLACEMENT_COMPACT, 4, true);
	assert_int_equal(p.locality.team.levels, 0);
	close_place(&p);
	/* each on a package of its own: nobody is near anybody */
	open_place(&p, server, PLACEMENT_SPREAD, 2, true);
	assert_int_equal(p.locality.team.levels, 0);
	close_place(&p);
}

static void nothing_is_known_of_workers_that_are_not_pinned(void **state)
{
	(void)state;
	struct place p;
	open_place(&p, server, PLACEMENT_NONE, 32, false);
	assert_int_equal(p.locality.team.levels, 0);
	assert_int_equal(p.locality.team.spare_pu, -1);
	close_place(&p);
}

static void more_workers_than_pus_share_them_round_robin(void **state)
{
	(void)state;
	struct place p;
	open_place(&p, "pack:2 l3:1 core:2 pu:1", PLACEMENT_COMPACT, 8, true);
	const struct lock_team *t = &p.locality.team;
	assert_int_equal(t->levels, 1);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(t->level[0].group[i], i % 4 / 2);
	assert_int_equal(t->spare_pu, -1);
	close_place(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_desktop_is_flat),
		cmocka_unit_test(a_server_has_caches_nodes_and_packages),
		cmocka_unit_test(spread_workers_alternate_between_packages),
		cmocka_unit_test(workers_within_one_group_know_of_no_level),
		cmocka_unit_test(nothing_is_known_of_workers_that_are_not_pinned),
		cmocka_unit_test(more_workers_than_pus_share_them_round_robin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
