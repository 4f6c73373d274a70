package zk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

const (
	maxChanges = 100
	maxHistory = 256 << 10 // bytes

	// maxWrite is how large a dtab with its history may be: by default a server takes
	// messages of 1 MiB.
	maxWrite = 1_000_000
)

// journal is the history of a namespace as it is stored, the latest change last.
type journal struct {
	Changes []entry `json:"changes"`
}

// entry is one change.
type entry struct {
	// ID tells who wrote it that it was written.
	ID string `json:"id"`

	At      time.Time `json:"at"`
	Version []byte    `json:"version,omitempty"`
	Author  string    `json:"author,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Deleted bool      `json:"deleted,omitempty"`
	Dtab    string    `json:"dtab,omitempty"`
}

// readJournal reads what a znode has, which was written by the transaction zxid. That
// the last change made the znode of the namespace is known only now.
func readJournal(text []byte, zxid int64) (journal, error) {
	var j journal
	if len(text) == 0 {
		return j, nil
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return journal{}, fmt.Errorf("it is not a history: %w", err)
	}
	if n := len(j.Changes); n > 0 {
		last := &j.Changes[n-1]
		if v := namerd.Version(last.Version); unmade(v) {
			last.Version = []byte(madeBy(v, zxid))
		}
	}
	return j, nil
}

// with returns the journal with one more change, without those that are too many.
func (j journal) with(e entry) (journal, []byte, error) {
	j.Changes = append(slices.Clone(j.Changes[max(0, len(j.Changes)+1-maxChanges):]), e)
	for {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false) // an arrow has two characters and not seven
		if err := enc.Encode(j); err != nil {
			return journal{}, nil, err
		}
		over := b.Len() - maxHistory
		if over <= 0 || len(j.Changes) == 1 {
			return j, b.Bytes(), nil
		}
		// As many of the oldest ones as are too much, by what their dtabs have.
		drop := 0
		for drop < len(j.Changes)-1 && (over > 0 || drop == 0) {
			over -= len(j.Changes[drop].Dtab)
			drop++
		}
		j.Changes = j.Changes[drop:]
	}
}

// find returns the change with that id.
func (j journal) find(id string) (entry, bool) {
	for _, e := range j.Changes {
		if e.ID == id {
			return e, true
		}
	}
	return entry{}, false
}

// last returns at most limit changes, the latest first.
func (j journal) last(limit int) ([]namerd.Change, error) {
	var all []namerd.Change
	for _, e := range slices.Backward(j.Changes) {
		if len(all) >= limit {
			break
		}
		c := namerd.Change{
			Note: namerd.Note{Author: e.Author, Reason: e.Reason},
			At:   e.At, Version: namerd.Version(e.Version), Deleted: e.Deleted,
		}
		var err error
		if c.Dtab, err = dtab.Parse(e.Dtab); err != nil {
			return nil, fmt.Errorf("the change of %s: %w", e.At, err)
		}
		all = append(all, c)
	}
	return all, nil
}
