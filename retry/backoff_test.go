package retry_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/retry"
)

// delays reads the first n delays of b; it stops at the end of b.
func delays(b retry.Backoff, n int) (all []time.Duration) {
	var prev time.Duration
	for i := range n {
		prev = b.Next(i+1, prev)
		if prev < 0 {
			break
		}
		all = append(all, prev)
	}
	return all
}

func TestConstantAndList(t *testing.T) {
	assert.Equal(t, []time.Duration{7, 7, 7}, delays(retry.Constant(7), 3))
	assert.Equal(t, []time.Duration{1, 2, 4}, delays(retry.List{1, 2, 4}, 9))
	assert.Empty(t, delays(retry.List{}, 1))
}

// Vector 29: n tries are n−1 retries.
func TestLimit(t *testing.T) {
	assert.Len(t, delays(retry.Limit{Backoff: retry.Constant(7), N: 4}, 99), 4)
	assert.Equal(t, []time.Duration{0, 0}, delays(retry.Limit{N: 2}, 99))
	assert.Equal(t, []time.Duration{1}, delays(retry.Limit{Backoff: retry.List{1}, N: 2}, 99))
}

// Vector 36, in the AWS form: bounded below by the base, not by the previous delay.
func TestDecorrelatedJitter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.Int64Range(1, math.MaxInt64/8).Draw(t, "base"))
		longest := time.Duration(rapid.Int64Range(int64(base), math.MaxInt64).Draw(t, "max"))
		j := retry.DecorrelatedJitter{Base: base, Max: longest}
		prev := base
		for i, d := range delays(j, 50) {
			assert.GreaterOrEqual(t, d, base)
			assert.LessOrEqual(t, d, longest)
			if i > 0 && prev <= longest/3 {
				assert.LessOrEqual(t, d, 3*prev)
			}
			prev = d
		}
	})
	edge := func(u float64) retry.DecorrelatedJitter {
		return retry.DecorrelatedJitter{Base: 10, Max: 100, Rand: func() float64 { return u }}
	}
	assert.Equal(t, []time.Duration{10, 10, 10}, delays(edge(0), 3))
	assert.Equal(t, []time.Duration{20, 35, 55, 55, 55}, delays(edge(0.5), 5), "10+(30-10)/2, 10+(60-10)/2, 10+(100-10)/2 …")
}

// Vector 37, but with jitter at the cap.
func TestEqualJitter(t *testing.T) {
	const s = 5 * time.Second
	j := retry.EqualJitter{Base: s, Max: 300 * time.Second}
	for range 1_000 {
		for i, d := range delays(j, 80) {
			k := i + 1
			switch {
			case k == 1:
				assert.Equal(t, s, d)
			case k <= 6: // 5·2^5 = 160 s is the last below the cap
				assert.GreaterOrEqual(t, d, s<<(k-2))
				assert.Less(t, d, s<<(k-1))
			default:
				assert.GreaterOrEqual(t, d, 150*time.Second)
				assert.Less(t, d, 300*time.Second)
			}
		}
	}
}

// Vector 38.
func TestFullJitterAtCap(t *testing.T) {
	const longest = time.Hour
	j := retry.FullJitter{Base: time.Second, Max: longest}
	const n, buckets = 10_000, 10
	var hits [buckets]int
	all := make([]time.Duration, 0, n)
	for range n {
		d := j.Next(40, 0)
		assert.GreaterOrEqual(t, d, time.Duration(0))
		assert.Less(t, d, longest)
		hits[int(d*buckets/longest)]++
		all = append(all, d)
	}
	for _, h := range hits {
		assert.InDelta(t, n/buckets, h, 5*math.Sqrt(n/buckets))
	}
	slices.Sort(all)
	assert.Len(t, slices.Compact(all), n, "no two clients equal")
}

func TestFullJitterDoubles(t *testing.T) {
	j := retry.FullJitter{Base: 10, Max: 100, Rand: func() float64 { return 0.5 }}
	assert.Equal(t, []time.Duration{5, 10, 20, 40, 50, 50}, delays(j, 6))
}

func TestBackoffValidate(t *testing.T) {
	for _, tc := range []struct {
		b    interface{ Validate() error }
		want string
	}{
		{retry.Constant(0), ""},
		{retry.Constant(-1), "constant backoff -1ns: must not be negative"},
		{retry.List{1, -2}, "backoff list: delay 2 is -2ns: must not be negative"},
		{retry.DecorrelatedJitter{Base: 1, Max: 1}, ""},
		{retry.DecorrelatedJitter{Max: 1}, "decorrelated jitter backoff: base 0s: must be positive"},
		{retry.EqualJitter{Base: 2, Max: 1}, "equal jitter backoff: max 1ns: must not be less than base 2ns"},
		{retry.FullJitter{Base: -1, Max: 1}, "full jitter backoff: base -1ns: must be positive"},
	} {
		err := tc.b.Validate()
		if tc.want == "" {
			assert.NoError(t, err)
			continue
		}
		assert.EqualError(t, err, "retry: "+tc.want)
	}
}
