package zk

// SetPruning says how many deleted namespaces of s keep a history, and after how many
// deletions it looks. It is called before s is used.
func SetPruning(s *Store, keep, every int) { s.prune.keep, s.prune.every = keep, every }
