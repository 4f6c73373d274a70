package namerd_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
	"github.com/weft-mesh/weft/telemetry"
)

// TestMetrics: what is asked for is active, and what was a moment ago is inactive.
func TestMetrics(t *testing.T) {
	namer, err := static.New(static.Config{Prefix: dtab.MustPath("/#/n"), Names: map[string][]string{"web": {"10.0.0.1:80"}}})
	require.NoError(t, err)
	store := memory.New(memory.Options{Namespaces: map[string]dtab.Dtab{"default": dtab.MustParse("/svc => /#/n")}})
	n, err := namerd.New(namerd.Options{Store: store, Linger: time.Hour, Namers: append(
		naming.Under(namer), naming.Prefixed{Prefix: dtab.MustPath("/#/never"), Namer: naming.NamerFunc(never)},
	)})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, n.Close())
		assert.NoError(t, store.Close())
	})
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	n.Export(tree.Scope())
	gauges := func() map[string]float64 {
		all := map[string]float64{}
		for at, m := range tree.All() {
			all[strings.Join(at, "/")] = m.Float
		}
		return all
	}
	want := map[string]float64{
		"bindingcache/active": 0, "bindingcache/inactive": 0, "addrcache/active": 0, "addrcache/inactive": 0,
		"delegationcache/active": 0, "delegationcache/inactive": 0,
	}
	reach := func() {
		t.Helper()
		require.Eventually(t, func() bool { return assert.ObjectsAreEqual(want, gauges()) }, 10*time.Second, time.Millisecond, "%v", want)
	}
	assert.Equal(t, want, gauges())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n.Bind(ctx, "default", nil, dtab.MustPath("/svc/web"))
	n.Bind(ctx, "default", nil, dtab.MustPath("/svc/web"))
	n.Addr(ctx, dtab.MustPath("/#/n/web"))
	n.Addr(t.Context(), dtab.MustPath("/#/n/other"))
	want["bindingcache/active"], want["addrcache/active"] = 1, 2
	assert.Equal(t, want, gauges())
	explained := make(chan error)
	go func() {
		_, err := n.Delegate(ctx, "default", nil, dtab.MustPath("/#/never/web"))
		explained <- err
	}()
	want["delegationcache/active"] = 1
	reach()
	cancel()
	require.ErrorIs(t, <-explained, context.Canceled)
	want["delegationcache/active"] = 0
	want["bindingcache/active"], want["addrcache/active"] = 0, 1
	want["bindingcache/inactive"], want["addrcache/inactive"] = 1, 1
	reach()
}
