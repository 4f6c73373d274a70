package consul

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// troubles keeps count of what fails at present, by kind, so that a kind is said
// once however many watches meet it, and once more when it is over. It is safe for
// concurrent use.
type troubles struct {
	logger *slog.Logger

	mu      sync.Mutex
	counts  map[string]int // of the watches that fail in that way
	failing int            // of all
}

func newTroubles(l *slog.Logger, agent string) *troubles {
	return &troubles{logger: l.With("agent", agent), counts: map[string]int{}}
}

// change notes that a watch which failed in one way, or not at all if that is
// empty, now fails in the way of err, or not at all if that is nil. It returns the
// new way.
func (t *troubles) change(was string, err error) string {
	now := kindOf(err)
	if was == now {
		return now
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if was != "" {
		t.failing--
		if t.counts[was]--; t.counts[was] == 0 {
			delete(t.counts, was)
			t.logger.Info("consul no longer fails so", "kind", was)
		}
	}
	if now != "" {
		t.failing++
		if t.counts[now]++; t.counts[now] == 1 {
			t.logger.Warn("consul fails, what was known holds; will go on asking", "kind", now, "err", err)
		}
	}
	return now
}

// count returns how many watches fail.
func (t *troubles) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failing
}

// connection is the kind of whatever keeps an answer from coming.
const connection = "connection"

// kindOf tells errors apart that are worth a line of the log each.
func kindOf(err error) string {
	if err == nil {
		return ""
	}
	if s, ok := errors.AsType[*StatusError](err); ok {
		return fmt.Sprintf("status %d", s.Status)
	}
	if errors.Is(err, ErrFiltered) {
		return "permission"
	}
	if errors.Is(err, errGarbled) || errors.Is(err, errRejected) {
		return "content"
	}
	return connection
}
