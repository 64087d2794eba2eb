# who takes a dropped lock does not say so: who dropped it waits forever
/pthread_cond_signal\(&l->switched\.cond\)/d
