package propagation

import (
	"strconv"
	"strings"

	"github.com/weft-mesh/weft/telemetry"
)

// The headers of B3. Their spelling is that of http.Header.
const (
	headerB3        = "B3"
	headerB3Trace   = "X-B3-Traceid"
	headerB3Span    = "X-B3-Spanid"
	headerB3Parent  = "X-B3-Parentspanid"
	headerB3Sampled = "X-B3-Sampled"
	headerB3Flags   = "X-B3-Flags"
)

// maxB3 is the length of the longest b3 header: two ids of 16 bytes and of 8, the
// decision, and the parent.
const maxB3 = 32 + 1 + 16 + 1 + 1 + 1 + 16

// parseB3 reads the value of a b3 header: "traceid-spanid[-decision[-parentid]]", or
// a decision alone. The Trace of the latter has no ids.
func parseB3(s string) (telemetry.Trace, bool) {
	var t telemetry.Trace
	if len(s) > maxB3 {
		return t, false
	}
	if !strings.Contains(s, "-") {
		ok := decide(&t, s)
		return t, ok
	}
	id, rest, _ := strings.Cut(s, "-")
	span, rest, decided := strings.Cut(rest, "-")
	if len(id) != 16 && len(id) != 32 || len(span) != 16 {
		return telemetry.Trace{}, false
	}
	var ok1, ok2 bool
	t.TraceHigh, t.TraceLow, ok1 = parseID(id)
	t.Span, ok2 = parseHex(span)
	if !ok1 || !ok2 || t.Span == 0 {
		return telemetry.Trace{}, false
	}
	t.Parent = t.Span
	if !decided {
		return t, true // deferred to us
	}
	decision, parent, has := strings.Cut(rest, "-")
	if !decide(&t, decision) {
		return telemetry.Trace{}, false
	}
	if has {
		id, ok := parseHex(parent)
		if !ok || len(parent) != 16 {
			return telemetry.Trace{}, false
		}
		if id != 0 {
			t.Parent = id
		}
	}
	return t, true
}

// decide reads the decision of a b3 header.
func decide(t *telemetry.Trace, s string) bool {
	switch s {
	case "0":
		t.SampledKnown, t.Sampled = true, false
	case "1":
		t.SampledKnown, t.Sampled = true, true
	case "d":
		t.SampledKnown, t.Sampled, t.Debug = true, true, true
	default:
		return false
	}
	return true
}

// appendB3 appends the value of a b3 header.
func appendB3(dst []byte, t telemetry.Trace) []byte {
	dst = appendID(dst, t)
	dst = append(dst, '-')
	dst = telemetry.AppendID(dst, t.Span)
	sampled, known := t.Decision()
	switch {
	case t.Debug:
		dst = append(dst, "-d"...)
	case sampled:
		dst = append(dst, "-1"...)
	case known:
		dst = append(dst, "-0"...)
	default:
		return dst // a parent can only follow a decision
	}
	if t.HasParent() {
		dst = append(dst, '-')
		dst = telemetry.AppendID(dst, t.Parent)
	}
	return dst
}

// hasB3 reports whether there are B3 headers that say something.
func hasB3(c Carrier) bool {
	return len(c.Values(headerB3Span)) > 0 || len(c.Values(headerB3Sampled)) > 0 || len(c.Values(headerB3Flags)) > 0
}

// readB3 reads the B3 headers. The Trace of a decision that comes alone has no ids; with
// a trace id the span id is required, without one, as in Linkerd, the trace id is the span
// id.
func readB3(c Carrier) (t telemetry.Trace, ok bool) {
	id, hasID := first(c, headerB3Trace)
	span, hasSpan := first(c, headerB3Span)
	sampled, hasSampled := first(c, headerB3Sampled)
	flags, hasFlags := first(c, headerB3Flags)
	switch {
	case hasSpan:
		if t.Span, ok = parseHex(strings.TrimSpace(span)); !ok || t.Span == 0 {
			return telemetry.Trace{}, false
		}
		t.Parent, t.TraceLow = t.Span, t.Span
		if hasID {
			if t.TraceHigh, t.TraceLow, ok = parseID(strings.TrimSpace(id)); !ok {
				return telemetry.Trace{}, false
			}
		}
		if v, has := first(c, headerB3Parent); has {
			if p, ok := parseHex(strings.TrimSpace(v)); ok && p != 0 {
				t.Parent = p
			}
		}
	case hasID:
		return t, false
	}
	if hasFlags {
		if f, err := strconv.ParseUint(strings.TrimSpace(flags), 10, 64); err == nil {
			t = t.WithFlags(f)
		}
	}
	if hasSampled {
		switch strings.ToLower(strings.TrimSpace(sampled)) {
		case "1", "true", "d":
			t.SampledKnown, t.Sampled = true, true
		case "0", "false":
			t.SampledKnown, t.Sampled = true, false
		}
	}
	_, known := t.Decision()
	return t, hasSpan || known
}

// writeB3 writes the B3 headers.
func writeB3(t telemetry.Trace, c Carrier) {
	text := appendID(make([]byte, 0, 64), t)
	id := len(text)
	text = telemetry.AppendID(text, t.Span)
	if t.HasParent() {
		text = telemetry.AppendID(text, t.Parent)
	}
	all := string(text)
	c.Set(headerB3Trace, all[:id])
	c.Set(headerB3Span, all[id:id+16])
	if t.HasParent() {
		c.Set(headerB3Parent, all[id+16:])
	} else {
		c.Del(headerB3Parent)
	}
	if sampled, known := t.Decision(); !known {
		c.Del(headerB3Sampled)
	} else if sampled {
		c.Set(headerB3Sampled, "1")
	} else {
		c.Set(headerB3Sampled, "0")
	}
	c.Set(headerB3Flags, strconv.FormatUint(t.Flags(), 10))
}

func first(c Carrier, key string) (string, bool) {
	if v := c.Values(key); len(v) > 0 {
		return v[0], true
	}
	return "", false
}
