package telemetry

import (
	"bytes"
	"math"
	"strconv"
)

// AppendFloat appends f as all text exporters print gauges and averages: with a
// decimal point ("1.0", "0.25"), without an exponent unless beyond 1e15, and NaN,
// +Inf, -Inf.
func AppendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) >= 1e15 {
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, '.', '0')
	}
	return dst
}
