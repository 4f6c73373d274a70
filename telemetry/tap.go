package telemetry

import (
	"math/rand/v2"
	"slices"
)

// sampler is what SampleStats was called with.
type sampler struct {
	rate rate
	of   func(path []string) func(v int64)
}

// tap is where the values of one stat go besides its buckets.
type tap struct {
	of   *sampler
	fn   func(v int64)
	next *tap
}

// take hands v on. It draws for each value anew: a value a hundred, say, and not those
// of a request a hundred.
func (t *tap) take(v int64) {
	for ; t != nil; t = t.next {
		if t.of.rate.always || rand.Uint64() < t.of.rate.below {
			t.fn(v)
		}
	}
}

// SampleStats tells of a share of the values that stats record from now on, 0 for none
// and 1 for all, for exporters whose protocol has no distributions. Of is called once
// for each stat, now or when it is made, with its path, which it must not keep, and
// returns what is told of the stat's values: it is called concurrently, on the paths of
// requests, and must neither block nor allocate. Of itself may not use the tree.
//
// Stop ends it; what is being told of at that moment may still arrive. Without samplers
// a value costs no more than a load and a comparison.
func (t *Tree) SampleStats(share float64, of func(path []string) func(v int64)) (stop func()) {
	s := &sampler{newRate(share), of}
	t.setSamplers(func(all []*sampler) []*sampler { return append(slices.Clip(all), s) })
	return func() {
		t.setSamplers(func(all []*sampler) []*sampler {
			return slices.DeleteFunc(slices.Clone(all), func(x *sampler) bool { return x == s })
		})
	}
}

func (t *Tree) setSamplers(change func([]*sampler) []*sampler) {
	t.sampling.Lock()
	defer t.sampling.Unlock()
	var all []*sampler
	if old := t.samplers.Load(); old != nil {
		all = *old
	}
	all = change(all)
	t.samplers.Store(&all)
	// A stat that is being made sees the samplers, or is found here.
	t.root.tapAll(t, nil, all)
}

func (s *Scope) tapAll(t *Tree, path []string, all []*sampler) {
	s.each(t, func(name string, m Metric, ok bool, below *Scope) bool {
		at := append(slices.Clip(path), name)
		if ok && m.Stat != nil {
			m.Stat.tap.Store(newTap(all, at, m.Stat.tap.Load()))
		}
		if below != nil {
			below.tapAll(t, at, all)
		}
		return true
	})
}

// newTap returns what the samplers want of the stat at a path, nil if there are none. Old
// is what those of before wanted.
func newTap(all []*sampler, path []string, old *tap) *tap {
	var first *tap
	for _, x := range all {
		if x.rate == (rate{}) {
			continue
		}
		fn := old.fnOf(x)
		if fn == nil {
			fn = x.of(path)
		}
		first = &tap{x, fn, first}
	}
	return first
}

// fnOf returns what the sampler is told with, nil if it is new.
func (t *tap) fnOf(x *sampler) func(int64) {
	for ; t != nil; t = t.next {
		if t.of == x {
			return t.fn
		}
	}
	return nil
}

func newStat(at *Scope) *Stat {
	t := at.tree()
	s := &Stat{buckets: t.buckets}
	if all := t.samplers.Load(); all != nil && len(*all) > 0 {
		s.tap.Store(newTap(*all, at.path(), nil))
	}
	return s
}
