package transport

import (
	"strconv"
	"strings"
	"time"
)

// DurationText prints d as Linkerd's error messages do: "10.seconds",
// "1.seconds+500.milliseconds", "1.minutes+30.seconds".
func DurationText(d time.Duration) string {
	if d == 0 {
		return "0.seconds"
	}
	units := [...]struct {
		name string
		size time.Duration
	}{
		{"days", 24 * time.Hour},
		{"hours", time.Hour},
		{"minutes", time.Minute},
		{"seconds", time.Second},
		{"milliseconds", time.Millisecond},
		{"microseconds", time.Microsecond},
		{"nanoseconds", time.Nanosecond},
	}
	var b strings.Builder
	for _, u := range units {
		n := d / u.size
		if n == 0 {
			continue
		}
		d %= u.size
		// Each unit has the sign of the whole, so that the least duration, which has no
		// positive counterpart, needs no case of its own.
		if n > 0 && b.Len() > 0 {
			b.WriteByte('+')
		}
		b.WriteString(strconv.FormatInt(int64(n), 10))
		b.WriteByte('.')
		b.WriteString(u.name)
	}
	return b.String()
}
