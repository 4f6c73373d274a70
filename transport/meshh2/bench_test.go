package meshh2_test

import (
	"context"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// BenchmarkRelay relays small calls of 8 connections with 16 streams each over
// loopback: identifier, dtab, EWMA, accrual, budgets, metrics and l5d fields
// included. Caller and endpoint are in the process; "bare" is the two without a
// relay in between.
func BenchmarkRelay(b *testing.B) {
	b.Run("bare", func(b *testing.B) { benchmarkCalls(b, originAddr(b), nil) })
	b.Run("get", func(b *testing.B) { benchmarkCalls(b, relayAddr(b, originAddr(b), meshh2.NonRetryable5XX{}), nil) })
	b.Run("grpc", func(b *testing.B) {
		benchmarkCalls(b, relayAddr(b, originAddr(b), meshh2.GRPC{}), []byte("\x00\x00\x00\x00\x05hello"))
	})
}

func benchmarkCalls(b *testing.B, addr string, body []byte) {
	b.Helper()
	const conns, streams = 8, 16
	b.ReportAllocs()
	total := b.N
	var done sync.WaitGroup
	before := cpu()
	start := time.Now()
	for i := range conns {
		nc, err := net.Dial("tcp", addr)
		require.NoError(b, err)
		c := http2.NewClientConn(nc, http2.Options{}, nil)
		n := total / conns
		if i < total%conns {
			n++
		}
		l := &loader{conn: c, left: n, out: n, body: body, ended: make(chan struct{})}
		done.Go(func() { _ = c.Serve() })
		if n == 0 {
			_ = c.Close()
			continue
		}
		for range min(streams, n) {
			l.next()
		}
		c.Flush()
		done.Go(func() {
			<-l.ended
			_ = c.Close()
		})
	}
	done.Wait()
	b.ReportMetric(float64(cpu()-before)/float64(total)/1e3, "cpu-µs/op")
	b.ReportMetric(float64(total)/time.Since(start).Seconds(), "calls/s")
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// loader makes calls on one connection, one after the other on each stream.
type loader struct {
	mu        sync.Mutex
	conn      *http2.Conn
	left, out int
	body      []byte
	ended     chan struct{}
}

var _ http2.Receiver = (*loader)(nil)

func getHead() []hpack.HeaderField {
	return []hpack.HeaderField{
		{Name: ":method", Value: "GET"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/"},
		{Name: ":authority", Value: "hello"},
		{Name: "user-agent", Value: "bench"},
	}
}

func postHead() []hpack.HeaderField {
	return []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/test.Service/Call"},
		{Name: ":authority", Value: "hello"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
		{Name: "user-agent", Value: "bench"},
	}
}

func (l *loader) next() {
	l.mu.Lock()
	if l.left == 0 {
		l.mu.Unlock()
		return
	}
	l.left--
	l.mu.Unlock()
	if l.body == nil {
		_, _ = l.conn.Open(l, getFields, true)
		return
	}
	s, err := l.conn.Open(l, postFields, false)
	if err == nil {
		_, _ = s.SendData(l.body, true)
	}
}

var getFields, postFields = getHead(), postHead()

func (l *loader) done() {
	l.mu.Lock()
	l.out--
	last := l.out == 0
	l.mu.Unlock()
	if last {
		close(l.ended)
		return
	}
	l.next()
}

func (l *loader) Head(_ *http2.Stream, _ []hpack.HeaderField, end bool) {
	if end {
		l.done()
	}
}

func (l *loader) Data(s *http2.Stream, p []byte, end bool) {
	s.Consume(len(p))
	if end {
		l.done()
	}
}
func (l *loader) Trailer(*http2.Stream, []hpack.HeaderField) { l.done() }
func (l *loader) Reset(_ *http2.Stream, err error)           { panic(err) }
func (l *loader) Sent(*http2.Stream, int)                    {}

// origin answers every request.
type origin struct{ grpc bool }

var (
	okFields    = []hpack.HeaderField{{Name: ":status", Value: "200"}, {Name: "content-length", Value: "12"}, {Name: "server", Value: "bench"}}
	grpcFields  = []hpack.HeaderField{{Name: ":status", Value: "200"}, {Name: "content-type", Value: "application/grpc"}}
	grpcTrailer = []hpack.HeaderField{{Name: "grpc-status", Value: "0"}, {Name: "grpc-message", Value: ""}}
)

func (o *origin) answer(s *http2.Stream) {
	if o.grpc {
		_ = s.SendHead(grpcFields, false)
		_, _ = s.SendData([]byte("\x00\x00\x00\x00\x05hello"), false)
		_ = s.SendTrailer(grpcTrailer)
		return
	}
	_ = s.SendHead(okFields, false)
	_, _ = s.SendData([]byte("Hello world\n"), true)
}

func (o *origin) Head(*http2.Stream, []hpack.HeaderField, bool) {}
func (o *origin) Data(s *http2.Stream, p []byte, end bool) {
	s.Consume(len(p))
	if end {
		o.answer(s)
	}
}
func (o *origin) Trailer(s *http2.Stream, _ []hpack.HeaderField) { o.answer(s) }
func (o *origin) Reset(*http2.Stream, error)                     {}
func (o *origin) Sent(*http2.Stream, int)                        {}

func originAddr(tb testing.TB) string {
	tb.Helper()
	get, grpc := &origin{}, &origin{grpc: true}
	return listen(tb, func(nc net.Conn) *http2.Conn {
		return http2.NewServerConn(nc, http2.Options{}, func(s *http2.Stream, _ []hpack.HeaderField, end bool) http2.Receiver {
			if end {
				get.answer(s)
				return get
			}
			return grpc
		})
	})
}

// listen serves connections until the benchmark ends.
func listen(tb testing.TB, conn func(net.Conn) *http2.Conn) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	var serving sync.WaitGroup
	var mu sync.Mutex
	var all []*http2.Conn
	serving.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			c := conn(nc)
			mu.Lock()
			all = append(all, c)
			mu.Unlock()
			serving.Go(func() { _ = c.Serve() })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range all {
			_ = c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return l.Addr().String()
}

// relayAddr starts a relay with everything that a proxy has in it.
func relayAddr(tb testing.TB, origin string, cl meshh2.Classifier) string {
	tb.Helper()
	tree := telemetry.NewTree(telemetry.Options{Window: -1})
	in := naming.NewInterpreter(naming.Options{
		Base: dtab.MustParse("/svc => /#/w"),
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/w"), Namer: naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
			return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/w").Concat(p.Take(1)), p.Drop(1), weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: origin}}})))
		})}},
	})
	relay, err := meshh2.New(meshh2.Options{
		Mesh: transport.Options{
			Interpreter: in, Label: "bench", Metrics: tree.Scope("rt", "bench"),
			Client: func(dtab.Path) transport.ClientOptions {
				return transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}}
			},
		},
		Classifier: cl,
	})
	require.NoError(tb, err)
	h := meshh2.NewHandler(meshh2.ServerOptions{Relay: relay, Label: "bench", Metrics: tree.Scope("rt", "bench", "server", "x")})
	tb.Cleanup(func() {
		_ = relay.Close()
		_ = in.Close()
		_ = tree.Close()
	})
	return listen(tb, func(nc net.Conn) *http2.Conn {
		var accept http2.Accept
		c := http2.NewServerConn(nc, http2.Options{}, func(s *http2.Stream, f []hpack.HeaderField, end bool) http2.Receiver { return accept(s, f, end) })
		accept = h.Accept(c)
		return c
	})
}
