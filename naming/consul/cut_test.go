package consul_test

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/consul"
)

// cable is a TCP proxy that can be cut.
type cable struct {
	listener net.Listener
	to       string
	hole     atomic.Bool // swallows what comes and sends nothing, on connections old and new
	refuse   atomic.Bool // resets connections that come
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cable{listener: l, to: to, conns: map[net.Conn]bool{}}
	c.wg.Go(c.serve)
	t.Cleanup(func() {
		assert.NoError(t, l.Close())
		c.reset()
		c.wg.Wait()
	})
	return c
}

// agent says how to ask through the cable.
func (c *cable) agent(t *testing.T, token string) consul.Agent {
	t.Helper()
	host, port, err := net.SplitHostPort(c.listener.Addr().String())
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return consul.Agent{Host: host, Port: n, Token: token}
}

// reset ends all connections as a crash does.
func (c *cable) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

func (c *cable) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[conn] = true
}

func (c *cable) serve() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.add(in)
		if c.refuse.Load() {
			c.reset()
			continue
		}
		out, err := net.Dial("tcp", c.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		c.add(out)
		lost := &atomic.Bool{}
		c.wg.Go(func() { c.copy(out, in, lost) })
		c.wg.Go(func() { c.copy(in, out, lost) })
	}
}

// copy moves bytes, but for those that fall into the hole: a connection that has
// lost some leads nowhere for good.
func (c *cable) copy(to, from net.Conn, lost *atomic.Bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			break
		}
		if c.hole.Load() {
			lost.Store(true)
		}
		if lost.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, from)
	delete(c.conns, to)
	_ = from.Close()
	_ = to.Close()
}

// TestCableCutsAndHeals makes sure that the cable is cut when it should be.
func TestCableCutsAndHeals(t *testing.T) {
	f := newFake(t)
	c := newCable(t, f.server.Listener.Addr().String())
	get := func() error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: promptly}
		resp, err := client.Get("http://" + c.listener.Addr().String() + "/")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	}
	require.NoError(t, get())
	c.refuse.Store(true)
	require.Error(t, get())
	c.refuse.Store(false)
	require.NoError(t, get())
	c.hole.Store(true)
	require.Error(t, get())
	c.hole.Store(false)
	require.NoError(t, get())
}
