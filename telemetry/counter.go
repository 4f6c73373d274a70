package telemetry

import "sync/atomic"

// Counter is a number that grows. It is safe for concurrent use, and nothing
// happens when it is nil.
type Counter struct{ n atomic.Int64 }

// Inc adds one.
func (c *Counter) Inc() {
	if c != nil {
		c.n.Add(1)
	}
}

// Add adds n, which should not be negative: readers take a counter that shrinks
// for a restart.
func (c *Counter) Add(n int64) {
	if c != nil {
		c.n.Add(n)
	}
}

// Value returns the sum of what was added.
func (c *Counter) Value() int64 {
	if c == nil {
		return 0
	}
	return c.n.Load()
}

func (c *Counter) read() (Metric, bool) {
	return Metric{Kind: KindCounter, Int: c.Value()}, true
}
