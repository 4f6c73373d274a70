package prom

import (
	"slices"
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// collection is what a tree has to show: all families, by name.
type collection struct {
	byName map[string]*family
	sorted []*family
}

// jobParts is how many parts of a tree are a job for a worker.
const jobParts = 8

// collect reads the tree, all but the histograms of stats, which are read when they are
// written.
func (m *memory) collect(t *telemetry.Tree, prefix string, form labelWriter) *collection {
	jobs := slices.Collect(slices.Chunk(t.Scope().Parts(), jobParts))
	workers := make([]*collector, m.team.Len())
	for i := range workers {
		workers[i] = newCollector(prefix, form, m.worker(i))
	}
	workers[0].walk.top(t) // of job 0, before it
	_ = m.team.Do(len(jobs), func(worker, i int, buf []byte) []byte {
		c := workers[worker]
		c.job = i + 1
		for j := range jobs[i] {
			c.walk.part(&jobs[i][j])
		}
		return buf
	}, func([]byte) error { return nil })

	c := &collection{byName: workers[0].byName}
	for _, w := range workers[1:] {
		for name, f := range w.byName {
			if known := c.byName[name]; known != nil {
				known.merge(f)
			} else {
				c.byName[name] = f
			}
		}
	}
	for _, f := range c.byName {
		f.settle()
		c.sorted = append(c.sorted, f)
	}
	slices.SortFunc(c.sorted, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	return c
}

// has reports whether a family of this name is there.
func (c *collection) has(name string) bool { return c.byName[name] != nil }

// collector is a worker that reads parts of the tree.
type collector struct {
	prefix string
	mem    *slabs
	walk   *walker
	byName map[string]*family
	job    int // the present one
	seq    int // samples so far
}

func newCollector(prefix string, form labelWriter, mem *slabs) *collector {
	c := &collector{prefix: prefix, mem: mem, byName: map[string]*family{}}
	c.walk = newWalker(form, mem, c.sample)
	return c
}

func (c *collector) sample(m telemetry.Metric, p place) {
	if m.Kind == telemetry.KindStat && !m.Stat.Used() {
		return
	}
	f := p.at.family
	if f == nil {
		f = c.family(p.at)
		p.at.family = f
	}
	if strings.Contains(p.exception, ":") {
		f.checked = true // one element with a colon looks like two elements
	}
	l := c.walk.full(p)
	c.seq++
	switch m.Kind {
	case telemetry.KindCounter:
		f.numbers.add(&c.mem.numbers, c.job, c.seq, counter, number{l, float64(m.Int)})
	case telemetry.KindGauge:
		f.numbers.add(&c.mem.numbers, c.job, c.seq, gauge, number{l, m.Float})
	case telemetry.KindStat:
		count, sum := m.Stat.Total()
		f.stats.add(&c.mem.stats, c.job, c.seq, summary, stat{l, m.Summary, m.Stat, count, sum})
	}
}

// family returns the family of a shape, which may be that of another shape, too.
func (c *collector) family(at *shape) *family {
	name := validName(at.name(c.prefix))
	f := c.byName[name]
	if f == nil {
		f = &family{name: name, help: help(at.elems), from: at, job: c.job}
		c.byName[name] = f
	}
	if f.from != at {
		f.checked = true
	}
	return f
}
