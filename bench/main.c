// SPDX-License-Identifier: BSD-2-Clause
// lockscale: does it run N times faster on N cores?
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "command.h"
#include "environment.h"
#include "measure.h"

struct command {
	const char *name, *does;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{"list", "kernels, strategies and locks that can be measured", cmd_list},
	{"machine",
		"this machine (or a described one), the order in which PUs are filled, warnings",
		cmd_machine},
	{"run", "measure; writes a result directory", cmd_run},
	{"report", "verdict, tables and charts of a result directory", cmd_report},
	{"compare", "two results, point by point", cmd_compare},
	{"race", "lose an update of x = x + 1 and show how", cmd_race},
	{"python", "run a program in a miniature Python, under each of its locks", cmd_python},
	{"tour", "what is said of Python's threads, claim by claim, tried out here", cmd_tour},
	{"_measure", NULL, cmd_measure},
};

static void usage(FILE *out)
{
	fputs("Usage: lockscale COMMAND [OPTION...]\n"
	      "Does it run 4x faster on 4 cores? Measures how kernels scale under one global "
	      "lock,\n"
	      "fine-grained locks, atomics and private state.\n\n",
		out);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (commands[i].does)
			fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].does);
	fputs("\n'lockscale COMMAND --help' tells more. 'lockscale --version' tells the version.\n",
		out);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	/* A launcher may have started us through the dynamic loader, whose name we would bear. */
	prctl(PR_SET_NAME, "lockscale");
	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0 ||
		strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("lockscale %s (%s)\n", lockscale_version, environment_build());
		return 0;
	}
	const struct command *c = find(argv[1]);
	if (!c) {
		fprintf(stderr, "lockscale: '%s' is no command; the commands are:", argv[1]);
		for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
			if (commands[i].does)
				fprintf(stderr, " %s", commands[i].name);
		fputs("\n", stderr);
		return EXIT_USAGE;
	}
	char name[64];
	snprintf(name, sizeof name, "lockscale %s", c->name);
	argv[1] = name;
	return c->run(argc - 1, argv + 1);
}
