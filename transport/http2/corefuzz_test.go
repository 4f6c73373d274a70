package http2_test

import (
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http2"
)

// framesOf makes frames of a fuzzer's bytes: most of them well-formed in size, so that
// what is behind the framing is reached.
func framesOf(data []byte) []byte {
	var out []byte
	for len(data) >= 4 {
		kind, flags, id, n := data[0]%12, data[1], uint32(data[2]%16), int(data[3])
		data = data[4:]
		n = min(n, len(data))
		payload := data[:n]
		data = data[n:]
		out = append(out, byte(n>>16), byte(n>>8), byte(n), kind, flags)
		out = binary.BigEndian.AppendUint32(out, id)
		out = append(out, payload...)
	}
	return append(out, data...)
}

func seeds(f *testing.F) {
	f.Helper()
	block := "\x82\x86\x84\x41\x01a" // GET http / a
	f.Add([]byte("\x01\x05\x01\x06" + block))
	f.Add([]byte("\x01\x04\x01\x06" + block + "\x00\x01\x01\x03abc" + "\x03\x00\x01\x04\x00\x00\x00\x08"))
	f.Add([]byte("\x01\x01\x01\x03\x82\x86\x84" + "\x09\x04\x01\x03\x41\x01a" + "\x08\x00\x01\x04\x00\x00\x10\x00"))
	f.Add([]byte("\x04\x00\x00\x06\x00\x04\x00\x00\x00\x00" + "\x01\x05\x01\x06" + block + "\x04\x00\x00\x06\x00\x04\x00\x00\x00\x05"))
	f.Add([]byte("\x01\x04\x03\x01\x88" + "\x00\x09\x03\x05\x01abc\x00" + "\x07\x00\x00\x08\x00\x00\x00\x03\x00\x00\x00\x00"))
	f.Add([]byte("\x06\x00\x00\x0812345678" + "\x02\x00\x01\x05\x00\x00\x00\x03\x00" + "\x05\x04\x01\x04\x00\x00\x00\x02"))
}

// checked is a Receiver that checks the order of events.
type checked struct {
	tb     testing.TB
	mu     sync.Mutex
	heads  int
	over   bool
	server bool
	reset  bool
}

func (c *checked) event(last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		c.tb.Error("an event after the last one")
	}
	c.over = last
}

func (c *checked) Head(_ *http2.Stream, fields []hpack.HeaderField, end bool) {
	c.event(end)
	if c.server || len(fields) == 0 || fields[0].Name != ":status" {
		c.tb.Error("a wrong Head")
	}
	c.heads++
}

func (c *checked) Data(s *http2.Stream, p []byte, end bool) {
	c.event(end)
	if len(p) == 0 && !end {
		c.tb.Error("Data of nothing")
	}
	if c.server {
		n, _ := s.SendData(p, end)
		s.Consume(n)
	} else {
		s.Consume(len(p))
	}
}

func (c *checked) Trailer(s *http2.Stream, fields []hpack.HeaderField) {
	c.event(true)
	if c.server {
		_ = s.SendTrailer(fields)
	}
}

func (c *checked) Reset(*http2.Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reset {
		c.tb.Error("two Resets")
	}
	c.reset, c.over = true, true
}

func (c *checked) Sent(s *http2.Stream, n int) {
	if n < 0 {
		c.tb.Error("Sent of less than nothing")
	}
	s.Consume(n)
}

// fuzzed feeds a connection and waits for its end.
func fuzzed(t *testing.T, c *http2.Conn, peer *memhttp.Conn, input []byte) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		_ = c.Serve()
		close(done)
	}()
	go func() {
		buf := make([]byte, 4096)
		for {
			if _, err := peer.Read(buf); err != nil {
				return
			}
		}
	}()
	_, _ = peer.Write(input)
	_ = peer.Close()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the connection does not end")
	}
	require.Zero(t, c.Streams())
}

func FuzzServerConn(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, b := memhttp.Pipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		c := http2.NewServerConn(b, http2.Options{MaxHeaderListBytes: 1000, ExtendedConnect: true}, func(s *http2.Stream, fields []hpack.HeaderField, end bool) http2.Receiver {
			if len(fields) == 0 || fields[0].Name[0] != ':' {
				t.Error("a request without pseudo-headers")
			}
			_ = s.SendHead(fieldList(":status: 200"), end)
			return &checked{tb: t, server: true, over: end}
		})
		input := append([]byte(xhttp2.ClientPreface), "\x00\x00\x00\x04\x00\x00\x00\x00\x00"...)
		fuzzed(t, c, a, append(input, framesOf(data)...))
	})
}

func FuzzClientConn(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, b := memhttp.Pipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		c := http2.NewClientConn(b, http2.Options{MaxHeaderListBytes: 1000}, nil)
		for i := range 4 {
			s, err := c.Open(&checked{tb: t}, request, i%2 == 0)
			require.NoError(t, err)
			if i%2 == 1 {
				_, err = s.SendData(make([]byte, 70000), i == 1)
				require.NoError(t, err)
			}
		}
		fuzzed(t, c, a, append([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), framesOf(data)...))
	})
}
