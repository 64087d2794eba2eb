# A node is used though the link changed before it was published
s/if \(again == seen\)/if (true)/
