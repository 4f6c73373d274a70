package http1

import "encoding/binary"

// lower maps the bytes of a token (RFC 9110 §5.6.2) to lower case, and every other
// ASCII byte to zero. It is a constant so that there is no table that anyone could
// write to.
const lower = "" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x21\x00\x23\x24\x25\x26\x27\x00\x00\x2a\x2b\x00\x2d\x2e\x00" +
	"\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x00\x00\x00\x00\x00\x00" +
	"\x00\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f" +
	"\x70\x71\x72\x73\x74\x75\x76\x77\x78\x79\x7a\x00\x00\x00\x5e\x5f" +
	"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f" +
	"\x70\x71\x72\x73\x74\x75\x76\x77\x78\x79\x7a\x00\x7c\x00\x7e\x00"

// tokenByte returns c in lower case if it may be in a token, and zero otherwise.
func tokenByte(c byte) byte {
	if c >= 0x80 {
		return 0
	}
	return lower[c]
}

// isToken reports whether s is a token.
func isToken(s string) bool {
	for i := range len(s) {
		if tokenByte(s[i]) == 0 {
			return false
		}
	}
	return s != ""
}

// Eight bytes at a time: the masks of a byte's lowest and highest bit, repeated.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// isText reports whether b has nothing but what a field value may hold (RFC 9110
// §5.5): visible ASCII, spaces, tabs and bytes beyond ASCII. Control bytes have no
// business there, and parsers disagree about the line ends among them.
func isText(b []byte) bool {
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		control := (x - ones*0x20) &^ x & highs                    // a byte below 0x20 ...
		del := ((x ^ ones*0x7f) - ones) &^ (x ^ ones*0x7f) & highs // ... or 0x7f
		if control|del != 0 && !isShortText(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return isShortText(b)
}

func isShortText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isVisible reports whether b has nothing but visible ASCII, which is all that a
// request target may be made of (RFC 3986 §2).
func isVisible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// trim returns b without the optional whitespace (RFC 9110 §5.6.3) around it.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// is reports whether b is the lower-case word, in any case.
func is(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if tokenByte(c) != word[i] {
			return false
		}
	}
	return true
}
