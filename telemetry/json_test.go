package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
)

func writeJSON(t *testing.T, tree *telemetry.Tree, query string) string {
	t.Helper()
	o, err := telemetry.ParseJSONOptions(query)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, telemetry.WriteJSON(&b, tree, o))
	assert.True(t, json.Valid(b.Bytes()), b.String())
	return b.String()
}

func TestJSONVectors(t *testing.T) {
	tree := newTree(t)
	foo := tree.Scope("foo", "bar")
	v := 1.0
	foo.Gauge("bas", func() float64 { return v })
	assert.Equal(t, `{"foo/bar/bas":1.0}`, writeJSON(t, tree, ""), "78")
	v = 2.5
	assert.Equal(t, `{"foo/bar/bas":2.5}`, writeJSON(t, tree, ""), "78")
	assert.Equal(t, `{"foo":{"bar":{"bas":{"gauge":2.5}}}}`, writeJSON(t, tree, "tree=1"))
	tree.Scope().Prune()

	s := tree.Scope("foo", "bar").Stat("bas")
	s.Record(1)
	assert.Equal(t, `{}`, writeJSON(t, tree, ""), "79")
	tree.CloseWindow()
	one := `{"foo/bar/bas.count":1,"foo/bar/bas.max":1,"foo/bar/bas.min":1,"foo/bar/bas.p50":1,"foo/bar/bas.p90":1,` +
		`"foo/bar/bas.p95":1,"foo/bar/bas.p99":1,"foo/bar/bas.p9990":1,"foo/bar/bas.p9999":1,"foo/bar/bas.sum":1,"foo/bar/bas.avg":1.0}`
	assert.Equal(t, one, writeJSON(t, tree, ""), "80")
	s.Record(2)
	assert.Equal(t, one, writeJSON(t, tree, ""), "81")
	tree.CloseWindow()
	assert.Contains(t, writeJSON(t, tree, ""), `{"foo/bar/bas.count":1,"foo/bar/bas.max":2,`, "81")
	assert.Contains(t, writeJSON(t, tree, "tree=true"), `{"foo":{"bar":{"bas":{"stat.count":1,"stat.max":2,`, "7.8")
	tree.CloseWindow()
	assert.Equal(t, `{"foo/bar/bas.count":0}`, writeJSON(t, tree, ""), "8: empty window")
	tree.Scope().Prune()

	tree.Scope("foo", "bar").Counter("bas").Inc()
	assert.Equal(t, `{"foo":{"bar":{"bas":{"counter":1}}}}`, writeJSON(t, tree, "tree=1"), "82")
	tree.Scope("foo", "bar").Counter("bass").Inc()
	tree.Scope("x", "y").Counter("z").Inc()
	assert.JSONEq(t, `{"bass":1,"bas":1}`, writeJSON(t, tree, "q=foo/bar"), "83")
	assert.Equal(t, `{"bas":{"counter":1},"bass":{"counter":1}}`, writeJSON(t, tree, "q=foo/bar&tree=t"))
	assert.Equal(t, `{"":1}`, writeJSON(t, tree, "q=x/y/z"), "a metric's name relative to itself")
}

func TestJSONPretty(t *testing.T) {
	tree := newTree(t)
	assert.Equal(t, "{ }", writeJSON(t, tree, "pretty=1"))
	tree.Scope("a").Counter("b").Inc()
	tree.Scope("a.c").Counter().Add(2)
	tree.Scope("a").Stat("s").Record(1)
	tree.CloseWindow()
	tree.CloseWindow()
	for _, q := range []string{"pretty=1", "pretty=true", "pretty=T"} {
		assert.Equal(t, "{\n  \"a.c\" : 2,\n  \"a/b\" : 1,\n  \"a/s.count\" : 0\n}", writeJSON(t, tree, q), "sorted by the whole name")
	}
	assert.Equal(t, `{"a/b":1,"a/s.count":0,"a.c":2}`, writeJSON(t, tree, "pretty=0&x=y"))
	assert.NotContains(t, writeJSON(t, tree, "pretty=1&tree=1"), "\n", "ignored for tree")
}

func TestJSONSubtree(t *testing.T) {
	tree := newTree(t)
	rt := tree.Scope("rt", "in/out")
	rt.Counter("client", "#/io.l5d.fs/web", "requests").Inc()
	rt.Counter("client", "#", "requests").Add(2)
	rt.Counter("server", "0.0.0.0/4140", "requests").Add(3)
	tree.Scope("a", "b").Counter("split").Inc()
	tree.Scope("a/b").Counter("whole").Inc()
	for _, v := range []struct{ q, want string }{
		{"rt/in/out/client/#/io.l5d.fs/web", `{"requests":1}`},
		{"rt/in/out/client/#", `{"requests":2}`},
		{"/rt/in/out/server/0.0.0.0/4140/", `{"requests":3}`},
		{"a/b", `{"split":1}`},
		{"a/b/whole", `{"":1}`},
		{"a%2Fb", `{"whole":1}`},
		{"rt/in%2fout/client/%23%2Fio.l5d.fs%2fweb", `{"requests":1}`},
	} {
		assert.Equal(t, v.want, writeJSON(t, tree, "q="+url.QueryEscape(v.q)), v.q)
	}
	for _, q := range []string{"rt/in", "nope", "rt/in/out/client/#/io", "rt//in/out", "a/b/none", "a%2Fb%", "a%2Fb/none", "a%252Fb"} {
		var b bytes.Buffer
		err := telemetry.WriteJSON(&b, tree, telemetry.JSONOptions{Subtree: q})
		require.ErrorIs(t, err, telemetry.ErrNoSubtree, q)
		assert.Equal(t, "No such subtree: "+q, err.Error())
		assert.Empty(t, b.String())
	}
}

func TestJSONQueriesThatAreNone(t *testing.T) {
	for query, want := range map[string]string{
		"tree=maybe":  `tree is "maybe"; want 1, true or t, or nothing`,
		"pretty=2":    `pretty is "2"; want 1, true or t, or nothing`,
		"q=%zz":       `malformed query: invalid URL escape "%zz"`,
		"tree=1;q=x/": "malformed query: invalid semicolon separator in query",
	} {
		_, err := telemetry.ParseJSONOptions(query)
		require.EqualError(t, err, want, query)
	}
}

func TestJSONOddities(t *testing.T) {
	tree := newTree(t)
	tree.Scope().Counter("quote\"back\\slash\n\x01é\xff").Inc()
	tree.Scope().Gauge("nan", math.NaN)
	tree.Scope().Gauge("big", func() float64 { return 1.7e12 })
	tree.Scope().Gauge("huge", func() float64 { return 1e300 })
	tree.Scope().Gauge("small", func() float64 { return -0.001 })
	var got map[string]any
	text := writeJSON(t, tree, "")
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	assert.Contains(t, got, "quote\"back\\slash\n\x01é\ufffd")
	assert.Nil(t, got["nan"])
	assert.Contains(t, text, `"big":1700000000000.0`)
	assert.Contains(t, text, `"huge":1e+300`)
	assert.Contains(t, text, `"small":-0.001`)
}

type failingWriter struct{ calls int }

func (f *failingWriter) Write([]byte) (int, error) { f.calls++; return 0, errors.New("gone") }

func TestJSONWriterFails(t *testing.T) {
	tree := newTree(t)
	for i := range 3000 {
		tree.Scope("some", "scope", strings.Repeat("x", i%50)).Counter(string(rune('a' + i%26))).Inc()
	}
	w := &failingWriter{}
	require.EqualError(t, telemetry.WriteJSON(w, tree, telemetry.JSONOptions{}), "gone")
	assert.Equal(t, 1, w.calls, "nothing is written after an error")
}
