package telemetry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/telemetry"
)

// paths are those of what Parts and Each visit: all, one part after the other.
func partPaths(s *telemetry.Scope) (paths []string, parts int) {
	all := s.Parts()
	for i := range all {
		visitPart(all[i].Path(), all[i].Each, &paths)
	}
	return paths, len(all)
}

func visitPart(path []string, each func(func(string, telemetry.Metric, bool, *telemetry.Scope)), paths *[]string) {
	each(func(name string, m telemetry.Metric, ok bool, below *telemetry.Scope) {
		at := append(slices.Clip(path), name)
		if ok {
			*paths = append(*paths, fmt.Sprint(strings.Join(at, "/"), " ", m.Int))
		}
		if below != nil {
			visitPart(at, below.Each, paths)
		}
	})
}

func allPaths(s *telemetry.Scope) (paths []string) {
	for path, m := range s.All() {
		paths = append(paths, fmt.Sprint(strings.Join(path, "/"), " ", m.Int))
	}
	return paths
}

// TestPartsAreAll: the parts of a random tree have what All has, in its order.
func TestPartsAreAll(t *testing.T) {
	fields := []telemetry.Field{{Name: "0", Kind: telemetry.KindCounter}, {Name: "m", Kind: telemetry.KindCounter}, {Name: "~", Kind: telemetry.KindCounter}}
	wide := false
	rapid.Check(t, func(rt *rapid.T) {
		tree := telemetry.NewTree(telemetry.Options{Window: -1})
		root := tree.Scope()
		var grow func(s *telemetry.Scope, depth int)
		grow = func(s *telemetry.Scope, depth int) {
			if rapid.IntRange(0, 3).Draw(rt, "group") == 0 {
				s.Group(fields, func(values []float64) { values[0], values[1], values[2] = 1, 2, 3 })
			}
			kids := rapid.SampledFrom([]int{0, 1, 2, 16, 17, 34}).Draw(rt, "kids")
			for i := range kids {
				name := fmt.Sprintf("%c%d", rune('a'+i%26), i)
				if i%7 != 3 || depth == 0 {
					s.Counter(name).Add(int64(i))
				}
				if depth > 0 && rapid.IntRange(0, kids).Draw(rt, "below") == 0 {
					grow(s.Scope(name), depth-1)
				}
			}
		}
		grow(root, 4)
		assertJSON(rt, tree)
		got, n := partPaths(root)
		assert.Equal(rt, allPaths(root), got)
		wide = wide || n > 8
		seen := map[*telemetry.Scope]bool{}
		for parts := root.Parts(); len(parts) > 0; parts = parts[1:] {
			at, first := parts[0].Scope()
			assert.Same(rt, root.Scope(parts[0].Path()...), at)
			assert.Equal(rt, !seen[at], first)
			seen[at] = true
		}
	})
	assert.True(t, wide, "some trees have to have parts")
}

// assertJSON: both forms of JSON have what All has, whether one or several write them.
func assertJSON(rt *rapid.T, tree *telemetry.Tree) {
	flat, nested := map[string]any{}, map[string]any{}
	for path, m := range tree.All() {
		flat[strings.Join(path, "/")] = float64(m.Int)
		at := nested
		for _, elem := range path {
			below, ok := at[elem].(map[string]any)
			if !ok {
				below = map[string]any{}
				at[elem] = below
			}
			at = below
		}
		at["counter"] = float64(m.Int)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 4} {
		runtime.GOMAXPROCS(procs)
		for opts, want := range map[telemetry.JSONOptions]map[string]any{{}: flat, {Tree: true}: nested} {
			var text bytes.Buffer
			require.NoError(rt, telemetry.WriteJSON(&text, tree, opts))
			var got map[string]any
			require.NoError(rt, json.Unmarshal(text.Bytes(), &got))
			prune(got)
			require.True(rt, reflect.DeepEqual(want, got), "%v, %d processors: %s", opts, procs, text.Bytes())
		}
	}
}

// prune takes out objects without metrics: All does not have them.
func prune(object map[string]any) {
	for k, v := range object {
		if below, ok := v.(map[string]any); ok {
			if prune(below); len(below) == 0 {
				delete(object, k)
			}
		}
	}
}

// TestPartsOfALargeTree: no part has more than a few services, and what is narrow is in
// few parts.
func TestPartsOfALargeTree(t *testing.T) {
	tree := newTree(t)
	tree.Scope("process").Counter("x").Inc()
	for _, router := range []string{"in", "out"} {
		for i := range 100 {
			tree.Scope("rt", router, "client", fmt.Sprint(i)).Counter("requests").Inc()
		}
		tree.Scope("rt", router, "server", "a").Counter("requests").Inc()
		tree.Scope("rt", router, "service", "b").Counter("requests").Inc()
	}
	parts := tree.Scope().Parts()
	var shown []string
	for i := range parts {
		n := 0
		parts[i].Each(func(string, telemetry.Metric, bool, *telemetry.Scope) { n++ })
		shown = append(shown, fmt.Sprint(strings.Join(parts[i].Path(), "/"), " ", n))
	}
	seven := func(path string) []string {
		return []string{path + " 16", path + " 16", path + " 16", path + " 16", path + " 16", path + " 16", path + " 4"}
	}
	var want []string
	want = append(want, " 2", "rt 1", "rt/in 1")
	want = append(want, seven("rt/in/client")...)
	want = append(want, "rt/in 2", "rt 1", "rt/out 1")
	want = append(want, seven("rt/out/client")...)
	want = append(want, "rt/out 2")
	assert.Equal(t, want, shown)
	assert.Empty(t, newTree(t).Scope().Parts())
	assert.Empty(t, (*telemetry.Scope)(nil).Parts())
}
