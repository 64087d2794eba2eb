# merges for a gone thread though another has joined under its number
# SPDX-License-Identifier: BSD-2-Clause
s/bool gone = load.*/bool gone = true;/
