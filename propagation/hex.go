package propagation

import "github.com/weft-mesh/weft/telemetry"

// parseHex reads at most 16 hexadecimal digits, and at least one.
func parseHex(s string) (n uint64, ok bool) {
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | uint64(c)
	}
	return n, true
}

// parseID reads a trace id of up to 128 bits. Zero is none.
func parseID(s string) (high, low uint64, ok bool) {
	if len(s) > 16 {
		if high, ok = parseHex(s[:len(s)-16]); !ok {
			return 0, 0, false
		}
		s = s[len(s)-16:]
	}
	low, ok = parseHex(s)
	return high, low, ok && high|low != 0
}

// appendID appends a trace id, of 16 digits if that is enough.
func appendID(dst []byte, t telemetry.Trace) []byte {
	if t.TraceHigh != 0 {
		dst = telemetry.AppendID(dst, t.TraceHigh)
	}
	return telemetry.AppendID(dst, t.TraceLow)
}
