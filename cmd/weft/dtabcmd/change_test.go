package dtabcmd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

func TestDiff(t *testing.T) {
	w := newWorld(t)
	t.Chdir(t.TempDir())
	files(t, map[string]string{
		"same": "/yeezy => /yeezus ; # the same", "bad": "/", "other.yaml": "dtab: |\n  /yeezy => /yeezus;\n  /a => 0.125 * /b & /c\n",
	})
	assert.Empty(t, w.succeeds(t, "", "diff", "yeezus", "same"))
	assert.Equal(t, result{1, "--- yeezus (version AAAAAAAAAAE=)\n+++ other.yaml\n@@ -1 +1,2 @@\n /yeezy => /yeezus ;\n+/a => 0.125*/b & /c ;\n", ""},
		w.run(t, "", "diff", "yeezus", "other.yaml"))
	// 1 is for sides that differ, so that everything else is more.
	assert.Equal(t, "weft: bad:1:2: '=' expected but end of input found\n", w.fails(t, 2, "", "diff", "yeezus", "bad"))
	assert.Equal(t, "weft: resource was not found by ID or name: nope\n", w.fails(t, 2, "", "diff", "nope", "same"))
	w.fails(t, 2, "", "diff", "yeezus")
	// What namerd has rounded is what was written.
	w.put(t, "yeezus", "/yeezy => /yeezus; /a => 0.13 * /b & /c")
	assert.Empty(t, w.succeeds(t, "", "diff", "yeezus", "other.yaml"))
}

// editor makes a shell script the editor.
func editor(t *testing.T, script string) {
	t.Helper()
	file := t.TempDir() + "/editor with blanks.sh"
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\nset -e\n"+script), 0o755))
	t.Setenv("VISUAL", "")
	t.Setenv("EDITOR", "'"+file+"' --wait")
}

func TestEdit(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TMPDIR", t.TempDir())
	editor(t, `test "$1" = --wait; cat "$2" >> "`+t.TempDir()+`/seen"; echo '/new => /rule' >> "$2"`)
	out := w.succeeds(t, "", "edit", "yeezus", "-m", "for the test")
	assert.Equal(t, "--- yeezus (version AAAAAAAAAAE=)\n+++ yeezus\n@@ -1 +1,2 @@\n /yeezy => /yeezus ;\n+/new => /rule ;\nUpdated yeezus\n", out)
	assert.Equal(t, "/yeezy=>/yeezus;/new=>/rule", w.rules(t, "yeezus"))
	all, err := w.store.History(t.Context(), "yeezus", 1)
	require.NoError(t, err)
	assert.Equal(t, namerd.Note{Author: "tester", Reason: "for the test"}, all[0].Note)
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left)

	editor(t, "true")
	assert.Equal(t, "Unchanged yeezus\n", w.succeeds(t, "", "edit", "yeezus"))
	editor(t, `grep -v '=>' "$2" > "$2.new" ; mv "$2.new" "$2"`)
	assert.Contains(t, w.fails(t, 1, "", "edit", "yeezus"), "not changed: no rules are left")
	assert.Contains(t, w.fails(t, 2, "", "edit", "nope"), "not found")
	assert.Equal(t, "/yeezy=>/yeezus;/new=>/rule", w.rules(t, "yeezus"))
}

// TestEditMistakes: what is not a dtab is shown to the editor again, with the reason.
func TestEditMistakes(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TMPDIR", t.TempDir())
	seen := t.TempDir() + "/seen"
	editor(t, `cat "$2" >> "`+seen+`"
if grep -q 'NOT SAVED' "$2"; then sed 's/nonsense/\/c => \/d/' "$2" > "$2.new"; else (cat "$2"; echo; echo nonsense) > "$2.new"; fi
mv "$2.new" "$2"`)
	w.succeeds(t, "", "edit", "yeezus")
	assert.Equal(t, "/yeezy=>/yeezus;/c=>/d", w.rules(t, "yeezus"))
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	assert.Equal(t, `#: The dtab of the namespace yeezus, version AAAAAAAAAAE=.
#: Later rules win. namerd keeps no comments; lines like these go away.
/yeezy  => /yeezus ;
#: The dtab of the namespace yeezus, version AAAAAAAAAAE=.
#: Later rules win. namerd keeps no comments; lines like these go away.
#: NOT SAVED: line 3, column 1: '/' expected but 'n' found
#: (not counting these lines; save without a change to give up)
/yeezy  => /yeezus ;

nonsense
`, string(text))

	// Giving up keeps the text.
	editor(t, `grep -q nonsense "$2" || echo nonsense >> "$2"`)
	errs := w.fails(t, 1, "", "edit", "yeezus")
	kept := regexp.MustCompile(`your text is in (\S+)`).FindStringSubmatch(errs)
	require.NotNil(t, kept, errs)
	text, err = os.ReadFile(kept[1])
	require.NoError(t, err)
	assert.Contains(t, string(text), "nonsense")
	editor(t, "exit 7")
	assert.Contains(t, w.fails(t, 1, "", "edit", "yeezus"), "exit status 7\nyour text is in ")
}

// TestEditConflict: what somebody else has written meanwhile stays.
func TestEditConflict(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TMPDIR", t.TempDir())
	editor(t, `echo '/mine => /rule' >> "$2"; curl -sf -X PUT -H 'Content-Type: text/plain' -d '/theirs=>/rule' `+w.http.URL+`/api/1/dtabs/yeezus`)
	errs := w.fails(t, 3, "", "edit", "yeezus")
	assert.Contains(t, errs, "unexpected response: 412 Precondition Failed: Could not update dtab: current version does not match provided version\nyour text is in ")
	kept := regexp.MustCompile(`your text is in (\S+)`).FindStringSubmatch(errs)
	text, err := os.ReadFile(kept[1])
	require.NoError(t, err)
	assert.Contains(t, string(text), "/mine => /rule")
	assert.Equal(t, "/theirs=>/rule", w.rules(t, "yeezus"))
	assert.Equal(t, 1, w.run(t, "", "diff", "yeezus", kept[1]).code, "it can be compared with what there is")
}

func TestApply(t *testing.T) {
	w := newWorld(t)
	t.Chdir(t.TempDir())
	files(t, map[string]string{
		"routes/yeezus.dtab":     "# the same, written differently\n/yeezy => /yeezus;",
		"routes/graduation.json": `[{"prefix":"/svc","dst":"/srv & /srv2"}]`,
		"routes/default.yaml":    "- {prefix: /a, dst: /b}\n- prefix: /c\n  dst: /d\n",
		"routes/README.md":       "not a dtab",
		"routes/.hidden":         "neither",
		"routes/sub/x.dtab":      "neither",
	})
	w.put(t, "default", "/a=>/b")
	const plan = `--- default (version AAAAAAAAAAE=)
+++ default
@@ -1 +1,2 @@
 /a => /b ;
+/c => /d ;
--- /dev/null
+++ graduation
@@ -0,0 +1 @@
+/svc => /srv & /srv2 ;
`
	const prune = `--- tlop (version AAAAAAAAAAE=)
+++ /dev/null
@@ -1 +0,0 @@
-/yeezy => /pablo ;
`
	assert.Equal(t, plan+"would be 1 created, 1 updated, 1 unchanged, 0 deleted\n", w.succeeds(t, "", "apply", "routes", "--dry-run"))
	assert.Equal(t, plan+prune+"would be 1 created, 1 updated, 1 unchanged, 1 deleted\n", w.succeeds(t, "", "apply", "routes", "--dry-run", "--prune"))
	assert.Equal(t, result{1, plan + "would be 1 created, 1 updated, 1 unchanged, 0 deleted\n", ""}, w.run(t, "", "apply", "routes", "--dry-run", "--exit-code"))
	assert.Equal(t, "none", w.rules(t, "graduation"))
	assert.Equal(t, "Updated default\nCreated graduation\nUnchanged yeezus\n1 created, 1 updated, 1 unchanged, 0 deleted\n",
		w.succeeds(t, "", "apply", "routes"))
	assert.Equal(t, "/svc=>/srv & /srv2", w.rules(t, "graduation"))
	assert.Equal(t, "/a=>/b;/c=>/d", w.rules(t, "default"))
	assert.Equal(t, "/yeezy=>/pablo", w.rules(t, "tlop"))
	assert.Equal(t, "Unchanged default\nUnchanged graduation\nUnchanged yeezus\nDeleted tlop\n0 created, 0 updated, 3 unchanged, 1 deleted\n",
		w.succeeds(t, "", "apply", "routes", "--prune"))
	assert.Equal(t, "none", w.rules(t, "tlop"))
	assert.Equal(t, "would be 0 created, 0 updated, 3 unchanged, 0 deleted\n", w.succeeds(t, "", "apply", "routes", "--dry-run", "--prune", "--exit-code"))
}

// TestApplyNothingOfBadFiles: all problems are reported, with their places, and
// nothing is changed.
func TestApplyNothingOfBadFiles(t *testing.T) {
	w := newWorld(t)
	t.Chdir(t.TempDir())
	files(t, map[string]string{
		"routes/a.dtab":      "/good => /rule",
		"routes/b.dtab":      "/good => /rule;\n  bad",
		"routes/c.json":      "[\n {\"prefix\": \"/a\", \"dst\": \"/b\"},\n  {\"prefix\": \"a\", \"dst\": \"/b\"}]",
		"routes/d.yaml":      "dtab: |\n  /a => /b;\n  /c >\n",
		"routes/e.dtba":      "/a => /b",
		"routes/f.dtab":      "/a => /b",
		"routes/f.yml":       "- {prefix: /a, dst: /b}",
		"routes/g.yaml":      "- {prefix: /a, dst: b}",
		"empty/README.md":    "",
		"oneempty/none.dtab": "",
	})
	assert.Equal(t, `weft: routes/b.dtab:2:3: '/' expected but 'b' found
routes/c.json:3:3: rule 2: prefix: '/' expected but 'a' found at '[a]'
routes/d.yaml:3:1: '=' expected but '>' found
routes/e.dtba:1:1: not the dtab of a namespace: want NAME.dtab, NAME.yaml or NAME.json
routes/f.yml:1:1: the namespace f is in routes/f.dtab already
routes/g.yaml:1:3: rule 1: dst: simple expected but 'b' found at '[b]'
`, w.fails(t, 1, "", "apply", "routes", "--prune"))
	assert.Contains(t, w.fails(t, 1, "", "apply", "empty", "--prune"), "empty has no NAME.dtab")
	w.fails(t, 1, "", "apply", "nowhere")
	w.fails(t, 1, "", "apply")
	names, err := w.store.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"tlop", "yeezus"}, names)
	assert.Contains(t, w.succeeds(t, "", "apply", "oneempty", "--dry-run"), "--- /dev/null\n+++ none\nwould be 1 created")
}

func TestHistoryAndRollback(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TZ", "UTC")
	assert.Contains(t, w.fails(t, 2, "", "history", "nope"), "no changes of nope are known")
	w.succeeds(t, "/a => /b", "create", "ns", "-", "-m", "first")
	w.succeeds(t, "/a => /c; /d => /e", "update", "ns", "-", "--author", "ye", "-m", "second")
	w.succeeds(t, "/a => /c", "update", "ns", "-", "--author", "ye")
	stamp := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)
	shown := func(args ...string) string {
		return stamp.ReplaceAllString(w.succeeds(t, "", append([]string{"history", "ns"}, args...)...), "TIME")
	}
	assert.Equal(t, `WHEN                 VERSION       CHANGE  WHO     WHY
TIME  AAAAAAAAAAM=  +0 -1   ye
TIME  AAAAAAAAAAI=  +2 -1   ye      second
TIME  AAAAAAAAAAE=  +1 -0   tester  first
`, shown())
	assert.Equal(t, `TIME  version AAAAAAAAAAI= by ye: second
--- version AAAAAAAAAAE=
+++ version AAAAAAAAAAI=
@@ -1 +1,2 @@
-/a => /b ;
+/a => /c ;
+/d => /e ;

TIME  version AAAAAAAAAAE= by tester: first
--- /dev/null
+++ version AAAAAAAAAAE=
@@ -0,0 +1 @@
+/a => /b ;

`, shown("--diff")[strings.Index(shown("--diff"), "TIME  version AAAAAAAAAAI="):])
	assert.Equal(t, 2, strings.Count(shown("-n", "2"), "TIME"))
	assert.Contains(t, shown("--json", "--limit", "1"), `"version":"AAAAAAAAAAM=","author":"ye","dtab":"/a=\u003e/c"}]`)
	w.fails(t, 1, "", "history", "ns", "-n", "0")
	w.fails(t, 1, "", "history")

	const back = "--- ns (version AAAAAAAAAAM=)\n+++ ns (version AAAAAAAAAAI=)\n@@ -1 +1,2 @@\n /a => /c ;\n+/d => /e ;\n"
	assert.Equal(t, back, w.succeeds(t, "", "rollback", "ns", "--dry-run"))
	assert.Equal(t, "/a=>/c", w.rules(t, "ns"))
	assert.Equal(t, back+"Rolled back ns to version AAAAAAAAAAI=\n", w.succeeds(t, "", "rollback", "ns"))
	assert.Equal(t, "/a=>/c;/d=>/e", w.rules(t, "ns"))
	all, err := w.store.History(t.Context(), "ns", 1)
	require.NoError(t, err)
	assert.Equal(t, "tester", all[0].Author)
	assert.Equal(t, "rollback to version AAAAAAAAAAI= of TIME", stamp.ReplaceAllString(all[0].Reason, "TIME"))

	w.succeeds(t, "", "rollback", "ns", "AAAAAAAAAAE=", "-m", "it was better")
	assert.Equal(t, "/a=>/b", w.rules(t, "ns"))
	all, err = w.store.History(t.Context(), "ns", 1)
	require.NoError(t, err)
	assert.Equal(t, "it was better (rollback to version AAAAAAAAAAE= of TIME)", stamp.ReplaceAllString(all[0].Reason, "TIME"))
	assert.Equal(t, "Unchanged ns: it has the rules of version AAAAAAAAAAE=\n", w.succeeds(t, "", "rollback", "ns", "AAAAAAAAAAE="))
	assert.Equal(t, "weft: ns: its history has no version AAAAAAAAAAk=\n", w.fails(t, 2, "", "rollback", "ns", "AAAAAAAAAAk="))
	assert.Contains(t, w.fails(t, 2, "", "rollback", "ns", "yol"), "not base64")

	// One that was deleted comes back, once.
	w.succeeds(t, "", "delete", "ns")
	assert.Contains(t, shown(), "TIME  -             deleted  tester")
	assert.Contains(t, w.succeeds(t, "", "rollback", "ns"), "--- /dev/null\n")
	assert.Equal(t, "/a=>/b", w.rules(t, "ns"))
	assert.Contains(t, w.fails(t, 2, "", "rollback", "ns"), "it did not exist before the present version")
	assert.Contains(t, w.fails(t, 2, "", "rollback", "tlop"), "its history has no version before the present one")
	assert.Contains(t, w.fails(t, 2, "", "rollback", "nope"), "its history has no version before the present one")
}

// TestRollbackConflict: the present version is the one whose diff was shown.
func TestRollbackConflict(t *testing.T) {
	w := newWorld(t)
	w.put(t, "yeezus", "/a=>/b")
	racing := w.store
	w.onWrite = func() {
		_, err := racing.Put(t.Context(), "yeezus", dtab.MustParse("/theirs=>/rule"), namerd.Note{})
		assert.NoError(t, err)
	}
	w.fails(t, 3, "", "rollback", "yeezus")
	assert.Equal(t, "/theirs=>/rule", w.rules(t, "yeezus"))
	// So it is with apply, which goes on with the other namespaces.
	t.Chdir(t.TempDir())
	files(t, map[string]string{"r/yeezus.dtab": "/mine=>/rule", "r/zz.dtab": "/z=>/z"})
	once := false
	w.onWrite = func() {
		if !once {
			once = true
			_, err := racing.Put(t.Context(), "yeezus", dtab.MustParse("/theirs=>/again"), namerd.Note{})
			assert.NoError(t, err)
		}
	}
	r := w.run(t, "", "apply", "r")
	assert.Equal(t, 3, r.code)
	assert.Equal(t, "Created zz\n1 created, 0 updated, 0 unchanged, 0 deleted\n", r.out)
	assert.Equal(t, "weft: yeezus: unexpected response: 412 Precondition Failed: Could not update dtab: current version does not match provided version\n", r.errs)
	assert.Equal(t, "/theirs=>/again", w.rules(t, "yeezus"))
	// What was changed after the plan was made is not deleted.
	once = false
	files(t, map[string]string{"r/yeezus.dtab": "/theirs=>/again"})
	w.onWrite = func() {
		if !once {
			once = true
			w.put(t, "tlop", "/theirs=>/rule")
		}
	}
	assert.Contains(t, w.fails(t, 3, "", "apply", "r", "--prune"), "weft: tlop: unexpected response: 412 ")
	assert.Equal(t, "/theirs=>/rule", w.rules(t, "tlop"))
}
