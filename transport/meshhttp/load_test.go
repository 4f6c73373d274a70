package meshhttp_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// load is a mesh over loopback sockets, with five endpoints under /svc/web.
type load struct {
	mesh    *meshhttp.Transport
	set     *weft.Var[naming.State[weft.EndpointSet]]
	servers []*loadServer

	mu    sync.Mutex
	dials map[string]int
}

// dial counts the connections that are tried.
func (l *load) dial(ctx context.Context, addr string) (net.Conn, error) {
	l.mu.Lock()
	l.dials[addr]++
	l.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
}

func (l *load) dialled(addr string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dials[addr]
}

type loadServer struct {
	*http.Server
	addr string
}

func startServer(tb testing.TB) *loadServer {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	s := &loadServer{addr: l.Addr().String()}
	s.Server = &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header()["Content-Type"] = []string{"text/plain"}
		_, _ = rw.Write([]byte("hello, world"))
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	tb.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return s
}

func newLoad(tb testing.TB, n int) *load {
	tb.Helper()
	l := &load{dials: map[string]int{}, set: weft.NewVar(naming.State[weft.EndpointSet]{})}
	for range n {
		l.servers = append(l.servers, startServer(tb))
	}
	l.put(l.servers...)
	in := naming.NewInterpreter(naming.Options{
		Base: dtab.MustParse("/svc=>/#/w"),
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/w"), Namer: naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
			return naming.Answer(dtab.LeafOf(naming.Following(dtab.MustPath("/#/w").Concat(p.Take(1)), p.Drop(1), l.set)))
		})}},
	})
	var err error
	l.mesh, err = meshhttp.New(meshhttp.Options{Mesh: transport.Options{
		Interpreter: in,
		Service: func(dtab.Path) transport.ServiceOptions {
			return transport.ServiceOptions{Adapter: meshhttp.ServiceSettings{Classifier: meshhttp.Read}}
		},
		Client: func(dtab.Path) transport.ClientOptions {
			return transport.ClientOptions{Balancer: balancer.Options{Policy: balancer.EWMA{}}, FailFast: true, Adapter: meshhttp.ClientSettings{Dial: l.dial}}
		},
	}})
	require.NoError(tb, err)
	tb.Cleanup(func() {
		require.NoError(tb, l.mesh.Close())
		require.NoError(tb, in.Close())
	})
	return l
}

func (l *load) put(servers ...*loadServer) {
	var set weft.EndpointSet
	for _, s := range servers {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: s.addr})
	}
	l.set.Store(naming.Ok(set))
}

// run sends requests at a rate for some time and returns how many there were and
// how many failed.
func (l *load) run(t *testing.T, rate int, d time.Duration, during func()) (sent, failed int32) {
	t.Helper()
	var n, bad atomic.Int32
	client := &http.Client{Transport: l.mesh, Timeout: 10 * time.Second}
	var wg sync.WaitGroup
	work := make(chan struct{}, rate)
	for range 64 {
		wg.Go(func() {
			for range work {
				n.Add(1)
				if !ok(client) {
					bad.Add(1)
				}
			}
		})
	}
	wg.Go(during)
	const step = 5 * time.Millisecond
	tick := time.NewTicker(step)
	defer tick.Stop()
	for range int(d / step) {
		<-tick.C
		for range rate * int(step) / int(time.Second) {
			work <- struct{}{}
		}
	}
	close(work)
	wg.Wait()
	return n.Load(), bad.Load()
}

func ok(client *http.Client) bool {
	resp, err := client.Get("http://web/")
	if err != nil {
		return false
	}
	return readReply(resp).err == nil && resp.StatusCode == http.StatusOK
}

func loadTime() time.Duration {
	if testing.Short() {
		return time.Second
	}
	return 3 * time.Second
}

// TestKillUnderLoad: an endpoint dies at full load, and nobody notices.
func TestKillUnderLoad(t *testing.T) {
	l := newLoad(t, 5)
	victim := l.servers[0]
	before := 0
	sent, failed := l.run(t, 1000, loadTime(), func() {
		time.Sleep(loadTime() / 3)
		before = l.dialled(victim.addr)
		_ = victim.Close()
	})
	assert.Zero(t, failed, "of %d requests", sent)
	assert.Greater(t, sent, int32(700))
	probes := l.dialled(victim.addr) - before
	t.Logf("%d requests, %d connections tried to the dead endpoint", sent, probes)
	// Those that were on their way when it died, then probes, backing off from a
	// second on.
	assert.Less(t, probes, 10)
}

// TestRewriteUnderLoad: the set of endpoints changes all the time, and nobody
// notices.
func TestRewriteUnderLoad(t *testing.T) {
	l := newLoad(t, 5)
	stop := time.Now().Add(loadTime() - 200*time.Millisecond)
	sent, failed := l.run(t, 1000, loadTime(), func() {
		for i := 0; time.Now().Before(stop); i++ {
			a, b := l.servers[i%5], l.servers[(i+1)%5]
			l.put(a, b)
			time.Sleep(time.Millisecond)
		}
	})
	assert.Zero(t, failed, "of %d requests", sent)
	assert.Greater(t, sent, int32(700))
}
