// SPDX-License-Identifier: BSD-2-Clause
// Finds SMT siblings by measuring, since what the system claims can be wrong (virtual machines)
// or hidden. In each round a random half of the PUs is busy; a PU's siblings are those whose being
// busy explains its slow rounds.
#pragma once

#include <stdint.h>

#include "machine.h"

// What was observed: round r of PU i is at [r * pus + i].
struct smt_rounds {
	unsigned pus, rounds;
	uint8_t *active; // 1 where the PU was busy in the round
	float *rate;     // work per CPU second, in any unit; only read where active
};

enum smt_state {
	SMT_ALONE,     // no other PU explains its slow rounds
	SMT_SHARED,    // siblings found, and each of them agrees
	SMT_UNDECIDED, // too noisy to tell
};

struct smt_inference {
	enum smt_state *state; // per PU
	unsigned *group;       // per PU: the lowest index of its measured core; its own where alone
	double noise; // median over PUs of what remains unexplained, relative to a PU's median rate
	unsigned undecided;
};

// A sibling must slow a PU by at least this share of the PU's median rate, in both directions,
// and the noise that siblings do not explain must leave that 4 standard errors above 0.
#define SMT_THRESHOLD 0.15

int smt_rounds_init(struct smt_rounds *r, unsigned pus, unsigned rounds);
void smt_rounds_fini(struct smt_rounds *r);

// Decides which PUs are busy in which round: each in half of the rounds, in its own random order,
// so that of any two PUs all four combinations occur about equally often, down to two PUs.
void smt_rounds_design(struct smt_rounds *r, uint64_t seed);

// Pure: what the rounds tell. The caller releases the inference. Returns 0 or -ENOMEM.
int smt_infer(const struct smt_rounds *r, struct smt_inference *out);
void smt_inference_fini(struct smt_inference *out);

// Measures the rounds of a design: one thread per allowed PU, 6 to 8 ms a round.
// Returns 0, or a negative errno with a message.
int smt_measure(const struct machine *m, struct smt_rounds *r, struct error *e);

// Rounds enough for the number of PUs: more candidates need more evidence.
unsigned smt_default_rounds(unsigned pus);
