package statsd_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/statsd"
)

const patience = 30 * time.Second

func TestName(t *testing.T) {
	for _, v := range []struct {
		id   string
		path []string
		want string
	}{
		{"99", []string{"foo", "$", "", `bar/baz.stuff#word?who//what^when*where\why`, `#/^//\huh?@$%^&`}, "foo._.bar.baz_stuff_word_who.what_when_where_why._._._huh______"},
		{
			"100",
			[]string{"rt", "http", "client", "#/io.l5d.fs/default/path/http/1.1/GET/default", "request_latency_ms"},
			"rt.http.client._.io_l5d_fs.default.path.http.1_1.GET.default.request_latency_ms",
		},
		{"three slashes are two and one", []string{"a///b"}, "a..b"},
		{"not ASCII", []string{"é", "\U0001f600"}, "_.__"},
		{"none", nil, ""},
	} {
		assert.Equal(t, v.want, statsd.Name(v.path), v.id)
	}
}

// listener is a statsd that keeps the lines it gets.
type listener struct {
	conn net.PacketConn
	port int
	mu   sync.Mutex
	got  []string
	size []int // of datagrams
	done chan struct{}
}

func listen(t *testing.T) *listener {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &listener{conn: conn, port: conn.LocalAddr().(*net.UDPAddr).Port, done: make(chan struct{})}
	_ = conn.(*net.UDPConn).SetReadBuffer(4 << 20)
	go func() {
		defer close(l.done)
		buf := make([]byte, 64<<10)
		for {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			l.mu.Lock()
			l.size = append(l.size, n)
			l.got = append(l.got, strings.Split(string(buf[:n]), "\n")...)
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-l.done })
	return l
}

func (l *listener) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.got...)
}

func (l *listener) datagrams() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.size)
}

func (l *listener) count(line string) (n int) {
	for _, g := range l.lines() {
		if g == line {
			n++
		}
	}
	return n
}

func (l *listener) await(t *testing.T, line string) {
	t.Helper()
	require.Eventually(t, func() bool { return l.count(line) > 0 }, patience, 5*time.Millisecond, "%s in %v", line, l.lines())
}

func newTree(t *testing.T) *telemetry.Tree {
	t.Helper()
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	t.Cleanup(func() { assert.NoError(t, tree.Close()) })
	return tree
}

func newExporter(t *testing.T, o statsd.Options) *statsd.Exporter {
	t.Helper()
	e := statsd.New(o)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

func TestWire(t *testing.T) {
	l, tree := listen(t), newTree(t)
	requests := tree.Scope("rt", "http", "service", "svc/web").Counter("requests")
	requests.Add(3)
	tree.Scope("a").Counter("never")
	tree.Scope("a").Gauge("third", func() float64 { return 1.0 / 3 })
	tree.Scope("a").Gauge("whole", func() float64 { return 1e6 })
	tree.Scope("a").Gauge("below", func() float64 { return -2.5 })
	tree.Scope("a").Gauge("nothing", math.NaN)
	tree.Scope("a").Gauge("endless", func() float64 { return math.Inf(1) })
	e := newExporter(t, statsd.Options{Tree: tree, Port: l.port, Interval: 50 * time.Millisecond, SampleRate: 1})
	l.await(t, "linkerd.rt.http.service.svc.web.requests:3|c")
	l.await(t, "linkerd.a.third:0.333333|g")
	l.await(t, "linkerd.a.whole:1000000|g")
	l.await(t, "linkerd.a.below:-2.5|g")
	assert.Contains(t, strings.Join(l.lines(), "\n"), "linkerd.a.below:0|g\nlinkerd.a.below:-2.5|g", "a sign alone is a change")
	requests.Add(4)
	l.await(t, "linkerd.rt.http.service.svc.web.requests:4|c")
	tree.Scope("a").Stat("latency_ms").Record(17)
	l.await(t, "linkerd.a.latency_ms:17|ms")
	tree.Scope("rt").Prune()
	again := tree.Scope("rt", "http", "service", "svc/web").Counter("requests")
	again.Add(2)
	l.await(t, "linkerd.rt.http.service.svc.web.requests:2|c")

	again.Add(1)
	require.NoError(t, e.Close())
	l.await(t, "linkerd.rt.http.service.svc.web.requests:1|c")
	for _, absent := range []string{"never", "nothing", "endless"} {
		assert.NotContains(t, strings.Join(l.lines(), "\n"), absent)
	}
	n := len(l.lines())
	tree.Scope("a").Stat("latency_ms").Record(18)
	time.Sleep(150 * time.Millisecond)
	assert.Len(t, l.lines(), n, "nothing comes after the end")
	assert.Equal(t, int64(0), e.Dropped())
}

func TestSampling(t *testing.T) {
	l, tree := listen(t), newTree(t)
	e := newExporter(t, statsd.Options{Tree: tree, Prefix: "x.y", Port: l.port, SampleRate: 0.25})
	stat := tree.Scope("a").Stat("b")
	for range 20_000 {
		stat.Record(7)
	}
	require.NoError(t, e.Close())
	assert.InDelta(t, 5000, e.Sent()+e.Dropped(), 450)
	l.await(t, "x.y.a.b:7|ms|@0.250000")
	for _, line := range l.lines() {
		require.Equal(t, "x.y.a.b:7|ms|@0.250000", line)
	}
}

// TestAHostThatIsNotFound: nobody waits for it, what is too much is counted, and counters
// lose nothing.
func TestAHostThatIsNotFound(t *testing.T) {
	var logged bytes.Buffer
	tree := newTree(t)
	e := newExporter(t, statsd.Options{
		Tree: tree, Host: "no-such-host.invalid", SampleRate: 1, Queue: 100, Interval: time.Millisecond,
		Scope: tree.Scope("telemeter", "io.l5d.statsd"), Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	stat := tree.Scope("a").Stat("b")
	began := time.Now()
	for range 100_000 {
		stat.Record(7)
	}
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Equal(t, int64(100_000-100), tree.Scope("telemeter", "io.l5d.statsd").Counter("lines", "dropped").Value())
	began = time.Now()
	require.NoError(t, e.Close())
	assert.Less(t, time.Since(began), 10*time.Second)
	assert.Equal(t, int64(100_000), e.Dropped())
	assert.LessOrEqual(t, strings.Count(logged.String(), "level=WARN"), 1)
}

// TestTheEnd: what counters have grown by is said at the end, before the first interval is
// over, but no gauge; then the tree's stats are left alone.
func TestTheEnd(t *testing.T) {
	l, tree := listen(t), newTree(t)
	tree.Scope("a").Gauge("g", func() float64 { return 1 })
	counters := tree.Scope("telemeter")
	e := newExporter(t, statsd.Options{Tree: tree, Port: l.port, SampleRate: 1, Interval: time.Hour, Queue: 3, Scope: counters})
	tree.Scope("a").Counter("c").Add(7)
	stat := tree.Scope("a").Stat("s")
	stat.Record(5)
	require.NoError(t, e.Close())
	l.await(t, "linkerd.a.c:7|c")
	l.await(t, "linkerd.a.s:5|ms")
	for range 10 {
		stat.Record(6)
	}
	for _, line := range l.lines() {
		assert.NotContains(t, line, "|g")
		assert.NotContains(t, line, ":6|")
	}
	assert.Zero(t, e.Dropped(), "what is recorded after the end is not meant for statsd")
}

// TestDatagrams: none is larger than what a network carries in one piece, and a line is
// never divided.
func TestDatagrams(t *testing.T) {
	l, tree := listen(t), newTree(t)
	for i := range 500 {
		tree.Scope("many", fmt.Sprint(i), strings.Repeat("x", 100)).Counter("requests").Inc()
	}
	e := newExporter(t, statsd.Options{Tree: tree, Port: l.port, Interval: time.Hour})
	require.NoError(t, e.Close())
	require.Eventually(t, func() bool { return len(l.lines()) == 500 }, patience, 5*time.Millisecond)
	for _, line := range l.lines() {
		assert.Regexp(t, `^linkerd\.many\.\d+\.x{100}\.requests:1\|c$`, line)
	}
	assert.LessOrEqual(t, slices.Max(l.datagrams()), 1432)
}

// TestNobodyListens: the next one who does gets what comes then.
func TestNobodyListens(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := conn.LocalAddr().(*net.UDPAddr)
	require.NoError(t, conn.Close())
	tree := newTree(t)
	counters := tree.Scope("telemeter")
	e := newExporter(t, statsd.Options{Tree: tree, Port: addr.Port, SampleRate: 1, Interval: 20 * time.Millisecond, Scope: counters})
	c := tree.Scope("a").Counter("b")
	c.Inc()
	require.Eventually(t, func() bool { c.Inc(); return e.Sent() > 2 }, patience, 5*time.Millisecond)
	require.Eventually(t, func() bool { c.Inc(); return counters.Counter("sends", "failures").Value() > 0 }, patience, 5*time.Millisecond, "the machine says so")
	assert.Zero(t, e.Dropped(), "what was refused goes once more")
	back, err := net.ListenPacket("udp", addr.String())
	require.NoError(t, err)
	defer back.Close()
	c.Inc()
	require.NoError(t, back.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 1500)
	n, _, err := back.ReadFrom(buf)
	require.NoError(t, err)
	assert.Contains(t, string(buf[:n]), "linkerd.a.b:")
	require.NoError(t, e.Close())
}

// TestLargeFlush: a flush waits for room, but not for longer than until the next one, which
// says the rest: everything once.
func TestLargeFlush(t *testing.T) {
	for _, o := range []statsd.Options{{Queue: 50, Interval: 100 * time.Millisecond}, {Queue: 1, Interval: time.Millisecond}} {
		l, tree := listen(t), newTree(t)
		o.Tree, o.Port = tree, l.port
		for i := range 3000 {
			tree.Scope("many", fmt.Sprint(i)).Counter("requests").Inc()
		}
		e := newExporter(t, o)
		require.Eventually(t, func() bool { return e.Sent() >= 3000 }, patience, 5*time.Millisecond)
		require.NoError(t, e.Close())
		assert.Equal(t, []int64{3000, 0}, []int64{e.Sent(), e.Dropped()})
	}
}

// TestStatsDExporter: a real statsd understands all of it.
func TestStatsDExporter(t *testing.T) {
	s, tree := servers.StartStatsD(t), newTree(t)
	e := newExporter(t, statsd.Options{Tree: tree, Port: s.Port, SampleRate: 0.5, Interval: 50 * time.Millisecond})
	tree.Scope("rt", "http").Counter("requests").Add(42)
	tree.Scope("rt", "http").Gauge("below", func() float64 { return -1.5 })
	stat := tree.Scope("rt", "http").Stat("latency_ms")
	for range 400 {
		stat.Record(10)
	}
	has := func(text string) {
		t.Helper()
		var err error
		require.Eventually(t, func() bool { err = s.Has(t.Context(), text); return err == nil }, patience, 20*time.Millisecond, text)
	}
	has("\nlinkerd_rt_http_requests 42\n")
	has("\nlinkerd_rt_http_below -1.5\n")
	has("\nlinkerd_rt_http_latency_ms{quantile=\"0.99\"} 0.01\n") // seconds
	require.NoError(t, e.Close())
}

func BenchmarkRecordSampled(b *testing.B) {
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	e := statsd.New(statsd.Options{Tree: tree, Port: 9, SampleRate: 0.01})
	defer e.Close()
	s := tree.Scope("a").Stat("b")
	b.ReportAllocs()
	for b.Loop() {
		s.Record(7)
	}
}
