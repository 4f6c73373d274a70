package e2e_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// mesh is a proxy in this process, on free ports.
type mesh struct {
	proxy *proxy.Proxy
	addrs proxy.Addrs
	stop  func() error // asks for the end and waits for it
}

// serve runs a configuration. ${dir} in it is a temporary directory, and port 0 any
// free port.
func serve(t *testing.T, yaml string) *mesh {
	t.Helper()
	return serveIn(t, t.TempDir(), yaml)
}

func serveIn(t *testing.T, dir, yaml string) *mesh {
	t.Helper()
	reg, err := standard.Registry()
	require.NoError(t, err)
	text := strings.ReplaceAll(yaml, "${dir}", dir)
	cfg, err := config.Load("linkerd.yaml", []byte(text), config.Options{Registry: reg})
	require.NoError(t, err)
	p, err := proxy.New(cfg, proxy.Options{})
	require.NoError(t, err)
	m := &mesh{proxy: p}
	m.addrs, err = p.Start()
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- p.Wait(context.Background()) }()
	m.stop = func() error {
		p.Shutdown(5 * time.Second)
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() { assert.NoError(t, m.stop()) })
	return m
}

// url is the address of the first server of a router.
func (m *mesh) url(label string) string { return "http://" + m.addrs.Servers[label][0] }

// port is the port of the first server of a router.
func (m *mesh) port(label string) string {
	addr := m.addrs.Servers[label][0]
	return addr[strings.LastIndexByte(addr, ':')+1:]
}

// counter is the value of a counter or gauge, 0 if there is none.
func (m *mesh) counter(t *testing.T, name string) float64 {
	t.Helper()
	v := m.metrics(t)[name]
	f, _ := v.(float64)
	return f
}

// metrics is what /admin/metrics.json shows.
func (m *mesh) metrics(t *testing.T) map[string]any {
	t.Helper()
	r := do(t, get("http://"+m.addrs.Admin+"/admin/metrics.json"))
	require.Equal(t, http.StatusOK, r.status)
	return unjson[map[string]any](t, r.body)
}

// pooled is a client that keeps as many connections as it needs.
func pooled(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// eventually polls until ok, for at most ten seconds.
func eventually(t *testing.T, ok func() bool, otherwise string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			require.FailNow(t, otherwise)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
