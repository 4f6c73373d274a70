package http2

import (
	"golang.org/x/net/http2/hpack"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"sync"
	"testing"
)

type hello struct{}

func (hello) Head(*Stream, []hpack.HeaderField, bool) {}
func (hello) Data(s *Stream, p []byte, end bool) {
	s.Consume(len(p))
	if end {
		answer(s)
	}
}
func (hello) Trailer(s *Stream, f []hpack.HeaderField) { answer(s) }
func (hello) Reset(*Stream, error)                     {}
func (hello) Sent(*Stream, int)                        {}

func answer(s *Stream) {
	_ = s.SendHead([]hpack.HeaderField{{Name: ":status", Value: "200"}, {Name: "content-type", Value: "text/plain"}}, false)
	_, _ = s.SendData([]byte("Hello world\n"), true)
}

func TestManualServer(t *testing.T) {
	addr := os.Getenv("H2ADDR")
	if addr == "" {
		t.Skip()
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	for {
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := NewServerConn(nc, Options{}, func(s *Stream, f []hpack.HeaderField, end bool) Receiver {
			if end {
				answer(s)
			}
			return hello{}
		})
		go func() { t.Log(c.Serve()) }()
	}
}

// relayed joins a caller's stream to one upstream.
type relayed struct {
	relay    *relayBench
	from, to *Stream
}

type relayBench struct {
	up func() *Conn
}

func (b *relayBench) accept(s *Stream, f []hpack.HeaderField, end bool) Receiver {
	r := &relayed{relay: b, from: s}
	up := b.up()
	to, err := up.Open(r, f, end)
	if err != nil {
		return nil
	}
	s.Conn().FlushAfter(up)
	r.to = to
	return r
}

func (r *relayed) other(s *Stream) *Stream {
	if s == r.from {
		return r.to
	}
	return r.from
}

func (r *relayed) Head(s *Stream, f []hpack.HeaderField, end bool) {
	o := r.other(s)
	_ = o.SendHead(f, end)
	s.Conn().FlushAfter(o.Conn())
}

func (r *relayed) Data(s *Stream, p []byte, end bool) {
	o := r.other(s)
	n, _ := o.SendData(p, end)
	s.Consume(n)
	s.Conn().FlushAfter(o.Conn())
}

func (r *relayed) Trailer(s *Stream, f []hpack.HeaderField) {
	o := r.other(s)
	_ = o.SendTrailer(f)
	s.Conn().FlushAfter(o.Conn())
}

func (r *relayed) Reset(s *Stream, err error) {
	o := r.other(s)
	o.Reset(8)
	s.Conn().FlushAfter(o.Conn())
}

func (r *relayed) Sent(s *Stream, n int) {
	o := r.other(s)
	o.Consume(n)
	o.Conn().Flush()
}

func TestManualRelay(t *testing.T) {
	addr := os.Getenv("H2RELAY")
	if addr == "" {
		t.Skip()
	}
	var mu sync.Mutex
	var ups []*Conn
	bufs := new(Buffers)
	b := &relayBench{up: func() *Conn {
		mu.Lock()
		defer mu.Unlock()
		for _, up := range ups {
			if up.Free() > 0 {
				return up
			}
		}
		nc, err := net.Dial("tcp", os.Getenv("H2UP"))
		if err != nil {
			panic(err)
		}
		up := NewClientConn(nc, Options{Buffers: bufs}, nil)
		go func() { _ = up.Serve() }()
		ups = append(ups, up)
		return up
	}}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = http.ListenAndServe("127.0.0.1:18999", nil) }()
	for {
		nc, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := NewServerConn(nc, Options{Buffers: bufs}, b.accept)
		go func() { _ = c.Serve() }()
	}
}
