package dtab

import "strings"

// What follows works on canonical text. In it an element is either written as it
// is, all of it showable, or escaped, all of it, so its first byte tells which;
// and a slash is always a separator.

// showable reports whether c stands for itself in an element.
func showable(c byte) bool {
	const (
		below64 = 1<<'#' | 1<<'$' | 1<<'%' | 1<<'-' | 1<<'.' | (1<<11-1)<<'0' // the digits and the colon
		above64 = (1<<26-1)<<('A'-64) | 1<<('_'-64) | (1<<26-1)<<('a'-64)
	)
	switch {
	case c < 64:
		return uint64(below64)>>c&1 != 0
	case c < 128:
		return uint64(above64)>>(c-64)&1 != 0
	}
	return false
}

// allShowable reports whether the element of these bytes is shown unescaped.
func allShowable(raw string) bool {
	for i := range len(raw) {
		if !showable(raw[i]) {
			return false
		}
	}
	return true
}

// shownLen returns the number of bytes that writeShown writes.
func shownLen(raw string) int {
	if allShowable(raw) {
		return len(raw)
	}
	return len(raw) * len(`\xhh`)
}

// writeShown writes the canonical text of the element of these bytes.
func writeShown(b *strings.Builder, raw string) {
	if allShowable(raw) {
		b.WriteString(raw)
		return
	}
	const hex = "0123456789abcdef"
	for i := range len(raw) {
		b.WriteString(`\x`)
		b.WriteByte(hex[raw[i]>>4])
		b.WriteByte(hex[raw[i]&15])
	}
}

// unescape returns the bytes of an element. It takes any spelling that the
// grammar allows, not just the canonical one, but no malformed escape.
func unescape(elem string) string {
	i := strings.IndexByte(elem, '\\')
	if i < 0 {
		return elem
	}
	raw := append(make([]byte, 0, len(elem)), elem[:i]...)
	for i < len(elem) {
		if elem[i] != '\\' {
			raw = append(raw, elem[i])
			i++
			continue
		}
		raw = append(raw, unhex(elem[i+2])<<4|unhex(elem[i+3]))
		i += len(`\xhh`)
	}
	return string(raw)
}

// isHex reports whether c is a hexadecimal digit.
func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unhex returns the value of a hexadecimal digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// offset returns where element n starts, with its slash: the length of the text
// of the first n elements, which is all of it if there are no more than n.
func offset(s string, n int) int {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		i := strings.IndexByte(s[at+1:], '/')
		if i < 0 {
			return len(s)
		}
		at += 1 + i
	}
	return at
}

// cutElement splits the first element, without its slash, from the rest.
func cutElement(s string) (elem, rest string) {
	if s == "" {
		return "", ""
	}
	if i := strings.IndexByte(s[1:], '/'); i >= 0 {
		return s[1 : 1+i], s[1+i:]
	}
	return s[1:], ""
}
