package proxy_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/plugin"
	"github.com/weft-mesh/weft/proxy/standard"
)

// board is an announcer that remembers, and asks what is announced whether it answers.
type board struct {
	mu      sync.Mutex
	posted  map[string][]netip.AddrPort
	served  []bool // of each withdrawal: the address still took connections
	closed  bool
	serving func(netip.AddrPort) bool
}

// Announce implements plugin.Announcer.
func (b *board) Announce(name dtab.Path, addrs []netip.AddrPort) (io.Closer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.posted[name.String()] = addrs
	return withdrawal(func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.served = append(b.served, b.serving(addrs[0]))
		delete(b.posted, name.String())
		return nil
	}), nil
}

// Close implements io.Closer.
func (b *board) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *board) now() (posted map[string][]netip.AddrPort, served []bool, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.posted), b.served, b.closed
}

type withdrawal func() error

// Close implements io.Closer.
func (w withdrawal) Close() error { return w() }

// TestServersAreAnnouncedWhileTheyServe: under the names that belong to an announcer,
// with the address they have, and no longer when they drain.
func TestServersAreAnnouncedWhileTheyServe(t *testing.T) {
	b := &board{posted: map[string][]netip.AddrPort{}, serving: func(a netip.AddrPort) bool {
		resp, err := http.Get("http://" + a.String() + "/")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	}}
	reg, err := standard.Registry(config.Define(config.RoleAnnouncer, "board", func(_ struct{}, e plugin.AnnouncerEnv) (plugin.Announcer, error) {
		assert.Equal(t, "/#/board", e.Prefix.String())
		return b, nil
	}, config.Traits{}))
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(`
admin: {port: 0}
routers:
- protocol: http
  announcers: [{kind: board}]
  servers: [{port: 0, announce: [/#/board/web/main, /#/elsewhere/web]}]
`), config.Options{Registry: reg})
	require.NoError(t, err)
	p, err := proxy.New(cfg, proxy.Options{})
	require.NoError(t, err)
	posted, _, _ := b.now()
	assert.Empty(t, posted, "nothing listens yet")

	addrs, err := p.Start()
	require.NoError(t, err)
	at := netip.MustParseAddrPort(addrs.Servers["http"][0])
	posted, _, _ = b.now()
	assert.Equal(t, map[string][]netip.AddrPort{"/web/main": {at}}, posted)
	assert.Equal(t, []string{"/#/board/web/main", "/#/elsewhere/web"}, p.Announced())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, p.Wait(ctx))
	posted, served, closed := b.now()
	assert.Empty(t, posted)
	assert.Equal(t, []bool{true}, served, "it was withdrawn before the listener closed")
	assert.True(t, closed)
}

// TestDiscoveryIsSeen: what namers watch is on a page and in the metrics.
func TestDiscoveryIsSeen(t *testing.T) {
	p := made(t, `prefix: /files}]
routers: [{protocol: http, dtab: /svc => /#/files, servers: [{port: 0}]}]
`)
	_, _, err := bound(t, p, "/svc/web")
	require.NoError(t, err)
	page := func(path string) string {
		w := httptest.NewRecorder()
		p.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusOK, w.Code)
		return w.Body.String()
	}
	assert.Contains(t, page("/discovery.json"), `{"name":"/$/inet","kind":"inet","watches":[]}`)
	assert.Contains(t, page("/discovery.json"), `{"name":"/#/files","kind":"io.l5d.fs","watches":[{"watching":"web","state":"ok","answer":"1 endpoint",`)
	require.Eventually(t, func() bool {
		m := page("/admin/metrics.json")
		return strings.Contains(m, `"namer/files/watches":1`) && strings.Contains(m, `"namer/files/stale":0`)
	}, 10*time.Second, 20*time.Millisecond)
}
