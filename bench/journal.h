// SPDX-License-Identifier: BSD-2-Clause
// The journal of a run, DIR/journal.jsonl: one JSON object a line, appended as it happens, so
// that a run killed at any moment loses no finished sample. The first line describes the run
// (enough to resume it), the others are samples, latency samples, failures, notes and resumptions.
// From it the result file, DIR/benchmark.json, is written by atomic rename.
#pragma once

#include <jansson.h>

#include "error.h"

struct journal {
	int fd;
	char path[4096];
};

// Starts a journal in an existing directory; the file must not exist yet. Returns 0 or a
// negative errno with a message that says what to do.
int journal_create(struct journal *j, const char *dir, const json_t *header, struct error *e);
// Opens an existing one for appending; an incomplete last line is cut off.
int journal_open(struct journal *j, const char *dir, struct error *e);
// Appends one line, in one write; what was there before stays whole even if the disk is full.
int journal_append(struct journal *j, const json_t *line, struct error *e);
void journal_close(struct journal *j);

// All of a journal. Lines that cannot be read are skipped and counted: what they held is
// measured again by --resume.
struct journal_content {
	json_t *header;         // object
	json_t *samples;        // array, in the order in which they were measured
	json_t *latencies;      // array: the latency samples
	json_t *failures;       // array
	json_t *notes;          // array: what kernels said of their input
	unsigned damaged;       // lines skipped
	unsigned first_damaged; // their first line number
};
int journal_read(struct journal_content *c, const char *dir, struct error *e);
void journal_content_free(struct journal_content *c);

// Writes text to path by way of a temporary file and a rename: whole or not at all.
int write_file_atomically(const char *path, const char *text, size_t size, struct error *e);
