package telemetry

import "sync/atomic"

// LateCounter is a counter that is not in the tree before it is needed, and costs a word
// of memory until then. The zero value is ready for use.
type LateCounter struct{ made atomic.Pointer[Counter] }

// In returns the counter at the path elems below s, which must be the same for all calls.
// It is made by the first.
func (l *LateCounter) In(s *Scope, elems ...string) *Counter {
	if c := l.made.Load(); c != nil {
		return c
	}
	c := s.Counter(elems...)
	if c != nil {
		l.made.Store(c)
	}
	return c
}

// LateStat is a stat that is not in the tree before it is needed, and costs a word of
// memory until then. The zero value is ready for use.
type LateStat struct{ made atomic.Pointer[Stat] }

// In returns the stat at the path elems below s, which must be the same for all calls. It
// is made by the first.
func (l *LateStat) In(s *Scope, elems ...string) *Stat {
	if t := l.made.Load(); t != nil {
		return t
	}
	t := s.Stat(elems...)
	if t != nil {
		l.made.Store(t)
	}
	return t
}

// LateFailures is a Failures that is not in the tree before there is a failure, and costs a
// word of memory until then. The zero value is ready for use.
type LateFailures struct{ made atomic.Pointer[Failures] }

// In returns the failures of s, whose options must be the same for all calls. They are made
// by the first.
func (l *LateFailures) In(s *Scope, opts FailuresOptions) *Failures {
	if f := l.made.Load(); f != nil {
		return f
	}
	l.made.CompareAndSwap(nil, NewFailures(s, opts))
	return l.made.Load()
}
