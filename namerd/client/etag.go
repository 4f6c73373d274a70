package client

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/weft-mesh/weft/namerd"
)

// ETag returns a version as it stands in the headers ETag and If-Match.
func ETag(v namerd.Version) string { return base64.StdEncoding.EncodeToString([]byte(v)) }

// ParseETag reads a version from a header. Quotes, which namerd does not use, and the
// mark of weak tags are passed over. Empty is no version.
func ParseETag(tag string) (namerd.Version, error) {
	v, err := base64.StdEncoding.DecodeString(TrimETag(tag))
	if err != nil {
		return "", fmt.Errorf("the version %q is not base64", tag)
	}
	return namerd.Version(v), nil
}

// TrimETag returns an entity tag without quotes and the mark of weak ones.
func TrimETag(tag string) string {
	tag = strings.TrimSpace(tag)
	if weak, ok := strings.CutPrefix(tag, "W/"); ok && strings.HasPrefix(weak, `"`) {
		tag = weak
	}
	if len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		tag = tag[1 : len(tag)-1]
	}
	return tag
}
