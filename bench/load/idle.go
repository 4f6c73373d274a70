package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// Idle holds connections that have had one request each.
type Idle struct {
	conns []net.Conn
}

// OpenIdle makes n connections to addr, one after the other, each with a request that
// has been answered, so that what a first request leaves behind is there.
func OpenIdle(ctx context.Context, addr string, n int) (*Idle, error) {
	idle := &Idle{conns: make([]net.Conn, 0, n)}
	r := bufio.NewReader(nil)
	var d net.Dialer
	for range n {
		c, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			idle.conns = append(idle.conns, c)
			err = exchange(c, r)
		}
		if err != nil {
			_, _ = idle.Close()
			return nil, fmt.Errorf("load: idle connection %d of %d: %w", len(idle.conns), n, err)
		}
	}
	return idle, nil
}

// Close closes the connections and returns how many of them were alive: answered
// another request.
func (i *Idle) Close() (alive int, err error) {
	r := bufio.NewReader(nil)
	for _, c := range i.conns {
		if exchange(c, r) == nil {
			alive++
		}
	}
	var wg sync.WaitGroup
	for _, c := range i.conns {
		wg.Go(func() { _ = c.Close() })
	}
	wg.Wait()
	return alive, nil
}

func exchange(c net.Conn, r *bufio.Reader) error {
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+Authority+"\r\n\r\n"); err != nil {
		return err
	}
	r.Reset(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("load: status %d", resp.StatusCode)
	}
	return err
}
