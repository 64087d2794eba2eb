# A release that finds no link yet lets the newcomer wait for ever
s/while \(!\(after = load\(&me->next, acquire\)\)\)/if (!(after = load(\&me->next, acquire))) return;\n\t\twhile (0)/
