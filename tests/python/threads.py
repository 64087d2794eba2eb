# SPDX-License-Identifier: BSD-2-Clause
# Threads: start, join, arguments, locks, shared objects, subclasses.
import threading
import time
from threading import Thread, Lock as Mutex


def countdown(n):
    while n > 0:
        n -= 1


t1 = threading.Thread(target=countdown, args=(10000,))
t1.start()
t1.join()
t1 = Thread(target=countdown, args=(5000,))
t2 = Thread(target=countdown, args=(5000,))
t1.start(); t2.start()
t1.join(); t2.join()
print("counted down")

x = 0
lock = threading.Lock()


def up(n, by):
    global x
    for i in range(n):
        lock.acquire()
        x += by
        lock.release()


def with_lock(n, by):
    global x
    for i in range(n):
        with lock:
            if by == 0:
                continue
            x += by


def run(target, arguments):
    threads = []
    for a in arguments:
        t = Thread(target=target, args=a)
        threads.append(t)
        t.start()
    for t in threads:
        t.join()


run(up, [(2000, 1), (2000, -1), (1000, 1)])
print(x)
run(with_lock, [(2000, 1), (2000, -1), (1000, 1), (10, 0)])
print(x)

mutex = Mutex()


def guarded(n):
    with mutex:
        if n == 0:
            return "zero"
        for i in range(n):
            with lock:
                if i == 3:
                    return "three"
    return "less"


print(guarded(0) + guarded(1) + guarded(10))
print(mutex.acquire())
print(mutex.acquire(False))
mutex.release()
print(mutex.locked())

results = [0] * 4


def square(i):
    results[i] = i * i


run(square, [(0,), (1,), (2,), (3,)])
print(results)


class Worker(Thread):
    def __init__(self, n):
        Thread.__init__(self)
        self.n = n
        self.result = None

    def run(self):
        total = 0
        for i in range(self.n):
            total += i
        self.result = total


w = Worker(1000)
w.start()
w.join()
print(w.result)
print(w.is_alive())

before = time.time()
time.sleep(0.01)
print(time.time() - before >= 0.009)

ready = threading.Lock()
ready.acquire()
said = []


def waiter():
    ready.acquire()
    said.append("second")
    ready.release()


t = Thread(target=waiter)
t.start()
time.sleep(0.01)
said.append("first")
ready.release()
t.join()
print(said)

again = threading.RLock()
with again:
    with again:
        print("twice")
slots = threading.Semaphore(2)
slots.acquire()
slots.acquire()
print(slots.acquire(False))
slots.release()
print(slots.acquire(False))
