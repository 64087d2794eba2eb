// SPDX-License-Identifier: BSD-2-Clause
// A lost update of the miniature interpreter, before the reader's eyes: the instructions of its
// threads in two columns, time downwards, with the switches between them and the stale store
// marked.
#pragma once

#include <stdio.h>

#include "interpreter/interpreter.h"

// Thread by thread, the column's title: who does what. Threads have small numbers of their own.
struct lost_update_title {
	unsigned thread;
	const char *text; // "thread 1: x = x + 1"
};

// Prints what interpreter_lost_update tells. Other threads than those titled get a title of their
// number. More than two threads share the second column, each named where it begins. All threads at
// rest. Returns whether an update was lost at all.
bool lost_update_print(FILE *out, const struct interpreter *i,
	const struct lost_update_title *title, size_t titles);
// The same of given events: what it draws depends on nothing else.
void lost_update_draw(FILE *out, const struct interpreter_trace_event *event, size_t count,
	size_t left_out, const struct lost_update_title *title, size_t titles);
