package etcd

import (
	"encoding/json"
	"testing"
)

// FuzzEntry is that whatever somebody puts into a history is either refused or can be
// shown.
func FuzzEntry(f *testing.F) {
	f.Add([]byte(`{"id":"X","change":{"at":"2026-01-02T03:04:05Z","author":"a","dtab":"/a=>/b"}}`))
	f.Add([]byte(`{"id":"X","change":{"at":"2026-01-02T03:04:05Z","deleted":true}}`))
	f.Add([]byte(`{"id":"X","change":{"dtab":"junk"}}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		var e entry
		if json.Unmarshal(value, &e) != nil {
			return
		}
		text, err := encode(e)
		if err != nil {
			t.Skip() // a time that JSON has no form for
		}
		var again entry
		if err := json.Unmarshal([]byte(text), &again); err != nil || again.ID != e.ID || again.Change.Dtab.String() != e.Change.Dtab.String() {
			t.Errorf("%q becomes %q, %v", value, text, err)
		}
	})
}
