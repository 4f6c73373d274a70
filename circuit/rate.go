package circuit

import (
	"fmt"
	"math"
	"sync"
	"time"
)

const (
	defaultRate     = 0.8
	defaultRequests = 100
)

// SuccessRate is the Policy that takes an endpoint out when a failure brings its
// success rate, an exponential moving average over Requests requests, below Rate.
// It says nothing before that many requests since the start or the last revival,
// so an endpoint that only ever fails is taken out at request number Requests.
type SuccessRate struct {
	// Rate is from 0 to 1. Zero is 0.8.
	Rate float64

	// Requests is the window. Zero is 100.
	Requests int

	// Backoff gives the times. Nil is 5 s doubling to 300 s with jitter.
	Backoff Backoff
}

// Validate returns an error for values out of range.
func (s SuccessRate) Validate() error {
	if s.Requests < 0 {
		return fmt.Errorf("circuit: success rate: %d requests: must be at least 1", s.Requests)
	}
	return validateRate(s.Rate)
}

// New implements Policy.
func (s SuccessRate) New() Accrual {
	if s.Rate == 0 {
		s.Rate = defaultRate
	}
	if s.Requests == 0 {
		s.Requests = defaultRequests
	}
	return &rate{
		required: s.Rate,
		requests: int64(s.Requests),
		keep:     math.Exp(-1 / float64(s.Requests)),
		backoff:  position{backoff: s.Backoff},
	}
}

func validateRate(r float64) error {
	if !(r >= 0 && r <= 1) { // so written that NaN is refused
		return fmt.Errorf("circuit: success rate %v: must be from 0 to 1", r)
	}
	return nil
}

// rate is an ema whose stamp is the number of requests, so that the weight of a
// sample is always the same.
type rate struct {
	required float64
	requests int64
	keep     float64

	mu       sync.Mutex
	seen     int64
	value    float64
	failures int // since the start or the last revival
	backoff  position
}

func (r *rate) Success() {
	r.mu.Lock()
	r.update(1)
	r.mu.Unlock()
}

func (r *rate) Failure() (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.update(0)
	r.failures++
	if r.seen < r.requests || r.value >= r.required {
		return 0, false
	}
	return r.backoff.next(), true
}

func (r *rate) Revived() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen, r.value, r.failures = 0, 0, 0
	r.backoff.reset()
}

func (r *rate) update(x float64) {
	if r.seen++; r.seen == 1 {
		r.value = x
		return
	}
	r.value = x*(1-r.keep) + r.value*r.keep
}
