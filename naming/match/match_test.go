package match_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/match"
)

func TestVectors(t *testing.T) {
	yes := map[string]string(nil)
	tests := []struct {
		id, pattern, path string
		match             bool
		captures          map[string]string
	}{
		{"R01", "/one/two", "/one/two/three", true, yes},
		{"R02", "/one/*/three", "/one/two/three", true, yes},
		{"R02", "/one/*/four", "/one/two/three", false, nil},
		{"R03", "/{foo}/*/three", "/one/two/three", true, map[string]string{"foo": "one"}},
		{"R04", "/foo/{A}/*/{B}", "/foo/boo/bar/bas", true, map[string]string{"A": "boo", "B": "bas"}},
		{"R05", "/foo/bar/{A}-{B}", "/foo/bar/foo-bar-baz", true, map[string]string{"A": "foo-bar", "B": "baz"}},
		{"R07", "/foo/{A_B_C}", "/foo/bar", true, map[string]string{"A_B_C": "bar"}},
		{"R07", "/foo/{A}:http", "/foo/bar/bas:http", false, nil},
		{"R08", "/foo/bar", "/foo", false, nil},
		{"R08", "/foo/*", "/foo", false, nil},
		{"R09", "/{A}{B}", "/xyz", true, map[string]string{"A": "xyz", "B": ""}},
		{"R09", "/{A}.com", "/xfoo.comy", true, map[string]string{"A": "xfoo"}},
		{"R10", "/", "/x", true, yes},
		{"R10", "", "/x", true, yes},
		{"R10", "//foo", "/foo/z", true, yes},
		{"R11", "/{a-b}", "/x", false, nil},
		{"R11", "/{A}/{A}", "/x/y", true, map[string]string{"A": "y"}},
		{"R12", "/{A}", `/a\x20b`, true, map[string]string{"A": `\x61\x20\x62`}},
		{"R14", "/one/{x}/*", "/one/web/q/extra", true, map[string]string{"x": "web"}},
		{"R14", "/one/{x}/*", "/one/web", false, nil},
		{
			"V150", "/#/io.l5d.serversets/s/{role}/prod/{service}:https", "/#/io.l5d.serversets/s/www/prod/bar:https", true,
			map[string]string{"role": "www", "service": "bar"},
		},
		{"dot is literal", "/{A}.com", "/fooxcom", false, nil},
		{"trailing slash", "/foo/", "/foo/z", true, yes},
		{"empty in the middle", "/foo//z", "/foo/z", false, nil},
		{"root path", "/foo", "/", false, nil},
		{"root path and star", "/*", "/", false, nil},
		{"expression", "/{A}:[0-9]+$", "/web:80", true, map[string]string{"A": "web"}},
		{"expression", "/{A}:[0-9]+$", "/web:http", false, nil},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %s on %s", tt.id, tt.pattern, tt.path), func(t *testing.T) {
			m, err := match.Compile(tt.pattern)
			require.NoError(t, err)
			got, ok := m.Match(dtab.MustPath(tt.path))
			assert.Equal(t, tt.match, ok)
			assert.Equal(t, tt.captures, got)
			assert.Equal(t, tt.pattern, m.String())
		})
	}
}

func TestZeroMatcherMatchesAll(t *testing.T) {
	var m match.Matcher
	_, ok := m.Match(dtab.MustPath("/a/b"))
	assert.True(t, ok)
	assert.Empty(t, m.Names())
}

func TestCompileErrors(t *testing.T) {
	for _, bad := range []string{"/{a}(", "/{a}(x)", "/x/{a}[", `/{a}\`} {
		_, err := match.Compile(bad)
		assert.ErrorContains(t, err, "match: pattern", bad)
	}
	_, err := match.Compile("/(") // no capture: a literal
	assert.NoError(t, err)
}

func TestNames(t *testing.T) {
	m, err := match.Compile("/{b}/{a}-{b}/{c}")
	require.NoError(t, err)
	assert.Equal(t, []string{"b", "a", "c"}, m.Names())
}

func TestSubstitute(t *testing.T) {
	captures := map[string]string{"A": "boo", "B": "bar", "e": "{A}"}
	for text, want := range map[string]string{
		"/{A}/and/{B}": "/boo/and/bar",
		"{A}{A}":       "booboo",
		"{nope}":       "{nope}",
		"{A-b} {A":     "{A-b} {A",
		"{{A}}":        "{boo}",
		"{e}":          "{A}",
		"":             "",
		"{}":           "{}",
	} {
		assert.Equal(t, want, match.Substitute(captures, text), text)
	}
	assert.Equal(t, "{A}", match.Substitute(nil, "{A}"))
}

func ExampleMatcher_Match() {
	m, _ := match.Compile("/#/io.l5d.serversets/s/{role}/prod/{service}:https")
	captures, ok := m.Match(dtab.MustPath("/#/io.l5d.serversets/s/www/prod/bar:https"))
	fmt.Println(ok, match.Substitute(captures, "{role}.{service}.com"))
	// Output: true www.bar.com
}

func FuzzMatch(f *testing.F) {
	f.Add("/{a}-{b}/*", "/x-y/z")
	f.Add("/{a}(", "/")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		m, err := match.Compile(pattern)
		if err != nil {
			return
		}
		p, err := dtab.ParsePath(path)
		if err != nil {
			return
		}
		captures, ok := m.Match(p)
		if !ok && captures != nil {
			t.Fatal("captures without a match")
		}
		if ok && len(captures) != len(m.Names()) {
			t.Fatalf("%q on %q: names %q, captured %q", pattern, path, m.Names(), captures)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	m, err := match.Compile("/#/io.l5d.fs/{service}")
	require.NoError(b, err)
	p := dtab.MustPath("/#/io.l5d.fs/users")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := m.Match(p); !ok {
			b.Fatal("no match")
		}
	}
}
