# all who wait are one entry of the queue (three workers)
# SPDX-License-Identifier: BSD-2-Clause
s/\tstruct parking_waiter me;/\tstatic struct parking_waiter me;/
