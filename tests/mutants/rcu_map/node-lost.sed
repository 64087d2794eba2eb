# A node made for a key that is there already is not put back
/^\tif \(found\)$/{N;s/nodes_put\(m->nodes, worker, node\)//}
