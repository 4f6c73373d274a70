package dtabcmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNamerctl is every request that namerctl makes and what it prints, row by row on
// one store. The rows are what namerctl at commit 55484b7 did when it was run against
// the same server, except for those whose comment says otherwise.
func TestNamerctl(t *testing.T) {
	w := newWorld(t)
	t.Chdir(t.TempDir())
	files(t, map[string]string{
		"text":      "# comment\n/foo => /bar;\n  /foo/bar/baz => /bah#word | 0.1 * /x & 0.9 * /y ;\n",
		"vector":    "/foo=>/bar;/foo/bar/baz=>/bah#word;",
		"doc.json":  `{"version":"","dtab":[{"prefix":"/a","dst":"/b & /c"}]}`,
		"docv.json": `{"version":"AAAAAAAAAAE=","dtab":[{"prefix":"/a","dst":"/b"}]}`,
		"bare.json": `[{"prefix":"/a","dst":"/b"}]`,
		"empty":     "",
	})
	const text = "application/dtab\n# comment\n/foo => /bar;\n  /foo/bar/baz => /bah#word | 0.1 * /x & 0.9 * /y ;\n"
	const accept = "\nAccept: application/json"
	for _, row := range []struct {
		line string
		asks string
		out  string
	}{
		{"list", "GET /api/1/dtabs" + accept, "tlop\nyeezus\n"},
		{"ls", "GET /api/1/dtabs" + accept, "tlop\nyeezus\n"},
		{"list --json", "GET /api/1/dtabs" + accept, `["tlop","yeezus"]` + "\n"},
		{"get yeezus", "GET /api/1/dtabs/yeezus" + accept, "# version AAAAAAAAAAE=\n/yeezy  => /yeezus ;\n"},
		{"cat yeezus", "GET /api/1/dtabs/yeezus" + accept, "# version AAAAAAAAAAE=\n/yeezy  => /yeezus ;\n"},
		{"get yeezus --pretty=false", "GET /api/1/dtabs/yeezus" + accept, "/yeezy=>/yeezus;\n"},
		{
			"get yeezus --json", "GET /api/1/dtabs/yeezus" + accept,
			`{"version":"AAAAAAAAAAE=","dtab":[{"prefix":"/yeezy","dst":"/yeezus"}]}` + "\n",
		},
		{"create new text", "POST /api/1/dtabs/new\nContent-Type: " + text, "Created new\n"},
		{
			"get new", "GET /api/1/dtabs/new" + accept,
			"# version AAAAAAAAAAE=\n/foo          => /bar ;\n/foo/bar/baz  => /bah#word | 0.10*/x & 0.90*/y ;\n",
		},
		{"get new --pretty=false", "GET /api/1/dtabs/new" + accept, "/foo=>/bar;/foo/bar/baz=>/bah#word | 0.10*/x & 0.90*/y;\n"},
		{
			"get new --json", "GET /api/1/dtabs/new" + accept,
			`{"version":"AAAAAAAAAAE=","dtab":[{"prefix":"/foo","dst":"/bar"},{"prefix":"/foo/bar/baz","dst":"/bah#word | 0.10*/x \u0026 0.90*/y"}]}` + "\n",
		},
		{
			"new new2 doc.json",
			"POST /api/1/dtabs/new2\nContent-Type: application/json\n" + `[{"prefix":"/a","dst":"/b \u0026 /c"}]`, "Created new2\n",
		},
		{"get new2 --json", "GET /api/1/dtabs/new2" + accept, `{"version":"AAAAAAAAAAE=","dtab":[{"prefix":"/a","dst":"/b \u0026 /c"}]}` + "\n"},
		{"create e empty", "POST /api/1/dtabs/e\nContent-Type: application/dtab", "Created e\n"},
		{"get e", "GET /api/1/dtabs/e" + accept, "# version AAAAAAAAAAE=\n"},
		{"get e --pretty=false", "GET /api/1/dtabs/e" + accept, "\n"},
		{"get e --json", "GET /api/1/dtabs/e" + accept, `{"version":"AAAAAAAAAAE=","dtab":[]}` + "\n"},
		{"create in -", "POST /api/1/dtabs/in\nContent-Type: application/dtab\n/in => /out", "Created in\n"},
		{"update yeezus text", "PUT /api/1/dtabs/yeezus\nContent-Type: " + text, "Updated yeezus\n"},
		{"update yeezus - --version AAAAAAAAAAI=", "PUT /api/1/dtabs/yeezus\nContent-Type: application/dtab\nIf-Match: AAAAAAAAAAI=\n/in => /out", "Updated yeezus\n"},
		{
			"update tlop docv.json",
			"PUT /api/1/dtabs/tlop\nContent-Type: application/json\nIf-Match: AAAAAAAAAAE=\n" + `[{"prefix":"/a","dst":"/b"}]`, "Updated tlop\n",
		},
		{"up tlop text --version AAAAAAAAAAI=", "PUT /api/1/dtabs/tlop\nContent-Type: application/dtab\nIf-Match: AAAAAAAAAAI=\n" + text[len("application/dtab\n"):], "Updated tlop\n"},
		{"update fresh doc.json", "PUT /api/1/dtabs/fresh\nContent-Type: application/json\n" + `[{"prefix":"/a","dst":"/b \u0026 /c"}]`, "Updated fresh\n"},
		{"delete fresh", "DELETE /api/1/dtabs/fresh", "Deleted fresh\n"},
		{"del new2", "DELETE /api/1/dtabs/new2", "Deleted new2\n"},
		{"rm new", "DELETE /api/1/dtabs/new", "Deleted new\n"},
		// Vector 125.
		{"create vector vector", "POST /api/1/dtabs/vector\nContent-Type: application/dtab\n/foo=>/bar;/foo/bar/baz=>/bah#word;", "Created vector\n"},
		{"get vector", "GET /api/1/dtabs/vector" + accept, "# version AAAAAAAAAAE=\n/foo          => /bar ;\n/foo/bar/baz  => /bah#word ;\n"},
		// namerctl cannot read a bare array.
		{"create bare bare.json", "POST /api/1/dtabs/bare\nContent-Type: application/json\n" + `[{"prefix":"/a","dst":"/b"}]`, "Created bare\n"},
		// namerctl has no such flag.
		{"delete bare --version AAAAAAAAAAE=", "DELETE /api/1/dtabs/bare\nIf-Match: AAAAAAAAAAE=", "Deleted bare\n"},
	} {
		w.asked()
		r := w.run(t, "/in => /out", strings.Fields(row.line)...)
		assert.Equal(t, result{0, row.out, ""}, r, row.line)
		assert.Equal(t, []string{row.asks}, w.asked(), row.line)
	}
}

// TestFailures is what namerctl says, on stderr and with statuses of their own: it
// prints it on stdout, again on stderr with its usage, and exits with 255.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	t.Chdir(t.TempDir())
	files(t, map[string]string{
		"text": "/a=>/b", "nonsense": "\n nonsense", "null.json": "[null]", "nodtab.json": "{}", "cut.json": `[{"prefix":"/a",` + "\n",
		"docv.json": `{"version":"AAAAAAAAAAk=","dtab":[{"prefix":"/a","dst":"/b"}]}`,
		"rule.json": "{\"dtab\": [\n  {\"prefix\":\"/a\",\"dst\":\"/b\"},\n  {\"prefix\":\"/a\",\"dst\":\"b\"}\n]}",
		"two.json":  "[] []",
	})
	const missing, mismatch = "resource was not found by ID or name",
		"unexpected response: 412 Precondition Failed: Could not update dtab: current version does not match provided version"
	for _, row := range []struct {
		line string
		code int
		errs string
	}{
		{"list x", 1, "list does not take arguments"},
		{"get", 1, "get requires a name argument"},
		{"get a b", 1, "get requires a name argument"},
		{"create x", 1, "create requires a name and file path"},
		{"update x", 1, "update requires a name and file path"},
		{"delete", 1, "delete requires one argument"},
		{"get nope", 2, missing},
		{"get nope --json", 2, missing},
		{"delete nope", 2, missing},
		{"update nope text --version AAAAAAAAAAE=", 2, missing},
		{"create yeezus text", 3, "unexpected response: 409 Conflict: The dtab namespace yeezus already exists"},
		{"update yeezus text --version AAAAAAAAAAk=", 3, mismatch},
		{"update yeezus text --version yolo", 3, mismatch},
		{"update yeezus text --version yol", 3, mismatch + ": If-Match has to be what ETag was, which is base64"},
		{"update yeezus docv.json --version AAAAAAAAAAE=", 3, mismatch},
		{"delete yeezus --version AAAAAAAAAAk=", 3, mismatch},
		{"create x missing", 1, "open missing: no such file or directory"},
		{"create x nonsense", 1, "nonsense:2:2: '/' expected but 'n' found"},
		{"create x null.json", 1, "null.json:1:2: rule 1: it is null"},
		{"create x nodtab.json", 1, `nodtab.json:1:1: want a list of rules, or an object with such a list as "dtab"`},
		{"create x cut.json", 1, "cut.json:2:1: unexpected EOF"},
		{"create x rule.json", 1, "rule.json:3:3: rule 2: dst: simple expected but 'b' found at '[b]'"},
		{"create x two.json", 1, "two.json:1:5: there is something after the end of the JSON document"},
		{"get yeezus --nonsense", 1, "unknown flag: --nonsense; see weft dtab get --help"},
		{"nonsense", 1, `unknown command "nonsense" for "weft dtab"; see weft dtab --help`},
	} {
		r := w.run(t, "", strings.Fields(row.line)...)
		assert.Equal(t, result{row.code, "", "weft: " + row.errs + "\n"}, r, row.line)
	}
	assert.Equal(t, "weft: empty dtab path\n", w.fails(t, 1, "", "create", "x", ""))
	assert.Equal(t, "weft: the name of the namespace is empty\n", w.fails(t, 1, "", "delete", ""))
	assert.Equal(t, "/yeezy=>/yeezus", w.rules(t, "yeezus"), "nothing has been changed")
	assert.Equal(t, "none", w.rules(t, "x"))
}

// files writes files into the working directory.
func files(t *testing.T, all map[string]string) {
	t.Helper()
	for name, text := range all {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
}
