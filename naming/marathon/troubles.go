package marathon

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

	mu     sync.Mutex
	counts map[string]int // of the watches that fail in that way
}

func newTroubles(l *slog.Logger, api string) *troubles {
	return &troubles{logger: l.With("marathon", api), counts: map[string]int{}}
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
	if now != "" {
		if t.counts[now]++; t.counts[now] == 1 {
			t.logger.Warn("marathon fails, what was known holds; will go on asking", "kind", now, "err", err)
		}
	}
	if t.drop(was) {
		t.logger.Info("marathon no longer fails so", "kind", was)
	}
	return now
}

// leave notes that a watch is over that failed in some way.
func (t *troubles) leave(was string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(was)
}

// drop reports whether nobody fails in that way any more. The mutex is held.
func (t *troubles) drop(kind string) bool {
	if kind == "" {
		return false
	}
	t.counts[kind]--
	if t.counts[kind] > 0 {
		return false
	}
	delete(t.counts, kind)
	return true
}

// kindOf tells errors apart that are worth a line of the log each.
func kindOf(err error) string {
	status, answered := errors.AsType[*StatusError](err)
	switch {
	case err == nil, errors.Is(err, errNoApp):
		return ""
	case errors.Is(err, errLogin):
		return "login"
	case answered:
		return fmt.Sprintf("status %d", status.Status)
	case errors.Is(err, errGarbled):
		return "content"
	default:
		return "connection"
	}
}
