package file

import (
	"encoding/json"
	"testing"

	"github.com/weft-mesh/weft/namerd"
)

// FuzzRecord is that whatever is in the file is refused or read, and that what was
// read is written as it was.
func FuzzRecord(f *testing.F) {
	f.Add(record{1, 2, "/svc=>/#/a"}.encode())
	f.Add(record{1 << 63, 0, ""}.encode())
	f.Add([]byte("0123456701234567/svc=>"))
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","version":"AAAAAAAAAAE=","dtab":"/a=>/b"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c namerd.Change
		if json.Unmarshal(b, &c) == nil {
			if _, err := json.Marshal(c); err != nil {
				t.Fatal(err)
			}
		}
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		if string(r.encode()) != string(b) {
			t.Fatalf("%q becomes %q", b, r.encode())
		}
		st, err := r.stored("of")
		if err == nil && (!st.Exists || len(st.Version) != 8) {
			t.Fatalf("%q is %+v", b, st)
		}
	})
}
