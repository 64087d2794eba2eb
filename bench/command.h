// SPDX-License-Identifier: BSD-2-Clause
// The commands, one per bench/cmd_*.c: the only places that print and exit. argv[0] is
// "lockscale COMMAND". Each returns the exit status.
#pragma once

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

int cmd_list(int argc, char **argv);
int cmd_machine(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_race(int argc, char **argv);
int cmd_python(int argc, char **argv);
int cmd_tour(int argc, char **argv);
