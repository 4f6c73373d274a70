package zk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	zoo "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestJournalBounds has histories that become too long.
func TestJournalBounds(t *testing.T) {
	t.Parallel()
	var j journal
	for i := range 140 {
		var err error
		var text []byte
		j, text, err = j.with(entry{ID: fmt.Sprint(i), Dtab: "/svc=>/" + strings.Repeat("a", i*60)})
		require.NoError(t, err)
		require.LessOrEqual(t, len(j.Changes), maxChanges)
		require.LessOrEqual(t, len(text), maxHistory)
		require.Equal(t, fmt.Sprint(i), j.Changes[len(j.Changes)-1].ID)
		require.NotContains(t, string(text), `\u003e`)
	}
	j, text, err := j.with(entry{ID: "large", Dtab: "/svc=>/" + strings.Repeat("a", maxHistory)})
	require.NoError(t, err)
	require.Len(t, j.Changes, 1)
	require.Greater(t, len(text), maxHistory)
}

// TestDoubt is when the present history tells whether a write was made.
func TestDoubt(t *testing.T) {
	t.Parallel()
	at := doubt{czxid: 5, version: 10}
	assert.True(t, (&doubt{}).couldTell(nil, 0))
	assert.True(t, (&doubt{}).couldTell(&zoo.Stat{Czxid: 9, Version: 3}, 3))
	assert.False(t, (&doubt{}).couldTell(&zoo.Stat{Czxid: 9, Version: 130}, 100))
	assert.True(t, at.couldTell(&zoo.Stat{Czxid: 5, Version: 110}, 100))
	assert.False(t, at.couldTell(&zoo.Stat{Czxid: 5, Version: 111}, 100))
	assert.False(t, at.couldTell(&zoo.Stat{Czxid: 6, Version: 11}, 100), "it was made anew")
	assert.False(t, at.couldTell(nil, 0), "it was removed")
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"changes":[{"id":"A","at":"2024-01-01T00:00:00Z","version":"AAAAAAAAAAAAAAAA","author":"me","dtab":"/a=>/b"}]}`), int64(7))
	f.Add([]byte(`{"changes":[{"deleted":true}]}`), int64(1))
	f.Add([]byte(`{"changes":null}`), int64(-1))
	f.Add([]byte(`{"changes":[{"version":"AAAA"}]}`), int64(0))
	f.Fuzz(func(t *testing.T, text []byte, zxid int64) {
		j, err := readJournal(text, zxid)
		if err != nil {
			return
		}
		_, _ = j.last(10)
		_, _ = j.find("A")
		next, written, err := j.with(entry{ID: "new", At: time.Unix(1, 0)})
		if err != nil {
			return // a time that cannot be written
		}
		again, err := readJournal(written, 9)
		if err != nil || len(again.Changes) != len(next.Changes) || again.Changes[len(again.Changes)-1].ID != "new" {
			t.Fatalf("%s is read as %+v, %v", written, again, err)
		}
	})
}

func FuzzNamespace(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a/b", "web", "\x7f", "\ue000", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if newLayout("/dtabs").check(s) == nil && (s == "" || strings.Contains(s, "/") || s == "." || s == "..") {
			t.Fatalf("%q is taken", s)
		}
	})
}
