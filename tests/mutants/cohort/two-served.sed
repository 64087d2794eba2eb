# The flat lock lets the next in line go while it is held: updates are lost
s/^\tif \(load\(&t->serving, acquire\) != mine\)/\tif (mine - load(\&t->serving, acquire) > 1)/
