package retry

import (
	"fmt"
	"math"
	"time"
)

// None says "zero" for those numeric options whose zero value means the default,
// such as BudgetOptions.Ratio.
const None = math.MinInt32

const (
	defaultTTL          = 10 * time.Second
	defaultMinPerSecond = 10
	defaultRatio        = 0.2

	// The amounts of a bucket are fixed-point numbers: one request deposits scale.
	scale = 1000

	// A deposit expires a slice at a time; more slices are more exact and slower.
	slices = 10
)

// BudgetOptions configures a Budget. The zero value allows retries of 20 % of the
// requests of the last 10 s, plus 10 per second.
type BudgetOptions struct {
	// TTL is how long a deposit, and a withdrawal, counts: 1 s to 60 s. Zero is
	// 10 s.
	TTL time.Duration

	// MinPerSecond is the rate of retries that is allowed whatever the traffic;
	// MinPerSecond·TTL of them may come in a burst. Zero is 10; None is none.
	MinPerSecond int

	// Ratio is the number of retries per request (0.2 is 20 %), up to 1000. Zero is
	// 0.2; None is none.
	Ratio float64
}

// Terms are BudgetOptions in plain numbers: nothing stands for a default or for 0.
type Terms struct {
	TTL          time.Duration
	MinPerSecond int
	Ratio        float64
}

// Terms returns what the options come to.
func (o BudgetOptions) Terms() Terms {
	t := Terms(o)
	if t.TTL == 0 {
		t.TTL = defaultTTL
	}
	switch t.MinPerSecond {
	case 0:
		t.MinPerSecond = defaultMinPerSecond
	case None:
		t.MinPerSecond = 0
	}
	switch t.Ratio {
	case 0:
		t.Ratio = defaultRatio
	case None:
		t.Ratio = 0
	}
	return t
}

// NewBudget returns a token bucket in which deposits and withdrawals both expire
// after the TTL. With neither a minimum nor a ratio it returns Empty.
//
// It is Finagle's RetryBudget with 64-bit amounts, and with a window that moves
// by whole slices: an entry counts for 0.9 to 1 TTL, never longer.
func NewBudget(o BudgetOptions) (Budget, error) {
	terms := o.Terms()
	ttl, least, ratio := terms.TTL, int64(terms.MinPerSecond), terms.Ratio
	switch {
	case ttl < time.Second || ttl > time.Minute:
		return nil, fmt.Errorf("retry: budget: ttl %v: must be from 1s to 60s", ttl)
	case least < 0:
		return nil, fmt.Errorf("retry: budget: minimum %d per second: must not be negative", least)
	case !(ratio >= 0 && ratio <= scale): // so written that NaN is refused
		return nil, fmt.Errorf("retry: budget: ratio %v: must be from 0 to %d", ratio, scale)
	case least == 0 && ratio == 0:
		return Empty{}, nil
	}
	deposit, price := int64(scale), int64(1)
	if ratio == 0 {
		deposit = 0
	} else {
		f := math.Floor(scale / ratio)
		if f > math.MaxInt32*scale {
			return nil, fmt.Errorf("retry: budget: ratio %v: too small; use None for 0", ratio)
		}
		price = int64(f)
	}
	burst := float64(least) * ttl.Seconds()
	if burst*float64(price) > math.MaxInt64/4 {
		return nil, fmt.Errorf("retry: budget: minimum %d per second: too large with ratio %v", least, ratio)
	}
	return &bucket{
		window:  newWindow(ttl, slices),
		deposit: deposit,
		price:   price,
		reserve: int64(burst) * price,
	}, nil
}

// bucket is a leaky token bucket. The reserve is constant; what is withdrawn from
// it is a debt in the window, which expires like a deposit does.
type bucket struct {
	window  *window
	deposit int64
	price   int64
	reserve int64
}

func (b *bucket) Deposit() {
	if b.deposit != 0 {
		b.window.add(b.deposit)
	}
}

func (b *bucket) Withdraw() bool { return b.window.take(b.price, b.reserve) }

func (b *bucket) Balance() int { return int(max(b.window.sum()+b.reserve, 0) / b.price) }
