package client

import (
	"fmt"
	"strings"
)

// Escape returns a namespace as it stands in the path of a request. namerd takes it
// from there as it comes and decodes nothing, so that what can stand in a path is
// left alone, slashes and escaped octets too: what List returns is escaped to itself.
func Escape(namespace string) string {
	var b strings.Builder
	for i := range len(namespace) {
		switch c := namespace[i]; {
		case c == '%' && i+2 < len(namespace) && isHex(namespace[i+1]) && isHex(namespace[i+2]),
			c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			strings.IndexByte("-._~!$&'()*+,;=:@/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
