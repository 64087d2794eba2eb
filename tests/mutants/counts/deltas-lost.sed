# a thread leaves without what it counted of deferred objects
# SPDX-License-Identifier: BSD-2-Clause
s/^\t\tcounts_flush\(me\);//
