package telemetry_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
)

var poolFields = []telemetry.Field{
	{Name: "opened", Kind: telemetry.KindCounter}, {Name: "size", Kind: telemetry.KindGauge},
}

func jsonOf(t *testing.T, tree *telemetry.Tree, opts telemetry.JSONOptions) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, telemetry.WriteJSON(&b, tree, opts))
	return b.String()
}

// TestGroup: the fields of groups are where metrics of their own would be.
func TestGroup(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("rt", "client")
	v := []float64{3, 1.5}
	s.Group(poolFields, func(values []float64) { copy(values, v) })
	s.Group([]telemetry.Field{{Name: "available", Kind: telemetry.KindGauge}}, func(values []float64) { values[0] = 1 })
	s.Counter("requests").Add(7)
	s.Scope("none").Group(nil, nil)
	(*telemetry.Scope)(nil).Group(poolFields, nil)

	assert.JSONEq(t, `{"rt/client/available":1.0,"rt/client/opened":3,"rt/client/requests":7,"rt/client/size":1.5}`,
		jsonOf(t, tree, telemetry.JSONOptions{}))
	assert.Equal(t, `{"rt":{"client":{"available":{"gauge":1.0},"none":{},"opened":{"counter":3},"requests":{"counter":7},"size":{"gauge":1.5}}}}`,
		jsonOf(t, tree, telemetry.JSONOptions{Tree: true}))
	assert.Equal(t, `{"counter":3}`, jsonOf(t, tree, telemetry.JSONOptions{Tree: true, Subtree: "rt/client/opened"}))
	var names []string
	for path := range tree.All() {
		names = append(names, path[len(path)-1])
	}
	assert.Equal(t, []string{"available", "opened", "requests", "size"}, names, "sorted")

	s.Group(poolFields, func(values []float64) { values[0] = 9 })
	assert.Contains(t, jsonOf(t, tree, telemetry.JSONOptions{}), `"rt/client/opened":9`, "the newest function is read")
	s.Counter("opened").Add(100)
	assert.Contains(t, jsonOf(t, tree, telemetry.JSONOptions{}), `"rt/client/opened":9`, "a clash does no harm")
	tree.CloseWindow()

	s.Prune()
	assert.Equal(t, `{"rt":{}}`, jsonOf(t, tree, telemetry.JSONOptions{Tree: true}))
}

// TestLate: late metrics are in the tree from when they are needed, once.
func TestLate(t *testing.T) {
	tree := newTree(t)
	s := tree.Scope("conn")
	var (
		count telemetry.LateCounter
		stat  telemetry.LateStat
		fails telemetry.LateFailures
		wg    sync.WaitGroup
	)
	assert.Equal(t, `{}`, jsonOf(t, tree, telemetry.JSONOptions{}))
	for range 8 {
		wg.Go(func() {
			count.In(s, "exn", "reset").Inc()
			stat.In(s, "took").Record(5)
			fails.In(s, telemetry.FailuresOptions{}).Record("a")
		})
	}
	wg.Wait()
	assert.JSONEq(t, `{"conn/exn/reset":8,"conn/failures":8,"conn/failures/a":8}`, jsonOf(t, tree, telemetry.JSONOptions{}))
	assert.Equal(t, int64(8), s.Stat("took").Live().Count)
	assert.Zero(t, testing.AllocsPerRun(100, func() { count.In(s, "exn", "reset").Inc() }))

	var none telemetry.LateCounter
	none.In(nil, "x").Inc()
	new(telemetry.LateStat).In(nil, "x").Record(1)
	new(telemetry.LateFailures).In(nil, telemetry.FailuresOptions{}).Record("x")
}
