# A walk goes on from a removed node to one that may be free
s/if \(__builtin_expect\(behind & SKIPLIST_MARK, 0\)\) \{/if (false) {/
