# "Empty" is answered though others have items
s/^(\t+)if \(relaxed_lane_take\(&q->lane\[at\], &tail, value\)\)/\1if (relaxed_lane_take(me, \&tail, value))/
