package circuit

import (
	"fmt"
	"sync"
	"time"
)

const (
	defaultWindow        = 30 * time.Second
	defaultMinRequests   = 5
	defaultEarlyRequests = 20

	rateSlices = 5
)

// SuccessRateWindowed is the Policy that takes an endpoint out when a failure
// brings its success rate below Rate. Once Window has passed since the start or
// the last revival, the rate is an exponential moving average over Window, and at
// least MinRequests of the last Window must have been seen.
//
// Until then that average depends too much on its first sample to be used. Finagle
// says nothing at all for that time; this policy compares the plain share of
// successes, from EarlyRequests requests on. A negative EarlyRequests is
// Finagle's way.
type SuccessRateWindowed struct {
	// Rate is from 0 to 1. Zero is 0.8.
	Rate float64

	// Window is the memory of the average. Zero is 30 s.
	Window time.Duration

	// MinRequests is the least traffic to judge by. Zero is 5; negative is any.
	MinRequests int

	// EarlyRequests is the least traffic to judge by before Window has passed. Zero
	// is 20, or MinRequests if that is more; negative is not to judge then.
	EarlyRequests int

	// Backoff gives the times. Nil is 5 s doubling to 300 s with jitter.
	Backoff Backoff
}

// Validate returns an error for values out of range.
func (s SuccessRateWindowed) Validate() error {
	if s.Window < 0 {
		return fmt.Errorf("circuit: success rate: window %v: must be positive", s.Window)
	}
	return validateRate(s.Rate)
}

// New implements Policy.
func (s SuccessRateWindowed) New() Accrual {
	if s.Rate == 0 {
		s.Rate = defaultRate
	}
	if s.Window == 0 {
		s.Window = defaultWindow
	}
	if s.MinRequests == 0 {
		s.MinRequests = defaultMinRequests
	}
	if s.EarlyRequests == 0 {
		s.EarlyRequests = max(defaultEarlyRequests, s.MinRequests)
	}
	return &windowedRate{
		options: s,
		began:   time.Now(),
		average: ema{window: float64(s.Window)},
		count:   newCounter(s.Window, rateSlices),
		backoff: position{backoff: s.Backoff},
	}
}

type windowedRate struct {
	options SuccessRateWindowed

	mu      sync.Mutex
	began   time.Time // start or last revival
	average ema
	count   counter // requests of the last window
	total   int     // requests since began, until the window has passed
	good    int     // the successes of these
	backoff position

	seen     int64 // requests and failures since began, for Describe
	failures int
}

func (w *windowedRate) Success() {
	w.mu.Lock()
	w.update(1)
	w.mu.Unlock()
}

func (w *windowedRate) Failure() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures++
	if !w.update(0) {
		return 0, false
	}
	return w.backoff.next(), true
}

func (w *windowedRate) Revived() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = time.Now()
	w.average.reset()
	w.count.reset()
	w.total, w.good = 0, 0
	w.seen, w.failures = 0, 0
	w.backoff.reset()
}

// update records an outcome and reports whether the rate is now too low.
func (w *windowedRate) update(x float64) (low bool) {
	since := time.Since(w.began)
	value := w.average.update(int64(since), x)
	w.seen++
	w.count.add(since)
	if since >= w.options.Window {
		return value < w.options.Rate && w.count.sum(since) >= int64(w.options.MinRequests)
	}
	w.total++
	if x > 0 {
		w.good++
	}
	early := w.options.EarlyRequests
	return early > 0 && w.total >= early && float64(w.good) < w.options.Rate*float64(w.total)
}
