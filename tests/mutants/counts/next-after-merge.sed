# looks for the next in the queue in an object that another may have freed
# SPDX-License-Identifier: BSD-2-Clause
s/next = o->next; .*//
s/for \(; o; o = next\) \{/for (; o; o = o->next) {/
