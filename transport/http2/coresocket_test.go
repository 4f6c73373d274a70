package http2_test

import (
	"context"
	"crypto/tls"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/transport/http2"
)

// sockets returns both ends of a TCP connection.
func sockets(tb testing.TB) (client, server net.Conn) {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer func() { _ = l.Close() }()
	client, err = (&net.Dialer{}).DialContext(context.Background(), "tcp", l.Addr().String())
	require.NoError(tb, err)
	server, err = l.Accept()
	require.NoError(tb, err)
	return client, server
}

// secured puts TLS over both ends.
func secured(tb testing.TB, client, server net.Conn) (net.Conn, net.Conn) {
	tb.Helper()
	files := testcert.NewFiles(tb, "a.example")
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	require.NoError(tb, err)
	s := tls.Server(server, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
	c := tls.Client(client, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, NextProtos: []string{"h2"}}) //nolint:gosec // a test of bytes
	var g sync.WaitGroup
	g.Go(func() { assert.NoError(tb, s.HandshakeContext(context.Background())) })
	require.NoError(tb, c.HandshakeContext(context.Background()))
	g.Wait()
	return c, s
}

// TestSockets echoes large bodies over every way of writing.
func TestSockets(t *testing.T) {
	ways := map[string]func() (net.Conn, net.Conn){
		"TCP":           func() (net.Conn, net.Conn) { return sockets(t) },
		"TCP, Buffered": func() (net.Conn, net.Conn) { c, s := sockets(t); return http2.Buffered(c), http2.Buffered(s) },
		"TLS":           func() (net.Conn, net.Conn) { c, s := sockets(t); return secured(t, c, s) },
		"TLS, Buffered": func() (net.Conn, net.Conn) {
			c, s := sockets(t)
			return secured(t, http2.Buffered(c), http2.Buffered(s))
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			const streams, size = 20, 1 << 20
			cn, sn := way()
			o := http2.Options{InitialWindow: 1 << 20, ConnWindow: 4 << 20}
			server := http2.NewServerConn(sn, o, echo)
			client := http2.NewClientConn(cn, o, nil)
			var g sync.WaitGroup
			g.Go(func() { assert.NoError(t, server.Serve()) })
			g.Go(func() { assert.NoError(t, client.Serve()) })
			want := make([]byte, size)
			for i := range want {
				want[i] = byte(i * 7)
			}
			all := make([]*collector, streams)
			var done sync.WaitGroup
			for i := range all {
				done.Add(1)
				all[i] = &collector{over: done.Done}
				s, err := client.Open(all[i], fieldList(":method: POST", ":scheme: http", ":path: /"), false)
				require.NoError(t, err)
				_, err = s.SendData(want, true)
				require.NoError(t, err)
				client.Flush()
			}
			done.Wait()
			for _, c := range all {
				assert.Equal(t, []string{"end"}, c.ends)
				assert.True(t, string(want) == string(c.got), "%d bytes of %d", len(c.got), len(want))
			}
			client.Drain()
			g.Wait()
			assert.True(t, client.Draining())
		})
	}
}

// TestStuckSocket: a reader that stops reading its socket stops nobody else, and its
// connection's end is clean.
func TestStuckSocket(t *testing.T) {
	for _, secure := range []bool{false, true} {
		cn, sn := sockets(t)
		if secure {
			cn, sn = secured(t, cn, http2.Buffered(sn))
		}
		var stream atomic.Pointer[http2.Stream]
		accepted := make(chan struct{})
		server := http2.NewServerConn(sn, http2.Options{WriteTimeout: 100 * time.Millisecond}, func(s *http2.Stream, _ []hpack.HeaderField, _ bool) http2.Receiver {
			stream.Store(s)
			close(accepted)
			return &recorder{}
		})
		var g sync.WaitGroup
		g.Go(func() { assert.ErrorContains(t, server.Serve(), "timeout") })
		client := http2.NewClientConn(cn, http2.Options{InitialWindow: 1 << 30, ConnWindow: 1 << 30}, nil)
		stop := make(chan struct{})
		stopped := &recorder{onData: func(*http2.Stream, []byte, bool) { <-stop }}
		g.Go(func() { _ = client.Serve() })
		_, err := client.Open(stopped, request, true)
		require.NoError(t, err)
		client.Flush()
		<-accepted
		s := stream.Load()
		require.NoError(t, s.SendHead(fieldList(":status: 200"), false))
		begun := time.Now()
		for range 64 {
			if _, err := s.SendData(make([]byte, 1<<20), false); err != nil {
				break
			}
			server.Flush()
		}
		assert.Less(t, time.Since(begun), 5*time.Second, "SendData never waits")
		time.Sleep(500 * time.Millisecond)
		close(stop)
		_ = client.Close()
		g.Wait()
	}
}

// TestIdleMemory: a connection that nobody uses holds one goroutine and little memory.
func TestIdleMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's memory is counted too")
	}
	const n = 200
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	bufs := new(http2.Buffers)
	var g sync.WaitGroup
	var servers []*http2.Conn
	var clients []net.Conn
	measure := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	hello := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00")
	req := []byte("\x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x01a")
	clients = make([]net.Conn, 0, n)
	before := measure()
	for range n {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		require.NoError(t, err)
		s, err := l.Accept()
		require.NoError(t, err)
		conn := http2.NewServerConn(s, http2.Options{Buffers: bufs}, func(s *http2.Stream, _ []hpack.HeaderField, end bool) http2.Receiver {
			answer(s, end)
			return &recorder{}
		})
		servers, clients = append(servers, conn), append(clients, c)
		g.Go(func() { _ = conn.Serve() })
		_, err = c.Write(append(hello, req...))
		require.NoError(t, err)
		buf := make([]byte, 200)
		for got := 0; got < 100; {
			k, err := c.Read(buf)
			require.NoError(t, err)
			got += k
		}
	}
	time.Sleep(50 * time.Millisecond)
	per := (measure() - before) / n
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("stacks %d, heap %d in all", m.StackInuse, m.HeapAlloc)
	t.Logf("%d bytes per idle connection, of which the test's own end is about 1,000", per)
	assert.Less(t, per, uint64(13000))
	for i := range servers {
		_ = servers[i].Close()
		_ = clients[i].Close()
	}
	g.Wait()
}

func answer(s *http2.Stream, _ bool) {
	_ = s.SendHead(fieldList(":status: 200", "a: "+"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), false)
	_, _ = s.SendData([]byte("hello"), true)
}
