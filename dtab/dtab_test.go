package dtab_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

var dentryVectors = []vector{
	{id: "D01", in: "/=>!", show: "/=>!"},
	{id: "D02", in: "/foo/*/bar => !", show: "/foo/*/bar=>!"},
	{id: "D03", in: `/\x2a => /a`, show: `/\x2a=>/a`},
	{id: "D04", in: "/foo/*bar/baz => !", err: "'=' expected but 'b' found at '/foo/*[b]ar/baz => !'"},
	{id: "D05", in: "/foo/bar* => !", err: "'=' expected but '*' found at '/foo/bar[*] => !'"},
	{id: "D06", in: "/&!", err: "'=' expected but '&' found at '/[&]!'"},
	{id: "D08", in: "/foo/ => /a", err: "label char expected but ' ' found at '/foo/[ ]=> /a'"},
	{id: "D09", in: "/foo=>/bar;", err: "end of input expected but ';' found at '/foo=>/bar[;]'"},
	{id: "blank in the arrow", in: "/a= >/b", err: "'>' expected but ' ' found at '/a=[ ]>/b'"},
	{id: "wildcards", in: " #c\n/*/* #x\n=>#y\n/b #z", show: "/*/*=>/b"},
}

var dtabVectors = []vector{
	{id: "D10 nothing", in: "", show: ""},
	{id: "D10 blanks", in: " \t\n", show: ""},
	{id: "D10 comment", in: "# only comment", show: ""},
	{id: "D11", in: "/a=>/b;", show: "/a=>/b"},
	{id: "D12", in: ";", err: "'/' expected but ';' found at '[;]'"},
	{id: "D13", in: "/a=>/b;;/c=>/d", err: "'/' expected but ';' found at '/a=>/b;[;]/c=>/d'"},
	{id: "D15", in: "/a=>/b,/c=>/d", err: "end of input expected but ',' found at '/a=>/b[,]/c=>/d'"},
	{id: "D16", in: "/foo=>/bar;/foo", err: "'=' expected but end of input found at '/foo=>/bar;/foo[]'"},
	{id: "D17", in: "/a =>", err: "simple expected but end of input found at '/a =>[]'"},
	{id: "D18", in: "/a => /b | ;", err: "simple expected but ';' found at '/a => /b | [;]'"},
	{id: "D19", in: "/a=>/b ; /c=>/d|/e & /f;", show: "/a=>/b;/c=>/d | /e & /f"},
	{id: "D20", in: "/svc => /#/io.l5d.fs # comment\n; /x=>/y#z ;", show: "/svc=>/#/io.l5d.fs;/x=>/y#z"},
	{id: "no semicolon", in: "/a=>/b /c=>/d", err: "end of input expected but '/' found at '/a=>/b [/]c=>/d'"},
	{id: "lone semicolons", in: "; ;", err: "'/' expected but ';' found at '[;] ;'"},
	{id: "commented semicolon", in: "/svc=>/a #/ignore=>/me;", show: "/svc=>/a"},
	{id: "commented semicolon is missed", in: "/svc=>/a #;\n/b=>/c", err: "end of input expected but '/' found at '/svc=>/a #;\n[/]b=>/c'"},
}

func TestParseDentry(t *testing.T) {
	for _, v := range dentryVectors {
		t.Run(v.id, func(t *testing.T) {
			e, err := dtab.ParseDentry(v.in)
			if v.err != "" {
				require.EqualError(t, err, v.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, v.show, e.String())
			again, err := dtab.ParseDentry(e.String())
			require.NoError(t, err)
			assert.Equal(t, e, again)
		})
	}
}

func TestParseDtab(t *testing.T) {
	for _, v := range dtabVectors {
		t.Run(v.id, func(t *testing.T) {
			d, err := dtab.Parse(v.in)
			if v.err != "" {
				require.EqualError(t, err, v.err)
				assert.Nil(t, d)
				assert.Panics(t, func() { dtab.MustParse(v.in) })
				return
			}
			require.NoError(t, err)
			assert.Equal(t, v.show, d.String())
			assert.Equal(t, d, dtab.MustParse(d.String()))
		})
	}
}

func TestPrefix(t *testing.T) {
	x := dtab.MustPrefix(` /foo/*/\x2a `)
	assert.Equal(t, `/foo/*/\x2a`, x.String())
	assert.Equal(t, 3, x.Len())
	assert.Equal(t, []bool{false, true, false, false}, []bool{x.Wildcard(0), x.Wildcard(1), x.Wildcard(2), x.Wildcard(3)})
	assert.Equal(t, []string{"foo", "", "*", ""}, []string{x.Elem(0), x.Elem(1), x.Elem(2), x.Elem(3)})
	_, ok := x.Path()
	assert.False(t, ok)
	p, ok := dtab.MustPrefix(`/a/\x2a`).Path()
	assert.True(t, ok)
	assert.Equal(t, dtab.MustPath(`/a/\x2a`), p)
	assert.Equal(t, dtab.MustPrefix(`/a/\x2a`), dtab.PrefixOf(p))
	assert.Equal(t, dtab.Prefix{}, dtab.MustPrefix("/"))
	assert.Panics(t, func() { dtab.MustPrefix("/a b") })

	for _, v := range []struct {
		prefix, path string
		want         bool
	}{
		{"/", "/", true},
		{"/", "/a", true},
		{"/a", "/", false},
		{"/a", "/a", true},
		{"/a", "/ab", false},
		{"/a/*", "/a", false},
		{"/a/*", "/a/b", true},
		{"/a/*", "/a/b/c", true},
		{"/a/*/c", "/a/b/c", true},
		{"/a/*/c", "/a/b/d", false},
		{"/a/*/c", "/a/b", false},
		{"/a/*/c", "/x/b/c", false},
		{"/ab/*", "/a/b", false},
		{"/*/*", "/a/b", true},
		{"/*/*", "/a", false},
		{"/*", "/", false},
		{`/\x2a`, "/a", false},
		{`/\x2a`, `/\x2a`, true},
		{`/*`, `/\x2a`, true},
		{"/A", "/a", false},
	} {
		assert.Equal(t, v.want, dtab.MustPrefix(v.prefix).Matches(dtab.MustPath(v.path)), "%s, %s", v.prefix, v.path)
	}
}

var lookupVectors = []struct{ id, dtab, path, want string }{
	{"L01", "/a/*/c=>/d", "/a/b/c/e/f", "/d/e/f"},
	{"L03", "/a=>/b;/a=>/c", "/a/x", "/c/x | /b/x"},
	{"L04 empty", "/=>/z", "/", "/z"},
	{"L04 one", "/=>/z", "/q", "/z/q"},
	{"L05 one", "/a=>~", "/a", "~"},
	{"L05 two", "/a=>~;/a=>~", "/a", "~ | ~"},
	{"L06", "/a => /b & /c | /d", "/a/x", "/b/x & /c/x | /d/x"},
	{"L07", "/A=>/b", "/a", "~"},
	{"L08", "/a=>/", "/a/x", "/x"},
	{"no rules", "", "/a", "~"},
	{"§2.4 position, not length", "/svc/web=>/a;/svc=>/b", "/svc/web", "/b/web | /a"},
	{"§2.4 constants ignore the rest", "/a => ! | ~ | $ | 2*/b & !", "/a/x", "! | ~ | $ | 2*/b/x & !"},
	{"escaped rest", `/a=>/b`, `/a/\x2f/c`, `/b/\x2f/c`},
	{"nop", `/\x2f=>~`, "/a", "~"},
	{"wildcards and labels by position", "/a/*=>/1;/*/b=>/2;/a/b=>/3;/*/*=>/4;/=>/5;/*=>/6", "/a/b", "/6/b | /5/a/b | /4 | /3 | /2 | /1"},
}

func TestLookup(t *testing.T) {
	for _, v := range lookupVectors {
		t.Run(v.id, func(t *testing.T) {
			d, p, want := dtab.MustParse(v.dtab), dtab.MustPath(v.path), dtab.MustTree(v.want)
			assert.Equal(t, want, d.Lookup(p))
			assert.Equal(t, want, dtab.NewIndex(d).Lookup(p))
			for i := range d {
				assert.Equal(t, want, dtab.NewIndex(d[:i]).LookupWith(d[i:], p), "split at %d", i)
			}
			assert.Equal(t, dtab.MustParse(v.dtab), d, "a look-up writes to nothing")
		})
	}
}

func TestMatches(t *testing.T) {
	d := dtab.MustParse("/a=>/1;/b=>/2;/a/*=>/3;/=>/4")
	base, local := d[:2], d[2:]
	want := []dtab.Match{
		{Pos: 3, Dentry: d[3], Rest: dtab.MustPath("/a/x/y")},
		{Pos: 2, Dentry: d[2], Rest: dtab.MustPath("/y")},
		{Pos: 0, Dentry: d[0], Rest: dtab.MustPath("/x/y")},
	}
	p := dtab.MustPath("/a/x/y")
	assert.Equal(t, want, d.Matches(p))
	assert.Equal(t, want, dtab.NewIndex(d).Matches(p))
	assert.Equal(t, want, dtab.NewIndex(base).MatchesWith(local, p))
	assert.Equal(t, leaf("/3/y"), want[1].Tree())
	assert.Empty(t, d[:1].Matches(dtab.MustPath("/x")))
	assert.Equal(t, d, dtab.NewIndex(d).Dtab())
	assert.Equal(t, tree{}, new(dtab.Index).Lookup(p))
}

func TestCombination(t *testing.T) {
	parse := dtab.MustParse
	t.Run("D22", func(t *testing.T) {
		assert.Equal(t, "/a=>/b;/c=>/d", parse("/a=>/b").Concat(parse("/c=>/d")).String())
		x := parse("/a=>/b")
		assert.Equal(t, x, x.Concat(nil))
		assert.Equal(t, x, dtab.Dtab(nil).Concat(x))
		roomy := append(make(dtab.Dtab, 0, 4), x...)
		one := roomy.Concat(parse("/c=>/1"))
		roomy.Concat(parse("/c=>/2"))
		assert.Equal(t, "/a=>/b;/c=>/1", one.String(), "nothing is written behind a dtab's back")
	})
	t.Run("D23", func(t *testing.T) {
		assert.Equal(t, "/c=>/d", parse("/a=>/b;/c=>/d").StripPrefix(parse("/a=>/b")).String())
		assert.Equal(t, "/a=>/b", parse("/a=>/b").StripPrefix(parse("/a=>/b;/c=>/d")).String())
		assert.Equal(t, "/a=>/b", parse("/a=>/b").StripPrefix(parse("/a=>/c")).String())
	})
	t.Run("D24", func(t *testing.T) {
		a, b := parse("/a=>/b | ~"), parse("/a=>/b")
		assert.True(t, a.Equivalent(b))
		assert.False(t, a.Equal(b))
		assert.False(t, a.Equivalent(parse("/c=>/b")))
		assert.False(t, a.Equivalent(parse("/a=>/c")))
		assert.False(t, a.Equivalent(nil))
	})
	t.Run("D25", func(t *testing.T) {
		assert.Equal(t, "/b=>/c;/d=>/e", parse("/a=>~; /b=>(~|/c); /d=>2*/e & ~").Simplified().String())
	})
	t.Run("D26", func(t *testing.T) {
		assert.Equal(t, `/\x2f=>~`, dtab.Nop().String())
		again, err := dtab.ParseDentry(dtab.Nop().String())
		require.NoError(t, err)
		assert.True(t, dtab.Nop().Equal(again))
		assert.Equal(t, "/", dtab.Nop().Prefix.Elem(0))
	})
}

func TestSyntaxErrorPlace(t *testing.T) {
	_, err := dtab.Parse("/a=>/b;\n# ünï\n  /é=>/c")
	var e *dtab.SyntaxError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, &dtab.SyntaxError{
		Input: "/a=>/b;\n# ünï\n  /é=>/c", Offset: 19, Line: 3, Column: 4, Expected: "'='", Found: "'é'",
	}, e)
	assert.Equal(t, "line 3, column 4", e.Position())
	assert.Equal(t, "line 3, column 4: '=' expected but 'é' found", e.Detail())

	_, err = dtab.Parse("# ünï /é")
	require.NoError(t, err)
	_, err = dtab.ParsePath("\u3000é")
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 2, e.Column, "columns count characters")
	_, err = dtab.ParsePath("/a/\n")
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "line 1, column 4", e.Position())
	_, err = dtab.Parse("/a\n\n")
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "line 3, column 1: '=' expected but end of input found", e.Detail())
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(", n) + "/a" + strings.Repeat(")", n) }
	_, err := dtab.ParseTree(nested(1000))
	require.NoError(t, err)
	_, err = dtab.ParseTree(nested(1000) + " | " + nested(1000))
	require.NoError(t, err, "only open parentheses count")
	var e *dtab.SyntaxError
	_, err = dtab.ParseTree(nested(1001))
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "line 1, column 1001: at most 1000 open parentheses expected but '(' found", e.Detail())

	huge := strings.Repeat("9", 400)
	_, err = dtab.ParseTree(huge + "*/a & /b")
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "line 1, column 401: weight below 1.8e308 expected but a larger one found", e.Detail())
	_, err = dtab.ParseTree(huge[:300] + "*/a & /b")
	require.NoError(t, err)
}

// Time must grow with the length of the text, not faster: each of these would
// take hours if it were quadratic in some step.
func TestHostileInputIsLinear(t *testing.T) {
	const n = 1 << 20
	for _, s := range []string{
		strings.Repeat("(", n), strings.Repeat("/a=>/b;", n/7), "/a=>" + strings.Repeat("/b|", n/3) + "!", strings.Repeat(`/\x2f`, n/5),
		strings.Repeat("/*", n/2) + "=>!", strings.Repeat("#\n", n/2), strings.Repeat("9", n), "/a=>" + strings.Repeat(`/\x2a/b`, n/7),
		"/a=>" + strings.Repeat("0.1*/a&", n/7) + "~", strings.Repeat("\u3000", n/3), "/a=>" + strings.Repeat("9", n) + "*/a", strings.Repeat("/\xff", n/2),
	} {
		start := time.Now()
		d, err := dtab.Parse(s)
		if err != nil {
			assert.Less(t, len(err.Error()), 8*n)
		}
		p, _ := dtab.ParsePath(s)
		dtab.NewIndex(d).Lookup(p)
		_ = d.String()
		assert.Less(t, time.Since(start), 20*time.Second, "%.20q", s)
	}
}

func TestLookupAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	x := dtab.NewIndex(dtab.MustParse("/svc=>/host;/host=>/#/io.l5d.fs;/a/*=>/b;/x=>/y"))
	for _, v := range []struct {
		path   string
		allocs float64
	}{
		{"/none/web", 0},    // no match
		{"/x", 0},           // nothing to append
		{"/svc/web", 1},     // the new path
		{"/a/b/c/d/e/f", 1}, // the same below a wildcard
	} {
		p := dtab.MustPath(v.path)
		assert.Equal(t, v.allocs, testing.AllocsPerRun(100, func() { x.Lookup(p) }), v.path)
		assert.Equal(t, v.allocs, testing.AllocsPerRun(100, func() { x.Dtab().Lookup(p) }), v.path)
	}
	p, q := dtab.MustPath("/svc/web/v1"), dtab.MustPath("/svc/web")
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = p.Drop(1).Len() + p.Take(2).Len(); _ = p.HasPrefix(q); _ = p.Elem(1) }))
}

// The cost must not depend on the rules that do not match: visiting 100,000 of
// them takes milliseconds, and the bound is far below one.
func TestIndexIgnoresOtherRules(t *testing.T) {
	p := dtab.MustPath("/svc/web-7/v1")
	small, large := dtab.NewIndex(serviceDtab(10)), dtab.NewIndex(serviceDtab(100_000))
	require.Equal(t, small.Lookup(p), large.Lookup(p))
	best := time.Hour
	for range 100 {
		start := time.Now()
		large.Lookup(p)
		best = min(best, time.Since(start))
	}
	assert.Less(t, best, 200*time.Microsecond)
}

// serviceDtab returns n rules of which one matches /svc/web-7/….
func serviceDtab(n int) dtab.Dtab {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "/svc/web-%d => /#/io.l5d.fs/web-%d;\n", i, i)
	}
	return dtab.MustParse(b.String())
}
