# The group believes that it still has the global lock after it gave it back: two holders
s/g->owns = others && .*/g->owns = true;\n\tbool keep = others \&\& g->passed < COHORT_HANDOVERS;/
s/if \(g->owns\) \{/if (keep) {/
