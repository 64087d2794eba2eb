# a writer does not wait for the readers that came before it: they see a torn record
# SPDX-License-Identifier: BSD-2-Clause
s/if \(load\(&l->readers_out, acquire\) != came\)/if (0)/
