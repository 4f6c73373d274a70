package file

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// record is what the file has of a namespace: two big-endian numbers of 8 bytes, and
// the text of the dtab, of which there is none for a deleted one.
type record struct {
	count    uint64 // writes to the namespace, deletions too
	revision uint64 // of the last one
	text     string
}

func (r record) encode() []byte {
	b := make([]byte, 0, 16+len(r.text))
	b = binary.BigEndian.AppendUint64(b, r.count)
	b = binary.BigEndian.AppendUint64(b, r.revision)
	return append(b, r.text...)
}

// decodeRecord reads a record. It keeps nothing of b.
func decodeRecord(b []byte) (record, error) {
	if len(b) < 16 {
		return record{}, fmt.Errorf("a record of %d bytes instead of 16 or more", len(b))
	}
	return record{count: binary.BigEndian.Uint64(b), revision: binary.BigEndian.Uint64(b[8:]), text: string(b[16:])}, nil
}

func (r record) version() namerd.Version { return namerd.Version(number(r.count)) }

// stored returns the record of a namespace that exists, as it was read from the
// sequence of revisions with a name.
func (r record) stored(of string) (namerd.Stored, error) {
	d, err := dtab.Parse(r.text)
	if err != nil {
		return namerd.Stored{}, fmt.Errorf("what is stored is not a dtab: %w", err)
	}
	return namerd.Stored{Exists: true, Dtab: d, Version: r.version(), Revision: namerd.Revision{Of: of, N: r.revision}}, nil
}

// number is how numbers are kept, in keys too, which are then in their order.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func parseNumber(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("a number of %d bytes instead of 8", len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// show is how people see a version.
func show(v namerd.Version) string { return hex.EncodeToString([]byte(v)) }
