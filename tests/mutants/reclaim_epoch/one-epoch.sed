# What was unlinked one epoch ago may still be held
s/epoch \+ 2 <= now/epoch + 1 <= now/
