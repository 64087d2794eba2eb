# Only what the worker itself publishes is kept
s/hazard_published_by\(&r->worker\[i\], published\)/hazard_published_by(me, published)/
