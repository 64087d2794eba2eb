# The tail stays on a segment that is retired
s/if \(load\(&q->tail, acquire\) == head\)/if (false)/
