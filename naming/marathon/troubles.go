package marathon

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// troubles keeps count of what fails at present, by kind, so that a kind is said
// once however many watches meet it, and once more when it is over for all of them.
// It is safe for concurrent use.
type troubles struct {
	logger *slog.Logger

	mu     sync.Mutex
	counts map[string]int // of the watches that have failed in that way since they were well
}

func newTroubles(l *slog.Logger, api string) *troubles {
	return &troubles{logger: l.With("marathon", api), counts: map[string]int{}}
}

// trouble is that of one watch. A watch that fails now in one way and now in another
// is still in all of them.
type trouble struct {
	all   *troubles
	kinds map[string]bool
}

func (t *troubles) watch() *trouble { return &trouble{all: t, kinds: map[string]bool{}} }

// note takes the outcome of a question.
func (t *trouble) note(err error) {
	kind := kindOf(err)
	if kind == "" {
		for _, k := range t.over() {
			t.all.logger.Info("marathon no longer fails so", "kind", k)
		}
		return
	}
	if t.kinds[kind] {
		return
	}
	t.kinds[kind] = true
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	if t.all.counts[kind]++; t.all.counts[kind] == 1 {
		t.all.logger.Warn("marathon fails, what was known holds; will go on asking", "kind", kind, "err", err)
	}
}

// over notes that the watch is well or has ended, and returns the kinds that are over
// for all.
func (t *trouble) over() (kinds []string) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	for k := range t.kinds {
		if t.all.counts[k]--; t.all.counts[k] == 0 {
			delete(t.all.counts, k)
			kinds = append(kinds, k)
		}
	}
	clear(t.kinds)
	return kinds
}

// kindOf tells errors apart that are worth a line of the log each.
func kindOf(err error) string {
	status, answered := errors.AsType[*StatusError](err)
	switch {
	case err == nil, errors.Is(err, errNoApp):
		return ""
	case answered:
		return fmt.Sprintf("status %d", status.Status)
	case errors.Is(err, errGarbled):
		return "content"
	default:
		return "connection"
	}
}
