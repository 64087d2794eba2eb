# SPDX-License-Identifier: BSD-2-Clause
# Speedup over the sequential program against workers, with the ideal line (y = x) and the attainable
# one: what a kernel reaches that shares nothing, so what frequency, heat and SMT leave.

load 'frame.gp'
load 'lines.gp'

