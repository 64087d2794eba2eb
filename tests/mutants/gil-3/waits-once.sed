# who has waited for one interval takes the lock even where it is held: two holders
s/while \(l->locked\)/if (l->locked)/
