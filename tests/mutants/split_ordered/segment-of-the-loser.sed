# Who comes too late with a segment uses its own, which is freed
/^\t\t\tsegment = none;/d
