package dtabcmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/dtab"
)

func TestParseTOML(t *testing.T) {
	for _, row := range []struct{ in, key, value, err string }{
		{`base-url = "http://a#b"`, "base-url", "http://a#b", ""},
		{`"Base-URL"='http://a\n' # x`, "base-url", `http://a\n`, ""},
		{`a = "x\"y\u0041"`, "a", `x"yA`, ""},
		{"# c\n\n a=true", "a", "true", ""},
		{"a = 10", "a", "10", ""},
		{"a = \"1\"\r\n[t]\na = {", "a", "1", ""},
		{"a", "", "", "line 1: want KEY"},
		{"a =", "", "", "line 1: want KEY"},
		{`a = "x`, "", "", "line 1: want KEY"},
		{`a = "\a"`, "", "", "line 1: want KEY"},
		{`a = x`, "", "", "line 1: want KEY"},
		{`a = "x" y`, "", "", "line 1: want KEY"},
		{"\na = [1]", "", "", "line 2: want KEY"},
		{"a = '''\nx'''", "", "", "line 1: want KEY"},
		{"a = 1\na = 2", "", "", "line 2: a is there twice"},
	} {
		values, err := parseTOML(row.in)
		if row.err != "" {
			require.ErrorContains(t, err, row.err, row.in)
			continue
		}
		require.NoError(t, err, row.in)
		assert.Equal(t, map[string]string{row.key: row.value}, values, row.in)
	}
}

// TestDiffIsRight: a diff has both sides in it, and the lines of its hunks are where
// it says.
func TestDiffIsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 40)
		before, after := lines.Draw(t, "before"), lines.Draw(t, "after")
		edits := compare(before, after)
		var was, is []string
		for _, e := range edits {
			if e.op != '+' {
				was = append(was, e.line)
			}
			if e.op != '-' {
				is = append(is, e.line)
			}
		}
		assert.Equal(t, strings.Join(before, ""), strings.Join(was, ""))
		assert.Equal(t, strings.Join(after, ""), strings.Join(is, ""))
		assert.Equal(t, strings.Join(after, ""), strings.Join(patch(t, before, unified("x", "y", edits)), ""))
	})
}

// TestHunks is how diff -u shows it: three lines of context, and what is nearer
// together in one hunk.
func TestHunks(t *testing.T) {
	before := strings.Split("a b c d e f g h i j k l m n o p", " ")
	change := func(at ...int) string {
		after := slices.Clone(before)
		for _, i := range at {
			after[i] = strings.ToUpper(after[i])
		}
		return strings.ReplaceAll(unified("x", "y", compare(before, after)), "\n", "|")
	}
	assert.Equal(t, "--- x|+++ y|@@ -2,7 +2,7 @@| b| c| d|-e|+E| f| g| h|", change(4))
	assert.Equal(t, "--- x|+++ y|@@ -1,4 +1,4 @@|-a|+A| b| c| d|@@ -13,4 +13,4 @@| m| n| o|-p|+P|", change(0, 15))
	assert.Equal(t, "--- x|+++ y|@@ -2,14 +2,14 @@| b| c| d|-e|+E| f| g| h| i| j| k|-l|+L| m| n| o|", change(4, 11), "six lines between")
	assert.Equal(t, "--- x|+++ y|@@ -1,7 +1,7 @@| a| b| c|-d|+D| e| f| g|@@ -9,7 +9,7 @@| i| j| k|-l|+L| m| n| o|", change(3, 11), "seven lines between")
}

// TestDiffOfMuch: what is too much to compare is shown one after the other.
func TestDiffOfMuch(t *testing.T) {
	var before, after []string
	for range 5000 {
		before, after = append(before, "x", "y"), append(after, "y", "z")
	}
	added, removed := counts(compare(before, after))
	assert.Equal(t, [2]int{10000, 10000}, [2]int{added, removed})
}

// patch applies a unified diff.
func patch(t require.TestingT, lines []string, diff string) []string {
	var out []string
	at := 0 // lines of the old side that are done
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
		case strings.HasPrefix(line, "@@"):
			start, count := spanOf(t, strings.Fields(line)[1])
			if count > 0 {
				start--
			}
			out = append(out, lines[at:start]...)
			at = start
			newStart, newCount := spanOf(t, strings.Fields(line)[2])
			if newCount > 0 {
				newStart--
			}
			assert.Equal(t, len(out), newStart, diff)
		case line[0] == '+':
			out = append(out, line[1:])
		default:
			assert.Equal(t, lines[at], line[1:])
			at++
			if line[0] == ' ' {
				out = append(out, line[1:])
			}
		}
	}
	return append(out, lines[at:]...)
}

func spanOf(t require.TestingT, text string) (start, count int) {
	first, rest, ok := strings.Cut(text[1:], ",")
	count = 1
	if ok {
		count = number(t, rest)
	}
	return number(t, first), count
}

func number(t require.TestingT, text string) int {
	n := 0
	for _, c := range text {
		require.True(t, c >= '0' && c <= '9', text)
		n = 10*n + int(c-'0')
	}
	return n
}

func FuzzParseInput(f *testing.F) {
	for _, s := range []string{
		"/a=>/b", `[{"prefix":"/a","dst":"/b"}]`, `{"version":"x","dtab":[]}`, "[null]", "{", "[", "[{}]", ` {"dtab": [{"prefix":"/a","dst":"/b","dst":1}]}`,
		"dtab: |\n  /a => /b;", "- {prefix: /a, dst: /b}", "a: &x [*x]", "\xff",
	} {
		for _, name := range []string{"x", "x.json", "x.yaml"} {
			f.Add(name, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		in, err := parseInput(name, b)
		if err != nil {
			assert.True(t, strings.HasPrefix(err.Error(), name+":"), "%q", err)
			return
		}
		// What is sent is what was read.
		again, err := parseInput("sent", in.body)
		require.NoError(t, err)
		assert.True(t, again.dtab.Equal(in.dtab))
	})
}

func FuzzParseTOML(f *testing.F) {
	f.Add("base-url = \"http://a\" # b\n[t]")
	f.Add("a = '''\n'''")
	f.Add(`"a\u0042" = true`)
	f.Fuzz(func(_ *testing.T, text string) { _, _ = parseTOML(text) })
}

func FuzzFormat(f *testing.F) {
	for _, s := range []string{"/a=>/b", "# x\n/a => /b; # y\n\n/c=>/#/d", "/a => # x\n /b", "/a=>0.001*/b&/c;;", ";\n;#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := dtab.Parse(text)
		if err != nil {
			return
		}
		out, err := formatted(text, d)
		if err != nil {
			return
		}
		again, err := dtab.Parse(out)
		require.NoError(t, err)
		assert.True(t, d.Equal(again))
		twice, err := formatted(out, again)
		require.NoError(t, err, "%q", out)
		assert.Equal(t, out, twice)
	})
}
