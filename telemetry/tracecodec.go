package telemetry

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrTrace is returned for text or bytes that are no encoded Trace.
var ErrTrace = errors.New("telemetry: not a trace id")

// The sizes of an encoded Trace with a 64-bit and with a 128-bit id.
const (
	traceSize     = 32
	longTraceSize = 40
)

// The flags of an encoded Trace.
const (
	flagDebug        = 1 << 0
	flagSampledKnown = 1 << 1
	flagSampled      = 1 << 2
	flagsKnown       = flagDebug | flagSampledKnown | flagSampled
)

// Flags returns the flags of the encoded form: bit 0 debug, bit 1 sampling known,
// bit 2 sampled.
func (t Trace) Flags() uint64 {
	f := t.rest &^ flagsKnown
	if t.Debug {
		f |= flagDebug
	}
	if t.SampledKnown {
		f |= flagSampledKnown
	}
	if t.Sampled {
		f |= flagSampled
	}
	return f
}

// WithFlags returns t with the flags f, see Flags.
func (t Trace) WithFlags(f uint64) Trace {
	t.Debug = f&flagDebug != 0
	t.SampledKnown = f&flagSampledKnown != 0
	t.Sampled = f&flagSampled != 0
	t.rest = f &^ flagsKnown
	return t
}

// Append appends the binary form, that of Finagle's TraceContext: span id, parent
// id, low half of the trace id and flags, 8 bytes each in big-endian order, then
// the high half of the trace id unless it is 0.
func (t Trace) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, t.Span)
	dst = binary.BigEndian.AppendUint64(dst, t.Parent)
	dst = binary.BigEndian.AppendUint64(dst, t.TraceLow)
	dst = binary.BigEndian.AppendUint64(dst, t.Flags())
	if t.TraceHigh != 0 {
		dst = binary.BigEndian.AppendUint64(dst, t.TraceHigh)
	}
	return dst
}

// AppendBase64 appends the value of an l5d-ctx-trace header: the binary form in
// padded standard base64.
func (t Trace) AppendBase64(dst []byte) []byte {
	var raw [longTraceSize]byte
	return base64.StdEncoding.AppendEncode(dst, t.Append(raw[:0]))
}

// EncodeString returns the value of an l5d-ctx-trace header, see AppendBase64.
func (t Trace) EncodeString() string {
	var text [56]byte
	return string(t.AppendBase64(text[:0]))
}

// DecodeTrace reads the binary form, 32 or 40 bytes. It returns ErrTrace for any
// other length.
func DecodeTrace(b []byte) (Trace, error) {
	if len(b) != traceSize && len(b) != longTraceSize {
		return Trace{}, fmt.Errorf("%w: %d bytes, not 32 or 40", ErrTrace, len(b))
	}
	t := Trace{
		Span:     binary.BigEndian.Uint64(b),
		Parent:   binary.BigEndian.Uint64(b[8:]),
		TraceLow: binary.BigEndian.Uint64(b[16:]),
	}
	if len(b) == longTraceSize {
		t.TraceHigh = binary.BigEndian.Uint64(b[32:])
	}
	return t.WithFlags(binary.BigEndian.Uint64(b[24:])), nil
}

// ParseTrace reads the value of an l5d-ctx-trace header. A header for which it
// returns ErrTrace is to be treated as absent.
func ParseTrace(s string) (Trace, error) {
	// The decoder skips line breaks, which a header must not have: the length of
	// the text says whether there were any.
	if len(s) != 44 && len(s) != 56 {
		return Trace{}, fmt.Errorf("%w: %d characters, not 44 or 56", ErrTrace, len(s))
	}
	var text [56]byte
	var raw [42]byte
	n, err := base64.StdEncoding.Decode(raw[:], text[:copy(text[:], s)])
	if err != nil {
		return Trace{}, fmt.Errorf("%w: %w", ErrTrace, err)
	}
	if want := len(s) / 4 * 3; n != want-1 && n != want-2 {
		return Trace{}, fmt.Errorf("%w: line break in it", ErrTrace)
	}
	return DecodeTrace(raw[:n])
}
