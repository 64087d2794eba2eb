# a reader does not wait for the writer whose mark it finds: it reads what is being written
s/^\tif \(mark\)$/\tif (0 \&\& mark)/
