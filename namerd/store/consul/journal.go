package consul

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"github.com/weft-mesh/weft/namerd"
)

// kept is how many changes of a namespace are kept.
const kept = 100

// long is from which length on a change is compressed: a transaction has a limit of
// 512 KB for the dtab and the change together, both of them in base64.
const long = 16 << 10

// head is the value of the key head of a history. It is written with every change, so
// that comparing its index makes the changes of a namespace one chain.
type head struct {
	N  uint64 `json:"n"`  // changes so far
	ID string `json:"id"` // of the last one
}

// entry is the value of the key of a change.
type entry struct {
	N      uint64        `json:"n"`
	ID     string        `json:"id"`
	Change namerd.Change `json:"change"` // without its version, which is the key's
}

// journal has the keys of the history of a namespace.
type journal string

func (s *Store) journal(namespace string) journal { return journal(s.history + namespace + "/") }

// head returns the key of the head.
func (j journal) head() string { return string(j) + "head" }

// slot returns the key of the change with a number, which later is that of another one.
func (j journal) slot(n uint64) string { return fmt.Sprintf("%s%02d", string(j), n%kept) }

// encodeEntry returns the value of the key of a change.
func encodeEntry(e entry) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil || len(text) < long {
		return text, err
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// maxEntry bounds what a compressed change may become.
const maxEntry = 64 << 20

// decodeEntry is the opposite of encodeEntry.
func decodeEntry(value []byte) (e entry, err error) {
	if bytes.HasPrefix(value, []byte{0x1f, 0x8b}) {
		r, err := gzip.NewReader(bytes.NewReader(value))
		if err != nil {
			return e, err
		}
		if value, err = io.ReadAll(io.LimitReader(r, maxEntry)); err != nil {
			return e, err
		}
	}
	err = json.Unmarshal(value, &e)
	return e, err
}
