# try_acquire is granted while another owns the lock: two owners
s/answer = DELEGATION_REFUSED;/answer = DELEGATION_DONE;/
