package influx_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/influx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTree(tb testing.TB) *telemetry.Tree {
	tb.Helper()
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	tb.Cleanup(func() { assert.NoError(tb, tree.Close()) })
	return tree
}

func write(t *testing.T, tree *telemetry.Tree, host string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, influx.Write(&b, tree, influx.Options{Host: host}))
	return b.String()
}

func TestLines(t *testing.T) {
	for _, v := range []struct {
		id   string
		path []string
		host string
		want string
	}{
		{"95", []string{"foo", "bar", "bas"}, "", "foo:bar,host=none bas=1"},
		{"7.10", []string{"rt", "incoming", "client", "#/bar", "requests"}, "", "rt:client,client=#/bar,host=none,rt=incoming requests=1"},
		{"service of a client", []string{"rt", "in", "client", "#/b", "service", "svc/x", "requests"}, "l5d:9990", "rt:client:service,client=#/b,host=l5d:9990,rt=in,service=svc/x requests=1"},
		{"server", []string{"rt", "in", "server", "127.0.0.1/4140", "requests"}, "", "rt:server,host=none,rt=in,server=127.0.0.1/4140 requests=1"},
		{"failures keep their names", []string{"rt", "in", "service", "svc/x", "failures", "a.B"}, "", "rt:service:failures,host=none,rt=in,service=svc/x a.B=1"},
		{"what would end a tag", []string{"rt", "in", "client", `#/a b,c=d\`, "x"}, "", `rt:client,client=#/a\ b\,c\=d\ ,host=none,rt=in x=1`},
		{"no value", []string{"rt", "in", "client", "", "x"}, "", "rt:client,client=none,host=none,rt=in x=1"},
		{"what would end a field", []string{"a", "b c,d=e"}, "", `a,host=none b\ c\,d\=e=1`},
		{"below the service of a client", []string{"rt", "in", "client", "c", "service", "s", "server", "x"}, "", "rt:client:service:server,client=c,host=none,rt=in,service=s x=1"},
		{"rt within a router", []string{"rt", "rt", "rt", "x"}, "", "rt:rt,host=none,rt=rt x=1"},
		{"a line break", []string{"a", "b\nc"}, "", "a,host=none b_c=1"},
	} {
		t.Run(v.id, func(t *testing.T) {
			tree := newTree(t)
			tree.Scope().Counter(v.path...).Inc()
			assert.Equal(t, v.want+"\n", write(t, tree, v.host))
		})
	}
}

func TestScopes(t *testing.T) {
	tree := newTree(t)
	tree.Scope().Counter("def").Add(2)
	tree.Scope().Counter("abc").Inc()
	assert.Equal(t, "root,host=none abc=1,def=2\n", write(t, tree, ""), "96")

	tree = newTree(t)
	tree.Scope().Gauge("bas", func() float64 { return 1 })
	tree.Scope().Gauge("none", math.NaN)
	stat := tree.Scope("foo", "bar").Stat("bas")
	assert.Equal(t, "root,host=none bas=1.0\n", write(t, tree, ""), "97")
	stat.Record(1)
	tree.CloseWindow()
	const one = "foo:bar,host=none bas_avg=1.0,bas_count=1,bas_max=1,bas_min=1,bas_p50=1,bas_p90=1,bas_p95=1,bas_p99=1,bas_p999=1,bas_p9999=1,bas_sum=1\n"
	assert.Equal(t, "root,host=none bas=1.0\n"+one, write(t, tree, ""), "97")
	tree.CloseWindow()
	assert.Contains(t, write(t, tree, ""), "bas_count=0,", "an empty window is shown too")

	tree = newTree(t)
	tree.Scope("x").Counter("failures").Inc()
	tree.Scope("x", "failures").Counter("a").Inc()
	tree.Scope("x").Counter("requests").Inc()
	assert.Equal(t, "x,host=none failures=1,requests=1\nx:failures,host=none a=1\n", write(t, tree, ""))
	assert.Empty(t, write(t, newTree(t), ""))
}

// TestLargeTree: it does not matter how many read a tree and write it: each scope has one
// line, before those below it.
func TestLargeTree(t *testing.T) {
	tree := newTree(t)
	var want strings.Builder
	tree.Scope("rt", "r", "client").Counter("a").Inc()
	want.WriteString("rt:client,host=none,rt=r a=1\n")
	for i := range 300 {
		client := tree.Scope("rt", "r", "client", fmt.Sprintf("#/%03d", i))
		client.Counter("requests").Add(int64(i))
		client.Counter("failures", "x").Inc()
		fmt.Fprintf(&want, "rt:client,client=#/%03d,host=none,rt=r requests=%d\n", i, i)
		fmt.Fprintf(&want, "rt:client:failures,client=#/%03d,host=none,rt=r x=1\n", i)
	}
	tree.Scope("rt", "r", "server", "s").Counter("requests").Inc()
	want.WriteString("rt:server,host=none,rt=r,server=s requests=1\n")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		assert.Equal(t, want.String(), write(t, tree, ""))
	}
}

// TestStats: every field has its own value.
func TestStats(t *testing.T) {
	tree := newTree(t)
	stat := tree.Scope("a").Stat("b")
	above := []int{0, 40_000, 80_000, 94_000, 98_000, 99_800, 99_980, 99_999} // of 100,000
	for i := range 100_000 {
		n, found := slices.BinarySearch(above, i)
		if found {
			n++
		}
		stat.Record(int64(n))
	}
	tree.CloseWindow()
	assert.Equal(t,
		"a,host=none b_avg=1.88221,b_count=100000,b_max=8,b_min=1,b_p50=2,b_p90=3,b_p95=4,b_p99=5,b_p999=6,b_p9999=7,b_sum=188221\n",
		write(t, tree, ""))
}

// TestFieldsAreInOrder: also those that come between those of a stat.
func TestFieldsAreInOrder(t *testing.T) {
	tree := newTree(t)
	tree.Scope("a").Counter("b_b").Inc()
	tree.Scope("a").Stat("b").Record(1)
	tree.CloseWindow()
	assert.Contains(t, write(t, tree, ""), "a,host=none b_avg=1.0,b_b=1,b_count=1,")
}

// TestKeysOfStatsAreEscaped: all of them, and those of the next stat too.
func TestKeysOfStatsAreEscaped(t *testing.T) {
	tree := newTree(t)
	tree.Scope("a").Stat("b c,").Record(1)
	tree.Scope("a").Stat("b=\x01d").Record(2)
	tree.CloseWindow()
	got := write(t, tree, "")
	for _, suffix := range []string{"avg", "count", "max", "min", "p50", "p90", "p95", "p99", "p999", "p9999", "sum"} {
		assert.Contains(t, got, `b\ c\,_`+suffix+"=1")
		if suffix != "count" {
			assert.Contains(t, got, `b\=_d_`+suffix+"=2")
		}
	}
}

// TestNothingToSay: a scope whose only metric has no value has no line.
func TestNothingToSay(t *testing.T) {
	tree := newTree(t)
	tree.Scope("a").Gauge("b", math.NaN)
	tree.Scope("c").Gauge("d", func() float64 { return math.Inf(1) })
	tree.Scope("e").Counter("f").Inc()
	assert.Equal(t, "e,host=none f=1\n", write(t, tree, ""))
}

type failingWriter struct{ calls *int }

func (w failingWriter) Write([]byte) (int, error) {
	*w.calls++
	return 0, errors.New("gone")
}

func TestWriterFails(t *testing.T) {
	tree := newTree(t)
	for i := range 2000 {
		tree.Scope("scope", string(rune('a'+i%26)), string(rune('a'+i/26))).Counter("requests").Inc()
	}
	calls := 0
	require.EqualError(t, influx.Write(failingWriter{&calls}, tree, influx.Options{}), "gone")
	assert.Equal(t, 1, calls, "nobody is there any more")
}

func ExampleWrite() {
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	tree.Scope("rt", "http", "client", "#/io.l5d.fs/web").Counter("requests").Add(3)
	_ = influx.Write(os.Stdout, tree, influx.Options{Host: "localhost:9990"})
	// Output: rt:client,client=#/io.l5d.fs/web,host=localhost:9990,rt=http requests=3
}
