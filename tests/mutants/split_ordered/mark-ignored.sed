# A removed node is found
s/if \(next & SPLIT_GONE\) \{/if (false) {/
s/\tif \(next & SPLIT_GONE\)$/\tif (false)/
