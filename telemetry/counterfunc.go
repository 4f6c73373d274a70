package telemetry

import "sync/atomic"

// CounterFunc is a counter whose owner counts elsewhere and is asked when
// somebody looks. It is safe for concurrent use; a nil CounterFunc reads 0.
type CounterFunc struct {
	fn atomic.Pointer[func() int64]
}

// Value asks for the count.
func (c *CounterFunc) Value() int64 {
	if c == nil {
		return 0
	}
	if fn := c.fn.Load(); fn != nil && *fn != nil {
		return (*fn)()
	}
	return 0
}

func (c *CounterFunc) read() (Metric, bool) {
	if c.fn.Load() == nil {
		return Metric{}, false // between its making and its first function
	}
	return Metric{Kind: KindCounter, Int: c.Value()}, true
}

// CounterFunc makes read the counter called name below s. Read is called by every
// exporter that walks the tree, concurrently, and must not block. A counter made
// again with the same name reads the newest function.
func (s *Scope) CounterFunc(name string, read func() int64) *CounterFunc {
	if s == nil {
		return nil
	}
	c := install(s.Scope(name), func(*Scope) *CounterFunc { return new(CounterFunc) })
	c.fn.Store(&read)
	return c
}
