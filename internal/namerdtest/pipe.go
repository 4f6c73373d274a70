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

// Hole makes the pipe swallow everything, or stop doing so. Connections are accepted
// all the same. One that has lost something is of no use afterwards either.
func (p *Pipe) Hole(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	p.mu.Lock()
	p.conns[client] = true
	hole := p.hole
	p.mu.Unlock()
	if hole {
		_, _ = io.Copy(io.Discard, client)
		return
	}
	var d net.Dialer
	server, err := d.DialContext(p.ctx, "tcp", p.to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.mu.Lock()
	p.conns[server] = true
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

func (p *Pipe) copy(to io.Writer, from io.Reader, slowly bool) {
	buf := make([]byte, 4096)
	for trickled := 0; ; {
		n, err := from.Read(buf)
		b := buf[:n]
		p.mu.Lock()
		delay, hole := p.delay, p.hole
		p.mu.Unlock()
		if hole {
			_, _ = io.Copy(io.Discard, from)
			return
		}
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
