package naming

// State is what is known about something that is looked up. The zero State is
// pending: nothing is known yet.
//
//	Known  Err    meaning
//	false  nil    pending
//	false  set    failed, and there never was a value
//	true   nil    Value holds
//	true   set    stale: Value is the last good one, Err is why there is no newer one
type State[T any] struct {
	Value T
	Known bool
	Err   error

	// Version is what the source of Value calls its version, such as a
	// resourceVersion, an index or a zxid. It is for people; a Watcher sets it, and
	// the status of the watch shows it.
	Version string
}

// At returns s with its source's version.
func (s State[T]) At(version string) State[T] {
	s.Version = version
	return s
}

// Ok returns the state in which v holds.
func Ok[T any](v T) State[T] { return State[T]{Value: v, Known: true} }

// Failed returns the state of a look-up that never had a value.
func Failed[T any](err error) State[T] { return State[T]{Err: err} }

// Pending reports that nothing is known yet, neither a value nor an error.
func (s State[T]) Pending() bool { return !s.Known && s.Err == nil }
