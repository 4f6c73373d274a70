package prom_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/prom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTree(tb testing.TB) *telemetry.Tree {
	tb.Helper()
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	tb.Cleanup(func() { assert.NoError(tb, tree.Close()) })
	return tree
}

func write(t *testing.T, tree *telemetry.Tree, opts prom.Options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, prom.Write(&b, tree, opts))
	return b.String()
}

// compatible gives what the vectors of the original have.
var compatible = prom.Options{Compatible: true}

func TestNames(t *testing.T) {
	for _, v := range []struct {
		id     string
		prefix string
		path   []string
		n      int64
		want   string
	}{
		{"7.9 client", "", []string{"rt", "incoming", "client", "#/bar", "requests"}, 1, `rt:client:requests{rt="incoming", client="#/bar"} 1`},
		{"7.9 per service", "", []string{"rt", "incoming", "client", "#/bar", "service", "svc/foo", "requests"}, 1, `rt:client:service:requests{rt="incoming", client="#/bar", service="svc/foo"} 1`},
		{"7.9 failures", "", []string{"rt", "in", "service", "svc/x", "failures", "A", "B"}, 1, `rt:service:failures{rt="in", service="svc/x", exception="A:B"} 1`},
		{"7.9 exn", "", []string{"rt", "in", "client", "X", "exn", "E"}, 1, `rt:client:exceptions{rt="in", client="X", exception="E"} 1`},
		{"7.9 bindcache", "", []string{"rt", "in", "bindcache", "path", "misses"}, 3, `rt:bindcache:path:misses{rt="in"} 3`},
		{"7.9 status", "", []string{"rt", "in", "client", "#/bar", "status", "5XX"}, 2, `rt:client:status:5XX{rt="in", client="#/bar"} 2`},
		{"85", "linkerd_", []string{"foo", "bar", "bas"}, 1, `linkerd_foo:bar:bas 1`},
		{"90", "linkerd_", []string{"rt", "incoming", "service", `\x5b\x31\x5d\x2d\x3aun"esc`, "requests"}, 1, `linkerd_rt:service:requests{rt="incoming", service="\\x5b\\x31\\x5d\\x2d\\x3aun\\esc"} 1`},
		{"90 newline", "", []string{"rt", "a\nb", "x"}, 1, `rt:x{rt="a\\b"} 1`},
		{"92", "linkerd_", []string{"rt", "incoming", "server", "127.0.0.1/4141", "requests"}, 1, `linkerd_rt:server:requests{rt="incoming", server="127.0.0.1/4141"} 1`},
		{"93 deep", "linkerd_", []string{"rt", "in", "server", "s", "failures", "bar", "qux"}, 1, `linkerd_rt:server:failures{rt="in", server="s", exception="bar:qux"} 1`},
		{"93 colon", "linkerd_", []string{"rt", "in", "client", "c", "failures", "bar:baz"}, 1, `linkerd_rt:client:failures{rt="in", client="c", exception="bar:baz"} 1`},
		{"93 exn deep", "", []string{"rt", "in", "service", "s", "exn", "thud", "cause"}, 1, `rt:service:exceptions{rt="in", service="s", exception="thud:cause"} 1`},
		{"94", "linkerd_", []string{"rt", "foo", "non_stack_match", "bar", "additional_path", "qux"}, 1, `linkerd_rt:non_stack_match:bar:additional_path:qux{rt="foo"} 1`},
		{"7.9 trap", "", []string{"rt", "in", "client", "c", "service", "s", "failures", "com.x.E"}, 1, `rt:client:service:failures:com_x_E{rt="in", client="c", service="s"} 1`},
		{"characters", "", []string{"a-b", "0.0.0.0/1", "ü"}, 1, `a_b:0_0_0_0_1:__ 1`},
		{"total of failures", "", []string{"rt", "in", "service", "s", "failures"}, 1, `rt:service:failures{rt="in", service="s"} 1`},
		{"names of scopes as ids", "", []string{"rt", "client", "client", "client", "client"}, 1, `rt:client:client{rt="client", client="client"} 1`},
		{"service below service", "", []string{"rt", "in", "service", "s", "service", "x"}, 1, `rt:service:service:x{rt="in", service="s"} 1`},
		{"rt deeper", "", []string{"x", "rt", "in", "client", "c"}, 1, `x:rt:in:client:c 1`},
		{"server failures at the service level of a client", "", []string{"rt", "in", "client", "c", "failures", "A", "B", "C"}, 1, `rt:client:failures{rt="in", client="c", exception="A:B:C"} 1`},
	} {
		t.Run(v.id, func(t *testing.T) {
			tree := newTree(t)
			tree.Scope().Counter(v.path...).Add(v.n)
			assert.Equal(t, v.want+"\n", write(t, tree, prom.Options{Prefix: v.prefix, Compatible: true}))
		})
	}
}

func TestGauges(t *testing.T) {
	tree := newTree(t)
	v := 1.0
	tree.Scope("jvm", "mem", "current").Gauge("used", func() float64 { return v })
	assert.Equal(t, "jvm:mem:current:used 1.0\n", write(t, tree, compatible), "7.9")
	v = 2
	assert.Equal(t, "p_jvm:mem:current:used 2.0\n", write(t, tree, prom.Options{Prefix: "p_", Compatible: true}), "86")
	v = math.Inf(1)
	assert.Equal(t, "jvm:mem:current:used +Inf\n", write(t, tree, compatible))
	v = math.NaN()
	assert.Equal(t, "jvm:mem:current:used NaN\n", write(t, tree, compatible))
}

func TestStats(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("foo", "bar").Stat("bas")
	assert.Empty(t, write(t, tree, compatible), "89")
	s.Record(1)
	assert.Empty(t, write(t, tree, compatible), "87: before the snapshot")
	tree.CloseWindow()
	assert.Equal(t, lines(
		"x_foo:bar:bas_count 1", "x_foo:bar:bas_sum 1", "x_foo:bar:bas_avg 1.0",
		`x_foo:bar:bas{quantile="0"} 1`, `x_foo:bar:bas{quantile="0.5"} 1`, `x_foo:bar:bas{quantile="0.9"} 1`,
		`x_foo:bar:bas{quantile="0.95"} 1`, `x_foo:bar:bas{quantile="0.99"} 1`, `x_foo:bar:bas{quantile="0.999"} 1`,
		`x_foo:bar:bas{quantile="0.9999"} 1`, `x_foo:bar:bas{quantile="1"} 1`,
	), write(t, tree, prom.Options{Prefix: "x_", Compatible: true}), "87: after it")

	s.Record(1)
	s.Record(2)
	tree.CloseWindow()
	assert.Equal(t, lines(
		"foo:bar:bas_count 2", "foo:bar:bas_sum 3", "foo:bar:bas_avg 1.5",
		`foo:bar:bas{quantile="0"} 1`, `foo:bar:bas{quantile="0.5"} 1`, `foo:bar:bas{quantile="0.9"} 2`,
		`foo:bar:bas{quantile="0.95"} 2`, `foo:bar:bas{quantile="0.99"} 2`, `foo:bar:bas{quantile="0.999"} 2`,
		`foo:bar:bas{quantile="0.9999"} 2`, `foo:bar:bas{quantile="1"} 2`,
	), write(t, tree, compatible), "88")

	tree.CloseWindow()
	assert.Empty(t, write(t, tree, compatible), "89: empty window")

	lat := tree.Scope("rt", "http", "server", "0.0.0.0/4140").Stat("request_latency_ms")
	lat.Record(5)
	tree.CloseWindow()
	out := write(t, tree, compatible)
	assert.Contains(t, out, `rt:server:request_latency_ms{rt="http", server="0.0.0.0/4140", quantile="0.99"} 5`+"\n", "7.9")
	assert.Contains(t, out, `rt:server:request_latency_ms_count{rt="http", server="0.0.0.0/4140"} 1`+"\n", "7.9")
}

func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestWriterFails(t *testing.T) {
	tree := newTree(t)
	tree.Scope("a").Counter("b").Inc()
	for _, o := range []prom.Options{{}, compatible, {Format: prom.OpenMetrics}, {Format: prom.Protobuf}} {
		require.EqualError(t, prom.Write(failingWriter{}, tree, o), "gone")
	}
	require.NoError(t, prom.Write(&bytes.Buffer{}, nil, prom.Options{}))
}

func ExampleWrite() {
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	client := tree.Scope("rt", "http", "client", "#/io.l5d.fs/web")
	client.Counter("requests").Add(3)
	telemetry.NewFailures(client, telemetry.FailuresOptions{}).Record("com.example.Outer", "com.example.Cause")
	_ = prom.Write(os.Stdout, tree, prom.Options{})
	// Output:
	// # HELP rt:client:failures Failed exchanges: all without the label exception; by name, and by the names of causes, with it.
	// # TYPE rt:client:failures counter
	// rt:client:failures{rt="http", client="#/io.l5d.fs/web"} 1
	// rt:client:failures{rt="http", client="#/io.l5d.fs/web", exception="com.example.Outer"} 1
	// rt:client:failures{rt="http", client="#/io.l5d.fs/web", exception="com.example.Outer:com.example.Cause"} 1
	// # HELP rt:client:requests Attempts at a bound name: requests, their retries and requeues.
	// # TYPE rt:client:requests counter
	// rt:client:requests{rt="http", client="#/io.l5d.fs/web"} 3
}

func BenchmarkWrite(b *testing.B) {
	tree := newTree(b)
	for i := range 1000 {
		client := tree.Scope("rt", "http", "client", "#/io.l5d.fs/service-"+strconv.Itoa(i))
		for _, name := range []string{"requests", "success", "connects", "sent_bytes"} {
			client.Counter(name).Inc()
		}
		client.Stat("request_latency_ms").Record(int64(i))
	}
	tree.CloseWindow()
	b.ReportAllocs()
	for b.Loop() {
		if err := prom.Write(&discard{}, tree, prom.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }
