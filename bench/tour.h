// SPDX-License-Identifier: BSD-2-Clause
// The tour: what a well-known slide deck of 2009 says about threads, claim by claim, each tried out
// in a few seconds. A claim is one function that makes its experiment and fills a finding.
#pragma once

#include <signal.h>
#include <stdio.h>

#include "error.h"
#include "machine.h"
#include "stats.h"
#include "tour_verdict.h"

enum { TOUR_MEASURES_MOST = 40, TOUR_CONDITIONS_MOST = 8, TOUR_WORKERS_MOST = 64 };

// A median of samples, with the interval of that median by order statistics, 95 % where so few
// samples can.
struct spread {
	double median;
	struct interval interval;
	size_t samples;
};
// Sorts v.
struct spread spread_of(double *v, size_t n);
// "0.54 [0.51, 0.58]", of the values times scale. Returns buf.
char *spread_text(const struct spread *s, double scale, char *buf, size_t size);

struct measure {
	char name[96];
	const char *unit;
	struct spread spread;
};

// What an experiment found. Texts are of lines without indentation.
struct finding {
	FILE *experiment, *result, *picture; // written by the claim
	char *experiment_text, *result_text, *picture_text;
	size_t size[3]; // the streams'
	struct measure measure[TOUR_MEASURES_MOST];
	size_t measures;
	struct condition condition[TOUR_CONDITIONS_MOST];
	size_t conditions;
	double other_work; // see struct meter; 0 where the verdict does not depend on time
};
// The value goes into the JSON; spread_text and the like make the result's lines.
__attribute__((format(printf, 4, 5))) void finding_measure(
	struct finding *f, const struct spread *s, const char *unit, const char *format, ...);
// One single number.
struct spread spread_single(double value);
// The claim's answer under a condition; the label lives as long as the finding (a literal).
void finding_answer(struct finding *f, const char *label, enum answer a);

struct countdown; // measured once for two claims

struct tour {
	struct machine machine;
	unsigned *order;  // compact
	unsigned workers; // at most, one a core; at least 1
	bool quick;
	volatile sig_atomic_t *interrupted;
	struct countdown *countdown;
};
// -ECANCELED after Ctrl-C, between repetitions; else 0.
int tour_continues(const struct tour *t, struct error *e);
// "PUs 0, 1": where the first workers run. Returns buf.
char *tour_pus(const struct tour *t, unsigned workers, char *buf, size_t size);

// What other work (and the hypervisor) had of the allowed PUs' time since the start, as a share of
// it; 0 where the system does not say. Children of this process count as its own once waited for.
struct meter {
	uint64_t start_ns;
	double own, busy; // s
};
void meter_start(struct meter *m, const struct tour *t);
double meter_share(const struct meter *m, const struct tour *t);

struct claim {
	const char *name, *text;
	// Returns 0, or a negative errno with a message: the experiment could not be made.
	int (*run)(struct tour *t, struct finding *f, struct error *e);
};

int tour_join(struct tour *t, struct finding *f, struct error *e);
int tour_daemon(struct tour *t, struct finding *f, struct error *e);
int tour_race(struct tour *t, struct finding *f, struct error *e);
int tour_mutex(struct tour *t, struct finding *f, struct error *e);
int tour_rlock(struct tour *t, struct finding *f, struct error *e);
int tour_semaphore(struct tour *t, struct finding *f, struct error *e);
int tour_faster(struct tour *t, struct finding *f, struct error *e);
int tour_slower(struct tour *t, struct finding *f, struct error *e);
int tour_refcount(struct tour *t, struct finding *f, struct error *e);
int tour_extension(struct tour *t, struct finding *f, struct error *e);
int tour_processes(struct tour *t, struct finding *f, struct error *e);
int tour_server(struct tour *t, struct finding *f, struct error *e);

void tour_countdown_free(struct countdown *c);
