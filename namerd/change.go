package namerd

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Note says who makes a change and why. Both may be empty.
type Note struct {
	Author string
	Reason string
}

// Change is one write to a namespace. As JSON it is what stores keep and the HTTP
// API shows: an object with at (RFC 3339), version (base64), author, reason, and
// either dtab (its text) or deleted (true).
type Change struct {
	Note

	// At is when it was made, by the clock of who made it.
	At time.Time

	// Version is the one that it made, empty for a deletion.
	Version Version

	// Deleted says that the namespace was removed; otherwise Dtab is what it became.
	Deleted bool
	Dtab    dtab.Dtab
}

type changeJSON struct {
	At      time.Time `json:"at"`
	Version []byte    `json:"version,omitempty"`
	Author  string    `json:"author,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Deleted bool      `json:"deleted,omitempty"`
	Dtab    *string   `json:"dtab,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (c Change) MarshalJSON() ([]byte, error) {
	j := changeJSON{At: c.At.UTC(), Version: []byte(c.Version), Author: c.Author, Reason: c.Reason, Deleted: c.Deleted}
	if !c.Deleted {
		text := c.Dtab.Exact()
		j.Dtab = &text
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Change) UnmarshalJSON(b []byte) error {
	var j changeJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*c = Change{Note: Note{Author: j.Author, Reason: j.Reason}, At: j.At, Version: Version(j.Version), Deleted: j.Deleted}
	if j.Dtab == nil {
		if !j.Deleted {
			return fmt.Errorf("namerd: a change of %s that is neither a dtab nor a deletion", j.At)
		}
		return nil
	}
	var err error
	c.Dtab, err = dtab.Parse(*j.Dtab)
	return err
}
