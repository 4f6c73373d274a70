package rolloutcmd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft/cmd/weft/rolloutcmd"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/fs"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mesh is a namerd, a proxy that asks it, two versions of world behind the proxy, and
// somebody who calls world all the time.
type mesh struct {
	t      *testing.T
	store  *memory.Store
	namerd string
	admin  string

	failing [2]atomic.Bool
	slow    [2]atomic.Bool
	calls   [2]atomic.Int64
}

func newMesh(t *testing.T) *mesh {
	t.Helper()
	m := &mesh{t: t, store: memory.New(memory.Options{})}
	dir := t.TempDir()
	for i := range 2 {
		world := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			m.calls[i].Add(1)
			if m.slow[i].Load() {
				time.Sleep(100 * time.Millisecond)
			}
			if m.failing[i].Load() {
				http.Error(w, "broken", http.StatusInternalServerError)
			}
		}))
		t.Cleanup(world.Close)
		host, port, err := net.SplitHostPort(world.Listener.Addr().String())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("world-v%d", i+1)), []byte(host+" "+port+"\n"), 0o600))
	}
	m.startNamerd(dir)
	m.startProxy()
	return m
}

func (m *mesh) startNamerd(dir string) {
	t := m.t
	files, err := fs.New(fs.Config{RootDir: dir}, fs.Options{})
	require.NoError(t, err)
	_, err = m.store.Create(t.Context(), "default",
		dtab.MustParse("/srv => /#/io.l5d.fs ; /svc => /srv ; /svc/world => /srv/world-v1"), namerd.Note{})
	require.NoError(t, err)
	n, err := namerd.New(namerd.Options{Store: m.store, Namers: naming.Under(files)})
	require.NoError(t, err)
	api := httpapi.New(n, httpapi.Options{})
	server := httptest.NewServer(api)
	t.Cleanup(func() {
		assert.NoError(t, api.Close())
		server.Close()
		assert.NoError(t, n.Close())
		assert.NoError(t, files.Close())
		assert.NoError(t, m.store.Close())
	})
	m.namerd = server.URL
}

func (m *mesh) startProxy() {
	t := m.t
	_, port, err := net.SplitHostPort(strings.TrimPrefix(m.namerd, "http://"))
	require.NoError(t, err)
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(`
admin: {port: 0}
telemetry:
- kind: io.l5d.prometheus
routers:
- protocol: http
  servers: [{port: 0}]
  interpreter: {kind: io.l5d.namerd.http, experimental: true, dst: /$/inet/127.1/`+port+`, namespace: default}
`), config.Options{Registry: reg})
	require.NoError(t, err)
	p, err := proxy.New(cfg, proxy.Options{StatsWindow: 300 * time.Millisecond})
	require.NoError(t, err)
	addrs, err := p.Start()
	require.NoError(t, err)
	m.admin = "http://" + addrs.Admin
	ended := make(chan error, 1)
	go func() { ended <- p.Wait(context.Background()) }()
	stop := m.call("http://" + addrs.Servers["http"][0])
	t.Cleanup(func() {
		stop()
		p.Shutdown(5 * time.Second)
		assert.NoError(t, <-ended)
	})
}

// call calls world from several goroutines until stop.
func (m *mesh) call(url string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	tr := &http.Transport{MaxIdleConnsPerHost: 10}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
				req.Host = "world"
				if rsp, err := (&http.Client{Transport: tr}).Do(req); err == nil {
					_ = rsp.Body.Close()
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
		tr.CloseIdleConnections()
	}
}

// says is what the rule says.
func (m *mesh) says() string {
	s, err := m.store.Get(context.Background(), "default")
	require.NoError(m.t, err)
	return dtab.ShowTree(s.Dtab[2].Dst)
}

// buffer is output that can be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// weft runs weft rollout with arguments, and returns what it printed and its status.
func weft(ctx context.Context, base string, args ...string) (out *buffer, wait func() (status int, text string)) {
	out = &buffer{}
	cmd := rolloutcmd.Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append(args, "--base-url", base))
	cmd.SetIn(strings.NewReader(""))
	cmd.SetOut(out)
	cmd.SetErr(out)
	done := make(chan error, 1)
	go func() { done <- cmd.ExecuteContext(ctx) }()
	return out, func() (int, string) {
		err := <-done
		if err == nil {
			return 0, out.String()
		}
		status := 1
		var code interface{ ExitCode() int }
		if errors.As(err, &code) {
			status = code.ExitCode()
		}
		return status, out.String() + err.Error()
	}
}

func (m *mesh) weft(args ...string) (status int, text string) {
	_, wait := weft(m.t.Context(), m.namerd, args...)
	return wait()
}

// start are the arguments of a rollout of seconds.
func (m *mesh) start(more ...string) []string {
	return append([]string{
		"start", "--rule", "/svc/world", "--new", "/srv/world-v2", "--proxy", m.admin, "--yes",
		"--steps", "10%,50%,100%", "--watch-for", "700ms", "--interval", "100ms", "--min-requests", "20",
		// Two processors that others need, too, make latencies of their own.
		"--max-latency-factor", "-1",
	}, more...)
}

func (m *mesh) eventually(what string, ok func() bool) {
	m.t.Helper()
	require.Eventually(m.t, ok, 30*time.Second, 10*time.Millisecond, what)
}
