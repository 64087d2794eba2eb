# A group hands the lock on and gives the global lock back as well: two holders
s/^\t\tg->passed\+\+;/&\n\t\tcohort_give(\&l->global);/
