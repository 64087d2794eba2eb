# those who sleep are never woken
# SPDX-License-Identifier: BSD-2-Clause
s/parking_release\(&l->parking, NULL\);/store(\&l->parking.state, 0, release);/
