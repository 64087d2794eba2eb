# The epoch advances past workers that are still reading
s/seen != EPOCH_IDLE && seen != epoch/false/
