package namerd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// Version identifies what is stored under a namespace. It is opaque bytes, chosen
// by the store, and changes with every write; a namespace that was deleted and made
// again does not have one of its former versions again. The empty Version is none.
type Version string

// Stored is what a store has under a namespace. The zero Stored is that there is no
// such namespace.
type Stored struct {
	Exists  bool
	Dtab    dtab.Dtab
	Version Version

	// Revision is where in the order of all writes to the store this was read: at
	// least the revision of the write that made Version, or that deleted the namespace.
	Revision Revision
}

// String describes s for the status of a watch.
func (s Stored) String() string {
	if !s.Exists {
		return "no such namespace"
	}
	return fmt.Sprintf("%d rules", len(s.Dtab))
}

// Revision is a place in a sequence of writes. Proxies compare them so as not to
// go back when they change from one namerd to another.
type Revision struct {
	// Of names the sequence, such as one cluster of etcd. Revisions of different
	// sequences cannot be compared.
	Of string

	// N counts in the sequence. 0 is an unknown place.
	N uint64
}

// String returns the revision as N@Of.
func (r Revision) String() string { return strconv.FormatUint(r.N, 10) + "@" + r.Of }

// revisionOf reads what String returned. Any other text is the unknown revision.
func revisionOf(text string) Revision {
	n, of, _ := strings.Cut(text, "@")
	place, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return Revision{}
	}
	return Revision{Of: of, N: place}
}

// Before reports whether r is known to be older than s.
func (r Revision) Before(s Revision) bool { return r.Of == s.Of && r.N != 0 && r.N < s.N }
