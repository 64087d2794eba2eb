# The lock is left free while some are set aside: they wait for ever
s/!me->aside && \/\*/\/*/
