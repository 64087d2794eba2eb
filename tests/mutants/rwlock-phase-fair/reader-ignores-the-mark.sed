# a reader does not wait for the writer whose mark it finds: it reads what is being written
# SPDX-License-Identifier: BSD-2-Clause
s/^\tif \(mark\)$/\tif (0 \&\& mark)/
