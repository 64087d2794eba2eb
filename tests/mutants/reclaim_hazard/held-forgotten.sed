# A node that somebody holds is neither freed nor kept for later
s/bag->node\[kept\+\+\] = bag->node\[i\];/;/
