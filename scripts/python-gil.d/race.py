# SPDX-License-Identifier: BSD-2-Clause
# Two threads add to one global: how many of their updates are lost.
# race.py add|call ITERATIONS SAMPLES PUS
#	prints a line per sample: LOST UPDATES
import sys

sys.dont_write_bytecode = True
from common import *

x = 0


def one():
    return 1


def add(iterations):
    global x
    while iterations > 0:
        x = x + 1
        iterations -= 1


def add_call(iterations):
    """The call lies between the reading of x and its writing."""
    global x
    while iterations > 0:
        x = x + one()
        iterations -= 1


def race(job, iterations, samples, pus):
    global x
    for _ in range(samples):
        x = 0
        together([lambda: job(iterations)] * 2, pus)
        say(2 * iterations - x, 2 * iterations)


if __name__ == '__main__':
    race(add_call if sys.argv[1] == 'call' else add, int(sys.argv[2]), int(sys.argv[3]),
         [int(word) for word in sys.argv[4].split(',')])
