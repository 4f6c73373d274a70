package k8s

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

// TestJournalBounds has histories that become too long.
func TestJournalBounds(t *testing.T) {
	t.Parallel()
	o := object{version: "1"}
	for i := range 40 {
		j, err := readJournal(o)
		require.NoError(t, err)
		require.Equal(t, i, j.Count)
		o.dtab = dtab.MustParse("/svc=>/" + strings.Repeat("a", i*500))
		o.history, err = j.with(entry{ID: fmt.Sprint(i), At: time.Unix(int64(i), 0)}, o.dtab.String())
		require.NoError(t, err)
		require.LessOrEqual(t, len(o.history), maxHistory)
		o.version = fmt.Sprint(i + 100)
		j, err = readJournal(o)
		require.NoError(t, err)
		require.LessOrEqual(t, len(j.Changes), maxChanges)
		changes, err := j.last(100)
		require.NoError(t, err)
		require.Equal(t, o.version, string(changes[0].Version))
		if len(changes) > 1 {
			require.Equal(t, fmt.Sprint(i+99), string(changes[1].Version))
		}
	}
	// A long dtab is there as long as the object has it.
	j, err := readJournal(o)
	require.NoError(t, err)
	o.dtab = dtab.MustParse("/svc=>/" + strings.Repeat("a", 200<<10))
	o.history, err = j.with(entry{ID: "long"}, o.dtab.String())
	require.NoError(t, err)
	require.LessOrEqual(t, len(o.history), maxHistory)
	j, err = readJournal(o)
	require.NoError(t, err)
	changes, err := j.last(100)
	require.NoError(t, err)
	require.True(t, changes[0].Dtab.Equal(o.dtab))
	o.dtab = nil
	j, err = readJournal(o)
	require.NoError(t, err)
	others, err := j.last(100)
	require.NoError(t, err)
	require.Len(t, others, len(changes)-1)
}

func FuzzObject(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a","resourceVersion":"1"},"dentries":[{"prefix":"/a","dst":"/b"}]}`))
	f.Add([]byte(`{"metadata":{"name":"a","resourceVersion":"1","annotations":null},"dentries":null,"x":1e999}`))
	f.Add([]byte(`{"metadata":{"name":"a","resourceVersion":"1","annotations":{"weft.io/history":"{\"count\":1,\"changes\":[{}]}"}},"dentries":[{"prefix":"a"}]}`))
	f.Add([]byte(`{"metadata":{"name":"a","resourceVersion":"1"},"dentries":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := decode(raw)
		if err != nil {
			return
		}
		if j, err := readJournal(o); err == nil {
			_, _ = j.last(10)
		}
		d := dtab.MustParse("/a=>/b | 2 * /c & /d;/x=>!")
		body, err := edited(raw, d, "h")
		if err != nil {
			t.Fatalf("%s cannot be edited: %v", raw, err)
		}
		again, err := decode(body)
		if err != nil || again.bad != nil || !again.dtab.Equal(d) || again.history != "h" || again.name != o.name || again.version != o.version {
			t.Fatalf("%s became %s: %+v, %v", raw, body, again, err)
		}
	})
}

func FuzzNamespace(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a/b", "web", "a.b", "a..b", "a-.b", "-", "A", "0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		taken := check(s) == nil
		want := len(s) <= 253
		for part := range strings.SplitSeq(s, ".") {
			ok := part != "" && part[0] != '-' && part[len(part)-1] != '-'
			for _, c := range []byte(part) {
				ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
			}
			want = want && ok
		}
		if taken != want {
			t.Fatalf("%q: taken %v", s, taken)
		}
	})
}

func TestDentries(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`null`:                                "",
		`[]`:                                  "",
		`[{"prefix":"/a/*","dst":"/b | ~"}]`:  "/a/*=>/b | ~",
		`[{"prefix":"/a","dst":""}]`:          `dentries[0]: dst: ""`,
		`[{"prefix":"a","dst":"/b"}]`:         `dentries[0]: prefix: "a"`,
		`[{"prefix":"/a","dst":"/b;/c=>/d"}]`: `dentries[0]: dst`,
		`{}`:                                  "dentries: they are no list",
		`[1]`:                                 "dentries: they are no list",
	} {
		d, err := readDentries(json.RawMessage(text))
		if err != nil {
			assert.ErrorContains(t, err, want, text)
			continue
		}
		assert.Equal(t, want, d.String(), text)
	}
}
