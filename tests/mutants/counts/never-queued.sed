# what others drop of the owner's references is never merged: it lives for ever
# SPDX-License-Identifier: BSD-2-Clause
s/queue = seen == COUNTED_DEFAULT.*/queue = false;/
