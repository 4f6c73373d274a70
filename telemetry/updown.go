package telemetry

import "sync/atomic"

// UpDown is a gauge that its owner moves: requests in flight, open connections.
// It is safe for concurrent use, and nothing happens when it is nil.
type UpDown struct{ n atomic.Int64 }

// Inc adds one.
func (u *UpDown) Inc() { u.Add(1) }

// Dec takes one away.
func (u *UpDown) Dec() { u.Add(-1) }

// Add adds n, which may be negative.
func (u *UpDown) Add(n int64) {
	if u != nil {
		u.n.Add(n)
	}
}

// Set makes n the value.
func (u *UpDown) Set(n int64) {
	if u != nil {
		u.n.Store(n)
	}
}

// Value returns the current value.
func (u *UpDown) Value() int64 {
	if u == nil {
		return 0
	}
	return u.n.Load()
}

func (u *UpDown) read() (Metric, bool) {
	return Metric{Kind: KindGauge, Float: float64(u.Value())}, true
}
