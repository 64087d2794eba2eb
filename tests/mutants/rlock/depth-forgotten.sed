# acquiring again is not counted: the first release frees the lock
/^\t\tl->count\+\+;/d
