# Two workers may see the lock free before either takes it: updates are lost
s/while \(exchange\(&l->held, 1, acquire\)\)/while (load(\&l->held, acquire))/
/A0: acquire; pairs with A1/,/^}/s/^(\t\tcpu_relax\(\);)/\1\n\tstore(\&l->held, 1, relaxed);/
