package h2router_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/h2router"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// load loads a configuration that must be right.
func load(t *testing.T, yaml string) *config.Linker {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(yaml), config.Options{Registry: reg})
	require.NoError(t, err)
	return cfg
}

// router returns one that has the given keys.
func router(t *testing.T, keys string) *config.Router {
	t.Helper()
	if !strings.Contains(keys, "servers:") {
		keys = "servers: [{port: 0}]\n" + keys
	}
	return &load(t, "routers:\n- protocol: h2\n  "+strings.ReplaceAll(strings.TrimSpace(keys), "\n", "\n  ")+"\n").Routers[0]
}

func TestClientKeys(t *testing.T) {
	id := dtab.MustPath("/#/io.l5d.fs/web")
	type o = *transport.ClientOptions
	type s = *meshh2.ClientSettings
	for keys, want := range map[string]func(o, s){
		"{}":                             func(o, s) {},
		"{requestAttemptTimeoutMs: 100}": func(o o, _ s) { o.AttemptTimeout = 100 * time.Millisecond },
		"{failFast: true}":               func(o o, _ s) { o.FailFast = true },
		"{requeueBudget: {ttlSecs: 5, minRetriesPerSec: 3, percentCanRetry: 5.0}}": func(o o, _ s) {
			o.RequeueBudget = retry.BudgetOptions{TTL: 5 * time.Second, MinPerSecond: 3, Ratio: 5}
		},
		"{loadBalancer: {kind: ewma, decayTimeMs: 1000, maxEffort: 10}}": func(o o, _ s) {
			o.Balancer = balancer.Options{Policy: balancer.EWMA{Decay: time.Second}, MaxEffort: 10}
		},
		"{failureAccrual: {kind: none}}": func(o o, _ s) { o.Accrual = circuit.None{} },
		"{failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 7, backoff: {kind: constant, ms: 20}}}": func(o o, _ s) {
			o.Accrual = circuit.ConsecutiveFailures{N: 7, Backoff: retry.Constant(20 * time.Millisecond)}
		},
		"{hostConnectionPool: {maxSize: 1}}": func(o, s) {}, // all streams share connections
		"{clientSession: {idleTimeMs: 1500, lifeTimeMs: 3000}}": func(_ o, s s) {
			s.Conn.IdleTimeout, s.Conn.LifeTime = 1500*time.Millisecond, 3*time.Second
		},
		"{windowUpdateRatio: 0.5}":          func(_ o, s s) { s.Conn.WindowUpdateRatio = 0.5 },
		"{headerTableBytes: 1024}":          func(_ o, s s) { s.Conn.HeaderTableBytes = 1024 },
		"{initialStreamWindowBytes: 65536}": func(_ o, s s) { s.Conn.InitialWindow = 65536 },
		"{maxFrameBytes: 32768}":            func(_ o, s s) { s.Conn.MaxFrameBytes = 32768 },
		"{maxHeaderListBytes: 8192}":        func(_ o, s s) { s.Conn.MaxHeaderListBytes = 8192 },
		"{forwardClientCert: true}":         func(_ o, s s) { s.ForwardClientCert = true },
		"{kind: io.l5d.static, configs: [{prefix: /, requestAttemptTimeoutMs: 1}, {prefix: '/#/io.l5d.fs/web', maxFrameBytes: 20000}, {prefix: '/#/io.l5d.fs/bar', maxFrameBytes: 30000}]}": func(o o, s s) {
			o.AttemptTimeout, s.Conn.MaxFrameBytes = time.Millisecond, 20000
		},
	} {
		got, settings := h2router.ClientOf(router(t, "client: "+keys), id)
		var options transport.ClientOptions
		var wanted meshh2.ClientSettings
		want(&options, &wanted)
		assert.Equal(t, options, got, keys)
		assert.Equal(t, wanted, settings, keys)
	}
}

func TestClientFunctions(t *testing.T) {
	settings := func(keys string) meshh2.ClientSettings {
		_, s := h2router.ClientOf(router(t, keys), dtab.MustPath("/#/io.l5d.fs/web"))
		return s
	}
	assert.NotNil(t, settings("h2AccessLog: "+t.TempDir()+"/access.log").AccessLog)
	cfg, err := settings("client: {kind: io.l5d.static, configs: [{prefix: '/#/*/{name}', tls: {commonName: '{name}.example'}}]}").TLS()
	require.NoError(t, err)
	assert.Equal(t, "web.example", cfg.ServerName)
	assert.Equal(t, []string{"h2"}, cfg.NextProtos)
	assert.Nil(t, settings("client: {tls: {enabled: false}}").TLS)
}

func TestClientSocketOptions(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, s := h2router.ClientOf(router(t, "client: {socketOptions: {noDelay: false, keepAlive: false, readTimeoutMs: 10, writeTimeoutMs: 20}}"), dtab.MustPath("/a"))
	assert.Equal(t, 20*time.Millisecond, s.Conn.WriteTimeout)
	conn, err := s.Dial(context.Background(), l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	var timeout net.Error
	_, err = conn.Read(make([]byte, 1))
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
}

func TestServiceKeys(t *testing.T) {
	type o = *transport.ServiceOptions
	type s = *meshh2.ServiceSettings
	for keys, want := range map[string]func(o, s){
		"{}":                    func(o, s) {},
		"{totalTimeoutMs: 500}": func(o o, _ s) { o.TotalTimeout = 500 * time.Millisecond },
		"{retries: {budget: {minRetriesPerSec: 5, percentCanRetry: 0.5, ttlSecs: 15}, backoff: {kind: constant, ms: 30}}}": func(o o, _ s) {
			o.Budget, o.Backoff = retry.BudgetOptions{MinPerSecond: 5, Ratio: 0.5, TTL: 15 * time.Second}, retry.Constant(30*time.Millisecond)
		},
		"{responseClassifier: {kind: io.l5d.h2.retryableRead5XX}}": func(_ o, s s) { s.Classifier = meshh2.Read },
		"{responseClassifier: {kind: io.l5d.h2.grpc.default}}":     func(_ o, s s) { s.Classifier = meshh2.GRPC{} },
		"{classificationTimeoutMs: 7}":                             func(_ o, s s) { s.ClassificationTimeout = 7 * time.Millisecond },
		"{classificationTimeoutMs: 0}":                             func(_ o, s s) { s.ClassificationTimeout = -1 },
		"{retryBufferSize: {requestBytes: 1, responseBytes: 2}}":   func(_ o, s s) { s.RequestBytes, s.ResponseBytes = 1, 2 },
		"{retryBufferSize: {requestBytes: 0}}":                     func(_ o, s s) { s.RequestBytes = -1 },
		"{kind: io.l5d.static, configs: [{prefix: '/svc/*', totalTimeoutMs: 1}, {prefix: /svc/other, totalTimeoutMs: 2}]}": func(o o, _ s) {
			o.TotalTimeout = time.Millisecond
		},
	} {
		got, settings := h2router.ServiceOf(router(t, "service: "+keys), dtab.MustPath("/svc/web"))
		var options transport.ServiceOptions
		var wanted meshh2.ServiceSettings
		want(&options, &wanted)
		assert.Equal(t, options, got, keys)
		assert.Equal(t, wanted, settings, keys)
	}
}

func TestServerKeys(t *testing.T) {
	for keys, want := range map[string]http2.Options{
		"port: 0": {},
		"windowUpdateRatio: 0.5, headerTableBytes: 1, initialStreamWindowBytes: 2, maxFrameBytes: 16384, maxHeaderListBytes: 4": {
			WindowUpdateRatio: 0.5, HeaderTableBytes: 1, InitialWindow: 2, MaxFrameBytes: 16384, MaxHeaderListBytes: 4,
		},
		"serverSession: {lifeTimeMs: 10, idleTimeMs: 20}, socketOptions: {writeTimeoutMs: 30}": {
			LifeTime: 10 * time.Millisecond, IdleTimeout: 20 * time.Millisecond, WriteTimeout: 30 * time.Millisecond,
		},
	} {
		assert.Equal(t, want, h2router.ConnOf(router(t, "servers: [{"+keys+"}]")), keys)
	}
}
