# A worker that is between operations holds up all freeing
s/seen != EPOCH_IDLE && //
