# Who comes too late with a dummy notes its own, which is put back
/dummy = at\.node;/d
