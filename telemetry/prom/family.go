package prom

import (
	"cmp"
	"iter"
	"slices"

	"github.com/weft-mesh/weft/telemetry"
)

// kind is what a family is.
type kind uint8

const (
	counter kind = iota
	gauge
	untyped
	summary
)

// family is all samples of one name. A worker has some of them, those of the jobs that it
// did.
type family struct {
	name string
	help string
	from *shape // of the first sample
	job  int    // of the first sample

	numbers runs[number]
	stats   runs[stat]

	// checked says that two places of the tree have got into this family, or may have, so
	// that the same labels may be there twice.
	checked bool
}

type number struct {
	labels *labels
	value  float64
}

type stat struct {
	labels *labels
	window *telemetry.Summary // nil before the end of the first one
	of     *telemetry.Stat
	count  int64 // since it was made
	sum    int64
}

// sample is a number or a stat.
type sample interface{ labelText() []byte }

func (x number) labelText() []byte { return x.labels.text }
func (x stat) labelText() []byte   { return x.labels.text }

// runs are the samples of a family, by job, and by kind. Lists grow without being copied: there may be
// a million samples.
type runs[T sample] struct {
	list  []run[T]
	first int // the number of the first sample among those of the job it is from
}

type run[T sample] struct {
	job     int
	kind    kind
	samples []T
}

// block is how many samples share memory.
const block = 1024

// add appends a sample of a job. Seq is its number among those of all families, mem where its
// memory comes from.
func (r *runs[T]) add(mem *slab[T], job, seq int, k kind, v T) {
	n := len(r.list)
	if n == 0 {
		r.first = seq
	}
	if n == 0 || r.list[n-1].job != job || r.list[n-1].kind != k || len(r.list[n-1].samples) == cap(r.list[n-1].samples) {
		var room []T
		if n > 0 {
			last := &r.list[n-1].samples
			room = (*last)[len(*last):]
			*last = slices.Clip(*last)
		}
		if cap(room) == 0 {
			room = mem.room(min(8<<min(n, 10), block))
		}
		r.list = append(r.list, run[T]{job, k, room})
		n++
	}
	last := &r.list[n-1].samples
	*last = append(*last, v)
}

// before reports whether r has a sample that comes before all of s, in the order of the
// tree.
func before[T, U sample](r *runs[T], s *runs[U]) bool {
	switch {
	case len(r.list) == 0:
		return false
	case len(s.list) == 0:
		return true
	}
	return cmp.Or(cmp.Compare(r.list[0].job, s.list[0].job), cmp.Compare(r.first, s.first)) < 0
}

// merge adds the samples that another worker has found.
func (r *runs[T]) merge(s *runs[T]) {
	if before(s, r) {
		r.first = s.first
	}
	r.list = append(r.list, s.list...)
	slices.SortStableFunc(r.list, func(a, b run[T]) int { return cmp.Compare(a.job, b.job) })
}

// merge adds the samples of the same name that another worker has found.
func (f *family) merge(g *family) {
	f.checked = f.checked || g.checked || !slices.Equal(f.from.elems, g.from.elems)
	if g.job < f.job {
		f.from, f.help, f.job = g.from, g.help, g.job
	}
	f.numbers.merge(&g.numbers)
	f.stats.merge(&g.stats)
}

// kind is what the family is: a name cannot be that of stats and of numbers.
func (f *family) kind() kind {
	if before(&f.stats, &f.numbers) {
		return summary
	}
	k := f.numbers.list[0].kind
	for _, r := range f.numbers.list {
		if r.kind != k && len(r.samples) > 0 {
			return untyped
		}
	}
	return k
}

// settle takes out the samples whose labels there are twice, but for the first.
func (f *family) settle() {
	if !f.checked {
		return
	}
	seen := map[string]bool{}
	if f.kind() == summary {
		f.stats.unique(seen)
	} else {
		f.numbers.unique(seen)
	}
}

func (r *runs[T]) unique(seen map[string]bool) {
	for i := range r.list {
		r.list[i].samples = slices.DeleteFunc(r.list[i].samples, func(x T) bool {
			l := string(x.labelText())
			known := seen[l]
			seen[l] = true
			return known
		})
	}
}

// parts yields the samples in groups of at most so many.
func (r *runs[T]) parts(most int) iter.Seq[[]run[T]] {
	return func(yield func([]run[T]) bool) {
		var part []run[T]
		n := 0
		for _, x := range r.list {
			for samples := range slices.Chunk(x.samples, most) {
				if n+len(samples) > most {
					if !yield(part) {
						return
					}
					part, n = nil, 0
				}
				part = append(part, run[T]{x.job, x.kind, samples})
				n += len(samples)
			}
		}
		if n > 0 {
			yield(part)
		}
	}
}

// hasAverage reports whether the last window of the stat had values.
func (x stat) hasAverage() bool { return x.window != nil && x.window.Count > 0 }

// averages reports whether any stat of the family has one.
func (f *family) averages() bool {
	return slices.ContainsFunc(f.stats.list, func(r run[stat]) bool { return slices.ContainsFunc(r.samples, stat.hasAverage) })
}
