package httprouter_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/httprouter"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// router loads a configuration with one router that has the given keys.
func router(t *testing.T, keys string) *config.Router {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	yaml := "routers:\n- protocol: http\n  servers: [{port: 0}]\n  " + strings.ReplaceAll(strings.TrimSpace(keys), "\n", "\n  ") + "\n"
	cfg, err := config.Load("linkerd.yaml", []byte(yaml), config.Options{Registry: reg})
	require.NoError(t, err)
	return &cfg.Routers[0]
}

func TestClientKeys(t *testing.T) {
	id := dtab.MustPath("/#/io.l5d.fs/web")
	rows := []struct {
		keys string
		want func(*transport.ClientOptions, *meshhttp.ClientSettings)
	}{
		{"{}", func(*transport.ClientOptions, *meshhttp.ClientSettings) {}},
		{"{requestAttemptTimeoutMs: 100}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.AttemptTimeout = 100 * time.Millisecond
		}},
		{"{failFast: true}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) { o.FailFast = true }},
		{"{requeueBudget: {ttlSecs: 5, minRetriesPerSec: 3, percentCanRetry: 5.0}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.RequeueBudget = retry.BudgetOptions{TTL: 5 * time.Second, MinPerSecond: 3, Ratio: 5}
		}},
		{"{loadBalancer: {kind: p2c, maxEffort: 10, enableProbation: true}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Balancer = balancer.Options{Policy: balancer.P2C{}, MaxEffort: 10, Probation: true}
		}},
		{"{loadBalancer: {kind: ewma, decayTimeMs: 1000}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Balancer = balancer.Options{Policy: balancer.EWMA{Decay: time.Second}}
		}},
		{"{loadBalancer: {kind: aperture, smoothWindowMs: 1, lowLoad: 0.1, highLoad: 3, minAperture: 2}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Balancer = balancer.Options{Policy: balancer.Aperture{SmoothWindow: time.Millisecond, LowLoad: 0.1, HighLoad: 3, MinAperture: 2}}
		}},
		{"{loadBalancer: {kind: heap}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Balancer = balancer.Options{Policy: balancer.Heap{}}
		}},
		{"{loadBalancer: {kind: roundRobin, maxEffort: 2}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Balancer = balancer.Options{Policy: balancer.RoundRobin{}, MaxEffort: 2}
		}},
		{"{failureAccrual: {kind: none}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) { o.Accrual = circuit.None{} }},
		{"{failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 7, backoff: {kind: constant, ms: 20}}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Accrual = circuit.ConsecutiveFailures{N: 7, Backoff: retry.Constant(20 * time.Millisecond)}
		}},
		{"{failureAccrual: {kind: io.l5d.successRate, successRate: 0.9, requests: 20, backoff: {kind: jittered, minMs: 1, maxMs: 2}}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Accrual = circuit.SuccessRate{Rate: 0.9, Requests: 20, Backoff: retry.DecorrelatedJitter{Base: time.Millisecond, Max: 2 * time.Millisecond}}
		}},
		{"{failureAccrual: {kind: io.l5d.successRateWindowed, successRate: 0.5, window: 30}}", func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
			o.Accrual = circuit.SuccessRateWindowed{Rate: 0.5, Window: 30 * time.Second}
		}},
		{"{hostConnectionPool: {minSize: 0, maxSize: 1000, idleTimeMs: 10000, maxWaiters: 5000}}", func(_ *transport.ClientOptions, s *meshhttp.ClientSettings) {
			s.Pool.MaxSize, s.Pool.MaxWaiters, s.Pool.IdleTimeout = 1000, 5000, 10*time.Second
		}},
		{"{hostConnectionPool: {maxSize: 1, maxWaiters: 0}}", func(_ *transport.ClientOptions, s *meshhttp.ClientSettings) {
			s.Pool.MaxSize, s.Pool.MaxWaiters = 1, -1
		}},
		{"{clientSession: {idleTimeMs: 1500, lifeTimeMs: 3000}}", func(_ *transport.ClientOptions, s *meshhttp.ClientSettings) {
			s.Pool.IdleTimeout, s.Pool.LifeTime = 1500*time.Millisecond, 3*time.Second
		}},
		{"{clientSession: {idleTimeMs: 1500}, hostConnectionPool: {idleTimeMs: 1000}}", func(_ *transport.ClientOptions, s *meshhttp.ClientSettings) {
			s.Pool.IdleTimeout = time.Second
		}},
		{"{clientSession: {idleTimeMs: 500}, hostConnectionPool: {idleTimeMs: 1000}}", func(_ *transport.ClientOptions, s *meshhttp.ClientSettings) {
			s.Pool.IdleTimeout = 500 * time.Millisecond
		}},
		{"{forwardClientCert: true}", func(_ *transport.ClientOptions, s *meshhttp.ClientSettings) { s.ForwardClientCert = true }},
		{ // V149
			"{kind: io.l5d.static, configs: [{prefix: /, loadBalancer: {kind: ewma}, requestAttemptTimeoutMs: 1}, {prefix: '/#/io.l5d.fs/web', loadBalancer: {kind: heap}}, {prefix: '/#/io.l5d.fs/bar', requestAttemptTimeoutMs: 2}]}",
			func(o *transport.ClientOptions, _ *meshhttp.ClientSettings) {
				o.Balancer, o.AttemptTimeout = balancer.Options{Policy: balancer.Heap{}}, time.Millisecond
			},
		},
	}
	for _, row := range rows {
		t.Run(row.keys, func(t *testing.T) {
			got, settings := httprouter.ClientOf(router(t, "client: "+row.keys), id)
			var want transport.ClientOptions
			wanted := meshhttp.ClientSettings{Pool: meshhttp.PoolOptions{MaxHeaderBytes: 8 << 10}}
			row.want(&want, &wanted)
			assert.Equal(t, want, got)
			assert.Equal(t, wanted, settings)
		})
	}
}

func TestClientFunctions(t *testing.T) {
	id := dtab.MustPath("/#/io.l5d.fs/web")
	settings := func(keys string) meshhttp.ClientSettings {
		_, s := httprouter.ClientOf(router(t, keys), id)
		return s
	}
	none := settings("client: {}")
	assert.Nil(t, none.TLS)
	assert.Nil(t, none.AccessLog)
	assert.Nil(t, none.Dial)
	assert.NotNil(t, settings("httpAccessLog: "+t.TempDir()+"/access.log").AccessLog)
	assert.Equal(t, int64(16<<10), settings("maxHeadersKB: 16").Pool.MaxHeaderBytes)

	secure := settings("client: {kind: io.l5d.static, configs: [{prefix: '/#/*/{name}', tls: {commonName: '{name}.example'}}]}")
	cfg, err := secure.TLS()
	require.NoError(t, err)
	assert.Equal(t, "web.example", cfg.ServerName)
	assert.Nil(t, settings("client: {tls: {enabled: false}}").TLS)
}

func TestClientSocketOptions(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	silent := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			silent <- c // and nothing is read or written
		}
	}()
	_, s := httprouter.ClientOf(router(t, "client: {socketOptions: {noDelay: false, keepAlive: false, readTimeoutMs: 10, writeTimeoutMs: 10}}"), dtab.MustPath("/a"))
	conn, err := s.Dial(context.Background(), l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	defer (<-silent).Close()
	var timeout net.Error
	_, err = conn.Read(make([]byte, 1))
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	for err = nil; err == nil; { // until the buffers are full
		_, err = conn.Write(make([]byte, 1<<20))
	}
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	half, ok := conn.(interface{ CloseWrite() error })
	require.True(t, ok)
	require.NoError(t, half.CloseWrite())
}

func TestServiceKeys(t *testing.T) {
	path := dtab.MustPath("/svc/web")
	rows := []struct {
		keys       string
		want       transport.ServiceOptions
		classifier meshhttp.Classifier
	}{
		{"{}", transport.ServiceOptions{}, nil},
		{"{totalTimeoutMs: 500}", transport.ServiceOptions{TotalTimeout: 500 * time.Millisecond}, nil},
		{"{retries: {budget: {minRetriesPerSec: 5, percentCanRetry: 0.5, ttlSecs: 15}}}", transport.ServiceOptions{
			Budget: retry.BudgetOptions{MinPerSecond: 5, Ratio: 0.5, TTL: 15 * time.Second},
		}, nil},
		{"{retries: {backoff: {kind: jittered, minMs: 10, maxMs: 10000}}}", transport.ServiceOptions{
			Backoff: retry.DecorrelatedJitter{Base: 10 * time.Millisecond, Max: 10 * time.Second},
		}, nil},
		{"{retries: {backoff: {kind: constant, ms: 30}}}", transport.ServiceOptions{Backoff: retry.Constant(30 * time.Millisecond)}, nil},
		{"{responseClassifier: {kind: io.l5d.http.retryableRead5XX}}", transport.ServiceOptions{}, meshhttp.Read},
		{"{responseClassifier: {kind: io.l5d.http.retryableIdempotent5XX}}", transport.ServiceOptions{}, meshhttp.Idempotent},
		{"{responseClassifier: {kind: io.l5d.http.retryableAll5XX}}", transport.ServiceOptions{}, meshhttp.All},
		{"{responseClassifier: {kind: io.l5d.http.nonRetryable5XX}}", transport.ServiceOptions{}, meshhttp.NonRetryable5XX{}},
		{"{responseClassifier: {kind: io.l5d.http.allSuccessful}}", transport.ServiceOptions{}, meshhttp.AllSuccessful{}},
		{"{kind: io.l5d.static, configs: [{prefix: '/svc/*', totalTimeoutMs: 1}, {prefix: /svc/other, totalTimeoutMs: 2}]}", transport.ServiceOptions{TotalTimeout: time.Millisecond}, nil},
	}
	for _, row := range rows {
		t.Run(row.keys, func(t *testing.T) {
			got, settings := httprouter.ServiceOf(router(t, "service: "+row.keys), path)
			assert.Equal(t, row.want, got)
			assert.Equal(t, row.classifier, settings.Classifier)
		})
	}
}

func TestRouterKeys(t *testing.T) {
	assert.Equal(t, int64(0), httprouter.BufferBytes(router(t, "dtab: ''")), "the default")
	assert.Equal(t, int64(-1), httprouter.BufferBytes(router(t, "streamAfterContentLengthKB: 0")))
	assert.Equal(t, int64(102400<<10), httprouter.BufferBytes(router(t, "streamAfterContentLengthKB: 102400")))
	assert.Equal(t, int64(1<<31-1), httprouter.BufferBytes(router(t, "streamingEnabled: false")))
	assert.Equal(t, int64(5<<10), httprouter.BufferBytes(router(t, "streamingEnabled: true\nstreamAfterContentLengthKB: 5")))

	assert.Equal(t, transport.CacheOptions{}, httprouter.CacheOf(router(t, "dtab: ''")))
	assert.Equal(t, transport.CacheOptions{Paths: 1, Trees: 2, Bounds: 3, Clients: 4, IdleTTL: 5 * time.Second},
		httprouter.CacheOf(router(t, "bindingCache: {paths: 1, trees: 2, bounds: 3, clients: 4, idleTtlSecs: 5}")))

	for level, want := range map[int]int{-1: 0, 0: meshhttp.NoCompression, 1: 1, 9: 9} {
		assert.Equal(t, want, httprouter.Compression(&level))
	}
	assert.Equal(t, 0, httprouter.Compression(nil))
}

// Where streaming is disabled, nothing is longer than what Linkerd keeps in memory.
func TestRequestsThatAreTooLongToBeKept(t *testing.T) {
	for _, c := range []struct {
		keys, length string
		status       int
	}{
		{"dtab: ''", "2147483648", 200},
		{"streamingEnabled: false", "2147483647", 200},
		{"streamingEnabled: false", "2147483648", 413},
	} {
		t.Run(c.keys+" "+c.length, func(t *testing.T) {
			tree := telemetry.NewTree(telemetry.Options{Window: -1})
			defer tree.Close()
			h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			srv := httprouter.HTTP1(router(t, c.keys), h, tree.Scope("rt"))
			caller, conn := net.Pipe()
			served := make(chan struct{})
			go func() { srv.ServeConn(conn); close(served) }()
			_, err := io.WriteString(caller, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "+c.length+"\r\n\r\n")
			require.NoError(t, err)
			resp, err := http.ReadResponse(bufio.NewReader(caller), nil)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, c.status, resp.StatusCode)
			require.NoError(t, caller.Close())
			<-served
		})
	}
}
