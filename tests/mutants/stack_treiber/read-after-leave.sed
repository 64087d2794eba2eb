# The value is read when the node may be free
/\*value = node->value;/d
s/^\treclaim->leave\(me\);/&\n\t*value = node->value;/
