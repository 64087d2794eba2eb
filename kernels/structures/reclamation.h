// SPDX-License-Identifier: BSD-2-Clause
// All schemes of reclamation, for kernels whose user chooses one: --param KERNEL.reclamation=NAME.
#pragma once

#include <stdio.h>

#include "kernel.h"
#include "reclaim_epoch.h"
#include "reclaim_hazard.h"
#include "reclaim_qsbr.h"

#ifdef HAVE_URCU
#include "reclaim_rcu.h"
#define RECLAIM_RCU_NAMES "|urcu-memb|urcu-qsbr"
#define FOR_EACH_RECLAIM_RCU(X, ...) X(urcu_memb, __VA_ARGS__) X(urcu_qsbr, __VA_ARGS__)
#else
#define RECLAIM_RCU_NAMES ""
#define FOR_EACH_RECLAIM_RCU(X, ...)
#endif

#define RECLAIM_NAMES "epoch|hazard|qsbr" RECLAIM_RCU_NAMES
#define FOR_EACH_RECLAIM(X, ...)                                                                   \
	X(epoch, __VA_ARGS__)                                                                      \
	X(hazard, __VA_ARGS__) X(qsbr, __VA_ARGS__) FOR_EACH_RECLAIM_RCU(X, __VA_ARGS__)

// For the kernel's list of parameters, with the scheme that is taken where the user names none:
// epochs for structures that are walked; hazard pointers where an operation touches one or two
// nodes and most of them die, so that what a stopped worker holds back would soon be most of the
// memory.
#define RECLAIM_PARAM(SCHEME)                                                                      \
	{                                                                                          \
		"reclamation", SCHEME, "how the memory of removed nodes is reclaimed",             \
			RECLAIM_NAMES                                                              \
	}

// The scheme that the parameter `reclamation` names. Null, with in->error set, if it names none.
static inline const struct reclaim_class *reclaim_chosen(struct input *in)
{
#define RECLAIM_LISTED(NAME, ...) &NAME##_reclaim,
	static const struct reclaim_class *const all[] = {FOR_EACH_RECLAIM(RECLAIM_LISTED, )};
#undef RECLAIM_LISTED
	const char *name = input_text(in, "reclamation");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	snprintf(in->error, sizeof in->error, "'%s' is none of " RECLAIM_NAMES, name);
	return NULL;
}

// For a function `uint64_t FUNCTION(void *state, struct worker *w, uint64_t n, const struct
// reclaim_class *)` marked ALWAYS_INLINE: writes FUNCTION_reclaimed, a batch that runs its text for
// the scheme that CHOSEN(state) returns: one machine-code loop for each.
#define RECLAIMED_ONE(NAME, FUNCTION)                                                              \
	static __attribute__((noinline))                                                           \
	uint64_t FUNCTION##_##NAME(void *state, struct worker *w, uint64_t n)                      \
	{                                                                                          \
		return FUNCTION(state, w, n, &NAME##_reclaim);                                     \
	}
#define RECLAIMED_CASE(NAME, FUNCTION)                                                             \
	if (chosen == &NAME##_reclaim)                                                             \
		return FUNCTION##_##NAME(state, w, n);
#define RECLAIMED_BATCH(FUNCTION, CHOSEN)                                                          \
	FOR_EACH_RECLAIM(RECLAIMED_ONE, FUNCTION)                                                  \
	static uint64_t FUNCTION##_reclaimed(void *state, struct worker *w, uint64_t n)            \
	{                                                                                          \
		const struct reclaim_class *chosen = CHOSEN(state);                                \
		FOR_EACH_RECLAIM(RECLAIMED_CASE, FUNCTION)                                         \
		return 0;                                                                          \
	}
