package dtab_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

// vector is a row of the specification's tables: text to parse and either the
// canonical text or the whole error.
type vector struct{ id, in, show, err string }

var pathVectors = []struct {
	vector
	elems []string
}{
	{vector: vector{id: "P01", in: "/", show: "/"}},
	{vector: vector{id: "P02", in: "  /foo/bar  ", show: "/foo/bar"}, elems: []string{"foo", "bar"}},
	{vector: vector{id: "P03", in: `/\x66\x6f\x6F`, show: "/foo"}, elems: []string{"foo"}},
	{vector: vector{id: "P04", in: "", err: "'/' expected but end of input found at '[]'"}},
	{vector: vector{id: "P05", in: "/foo/bar/", err: "label char expected but end of input found at '/foo/bar/[]'"}},
	{vector: vector{id: "P06", in: "//", err: "end of input expected but '/' found at '/[/]'"}},
	{vector: vector{id: "P08", in: "/{}", err: "end of input expected but '{' found at '/[{]}'"}},
	{vector: vector{id: "P09", in: `/\?`, err: `'x' expected but '?' found at '/\[?]'`}},
	{vector: vector{id: "P10", in: `/\x?`, err: `hex char expected but '?' found at '/\x[?]'`}},
	{vector: vector{id: "P11", in: `/\x0?`, err: `hex char expected but '?' found at '/\x0[?]'`}},
	{vector: vector{id: "P12", in: "/foo^bar", err: "end of input expected but '^' found at '/foo[^]bar'"}},
	{vector: vector{id: "P13", in: "invalid-param", err: "'/' expected but 'i' found at '[i]nvalid-param'"}},
	{vector: vector{id: "P15", in: "/foo#c", show: "/foo#c"}, elems: []string{"foo#c"}},
	{vector: vector{id: "P16", in: "/foo #c", show: "/foo"}, elems: []string{"foo"}},
	{vector: vector{id: "P17", in: "# hi\n/foo", show: "/foo"}, elems: []string{"foo"}},
	{vector: vector{id: "P18", in: "/#/io.l5d.fs", show: "/#/io.l5d.fs"}, elems: []string{"#", "io.l5d.fs"}},
	{vector: vector{id: "P19", in: "/*", err: "end of input expected but '*' found at '/[*]'"}},
	{vector: vector{id: "P20", in: "/a~b", err: "end of input expected but '~' found at '/a[~]b'"}},
	{vector: vector{id: "P22", in: `/a\x2fb`, show: `/\x61\x2f\x62`}, elems: []string{"a/b"}},
	// §1.1 and §2.2 in words.
	{vector: vector{id: "empty element", in: "/a//b", err: "label char expected but '/' found at '/a/[/]b'"}},
	{vector: vector{id: "label characters", in: "/09AZaz_:.#$%-", show: "/09AZaz_:.#$%-"}, elems: []string{"09AZaz_:.#$%-"}},
	{vector: vector{id: "escapes in several elements", in: `/a/\x2f/b/c\x00/d`, show: `/a/\x2f/b/\x63\x00/d`}, elems: []string{"a", "/", "b", "c\x00", "d"}},
	{vector: vector{id: "non-ASCII", in: "/é", err: "end of input expected but 'é' found at '/[é]'"}},
	{vector: vector{id: "cut escape", in: `/\`, err: `'x' expected but end of input found at '/\[]'`}},
	{vector: vector{id: "Java blanks", in: "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2028\u2029\u205f\u3000/a", show: "/a"}, elems: []string{"a"}},
	{vector: vector{id: "no-break space", in: "/a\u00a0", err: "end of input expected but '\u00a0' found at '/a[\u00a0]'"}},
	{vector: vector{id: "figure space", in: "\u2007/a", err: "'/' expected but '\u2007' found at '[\u2007]/a'"}},
	{vector: vector{id: "narrow no-break space", in: "\u202f/a", err: "'/' expected but '\u202f' found at '[\u202f]/a'"}},
	{vector: vector{id: "next line", in: "\u0085/a", err: "'/' expected but '\u0085' found at '[\u0085]/a'"}},
	{vector: vector{id: "unit separator is the lowest", in: "\x1b/a", err: "'/' expected but '\x1b' found at '[\x1b]/a'"}},
	{vector: vector{id: "NUL", in: "/a\x00", err: "end of input expected but '\x00' found at '/a[\x00]'"}},
	{vector: vector{id: "not UTF-8", in: "/a\xff", err: "end of input expected but '\ufffd' found at '/a[\ufffd]'"}},
	{vector: vector{id: "comment to the end", in: "/a # b # c", show: "/a"}, elems: []string{"a"}},
	{vector: vector{id: "comments and blanks", in: "#\n # x\n\n/a\n#y\n ", show: "/a"}, elems: []string{"a"}},
}

func TestParsePath(t *testing.T) {
	for _, v := range pathVectors {
		t.Run(v.id, func(t *testing.T) {
			p, err := dtab.ParsePath(v.in)
			if v.err != "" {
				require.EqualError(t, err, v.err)
				assert.Panics(t, func() { dtab.MustPath(v.in) })
				return
			}
			require.NoError(t, err)
			assert.Equal(t, v.show, p.String())
			assert.Equal(t, v.elems, p.Strings())
			assert.Equal(t, v.elems, slices.Collect(p.Elems()))
			assert.Equal(t, len(v.elems), p.Len())
			assert.Equal(t, len(v.elems) == 0, p.IsEmpty())
			for i, e := range v.elems {
				assert.Equal(t, e, p.Elem(i))
			}
			of, err := dtab.PathOf(v.elems...)
			require.NoError(t, err)
			assert.Equal(t, p, of, "a path has one spelling only")
		})
	}
}

func TestPathOf(t *testing.T) {
	for _, v := range []struct {
		id    string
		elems []string
		show  string
	}{
		{"P23 blank", []string{"a b"}, `/\x61\x20\x62`},
		{"P23 accent", []string{"é"}, `/\xc3\xa9`},
		{"P23 star", []string{"a*"}, `/\x61\x2a`},
		{"backslash", []string{`\x61`, "b"}, `/\x5c\x78\x36\x31/b`},
		{"none", nil, "/"},
	} {
		t.Run(v.id, func(t *testing.T) {
			p, err := dtab.PathOf(v.elems...)
			require.NoError(t, err)
			assert.Equal(t, v.show, p.String())
			assert.Equal(t, v.elems, p.Strings())
		})
	}
	t.Run("P24", func(t *testing.T) {
		_, err := dtab.PathOf("")
		require.ErrorIs(t, err, dtab.ErrEmptyElement)
		assert.Equal(t, "requirement failed", dtab.ErrEmptyElement.Error())
		_, err = dtab.MustPath("/a").Append("b", "")
		require.EqualError(t, err, "dtab: path element 2 of 2 is empty: requirement failed")
	})
}

func TestPathTakeDrop(t *testing.T) {
	for _, v := range []struct {
		id, in     string
		n          int
		take, drop string
	}{
		{"P25 take", "/a/b/c", 2, "/a/b", "/c"},
		{"P25 drop", "/a", 5, "/a", "/"},
		{"none", "/a/b", 0, "/", "/a/b"},
		{"all", "/a/b", 2, "/a/b", "/"},
		{"negative", "/a/b", -1, "/", "/a/b"},
		{"of the empty path", "/", 1, "/", "/"},
		{"escaped", `/\x2f/b`, 1, `/\x2f`, "/b"},
	} {
		t.Run(v.id, func(t *testing.T) {
			p := dtab.MustPath(v.in)
			assert.Equal(t, dtab.MustPath(v.take), p.Take(v.n))
			assert.Equal(t, dtab.MustPath(v.drop), p.Drop(v.n))
			assert.Equal(t, p, p.Take(v.n).Concat(p.Drop(v.n)))
		})
	}
}

func TestPathHasPrefix(t *testing.T) {
	for _, v := range []struct {
		id, p, q string
		want     bool
	}{
		{"P26 1", "/a/b", "/a", true},
		{"P26 2", "/ab", "/a", false},
		{"P26 3", "/a", "/", true},
		{"itself", "/a/b", "/a/b", true},
		{"longer", "/a", "/a/b", false},
		{"empty of empty", "/", "/", true},
		{"empty and not", "/", "/a", false},
		{"case", "/A", "/a", false},
	} {
		t.Run(v.id, func(t *testing.T) {
			assert.Equal(t, v.want, dtab.MustPath(v.p).HasPrefix(dtab.MustPath(v.q)))
		})
	}
}

func TestPathElements(t *testing.T) {
	p := dtab.MustPath(`/a\x20b/c`)
	assert.Equal(t, "a b", p.Elem(0))
	assert.Equal(t, `\x61\x20\x62`, p.Shown(0))
	assert.Equal(t, "c", p.Shown(1))
	for _, i := range []int{-1, 2, 3} {
		assert.Empty(t, p.Elem(i))
		assert.Empty(t, p.Shown(i))
	}
	for e := range p.Elems() {
		assert.Equal(t, "a b", e)
		break
	}
	q, err := p.Append("d/e", "f")
	require.NoError(t, err)
	assert.Equal(t, `/\x61\x20\x62/c/\x64\x2f\x65/f`, q.String())
	var zero dtab.Path
	assert.Equal(t, dtab.MustPath("/"), zero)
	assert.Equal(t, "/", zero.String())
}

func TestTextMarshalling(t *testing.T) {
	type doc struct {
		Path   dtab.Path
		Prefix dtab.Prefix
		Dtab   dtab.Dtab
	}
	in := `{"Path":" /a # b","Prefix":"/a/* ","Dtab":"/a => /b ; /c=>/d | 2*/e&/f"}`
	var d doc
	require.NoError(t, json.Unmarshal([]byte(in), &d))
	out, err := json.Marshal(d)
	require.NoError(t, err)
	var back doc
	require.NoError(t, json.Unmarshal(out, &back))
	assert.Equal(t, d, back)
	assert.Equal(t, "/a=>/b;/c=>/d | 2.00*/e & /f", back.Dtab.String())
	assert.Equal(t, "/a/*", back.Prefix.String())
	assert.Equal(t, "/a", back.Path.String())
	for _, bad := range []string{`{"Path":""}`, `{"Prefix":""}`, `{"Dtab":"x"}`} {
		before := back
		var syntax *dtab.SyntaxError
		require.ErrorAs(t, json.Unmarshal([]byte(bad), &back), &syntax)
		assert.Equal(t, before, back, "a failure leaves the value alone")
	}
}
