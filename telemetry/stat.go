package telemetry

import (
	"sync/atomic"
	"time"
)

// A page is the unit in which a stat gets memory for its buckets: most stats see
// values of one or two magnitudes only.
const (
	pageBits    = 6
	pageBuckets = 1 << pageBits
	pages       = (1800 + pageBuckets - 1) / pageBuckets
)

type page [pageBuckets]atomic.Uint32

// Stat is the distribution of values over a window: latencies, sizes, counts.
// Percentiles are exact up to 100 and within 0.5 % beyond; count, sum and average
// are exact. Readers see the last window that was closed (see Tree), so a stat
// has no summary before the end of the first one.
//
// It is safe for concurrent use without locks, takes up to 2^32-1 values of a kind
// per window, and nothing happens when it is nil.
type Stat struct {
	buckets *buckets
	last    atomic.Pointer[Summary]

	// excess is how much the values exceed the lower bounds of their buckets in
	// total. The sum follows from it and the counts, so that a value in a bucket
	// of width one costs a single atomic addition, and so that a value recorded
	// while a window closes cannot be counted in one window and summed in another
	// but for a sliver of it.
	excess atomic.Int64
	pages  [pages]atomic.Pointer[page]
}

// Record adds a value. It is taken as 0 if negative and as 2^31-1 if greater.
func (s *Stat) Record(v int64) {
	if s == nil {
		return
	}
	value := uint32(min(max(v, 0), maxValue))
	i := s.buckets.index(value)
	p := s.pages[i>>pageBits].Load()
	if p == nil {
		p = s.newPage(i >> pageBits)
	}
	p[i%pageBuckets].Add(1)
	if e := value - s.buckets.lower(i); e != 0 {
		s.excess.Add(int64(e))
	}
}

// RecordMillis adds d in whole milliseconds.
func (s *Stat) RecordMillis(d time.Duration) { s.Record(d.Milliseconds()) }

// Summary returns what the last closed window held. It reports false if none has
// been closed since the stat was made.
func (s *Stat) Summary() (Summary, bool) {
	if s == nil {
		return Summary{}, false
	}
	if last := s.last.Load(); last != nil {
		return *last, true
	}
	return Summary{}, false
}

// Live returns what the current window holds so far.
func (s *Stat) Live() Summary {
	if s == nil {
		return Summary{}
	}
	counts := make([]uint32, s.buckets.len())
	for i := range s.pages {
		if p := s.pages[i].Load(); p != nil {
			for j := range p {
				if n := p[j].Load(); n != 0 {
					counts[i<<pageBits+j] = n
				}
			}
		}
	}
	return s.buckets.summarise(counts, s.excess.Load())
}

func (s *Stat) read() (Metric, bool) {
	last := s.last.Load()
	return Metric{Kind: KindStat, Summary: last}, last != nil
}

// closeWindow publishes the summary of the current window and starts the next
// one. Calls must not overlap. Scratch has a zero for each bucket, and is left so.
func (s *Stat) closeWindow(scratch []uint32) {
	used := false
	for i := range s.pages {
		p := s.pages[i].Load()
		if p == nil {
			continue
		}
		for j := range p {
			if p[j].Load() != 0 {
				scratch[i<<pageBits+j] = p[j].Swap(0)
				used = true
			}
		}
	}
	if !used {
		// An idle stat need not get a new summary each minute.
		if last := s.last.Load(); last == nil || last.Count != 0 {
			s.last.Store(&s.buckets.idle)
		}
		return
	}
	sum := s.buckets.summarise(scratch, s.excess.Swap(0))
	s.last.Store(&sum)
	clear(scratch)
}

// newPage is apart from Record to keep that small.
func (s *Stat) newPage(i uint) *page {
	s.pages[i].CompareAndSwap(nil, new(page))
	return s.pages[i].Load()
}
