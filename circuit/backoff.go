package circuit

import (
	"math/rand/v2"
	"time"
)

// Backoff is the sequence of times for which an endpoint is left alone. The
// backoffs of package retry implement it.
type Backoff interface {
	// Next returns the attempt-th time since the endpoint was last well, counting
	// from 1. prev is what it returned for the one before, 0 at first. A negative
	// time ends the sequence.
	Next(attempt int, prev time.Duration) time.Duration
}

// The backoff of accrual policies when none is given, and the time after the end
// of a finite one.
const (
	firstDead   = 5 * time.Second
	longestDead = 300 * time.Second
)

// equalJitter doubles from base to longest and draws from the upper half, also at
// the end, so that the clients of an endpoint do not probe it all at once.
type equalJitter struct{ base, longest time.Duration }

func (j equalJitter) Next(attempt int, _ time.Duration) time.Duration {
	if attempt <= 1 {
		return j.base
	}
	d := j.longest
	if shift := attempt - 1; shift < 32 && j.base <= j.longest>>shift {
		d = j.base << shift
	}
	return d/2 + time.Duration(rand.Float64()*float64(d/2))
}

// position is a place in a Backoff.
type position struct {
	backoff Backoff
	attempt int
	prev    time.Duration
}

// next moves on; past the end of the backoff it stays at the longest time.
func (p *position) next() time.Duration {
	b := p.backoff
	if b == nil {
		b = equalJitter{firstDead, longestDead}
	}
	p.attempt++
	p.prev = b.Next(p.attempt, p.prev)
	if p.prev < 0 {
		p.prev = longestDead
	}
	return p.prev
}

func (p *position) reset() { p.attempt, p.prev = 0, 0 }
