package consul_test

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between a client and a server and can do to their connections what
// networks do.
type proxy struct {
	addr string
	l    net.Listener
	all  sync.WaitGroup

	mu     sync.Mutex
	target string
	open   map[net.Conn]bool
	gates  map[*gate]bool
	shut   bool // for new connections
	refuse bool
}

// gate is closed while no byte of a connection passes.
type gate struct {
	mu   sync.Mutex
	pass chan struct{} // closed while bytes pass
}

func newGate() *gate {
	g := &gate{pass: make(chan struct{})}
	close(g.pass)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.pass:
	default:
		close(g.pass)
	}
}

func (g *gate) wait() {
	g.mu.Lock()
	pass := g.pass
	g.mu.Unlock()
	<-pass
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{addr: l.Addr().String(), l: l, target: target, open: map[net.Conn]bool{}, gates: map[*gate]bool{}}
	p.all.Go(p.accept)
	t.Cleanup(func() {
		p.heal()
		_ = l.Close()
		p.reset()
		p.all.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target, refuse := p.target, p.refuse
		p.mu.Unlock()
		if refuse {
			cut(c)
			continue
		}
		p.all.Go(func() { p.relay(c, target) })
	}
}

func (p *proxy) relay(c net.Conn, target string) {
	s, err := net.Dial("tcp", target)
	if err != nil {
		cut(c)
		return
	}
	p.mu.Lock()
	p.open[c], p.open[s] = true, true
	g := newGate()
	p.gates[g] = true
	if p.shut {
		g.shut()
	}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { pass(s, c, g) })
	both.Go(func() { pass(c, s, g) })
	both.Wait()
	p.mu.Lock()
	delete(p.gates, g)
	delete(p.open, c)
	delete(p.open, s)
	p.mu.Unlock()
}

// pass passes bytes on, while the gate is open.
func pass(to, from net.Conn, g *gate) {
	defer cut(to)
	defer cut(from)
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		g.wait()
		if _, werr := to.Write(buf[:n]); werr != nil || err != nil {
			return
		}
	}
}

// silence makes the connections that stand swallow everything.
func (p *proxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for g := range p.gates {
		g.shut()
	}
}

// blackHole makes new connections swallow everything, too.
func (p *proxy) blackHole() {
	p.silence()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
}

// refuseAll resets all connections and new ones at once.
func (p *proxy) refuseAll() {
	p.mu.Lock()
	p.refuse = true
	p.mu.Unlock()
	p.reset()
}

// heal ends blackHole, silence and refuseAll.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.shut = false, false
	for g := range p.gates {
		g.open()
	}
}

// reset resets all connections.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		cut(c)
	}
}

// cut ends a connection with a reset.
func cut(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
