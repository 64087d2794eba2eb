# try_acquire says yes whatever it found
# SPDX-License-Identifier: BSD-2-Clause
s/return parking_try_acquire\(&l->parking, NULL\);/parking_try_acquire(\&l->parking, NULL); return true;/
