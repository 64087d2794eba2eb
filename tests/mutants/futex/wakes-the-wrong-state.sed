# release wakes where nobody sleeps, and not where somebody does: a lost wake-up
s/(FUTEX_FREE, release\) ==) FUTEX_CONTENDED/\1 FUTEX_HELD/
