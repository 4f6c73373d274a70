package consul

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// longWait is how long a query blocks. It bounds for how long a connection can be
	// waited for that leads nowhere while others do lead to the agent.
	longWait = time.Minute

	// cycle is how often each of too many names has its turn.
	cycle = 10 * time.Second

	minWait = 100 * time.Millisecond
)

// turns bounds the queries at the same time. As long as there is room for all, a
// query may block for a minute; if there is not, all of them are short and each gets
// its turn, in the order of coming. It is safe for concurrent use.
type turns struct {
	free    chan struct{} // one per query that may begin
	crowded func()        // called when there is no longer room for all

	mu    sync.Mutex
	names int
}

func newTurns(n int, crowded func()) *turns {
	t := &turns{free: make(chan struct{}, n), crowded: crowded}
	for range n {
		t.free <- struct{}{}
	}
	return t
}

// join counts a name, and returns how to leave.
func (t *turns) join() (leave func()) {
	t.mu.Lock()
	t.names++
	full := t.names == cap(t.free)+1
	t.mu.Unlock()
	if full {
		t.crowded()
	}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.names--
	}
}

// take waits for a turn.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	select {
	case <-t.free:
		return func() { t.free <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// wait returns how long a query may block, shortened by a random part so that
// those of names that were looked up together do not end together.
func (t *turns) wait() time.Duration {
	t.mu.Lock()
	names := t.names
	t.mu.Unlock()
	wait := longWait
	if n := cap(t.free); names > n {
		wait = max(cycle*time.Duration(n)/time.Duration(names), minWait)
	}
	return wait - rand.N(wait/4)
}
