# release forgets that more are parked: they are never woken (three workers)
# SPDX-License-Identifier: BSD-2-Clause
s/more \? PARKING_PARKED : 0/0/
