package retry

import (
	"fmt"
	"time"
)

// Backoff is a sequence of delays. It keeps no state, so that one value serves
// every request at once: the caller says where in the sequence it is.
type Backoff interface {
	// Next returns the delay before the attempt-th repetition, counting from 1.
	// prev is what it returned for the one before, 0 at first. A negative delay
	// ends the sequence.
	Next(attempt int, prev time.Duration) time.Duration
}

// Constant is the Backoff of one fixed delay. Zero repeats at once.
type Constant time.Duration

// Next implements Backoff.
func (c Constant) Next(int, time.Duration) time.Duration { return time.Duration(c) }

// Validate returns an error for a negative delay.
func (c Constant) Validate() error {
	if c < 0 {
		return fmt.Errorf("retry: constant backoff %v: must not be negative", time.Duration(c))
	}
	return nil
}

// List is the Backoff of exactly these delays; it ends after the last one. It must
// not be written to.
type List []time.Duration

// Next implements Backoff.
func (l List) Next(attempt int, _ time.Duration) time.Duration {
	if attempt < 1 || attempt > len(l) {
		return -1
	}
	return l[attempt-1]
}

// Validate returns an error for a negative delay.
func (l List) Validate() error {
	for i, d := range l {
		if d < 0 {
			return fmt.Errorf("retry: backoff list: delay %d is %v: must not be negative", i+1, d)
		}
	}
	return nil
}

// Limit is a Backoff that ends after N delays of another. A nil Backoff repeats at
// once.
type Limit struct {
	Backoff Backoff
	N       int
}

// Next implements Backoff.
func (l Limit) Next(attempt int, prev time.Duration) time.Duration {
	if attempt > l.N {
		return -1
	}
	return next(l.Backoff, attempt, prev)
}

// next reads b, of which nil is the Backoff without delays.
func next(b Backoff, attempt int, prev time.Duration) time.Duration {
	if b == nil {
		return 0
	}
	return b.Next(attempt, prev)
}
