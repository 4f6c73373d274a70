package meshh2

import (
	"strings"
	"unicode/utf8"
)

// EncodeMessage returns text as the value of a grpc-message field: what is not
// printable ASCII, and %, as percent escapes of its UTF-8. The result is cut to
// limit bytes, without half a rune at its end; zero means no limit. See
// PROTOCOL-HTTP2.md of gRPC.
func EncodeMessage(text string, limit int) string {
	if (limit <= 0 || len(text) <= limit) && plain(text) {
		return text
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		cost := size * 3
		if size == 1 && keeps(text[i]) {
			cost = 1
		}
		if limit > 0 && b.Len()+cost > limit {
			break
		}
		for _, c := range []byte(text[i : i+size]) {
			if keeps(c) {
				b.WriteByte(c)
				continue
			}
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
		i += size
	}
	return b.String()
}

// DecodeMessage is the inverse of EncodeMessage. An escape that is none stays as it
// is, as gRPC asks.
func DecodeMessage(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, ok := unhex(s[i+1])
			lo, ok2 := unhex(s[i+2])
			if ok && ok2 {
				b = append(b, hi<<4|lo)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func plain(s string) bool {
	for i := range len(s) {
		if !keeps(s[i]) {
			return false
		}
	}
	return true
}

// keeps reports whether a byte stands for itself.
func keeps(c byte) bool { return c >= ' ' && c <= '~' && c != '%' }

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	default:
		return 0, false
	}
}
