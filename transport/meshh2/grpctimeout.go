package meshh2

import (
	"math"
	"strconv"
	"time"
)

const maxTimeoutDigits = 8

// ParseTimeout reads the value of a grpc-timeout field: up to eight digits and a
// unit, one of HMSmun. What does not fit a Duration is cut to the longest one; that
// is 292 years. See PROTOCOL-HTTP2.md of gRPC.
func ParseTimeout(s string) (time.Duration, bool) {
	digits := len(s) - 1
	if digits < 1 || digits > maxTimeoutDigits {
		return 0, false
	}
	var unit time.Duration
	switch s[digits] {
	case 'H':
		unit = time.Hour
	case 'M':
		unit = time.Minute
	case 'S':
		unit = time.Second
	case 'm':
		unit = time.Millisecond
	case 'u':
		unit = time.Microsecond
	case 'n':
		unit = time.Nanosecond
	default:
		return 0, false
	}
	var n int64
	for i := range digits {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if n > math.MaxInt64/int64(unit) {
		return math.MaxInt64, true
	}
	return time.Duration(n * int64(unit)), true
}

// FormatTimeout returns the grpc-timeout that is d, rounded up to the finest unit
// in which eight digits are enough. What is not positive is "0n".
func FormatTimeout(d time.Duration) string {
	if d <= 0 {
		return "0n"
	}
	b := make([]byte, 0, maxTimeoutDigits+1)
	for _, u := range [...]struct {
		unit time.Duration
		name byte
	}{{time.Nanosecond, 'n'}, {time.Microsecond, 'u'}, {time.Millisecond, 'm'}, {time.Second, 'S'}, {time.Minute, 'M'}, {time.Hour, 'H'}} {
		n := d / u.unit
		if d%u.unit > 0 {
			n++
		}
		if n < 1e8 {
			b = append(strconv.AppendInt(b, int64(n), 10), u.name)
			break
		}
	}
	return string(b)
}
