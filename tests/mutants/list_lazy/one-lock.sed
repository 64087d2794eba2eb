# A removal locks the node before only: another may be linked behind the removed one
s/^\tif \(remove\)/\tif (false)/
