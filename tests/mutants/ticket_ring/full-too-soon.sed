# A slot that is not empty yet is taken for a full ring
s/if \(\(int64_t\)\(ticket - load\(&r->head, acquire\)\) > \(int64_t\)r->mask\)/if (true)/
