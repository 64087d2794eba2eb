# a safe point acquires what it still holds: it waits for itself
/^\tgil_2_release\(l, node\);/d
