package fs

import "time"

// settler decides when the readings of one file may be believed. There is no way
// to ask whether a writer has finished, so it goes by time: content that looks
// whole must not have changed for quiet, content that looks unfinished for
// patience.
type settler struct {
	quiet, patience time.Duration

	believed reading
	settled  bool // believed holds something

	candidate reading
	unsettled bool      // candidate holds something other than believed
	since     time.Time // when candidate was first seen
	begun     time.Time // when the file was first seen to differ from believed
}

// observe takes note of a reading made at now. It returns true when the reading
// is to be believed from now on. Otherwise wait is how long to wait before the
// next look, or 0 if nothing is undecided.
func (s *settler) observe(now time.Time, r reading, unfinished bool) (believe bool, wait time.Duration) {
	if s.settled && r.same(s.believed) {
		s.unsettled, s.candidate = false, reading{}
		return false, 0
	}
	if !s.unsettled {
		s.unsettled, s.begun = true, now
		s.candidate, s.since = r, now
	} else if !r.same(s.candidate) {
		s.candidate, s.since = r, now
	}
	calm := now.Sub(s.since)
	if !r.modified.IsZero() {
		calm = max(calm, now.Sub(r.modified))
	}
	unfinished = unfinished || s.settled && r.begins(s.believed)
	need := s.quiet
	if unfinished {
		need = s.patience
	}
	// A file that never rests must not stay unread for ever, as long as what is seen
	// of it looks whole.
	restless := !unfinished && now.Sub(s.begun) >= s.patience
	if calm >= need || restless {
		s.believed, s.settled = r, true
		s.candidate, s.unsettled = reading{}, false
		return true, 0
	}
	return false, max(need-calm, time.Millisecond)
}
