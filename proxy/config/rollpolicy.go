package config

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// RollPolicy is when an access log starts a new file. The zero RollPolicy is never.
type RollPolicy struct {
	When RollWhen

	// Weekday is that of RollWeekly, 1 (Sunday) to 7.
	Weekday int

	// Size is that of RollSize, in bytes.
	Size int64
}

// RollWhen is the kind of a RollPolicy.
type RollWhen uint8

// The kinds of RollPolicy.
const (
	RollNever RollWhen = iota
	RollHourly
	RollDaily
	RollWeekly
	RollSIGHUP
	RollSize
)

// UnmarshalConfig implements Unmarshaler: never, hourly, daily, weekly(n), sighup or
// a size such as 3.megabytes, in powers of 1024, as com.twitter.util.StorageUnit
// reads it.
func (p *RollPolicy) UnmarshalConfig(value any) error {
	text := strings.ToLower(show(value))
	simple := map[string]RollWhen{"never": RollNever, "hourly": RollHourly, "daily": RollDaily, "sighup": RollSIGHUP}
	if when, ok := simple[text]; ok {
		*p = RollPolicy{When: when}
		return nil
	}
	if m := regexp.MustCompile(`^weekly\(([1-7])\)$`).FindStringSubmatch(text); m != nil {
		*p = RollPolicy{When: RollWeekly, Weekday: int(m[1][0] - '0')}
		return nil
	}
	if size, ok := parseSize(text); ok && size > 0 {
		*p = RollPolicy{When: RollSize, Size: size}
		return nil
	}
	return keyError{message: "want never, hourly, daily, weekly(1) to weekly(7), sighup or a size such as 3.megabytes, found " + strconv.Quote(show(value))}
}

// parseSize reads "3.megabytes".
func parseSize(text string) (int64, bool) {
	m := regexp.MustCompile(`^(\d+(?:\.\d+)?)\.([a-z]+?)s?$`).FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	power, ok := map[string]int{"byte": 0, "kilobyte": 1, "megabyte": 2, "gigabyte": 3, "terabyte": 4, "petabyte": 5}[m[2]]
	n, err := strconv.ParseFloat(m[1], 64)
	if size := n * math.Pow(1024, float64(power)); ok && err == nil && size < math.MaxInt64 {
		return int64(size), true
	}
	return 0, false
}
