package http2_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft/transport/http2"
)

var request = fieldList(":method: GET", ":scheme: http", ":path: /", ":authority: a")

// open opens a stream and has it written.
func (p *rawPeer) open(r http2.Receiver, end bool) *http2.Stream {
	p.tb.Helper()
	s, err := p.conn.Open(r, request, end)
	require.NoError(p.tb, err)
	p.conn.Flush()
	return s
}

func TestServerDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		left := 0
		p := rawClient(t, http2.Options{Leaving: func(*http2.Conn) { left++ }}, a.accept)
		p.headers(1, true, get()...)
		p.settle()
		p.conn.Drain()
		p.conn.Drain()
		assert.Equal(t, []string{"GOAWAY 2147483647 NO_ERROR", `PING "weft-end"`}, p.got())
		assert.Equal(t, 1, left)
		assert.True(t, p.conn.Draining())
		p.headers(3, true, get()...)
		assert.Empty(t, p.got(), "under way before the client knew: accepted")
		p.ok(p.w.WritePing(true, [8]byte([]byte("weft-end"))))
		assert.Equal(t, []string{"GOAWAY 3 NO_ERROR"}, p.got())
		p.headers(5, false, post()...)
		p.ok(p.w.WriteData(5, true, []byte("x")))
		assert.Empty(t, p.got(), "after the last: ignored")
		assert.Len(t, a.list(), 2)
		hello(a.stream(0), true)
		p.conn.Flush()
		assert.Equal(t, []string{"HEADERS 1 :status=200", "DATA 1 5 END"}, p.got())
		hello(a.stream(1), true)
		p.conn.Flush()
		assert.Equal(t, []string{"HEADERS 3 :status=200", "DATA 3 5 END", "EOF"}, p.got())
		_ = p.nc.Close()
		assert.NoError(t, p.served())
	})
}

// TestServerDrainSilentClient: the second GOAWAY does not wait for the PING for ever,
// nor the close for the client's.
func TestServerDrainSilentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := rawClient(t, http2.Options{}, new(acceptor).accept)
		p.conn.Drain()
		p.settle()
		time.Sleep(1100 * time.Millisecond)
		assert.Equal(t, []string{"GOAWAY 0 NO_ERROR", "EOF"}, p.got())
		time.Sleep(1100 * time.Millisecond)
		assert.NoError(t, p.served())
	})
}

// TestServerDrainLastReset: the last stream's end need not be a frame of ours.
func TestServerDrainLastReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := rawClient(t, http2.Options{}, new(acceptor).accept)
		p.headers(1, true, get()...)
		p.conn.Drain()
		p.ok(p.w.WritePing(true, [8]byte([]byte("weft-end"))))
		p.settle()
		p.ok(p.w.WriteRSTStream(1, xhttp2.ErrCodeCancel))
		assert.Equal(t, []string{"EOF"}, p.got())
		_ = p.nc.Close()
		assert.NoError(t, p.served())
	})
}

func TestClientDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := rawServer(t, http2.Options{})
		s := p.open(&recorder{}, true)
		assert.Equal(t, uint32(3), s.ID(), "1 is for upgrades")
		p.settle()
		p.conn.Drain()
		_, err := p.conn.Open(&recorder{}, request, true)
		require.ErrorIs(t, err, http2.ErrDraining)
		assert.Zero(t, p.conn.Free())
		assert.Empty(t, p.got())
		p.headers(3, true, ":status: 200")
		assert.Equal(t, []string{"GOAWAY 0 NO_ERROR", "EOF"}, p.got())
		_ = p.nc.Close()
		assert.NoError(t, p.served())
	})
}

func TestIdleAndLifeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{IdleTimeout: time.Minute}, a.accept)
		time.Sleep(50 * time.Second)
		p.headers(1, true, get()...)
		p.settle()
		time.Sleep(10 * time.Minute)
		assert.Empty(t, p.got(), "not idle")
		hello(a.stream(0), true)
		p.conn.Flush()
		p.settle()
		time.Sleep(59 * time.Second)
		assert.Empty(t, p.got())
		time.Sleep(1500 * time.Millisecond)
		assert.Equal(t, []string{"GOAWAY 2147483647 NO_ERROR", `PING "weft-end"`}, p.got())
		p.end()
	})
	synctest.Test(t, func(t *testing.T) {
		p := rawServer(t, http2.Options{LifeTime: time.Minute})
		p.open(&recorder{}, true)
		time.Sleep(61 * time.Second)
		_, err := p.conn.Open(&recorder{}, request, true)
		require.ErrorIs(t, err, http2.ErrDraining)
		p.end()
	})
}

func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		p := rawServer(t, http2.Options{KeepAlive: time.Minute, KeepAliveTimeout: 5 * time.Second})
		p.open(r, true)
		p.settle()
		time.Sleep(30 * time.Second)
		p.headers(3, false, ":status: 200")
		p.settle()
		time.Sleep(50 * time.Second)
		assert.Empty(t, p.got(), "a frame is a sign of life")
		time.Sleep(11 * time.Second)
		assert.Equal(t, []string{`PING "weftping"`}, p.got())
		p.ok(p.w.WritePing(true, [8]byte([]byte("weftping"))))
		time.Sleep(time.Minute)
		assert.Equal(t, []string{`PING "weftping"`}, p.got())
		time.Sleep(6 * time.Second)
		assert.ErrorContains(t, p.served(), "does not answer PING")
		events := r.list()
		assert.Equal(t, "reset http2: connection lost: http2: the peer does not answer PING", events[len(events)-1])
	})
}

func TestSettingsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, nc := newPeer(t)
		p.conn = http2.NewServerConn(nc, http2.Options{}, new(acceptor).accept)
		p.start()
		p.send(xhttp2.ClientPreface[:10])
		p.settle()
		time.Sleep(11 * time.Second)
		assert.Equal(t, []string{"GOAWAY 0 SETTINGS_TIMEOUT", "EOF"}, p.got())
		assert.ErrorContains(t, p.served(), "SETTINGS_TIMEOUT")
	})
}

// TestGoAwayReceived: streams above the last id were not processed and may be repeated
// elsewhere, the others go on.
func TestGoAwayReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 0
		p := rawServer(t, http2.Options{Leaving: func(*http2.Conn) { left++ }})
		one, two := &recorder{}, &recorder{}
		p.open(one, true)
		p.open(two, true)
		p.ok(p.w.WriteGoAway(3, xhttp2.ErrCodeNo, []byte("bye")))
		p.settle()
		assert.Equal(t, 1, left)
		require.Len(t, two.errs, 1)
		var lost *http2.ConnError
		require.ErrorAs(t, two.errs[0], &lost)
		assert.True(t, lost.Unprocessed)
		var away *http2.GoAwayError
		require.ErrorAs(t, lost, &away)
		assert.Equal(t, "bye", away.Debug)
		_, err := p.conn.Open(&recorder{}, request, true)
		require.ErrorIs(t, err, http2.ErrDraining)
		p.headers(3, true, ":status: 200")
		assert.Equal(t, []string{"head :status=200 END"}, one.list())
		assert.Contains(t, p.got(), "EOF", "closed with the last stream")
		_ = p.nc.Close()
		assert.NoError(t, p.served())
	})
}

func TestConnectionLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := rawServer(t, http2.Options{})
		r, unsent := &recorder{}, &recorder{}
		p.open(r, false)
		_, err := p.conn.Open(unsent, request, true) // not flushed
		require.NoError(t, err)
		p.nc.Reset()
		require.Error(t, p.served())
		require.Len(t, r.errs, 1)
		var lost *http2.ConnError
		require.ErrorAs(t, r.errs[0], &lost)
		assert.False(t, lost.Unprocessed, "it may have been processed")
		require.ErrorAs(t, unsent.errs[0], &lost)
		assert.True(t, lost.Unprocessed, "not a byte of it was written")
		_, err = p.conn.Open(r, request, true)
		require.ErrorIs(t, err, http2.ErrClosed)
		assert.Zero(t, p.conn.Streams())
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p := rawClient(t, http2.Options{}, a.accept)
		p.headers(1, true, get()...)
		s := a.stream(0)
		require.NoError(t, p.conn.Close())
		require.NoError(t, p.conn.Close())
		require.NoError(t, p.served())
		assert.Equal(t, "reset http2: connection lost: http2: the connection is closed", a.list()[1])
		require.ErrorIs(t, s.SendHead(request, false), http2.ErrClosed)
		_, err := s.SendData(nil, true)
		require.ErrorIs(t, err, http2.ErrClosed)
		s.Reset(xhttp2.ErrCodeCancel)
		s.Consume(1)
		p.conn.Flush()
		p.conn.Drain()
	})
}

func TestCloseBeforeServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, nc := newPeer(t)
		why := errors.New("not called")
		c := http2.NewClientConn(nc, http2.Options{}, func(_ *http2.Conn, err error) { why = err })
		r := &recorder{}
		_, err := c.Open(r, request, true)
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.NoError(t, c.Serve())
		require.NoError(t, why)
		assert.Len(t, r.errs, 1)
		_ = p.nc.Close()
	})
}

func TestStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := 0
		p, nc := newPeer(t)
		p.conn = http2.NewClientConn(nc, http2.Options{Room: func(*http2.Conn) { room++ }}, nil)
		p.start()
		assert.Equal(t, 100, p.conn.Free(), "until the server has said")
		p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxConcurrentStreams, Val: 2}))
		p.ok(p.w.WriteSettingsAck())
		p.settle()
		assert.Equal(t, 1, room)
		assert.Equal(t, 2, p.conn.Free())
		one := p.open(&recorder{}, true)
		p.open(&recorder{}, true)
		assert.Zero(t, p.conn.Free())
		_, err := p.conn.Open(&recorder{}, request, true)
		require.ErrorIs(t, err, http2.ErrStreamLimit)
		one.Reset(xhttp2.ErrCodeCancel)
		assert.Equal(t, 2, room)
		p.open(&recorder{}, true)
		_, err = p.conn.Open(&recorder{}, request, true)
		require.ErrorIs(t, err, http2.ErrStreamLimit)
		p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingMaxConcurrentStreams, Val: 3}))
		p.settle()
		assert.Equal(t, 3, room)
		p.end()
	})
}

// TestResponses is about what a client takes from a server.
func TestResponses(t *testing.T) {
	const broken = "reset http2: stream reset: PROTOCOL_ERROR"
	cases := []struct {
		name   string
		method string
		do     func(p *rawPeer)
		events []string // the beginnings of them
	}{
		{"final", "GET", func(p *rawPeer) { p.headers(3, true, ":status: 204") }, []string{"head :status=204 END"}},
		{"interim ones first", "GET", func(p *rawPeer) {
			p.headers(3, false, ":status: 103", "link: x")
			p.headers(3, false, ":status: 100")
			p.headers(3, false, ":status: 200")
			p.ok(p.w.WriteData(3, true, nil))
		}, []string{"head :status=103 link=x", "head :status=100", "head :status=200", "data 0 END"}},
		{"interim that ends", "GET", func(p *rawPeer) { p.headers(3, true, ":status: 103") }, []string{broken}},
		{"101", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 101") }, []string{broken}},
		{"trailers", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 200"); p.headers(3, true, "a: b") }, []string{"head :status=200", "trailer a=b"}},
		{"second head", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 200"); p.headers(3, false, ":status: 200") }, []string{"head :status=200", broken}},
		{"status in trailers", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 200"); p.headers(3, true, ":status: 200") }, []string{"head :status=200", broken}},
		{"no status", "GET", func(p *rawPeer) { p.headers(3, false, "a: b") }, []string{broken}},
		{"two status", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 200", ":status: 200") }, []string{broken}},
		{"bad status", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 20x") }, []string{broken}},
		{"request's pseudo-header", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 200", ":path: /") }, []string{broken}},
		{"connection", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 200", "connection: close") }, []string{broken}},
		{"DATA first", "GET", func(p *rawPeer) { p.ok(p.w.WriteData(3, true, []byte("x"))) }, []string{broken}},
		{"DATA after interim", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 100"); p.ok(p.w.WriteData(3, true, []byte("x"))) }, []string{"head :status=100", broken}},
		{"content-length", "GET", func(p *rawPeer) {
			p.headers(3, false, ":status: 200", "content-length: 2")
			p.ok(p.w.WriteData(3, true, []byte("xy")))
		}, []string{"head :status=200 content-length=2", "data 2 END"}},
		{"other content-length", "GET", func(p *rawPeer) {
			p.headers(3, false, ":status: 200", "content-length: 2")
			p.ok(p.w.WriteData(3, true, []byte("x")))
		}, []string{"head :status=200 content-length=2", broken}},
		{"content-length and nothing", "GET", func(p *rawPeer) { p.headers(3, true, ":status: 200", "content-length: 2") }, []string{broken}},
		{"HEAD", "HEAD", func(p *rawPeer) { p.headers(3, true, ":status: 200", "content-length: 2") }, []string{"head :status=200 content-length=2 END"}},
		{"HEAD with an empty frame", "HEAD", func(p *rawPeer) {
			p.headers(3, false, ":status: 200", "content-length: 2")
			p.ok(p.w.WriteData(3, true, nil))
		}, []string{"head :status=200 content-length=2", "data 0 END"}},
		{"HEAD with a body", "HEAD", func(p *rawPeer) { p.headers(3, false, ":status: 200"); p.ok(p.w.WriteData(3, true, []byte("x"))) }, []string{"head :status=200", broken}},
		{"304", "GET", func(p *rawPeer) { p.headers(3, true, ":status: 304", "content-length: 2") }, []string{"head :status=304 content-length=2 END"}},
		{"304 with a body", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 304"); p.ok(p.w.WriteData(3, true, []byte("x"))) }, []string{"head :status=304", broken}},
		{"204 with a body", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 204"); p.ok(p.w.WriteData(3, true, []byte("x"))) }, []string{"head :status=204", broken}},
		{"reset", "GET", func(p *rawPeer) { p.ok(p.w.WriteRSTStream(3, xhttp2.ErrCodeRefusedStream)) }, []string{"reset http2: stream reset by the peer: REFUSED_STREAM"}},
		{"head too large", "GET", func(p *rawPeer) { p.headers(3, false, ":status: 200", "a: "+strings.Repeat("x", 5000)) }, []string{"reset http2: stream reset: ENHANCE_YOUR_CALM"}},
		{"push", "GET", func(p *rawPeer) {
			p.raw(xhttp2.FramePushPromise, xhttp2.FlagPushPromiseEndHeaders, 3, u32(2))
		}, []string{"reset http2: connection lost: http2: peer broke the protocol: PROTOCOL_ERROR"}},
		{"HEADERS of a stream of the server", "GET", func(p *rawPeer) { p.headers(2, false, ":status: 200") }, []string{"reset http2: connection lost: http2: peer broke the protocol: PROTOCOL_ERROR"}},
		{"HEADERS of an idle stream", "GET", func(p *rawPeer) { p.headers(9, false, ":status: 200") }, []string{"reset http2: connection lost: http2: peer broke the protocol: PROTOCOL_ERROR"}},
		{"ENABLE_PUSH 1", "GET", func(p *rawPeer) { p.ok(p.w.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingEnablePush, Val: 1})) }, []string{"reset http2: connection lost: http2: peer broke the protocol: PROTOCOL_ERROR"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := rawServer(t, http2.Options{MaxHeaderListBytes: 4096})
				defer p.end()
				r := &recorder{}
				s, err := p.conn.Open(r, fieldList(":method: "+c.method, ":scheme: http", ":path: /"), true)
				require.NoError(t, err)
				p.conn.Flush()
				p.settle()
				c.do(p)
				events := r.list()
				require.Len(t, events, len(c.events), "%v", events)
				for i, e := range c.events {
					assert.True(t, strings.HasPrefix(events[i], e), events[i])
					if strings.HasPrefix(e, broken) {
						assert.Contains(t, p.got(), "RST 3 PROTOCOL_ERROR")
					}
				}
				s.Reset(xhttp2.ErrCodeCancel)
				assert.Empty(t, r.list(), "nothing follows the last event")
			})
		})
	}
}

// TestLateFrames: what a server sent before it knew of a reset is no offence.
func TestLateFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := rawServer(t, http2.Options{ConnWindow: 65535})
		defer p.end()
		r := &recorder{}
		s := p.open(r, true)
		s.Reset(xhttp2.ErrCodeCancel)
		p.conn.Flush()
		p.settle()
		p.headers(3, false, ":status: 200")
		p.ok(p.w.WriteData(3, false, make([]byte, 16000)))
		p.ok(p.w.WriteData(3, false, make([]byte, 16000)))
		p.ok(p.w.WriteData(3, false, make([]byte, 1000)))
		p.ok(p.w.WriteWindowUpdate(3, 1))
		p.headers(3, true, "a: b")
		p.ok(p.w.WriteRSTStream(3, xhttp2.ErrCodeCancel))
		assert.Equal(t, []string{"WINDOW 0 33000"}, p.got(), "the connection's window is given back")
		assert.Empty(t, r.list())
	})
}

func TestUpgraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &acceptor{}
		p, nc := newPeer(t)
		c := http2.NewServerConn(nc, http2.Options{}, a.accept)
		p.conn = c
		require.Error(t, c.Upgraded("!", request, nil))
		require.Error(t, c.Upgraded("AAMAAABk", request[1:], nil), "a malformed request")
		require.NoError(t, c.Upgraded("AAQAAAAF", request, []byte("body"))) // INITIAL_WINDOW_SIZE 5
		p.start()
		assert.Equal(t, []string{"request 1 :method=GET :scheme=http :path=/ :authority=a", "data 4 END"}, a.list())
		hello(a.stream(0), true)
		_ = p.conn.Draining()
		p.conn.Flush()
		got := p.got()
		assert.Equal(t, []string{"HEADERS 1 :status=200", "DATA 1 5 END"}, got[len(got)-2:])
		p.send(xhttp2.ClientPreface)
		p.ok(p.w.WriteSettings())
		p.headers(3, true, get()...)
		assert.Len(t, a.list(), 1)
		p.end()
	})
}

// TestFlushAfter: what the events of one connection write to another leaves when the
// first has nothing more to read.
func TestFlushAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := rawServer(t, http2.Options{})
		defer up.end()
		a := &acceptor{}
		a.do = func(s *http2.Stream, _ bool) {
			_, err := up.conn.Open(&recorder{}, request, true)
			assert.NoError(t, err)
			s.Conn().FlushAfter(up.conn)
			s.Conn().FlushAfter(up.conn)
		}
		p := rawClient(t, http2.Options{}, a.accept)
		defer p.end()
		p.headers(1, true, get()...)
		assert.Equal(t, []string{"HEADERS 3 END :method=GET :scheme=http :path=/ :authority=a"}, up.got())
		_, err := up.conn.Open(&recorder{}, request, true)
		require.NoError(t, err)
		assert.Empty(t, up.got())
		p.conn.FlushAfter(up.conn)
		assert.Len(t, up.got(), 1, "at once: the reader is waiting")
	})
}

// TestClientSaysGoAway: it is answered as long as it asks, and is who closes; one that
// does not is not waited for.
func TestClientSaysGoAway(t *testing.T) {
	for name, closes := range map[string]bool{"and closes": true, "and stays": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := rawClient(t, http2.Options{}, (&acceptor{}).accept)
				p.settle()
				p.got()
				p.ok(p.w.WriteGoAway(0, xhttp2.ErrCodeNo, nil))
				p.ok(p.w.WritePing(false, [8]byte([]byte("still in"))))
				assert.Equal(t, []string{`PING ACK "still in"`}, p.got())
				if closes {
					_ = p.nc.Close()
				} else {
					time.Sleep(2 * time.Second)
					assert.Equal(t, []string{"EOF"}, p.got())
					_ = p.nc.Close()
				}
				assert.NoError(t, p.served())
			})
		})
	}
}
