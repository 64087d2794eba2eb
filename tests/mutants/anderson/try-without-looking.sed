# try_acquire draws a ticket whether or not it may go: two holders, updates are lost
/if \(load\(&l->slot\[ticket/,/return false;/d
