package zk_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// limit is how long something may take to happen on a busy machine.
const limit = 30 * time.Second

// await waits for something to be so.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, limit, 5*time.Millisecond)
}

// quiet is a logger for the library.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// connect returns a client that knows nothing of weft.
func connect(t *testing.T, addr string) *zoo.Conn {
	t.Helper()
	conn, events, err := zoo.Connect([]string{addr}, 10*time.Second, zoo.WithLogger(quiet{}), zoo.WithLogInfo(false))
	require.NoError(t, err)
	t.Cleanup(func() {
		conn.Close()
		for range events {
		}
	})
	return conn
}

// seen follows a source and checks every state of it.
type seen[T any] struct {
	mu  sync.Mutex
	bad error
}

// guard has check look at every state of src until the test ends.
func guard[T any](t *testing.T, src weft.Source[naming.State[T]], check func(naming.State[T]) error) *seen[T] {
	t.Helper()
	g := &seen[T]{}
	end := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			s, stale := src.Load()
			if err := check(s); err != nil {
				g.mu.Lock()
				g.bad = errors.Join(g.bad, err)
				g.mu.Unlock()
			}
			select {
			case <-stale:
			case <-end:
				return
			}
		}
	})
	t.Cleanup(func() {
		close(end)
		done.Wait()
		g.mu.Lock()
		defer g.mu.Unlock()
		require.NoError(t, g.bad)
	})
	return g
}

// text is a stored dtab as text, for comparisons.
func text(s namerd.Stored) string {
	if !s.Exists {
		return "absent"
	}
	return s.Dtab.String()
}

const opMulti = 14

// proxy is a TCP proxy in front of a server, which looks at what clients ask for.
type proxy struct {
	l  net.Listener
	to string
	wg sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]struct{}
	hole bool // takes everything and passes nothing on
	over bool

	// multi is called with every transaction before it is passed on; with false it is not,
	// and the connection is cut. after, if not nil, is called when it was passed on.
	multi func() (pass, cut bool)
	cuts  int
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{l: l, to: to, open: map[net.Conn]struct{}{}}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
		l.Close()
		p.reset()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

func (p *proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		if !p.keep(c) {
			continue
		}
		p.wg.Go(func() {
			defer p.drop(c)
			up, err := net.Dial("tcp", p.to)
			if err != nil || !p.keep(up) {
				return
			}
			defer p.drop(up)
			p.wg.Go(func() {
				defer p.drop(c)
				defer p.drop(up)
				p.answers(c, up)
			})
			p.requests(up, c)
		})
	}
}

// requests passes on what a client sends, message by message.
func (p *proxy) requests(to, from net.Conn) {
	for {
		head := make([]byte, 4)
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		pass, cut := true, false
		p.mu.Lock()
		if p.multi != nil && len(body) >= 8 && binary.BigEndian.Uint32(body[4:]) == opMulti {
			pass, cut = p.multi()
		}
		if cut {
			p.cuts++
		}
		hole := p.hole
		p.mu.Unlock()
		if pass && !hole {
			if cut {
				p.mute(from)
			}
			if _, err := to.Write(append(head, body...)); err != nil {
				return
			}
		}
		if cut {
			if pass {
				time.Sleep(100 * time.Millisecond) // the server makes it meanwhile
			}
			return
		}
	}
}

// answers passes on what the server says, except into the hole.
func (p *proxy) answers(to, from net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		_, kept := p.open[to]
		hole := p.hole || !kept
		p.mu.Unlock()
		if !hole && n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// mute has a client hear nothing any more.
func (p *proxy) mute(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		c.Close()
		return false
	}
	p.open[c] = struct{}{}
	return true
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	c.Close()
}

// reset cuts all connections with RST.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if t, ok := c.(*net.TCPConn); ok {
			t.SetLinger(0)
		}
		c.Close()
	}
}

// blackHole swallows everything, or passes it on again.
func (p *proxy) blackHole(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hole = on
}

// onMulti says what becomes of transactions.
func (p *proxy) onMulti(f func() (pass, cut bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.multi = f
}

// severed returns how many connections were cut because of onMulti.
func (p *proxy) severed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}
