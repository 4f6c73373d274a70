package circuit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ConsecutiveFailures is the Policy that takes an endpoint out at the N-th failure
// in a row, and at each later one.
type ConsecutiveFailures struct {
	// N is the number of failures. Zero is 5.
	N int

	// Backoff gives the times. Nil is 5 s doubling to 300 s with jitter.
	Backoff Backoff
}

// Validate returns an error for a negative N.
func (c ConsecutiveFailures) Validate() error {
	if c.N < 0 {
		return fmt.Errorf("circuit: consecutive failures: %d: must be at least 1", c.N)
	}
	return nil
}

// New implements Policy.
func (c ConsecutiveFailures) New() Accrual {
	if c.N == 0 {
		c.N = 5
	}
	return &consecutive{limit: int64(c.N), backoff: position{backoff: c.Backoff}}
}

type consecutive struct {
	limit    int64
	failures atomic.Int64

	mu      sync.Mutex
	backoff position
}

// Success writes only when there is something to reset, so that the cache line
// stays shared while all is well.
func (c *consecutive) Success() {
	if c.failures.Load() != 0 {
		c.failures.Store(0)
	}
}

func (c *consecutive) Failure() (time.Duration, bool) {
	if c.failures.Add(1) < c.limit {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backoff.next(), true
}

func (c *consecutive) Revived() {
	c.failures.Store(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backoff.reset()
}
