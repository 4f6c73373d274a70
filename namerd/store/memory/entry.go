package memory

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// maxHistory is how many changes of a namespace are kept.
const maxHistory = 100

// maxGraves is how many deleted namespaces are remembered, for their history and for
// their count.
const maxGraves = 1000

// entry is what is known of a namespace, or of one that was deleted. The zero entry is
// a namespace that there never was.
type entry struct {
	exists   bool
	dtab     dtab.Dtab
	count    uint64 // writes to it, deletions too
	revision uint64 // of the last one
	history  []namerd.Change
}

func (e *entry) version() namerd.Version {
	return namerd.Version(binary.BigEndian.AppendUint64(nil, e.count))
}

// mustHave returns an error of namerd unless the namespace exists at version v.
func (e *entry) mustHave(v namerd.Version) error {
	switch {
	case !e.exists:
		return namerd.ErrMissing
	case v != e.version():
		return namerd.ErrMismatch
	}
	return nil
}

// show is how people see a version.
func show(v namerd.Version) string { return hex.EncodeToString([]byte(v)) }
