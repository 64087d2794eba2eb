# A segment that came too late is not put back
/nodes_put\(&q->nodes, worker, own\);/s/nodes_put\(&q->nodes, worker, own\);/;/
