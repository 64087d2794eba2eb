# A removal that finds its node removed already removes it again
s/if \(link & LIST_MARK \|\|$/if (/
