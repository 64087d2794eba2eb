# SPDX-License-Identifier: BSD-2-Clause
# A server that echoes one byte, beside threads that compute: how long its client, another process,
# waits for each answer. It pauses between them: who asks at once meets the server still running, and
# sees what a lucky streak is like, not what a request is.
# ping.py server INTERPRETER BUSY PINGS SECONDS PUS
#	prints P50 P99 of a request in microseconds, then how many there were; at most so many
#	pings or seconds
# ping.py client PORT PINGS SECONDS PU
import sys

sys.dont_write_bytecode = True
import socket

from common import *

stop = False


def compute(pu):
    pin(pu)
    while not stop:
        n = 1000
        while n > 0:
            n -= 1


def serve(interpreter, busy, pings, seconds, pus):
    """The server and its client take turns on the first PU; who computes takes the others."""
    global stop
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(('127.0.0.1', 0))
    listener.listen(1)
    client = start_interpreter(interpreter, sys.argv[0], 'client', listener.getsockname()[1],
                               pings, seconds, pus[0])
    listener.settimeout(60)
    connection = listener.accept()[0]
    connection.settimeout(60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(busy):
        thread = threading.Thread(target=compute, args=(pus[(i + 1) % len(pus)],))
        thread.daemon = True
        thread.start()
    pin(pus[0])
    while True:
        byte = connection.recv(1)
        if not byte:
            break
        connection.sendall(byte)
    stop = True
    sys.stdout.write(client.stdout.read())
    if client.wait() != 0:
        raise RuntimeError('the client died')


def ask(port, pings, seconds, pu):
    pin(pu)
    connection = socket.create_connection(('127.0.0.1', port), 60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    warm = pings // 10
    times = []
    end = now() + seconds
    while len(times) < warm + pings and (now() < end or len(times) < warm + 2):
        began = now()
        connection.sendall(b'?')
        if not connection.recv(1):
            raise RuntimeError('the server died')
        times.append(now() - began)
        time.sleep(0.001)
    times = times[min(warm, len(times) // 2):]
    connection.close()
    times.sort()
    count = len(times)
    say('%.1f' % (1e6 * times[count // 2]), '%.1f' % (1e6 * times[count * 99 // 100]), count)


if __name__ == '__main__':
    words = sys.argv[2:]
    if sys.argv[1] == 'client':
        ask(int(words[0]), int(words[1]), float(words[2]), int(words[3]))
    else:
        serve(words[0], int(words[1]), int(words[2]), float(words[3]),
              [int(word) for word in words[4].split(',')])
