# release forgets that more are parked: they are never woken (three workers)
s/more \? PARKING_PARKED : 0/0/
