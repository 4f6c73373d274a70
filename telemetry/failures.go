package telemetry

import (
	"strings"
	"sync"
)

// DefaultFailureNames is how many distinct names a Failures keeps unless told
// otherwise.
const DefaultFailureNames = 64

// FailuresOther is the name under which failures count that came after the
// names were used up.
const FailuresOther = "other"

// FailuresOptions configure a Failures. The zero value is the default.
type FailuresOptions struct {
	// Name is the element below the scope. Empty is "failures"; "exn" and
	// "sourcedfailures" work alike.
	Name string

	// Max bounds the number of distinct names on all levels together, since names
	// may come from outside. Zero is DefaultFailureNames.
	Max int
}

// Failures counts failures by the chain of their names: the total, and one for
// each prefix of the chain. It is safe for concurrent use, and nothing happens
// when it is nil.
type Failures struct {
	root  failureNode
	other string
	max   int

	mu   sync.RWMutex
	made int // names below root
}

type failureNode struct {
	scope *Scope
	count *Counter
	kids  map[string]*failureNode // under Failures.mu
}

// NewFailures returns the failures of s, nil if that is nil.
func NewFailures(s *Scope, opts FailuresOptions) *Failures {
	if s == nil {
		return nil
	}
	if opts.Name == "" {
		opts.Name = "failures"
	}
	if opts.Max <= 0 {
		opts.Max = DefaultFailureNames
	}
	at := s.Scope(opts.Name)
	return &Failures{root: failureNode{scope: at, count: at.Counter()}, other: FailuresOther, max: opts.Max}
}

// Record counts one failure with the names from the outermost to the cause. See
// FailureNames for the names that dashboards know. A name that is new after the
// names were used up counts as FailuresOther, and so does the rest of its chain.
func (f *Failures) Record(names ...string) {
	if f == nil {
		return
	}
	at := &f.root
	at.count.Inc()
	for _, name := range names {
		next := f.find(at, name)
		if next == nil {
			at.scope.Counter(f.other).Inc()
			return
		}
		next.count.Inc()
		at = next
	}
}

// RecordError counts one failure with the FailureNames of err.
func (f *Failures) RecordError(err error) {
	if f != nil {
		f.Record(FailureNames(err)...)
	}
}

// Total returns the number of failures.
func (f *Failures) Total() int64 {
	if f == nil {
		return 0
	}
	return f.root.count.Value()
}

func (f *Failures) find(at *failureNode, name string) *failureNode {
	f.mu.RLock()
	n := at.kids[name]
	f.mu.RUnlock()
	if n != nil {
		return n
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := at.kids[name]; n != nil {
		return n
	}
	if f.made >= f.max {
		return nil
	}
	f.made++
	if at.kids == nil {
		at.kids = make(map[string]*failureNode)
	}
	name = strings.Clone(name)
	scope := at.scope.Scope(name)
	n = &failureNode{scope: scope, count: scope.Counter()}
	at.kids[name] = n
	return n
}
