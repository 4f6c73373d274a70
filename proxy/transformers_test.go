package proxy_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/standard"
)

// made returns the proxy of a configuration whose io.l5d.fs knows web at 10.0.0.1:80.
func made(t *testing.T, yaml string) *proxy.Proxy {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "web"), []byte("10.0.0.1 80\n"), 0o644))
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte("namers: [{kind: io.l5d.fs, rootDir: "+dir+", "+yaml), config.Options{Registry: reg})
	require.NoError(t, err)
	p, err := proxy.New(cfg, proxy.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.Close()) })
	return p
}

// bound returns what the only router binds a name to: the id and the addresses.
func bound(t *testing.T, p *proxy.Proxy, name string) (id string, addrs []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	src := p.Routers()[0].Interpreter.Bind(ctx, nil, dtab.MustPath(name))
	st, err := weft.Until(ctx, src, func(s naming.State[dtab.Tree[*naming.Bound]]) bool { return !s.Pending() })
	if err != nil || !st.Known {
		return "", nil, st.Err
	}
	require.Equal(t, dtab.Leaf, st.Value.Op, "%s is bound to %v", name, st.Value.Op)
	b := st.Value.Value
	set, err := weft.Until(ctx, b.Addrs(ctx), func(s naming.State[weft.EndpointSet]) bool { return !s.Pending() })
	require.NoError(t, err)
	for _, e := range set.Value.Endpoints {
		addrs = append(addrs, e.Addr)
	}
	return b.ID.String(), addrs, nil
}

func TestTransformersOfNamersAndInterpreters(t *testing.T) {
	p := made(t, `transformers: [{kind: io.l5d.port, port: 4141}]}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  interpreter: {kind: default, transformers: [{kind: io.l5d.port, port: 5151, prefix: /mine}, {kind: io.l5d.specificHost, host: 10.0.0.1}]}
  servers: [{port: 0}]
`)
	id, addrs, err := bound(t, p, "/svc/web")
	require.NoError(t, err)
	assert.Equal(t, "/%/io.l5d.specificHost/%/mine/%/io.l5d.port/4141/#/io.l5d.fs/web", id)
	assert.Equal(t, []string{"10.0.0.1:5151"}, addrs)

	a, err := proxy.Explain(t.Context(), p.Routers()[0], proxy.Question{Name: dtab.MustPath("/svc/web")})
	require.NoError(t, err)
	assert.Contains(t, a.Delegation.Text(), "transformed by")
	assert.Contains(t, a.Delegation.Text(), "10.0.0.1:5151")
}

func TestConstAsksTheNamers(t *testing.T) {
	p := made(t, `prefix: /files}]
routers:
- protocol: http
  dtab: /svc => /nowhere
  interpreter: {kind: default, transformers: [{kind: io.l5d.const, path: /#/files/web}]}
  servers: [{port: 0}]
`)
	id, addrs, err := bound(t, p, "/svc/whatever")
	require.NoError(t, err)
	assert.Equal(t, "/%/io.l5d.const/#/files/web", id)
	assert.Equal(t, []string{"10.0.0.1:80"}, addrs)
}

// TestANamerThatAsksItself: the failure is one name's, not the process's.
func TestANamerThatAsksItself(t *testing.T) {
	p := made(t, `transformers: [{kind: io.l5d.const, path: /#/io.l5d.fs/web}]}]
routers: [{protocol: http, dtab: /svc => /#/io.l5d.fs, servers: [{port: 0}]}]
`)
	_, _, err := bound(t, p, "/svc/web")
	require.ErrorIs(t, err, naming.ErrTooDeep)
	assert.ErrorContains(t, err, "the transformers of namers lead in a circle")
}
