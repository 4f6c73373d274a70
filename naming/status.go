package naming

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
)

// Reporter is implemented by namers, interpreters and whatever else follows the
// outside world, and can say how that goes: for explain, the admin server and metrics.
type Reporter interface {
	// Watches returns the state of every watch that runs or lingers, in the order of
	// what they watch. It is safe for concurrent use.
	Watches() []WatchStatus
}

// WatchStatus is what one watch believes and why.
type WatchStatus struct {
	// Watching says what is watched: a service, a path, a file.
	Watching string

	// Since is when the watch began.
	Since time.Time

	// Known reports that there was a good answer, Answer what it was in a few words,
	// Version what its source calls its version (a resourceVersion, an index, a
	// zxid; empty if it has none), and Updated when the source last gave or confirmed it.
	Known   bool
	Answer  string
	Version string
	Updated time.Time

	// Err is why nothing newer is known, and ErrSince when that began. Err is nil
	// while the watch is well.
	Err      error
	ErrSince time.Time

	// Updates counts the good answers, Failures the failures.
	Updates, Failures uint64
}

// Pending reports that the watch has had neither an answer nor a failure.
func (s WatchStatus) Pending() bool { return !s.Known && s.Err == nil }

// String returns the status in one line, with ages as of now.
func (s WatchStatus) String() string { return s.Text(time.Now()) }

// Text returns the status in one line, with ages as of now.
func (s WatchStatus) Text(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", s.Watching)
	switch {
	case s.Pending():
		fmt.Fprintf(&b, "no answer yet, for %s", age(now, s.Since))
		return b.String()
	case !s.Known:
		b.WriteString("never answered")
	default:
		b.WriteString(s.Answer)
		if s.Version != "" {
			fmt.Fprintf(&b, ", version %s", s.Version)
		}
		if d := age(now, s.Updated); d < time.Second {
			b.WriteString(", just now")
		} else {
			fmt.Fprintf(&b, ", %s old", d)
		}
	}
	if s.Err != nil {
		fmt.Fprintf(&b, "; failing for %s: %v", age(now, s.ErrSince), s.Err)
	}
	return b.String()
}

func age(now, then time.Time) time.Duration {
	d := now.Sub(then)
	if d > time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}

// Watches implements Reporter for whatever a Shared is in. The keys are printed as
// fmt does, so a key that is a struct should have a String method.
func (s *Shared[K, T]) Watches() []WatchStatus {
	s.mu.Lock()
	all := make([]*watch[K, T], 0, len(s.watches))
	for _, w := range s.watches {
		all = append(all, w)
	}
	s.mu.Unlock()
	list := make([]WatchStatus, len(all))
	for i, w := range all {
		list[i] = w.statusNow()
	}
	slices.SortFunc(list, func(a, b WatchStatus) int { return strings.Compare(a.Watching, b.Watching) })
	return list
}

// statusNow returns the status with the text of the answer, which is made when
// somebody asks for it.
func (w *watch[K, T]) statusNow() WatchStatus {
	w.report.Lock()
	st, v := w.status, w.state.Value
	w.report.Unlock()
	st.Watching = fmt.Sprint(w.key)
	if st.Known {
		st.Answer = summary(v)
	}
	return st
}

// noteGood and noteFailure keep the status. The report mutex is held.
func (w *watch[K, T]) noteGood(version string) {
	s := &w.status
	s.Known, s.Version, s.Updated = true, version, time.Now()
	s.Err, s.ErrSince = nil, time.Time{}
	s.Updates++
}

func (w *watch[K, T]) noteFailure(err error) {
	s := &w.status
	if s.Err == nil {
		s.ErrSince = time.Now()
	}
	s.Err = err
	s.Failures++
}

// summary describes the value of a watch.
func summary(v any) string {
	switch v := v.(type) {
	case weft.EndpointSet:
		switch {
		case v.Neg:
			return "no such name"
		case len(v.Endpoints) == 1:
			return "1 endpoint"
		default:
			return fmt.Sprintf("%d endpoints", len(v.Endpoints))
		}
	case dtab.Dtab:
		return fmt.Sprintf("%d rules", len(v))
	case dtab.Tree[*Bound]:
		return treeSummary(v)
	case fmt.Stringer:
		return v.String()
	default:
		return "an answer"
	}
}

// treeSummary describes what a name is bound to.
func treeSummary(t dtab.Tree[*Bound]) string {
	switch t.Op {
	case dtab.Leaf:
		if t.Value != nil {
			return t.Value.ID.String()
		}
	case dtab.Neg:
		return "no such name"
	case dtab.Fail:
		return "fail"
	case dtab.Empty:
		return "a name without members"
	case dtab.Alt, dtab.Union:
	}
	return fmt.Sprintf("a choice of %d names", len(t.Kids))
}
