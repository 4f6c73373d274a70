package statsd

import "strings"

// Name returns the path of a metric as the original spells it: letters, digits and
// slashes stay, every other character becomes "_", two slashes become one and slashes
// become dots.
func Name(path []string) string {
	var b strings.Builder
	for _, r := range strings.Join(path, "/") {
		switch {
		case r == '/' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			b.WriteByte(byte(r))
		case r > 0xffff:
			b.WriteString("__") // two characters of Java
		default:
			b.WriteByte('_')
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "//", "/"), "/", ".")
}
