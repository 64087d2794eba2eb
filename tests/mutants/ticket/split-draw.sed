# Two workers may draw the same ticket and be served together: updates are lost
s/unsigned mine = fetch_add\(&l->next, 1, relaxed\);/unsigned mine = load(\&l->next, relaxed);\n\tstore(\&l->next, mine + 1, relaxed);/
