package admin

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// durationPart is one part of a duration in the form of Finagle's
// Duration.toString: "1.minutes", "+30.seconds".
const durationPart = `([+-]?)\s*([0-9]+)\.(days?|hours?|minutes?|seconds?|milliseconds?|microseconds?|nanoseconds?)`

// parseDuration reads a duration as Finagle writes it, such as "10.seconds" or
// "1.minutes+30.seconds"; "duration.top" is for ever. The error is for people.
func parseDuration(text string) (time.Duration, error) {
	fail := func(why string) (time.Duration, error) {
		return 0, fmt.Errorf("admin: invalid duration %q: %s", text, why)
	}
	rest := strings.ToLower(strings.TrimSpace(text))
	if rest == "duration.top" {
		return math.MaxInt64, nil
	}
	part := regexp.MustCompile(`^` + durationPart + `\s*`)
	var sum time.Duration
	for first := true; first || rest != ""; first = false {
		m := part.FindStringSubmatch(rest)
		if m == nil || !first && m[1] == "" {
			return fail(`it has to look like "10.seconds" or "1.minutes+30.seconds"`)
		}
		rest = rest[len(m[0]):]
		n, err := strconv.ParseInt(m[2], 10, 64)
		unit := durationUnit(m[3])
		if err != nil || n > math.MaxInt64/int64(unit) {
			return fail("it is too long")
		}
		d := time.Duration(n) * unit
		if m[1] == "-" {
			d = -d
		}
		if d > 0 && sum > math.MaxInt64-d {
			return fail("it is too long")
		}
		if d < 0 && sum < math.MinInt64-d {
			return fail("it is negative")
		}
		sum += d
	}
	if sum < 0 {
		return fail("it is negative")
	}
	return sum, nil
}

func durationUnit(name string) time.Duration {
	switch strings.TrimSuffix(name, "s") {
	case "day":
		return 24 * time.Hour
	case "hour":
		return time.Hour
	case "minute":
		return time.Minute
	case "second":
		return time.Second
	case "millisecond":
		return time.Millisecond
	case "microsecond":
		return time.Microsecond
	default:
		return time.Nanosecond
	}
}
