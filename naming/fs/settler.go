package fs

import "time"

// openPatience is how many times longer than its patience a settler waits while a
// writer has the file open. There are programs that never close their files.
const openPatience = 20

// settler decides when the readings of one file may be believed. Writers do not
// say when they have finished, so it goes by time: content that looks whole must
// not have changed for quiet, content that looks unfinished for patience. Where a
// writer can be seen to have the file open it gets longer.
type settler struct {
	quiet, patience time.Duration

	believed reading
	settled  bool // believed holds something

	candidate reading
	unsettled bool      // candidate holds something other than believed
	since     time.Time // when candidate was first seen
	begun     time.Time // when the file was first seen to differ from believed
}

// observe takes note of a reading made at now; touched says that the file is
// known to have changed since the one before. It returns true when the reading is
// to be believed from now on. Otherwise wait is how long to wait before the next
// look, or 0 if nothing is undecided.
func (s *settler) observe(now time.Time, r reading, unfinished, touched bool) (believe bool, wait time.Duration) {
	if s.settled && r.same(s.believed) {
		s.unsettled, s.candidate = false, reading{}
		return false, 0
	}
	if !s.unsettled {
		s.unsettled, s.begun = true, now
		s.candidate, s.since = r, now
	} else if touched || !r.same(s.candidate) {
		// A file that is emptied time and again may be seen empty each time, and what it
		// held in between missed.
		s.candidate, s.since = r, now
	}
	unfinished = unfinished || s.settled && r.begins(s.believed)
	calm := now.Sub(s.since)
	// How old content is says more than how long it has been seen, except where that
	// would take away from a good state: what stalled the writer may have kept this
	// look from being made earlier.
	if !r.modified.IsZero() && !r.modified.After(now) && !(unfinished && s.settled) {
		calm = now.Sub(r.modified)
	}
	need, limit := s.quiet, s.patience
	if unfinished {
		need = s.patience
	}
	if r.writing {
		need, limit = openPatience*s.patience, openPatience*s.patience
	}
	// A file that never rests must not stay unread for ever, as long as what is seen
	// of it looks whole.
	restless := !unfinished && now.Sub(s.begun) >= limit
	if calm >= need || restless {
		s.believed, s.settled = r, true
		s.candidate, s.unsettled = reading{}, false
		return true, 0
	}
	if r.writing {
		return false, s.quiet // the end of writing need not be reported
	}
	return false, max(need-calm, time.Millisecond)
}
