package consul_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/consul"
	"github.com/weft-mesh/weft/telemetry"
)

// TestServiceMetrics: the watches of services count as Linkerd counts them.
func TestServiceMetrics(t *testing.T) {
	f := newFake(t)
	f.say("/v1/catalog/service/web", said{index: "7", body: list(node("10.0.0.9", "10.0.0.1", 80))})
	f.say("/v1/catalog/service/broken", said{status: http.StatusInternalServerError})
	tree := telemetry.NewTree(telemetry.Options{})
	defer tree.Close()
	scope := tree.Scope("namer", "io.l5d.consul")
	n := newNamer(t, consul.Config{Agent: f.agent()}, consul.Options{Metrics: scope})
	counts := func() map[string]int64 {
		all := map[string]int64{}
		for at, m := range scope.All() {
			all[strings.Join(at, "/")] = m.Int
		}
		return all
	}
	assert.Empty(t, counts())
	watch(t, n, "/dc1/web").comes("/#/io.l5d.consul/dc1/web: 10.0.0.1:80")
	assert.Equal(t, map[string]int64{"service/opens": 1, "service/updates": 1, "service/cached": counts()["service/cached"]}, counts())
	cached := counts()["service/cached"]
	ctx, cancel := context.WithCancel(t.Context())
	n.Lookup(ctx, dtab.MustPath("/dc1/web"))
	assert.Equal(t, cached+1, counts()["service/cached"])
	cancel()
	f.say("/v1/catalog/service/web", said{index: "8", body: list(node("10.0.0.9", "10.0.0.2", 80))})
	require.Eventually(t, func() bool { return counts()["service/updates"] == 2 }, 10*time.Second, time.Millisecond)
	assert.NotContains(t, counts(), "service/errors")
	watch(t, n, "/dc1/broken").comes("failed")
	assert.Positive(t, counts()["service/errors"])
	assert.EqualValues(t, 2, counts()["service/opens"])
	assert.NotContains(t, counts(), "service/closes")
	require.NoError(t, n.Close())
	assert.EqualValues(t, 2, counts()["service/closes"])
}
