package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/telemetry"
)

// measured is a proxy with one router and an endpoint that does as it is told by the path.
type measured struct {
	*proxy.Proxy
	addr  string // of the router's server
	label string
}

// endpointPort serves the endpoint and returns its port.
func endpointPort(t *testing.T, h2 bool) string {
	t.Helper()
	var flaky atomic.Int64
	e := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/bad"):
			w.WriteHeader(http.StatusInternalServerError)
		case strings.HasPrefix(r.URL.Path, "/flaky"):
			if flaky.Add(1)%2 == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		case strings.HasPrefix(r.URL.Path, "/hang"):
			<-r.Context().Done()
			return
		}
		_, _ = fmt.Fprintf(w, "hello%s", body)
	}))
	protocols := &http.Protocols{}
	protocols.SetHTTP1(!h2)
	protocols.SetUnencryptedHTTP2(h2)
	e.Config.Protocols = protocols
	e.Start()
	t.Cleanup(e.Close)
	return portOf(e.Listener.Addr().String())
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// measure starts a proxy whose router has a name for everything that can happen.
func measure(t *testing.T, protocol string) measured {
	t.Helper()
	port := endpointPort(t, protocol == "h2")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := portOf(l.Addr().String())
	require.NoError(t, l.Close())
	kind := map[string]string{"http": "io.l5d.http", "h2": "io.l5d.h2"}[protocol]
	p := newProxy(t, fmt.Sprintf(`
admin: {port: 0}
namers: [{kind: io.l5d.fs, rootDir: %[5]s}]
routers:
- protocol: %[1]s
  dtab: |
    /ok => /$/inet/127.0.0.1/%[2]s;
    /closed => /$/inet/127.0.0.1/%[3]s;
    /host => /ok;
    /svc/closed => /closed;
    /svc/ok => /ok; /svc/bad => /ok; /svc/flaky => /ok; /svc/slow => /ok; /svc/gone => /ok; /svc/local => /neg
  servers: [{port: 0}]
  service:
    kind: io.l5d.static
    configs:
    - {prefix: /svc/flaky, responseClassifier: {kind: %[4]s.retryableRead5XX}}
    - {prefix: /svc/slow, totalTimeoutMs: 50}
  client: {failureAccrual: {kind: none}}
`, protocol, port, closed, kind, t.TempDir()), proxy.Options{StatsWindow: -1})
	addrs, err := p.Start()
	require.NoError(t, err)
	return measured{Proxy: p, addr: addrs.Servers[protocol][0], label: protocol}
}

// client returns an HTTP client with one connection to the router, whose bytes count.
func (m measured) client(t *testing.T, received, sent, dials *atomic.Int64) *http.Client {
	t.Helper()
	protocols := &http.Protocols{}
	protocols.SetHTTP1(m.label == "http")
	protocols.SetUnencryptedHTTP2(m.label == "h2")
	tr := &http.Transport{DisableCompression: true, Protocols: protocols, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		dials.Add(1)
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.addr)
		return meteredConn{c, received, sent}, err
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

type meteredConn struct {
	net.Conn
	received, sent *atomic.Int64
}

func (c meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

func (c meteredConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// under returns the metrics below a scope: counters and gauges with their values, stats
// with the number of values in the last window.
func (m measured) under(elems ...string) map[string]float64 {
	all := map[string]float64{}
	for at, v := range m.Tree().Scope(elems...).All() {
		name := strings.Join(at, "/")
		switch v.Kind {
		case telemetry.KindStat:
			all[name+".count"] = float64(v.Summary.Count)
		case telemetry.KindCounter:
			all[name] = float64(v.Int)
		case telemetry.KindGauge:
			all[name] = v.Float
		}
	}
	return all
}

// requireMetrics compares those metrics below a scope that want has, and those that a
// prefix of among says that there are no others of.
func (m measured) requireMetrics(t *testing.T, scope []string, want map[string]float64, among ...string) {
	t.Helper()
	got := m.under(scope...)
	for name := range got {
		for _, prefix := range among {
			if _, ok := want[name]; !ok && strings.HasPrefix(name, prefix) {
				t.Errorf("%v has %s = %v", scope, name, got[name])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, ok := got[name]
		if !assert.True(t, ok, "%v has no %s", scope, name) {
			continue
		}
		assert.InDelta(t, want[name], v, 1e-9, "%v %s", scope, name)
	}
	if t.Failed() {
		t.Logf("%v: %v", scope, got)
	}
}

// do makes a request and returns the status, 0 for an error.
func do(t *testing.T, c *http.Client, method, host, path, body string, header ...string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+host+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestMetrics drives everything that can happen to a request through a proxy and compares
// the tree with it.
func TestMetrics(t *testing.T) {
	for _, protocol := range []string{"http", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			m := measure(t, protocol)
			var received, sent, dials atomic.Int64
			c := m.client(t, &received, &sent, &dials)

			for range 3 {
				require.Equal(t, 200, do(t, c, "GET", "ok", "/", ""))
			}
			require.Equal(t, 200, do(t, c, "POST", "ok", "/", "0123456789"))
			require.Equal(t, 500, do(t, c, "GET", "bad", "/bad", ""))
			require.Equal(t, 200, do(t, c, "GET", "flaky", "/flaky", ""))
			slow, closed := do(t, c, "GET", "slow", "/hang", ""), do(t, c, "GET", "closed", "/", "")
			unbound := do(t, c, "GET", "nowhere", "/", "")
			local := do(t, c, "GET", "local", "/", "", "l5d-dtab", "/neg => /ok; /x => /y")
			require.Equal(t, 502, closed)
			require.Equal(t, 502, unbound)
			require.Equal(t, 200, local)
			if protocol == "http" {
				require.Equal(t, 503, slow)
			} else {
				require.Zero(t, slow, "a reset")
			}
			m.leave(t, c)
			m.settled(t, 11)
			m.closed(t, c)

			m.Tree().CloseWindow()
			m.requireService(t, "ok", map[string]float64{"requests": 4, "success": 4, "failures": 0})
			m.requireService(t, "bad", map[string]float64{"requests": 1, "success": 0, "failures": 1, "failures/" + telemetry.FailureResponse: 1})
			m.requireService(t, "flaky", map[string]float64{"requests": 1, "success": 1, "failures": 0, "retries/total": 1})
			m.requireService(t, "slow", map[string]float64{"requests": 1, "success": 0, "failures": 1, "failures/" + telemetry.FailureTotalTimeout: 1})
			m.requireService(t, "gone", map[string]float64{"requests": 1, "success": 0, "failures": 0})
			m.requireService(t, "closed", map[string]float64{
				"requests": 1, "success": 0, "failures": 1,
				"failures/" + telemetry.FailureConnection: 1, "failures/" + telemetry.FailureConnection + "/" + telemetry.FailureRefused: 1,
			})
			m.requireMetrics(t, []string{"rt", protocol, "unbound"}, map[string]float64{
				"requests": 1, "success": 0, "failures": 1, "failures/" + telemetry.FailureNoBrokers: 1, "pending": 0,
			}, "failures")
			m.requireServer(t, received.Load(), sent.Load(), dials.Load())
			m.requireClients(t)
		})
	}
}

// leave makes a request whose caller does not wait for the response.
func (m measured) leave(t *testing.T, c *http.Client) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://gone/hang", http.NoBody)
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := c.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	require.Eventually(t, func() bool { return m.under("rt", m.label, "service", "svc/gone")["pending"] == 1 }, 10*time.Second, 5*time.Millisecond)
	cancel()
	<-ended
}

// settled waits until the server has counted n requests and nothing is under way.
func (m measured) settled(t *testing.T, n float64) {
	t.Helper()
	require.Eventually(t, func() bool {
		s := m.under("rt", m.label, "server", "127.0.0.1/0")
		return s["requests"] == n && s["pending"] == 0
	}, 10*time.Second, 5*time.Millisecond)
}

// closed closes the client's connections and waits until the server has seen it.
func (m measured) closed(t *testing.T, c *http.Client) {
	t.Helper()
	require.Eventually(t, func() bool {
		c.CloseIdleConnections() // again, since the client's stream may end after the server's
		return m.under("rt", m.label, "server", "127.0.0.1/0")["connections"] == 0
	}, 10*time.Second, 5*time.Millisecond)
}

func (m measured) requireService(t *testing.T, name string, want map[string]float64) {
	t.Helper()
	retries := want["retries/total"]
	maps.Copy(want, map[string]float64{
		"pending": 0, "load": 0,
		"retries/total": retries, "retries/budget_exhausted": 0, "retries/backoffs_exhausted": 0, "retries/out_of_time": 0,
	})
	m.requireMetrics(t, []string{"rt", m.label, "service", "svc/" + name}, want, "failures")
}

func (m measured) requireServer(t *testing.T, received, sent, dials int64) {
	t.Helper()
	scope := []string{"rt", m.label, "server", "127.0.0.1/0"}
	want := map[string]float64{
		"requests": 11, "success": 6, "load": 0, "pending": 0,
		"connects": float64(dials), "closes": float64(dials), "connections": 0,
		"received_bytes": float64(sent), "sent_bytes": float64(received),
		"connection_duration.count": float64(dials), "connection_received_bytes.count": float64(dials),
		"connection_sent_bytes.count": float64(dials), "connection_requests.count": float64(dials),
		"request_latency_ms.count": 11, "dtab/size.count": 1,
		"status/200": 6, "status/2XX": 6, "status/500": 1, "status/502": 2,
		"failures/" + telemetry.FailureResponse: 1, "failures/" + telemetry.FailureTotalTimeout: 1, "failures/" + telemetry.FailureNoBrokers: 1,
		"failures/" + telemetry.FailureConnection: 1, "failures/" + telemetry.FailureConnection + "/" + telemetry.FailureRefused: 1,
		"sourcedfailures": 1,
	}
	if m.label == "http" {
		delete(want, "sent_bytes") // what is on its way to who has left counts
		want["failures"], want["failures/"+telemetry.FailureCancelled] = 5, 1
		maps.Copy(want, map[string]float64{"status/5XX": 4, "status/503": 1, "status/error": 1})
	} else {
		want["failures"] = 4
		maps.Copy(want, map[string]float64{"status/5XX": 3, "status/error": 2})
	}
	m.requireMetrics(t, scope, want)
}

func (m measured) requireClients(t *testing.T) {
	t.Helper()
	for _, name := range m.clients() {
		scope := []string{"rt", m.label, "client", name}
		got := m.under(scope...)
		if got["service/svc/ok/requests"] == 0 {
			m.requireMetrics(t, scope, map[string]float64{
				"success": 0, "connects": 0, "connections": 0, "status/error": got["requests"],
				"service_creation/failures": got["requests"], "available": 1, "loadbalancer/size": 1,
				"retries/requeues": got["requests"] - 1,
				"failures":         got["requests"], "failures/" + telemetry.FailureConnection: got["requests"],
			}, "failures/x")
			assert.Positive(t, got["requests"])
			continue
		}
		m.requireMetrics(t, scope, map[string]float64{
			"requests": 10, "success": 6, "failures": 3, "failures/" + telemetry.FailureTotalTimeout: 1, "pending": 0, "load": 0,
			"failures/" + telemetry.FailureResponse: 2, "status/200": 6, "status/2XX": 6, "status/500": 1, "status/503": 1, "status/5XX": 2, "status/error": 2,
			"service/svc/ok/requests": 4, "service/svc/ok/success": 4, "service/svc/flaky/requests": 2, "service/svc/flaky/success": 1,
			"service/svc/flaky/failures": 1, "retries/requeues": 0, "available": 1,
			"loadbalancer/size": 1, "loadbalancer/available": 1, "loadbalancer/adds": 1, "loadbalancer/algorithm/p2c_least_loaded": 1,
			"failure_accrual/removals": 0,
		})
	}
}

// clients returns the names of the clients.
func (m measured) clients() []string {
	names := map[string]bool{}
	for at := range m.Tree().Scope("rt", m.label, "client").All() {
		names[at[0]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// TestConnectionReports: what a connection came to is recorded when it ends, exactly.
func TestConnectionReports(t *testing.T) {
	m := measure(t, "http")
	conn, err := net.Dial("tcp", m.addr)
	require.NoError(t, err)
	const get = "GET / HTTP/1.1\r\nHost: ok\r\n\r\n"
	br := bufio.NewReader(conn)
	for range 3 {
		_, err := io.WriteString(conn, get)
		require.NoError(t, err)
		resp, err := http.ReadResponse(br, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
	scope := m.Tree().Scope("rt", "http", "server", "127.0.0.1/0")
	require.Eventually(t, func() bool { return scope.Stat("connection_requests").Live().Count == 1 }, 10*time.Second, 5*time.Millisecond)
	assert.EqualValues(t, 3, scope.Stat("connection_requests").Live().Sum)
	assert.EqualValues(t, 3*len(get), scope.Stat("connection_received_bytes").Live().Sum)
	assert.EqualValues(t, 3, scope.Stat("response_payload_bytes").Live().Count)
	assert.EqualValues(t, 15, scope.Stat("response_payload_bytes").Live().Sum)
	assert.EqualValues(t, 3, scope.Stat("handletime_us").Live().Count)
}

// TestTLSMetrics: connections of TLS count as such while they are open, and a handshake
// that fails is an exception of its connection.
func TestTLSMetrics(t *testing.T) { tlsRouter(t) }

// tlsRouter returns a proxy to whose TLS one caller has spoken and one has not.
func tlsRouter(t *testing.T) measured {
	t.Helper()
	files := testcert.NewFiles(t, "localhost")
	port := endpointPort(t, false)
	p := newProxy(t, fmt.Sprintf(`
admin: {port: 0}
routers:
- protocol: http
  label: inside
  dtab: /svc/* => /$/inet/127.0.0.1/%[1]s
  servers: [{port: 0, tls: {certPath: %[2]s, keyPath: %[3]s}}]
telemetry:
- {kind: io.l5d.zipkin, url: 'http://127.0.0.1:1/', sampleRate: 0.0}
- {kind: io.l5d.statsd, experimental: true, port: 1, sampleRate: 0.0}
`, port, files.Cert, files.Key), proxy.Options{StatsWindow: -1})
	addrs, err := p.Start()
	require.NoError(t, err)
	m := measured{Proxy: p, addr: addrs.Servers["inside"][0], label: "inside"}
	scope := func() map[string]float64 { return m.under("rt", "inside", "server", "127.0.0.1/0") }

	conn, err := tls.Dial("tcp", m.addr, &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return scope()["tls/connections"] == 1 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return scope()["tls/connections"] == 0 && scope()["closes"] == 1 }, 10*time.Second, 5*time.Millisecond)

	plain, err := net.Dial("tcp", m.addr)
	require.NoError(t, err)
	_, err = io.WriteString(plain, "this is no handshake\r\n\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return scope()["exn/javax.net.ssl.SSLException"] == 1 }, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, plain.Close())
	_, ok := scope()["requests"]
	assert.True(t, ok)
	assert.Zero(t, scope()["requests"])
	return m
}
