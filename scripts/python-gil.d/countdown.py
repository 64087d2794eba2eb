# SPDX-License-Identifier: BSD-2-Clause
# Counts a number down to zero: by itself, in threads, in processes; and the same time spent in
# native work, with the interpreter's lock released or kept. The total is fixed.
#
# calibrate SECONDS PUS LIBRARY
#	prints ITERATIONS ROUNDS: what takes so long, of each kind; ROUNDS is 0 without native work
# measure INTERPRETER STRATEGY WORKERS SAMPLES ITERATIONS ROUNDS PUS LIBRARY
#	prints a line per sample: SECONDS SKEW_NS VOLUNTARY INVOLUNTARY OPERATIONS:NS,...
# worker ITERATIONS PU
#	one process of the strategy processes
import sys

sys.dont_write_bytecode = True
from common import *

MOST = 1000000000  # iterations; more than a native int holds would change what is measured
CALL_SECONDS = 100e-6  # of native work


def countdown(n):
    while n > 0:
        n -= 1


def native_function(library, keeps_lock):
    try:
        import ctypes
        loaded = (ctypes.PyDLL if keeps_lock else ctypes.CDLL)(library)
        function = loaded.native_rounds
        function.argtypes = [ctypes.c_uint64]
        function.restype = ctypes.c_uint64
        function(1)
        return function
    except Exception:
        return None


def work_natively(function, rounds, call):
    while rounds > 0:
        function(min(call, rounds))
        rounds -= call


def timed(job, *arguments):
    began = now()
    job(*arguments)
    return max(now() - began, 1e-9)


def find_amount(job, seconds):
    """How much of the job takes so long, once it is warm: three times in a row about that."""
    amount = 10000
    right = 0
    for _ in range(40):
        factor = seconds / timed(job, amount)
        right = right + 1 if 0.7 < factor < 1.4 else 0
        amount = max(1, min(MOST, int(amount * min(4, factor))))
        if right == 3 or amount == MOST:
            break
    return amount


def calibrate(seconds, pus, library):
    pin(pus[0])
    function = native_function(library, False)
    iterations = find_amount(countdown, seconds)
    if not function:
        say(iterations, 0)
        return
    rounds = find_amount(function, seconds)
    # In turns, and the fastest of each: what else the machine does must not enter their ratio.
    pairs = [(timed(countdown, iterations), timed(function, rounds)) for _ in range(5)]
    say(iterations, max(1, int(rounds * min([a for a, _ in pairs]) / min([b for _, b in pairs]))))


def tell(times, operations, before, after):
    """A sample: from the first worker's start to the last one's end."""
    starts = [began for began, _ in times]
    ends = [ended for _, ended in times]
    say('%.9f' % max(max(ends) - min(starts), 1e-9), int(1e9 * (max(starts) - min(starts))),
        after[0] - before[0], after[1] - before[1],
        ','.join(['%d:%d' % (n, 1e9 * (t[1] - t[0])) for n, t in zip(operations, times)]))


def measure_alone(iterations, samples, pus):
    """No thread is ever started: old interpreters make their lock with the first one."""
    pin(pus[0])
    countdown(iterations // 4)
    for _ in range(samples):
        before = switches()
        began = now()
        countdown(iterations)
        ended = now()
        tell([(began, ended)], [iterations], before, switches())


def measure_threads(job, total, iterations, workers, samples, pus):
    """job(amount): what a worker does of the total."""
    jobs = [lambda amount=amount: job(amount) for amount in shares(total, workers)]
    job(total // 4)
    for _ in range(samples):
        before = switches()
        times = together(jobs, pus)
        tell(times, shares(iterations, workers), before, switches())


def measure_processes(interpreter, iterations, workers, samples, pus):
    children = [start_interpreter(interpreter, sys.argv[0], 'worker', share, pus[i % len(pus)])
                for i, share in enumerate(shares(iterations, workers))]
    for child in children:
        if child.stdout.readline().strip() != 'ready':
            raise RuntimeError('a process died')
    for _ in range(samples):
        for child in children:
            child.stdin.write('go\n')
            child.stdin.flush()
        # began, ended, voluntary, involuntary of each
        told = [[float(word) for word in child.stdout.readline().split()] for child in children]
        tell([answer[:2] for answer in told], shares(iterations, workers), (0, 0),
             [int(sum([answer[k] for answer in told])) for k in (2, 3)])
    for child in children:
        child.stdin.close()
        child.wait()


def serve_process(iterations, pu):
    pin(pu)
    countdown(iterations // 4)
    say('ready')
    while sys.stdin.readline():
        before = switches()
        began = now()
        countdown(iterations)
        ended = now()
        after = switches()
        say(repr(began), repr(ended), after[0] - before[0], after[1] - before[1])


def measure(interpreter, strategy, workers, samples, iterations, rounds, pus, library):
    if strategy == 'sequential':
        measure_alone(iterations, samples, pus)
    elif strategy == 'threads':
        measure_threads(countdown, iterations, iterations, workers, samples, pus)
    elif strategy == 'processes':
        measure_processes(interpreter, iterations, workers, samples, pus)
    else:
        function = native_function(library, strategy == 'native-locked')
        if not function or not rounds:
            unavailable('no native work: ctypes cannot load the library')
        call = max(1, int(rounds * CALL_SECONDS / timed(function, rounds)))
        measure_threads(lambda amount: work_natively(function, amount, call), rounds, iterations,
                        workers, samples, pus)


def numbers(text):
    return [int(word) for word in text.split(',')]


if __name__ == '__main__':
    words = sys.argv[2:]
    for _ in range(2000):  # what specialises a function that is called often has done so
        countdown(50)
    if sys.argv[1] == 'calibrate':
        calibrate(float(words[0]), numbers(words[1]), words[2])
    elif sys.argv[1] == 'worker':
        serve_process(int(words[0]), int(words[1]))
    else:
        measure(words[0], words[1], int(words[2]), int(words[3]), int(words[4]), int(words[5]),
                numbers(words[6]), words[7])
