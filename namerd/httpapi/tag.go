package httpapi

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/namerd"
)

// tag is how a version is shown: base64 without the quotes that HTTP wants.
func tag(v namerd.Version) string { return base64.StdEncoding.EncodeToString([]byte(v)) }

// condition is what If-Match says.
type condition struct {
	given    bool
	any      bool             // *
	versions []namerd.Version // what is not base64 is none
}

// parseCondition reads If-Match: tags as ETag shows them, or as HTTP wants them.
func parseCondition(h http.Header) condition {
	lines := h.Values("If-Match")
	c := condition{given: len(lines) > 0}
	for one := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		one = strings.TrimSpace(one)
		if one == "*" {
			c.any = true
			continue
		}
		one = strings.TrimPrefix(one, "W/")
		if n := len(one); n >= 2 && one[0] == '"' && one[n-1] == '"' {
			one = one[1 : n-1]
		}
		// The empty version would be none at all to a store.
		if v, err := base64.StdEncoding.DecodeString(one); err == nil && len(v) > 0 {
			c.versions = append(c.versions, namerd.Version(v))
		}
	}
	return c
}
