package k8s_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// link is a TCP proxy that can be cut.
type link struct {
	addr, to string
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex
	hole  chan struct{} // not nil while everything that is sent is lost; closed at its end
	conns map[net.Conn]struct{}
	deaf  map[net.Conn]bool // that were there during the hole
	dials int
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	k := &link{addr: l.Addr().String(), to: to, listener: l, conns: map[net.Conn]struct{}{}, deaf: map[net.Conn]bool{}}
	k.wg.Go(k.accept)
	t.Cleanup(func() {
		l.Close()
		k.heal()
		k.reset()
		k.wg.Wait()
	})
	return k
}

func (k *link) accept() {
	for {
		c, err := k.listener.Accept()
		if err != nil {
			return
		}
		k.mu.Lock()
		k.dials++
		k.conns[c] = struct{}{}
		k.deaf[c] = k.hole != nil
		k.mu.Unlock()
		k.wg.Go(func() { k.serve(c) })
	}
}

func (k *link) serve(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", k.to)
	if err != nil {
		k.forget(c)
		return
	}
	defer s.Close()
	var both sync.WaitGroup
	pipe := func(dst, src net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			n, err := src.Read(buf)
			if n > 0 && !k.isDeaf(c) {
				if _, err := dst.Write(buf[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		if !k.isDeaf(c) {
			c.Close()
		}
		s.Close()
	}
	both.Go(func() { pipe(s, c) })
	both.Go(func() { pipe(c, s) })
	both.Wait()
	if k.isDeaf(c) { // the other end does not learn of it
		_, _ = io.Copy(io.Discard, c)
	}
	k.forget(c)
}

func (k *link) isDeaf(c net.Conn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.deaf[c]
}

func (k *link) forget(c net.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.conns, c)
	delete(k.deaf, c)
}

// blackHole loses what is sent, on the connections there are for ever, until heal.
func (k *link) blackHole() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hole = make(chan struct{})
	for c := range k.conns {
		k.deaf[c] = true
	}
}

// heal lets new connections through.
func (k *link) heal() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hole != nil {
		close(k.hole)
		k.hole = nil
	}
}

// reset ends all connections with a reset.
func (k *link) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for c := range k.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}
