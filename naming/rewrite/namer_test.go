package rewrite_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/rewrite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLookup(t *testing.T) {
	for _, tt := range []struct{ id, pattern, name, path, want string }{
		{"R01", "/one/two", "/success", "/one/two/three", "/success"},
		{"R02", "/one/*/three", "/success", "/one/two/three", "/success"},
		{"R02", "/one/*/four", "/success", "/one/two/three", "Neg"},
		{"R03", "/{foo}/*/three", "/success/{foo}", "/one/two/three", "/success/one"},
		{"R04", "/foo/{A}/*/{B}", "/{A}/and/{B}", "/foo/boo/bar/bas", "/boo/and/bas"},
		{"R05", "/foo/bar/{A}-{B}", "/{A}/{B}", "/foo/bar/foo-bar-baz", "/foo-bar/baz"},
		{"R07", "/foo/{A_B_C}", "/{A_B_C}", "/foo/bar", "/bar"},
		{"R07", "/foo/{A}:http", "/{A}", "/foo/bar/bas:http", "Neg"},
		{"R08", "/foo/bar", "/success", "/foo", "Neg"},
		{"R08", "/foo/*", "/success", "/foo", "Neg"},
		{"R09", "/{A}{B}", "/a/{A}/b/{B}", "/xyz", `Failed(rewrite: /xyz became "/a/xyz/b/", which is not a path: label char expected but end of input found at '/a/xyz/b/[]')`},
		{"R09", "/{A}.com", "/{A}", "/xfoo.comy", "/xfoo"},
		{"R10", "/", "/success", "/x", "/success"},
		{"R10", "//foo", "/success", "/foo/z", "/success"},
		{"R11", "/{A}/{A}", "/{A}", "/x/y", "/y"},
		{"R12", "/{A}", "/{A}", `/a\x20b`, `/\x61\x20\x62`},
		{"", "/{A}", "/p-{A}-{A}", "/x", "/p-x-x"},
	} {
		n, err := rewrite.New(rewrite.Config{Pattern: tt.pattern, Name: tt.name})
		require.NoError(t, err, tt.id)
		s, stale := n.Lookup(t.Context(), dtab.MustPath(tt.path)).Load()
		assert.Nil(t, stale)
		got := "Neg"
		switch {
		case s.Err != nil:
			got = "Failed(" + s.Err.Error() + ")"
		case s.Value.Op == dtab.Leaf:
			got = s.Value.Value.Path.String()
		}
		assert.Equal(t, tt.want, got, "%s %s %s", tt.id, tt.pattern, tt.path)
	}
}

// TestR14 differs from the original in the second row, which failed there.
func TestR14(t *testing.T) {
	rw, err := rewrite.New(rewrite.Config{Pattern: "/one/{x}/*", Name: "/#/n/{x}"})
	require.NoError(t, err)
	n := naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		return naming.Answer(dtab.LeafOf(naming.Fixed(dtab.MustPath("/#/n").Concat(p.Take(1)), p.Drop(1), weft.EndpointSet{})))
	})
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/n"), Namer: n}, {Prefix: dtab.MustPath("/#/rw"), Namer: rw}},
		Base:   dtab.MustParse("/svc=>/#/rw"),
	})
	defer in.Close()
	for path, want := range map[string]string{
		"/svc/one/web/q/extra": "/#/n/web + /",
		"/svc/one/web":         "Neg",
		"/svc/one":             "Neg",
	} {
		s, _ := in.Bind(t.Context(), nil, dtab.MustPath(path)).Load()
		require.True(t, s.Known, path)
		got := "Neg"
		if s.Value.Op == dtab.Leaf {
			got = fmt.Sprintf("%s + %s", s.Value.Value.ID, s.Value.Value.Residual)
		}
		assert.Equal(t, want, got, path)
	}
}

func TestBadConfig(t *testing.T) {
	for _, tt := range []struct {
		c    rewrite.Config
		want string
	}{
		{rewrite.Config{Name: "/a"}, "rewrite: pattern: is required"},
		{rewrite.Config{Pattern: "/a"}, "rewrite: name: is required"},
		{rewrite.Config{Pattern: "/{a}(", Name: "/a"}, "rewrite: match: pattern"},
		{rewrite.Config{Pattern: "/{a}", Name: "/{b}"}, `rewrite: name "/{b}": must be a path whose variables are among those of pattern "/{a}": end of input expected`},
		{rewrite.Config{Pattern: "/{a}", Name: "{a}"}, `rewrite: name "{a}": must be a path`},
	} {
		_, err := rewrite.New(tt.c)
		assert.ErrorContains(t, err, tt.want)
	}
}

func Example() {
	n, err := rewrite.New(rewrite.Config{Pattern: "/{service}/api", Name: "/#/io.l5d.fs/{service}"})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, _ := n.Lookup(context.Background(), dtab.MustPath("/users/api/v1")).Load()
	fmt.Println(s.Value.Value.Path)
	// Output: /#/io.l5d.fs/users
}
