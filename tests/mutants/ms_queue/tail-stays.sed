# The tail stays on a node that is retired
s/^\t\tif \(tail == head\)/\t\tif (false)/
