package namerdtest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Pipe stands between a client and a namerd. It can be cut, swallow everything
// without a word, and be slow.
type Pipe struct {
	ln  net.Listener
	ctx context.Context //nolint:containedctx // of the test

	mu    sync.Mutex
	to    string
	hole  bool          // nothing gets through
	open  chan struct{} // closed when the hole is
	delay time.Duration // before each byte, for the first hundred, and each piece after
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

// NewPipe returns a Pipe to an address, that ends with the test.
func NewPipe(t *testing.T, to string) *Pipe {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &Pipe{ln: ln, ctx: t.Context(), to: to, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		p.Hole(false)
		p.Cut()
		p.wg.Wait()
	})
	return p
}

// Addr is where the client connects to.
func (p *Pipe) Addr() string { return p.ln.Addr().String() }

// Cut resets all connections.
func (p *Pipe) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

// Hole makes the pipe swallow, or hold back, everything, or stop doing so.
// Connections are accepted all the same.
func (p *Pipe) Hole(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case on && !p.hole:
		p.open = make(chan struct{})
	case !on && p.hole:
		close(p.open)
	}
	p.hole = on
}

// Slow makes what namerd says trickle.
func (p *Pipe) Slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

func (p *Pipe) accept() {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

func (p *Pipe) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	p.pass()
	var d net.Dialer
	server, err := d.DialContext(p.ctx, "tcp", p.to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.conns, client)
		delete(p.conns, server)
		p.mu.Unlock()
	}()
	p.wg.Go(func() {
		p.copy(server, client, false)
		_ = server.Close()
	})
	p.copy(client, server, true)
}

// pass waits for the end of the hole.
func (p *Pipe) pass() {
	p.mu.Lock()
	hole, open := p.hole, p.open
	p.mu.Unlock()
	if hole {
		<-open
	}
}

func (p *Pipe) copy(to io.Writer, from io.Reader, slowly bool) {
	buf := make([]byte, 4096)
	for trickled := 0; ; {
		n, err := from.Read(buf)
		b := buf[:n]
		p.pass()
		p.mu.Lock()
		delay := p.delay
		p.mu.Unlock()
		for slowly && delay > 0 && len(b) > 0 && trickled < 100 {
			time.Sleep(delay)
			if _, err := to.Write(b[:1]); err != nil {
				return
			}
			b = b[1:]
			trickled++
		}
		if _, werr := to.Write(b); werr != nil || err != nil {
			return
		}
	}
}
