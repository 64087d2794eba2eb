# Nobody looks at what the last worker announced
s/i < r->workers/i + 1 < r->workers/
