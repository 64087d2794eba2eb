# the server does not learn of the release: whoever asks next waits for ever
# SPDX-License-Identifier: BSD-2-Clause
s/if \(\*owner && !load\(&\(\*owner\)->owns, acquire\)\)/if (0)/
