package load

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	var n atomic.Int64
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, Authority, r.Host)
		n.Add(1)
		_, _ = w.Write([]byte("Hello world\n"))
	})
	r, err := OpenLoop{Addr: addr, Rate: 500, Conns: 8, Time: 400 * time.Millisecond, Skip: 100 * time.Millisecond}.Run(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 250, n.Load())
	assert.EqualValues(t, 200, r.Requests)
	assert.Zero(t, r.Errors)
	assert.Positive(t, r.Latency.P50)
	assert.LessOrEqual(t, r.Latency.P50, r.Latency.P99)
}

// A server that stalls delays everything that should have been sent meanwhile, and
// all of that has to be seen.
func TestOpenLoopOmitsNothing(t *testing.T) {
	var n atomic.Int64
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 10 {
			time.Sleep(300 * time.Millisecond)
		}
		_, _ = w.Write([]byte("Hello world\n"))
	})
	r, err := OpenLoop{Addr: addr, Rate: 100, Conns: 1, Time: 500 * time.Millisecond}.Run(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 50, r.Requests)
	assert.Greater(t, r.Latency.P50, 20*time.Millisecond, "thirty of fifty requests had to wait")
	assert.Greater(t, r.Latency.P99, 250*time.Millisecond)
}

func TestOpenLoopCountsFailures(t *testing.T) {
	var n atomic.Int64
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) % 3 {
		case 0:
			w.WriteHeader(http.StatusBadGateway)
		case 1:
			panic(http.ErrAbortHandler)
		default:
			_, _ = w.Write([]byte("ok"))
		}
	})
	r, err := OpenLoop{Addr: addr, Rate: 300, Conns: 4, Time: 100 * time.Millisecond}.Run(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 20, r.Errors)
}

func TestOpenLoopRefusesNonsense(t *testing.T) {
	_, err := OpenLoop{Rate: 0, Conns: 1}.Run(t.Context())
	assert.Error(t, err)
	_, err = OpenLoop{Rate: 1, Conns: 0}.Run(t.Context())
	assert.Error(t, err)
}

func TestIdleConnectionsStayAlive(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	idle, err := OpenIdle(t.Context(), addr.String(), 20)
	require.NoError(t, err)
	assert.Len(t, idle.conns, 20)
	alive, err := idle.Close()
	require.NoError(t, err)
	assert.Equal(t, 20, alive)

	_, err = OpenIdle(t.Context(), "127.0.0.1:1", 1)
	assert.Error(t, err)
}
