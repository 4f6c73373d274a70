package mesh

import (
	"encoding/hex"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// encodeDtab keeps the rules in the form in which they are sent, since their text
// would round the weights.
func encodeDtab(d dtab.Dtab) string {
	// Marshal fails for text that is not UTF-8 only, and a Dtab has bytes.
	b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(meshpb.NewDtab(d))
	return string(b)
}

func decodeDtab(rules string) (*meshpb.Dtab, error) {
	d := &meshpb.Dtab{}
	return d, proto.Unmarshal([]byte(rules), d)
}

// versionText shows the version of a dtab: a store's text, or its counter.
func versionText(id []byte) string {
	printable := !slices.ContainsFunc(id, func(b byte) bool { return b < ' ' || b > '~' })
	switch {
	case printable:
		return string(id)
	case len(id) > 8:
		return hex.EncodeToString(id)
	}
	var n uint64
	for _, b := range id {
		n = n<<8 | uint64(b)
	}
	return strconv.FormatUint(n, 10)
}
