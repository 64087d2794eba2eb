# SPDX-License-Identifier: BSD-2-Clause
# What the programs share. They run unchanged on Python 2.7 and 3, PyPy, Jython and IronPython, so
# whatever not all of them have is asked for before it is used.
import os
import subprocess
import sys
import threading
import time

UNAVAILABLE = 3  # the exit status of a program that this interpreter cannot run

# Comparable between the threads and processes of one machine.
now = getattr(time, 'monotonic', time.time)


def say(*words):
    """One line on stdout, at once."""
    sys.stdout.write(' '.join([str(word) for word in words]) + '\n')
    sys.stdout.flush()


def unavailable(why):
    sys.stderr.write('%s\n' % (why,))
    sys.exit(UNAVAILABLE)


def pin(pu):
    """The calling thread onto one PU. Where that cannot be asked for it stays on those of its
    process, which the caller has chosen."""
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, [pu])
        return
    try:
        import ctypes
        words = max(16, pu // 64 + 1)
        mask = (ctypes.c_uint64 * words)()
        mask[pu // 64] = 1 << pu % 64
        ctypes.CDLL(None).sched_setaffinity(0, 8 * words, mask)
    except Exception:
        pass


def switches():
    """Voluntary and involuntary context switches of this process so far."""
    try:
        import resource
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_nvcsw, usage.ru_nivcsw
    except Exception:
        return 0, 0


def shares(total, workers):
    """The total, split as evenly as whole numbers can be."""
    return [total * (i + 1) // workers - total * i // workers for i in range(workers)]


def together(jobs, pus):
    """Calls each job in a thread of its own, pinned; none begins before all are there. Returns
    when each began and when it ended."""
    times = [None] * len(jobs)
    ready = threading.Semaphore(0)
    gates = [threading.Lock() for _ in jobs]

    def run(i):
        pin(pus[i % len(pus)])
        ready.release()
        gates[i].acquire()
        began = now()
        jobs[i]()
        times[i] = began, now()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for gate in gates:
        gate.acquire()
    for thread in threads:
        thread.start()
    for _ in jobs:
        ready.acquire()
    for gate in gates:
        gate.release()
    for thread in threads:
        thread.join()
    if None in times:
        raise RuntimeError('a thread died')
    return times


def start_interpreter(interpreter, *arguments):
    """Another process of the same interpreter, on whose lines of text we read and write."""
    return subprocess.Popen([interpreter] + [str(word) for word in arguments],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            universal_newlines=True)
