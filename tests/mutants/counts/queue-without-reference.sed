# the queue has no reference of its own: what is in it may die
# SPDX-License-Identifier: BSD-2-Clause
s/left = queue \? COUNTED_QUEUED :/left = queue ? COUNTED_QUEUED - COUNTED_ONE :/
