package k8s

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

const (
	maxChanges = 10
	maxHistory = 100 << 10 // bytes; all annotations of an object together may have 256 KiB
	maxText    = maxHistory / 2
)

// journal is the history of an object as its annotation has it, the latest change last.
type journal struct {
	// Count is how many changes were made altogether.
	Count   int     `json:"count"`
	Changes []entry `json:"changes"`
}

// entry is one change.
type entry struct {
	// ID tells who wrote it that it was written.
	ID string `json:"id"`

	At      time.Time `json:"at"`
	Version string    `json:"version,omitempty"` // is known after the writing only
	Author  string    `json:"author,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Sum     string    `json:"sum"`            // of the dtab
	Dtab    *string   `json:"dtab,omitempty"` // nil if it is long
}

// sum tells dtabs apart.
func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:8])
}

// readJournal reads the history of an object. The version that the last change made is
// the object's, unless another client has changed the dtab since.
func readJournal(o object) (journal, error) {
	var j journal
	if o.history == "" {
		return j, nil
	}
	if err := json.Unmarshal([]byte(o.history), &j); err != nil {
		return journal{}, fmt.Errorf("the annotation %s holds no history: %w", annotation, err)
	}
	if n := len(j.Changes); n > 0 && o.bad == nil && j.Changes[n-1].Version == "" {
		last := &j.Changes[n-1]
		if text := o.dtab.Exact(); sum(text) == last.Sum {
			last.Version, last.Dtab = o.version, &text
		}
	}
	return j, nil
}

// with returns the text of the journal with one more change, without those that are too
// many.
func (j journal) with(e entry, text string) (string, error) {
	e.Sum = sum(text)
	if len(text) <= maxText {
		e.Dtab = &text
	}
	j.Count++
	var all []entry
	for _, old := range j.Changes {
		if old.Dtab != nil && len(*old.Dtab) <= maxText {
			all = append(all, old)
		}
	}
	all = append(all, e)
	j.Changes = all[max(0, len(all)-maxChanges):]
	for {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(j); err != nil {
			return "", err
		}
		if b.Len() <= maxHistory || len(j.Changes) == 1 {
			return b.String(), nil
		}
		j.Changes = j.Changes[1:]
	}
}

// find returns the change with that id.
func (j journal) find(id string) (entry, bool) {
	i := slices.IndexFunc(j.Changes, func(e entry) bool { return e.ID == id })
	if i < 0 {
		return entry{}, false
	}
	return j.Changes[i], true
}

// last returns at most limit changes, the latest first.
func (j journal) last(limit int) ([]namerd.Change, error) {
	var all []namerd.Change
	for _, e := range slices.Backward(j.Changes) {
		if len(all) >= limit {
			break
		}
		if e.Dtab == nil {
			continue // it was long, and another client has changed it
		}
		c := namerd.Change{Note: namerd.Note{Author: e.Author, Reason: e.Reason}, At: e.At, Version: namerd.Version(e.Version)}
		var err error
		if c.Dtab, err = dtab.Parse(*e.Dtab); err != nil {
			return nil, fmt.Errorf("the change of %s: %w", e.At, err)
		}
		all = append(all, c)
	}
	return all, nil
}
