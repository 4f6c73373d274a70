// Package influx writes a telemetry tree in InfluxDB's line protocol, as the page of
// Linkerd's io.l5d.influxdb, which Telegraf polls: a line for every scope that has
// metrics, without a timestamp.
package influx

import (
	"io"

	"github.com/weft-mesh/weft/telemetry"
)

// ContentType is that of the output.
const ContentType = "text/plain"

// Options configure Write. The zero Options give what the original gives to a
// request without a Host header.
type Options struct {
	// Host is the value of the tag host. Empty is "none".
	Host string
}

// Write writes the metrics of t. Counters and gauges are live; stats describe the
// last closed window, even if it was empty. It returns the error of w.
func Write(w io.Writer, t *telemetry.Tree, o Options) error {
	if o.Host == "" {
		o.Host = "none"
	}
	x := writer{w: w, host: o.Host}
	x.scope(t.Scope(), nil)
	x.flush()
	return x.err
}

// writer writes the lines of scopes, those of a scope before those below it, in pieces.
type writer struct {
	w    io.Writer
	host string
	line line // of one scope after the other
	buf  []byte
	err  error
}

func (x *writer) scope(s *telemetry.Scope, path []string) {
	type inner struct {
		name  string
		scope *telemetry.Scope
	}
	var below []inner
	l := &x.line
	l.fields, l.values = l.fields[:0], l.values[:0]
	s.Each(func(name string, m telemetry.Metric, ok bool, b *telemetry.Scope) {
		if b != nil {
			below = append(below, inner{name, b})
		}
		if ok && (m.Kind != telemetry.KindStat || m.Summary != nil) {
			l.add(name, m)
		}
	})
	if len(l.fields) > 0 {
		x.buf = l.append(x.buf, path, x.host)
		if len(x.buf) > 32<<10 {
			x.flush()
		}
	}
	for _, b := range below {
		x.scope(b.scope, append(path, b.name))
	}
}

func (x *writer) flush() {
	if x.err == nil && len(x.buf) > 0 {
		_, x.err = x.w.Write(x.buf)
	}
	x.buf = x.buf[:0]
}

func appendEscaped(out []byte, s string) []byte {
	if s == "" {
		return append(out, "none"...) // an empty value would make the line malformed
	}
	out = appendPlain(out, s)
	if out[len(out)-1] == '\\' {
		out = append(out, ' ') // a backslash at the end would escape what separates
	}
	return out
}

// appendPlain is appendEscaped of what goes on.
func appendPlain(out []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == ',' || c == '=' || c == ' ':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '_')
		default:
			out = append(out, c)
		}
	}
	return out
}
