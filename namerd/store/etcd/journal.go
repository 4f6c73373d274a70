package etcd

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/weft-mesh/weft/namerd"
)

// kept is how many changes of a namespace are kept.
const kept = 100

// head is the value of the key head of a history. It is written with every change, so
// that comparing its revision makes the changes of a namespace one chain.
type head struct {
	N  uint64 `json:"n"`  // changes so far
	ID string `json:"id"` // of the last one
}

// entry is the value of the key of a change.
type entry struct {
	ID     string        `json:"id"`
	Change namerd.Change `json:"change"` // without its version, which is the key's
}

// journal has the keys of the history of a namespace.
type journal string

func (s *Store) journal(namespace string) journal {
	return journal(s.history + url.PathEscape(namespace) + "/")
}

// head returns the key of the head.
func (j journal) head() string { return string(j) + "head" }

// slot returns the key of the change with a number, which later is that of another one.
func (j journal) slot(n uint64) string { return fmt.Sprintf("%s%02d", string(j), n%kept) }

// slots returns the range of the keys of changes.
func (j journal) slots() (from, to string) { return string(j) + "0", string(j) + ":" }

func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}
