package k8s_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/k8s"
)

// text is a stored dtab as text, for comparisons.
func text(s namerd.Stored) string {
	if !s.Exists {
		return "absent"
	}
	return s.Dtab.String()
}

// fault is what becomes of a request: nothing is passed on, or no answer comes.
type fault int

const (
	none fault = iota
	notPassed
	notAnswered
)

// gateway is to the API server what kubectl proxy is, and can lose requests and answers.
type gateway struct {
	*httptest.Server
	mu     sync.Mutex
	decide func(*http.Request) fault
	lost   int
	after  func() // called before an answer is lost
}

func startGateway(t *testing.T, server *servers.Kube) *gateway {
	t.Helper()
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	quiet := httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Authorization", "Bearer "+servers.KubeAdmin)
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	g := &gateway{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch g.fate(r) {
		case notPassed:
			panic(http.ErrAbortHandler)
		case notAnswered:
			quiet.ServeHTTP(httptest.NewRecorder(), r)
			g.mu.Lock()
			after := g.after
			g.mu.Unlock()
			if after != nil {
				after()
			}
			panic(http.ErrAbortHandler)
		case none:
			quiet.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
	})
	return g
}

func (g *gateway) fate(r *http.Request) fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.decide == nil {
		return none
	}
	f := g.decide(r)
	if f != none {
		g.lost++
	}
	return f
}

// on says what becomes of requests, and what happens after one that is not answered.
func (g *gateway) on(decide func(*http.Request) fault, after func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.decide, g.after = decide, after
}

// once has the next request that writes suffer a fault.
func (g *gateway) once(f fault, after func()) {
	done := false
	g.on(func(r *http.Request) fault {
		if done || r.Method == http.MethodGet {
			return none
		}
		done = true
		return f
	}, after)
}

// config is what namerd 1.7.5 has for a kubectl proxy there.
func (g *gateway) config(t *testing.T) k8s.Config {
	t.Helper()
	host, port, err := net.SplitHostPort(g.Listener.Addr().String())
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return k8s.Config{Host: host, Port: n}
}
