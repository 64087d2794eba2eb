# A slot that is not filled yet is taken for an empty ring
s/if \(load\(&r->tail, acquire\) == ticket\)/if (true)/
