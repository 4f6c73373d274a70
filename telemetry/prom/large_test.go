package prom_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/prom"
)

// largeTree has more clients than one worker reads, and the lines of the text format that
// are theirs.
func largeTree(t *testing.T) (tree *telemetry.Tree, want []string) {
	t.Helper()
	tree = newTree(t)
	line := func(format string, args ...any) { want = append(want, fmt.Sprintf(format, args...)) }
	for r := range 3 {
		rt := tree.Scope("rt", fmt.Sprint("r", r))
		rt.Counter("server", "s", "requests").Add(int64(r))
		line(`rt:server:requests{rt="r%d", server="s"} %d`, r, r)
		for i := range 700 {
			n := int64(1000*r + i)
			client := rt.Scope("client", fmt.Sprintf("#/%03d", i))
			labels := fmt.Sprintf(`rt="r%d", client="#/%03d"`, r, i)
			client.Counter("requests").Add(n)
			line(`rt:client:requests{%s} %d`, labels, n)
			client.Gauge("load", func() float64 { return float64(n) })
			line(`rt:client:load{%s} %d.0`, labels, n)
			client.Counter("exn", "A", "B").Add(n)
			line(`rt:client:exceptions{%s, exception="A:B"} %d`, labels, n)
			stat := client.Stat("latency_ms")
			stat.Record(n)
			tree.Scope("rt", fmt.Sprint("r", r), "client", fmt.Sprintf("#/%03d", i), "a.b").Counter().Add(n)
			tree.Scope("rt", fmt.Sprint("r", r), "client", fmt.Sprintf("#/%03d", i), "a_b").Counter().Add(7)
			line(`rt:client:a_b{%s} %d`, labels, n) // the first one counts
			line(`rt:client:latency_ms_count{%s} 1`, labels)
			line(`rt:client:latency_ms_sum{%s} %d`, labels, n)
		}
	}
	tree.CloseWindow()
	slices.Sort(want)
	return tree, want
}

// TestLargeTree: it does not matter how many read a tree and write it: every sample is there
// once, families are together and sorted, and so are their samples.
func TestLargeTree(t *testing.T) {
	tree, want := largeTree(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var alone [4]string
	for _, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		for i, o := range []prom.Options{{ClassicHistograms: true}, {Format: prom.OpenMetrics}, {Format: prom.Protobuf}, compatible} {
			got := write(t, tree, o)
			if procs == 1 {
				alone[i] = got
			}
			// Equal would print a megabyte.
			require.True(t, alone[i] == got, "%v: %d processors write %d bytes, one %d", o, procs, len(got), len(alone[i]))
		}
	}

	var got, families []string
	for l := range strings.Lines(alone[0]) {
		l = strings.TrimSuffix(l, "\n")
		switch {
		case strings.HasPrefix(l, "# TYPE "):
			families = append(families, l)
		case strings.HasPrefix(l, "#"), strings.Contains(l, "quantile="), strings.Contains(l, "_avg"), strings.Contains(l, "_histogram"):
		default:
			got = append(got, l)
		}
	}
	slices.Sort(got)
	assert.Equal(t, want, got)
	assert.Equal(t, []string{
		"# TYPE rt:client:a_b counter", "# TYPE rt:client:exceptions counter", "# TYPE rt:client:latency_ms summary",
		"# TYPE rt:client:latency_ms_avg gauge", "# TYPE rt:client:latency_ms_histogram histogram",
		"# TYPE rt:client:load gauge", "# TYPE rt:client:requests counter", "# TYPE rt:server:requests counter",
	}, families)
	assert.Equal(t, 3*700*8, strings.Count(alone[0], "quantile="))
	assert.Equal(t, 3*700, strings.Count(alone[0], `le="+Inf"`))

	clients := []string{}
	for _, f := range decodeProto(t, alone[2]) {
		if f.GetName() == "rt:client:latency_ms_histogram" {
			for _, m := range f.GetMetric() {
				clients = append(clients, m.Label[0].GetValue()+m.Label[1].GetValue())
				assert.EqualValues(t, 1, m.GetHistogram().GetSampleCount())
			}
		}
	}
	assert.Len(t, clients, 3*700)
	assert.True(t, slices.IsSorted(clients))
}

// TestClashesFarApart: what different workers find under one name is treated as what one
// finds: the first metric counts, and gives the text of the help.
func TestClashesFarApart(t *testing.T) {
	tree := newTree(t)
	tree.Scope().Counter().Add(77)
	client := func(i int) *telemetry.Scope { return tree.Scope("rt", "r", "client", fmt.Sprintf("%04d", i)) }
	for i := range 2000 {
		client(i).Counter("requests").Inc()
	}
	tree.Scope("a.b").Counter().Add(1)
	tree.Scope("rt", "r", "z").Counter("x").Add(1) // before the scopes of z.y
	for i := range 2000 {
		tree.Scope("w", "v", "u", fmt.Sprintf("%04d", i)).Counter("n").Inc()
	}
	tree.Scope("z_b").Counter().Add(1)
	tree.Scope("z_b", "1.2").Counter("x").Add(1)
	tree.Scope("a_b").Counter().Add(2) // the same labels: none
	client(0).Stat("both").Record(5)
	client(1999).Gauge("both", func() float64 { return 3 })
	client(0).Gauge("other", func() float64 { return 3 })
	client(1999).Stat("other").Record(5)
	client(0).Counter("mixed").Inc()
	client(1999).Gauge("mixed", func() float64 { return 3 })
	client(0).Counter("one.two").Inc()
	client(1999).Counter("one_two").Inc()
	tree.CloseWindow()

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 4} {
		runtime.GOMAXPROCS(procs)
		for range 5 { // who works faster is chance
			got := write(t, tree, prom.Options{})
			has := func(want string, n int) {
				t.Helper()
				assert.Equal(t, n, strings.Count(got, want), "%d processors: %s", procs, want)
			}
			has("\na_b 1\n", 1)
			has("\na_b 2\n", 0)
			has("# TYPE rt:client:both summary", 1)
			has(`rt:client:both{rt="r", client="1999"}`, 0)
			has("# TYPE rt:client:other gauge", 1)
			has(`rt:client:other_count`, 0)
			has("# TYPE rt:client:mixed untyped", 1)
			has(`rt:client:mixed{rt="r", client="0000"} 1.0`, 1)
			has(`rt:client:mixed{rt="r", client="1999"} 3.0`, 1)
			has("# TYPE rt:client:one_two counter", 1)
			has("rt:client:one_two{", 2)
			has("\n_ 77\n", 1)
		}
		assert.Contains(t, write(t, tree, compatible), " 77\n")
	}
}

// TestMemoryIsKept: writes that share memory say what others say, one after the other and
// at once, and make next to none.
func TestMemoryIsKept(t *testing.T) {
	tree, _ := largeTree(t)
	var mem prom.Memory
	all := []prom.Options{{}, {Format: prom.OpenMetrics}, {Format: prom.Protobuf}, compatible}
	var writers sync.WaitGroup
	for _, o := range all {
		want := write(t, tree, o)
		o.Memory = &mem
		require.True(t, want == write(t, tree, o), "%v", o)
		require.ErrorIs(t, prom.Write(failing{}, tree, o), errGone)
		for range 3 {
			writers.Go(func() {
				for range 3 {
					assert.True(t, want == write(t, tree, o), "%v", o) // Equal would print a megabyte
				}
			})
		}
	}
	writers.Wait()
}

var errGone = errors.New("gone")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errGone }
