package http2_test

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/transport/http2"
)

// relay is the barest proxy there is: what comes on a stream goes out on another. It
// shows how the event core is meant to be used.
type relay struct {
	from, to *http2.Stream
}

// relayTo returns what accepts streams and relays them to a connection.
func relayTo(up *http2.Conn) http2.Accept {
	return func(s *http2.Stream, fields []hpack.HeaderField, end bool) http2.Receiver {
		r := &relay{from: s}
		to, err := up.Open((*answers)(r), fields, end)
		if err != nil {
			return nil
		}
		r.to = to
		s.Conn().FlushAfter(up)
		return r
	}
}

func (r *relay) Head(*http2.Stream, []hpack.HeaderField, bool) {}

func (r *relay) Data(s *http2.Stream, p []byte, end bool) { pass(s, r.to, p, end) }

func (r *relay) Trailer(s *http2.Stream, fields []hpack.HeaderField) {
	_ = r.to.SendTrailer(fields)
	s.Conn().FlushAfter(r.to.Conn())
}

func (r *relay) Reset(s *http2.Stream, _ error) {
	r.to.Reset(xhttp2.ErrCodeCancel)
	s.Conn().FlushAfter(r.to.Conn())
}

// Sent: data for the caller has moved on.
func (r *relay) Sent(s *http2.Stream, n int) {
	r.to.Consume(n)
	s.Conn().FlushAfter(r.to.Conn())
}

// answers are the events of the upstream side of a relay. They do not use to, which may
// not be set yet.
type answers relay

func (r *answers) Head(s *http2.Stream, fields []hpack.HeaderField, end bool) {
	_ = r.from.SendHead(fields, end)
	s.Conn().FlushAfter(r.from.Conn())
}

func (r *answers) Data(s *http2.Stream, p []byte, end bool) { pass(s, r.from, p, end) }

func (r *answers) Trailer(s *http2.Stream, fields []hpack.HeaderField) {
	_ = r.from.SendTrailer(fields)
	s.Conn().FlushAfter(r.from.Conn())
}

func (r *answers) Reset(s *http2.Stream, _ error) {
	r.from.Reset(xhttp2.ErrCodeInternal)
	s.Conn().FlushAfter(r.from.Conn())
}

func (r *answers) Sent(s *http2.Stream, n int) {
	r.from.Consume(n)
	s.Conn().FlushAfter(r.from.Conn())
}

func pass(s, to *http2.Stream, p []byte, end bool) {
	n, _ := to.SendData(p, end)
	s.Consume(n)
	s.Conn().FlushAfter(to.Conn())
}

// caller does one request after the other on one connection.
type caller struct {
	left *atomic.Int64
	bad  *atomic.Int64
	done *sync.WaitGroup
}

func (c *caller) open(conn *http2.Conn) {
	if c.left.Add(-1) < 0 {
		c.done.Done()
		return
	}
	if _, err := conn.Open(c, request, true); err != nil {
		c.bad.Add(1)
		c.done.Done()
	}
}

func (c *caller) Head(*http2.Stream, []hpack.HeaderField, bool) {}

func (c *caller) Data(s *http2.Stream, p []byte, end bool) {
	s.Consume(len(p))
	if end {
		c.open(s.Conn())
	}
}

func (c *caller) Trailer(*http2.Stream, []hpack.HeaderField) {}

func (c *caller) Reset(*http2.Stream, error) {
	c.bad.Add(1)
	c.done.Done()
}

func (c *caller) Sent(*http2.Stream, int) {}

// greeting is a server's answer to everything.
func greeting() http2.Accept {
	head, body := fieldList(":status: 200", "content-type: text/plain"), []byte("hello")
	return func(s *http2.Stream, _ []hpack.HeaderField, _ bool) http2.Receiver {
		_ = s.SendHead(head, false)
		_, _ = s.SendData(body, true)
		return greeted{}
	}
}

type greeted struct{ *caller }

// chain is callers, a relay (or none) and a server over loopback.
type chain struct {
	callers []*http2.Conn
	all     []*http2.Conn
	done    sync.WaitGroup
}

func newChain(tb testing.TB, conns int, relayed bool) *chain {
	tb.Helper()
	ch := &chain{}
	o := http2.Options{Buffers: new(http2.Buffers)}
	serve := func(c *http2.Conn) *http2.Conn {
		ch.all = append(ch.all, c)
		ch.done.Go(func() { _ = c.Serve() })
		return c
	}
	accept := greeting()
	if relayed {
		a, b := sockets(tb)
		serve(http2.NewServerConn(b, o, greeting()))
		accept = relayTo(serve(http2.NewClientConn(a, o, nil)))
		// The upstream's limit has to be known before more than 100 streams come.
		ready := make(chan struct{})
		up := ch.all[1]
		r := &collector{over: func() { close(ready) }}
		_, err := up.Open(r, request, true)
		require.NoError(tb, err)
		up.Flush()
		<-ready
	}
	for range conns {
		a, b := sockets(tb)
		serve(http2.NewServerConn(b, o, accept))
		ch.callers = append(ch.callers, serve(http2.NewClientConn(a, o, nil)))
	}
	return ch
}

// run does n requests, some at a time on each connection.
func (ch *chain) run(tb testing.TB, n, streams int) {
	tb.Helper()
	var left, bad atomic.Int64
	var done sync.WaitGroup
	left.Store(int64(n))
	for _, c := range ch.callers {
		for range streams {
			done.Add(1)
			(&caller{left: &left, bad: &bad, done: &done}).open(c)
		}
		c.Flush()
	}
	done.Wait()
	assert.Zero(tb, bad.Load())
}

func (ch *chain) end() {
	for _, c := range ch.all {
		_ = c.Close()
	}
	ch.done.Wait()
}

// BenchmarkEcho is a request and its answer between two connections of this package:
// the CPU of both ends.
func BenchmarkEcho(b *testing.B) {
	ch := newChain(b, 8, false)
	defer ch.end()
	ch.run(b, 1000, 16)
	b.ReportAllocs()
	b.ResetTimer()
	ch.run(b, b.N, 16)
}

// BenchmarkRelay has a bare relay between them: four ends.
func BenchmarkRelay(b *testing.B) {
	ch := newChain(b, 8, true)
	defer ch.end()
	ch.run(b, 1000, 16)
	b.ReportAllocs()
	b.ResetTimer()
	ch.run(b, b.N, 16)
}

// TestRelayAllocations: a relayed request costs its two streams and the relay's own
// object; the callers and the server of the test one stream each.
func TestRelayAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ch := newChain(t, 2, true)
	defer ch.end()
	const n = 20000
	ch.run(t, n, 16)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ch.run(t, n, 16)
	runtime.ReadMemStats(&after)
	per := float64(after.Mallocs-before.Mallocs) / n
	t.Logf("%.2f allocations per request in four ends", per)
	assert.Less(t, per, 5.5)
}

// TestRelayBodies: large bodies both ways through a relay, with small windows, arrive
// whole, and what waits in between is bounded.
func TestRelayBodies(t *testing.T) {
	o := http2.Options{InitialWindow: 30000}
	var g sync.WaitGroup
	serve := func(c *http2.Conn) *http2.Conn {
		g.Go(func() { _ = c.Serve() })
		return c
	}
	pair := func() (net.Conn, net.Conn) { return sockets(t) }
	a, b := pair()
	last := serve(http2.NewServerConn(b, o, echo))
	up := serve(http2.NewClientConn(a, o, nil))
	a, b = pair()
	mid := serve(http2.NewServerConn(b, o, relayTo(up)))
	client := serve(http2.NewClientConn(a, o, nil))
	want := make([]byte, 1<<20)
	for i := range want {
		want[i] = byte(i * 31 >> 3)
	}
	var done sync.WaitGroup
	all := make([]*collector, 10)
	for i := range all {
		done.Add(1)
		all[i] = &collector{over: done.Done}
		s, err := client.Open(all[i], fieldList(":method: POST", ":scheme: http", ":path: /"), false)
		require.NoError(t, err)
		_, err = s.SendData(want, i%2 == 0)
		require.NoError(t, err)
		if i%2 == 1 {
			require.NoError(t, s.SendTrailer(fieldList("t: 1")))
		}
		client.Flush()
	}
	done.Wait()
	for _, c := range all {
		assert.Equal(t, []string{"end"}, c.ends)
		assert.True(t, string(want) == string(c.got), "%d bytes of %d", len(c.got), len(want))
	}
	for _, c := range []*http2.Conn{client, mid, up, last} {
		_ = c.Close()
	}
	g.Wait()
}
