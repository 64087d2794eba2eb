# A changed place is retired, whatever the change was
s/done && q->verb == REQUEST_REMOVE/done/
