package telemetry

import (
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// A page is the unit in which a stat gets memory for its buckets, and a chapter that in
// which it gets memory for pages: most stats see values of one or two magnitudes only, and
// there are a hundred thousand of them where there are ten thousand services.
const (
	pageBits       = 5
	pageBuckets    = 1 << pageBits
	chapterBits    = 3 + pageBits
	chapterPages   = 1 << (chapterBits - pageBits)
	chapterBuckets = 1 << chapterBits
	chapters       = (1800 + chapterBuckets - 1) / chapterBuckets
)

type (
	page    [pageBuckets]atomic.Uint32
	chapter [chapterPages]atomic.Pointer[page]
	book    [chapters]atomic.Pointer[chapter]
)

// Stat is the distribution of values: latencies, sizes, counts. Percentiles are exact
// up to 100 and within 0.5 % beyond; count, sum and average are exact. They describe
// the last window that was closed (see Tree), so a stat has no summary before the end
// of the first one. Total and Histogram are of everything since the stat was made.
//
// It is safe for concurrent use without locks, takes up to 2^32-1 values of a kind
// per window, and nothing happens when it is nil.
type Stat struct {
	buckets *buckets
	last    atomic.Pointer[Summary]
	tap     atomic.Pointer[tap]    // nil without SampleStats
	values  atomic.Pointer[values] // nil until the first one: most stats stay without
}

// values are what a stat has recorded.
type values struct {
	// excess is how much the values of the window exceed the lower bounds of their
	// buckets in total. The sum follows from it and the counts, so that a value in a
	// bucket of width one costs a single atomic addition, and so that a value recorded
	// while a window closes cannot be counted in one window and summed in another
	// but for a sliver of it.
	excess atomic.Int64

	// first is the page numbered at-1, and at is 0 until there is a value. Most stats
	// need no other.
	at    atomic.Uint32
	first page
	more  atomic.Pointer[book] // nil until there is a value that is not in first

	// closing is held while a window's values move to what follows, so that nobody
	// who adds up both sees them twice or not at all.
	closing sync.Mutex
	count   int64 // of the windows that were closed
	sum     int64
	cells   cells
}

// Record adds a value. It is taken as 0 if negative and as 2^31-1 if greater.
func (s *Stat) Record(v int64) {
	if s == nil {
		return
	}
	if t := s.tap.Load(); t != nil {
		t.take(v)
	}
	value := uint32(min(max(v, 0), maxValue))
	i := s.buckets.index(value)
	all := s.values.Load()
	if all == nil {
		all = s.newValues()
	}
	all.bucket(i).Add(1)
	if e := value - s.buckets.lower(i); e != 0 {
		all.excess.Add(int64(e))
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
	all := s.values.Load()
	if all == nil {
		return Summary{}
	}
	counts := make([]uint32, s.buckets.len())
	for i, n := range all.live() {
		counts[i] = n
	}
	return s.buckets.summarise(counts, all.excess.Load())
}

// Total returns how many values were recorded since the stat was made, and their sum.
// Neither ever shrinks.
func (s *Stat) Total() (count, sum int64) {
	if s == nil {
		return 0, 0
	}
	all := s.values.Load()
	if all == nil {
		return 0, 0
	}
	all.closing.Lock()
	defer all.closing.Unlock()
	count, sum = all.count, all.sum
	for i, n := range all.live() {
		count += int64(n)
		sum += int64(n) * int64(s.buckets.lower(i))
	}
	return count, sum + all.excess.Load()
}

// Histogram replaces what is in h, whose memory it uses again, by the values since the
// stat was made. None of its numbers ever shrinks.
func (s *Stat) Histogram(h *Histogram) {
	*h = Histogram{Buckets: h.Buckets[:0]}
	if s == nil {
		return
	}
	all := s.values.Load()
	if all == nil {
		return
	}
	all.closing.Lock()
	defer all.closing.Unlock()
	h.Count, h.Sum = all.count, all.sum
	all.cells.appendTo(h)
	for i, n := range all.live() {
		h.Count += int64(n)
		h.Sum += int64(n) * int64(s.buckets.lower(i))
		h.add(s.buckets.native[i], int64(n))
	}
	h.Sum += all.excess.Load()
}

// Used reports whether the stat has ever had a value.
func (s *Stat) Used() bool { return s != nil && s.values.Load() != nil }

func (s *Stat) read() (Metric, bool) {
	if all := s.values.Load(); all != nil {
		all.at.Load() // whoever reads many stats has their totals read next: see visitor.take
	}
	return Metric{Kind: KindStat, Summary: s.last.Load(), Stat: s}, true
}

// closeWindow publishes the summary of the current window and starts the next
// one. Calls must not overlap. Scratch has a zero for each bucket, and is left so.
func (s *Stat) closeWindow(scratch []uint32) {
	all := s.values.Load()
	first, last := len(scratch), 0
	var excess int64
	if all != nil {
		all.closing.Lock()
		for i := range all.live() {
			scratch[i] = all.bucket(i).Swap(0)
			first, last = min(first, int(i)), max(last, int(i))
		}
		if first <= last { // otherwise it is that of a value whose bucket is yet to be seen
			excess = all.excess.Swap(0)
			all.close(s.buckets, scratch, first, last, excess)
		}
		all.closing.Unlock()
	}
	if first > last {
		// An idle stat need not get a new summary each minute.
		if old := s.last.Load(); old == nil || old.Count != 0 {
			s.last.Store(&s.buckets.idle)
		}
		return
	}
	sum := s.buckets.summarise(scratch[:last+1], excess)
	s.last.Store(&sum)
	clear(scratch[first : last+1])
}

// close adds a window to what was recorded before. It is called with closing held.
func (all *values) close(b *buckets, counts []uint32, first, last int, excess int64) {
	for i := first; i <= last; i++ {
		if n := counts[i]; n != 0 {
			all.count += int64(n)
			all.sum += int64(n) * int64(b.lower(uint(i)))
			all.cells = all.cells.add(b.native[i], uint64(n))
		}
	}
	all.sum += excess
}

// bucket returns the count of a bucket in the current window.
func (all *values) bucket(i uint) *atomic.Uint32 {
	if all.at.Load() == uint32(i>>pageBits+1) {
		return &all.first[i%pageBuckets]
	}
	return all.page(i >> pageBits).bucket(i)
}

func (p *page) bucket(i uint) *atomic.Uint32 { return &p[i%pageBuckets] }

// live yields the buckets that have values in the current window, in no order.
func (all *values) live() iter.Seq2[uint, uint32] {
	return func(yield func(uint, uint32) bool) {
		at := all.at.Load()
		if at == 0 || !all.first.live(uint(at-1), yield) {
			return
		}
		b := all.more.Load()
		if b == nil {
			return
		}
		for i := range b {
			c := b[i].Load()
			if c == nil {
				continue
			}
			for j := range c {
				if p := c[j].Load(); p != nil && !p.live(uint(i*chapterPages+j), yield) {
					return
				}
			}
		}
	}
}

// live yields the buckets with values of the page with a number.
func (p *page) live(number uint, yield func(uint, uint32) bool) bool {
	for k := range p {
		if n := p[k].Load(); n != 0 && !yield(number<<pageBits|uint(k), n) {
			return false
		}
	}
	return true
}

// What makes memory is apart from Record to keep that small.

func (s *Stat) newValues() *values {
	s.values.CompareAndSwap(nil, new(values))
	return s.values.Load()
}

// page returns the page with a number.
func (all *values) page(number uint) *page {
	if at := uint32(number + 1); all.at.CompareAndSwap(0, at) || all.at.Load() == at {
		return &all.first
	}
	b := all.more.Load()
	if b == nil {
		all.more.CompareAndSwap(nil, new(book))
		b = all.more.Load()
	}
	at := &b[number/chapterPages]
	c := at.Load()
	if c == nil {
		at.CompareAndSwap(nil, new(chapter))
		c = at.Load()
	}
	if p := c[number%chapterPages].Load(); p != nil {
		return p
	}
	return c.newPage(number % chapterPages)
}

func (c *chapter) newPage(i uint) *page {
	c[i].CompareAndSwap(nil, new(page))
	return c[i].Load()
}
