package dtab_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

type tree = dtab.Tree[dtab.Path]

func leaf(s string) tree            { return dtab.LeafOf(dtab.MustPath(s)) }
func w(weight float64, t tree) tree { return t.Weighing(weight) }
func alt(kids ...tree) tree         { return dtab.AltOf(kids...) }
func union(kids ...tree) tree       { return dtab.UnionOf(kids...) }
func constant(op dtab.Op) (t tree)  { t.Op = op; return t }

var treeVectors = []struct {
	vector
	want tree
}{
	{vector{id: "T01", in: "! | ~ | $", show: "! | ~ | $"}, alt(constant(dtab.Fail), constant(dtab.Neg), constant(dtab.Empty))},
	{
		vector{id: "T03", in: "1 * /foo & 2 * /bar | .5 * /bar & .5 * /baz", show: "/foo & 2.00*/bar | 0.50*/bar & 0.50*/baz"},
		alt(union(w(1, leaf("/foo")), w(2, leaf("/bar"))), union(w(.5, leaf("/bar")), w(.5, leaf("/baz")))),
	},
	{vector{id: "T04", in: "0.5 * /foo", show: "/foo"}, leaf("/foo")},
	{vector{id: "T05", in: "2*(/a|/b)", show: "/a | /b"}, alt(leaf("/a"), leaf("/b"))},
	{vector{id: "T06", in: "(/a|/b) & /c", show: "(/a | /b) & /c"}, union(w(1, alt(leaf("/a"), leaf("/b"))), w(1, leaf("/c")))},
	{vector{id: "T07", in: "/a | (/b | /c)", show: "/a | (/b | /c)"}, alt(leaf("/a"), alt(leaf("/b"), leaf("/c")))},
	{
		vector{id: "T08", in: "/a & (/b & /c)", show: "/a & (/b & /c)"},
		union(w(1, leaf("/a")), w(1, union(w(1, leaf("/b")), w(1, leaf("/c"))))),
	},
	{
		vector{id: "T10", in: "/a & 2 * ( /b | 3*/c & ! ) & ~", show: "/a & 2.00*(/b | 3.00*/c & !) & ~"},
		union(w(1, leaf("/a")), w(2, alt(leaf("/b"), union(w(3, leaf("/c")), w(1, constant(dtab.Fail))))), w(1, constant(dtab.Neg))),
	},
	{
		vector{id: "T11", in: "0.125*/a & 0.375*/b & 1.0*/c & 100*/d & 1.005*/e", show: "0.13*/a & 0.38*/b & /c & 100.00*/d & 1.01*/e"},
		union(w(.125, leaf("/a")), w(.375, leaf("/b")), w(1, leaf("/c")), w(100, leaf("/d")), w(1.005, leaf("/e"))),
	},
	{
		vector{id: "T12", in: "0*/b & 0.001*/c & 0.005*/d", show: "0.00*/b & 0.00*/c & 0.01*/d"},
		union(w(0, leaf("/b")), w(.001, leaf("/c")), w(.005, leaf("/d"))),
	},
	{vector{id: "T13", in: "1. * /a & 2*/b", show: "/a & 2.00*/b"}, union(w(1, leaf("/a")), w(2, leaf("/b")))},
	{
		vector{id: "T14", in: "99999999999999999999*/a & /b", show: "100000000000000000000.00*/a & /b"},
		union(w(1e20, leaf("/a")), w(1, leaf("/b"))),
	},
	{vector{id: "T15", in: "/a &\n/b # x\n | /c", show: "/a & /b | /c"}, alt(union(w(1, leaf("/a")), w(1, leaf("/b"))), leaf("/c"))},
	{vector{id: "T17", in: "#", err: "simple expected but end of input found at '#[]'"}, tree{}},
	{vector{id: "T18", in: "/foo &", err: "simple expected but end of input found at '/foo &[]'"}, tree{}},
	{vector{id: "T19", in: "/foo & 0.1.2 * /bar", err: "number char expected but '.' found at '/foo & 0.1[.]2 * /bar'"}, tree{}},
	{vector{id: "T20", in: "/foo & . * /bar", err: "weight expected but '.' found at '/foo & .[ ]* /bar'"}, tree{}},
	{vector{id: "T21", in: "1 /a", err: "'*' expected but '/' found at '1 [/]a'"}, tree{}},
	{vector{id: "T22", in: "/a & 5", err: "'*' expected but end of input found at '/a & 5[]'"}, tree{}},
	{vector{id: "T24", in: "-1*/a", err: "simple expected but '-' found at '[-]1*/a'"}, tree{}},
	{vector{id: "T25", in: "1e3*/a", err: "'*' expected but 'e' found at '1[e]3*/a'"}, tree{}},
	{vector{id: "T26", in: "* /a", err: "simple expected but '*' found at '[*] /a'"}, tree{}},
	{vector{id: "T27", in: "(/a", err: "')' expected but end of input found at '(/a[]'"}, tree{}},
	{vector{id: "T28", in: "/a)", err: "end of input expected but ')' found at '/a[)]'"}, tree{}},
	{vector{id: "T29 neg", in: "~/a", err: "end of input expected but '/' found at '~[/]a'"}, tree{}},
	{vector{id: "T29 fail", in: "!x", err: "end of input expected but 'x' found at '![x]'"}, tree{}},
	{vector{id: "T29 empty", in: "$/inet", err: "end of input expected but '/' found at '$[/]inet'"}, tree{}},
	{vector{id: "brackets in brackets", in: " ( ( (/a) ) | ~ ) ", show: "/a | ~"}, alt(leaf("/a"), constant(dtab.Neg))},
	{vector{id: "path before weight", in: "/a&2.*/b", show: "/a & 2.00*/b"}, union(w(1, leaf("/a")), w(2, leaf("/b")))},
}

func TestParseTree(t *testing.T) {
	for _, v := range treeVectors {
		t.Run(v.id, func(t *testing.T) {
			got, err := dtab.ParseTree(v.in)
			if v.err != "" {
				require.EqualError(t, err, v.err)
				assert.Panics(t, func() { dtab.MustTree(v.in) })
				return
			}
			require.NoError(t, err)
			assert.Equal(t, v.want, got)
			assert.True(t, dtab.Equal(v.want, got))
			assert.Equal(t, v.show, dtab.ShowTree(got))
		})
	}
}

// Rows of §2.3, and carries and signs.
func TestWeightRounding(t *testing.T) {
	for want, weight := range map[string]float64{
		"0.13": .125, "0.38": .375, "1.01": 1.005, "2.68": 2.675, "0.01": .005, "0.00": .004999, "100000000000000000000.00": 1e20,
		"1.00": .995, "10.00": 9.995, "9.99": 9.994999, "0.10": .1, "0.90": .9, "1000.00": 999.999, "-0.13": -.125, "-10.00": -9.999,
		"NaN": math.NaN(), "+Inf": math.Inf(1),
	} {
		assert.Equal(t, want+"*/a", dtab.ShowTree(union(w(weight, leaf("/a")), w(1, leaf("/b"))))[:len(want)+3])
	}
}

func TestShow(t *testing.T) {
	a, b := leaf("/a"), leaf("/b")
	for _, v := range []struct {
		id, want string
		in       tree
	}{
		{"alt of none", "", alt()},
		{"union of none", "", union()},
		{"alt of one", "/a", alt(a)},
		{"union of one, weight lost", "/a", union(w(2, a))},
		{"alt of one alt in an alt", "(/a | /b) | /b", alt(alt(alt(a, b)), b)},
		{"union of one in a union keeps the outer weight", "3.00*/a & /b", union(w(3, union(w(2, a))), w(1, b))},
		{"union in alt in union", "2.00*(/a & /b | /a) & /b", union(w(2, alt(union(w(1, a), w(1, b)), a)), w(1, b))},
	} {
		t.Run(v.id, func(t *testing.T) { assert.Equal(t, v.want, dtab.ShowTree(v.in)) })
	}
	names := dtab.Map(alt(a, b), func(p dtab.Path) string { return p.Elem(0) })
	assert.Equal(t, "a | b", dtab.Show(names, strings.Clone))
}

func TestSimplifyEval(t *testing.T) {
	none := []string(nil)
	for _, v := range []struct {
		id, in, simple string
		eval           []string // nil: no value
	}{
		{"E01", "~", "~", none},
		{"E02", "/ok & /ok1", "/ok & /ok1", []string{"/ok", "/ok1"}},
		{"E03", "/ok & ~ & /blah & $", "/ok & /blah & $", []string{"/ok", "/blah"}},
		{"E04", "$ & $ & $", "$ & $ & $", []string{}},
		{"E05", "~ & ~ & (~ | ~)", "~", none},
		{"E06", "~ | /foo | /bar", "/foo | /bar", []string{"/foo"}},
		{"E08", "(~|$|/foo) & (/bar|/blah) & ~ & /FOO", "($ | /foo) & (/bar | /blah) & /FOO", []string{"/bar", "/FOO"}},
		{"E09", "! | /ok", "!", none},
		{"E10 one", "/ok & !", "/ok", []string{"/ok"}},
		{"E10 none", "! & ! & !", "~", none},
		{"E11 one", "~ | /ok | !", "/ok | !", []string{"/ok"}},
		{"E11 two", "/ok | ! | /x", "/ok | !", []string{"/ok"}},
		{"E12", "2*/a & 3*~", "/a", []string{"/a"}},
		{"E13", "(/a | /b) | /c", "(/a | /b) | /c", []string{"/a"}},
		{"fail stops failover", "! & ~ | (~ | !) | /x", "!", none},
		{"union of fails is no fail", "(! & !) | /x", "/x", []string{"/x"}},
		{"empty stops failover", "$ | /x", "$ | /x", []string{}},
		{"a leaf counts once", "/a & /b & /a", "/a & /b & /a", []string{"/a", "/b"}},
		{"weights stay", "2*(~ | /a) & 3*/b & 4*!", "2*/a & 3*/b", []string{"/a", "/b"}},
	} {
		t.Run(v.id, func(t *testing.T) {
			in := dtab.MustTree(v.in)
			simple := dtab.Simplify(in)
			assert.Equal(t, dtab.ShowTree(dtab.MustTree(v.simple)), dtab.ShowTree(simple))
			assert.Equal(t, v.in == v.simple, dtab.Equal(in, simple))
			assertEval(t, v.eval, in)
			assertEval(t, v.eval, simple)
		})
	}
	t.Run("trees that cannot be written", func(t *testing.T) {
		for _, in := range []tree{alt(), union(), alt(alt()), union(alt(), union())} {
			assert.Equal(t, tree{}, dtab.Simplify(in))
			assertEval(t, nil, in)
		}
		assert.Equal(t, leaf("/a"), dtab.Simplify(alt(union(w(2, alt(leaf("/a")))))))

		// A union of one branch is that branch, also if that stops failover.
		in := alt(union(w(2, tree{Op: dtab.Fail})), leaf("/a"))
		assert.Equal(t, tree{Op: dtab.Fail}, dtab.Simplify(in))
		assertEval(t, nil, in)
	})
	t.Run("the input is left alone", func(t *testing.T) {
		in := dtab.MustTree("~ | (~ | /a) | /b")
		dtab.Simplify(in)
		assert.Equal(t, dtab.MustTree("~ | (~ | /a) | /b"), in)
	})
}

func assertEval(t *testing.T, want []string, in tree) {
	t.Helper()
	got, ok := dtab.Eval(in)
	assert.Equal(t, want != nil, ok, "has a value")
	shown := []string{}
	for _, p := range got {
		shown = append(shown, p.String())
	}
	assert.Equal(t, append([]string{}, want...), shown)
}

func TestTreeEqual(t *testing.T) {
	for _, v := range []struct {
		a, b string
		want bool
	}{
		{"/a", "/a", true},
		{"/a", "/b", false},
		{"/a", "~", false},
		{"~", "!", false},
		{"/a | /b", "/b | /a", false},
		{"/a | /b", "/a & /b", false},
		{"/a | /b", "/a | /b | /c", false},
		{"2*/a & /b", "2*/a & /b", true},
		{"2*/a & /b", "3*/a & /b", false},
		{"/a | 2*/x & /b", "/a | 3*/x & /b", false},
	} {
		assert.Equal(t, v.want, dtab.Equal(dtab.MustTree(v.a), dtab.MustTree(v.b)), "%s, %s", v.a, v.b)
	}
	a := leaf("/a")
	assert.True(t, dtab.Equal(w(1, a), w(2, a)), "a weight counts in a union only")
	assert.True(t, dtab.Equal(alt(w(1, a), a), alt(w(2, a), a)), "a weight counts in a union only")
	assert.True(t, dtab.EqualFunc(alt(a), alt(leaf("/b")), func(x, y dtab.Path) bool { return x.Len() == y.Len() }))
}

func TestMapKeepsShape(t *testing.T) {
	in := dtab.MustTree("/a & 2*(/b | ! | $) | ~ | /c")
	out := dtab.Map(in, func(p dtab.Path) dtab.Path { return p.Concat(dtab.MustPath("/x")) })
	assert.Equal(t, "/a/x & 2.00*(/b/x | ! | $) | ~ | /c/x", dtab.ShowTree(out))
	assert.Equal(t, "/a & 2.00*(/b | ! | $) | ~ | /c", dtab.ShowTree(in))
}
