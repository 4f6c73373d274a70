// Package influx writes a telemetry tree in InfluxDB's line protocol, as the page of
// Linkerd's io.l5d.influxdb, which Telegraf polls: a line for every scope that has
// metrics, without a timestamp.
package influx

import (
	"io"
	"slices"

	"github.com/weft-mesh/weft/internal/inorder"
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
	parts := t.Scope().Parts()
	team := inorder.New()
	workers := make([]writer, team.Len())
	out := inorder.Output{W: w}
	_ = team.Do(len(parts), func(worker, i int, buf []byte) []byte {
		x := &workers[worker]
		x.host, x.buf = o.Host, buf
		x.part(&parts[i])
		return x.buf
	}, out.Piece)
	return out.Flush()
}

// writer writes the lines of scopes to buf, those of a scope before those below it. It is
// not safe for concurrent use: every worker has one.
type writer struct {
	host string
	line line // of one scope after the other
	buf  []byte
}

// inner is a scope below another.
type inner struct {
	name  string
	scope *telemetry.Scope
}

func (x *writer) part(p *telemetry.Part) {
	path := slices.Clip(p.Path())
	if at, first := p.Scope(); first {
		x.own(at, path, nil)
	}
	p.Each(func(name string, _ telemetry.Metric, _ bool, below *telemetry.Scope) {
		if below != nil {
			x.scope(below, append(path, name))
		}
	})
}

func (x *writer) scope(s *telemetry.Scope, path []string) {
	for _, b := range x.own(s, path, make([]inner, 0, 8)) {
		x.scope(b.scope, append(path, b.name))
	}
}

// own writes the line of a scope, if it has metrics, and appends what is below it to below,
// if that is not nil.
func (x *writer) own(s *telemetry.Scope, path []string, below []inner) []inner {
	l := &x.line
	l.fields, l.values = l.fields[:0], l.values[:0]
	s.Each(func(name string, m telemetry.Metric, ok bool, b *telemetry.Scope) {
		if b != nil && below != nil {
			below = append(below, inner{name, b})
		}
		if ok && (m.Kind != telemetry.KindStat || m.Summary != nil) {
			l.add(name, m)
		}
	})
	if len(l.fields) > 0 {
		x.buf = l.append(x.buf, path, x.host)
	}
	return below
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
	done := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == ',' || c == '=' || c == ' ':
			out = append(append(out, s[done:i]...), '\\')
			done = i
		case c < ' ':
			out = append(append(out, s[done:i]...), '_')
			done = i + 1
		}
	}
	return append(out, s[done:]...)
}
