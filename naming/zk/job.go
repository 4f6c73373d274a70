package zk

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weft-mesh/weft/dtab"
)

// job is what the path of a serverset says.
type job struct {
	path     string // of the znode
	endpoint string // of the additional endpoints; empty for the main one
	shard    int    // -1 for any
}

// String returns the path as it is written.
func (j job) String() string {
	s := j.path
	if j.endpoint != "" {
		s += ":" + j.endpoint
	}
	if j.shard >= 0 {
		s += "#" + strconv.Itoa(j.shard)
	}
	return s
}

// parseJob reads the path of a serverset: the last element may be followed by
// :endpoint and #shard. It returns false for a path that no znode can have.
func parseJob(p dtab.Path) (j job, possible bool, err error) {
	j.shard = -1
	elems := p.Strings()
	if len(elems) > 0 {
		last := &elems[len(elems)-1]
		text := *last
		name, shard, sharded := strings.Cut(text, "#")
		name, endpoint, qualified := strings.Cut(name, ":")
		bad := name == "" || qualified && endpoint == "" || strings.Contains(endpoint, ":")
		if sharded {
			n, err := strconv.ParseUint(shard, 10, 31)
			bad = bad || err != nil
			j.shard = int(n)
		}
		if bad {
			return job{}, false, fmt.Errorf("zk: invalid job syntax: %s: want name, name:endpoint, name#shard or name:endpoint#shard", text)
		}
		*last, j.endpoint = name, endpoint
	}
	j.path, possible = znode(elems)
	return j, possible, nil
}

// znode returns the path of the znode with those names from the root, and false if
// there can be none.
func znode(names []string) (string, bool) {
	for _, n := range names {
		if n == "" || n == "." || n == ".." || !utf8.ValidString(n) || strings.ContainsFunc(n, func(r rune) bool {
			return r == '/' || r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0xd800 && r <= 0xf8ff || r >= 0xfff0 && r <= 0xffff
		}) {
			return "", false
		}
	}
	return "/" + strings.Join(names, "/"), true
}

// below returns the path of a child.
func below(path, child string) string {
	if path == "/" {
		return "/" + child
	}
	return path + "/" + child
}
