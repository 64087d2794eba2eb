# SPDX-License-Identifier: BSD-2-Clause
# What this interpreter is: IMPLEMENTATION VERSION LOCK PATH, the lock being "gil" or "free".
import platform
import sys

implementation = platform.python_implementation().lower()
lock = 'gil'
if implementation in ('jython', 'ironpython') or not getattr(sys, '_is_gil_enabled', lambda: True)():
    lock = 'free'
version = '.'.join([str(part) for part in sys.version_info[:3]])
sys.stdout.write('%s %s %s %s\n' % (implementation, version, lock, sys.executable or ''))
