package http2_test

import (
	"net"
	"sync"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/internal/memhttp"
	"github.com/weft-mesh/weft/transport/http2"
)

type http2Field = hpack.HeaderField

// loop is a client and a server connection of this package, joined.
type loop struct {
	client, server *http2.Conn
	done           sync.WaitGroup
	errs           [2]error
}

// newLoop's server sends back what it gets.
func newLoop(tb testing.TB, co, so http2.Options) *loop {
	tb.Helper()
	a, b := memhttp.Pipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
	l := &loop{client: http2.NewClientConn(a, co, nil)}
	l.server = http2.NewServerConn(b, so, echo)
	l.done.Go(func() { l.errs[0] = l.client.Serve() })
	l.done.Go(func() { l.errs[1] = l.server.Serve() })
	return l
}

func (l *loop) end() {
	_ = l.client.Close()
	_ = l.server.Close()
	l.done.Wait()
}

// echoing gives a request's bytes back, as fast as they are taken.
type echoing struct{}

func echo(s *http2.Stream, _ []hpack.HeaderField, end bool) http2.Receiver {
	_ = s.SendHead(fieldList(":status: 200"), end)
	return echoing{}
}

func (echoing) Head(*http2.Stream, []hpack.HeaderField, bool) {}

func (echoing) Data(s *http2.Stream, p []byte, end bool) {
	n, _ := s.SendData(p, end)
	s.Consume(n)
}

func (echoing) Trailer(s *http2.Stream, fields []hpack.HeaderField) { _ = s.SendTrailer(fields) }

func (echoing) Reset(*http2.Stream, error) {}

func (echoing) Sent(s *http2.Stream, n int) {
	s.Consume(n)
	s.Conn().Flush()
}

// collector keeps what a client stream gets.
type collector struct {
	mu        sync.Mutex
	want, got []byte
	ends      []string
	slow      bool   // gives windows back from another goroutine
	over      func() // at the end; may be nil
}

func (c *collector) Head(_ *http2.Stream, _ []hpack.HeaderField, end bool) {
	if end {
		c.end("end")
	}
}

func (c *collector) Data(s *http2.Stream, p []byte, end bool) {
	c.mu.Lock()
	c.got = append(c.got, p...)
	c.mu.Unlock()
	if end {
		c.end("end")
	}
	n := len(p)
	if c.slow {
		go func() {
			s.Consume(n)
			s.Conn().Flush()
		}()
		return
	}
	s.Consume(n)
}

func (c *collector) Trailer(*http2.Stream, []hpack.HeaderField) { c.end("end") }

func (c *collector) Reset(_ *http2.Stream, err error) { c.end(err.Error()) }

func (c *collector) Sent(*http2.Stream, int) {}

func (c *collector) end(how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends = append(c.ends, how)
	if c.over != nil {
		c.over()
	}
}
