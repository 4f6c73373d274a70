package zk

import (
	"encoding/binary"

	"github.com/weft-mesh/weft/namerd"
)

const (
	shortVersion = 4 // bytes of namerd 1.7.5's
	longVersion  = shortVersion + 8
)

// versionOf returns the version of what a znode has, from its own version and the zxid
// that made it.
func versionOf(version int32, czxid int64) namerd.Version {
	b := binary.BigEndian.AppendUint32(nil, uint32(version))
	return namerd.Version(binary.BigEndian.AppendUint64(b, uint64(czxid)))
}

// matches reports whether v is the version of what a znode has.
func matches(v namerd.Version, version int32, czxid int64) bool {
	have := versionOf(version, czxid)
	return v == have || len(v) == shortVersion && v == have[:shortVersion]
}

// unmade reports whether v lacks the zxid that made the znode.
func unmade(v namerd.Version) bool {
	return len(v) == longVersion && binary.BigEndian.Uint64([]byte(v[shortVersion:])) == 0
}

// madeBy returns v with the zxid that made the znode.
func madeBy(v namerd.Version, czxid int64) namerd.Version {
	return versionOf(int32(binary.BigEndian.Uint32([]byte(v[:shortVersion]))), czxid)
}
