package circuit

import "time"

// Accrual judges one endpoint by its outcomes. The Breaker that owns it calls
// Success from many goroutines at once and, at the same time, Failure and Revived
// from one at a time; implementations are safe for that.
type Accrual interface {
	// Success records a success.
	Success()

	// Failure records a failure and reports whether to take the endpoint out, and
	// for how long. It is also asked about the failure of a probe.
	Failure() (dead time.Duration, trip bool)

	// Revived tells that the endpoint is back after a successful probe: it starts
	// with a clean slate.
	Revived()
}

// Policy makes the Accrual of one endpoint.
type Policy interface {
	New() Accrual
}

// None is the Policy that never takes an endpoint out.
type None struct{}

// New implements Policy.
func (None) New() Accrual { return never{} }

type never struct{}

func (never) Success()                       {}
func (never) Failure() (time.Duration, bool) { return 0, false }
func (never) Revived()                       {}

// Hybrid is the Policy that takes an endpoint out when either of two others does,
// and for the longer of their times when both do. A nil one is None.
type Hybrid struct {
	A, B Policy
}

// New implements Policy.
func (h Hybrid) New() Accrual { return hybrid{accrual(h.A), accrual(h.B)} }

func accrual(p Policy) Accrual {
	if p == nil {
		return never{}
	}
	return p.New()
}

// Default returns Finagle's default Policy: five failures in a row, or less than
// 80 % successes within 30 s. The zero Options use the first half only, as
// Linkerd does.
func Default() Policy { return Hybrid{A: SuccessRateWindowed{}, B: ConsecutiveFailures{}} }

type hybrid struct{ a, b Accrual }

func (h hybrid) Success() {
	h.a.Success()
	h.b.Success()
}

func (h hybrid) Failure() (time.Duration, bool) {
	d1, t1 := h.a.Failure()
	d2, t2 := h.b.Failure()
	switch {
	case t1 && t2:
		return max(d1, d2), true
	case t1:
		return d1, true
	default:
		return d2, t2
	}
}

func (h hybrid) Revived() {
	h.a.Revived()
	h.b.Revived()
}
