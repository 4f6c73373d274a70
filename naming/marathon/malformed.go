package marathon

import (
	"hash/maphash"
	"log/slog"
)

// malformed is something in an answer that cannot be understood.
type malformed struct {
	name string
	raw  []byte
	err  error
}

// complaints remembers what was malformed in the answer before, so that each
// version of it is said once.
type complaints struct {
	seed maphash.Seed
	told map[uint64]bool
}

func newComplaints() *complaints {
	return &complaints{seed: maphash.MakeSeed(), told: map[uint64]bool{}}
}

// note tells l of what is new in bad, and returns how many that are.
func (c *complaints) note(l *slog.Logger, what string, bad []malformed) (fresh uint64) {
	told := make(map[uint64]bool, len(bad))
	for _, m := range bad {
		sum := maphash.Bytes(c.seed, m.raw)
		if !c.told[sum] && !told[sum] {
			fresh++
			l.Warn("left out what cannot be understood", "in", what, "id", m.name, "err", m.err)
		}
		told[sum] = true
	}
	c.told = told
	return fresh
}
