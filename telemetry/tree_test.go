package telemetry_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTree returns a tree whose windows the test closes itself.
func newTree(tb testing.TB) *telemetry.Tree {
	tb.Helper()
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	tb.Cleanup(func() { assert.NoError(tb, tree.Close()) })
	return tree
}

// dump lists the tree as "a/b kind value", with ' for a slash in an element.
func dump(s *telemetry.Scope) []string {
	var out []string
	for path, m := range s.All() {
		elems := make([]string, len(path))
		for i, e := range path {
			elems[i] = strings.ReplaceAll(e, "/", "'")
		}
		v := ""
		switch m.Kind {
		case telemetry.KindCounter:
			v = fmt.Sprint(m.Int)
		case telemetry.KindGauge:
			v = fmt.Sprint(m.Float)
		case telemetry.KindStat:
			v = fmt.Sprint(m.Summary.Count)
		}
		out = append(out, fmt.Sprintf("%s %s %s", strings.Join(elems, "/"), m.Kind, v))
	}
	return out
}

func TestHandlesAreMadeOnce(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("rt", "http")
	assert.Same(t, s, tree.Scope("rt").Scope("http"))
	assert.Same(t, tree.Scope(), tree.Scope())
	assert.Same(t, s.Counter("a", "b"), s.Scope("a").Counter("b"))
	assert.Same(t, s.Counter("a", "b"), s.Scope("a", "b").Counter())
	assert.Same(t, s.Stat("s"), s.Stat("s"))
	assert.Same(t, s.UpDown("u"), s.UpDown("u"))
	assert.NotSame(t, s.Scope("a/b"), s.Scope("a", "b"), "a slash inside an element does not split it")
}

func TestWalkIsOrderedAndLive(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("rt", "http", "server", "0.0.0.0/4140")
	s.Counter("failures", "B").Add(2)
	s.Counter("failures").Add(3)
	s.Counter("failures", "A").Inc()
	up := s.UpDown("pending")
	up.Inc()
	up.Inc()
	up.Dec()
	load := 0.5
	g := s.Gauge("load", func() float64 { return load })
	s.Stat("lat").Record(1)

	want := []string{
		"rt/http/server/0.0.0.0'4140/failures counter 3",
		"rt/http/server/0.0.0.0'4140/failures/A counter 1",
		"rt/http/server/0.0.0.0'4140/failures/B counter 2",
		"rt/http/server/0.0.0.0'4140/load gauge 0.5",
		"rt/http/server/0.0.0.0'4140/pending gauge 1",
	}
	assert.Equal(t, want, dump(tree.Scope()), "a stat is not there before its first window")

	load = 0.25
	up.Set(7)
	tree.CloseWindow()
	assert.Equal(t, []string{"lat stat 1", "load gauge 0.25", "pending gauge 7"}, dump(s)[3:])
	assert.InDelta(t, 0.25, g.Value(), 0)

	g2 := s.Gauge("load", func() float64 { return 9 })
	assert.Same(t, g, g2)
	assert.InDelta(t, 9, g.Value(), 0, "the newest function wins")

	n := 0
	for range tree.All() {
		n++
		break
	}
	assert.Equal(t, 1, n, "the walk can be left early")
}

func TestCounterFunc(t *testing.T) {
	tree := newTree(t)
	n := int64(2)
	c := tree.Scope("a").CounterFunc("x", func() int64 { return n })
	n++
	assert.Equal(t, int64(3), c.Value())
	assert.Same(t, c, tree.Scope("a").CounterFunc("x", func() int64 { return 9 }))
	assert.Equal(t, []string{"a/x counter 9"}, dump(tree.Scope()), "the newest function wins")
	var none *telemetry.Scope
	assert.Zero(t, none.CounterFunc("x", nil).Value())
}

func TestGaugesMayUseTheTree(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("a")
	s.Gauge("g", func() float64 { s.Counter("new").Inc(); s.Prune(); return 1 })
	assert.NotEmpty(t, dump(tree.Scope()))
	assert.Empty(t, dump(tree.Scope()))
}

func TestPrune(t *testing.T) {
	tree := newTree(t)
	clients := tree.Scope("rt", "http", "client")
	one, two := clients.Scope("#/a"), clients.Scope("#/b")
	c, st := one.Counter("requests"), one.Stat("lat")
	c.Inc()
	two.Counter("requests").Inc()

	one.Prune()
	assert.Equal(t, []string{"#'b/requests counter 1"}, dump(clients))

	c.Inc()
	st.Record(1)
	one.Counter("late").Inc()
	tree.CloseWindow()
	assert.Equal(t, int64(2), c.Value(), "held handles keep working")
	assert.Equal(t, []string{"#'b/requests counter 1"}, dump(clients), "unseen")

	fresh := clients.Scope("#/a")
	assert.NotSame(t, one, fresh)
	assert.Zero(t, fresh.Counter("requests").Value())
	one.Prune()
	assert.Len(t, dump(clients), 2, "pruning twice does not hit the successor")

	tree.Scope().Prune()
	assert.Empty(t, dump(tree.Scope()))
}

func TestNilDoesNothing(t *testing.T) {
	var tree *telemetry.Tree
	s := tree.Scope("a")
	require.Nil(t, s)
	s.Scope("b").Counter("c").Inc()
	s.Counter("c").Add(2)
	s.UpDown("u").Inc()
	s.UpDown("u").Set(1)
	s.Stat("s").Record(1)
	s.Stat("s").RecordMillis(1)
	s.Gauge("g", func() float64 { return 1 })
	s.Prune()
	telemetry.NewFailures(s, telemetry.FailuresOptions{}).Record("a")
	telemetry.RegisterProcess(s, time.Time{})
	assert.Zero(t, s.Counter("c").Value()+s.UpDown("u").Value())
	assert.Zero(t, s.Gauge("g", nil).Value())
	_, ok := s.Stat("s").Summary()
	assert.False(t, ok)
	assert.Zero(t, s.Stat("s").Live())
	assert.Empty(t, dump(s))
	tree.CloseWindow()
	require.NoError(t, tree.Close())
	var b bytes.Buffer
	require.NoError(t, telemetry.WriteJSON(&b, tree, telemetry.JSONOptions{}))
	assert.Equal(t, "{}", b.String())
}

func TestClashOfKinds(t *testing.T) {
	var log bytes.Buffer
	tree := telemetry.NewTree(telemetry.Options{Window: -1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	defer tree.Close()
	tree.Scope("a").Counter("x").Inc()
	st := tree.Scope("a").Stat("x")
	st.Record(1)
	assert.Equal(t, int64(1), st.Live().Count, "works")
	tree.CloseWindow()
	assert.Equal(t, []string{"a/x counter 1"}, dump(tree.Scope()), "unseen")
	assert.Contains(t, log.String(), "metric=a/x")
}

func TestTreeStress(t *testing.T) {
	tree := newTree(t)
	const workers, rounds = 8, 300
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				s := tree.Scope("rt", fmt.Sprint(i%7))
				s.Counter("n").Inc()
				tree.Scope("total").Counter("n").Inc()
				s.Stat("s").Record(int64(i * w))
				s.UpDown("u").Inc()
				s.Gauge("g", func() float64 { return float64(i) })
				switch i % 50 {
				case 10:
					s.Prune()
				case 20:
					tree.CloseWindow()
				case 30:
					dump(tree.Scope())
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(workers*rounds), tree.Scope("total").Counter("n").Value())
}

func BenchmarkCounterInc(b *testing.B) {
	tree := newTree(b)
	c := tree.Scope("a").Counter("b")
	b.ReportAllocs()
	for b.Loop() {
		c.Inc()
	}
}

func BenchmarkCounterIncParallel(b *testing.B) {
	tree := newTree(b)
	c := tree.Scope("a").Counter("b")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Inc()
		}
	})
}

func TestCounterDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := newTree(t).Scope("a")
	c, u := s.Counter("c"), s.UpDown("u")
	assert.Zero(t, testing.AllocsPerRun(100, func() { c.Inc(); u.Add(3); u.Dec() }))
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.Counter("c") }), "nor does finding a handle")
}
