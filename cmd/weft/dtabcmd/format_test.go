package dtabcmd_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFormat(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, row := range []struct{ in, out string }{
		{"", ""},
		{"\n\n# nothing\n\n", "# nothing\n"},
		{"/a=>/b", "/a  => /b ;\n"},
		{"/a=>/b;/long/prefix=>0.1*/c&0.9*/d;", "/a            => /b ;\n/long/prefix  => 0.10*/c & 0.90*/d ;\n"},
		{"/a => 0.001 * /b & /c", "/a  => 0.001*/b & /c ;\n"},
		{
			"# head\n\n\n/a=>/b ;# why\n/long => /#/io.l5d.fs # last\n;\n",
			"",
		},
		{
			"# head\n/a=>/b ;# why\n/long =>\n  /#/io.l5d.fs ;\n\n\n# foot\n/x=>/y\n",
			"# head\n/a     => /b ; # why\n/long  => /#/io.l5d.fs ;\n\n# foot\n/x  => /y ;\n",
		},
		{"/a => # inside\n /b;", ""},
		{"/a =>\n# inside\n /b;", ""},
	} {
		require.NoError(t, os.WriteFile("f.dtab", []byte(row.in), 0o640))
		r := run(t.Context(), "", "fmt", "f.dtab")
		if row.out == "" && row.in != "" {
			assert.Equal(t, result{1, "", "weft: f.dtab: its comments cannot be kept: put them on lines of their own, or after semicolons\n"}, r, row.in)
			continue
		}
		assert.Equal(t, result{0, row.out, ""}, r, row.in)
		assert.Equal(t, result{0, row.out, ""}, run(t.Context(), row.in, "fmt", "-"), row.in)
		if row.in != row.out {
			assert.Equal(t, result{1, "f.dtab\n", ""}, run(t.Context(), "", "fmt", "--check", "f.dtab"), row.in)
		}
		assert.Equal(t, result{0, "", ""}, run(t.Context(), "", "fmt", "-w", "f.dtab"))
		text, err := os.ReadFile("f.dtab")
		require.NoError(t, err)
		assert.Equal(t, row.out, string(text))
		assert.Equal(t, result{0, "", ""}, run(t.Context(), "", "fmt", "--check", "f.dtab"), "what is formatted stays")
		info, err := os.Stat("f.dtab")
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o640), info.Mode())
	}
	assert.Equal(t, result{1, "", "weft: stdin: only dtabs in text are formatted\n"}, run(t.Context(), "[]", "fmt", "-"))
	assert.Equal(t, result{1, "", "weft: fmt requires a file path\n"}, run(t.Context(), "", "fmt"))
}

func TestValidate(t *testing.T) {
	t.Chdir(t.TempDir())
	files(t, map[string]string{"a": "/a=>/b;/c=>/d", "b": "/a", "c.yaml": "x: y", "d.yaml": "", "e.yaml": "dtab: /a=>/b", "f.yaml": "dtab: \"/a=b\"", "g.yaml": "dtab: {a: b}", "h.yaml": "[1, {prefix: [], dst: 2}]"})
	assert.Equal(t, result{1, "a: ok: 2 rules\ne.yaml: ok: 1 rules\n", `weft: b:1:3: '=' expected but end of input found
c.yaml:1:1: want a list of rules, the text of a dtab, or an object with one of them as dtab
d.yaml:1:1: want a list of rules, the text of a dtab, or an object with one of them as dtab
f.yaml:1:7: '>' expected but 'b' found
g.yaml:1:7: want a list of rules, the text of a dtab, or an object with one of them as dtab
h.yaml:1:2: rule 1: yaml: unmarshal errors:
  line 1: cannot unmarshal !!int ` + "`1`" + ` into dtabcmd.rule
`}, run(t.Context(), "", "validate", "a", "b", "c.yaml", "d.yaml", "e.yaml", "f.yaml", "g.yaml", "h.yaml"))
	assert.Equal(t, result{0, "stdin: ok: 1 rules\n", ""}, run(t.Context(), ` [{"prefix":"/a","dst":"/b"}]`, "validate", "-"))
	assert.Equal(t, result{1, "", "weft: validate requires a file path\n"}, run(t.Context(), "", "validate"))
}

func TestCompletion(t *testing.T) {
	w := newWorld(t)
	r := run(t.Context(), "", "--base-url", w.http.URL)
	assert.Contains(t, r.out, "Available Commands:")
	for _, command := range []string{"get", "update", "delete", "edit", "diff", "history", "rollback", "watch", "delegate", "bind", "addr", "resolve"} {
		out := complete(t, command, "--base-url", w.http.URL, "")
		assert.Equal(t, "tlop\nyeezus\n:4\n", out, command)
	}
	assert.Equal(t, ":0\n", complete(t, "diff", "--base-url", w.http.URL, "yeezus", ""), "files")
}
