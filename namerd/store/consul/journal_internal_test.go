package consul

import (
	"strings"
	"testing"
)

// FuzzEntry is that whatever somebody puts into a history is either refused or can be
// shown.
func FuzzEntry(f *testing.F) {
	f.Add([]byte(`{"n":1,"id":"X","change":{"at":"2026-01-02T03:04:05Z","author":"a","dtab":"/a=>/b"}}`))
	f.Add([]byte(`{"n":1,"id":"X","change":{"at":"2026-01-02T03:04:05Z","deleted":true}}`))
	f.Add([]byte("\x1f\x8b"))
	long, err := encodeEntry(entry{N: 1, ID: strings.Repeat("x", 2*long)})
	if err != nil || len(long) > 1000 {
		f.Fatalf("%d bytes, %v", len(long), err)
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := decodeEntry(value)
		if err != nil {
			return
		}
		text, err := encodeEntry(e)
		if err != nil {
			t.Skip() // a time that JSON has no form for
		}
		again, err := decodeEntry(text)
		if err != nil || again.ID != e.ID || again.N != e.N || again.Change.Dtab.String() != e.Change.Dtab.String() {
			t.Errorf("%q becomes %q, %v", value, text, err)
		}
	})
}
