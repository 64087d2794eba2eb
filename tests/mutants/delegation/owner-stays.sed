# the server does not learn of the release: whoever asks next waits for ever
s/if \(\*owner && !load\(&\(\*owner\)->owns, acquire\)\)/if (0)/
