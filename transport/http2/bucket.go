package http2

import "time"

// bucket is a budget for what a peer may do without use: a burst, refilled with time and
// by what is of use. It is looked after by its owner's lock.
type bucket struct {
	left, burst int64
	refilled    time.Duration // up to when time was counted
}

func newBucket(burst uint32) bucket { return bucket{left: int64(burst), burst: int64(burst)} }

// spend takes one and says whether there was one. Time is looked at only when the bucket
// is empty, which keeps the usual case to a decrement.
func (b *bucket) spend(now func() time.Duration) bool {
	if b.left == 0 {
		t := now()
		gained := int64(float64(t-b.refilled) / float64(10*time.Second) * float64(b.burst))
		if gained <= 0 {
			return false
		}
		b.left, b.refilled = min(gained, b.burst), t
	}
	b.left--
	return true
}

// earn puts n back.
func (b *bucket) earn(n int64) { b.left = min(b.left+n, b.burst) }
