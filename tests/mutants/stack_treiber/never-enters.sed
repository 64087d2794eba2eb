# A pop does not announce that it reads
/reclaim->enter\(me\);/d
