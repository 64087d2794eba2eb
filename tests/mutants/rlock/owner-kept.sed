# release leaves its name: it may enter again while another holds the lock
/store\(&l->owner, 0/d
